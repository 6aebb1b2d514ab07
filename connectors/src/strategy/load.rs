//! Reads the input of the days of a run, in one snapshot of the database.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::str::FromStr;
use std::sync::Arc;

use futures_util::TryStreamExt;
use tokio_postgres::types::{FromSql, ToSql};
use tokio_postgres::{Client, GenericClient, IsolationLevel, Row, RowStream};
use turnstile_dataflows::model::Symbol;
use turnstile_strategy::{Bar, Day, Disclosure, Flow, Fundamental, Listing, Wanted};

use super::day::{column, date_of, day_of};
use super::feed::{BARS_KEPT, DISCLOSURE_DAYS, FLOWS_KEPT, FUNDAMENTAL_DAYS, Input};
use super::{Days, StrategyError};

const LISTINGS: &str = "SELECT symbol, name, market, instrument_type, status, sector, market_cap,
        is_tradable, is_managed, is_caution
    FROM market.stocks WHERE status <> 'DELISTED'";

/// A watched symbol that is not listed is nothing yet.
const WANTED: &str = "SELECT symbol, true AS is_held FROM trade.positions WHERE status <> 'CLOSED'
    UNION SELECT symbol, false FROM strategy.watchlist JOIN market.stocks USING (symbol)";

/// The newest `$3` bars of each issue up to `$1`, and those after it up to `$2`. Prices in units of 1e-4,
/// values cut off to whole KRW; null where they are no number or do not fit.
const BARS: &str = "SELECT s.symbol, b.trade_date - '1970-01-01'::date AS day, b.volume,
        CASE WHEN abs(open) < 9e14 THEN (open * 10000)::bigint END AS open,
        CASE WHEN abs(high) < 9e14 THEN (high * 10000)::bigint END AS high,
        CASE WHEN abs(low) < 9e14 THEN (low * 10000)::bigint END AS low,
        CASE WHEN abs(close) < 9e14 THEN (close * 10000)::bigint END AS close,
        CASE WHEN abs(value) < 9e18 THEN trunc(value)::bigint END AS value,
        CASE WHEN abs(b.market_cap) < 9e18 THEN trunc(b.market_cap)::bigint END AS market_cap
    FROM market.stocks s CROSS JOIN LATERAL (
        (SELECT * FROM market.daily_bars d WHERE d.symbol = s.symbol AND d.trade_date <= $1
            ORDER BY d.trade_date DESC LIMIT $3)
        UNION ALL
        (SELECT * FROM market.daily_bars d WHERE d.symbol = s.symbol
                AND d.trade_date > $1 AND d.trade_date <= $2)) b
    WHERE s.status <> 'DELISTED'";

/// The same of flows.
const FLOWS: &str = "SELECT s.symbol, f.*
    FROM market.stocks s CROSS JOIN LATERAL (
        (SELECT trade_date - '1970-01-01'::date AS day, foreign_net, institution_net
            FROM market.investor_flows i WHERE i.symbol = s.symbol AND i.trade_date <= $1
            ORDER BY i.trade_date DESC LIMIT $3)
        UNION ALL
        (SELECT trade_date - '1970-01-01'::date, foreign_net, institution_net
            FROM market.investor_flows i WHERE i.symbol = s.symbol
                AND i.trade_date > $1 AND i.trade_date <= $2)) f
    WHERE s.status <> 'DELISTED'";

const FUNDAMENTALS: &str = "SELECT symbol, report_date - '1970-01-01'::date AS day,
        per, pbr, psr, roe, debt_ratio
    FROM market.fundamentals JOIN market.stocks USING (symbol)
    WHERE status <> 'DELISTED' AND report_date >= $1::date - $3::integer
        AND report_date <= $2";

const DISCLOSURES: &str = "SELECT receipt_no, symbol, title,
        (disclosed_ts AT TIME ZONE 'Asia/Seoul')::date - '1970-01-01'::date AS day
    FROM market.disclosures JOIN market.stocks USING (symbol)
    WHERE status <> 'DELISTED'
        AND disclosed_ts >= ($1::date - $3::integer)::timestamp AT TIME ZONE 'Asia/Seoul'
        AND disclosed_ts < ($2::date + 1)::timestamp AT TIME ZONE 'Asia/Seoul'";

/// The newest list of each market up to `$1`, and those after it up to `$2`.
const POPULAR: &str = "SELECT symbol, market, rank, collected_on - '1970-01-01'::date AS day
    FROM market.stock_rankings r
    WHERE category = 'POPULAR' AND collected_on <= $2 AND collected_on >= coalesce(
        (SELECT max(collected_on) FROM market.stock_rankings o
            WHERE o.category = 'POPULAR' AND o.market = r.market AND o.collected_on <= $1), $1::date)";

