//! Universe of the strategy.

use tokio_postgres::Row;
use turnstile_connectors::postgres::Postgres;
use uuid::Uuid;

use crate::api::universe::{Universe, UniverseSymbol};
use crate::queries::QueryError;

/// Which listings are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Which {
    /// Those that pass.
    Passed,
    /// Those that are kept out.
    Excluded,
    /// All.
    All,
}

/// Returns the newest universe of a strategy.
pub(crate) async fn latest(
    db: &Postgres,
    strategy: &str,
    which: Which,
) -> Result<Option<Universe>, QueryError> {
    let client = db.client().await?;
    let header = client
        .query_opt(
            "SELECT snapshot_id, run_id, strategy_id, as_of::text AS as_of, filter_stats, created_ts
             FROM strategy.universe_snapshots WHERE strategy_id = $1
             ORDER BY as_of DESC, created_ts DESC LIMIT 1",
            &[&strategy],
        )
        .await?;
    let Some(header) = header else {
        return Ok(None);
    };
    let snapshot: Uuid = header.try_get("snapshot_id")?;
    let excluded = match which {
        Which::Passed => Some(false),
        Which::Excluded => Some(true),
        Which::All => None,
    };
    let rows = client
        .query(
            "SELECT u.*, stock.name
             FROM strategy.universe_daily u LEFT JOIN market.stocks stock USING (symbol)
             WHERE snapshot_id = $1 AND (exclusion IS NOT NULL) = coalesce($2, exclusion IS NOT NULL)
             ORDER BY symbol",
            &[&snapshot, &excluded],
        )
        .await?;
    let symbols = rows.iter().map(symbol).collect::<Result<_, _>>()?;
    Ok(Some(Universe {
        snapshot_id: snapshot,
        run_id: header.try_get("run_id")?,
        strategy_id: header.try_get("strategy_id")?,
        as_of: header.try_get("as_of")?,
        filter_stats: header.try_get("filter_stats")?,
        created_ts: header.try_get("created_ts")?,
        symbols,
    }))
}

fn symbol(row: &Row) -> Result<UniverseSymbol, tokio_postgres::Error> {
    Ok(UniverseSymbol {
        symbol: row.try_get("symbol")?,
        name: row.try_get("name")?,
        tier: row.try_get("tier")?,
        list: row.try_get("list")?,
        exclusion: row.try_get("exclusion")?,
        market: row.try_get("market")?,
        sector: row.try_get("sector")?,
        market_cap: row.try_get("market_cap")?,
        avg_volume_5d: row.try_get("avg_volume_5d")?,
        avg_value_5d: row.try_get("avg_value_5d")?,
    })
}
