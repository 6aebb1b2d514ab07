//! Rankings of the strategy.

use tokio_postgres::Row;
use turnstile_connectors::postgres::Postgres;
use uuid::Uuid;

use crate::api::rankings::{Ranked, Rankings};
use crate::queries::QueryError;

/// Returns the newest ranking of a strategy, all of it or what is selected.
pub(crate) async fn latest(
    db: &Postgres,
    strategy: &str,
    selected_only: bool,
) -> Result<Option<Rankings>, QueryError> {
    let client = db.client().await?;
    let header = client
        .query_opt(
            "SELECT snapshot_id, signal_snapshot_id, strategy_id, as_of::text AS as_of, created_ts
             FROM strategy.ranking_snapshots WHERE strategy_id = $1
             ORDER BY as_of DESC, created_ts DESC LIMIT 1",
            &[&strategy],
        )
        .await?;
    let Some(header) = header else {
        return Ok(None);
    };
    let snapshot: Uuid = header.try_get("snapshot_id")?;
    let rows = client
        .query(
            "SELECT r.*, stock.name
             FROM strategy.rankings r LEFT JOIN market.stocks stock USING (symbol)
             WHERE snapshot_id = $1 AND (selected OR NOT $2) ORDER BY rank",
            &[&snapshot, &selected_only],
        )
        .await?;
    Ok(Some(Rankings {
        snapshot_id: snapshot,
        signal_snapshot_id: header.try_get("signal_snapshot_id")?,
        strategy_id: header.try_get("strategy_id")?,
        as_of: header.try_get("as_of")?,
        created_ts: header.try_get("created_ts")?,
        rows: rows.iter().map(ranked).collect::<Result<_, _>>()?,
    }))
}

fn ranked(row: &Row) -> Result<Ranked, tokio_postgres::Error> {
    Ok(Ranked {
        rank: row.try_get("rank")?,
        symbol: row.try_get("symbol")?,
        name: row.try_get("name")?,
        market: row.try_get("market")?,
        sector: row.try_get("sector")?,
        total_score: row.try_get("total_score")?,
        score: row.try_get("score")?,
        strength: row.try_get("strength")?,
        risk_score: row.try_get("risk_score")?,
        volatility: row.try_get("volatility")?,
        liquidity: row.try_get("liquidity")?,
        sector_loss: row.try_get("sector_loss")?,
        market_loss: row.try_get("market_loss")?,
        selected: row.try_get("selected")?,
        reason: row.try_get("reason")?,
    })
}
