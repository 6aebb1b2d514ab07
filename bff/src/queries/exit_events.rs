//! Exit events: positions that were closed.

use tokio_postgres::Row;
use turnstile_connectors::postgres::Postgres;
use uuid::Uuid;

use crate::api::exit_events::ExitEvent;
use crate::cursor::TimeCursor;
use crate::envelope::Listed;
use crate::extract::Page;
use crate::queries::{QueryError, listed, time_key};

/// Returns a page of exit events, of one position or of all, last exit first.
pub(crate) async fn list(
    db: &Postgres,
    position: Option<Uuid>,
    page: Page<TimeCursor>,
) -> Result<Listed<ExitEvent, TimeCursor>, QueryError> {
    let client = db.client().await?;
    let rows = client
        .query(
            "SELECT e.*, stock.name
             FROM trade.exit_events AS e LEFT JOIN market.stocks AS stock USING (symbol)
             WHERE (e.exit_ts, e.exit_event_id) < ($1, $2)
                 AND ($4::uuid IS NULL OR e.position_id = $4)
             ORDER BY e.exit_ts DESC, e.exit_event_id DESC LIMIT $3",
            &[&page.below.ts, &page.below.id, &(page.limit + 1), &position],
        )
        .await?;
    let key = time_key("exit_ts", "exit_event_id");
    listed(&rows, &page, key, exit_event)
}

/// Returns the exit events `ids`, as [`list`] does.
pub(crate) async fn of(db: &Postgres, ids: &[Uuid]) -> Result<Vec<ExitEvent>, QueryError> {
    let client = db.client().await?;
    let statement = client
        .prepare_cached(
            "SELECT e.*, stock.name
             FROM trade.exit_events AS e LEFT JOIN market.stocks AS stock USING (symbol)
             WHERE e.exit_event_id = ANY($1) ORDER BY e.exit_ts DESC, e.exit_event_id DESC",
        )
        .await?;
    let rows = client.query(&statement, &[&ids]).await?;
    Ok(rows.iter().map(exit_event).collect::<Result<_, _>>()?)
}

fn exit_event(row: &Row) -> Result<ExitEvent, tokio_postgres::Error> {
    Ok(ExitEvent {
        exit_event_id: row.try_get("exit_event_id")?,
        position_id: row.try_get("position_id")?,
        symbol: row.try_get("symbol")?,
        name: row.try_get("name")?,
        exit_ts: row.try_get("exit_ts")?,
        exit_qty: row.try_get("exit_qty")?,
        exit_avg_price: row.try_get("exit_avg_price")?,
        exit_reason_code: row.try_get("exit_reason_code")?,
        source: row.try_get("source")?,
        realized_pnl: row.try_get("realized_pnl")?,
        realized_pnl_pct: row.try_get("realized_pnl_pct")?,
    })
}
