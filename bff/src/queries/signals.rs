//! Signals of the strategy.

use tokio_postgres::Row;
use turnstile_connectors::postgres::Postgres;
use turnstile_dataflows::model::Symbol;
use uuid::Uuid;

use crate::api::signals::{Evaluation, Factors, Signal, Signals};
use crate::queries::QueryError;

const HEADER: &str =
    "SELECT snapshot_id, universe_snapshot_id, strategy_id, as_of::text AS as_of, created_ts
    FROM strategy.signal_snapshots";

/// Returns the newest signals of a strategy.
pub(crate) async fn latest(db: &Postgres, strategy: &str) -> Result<Option<Signals>, QueryError> {
    let query =
        format!("{HEADER} WHERE strategy_id = $1 ORDER BY as_of DESC, created_ts DESC LIMIT 1");
    let client = db.client().await?;
    let header = client.query_opt(&query, &[&strategy]).await?;
    drop(client);
    with_rows(db, header).await
}

/// Returns the signals of a snapshot.
pub(crate) async fn snapshot(db: &Postgres, id: Uuid) -> Result<Option<Signals>, QueryError> {
    let client = db.client().await?;
    let query = format!("{HEADER} WHERE snapshot_id = $1");
    let header = client.query_opt(&query, &[&id]).await?;
    drop(client);
    with_rows(db, header).await
}

async fn with_rows(db: &Postgres, header: Option<Row>) -> Result<Option<Signals>, QueryError> {
    let Some(header) = header else {
        return Ok(None);
    };
    let snapshot: Uuid = header.try_get("snapshot_id")?;
    let client = db.client().await?;
    let rows = client
        .query(
            "SELECT s.*, stock.name
             FROM strategy.signals s LEFT JOIN market.stocks stock USING (symbol)
             WHERE snapshot_id = $1 ORDER BY kind, rank",
            &[&snapshot],
        )
        .await?;
    let (mut buy, mut sell) = (Vec::new(), Vec::new());
    for row in &rows {
        let kind = match row.try_get("kind")? {
            "BUY" => &mut buy,
            _ => &mut sell,
        };
        kind.push(signal(row)?);
    }
    Ok(Some(Signals {
        snapshot_id: snapshot,
        universe_snapshot_id: header.try_get("universe_snapshot_id")?,
        strategy_id: header.try_get("strategy_id")?,
        as_of: header.try_get("as_of")?,
        created_ts: header.try_get("created_ts")?,
        buy,
        sell,
    }))
}

/// Returns the factors of a symbol in the newest signals of a strategy.
pub(crate) async fn factors(
    db: &Postgres,
    strategy: &str,
    symbol: Symbol,
) -> Result<Option<Evaluation>, QueryError> {
    let client = db.client().await?;
    let row = client
        .query_opt(
            "SELECT f.*, h.strategy_id, h.as_of::text AS as_of, stock.name, s.kind, s.rank
             FROM (SELECT * FROM strategy.signal_snapshots WHERE strategy_id = $1
                 ORDER BY as_of DESC, created_ts DESC LIMIT 1) h
             JOIN strategy.factor_scores f USING (snapshot_id)
             LEFT JOIN strategy.signals s USING (snapshot_id, symbol)
             LEFT JOIN market.stocks stock USING (symbol)
             WHERE f.symbol = $2",
            &[&strategy, &&*symbol.text()],
        )
        .await?;
    let Some(row) = row else {
        return Ok(None);
    };
    Ok(Some(Evaluation {
        snapshot_id: row.try_get("snapshot_id")?,
        strategy_id: row.try_get("strategy_id")?,
        as_of: row.try_get("as_of")?,
        symbol: row.try_get("symbol")?,
        name: row.try_get("name")?,
        factors: factors_of(&row)?,
        total_score: row.try_get("total_score")?,
        strength: row.try_get("strength")?,
        conviction: row.try_get("conviction")?,
        signal: row.try_get("kind")?,
        rank: row.try_get("rank")?,
    }))
}

fn signal(row: &Row) -> Result<Signal, tokio_postgres::Error> {
    Ok(Signal {
        rank: row.try_get("rank")?,
        symbol: row.try_get("symbol")?,
        name: row.try_get("name")?,
        strength: row.try_get("strength")?,
        conviction: row.try_get("conviction")?,
        total_score: row.try_get("total_score")?,
        factors: factors_of(row)?,
    })
}

fn factors_of(row: &Row) -> Result<Factors, tokio_postgres::Error> {
    Ok(Factors {
        momentum: row.try_get("momentum")?,
        technical: row.try_get("technical")?,
        value: row.try_get("value")?,
        quality: row.try_get("quality")?,
        flow: row.try_get("flow")?,
        event: row.try_get("event")?,
    })
}
