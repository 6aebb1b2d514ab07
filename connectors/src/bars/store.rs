//! Bars into their table, with the issues they belong to.

use rust_decimal::Decimal;
use tokio_postgres::GenericClient;

use crate::postgres::PostgresError;
use crate::recorded::DailyRow;

/// Issues of the bars, as the latest bar describes them: one that is older than what is stored of its
/// issue says nothing new. What others know of them stays. Of its designations V53 says who counts; what is
/// told of them has a day in `managed_on` and `caution_on`.
const STORE_STOCKS: &str =
    "INSERT INTO market.stocks AS s (symbol, name, market, segment, market_cap,
        is_managed, managed_on, is_caution, caution_on, caution_source)
    SELECT DISTINCT ON (symbol) symbol, name, market, segment, cap::bigint,
        coalesce(managed, false), CASE WHEN managed IS NOT NULL THEN trade_date::date END,
        coalesce(caution, false), CASE WHEN caution IS NOT NULL THEN trade_date::date END,
        CASE WHEN caution IS NOT NULL THEN 'IMPORT' END
    FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::numeric[],
            $7::boolean[], $8::boolean[])
        AS b (symbol, trade_date, name, market, segment, cap, managed, caution)
    WHERE NOT EXISTS (SELECT FROM market.daily_bars d
        WHERE d.symbol = b.symbol AND d.trade_date > b.trade_date::date)
    ORDER BY symbol, trade_date DESC
    ON CONFLICT (symbol) DO UPDATE SET name = excluded.name, market = excluded.market,
        segment = excluded.segment, market_cap = excluded.market_cap, updated_ts = now(),
        instrument_type = CASE s.instrument_type WHEN 'UNKNOWN' THEN 'STOCK'
            ELSE s.instrument_type END,
        is_managed = CASE WHEN excluded.managed_on >= coalesce(s.managed_on, excluded.managed_on)
            THEN excluded.is_managed ELSE s.is_managed END,
        managed_on = greatest(s.managed_on, excluded.managed_on),
        is_caution = CASE WHEN market.caution_counts(s.is_caution, s.caution_on, s.caution_source,
                excluded.is_caution, excluded.caution_on, 'IMPORT')
            THEN excluded.is_caution ELSE s.is_caution END,
        caution_on = CASE WHEN market.caution_counts(s.is_caution, s.caution_on, s.caution_source,
                excluded.is_caution, excluded.caution_on, 'IMPORT')
            THEN excluded.caution_on ELSE s.caution_on END,
        caution_source = CASE WHEN market.caution_counts(s.is_caution, s.caution_on,
                s.caution_source, excluded.is_caution, excluded.caution_on, 'IMPORT')
            THEN 'IMPORT' ELSE s.caution_source END
    WHERE (s.name, s.market, s.segment, s.market_cap, s.instrument_type) IS DISTINCT FROM
        (excluded.name, excluded.market, excluded.segment, excluded.market_cap,
         excluded.instrument_type)
        OR excluded.managed_on >= coalesce(s.managed_on, excluded.managed_on)
            AND (s.is_managed, s.managed_on) IS DISTINCT FROM
                (excluded.is_managed, excluded.managed_on)
        OR market.caution_counts(s.is_caution, s.caution_on, s.caution_source,
                excluded.is_caution, excluded.caution_on, 'IMPORT')
            AND (s.is_caution, s.caution_on, s.caution_source) IS DISTINCT FROM
                (excluded.is_caution, excluded.caution_on, 'IMPORT')";