const SESSIONS: &str =
    "SELECT DISTINCT trade_date - '1970-01-01'::date AS day FROM market.daily_bars
    WHERE trade_date BETWEEN $1 AND $2 AND volume > 0 ORDER BY 1";

/// A bar of tomorrow would be a mistake.
const LAST_SESSION: &str = "SELECT trade_date - '1970-01-01'::date AS day FROM market.daily_bars
    WHERE volume > 0 AND trade_date <= (now() AT TIME ZONE 'Asia/Seoul')::date
    ORDER BY trade_date DESC LIMIT 1";

/// Returns the days that are asked for, in order.
pub(super) async fn days(
    client: &impl GenericClient,
    asked: Days,
) -> Result<Vec<Day>, StrategyError> {
    let rows = match asked {
        Days::One(date) => return Ok(vec![day_of(date)?]),
        Days::Last => client.query(LAST_SESSION, &[]).await?,
        Days::Span(from, to) => {
            let (from, to) = (column(day_of(from)?), column(day_of(to)?));
            client.query(SESSIONS, &[&from, &to]).await?
        }
    };
    let days = rows
        .iter()
        .map(|row| Fields(row, "market.daily_bars", &[]).day("day"));
    let days: Vec<Day> = days.collect::<Result<_, _>>()?;
    if days.is_empty() {
        let of = match asked {
            Days::Span(from, to) => format!(" from {from} to {to}"),
            Days::Last | Days::One(_) => String::new(),
        };
        return Err(StrategyError::NoSession(of));
    }
    Ok(days)
}

/// Reads what the days from `first` to `last` are computed from.
pub(super) async fn load(
    client: &mut Client,
    first: Day,
    last: Day,
) -> Result<Input, StrategyError> {
    let builder = client.build_transaction();
    let transaction = builder
        .isolation_level(IsolationLevel::RepeatableRead)
        .read_only(true)
        .start()
        .await?;
    let mut input = Input::default();
    let mut rows = stream(&transaction, LISTINGS, &[]).await?;
    while let Some(row) = rows.try_next().await? {
        let (symbol, listing) = listing(&row)?;
        input.listings.insert(symbol, listing);
    }
    let mut rows = stream(&transaction, WANTED, &[]).await?;
    while let Some(row) = rows.try_next().await? {
        let fields = Fields(&row, "trade.positions, strategy.watchlist", &["symbol"]);
        let wanted = match fields.get("is_held")? {
            true => Wanted::Holding,
            false => Wanted::Watchlist,
        };
        let kept = input.wanted.entry(fields.symbol()?).or_insert(wanted);
        *kept = wanted.min(*kept);
    }
    let (from, to) = (column(first), column(last));
    let newest = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    let (bars, flows) = (newest(BARS_KEPT), newest(FLOWS_KEPT));
    let mut rows = stream(&transaction, BARS, &[&from, &to, &bars]).await?;
    while let Some(row) = rows.try_next().await? {
        let fields = Fields(&row, "market.daily_bars", &["symbol", "day"]);
        push(
            &mut input.bars,
            fields.day("day")?,
            fields.symbol()?,
            bar(fields)?,
        );
    }
    let mut rows = stream(&transaction, FLOWS, &[&from, &to, &flows]).await?;
    while let Some(row) = rows.try_next().await? {
        let fields = Fields(&row, "market.investor_flows", &["symbol", "day"]);
        let flow = Flow {
            foreign: fields.get("foreign_net")?,
            institution: fields.get("institution_net")?,
        };
        push(&mut input.flows, fields.day("day")?, fields.symbol()?, flow);
    }
    let days = |count: u32| i32::try_from(count).unwrap_or(i32::MAX);
    let (reports, news) = (days(FUNDAMENTAL_DAYS), days(DISCLOSURE_DAYS));
    let mut rows = stream(&transaction, FUNDAMENTALS, &[&from, &to, &reports]).await?;
    while let Some(row) = rows.try_next().await? {
        let fields = Fields(&row, "market.fundamentals", &["symbol", "day"]);
        let row = fundamental(fields)?;
        push(
            &mut input.fundamentals,
            fields.day("day")?,
            fields.symbol()?,
            row,
        );
    }
    let mut rows = stream(&transaction, DISCLOSURES, &[&from, &to, &news]).await?;
    while let Some(row) = rows.try_next().await? {
        let fields = Fields(&row, "market.disclosures", &["receipt_no"]);
        let (number, day): (&str, _) = (fields.get("receipt_no")?, fields.day("day")?);
        let disclosure = Disclosure {
            symbol: fields.symbol()?,
            day,
            title: Arc::from(fields.get::<&str>("title")?),
        };
        let of_day = input.disclosures.entry(day).or_default();
        of_day.push((Arc::from(number), disclosure));
    }
    let mut rows = stream(&transaction, POPULAR, &[&from, &to]).await?;
    while let Some(row) = rows.try_next().await? {
        let fields = Fields(&row, "market.stock_rankings", &["symbol", "market", "day"]);
        let key = (fields.parsed("market")?, fields.day("day")?);
        let rank: i32 = fields.get("rank")?;
        let rank = u32::try_from(rank).map_err(|error| fields.fault("rank", error))?;
        let list: &mut Vec<(Symbol, u32)> = input.popular.entry(key).or_default();
        list.push((fields.symbol()?, rank));
    }
    transaction.commit().await?;
    Ok(input)
}

