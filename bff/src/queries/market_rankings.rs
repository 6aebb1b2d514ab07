//! Rankings of the market: each category chooses its issues, and what is shown of them is the same.

use tokio_postgres::Row;
use turnstile_connectors::postgres::Postgres;

use crate::api::market_rankings::RankedStock;
use crate::queries::QueryError;

/// What is ranked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Category {
    /// Shares traded.
    Volume,
    /// KRW traded.
    TradingValue,
    /// Change upwards.
    Gainers,
    /// Change downwards.
    Losers,
    /// Shares that foreigners have bought less those they have sold.
    ForeignNetBuy,
    /// The same of institutions.
    InstitutionNetBuy,
    /// How near the close is to the highest price of 52 weeks.
    High52Week,
    /// What all shares are worth.
    MarketCap,
    /// What is searched for most.
    Popular,
}

/// Bars with their issues.
const BARS: &str = "market.daily_bars AS b JOIN market.stocks AS s USING (symbol)";
/// Which of them are of the newest day, and of no halt.
const NEWEST: &str =
    "b.trade_date = (SELECT max(trade_date) FROM market.daily_bars) AND b.open > 0";
/// Which issues are ranked. `$1` is the market.
const SHARES: &str = "s.status <> 'DELISTED' AND s.instrument_type = 'STOCK'
    AND s.market IN ('KOSPI', 'KOSDAQ') AND ($1::text IS NULL OR s.market = $1)";

impl Category {
    /// Every category, the usual one first.
    pub(crate) const ALL: [Self; 9] = [
        Self::Volume,
        Self::TradingValue,
        Self::Gainers,
        Self::Losers,
        Self::ForeignNetBuy,
        Self::InstitutionNetBuy,
        Self::High52Week,
        Self::MarketCap,
        Self::Popular,
    ];

    /// Returns the name as clients write it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Volume => "volume",
            Self::TradingValue => "trading_value",
            Self::Gainers => "gainers",
            Self::Losers => "losers",
            Self::ForeignNetBuy => "foreign_net_buy",
            Self::InstitutionNetBuy => "institution_net_buy",
            Self::High52Week => "high_52week",
            Self::MarketCap => "market_cap",
            Self::Popular => "popular",
        }
    }

    /// Returns the category of a name; the usual one, if it is none.
    pub(crate) fn named(name: &str) -> Self {
        let found = Self::ALL
            .into_iter()
            .find(|category| category.name() == name);
        found.unwrap_or(Self::Volume)
    }

    /// Returns the statement of its issues: symbol, what is ranked, and the day of it.
    fn chosen(self) -> String {
        match self {
            Self::Volume => format!(
                "SELECT b.symbol, b.volume::numeric AS value, b.trade_date AS day
                 FROM {BARS} WHERE {NEWEST} AND {SHARES} AND b.volume > 0"
            ),
            Self::TradingValue => format!(
                "SELECT b.symbol, b.value, b.trade_date AS day
                 FROM {BARS} WHERE {NEWEST} AND {SHARES} AND b.value > 0"
            ),
            Self::Gainers => changed("b.close > before.close"),
            Self::Losers => changed("b.close < before.close"),
            Self::ForeignNetBuy => bought("foreign_net"),
            Self::InstitutionNetBuy => bought("institution_net"),
            // One pass over the bars of a year costs less than as many looks as there are issues.
            Self::High52Week => format!(
                "SELECT b.symbol, round(b.close / top.high * 100, 4) AS value, b.trade_date AS day
                 FROM {BARS} JOIN (
                     SELECT symbol, max(high) AS high FROM market.daily_bars
                     WHERE trade_date > (SELECT max(trade_date) FROM market.daily_bars) - 364
                     GROUP BY symbol
                 ) AS top USING (symbol)
                 WHERE {NEWEST} AND {SHARES}"
            ),
            Self::MarketCap => format!(
                "SELECT b.symbol, coalesce(b.market_cap, s.market_cap) AS value, b.trade_date AS day
                 FROM {BARS} WHERE {NEWEST} AND {SHARES} AND coalesce(b.market_cap, s.market_cap) IS NOT NULL"
            ),
            Self::Popular => format!(
                "SELECT r.symbol, r.rank::numeric AS value, r.collected_on AS day
                 FROM (VALUES ('KOSPI'), ('KOSDAQ')) AS list (market)
                 CROSS JOIN LATERAL (
                     SELECT max(collected_on) AS day FROM market.stock_rankings
                     WHERE category = 'POPULAR' AND market = list.market
                 ) AS newest
                 JOIN market.stock_rankings AS r ON r.category = 'POPULAR' AND r.market = list.market
                     AND r.collected_on = newest.day
                 JOIN market.stocks AS s ON s.symbol = r.symbol
                 WHERE {SHARES}"
            ),
        }
    }

    fn order(self) -> &'static str {
        match self {
            Self::Losers | Self::Popular => "value, symbol",
            _ => "value DESC, symbol",
        }
    }
}