/// Of two bars of one issue and day the later row counts.
const STORE_BARS: &str = "INSERT INTO market.daily_bars AS d
        (symbol, trade_date, open, high, low, close, volume, value, market_cap, shares, source)
    SELECT DISTINCT ON (symbol, trade_date) symbol, trade_date::date, open, high, low, close, volume,
        value, cap, shares, $11
    FROM unnest($1::text[], $2::text[], $3::numeric[], $4::numeric[], $5::numeric[], $6::numeric[],
        $7::bigint[], $8::numeric[], $9::numeric[], $10::bigint[])
        WITH ORDINALITY
        AS b (symbol, trade_date, open, high, low, close, volume, value, cap, shares, place)
    ORDER BY symbol, trade_date, place DESC
    ON CONFLICT (symbol, trade_date) DO UPDATE SET
        open = excluded.open, high = excluded.high, low = excluded.low, close = excluded.close,
        volume = excluded.volume, value = excluded.value,
        market_cap = coalesce(excluded.market_cap, d.market_cap),
        shares = coalesce(excluded.shares, d.shares),
        source = excluded.source, updated_ts = clock_timestamp()
    WHERE (d.open, d.high, d.low, d.close, d.volume, d.value, d.market_cap, d.shares)
        IS DISTINCT FROM
        (excluded.open, excluded.high, excluded.low, excluded.close, excluded.volume,
         excluded.value, coalesce(excluded.market_cap, d.market_cap),
         coalesce(excluded.shares, d.shares))";

/// Where bars come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BarSource {
    /// A file.
    Import,
    /// The broker.
    Kis,
}

impl BarSource {
    const fn name(self) -> &'static str {
        match self {
            Self::Import => "IMPORT",
            Self::Kis => "KIS_REST",
        }
    }
}

/// Stores bars, with what they say of their issues, and returns how many were new or different. An
/// issue of which no row says anything has to stand already.
///
/// # Errors
/// What the database says.
pub async fn store(
    client: &impl GenericClient,
    rows: &[DailyRow],
    source: BarSource,
) -> Result<u64, PostgresError> {
    store_stocks(client, rows).await?;
    let symbols: Vec<String> = rows.iter().map(|row| row.symbol.to_string()).collect();
    let dates: Vec<String> = rows.iter().map(|row| row.date.to_string()).collect();
    let caps: Vec<Option<Decimal>> = rows.iter().map(|row| row.market_cap).collect();
    let price = |of: fn(&DailyRow) -> Decimal| rows.iter().map(of).collect::<Vec<_>>();
    let volumes: Vec<i64> = rows.iter().map(|row| row.volume).collect();
    let shares: Vec<Option<i64>> = rows.iter().map(|row| row.shares).collect();
    let stored = client
        .execute(
            STORE_BARS,
            &[
                &symbols,
                &dates,
                &price(|row| row.open),
                &price(|row| row.high),
                &price(|row| row.low),
                &price(|row| row.close),
                &volumes,
                &price(|row| row.value),
                &caps,
                &shares,
                &source.name(),
            ],
        )
        .await?;
    Ok(stored)
}

async fn store_stocks(client: &impl GenericClient, rows: &[DailyRow]) -> Result<(), PostgresError> {
    let listed = || {
        rows.iter()
            .filter_map(|row| Some((row, row.listing.as_ref()?)))
    };
    if listed().next().is_none() {
        return Ok(());
    }
    let symbols: Vec<String> = listed().map(|(row, _)| row.symbol.to_string()).collect();
    let dates: Vec<String> = listed().map(|(row, _)| row.date.to_string()).collect();
    let caps: Vec<Option<Decimal>> = listed().map(|(row, _)| row.market_cap).collect();
    let names: Vec<&str> = listed().map(|(_, listing)| listing.name.as_str()).collect();
    let markets: Vec<&str> = listed().map(|(_, listing)| listing.market).collect();
    let segments: Vec<Option<&str>> = listed()
        .map(|(_, listing)| listing.segment.as_deref())
        .collect();
    let managed: Vec<Option<bool>> = listed()
        .map(|(_, listing)| listing.designation.is_managed)
        .collect();
    let cautions: Vec<Option<bool>> = listed()
        .map(|(_, listing)| listing.designation.is_caution)
        .collect();
    client
        .execute(
            STORE_STOCKS,
            &[
                &symbols, &dates, &names, &markets, &segments, &caps, &managed, &cautions,
            ],
        )
        .await?;
    Ok(())
}
