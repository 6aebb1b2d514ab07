//! Portfolios of the strategy.

use rust_decimal::Decimal;
use serde::Deserialize;
use tokio_postgres::Row;
use tokio_postgres::types::Json;
use turnstile_connectors::postgres::Postgres;
use uuid::Uuid;

use crate::api::portfolios::{Holding, Portfolio};
use crate::cursor::TimeCursor;
use crate::envelope::Listed;
use crate::extract::Page;
use crate::number::Number;
use crate::queries::{QueryError, listed, time_key};

/// Decimal places of a weight: millionths of equity.
const WEIGHT_PLACES: u32 = 6;
const COLUMNS: &str = "p.*, p.as_of::text AS day, coalesce((
        SELECT jsonb_agg(to_jsonb(h) - 'portfolio_id' ORDER BY h.rank)
        FROM strategy.portfolio_holdings h WHERE h.portfolio_id = p.portfolio_id), '[]') AS names";

/// A holding as the database has it.
#[derive(Deserialize)]
struct StoredHolding {
    rank: i32,
    symbol: String,
    name: Option<String>,
    sector: Option<String>,
    weight: i64,
}

/// Returns a page of portfolios, newest first.
pub(crate) async fn list(
    db: &Postgres,
    page: Page<TimeCursor>,
) -> Result<Listed<Portfolio, TimeCursor>, QueryError> {
    let query = format!(
        "SELECT {COLUMNS} FROM strategy.portfolios p WHERE (created_ts, portfolio_id) < ($1, $2)
         ORDER BY created_ts DESC, portfolio_id DESC LIMIT $3"
    );
    let client = db.client().await?;
    let rows = client
        .query(&query, &[&page.below.ts, &page.below.id, &(page.limit + 1)])
        .await?;
    let key = time_key("created_ts", "portfolio_id");
    listed(&rows, &page, key, portfolio)
}

/// Returns the portfolio `id`.
pub(crate) async fn one(db: &Postgres, id: Uuid) -> Result<Option<Portfolio>, QueryError> {
    let query = format!("SELECT {COLUMNS} FROM strategy.portfolios p WHERE portfolio_id = $1");
    let client = db.client().await?;
    let row = client.query_opt(&query, &[&id]).await?;
    Ok(row.as_ref().map(portfolio).transpose()?)
}

/// Returns the portfolio of a strategy's last day.
pub(crate) async fn latest(db: &Postgres, strategy: &str) -> Result<Option<Portfolio>, QueryError> {
    let query = format!(
        "SELECT {COLUMNS} FROM strategy.portfolios p WHERE strategy_id = $1
         ORDER BY as_of DESC, created_ts DESC LIMIT 1"
    );
    of_strategy(db, &query, strategy).await
}

/// Returns the portfolio of a strategy that is in force.
pub(crate) async fn active(db: &Postgres, strategy: &str) -> Result<Option<Portfolio>, QueryError> {
    let query = format!(
        "SELECT {COLUMNS} FROM strategy.portfolios p WHERE strategy_id = $1 AND status = 'ACTIVE'"
    );
    of_strategy(db, &query, strategy).await
}

async fn of_strategy(
    db: &Postgres,
    query: &str,
    strategy: &str,
) -> Result<Option<Portfolio>, QueryError> {
    let client = db.client().await?;
    let row = client.query_opt(query, &[&strategy]).await?;
    Ok(row.as_ref().map(portfolio).transpose()?)
}

fn portfolio(row: &Row) -> Result<Portfolio, tokio_postgres::Error> {
    let Json(names): Json<Vec<StoredHolding>> = row.try_get("names")?;
    let holdings = names.into_iter().map(|stored| Holding {
        rank: stored.rank,
        symbol: stored.symbol,
        name: stored.name,
        sector: stored.sector,
        weight: weight(stored.weight),
    });
    let total: i32 = row.try_get("total_weight")?;
    Ok(Portfolio {
        portfolio_id: row.try_get("portfolio_id")?,
        strategy_id: row.try_get("strategy_id")?,
        ranking_snapshot_id: row.try_get("ranking_snapshot_id")?,
        as_of: row.try_get("day")?,
        status: row.try_get("status")?,
        total_weight: weight(total.into()),
        holdings: holdings.collect(),
        notes: row.try_get("notes")?,
        activated_by: row.try_get("activated_by")?,
        activation_reason: row.try_get("activation_reason")?,
        activated_ts: row.try_get("activated_ts")?,
        archived_ts: row.try_get("archived_ts")?,
        version: row.try_get("version")?,
        created_ts: row.try_get("created_ts")?,
    })
}

/// Returns millionths of equity as a share of it.
pub(super) fn weight(millionths: i64) -> Number {
    Decimal::new(millionths, WEIGHT_PLACES).into()
}
