//! Prices: the newest tick of a symbol, and what has come since a logical time.

use tokio_postgres::Row;
use turnstile_connectors::postgres::Postgres;
use turnstile_dataflows::model::Symbol;

use crate::api::prices::Price;
use crate::queries::QueryError;

/// Most rows of one poll. A poll that is cut off goes on where it ended, one second later.
const POLL_ROWS_MAX: i64 = 50_000;

/// Returns the newest price of `symbol`.
pub(crate) async fn newest(db: &Postgres, symbol: &Symbol) -> Result<Option<Price>, QueryError> {
    let client = db.client().await?;
    // Planned once per connection: planning goes through the partition of every day.
    let statement = client
        .prepare_cached(
            "SELECT symbol, last_price, bid, ask, change_price, change_rate, volume, source, ts, logical_us
             FROM market.prices WHERE symbol = $1 ORDER BY logical_us DESC LIMIT 1",
        )
        .await?;
    let row = client.query_opt(&statement, &[&&*symbol.text()]).await?;
    Ok(row.as_ref().map(price).transpose()?)
}

/// Returns the newest price of each of `symbols` that has one.
pub(crate) async fn newest_of(db: &Postgres, symbols: &[String]) -> Result<Vec<Price>, QueryError> {
    let client = db.client().await?;
    let statement = client
        .prepare_cached(
            "SELECT newest.* FROM unnest($1::text[]) AS wanted (symbol) CROSS JOIN LATERAL (
                 SELECT symbol, last_price, bid, ask, change_price, change_rate, volume, source, ts,
                     logical_us
                 FROM market.prices WHERE symbol = wanted.symbol ORDER BY logical_us DESC LIMIT 1
             ) AS newest",
        )
        .await?;
    let rows = client.query(&statement, &[&symbols]).await?;
    Ok(rows.iter().map(price).collect::<Result<_, _>>()?)
}

/// Returns the logical time of the newest price of all; 0 if there is none.
pub(crate) async fn newest_us(db: &Postgres) -> Result<i64, QueryError> {
    let client = db.client().await?;
    let row = client
        .query_opt(
            "SELECT logical_us FROM market.prices ORDER BY trade_date DESC, logical_us DESC LIMIT 1",
            &[],
        )
        .await?;
    Ok(row.map(|row| row.try_get(0)).transpose()?.unwrap_or(0))
}

/// Returns the newest price of each symbol that has ticks after the logical time `after_us`. With
/// more ticks than one poll reads it is the newest of the first ones; the next poll goes on there.
pub(crate) async fn newest_since(db: &Postgres, after_us: i64) -> Result<Vec<Price>, QueryError> {
    let client = db.client().await?;
    // Two branches, because a bound on the time alone would read the whole day in the index.
    let rows = client
        .query(
            "SELECT DISTINCT ON (symbol)
                 symbol, last_price, bid, ask, change_price, change_rate, volume, source, ts, logical_us
             FROM (
                 SELECT * FROM (
                     (SELECT * FROM market.prices
                      WHERE trade_date = (to_timestamp($1::bigint / 1000000) AT TIME ZONE 'Asia/Seoul')::date
                        AND logical_us > $1
                      ORDER BY logical_us LIMIT $2)
                     UNION ALL
                     (SELECT * FROM market.prices
                      WHERE trade_date > (to_timestamp($1::bigint / 1000000) AT TIME ZONE 'Asia/Seoul')::date
                      ORDER BY trade_date, logical_us LIMIT $2)
                 ) AS after ORDER BY logical_us LIMIT $2
             ) AS recent
             ORDER BY symbol, logical_us DESC",
            &[&after_us, &POLL_ROWS_MAX],
        )
        .await?;
    Ok(rows.iter().map(price).collect::<Result<_, _>>()?)
}

fn price(row: &Row) -> Result<Price, tokio_postgres::Error> {
    Ok(Price {
        symbol: row.try_get("symbol")?,
        price: row.try_get("last_price")?,
        bid: row.try_get("bid")?,
        ask: row.try_get("ask")?,
        change_price: row.try_get("change_price")?,
        change_rate: row.try_get("change_rate")?,
        volume: row.try_get("volume")?,
        source: row.try_get("source")?,
        ts: row.try_get("ts")?,
        logical_us: row.try_get("logical_us")?,
    })
}