/// Returns the statement of the issues whose close is other than the one before, by percent. Beyond the
/// limit of a day of 30 % there was a split or the like between the two.
fn changed(how: &str) -> String {
    format!(
        "SELECT b.symbol, round((b.close / before.close - 1) * 100, 4) AS value, b.trade_date AS day
         FROM {BARS} CROSS JOIN LATERAL (
             SELECT close FROM market.daily_bars
             WHERE symbol = b.symbol AND trade_date < b.trade_date ORDER BY trade_date DESC LIMIT 1
         ) AS before
         WHERE {NEWEST} AND {SHARES} AND {how} AND abs(b.close / before.close - 1) <= 0.3"
    )
}

/// Returns the statement of the issues of which more was bought than sold on the last day.
fn bought(column: &str) -> String {
    format!(
        "SELECT f.symbol, f.{column}::numeric AS value, f.trade_date AS day
         FROM market.investor_flows AS f JOIN market.stocks AS s USING (symbol)
         WHERE f.trade_date = (SELECT max(trade_date) FROM market.investor_flows) AND f.{column} > 0
             AND {SHARES}"
    )
}

/// Returns the day of what is ranked, and the first `limit` issues of a market or of both.
pub(crate) async fn first(
    db: &Postgres,
    category: Category,
    market: Option<&str>,
    limit: i64,
) -> Result<(Option<String>, Vec<RankedStock>), QueryError> {
    let (chosen, order) = (category.chosen(), category.order());
    let query = format!(
        "SELECT first.symbol, first.value, first.place, first.day::text AS day, stock.name, stock.market,
             bar.close, bar.volume, bar.value AS trading_value,
             round((bar.close / before.close - 1) * 100, 4) AS change_rate
         FROM (
             SELECT symbol, value, day, row_number() OVER (ORDER BY {order}) AS place
             FROM ({chosen}) AS chosen ORDER BY place LIMIT $2
         ) AS first
         JOIN market.stocks AS stock USING (symbol)
         LEFT JOIN LATERAL (
             SELECT trade_date, close, volume, value FROM market.daily_bars
             WHERE symbol = first.symbol ORDER BY trade_date DESC LIMIT 1
         ) AS bar ON true
         LEFT JOIN LATERAL (
             SELECT close FROM market.daily_bars
             WHERE symbol = first.symbol AND trade_date < bar.trade_date
             ORDER BY trade_date DESC LIMIT 1
         ) AS before ON true
         ORDER BY first.place"
    );
    let client = db.client().await?;
    let rows = client.query(&query, &[&market, &limit]).await?;
    let days = rows.iter().map(|row| row.try_get::<_, String>("day"));
    // Lists of two markets may be of different days.
    let as_of = days.collect::<Result<Vec<_>, _>>()?.into_iter().max();
    let stocks = rows.iter().map(stock).collect::<Result<_, _>>()?;
    Ok((as_of, stocks))
}

fn stock(row: &Row) -> Result<RankedStock, tokio_postgres::Error> {
    Ok(RankedStock {
        rank: row.try_get("place")?,
        symbol: row.try_get("symbol")?,
        name: row.try_get("name")?,
        market: row.try_get("market")?,
        price: row.try_get("close")?,
        change_rate: row.try_get("change_rate")?,
        volume: row.try_get("volume")?,
        trading_value: row.try_get("trading_value")?,
        value: row.try_get("value")?,
    })
}
