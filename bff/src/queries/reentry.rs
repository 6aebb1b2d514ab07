//! Re-entry: candidates and the history of their verdicts.

use tokio_postgres::Row;
use turnstile_connectors::postgres::Postgres;
use uuid::Uuid;

use crate::api::reentry::{Candidate, Verdict};
use crate::cursor::{NumberCursor, TimeCursor};
use crate::envelope::Listed;
use crate::extract::Page;
use crate::queries::{QueryError, listed, time_key};

/// Returns a page of verdicts, last stored first.
pub(crate) async fn history(
    db: &Postgres,
    page: Page<NumberCursor>,
) -> Result<Listed<Verdict, NumberCursor>, QueryError> {
    let client = db.client().await?;
    let rows = client
        .query(
            "SELECT h.*, stock.name
             FROM trade.reentry_history AS h LEFT JOIN market.stocks AS stock USING (symbol)
             WHERE h.id < $1 ORDER BY h.id DESC LIMIT $2",
            &[&page.below.0, &(page.limit + 1)],
        )
        .await?;
    listed(
        &rows,
        &page,
        |row| Ok(NumberCursor(row.try_get("id")?)),
        verdict,
    )
}

/// Returns a page of candidates, last exit first.
pub(crate) async fn candidates(
    db: &Postgres,
    page: Page<TimeCursor>,
) -> Result<Listed<Candidate, TimeCursor>, QueryError> {
    let client = db.client().await?;
    let rows = client
        .query(
            "SELECT c.*, stock.name
             FROM trade.reentry_candidates AS c LEFT JOIN market.stocks AS stock USING (symbol)
             WHERE (c.exit_ts, c.candidate_id) < ($1, $2)
             ORDER BY c.exit_ts DESC, c.candidate_id DESC LIMIT $3",
            &[&page.below.ts, &page.below.id, &(page.limit + 1)],
        )
        .await?;
    let key = time_key("exit_ts", "candidate_id");
    listed(&rows, &page, key, candidate)
}

/// Returns the candidates `ids`, as [`candidates`] does.
pub(crate) async fn candidates_of(
    db: &Postgres,
    ids: &[Uuid],
) -> Result<Vec<Candidate>, QueryError> {
    let client = db.client().await?;
    let statement = client
        .prepare_cached(
            "SELECT c.*, stock.name
             FROM trade.reentry_candidates AS c LEFT JOIN market.stocks AS stock USING (symbol)
             WHERE c.candidate_id = ANY($1) ORDER BY c.exit_ts DESC, c.candidate_id DESC",
        )
        .await?;
    let rows = client.query(&statement, &[&ids]).await?;
    Ok(rows.iter().map(candidate).collect::<Result<_, _>>()?)
}

fn verdict(row: &Row) -> Result<Verdict, tokio_postgres::Error> {
    Ok(Verdict {
        id: row.try_get("id")?,
        candidate_id: row.try_get("candidate_id")?,
        exit_event_id: row.try_get("exit_event_id")?,
        symbol: row.try_get("symbol")?,
        name: row.try_get("name")?,
        ts: row.try_get("ts")?,
        status: row.try_get("status")?,
        gate: row.try_get("gate")?,
        reason: row.try_get("reason")?,
        price: row.try_get("price")?,
        order_id: row.try_get("order_id")?,
        rule_id: row.try_get("rule_id")?,
    })
}

fn candidate(row: &Row) -> Result<Candidate, tokio_postgres::Error> {
    Ok(Candidate {
        candidate_id: row.try_get("candidate_id")?,
        exit_event_id: row.try_get("exit_event_id")?,
        origin_position_id: row.try_get("origin_position_id")?,
        symbol: row.try_get("symbol")?,
        name: row.try_get("name")?,
        exit_reason_code: row.try_get("exit_reason_code")?,
        exit_ts: row.try_get("exit_ts")?,
        exit_price: row.try_get("exit_price")?,
        original_qty: row.try_get("original_qty")?,
        prior_hwm: row.try_get("prior_hwm")?,
        cooldown_until: row.try_get("cooldown_until")?,
        state: row.try_get("state")?,
        rule_id: row.try_get("rule_id")?,
        blocked_gate: row.try_get("blocked_gate")?,
        blocked_reason: row.try_get("blocked_reason")?,
        updated_ts: row.try_get("updated_ts")?,
    })
}