async fn stream(
    client: &impl GenericClient,
    query: &str,
    values: &[&(dyn ToSql + Sync)],
) -> Result<std::pin::Pin<Box<RowStream>>, StrategyError> {
    let values = values.iter().copied();
    Ok(Box::pin(client.query_raw(query, values).await?))
}

fn push<T>(rows: &mut BTreeMap<Day, Vec<(Symbol, T)>>, day: Day, symbol: Symbol, row: T) {
    rows.entry(day).or_default().push((symbol, row));
}

fn listing(row: &Row) -> Result<(Symbol, Listing), StrategyError> {
    let fields = Fields(row, "market.stocks", &["symbol"]);
    let listing = Listing {
        name: Arc::from(fields.get::<&str>("name")?),
        market: fields.parsed("market")?,
        instrument: fields.parsed("instrument_type")?,
        status: fields.parsed("status")?,
        sector: fields.get::<Option<&str>>("sector")?.map(Arc::from),
        market_cap: fields.get("market_cap")?,
        is_tradable: fields.get("is_tradable")?,
        is_managed: fields.get("is_managed")?,
        is_caution: fields.get("is_caution")?,
    };
    Ok((fields.symbol()?, listing))
}

fn bar(fields: Fields<'_>) -> Result<Bar, StrategyError> {
    Ok(Bar {
        open: fields.number("open")?,
        high: fields.number("high")?,
        low: fields.number("low")?,
        close: fields.number("close")?,
        volume: fields.number("volume")?,
        value: fields.number("value")?,
        market_cap: fields.get("market_cap")?,
    })
}

fn fundamental(fields: Fields<'_>) -> Result<Fundamental, StrategyError> {
    Ok(Fundamental {
        per: fields.get("per")?,
        pbr: fields.get("pbr")?,
        psr: fields.get("psr")?,
        roe: fields.get("roe")?,
        debt_ratio: fields.get("debt_ratio")?,
    })
}

/// The columns of a row, with its table and the columns that say which row it is.
#[derive(Clone, Copy)]
struct Fields<'r>(&'r Row, &'static str, &'static [&'static str]);

impl<'r> Fields<'r> {
    fn get<T: FromSql<'r>>(&self, column: &'static str) -> Result<T, StrategyError> {
        self.0.try_get(column).map_err(|error| {
            use std::error::Error as _;
            match error.source() {
                Some(cause) => self.fault(column, cause),
                None => self.fault(column, error),
            }
        })
    }

    fn symbol(&self) -> Result<Symbol, StrategyError> {
        self.parsed("symbol")
    }

    fn day(&self, column: &'static str) -> Result<Day, StrategyError> {
        let days: i32 = self.get(column)?;
        let day = u32::try_from(days).map_err(|error| self.fault(column, error))?;
        Ok(Day(day))
    }

    fn parsed<T: FromStr<Err: Display>>(&self, column: &'static str) -> Result<T, StrategyError> {
        let text: &str = self.get(column)?;
        text.parse().map_err(|error| self.fault(column, error))
    }

    fn number(&self, column: &'static str) -> Result<i64, StrategyError> {
        let number: Option<i64> = self.get(column)?;
        number.ok_or_else(|| self.fault(column, "is no number, or too large"))
    }

    fn fault(&self, column: &'static str, reason: impl Display) -> StrategyError {
        let Self(row, table, keys) = self;
        let key = keys.iter().map(|key| match row.try_get::<_, i32>(key) {
            Ok(days) => u32::try_from(days)
                .map_or_else(|_| days.to_string(), |days| date_of(Day(days)).to_string()),
            Err(_) => row.try_get::<_, String>(key).unwrap_or_default(),
        });
        StrategyError::Row {
            table,
            key: key.collect::<Vec<_>>().join(" "),
            column,
            reason: reason.to_string(),
        }
    }
}
