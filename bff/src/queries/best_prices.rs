//! Best prices, judged by the clock of the database: what nobody keeps up grows stale as well.

use tokio_postgres::Row;
use turnstile_connectors::postgres::Postgres;
use turnstile_dataflows::model::Symbol;

use crate::api::best_prices::BestPrice;
use crate::queries::QueryError;

const BEST: &str = "
    SELECT symbol, price, source, received_ts, fresh_until, apart_source, apart_price, apart_level,
        greatest(0, extract(epoch FROM now() - received_ts) * 1000)::bigint AS age_ms,
        is_stale OR fresh_until < now() - interval '5 seconds' AS is_stale,
        coalesce(stale_reason, CASE WHEN fresh_until < now() - interval '5 seconds'
            THEN 'ENGINE_AWAY' END) AS stale_reason
    FROM market.best_prices WHERE symbol = $1 OR $1 IS NULL ORDER BY symbol";

/// Returns all best prices, by symbol.
pub(crate) async fn list(db: &Postgres) -> Result<Vec<BestPrice>, QueryError> {
    find(db, None).await
}

/// Returns the best price of `symbol`, if the engine has one.
pub(crate) async fn one(db: &Postgres, symbol: &Symbol) -> Result<Option<BestPrice>, QueryError> {
    Ok(find(db, Some(&symbol.text())).await?.pop())
}

/// Returns of each symbol with a best price whether that is stale.
pub(crate) async fn staleness(db: &Postgres) -> Result<Vec<(String, bool)>, QueryError> {
    let client = db.client().await?;
    let statement = client
        .prepare_cached(
            "SELECT symbol, is_stale OR fresh_until < now() - interval '5 seconds' AS is_stale
             FROM market.best_prices ORDER BY symbol",
        )
        .await?;
    let rows = client.query(&statement, &[]).await?;
    let verdict = |row: &Row| Ok((row.try_get("symbol")?, row.try_get("is_stale")?));
    rows.iter().map(verdict).collect()
}

async fn find(db: &Postgres, symbol: Option<&str>) -> Result<Vec<BestPrice>, QueryError> {
    let client = db.client().await?;
    let statement = client.prepare_cached(BEST).await?;
    let rows = client.query(&statement, &[&symbol]).await?;
    Ok(rows.iter().map(best).collect::<Result<_, _>>()?)
}

fn best(row: &Row) -> Result<BestPrice, tokio_postgres::Error> {
    Ok(BestPrice {
        symbol: row.try_get("symbol")?,
        price: row.try_get("price")?,
        source: row.try_get("source")?,
        received_ts: row.try_get("received_ts")?,
        age_ms: row.try_get("age_ms")?,
        fresh_until: row.try_get("fresh_until")?,
        is_stale: row.try_get("is_stale")?,
        stale_reason: row.try_get("stale_reason")?,
        apart_source: row.try_get("apart_source")?,
        apart_price: row.try_get("apart_price")?,
        apart_level: row.try_get("apart_level")?,
    })
}
