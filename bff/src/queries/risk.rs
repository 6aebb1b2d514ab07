//! Risk: the newest report, and what the gate refused.

use tokio_postgres::Row;
use tokio_postgres::types::Json;
use turnstile_connectors::postgres::Postgres;

use crate::api::risk::{RiskReport, RiskViolation};
use crate::cursor::NumberCursor;
use crate::envelope::Listed;
use crate::extract::Page;
use crate::queries::{QueryError, listed};

/// Returns the newest report, none where there is none yet.
pub(crate) async fn report(db: &Postgres) -> Result<Option<RiskReport>, QueryError> {
    let newest = "SELECT * FROM system.risk_reports ORDER BY ts DESC, id DESC LIMIT 1";
    let row = db.client().await?.query_opt(newest, &[]).await?;
    Ok(row.as_ref().map(read_report).transpose()?)
}

/// Returns a page of refusals, newest first.
pub(crate) async fn violations(
    db: &Postgres,
    page: Page<NumberCursor>,
) -> Result<Listed<RiskViolation, NumberCursor>, QueryError> {
    let client = db.client().await?;
    let rows = client
        .query(
            "SELECT v.*, c.qty, c.price, c.results
             FROM system.risk_violations v JOIN system.risk_checks c ON c.id = v.check_id
             WHERE v.id < $1 ORDER BY v.id DESC LIMIT $2",
            &[&page.below.0, &(page.limit + 1)],
        )
        .await?;
    listed(
        &rows,
        &page,
        |row| Ok(NumberCursor(row.try_get("id")?)),
        |row| {
            Ok(RiskViolation {
                id: row.try_get("id")?,
                ts: row.try_get("ts")?,
                action_key: row.try_get("action_key")?,
                symbol: row.try_get("symbol")?,
                intent_type: row.try_get("intent_type")?,
                qty: row.try_get("qty")?,
                price: row.try_get("price")?,
                check_type: row.try_get("check_type")?,
                current_value: row.try_get("current_value")?,
                limit_value: row.try_get("limit_value")?,
                message: row.try_get("message")?,
                results: row.try_get::<_, Json<_>>("results")?.0,
            })
        },
    )
}

fn read_report(row: &Row) -> Result<RiskReport, tokio_postgres::Error> {
    Ok(RiskReport {
        ts: row.try_get("ts")?,
        level: row.try_get("level")?,
        unknown: row.try_get("unknown")?,
        profile: row.try_get("profile")?,
        is_stopped: row.try_get("is_stopped")?,
        positions: row.try_get("positions")?,
        equity: row.try_get("equity")?,
        largest_symbol: row.try_get("largest_symbol")?,
        largest_weight: row.try_get("largest_weight")?,
        sector_weights: row.try_get::<_, Json<_>>("sector_weights")?.0,
        market_weights: row.try_get::<_, Json<_>>("market_weights")?.0,
        day_result: row.try_get("day_result")?,
        month_result: row.try_get("month_result")?,
        day_result_pct: row.try_get("day_result_pct")?,
        month_result_pct: row.try_get("month_result_pct")?,
        highest_usage: row.try_get("highest_usage")?,
        usages: row.try_get::<_, Json<_>>("usages")?.0,
        daily_buffer_pct: row.try_get("daily_buffer_pct")?,
        total_buffer_pct: row.try_get("total_buffer_pct")?,
        unrealized_result: row.try_get("unrealized_result")?,
        total_result: row.try_get("total_result")?,
        total_result_pct: row.try_get("total_result_pct")?,
    })
}
