//! Positions with their phase, floor and high-water mark.

use tokio_postgres::Row;
use turnstile_connectors::postgres::Postgres;
use uuid::Uuid;

use crate::api::positions::{Position, PositionView};
use crate::cursor::TimeCursor;
use crate::envelope::Listed;
use crate::extract::Page;
use crate::queries::{QueryError, listed, time_key};

/// Which positions are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Which {
    /// Those that are open or being closed.
    Live,
    /// Those that are closed.
    Closed,
    /// All.
    All,
}

impl Which {
    fn statuses(self) -> &'static [&'static str] {
        match self {
            Self::Live => &["OPEN", "CLOSING"],
            Self::Closed => &["CLOSED"],
            Self::All => &["OPEN", "CLOSING", "CLOSED"],
        }
    }
}

/// Returns a page of positions, latest entry first, each with the newest price of its symbol.
pub(crate) async fn list(
    db: &Postgres,
    which: Which,
    page: Page<TimeCursor>,
) -> Result<Listed<PositionView, TimeCursor>, QueryError> {
    let client = db.client().await?;
    let chosen = "WHERE status = ANY($1) AND (entry_ts, position_id) < ($2, $3)
        ORDER BY entry_ts DESC, position_id DESC LIMIT $4";
    let statement = client.prepare_cached(&views(chosen)).await?;
    let rows = client
        .query(
            &statement,
            &[
                &which.statuses(),
                &page.below.ts,
                &page.below.id,
                &(page.limit + 1),
            ],
        )
        .await?;
    let key = time_key("entry_ts", "position_id");
    listed(&rows, &page, key, view)
}

/// Returns those of the positions `ids` that are live, as [`list`] does.
pub(crate) async fn live_of(db: &Postgres, ids: &[Uuid]) -> Result<Vec<PositionView>, QueryError> {
    let client = db.client().await?;
    let chosen = views("WHERE position_id = ANY($1) AND status = ANY($2)");
    let statement = client.prepare_cached(&chosen).await?;
    let rows = client
        .query(&statement, &[&ids, &Which::Live.statuses()])
        .await?;
    Ok(rows.iter().map(view).collect::<Result<_, _>>()?)
}

/// Returns the statement of the positions `chosen`, with their prices, latest entry first.
fn views(chosen: &str) -> String {
    format!(
        "SELECT p.*, stock.name, state.phase, state.stop_floor_price, state.hwm_price,
                price.last_price, price.bid, price.ts AS price_ts
         FROM (SELECT * FROM trade.positions {chosen}) AS p
         JOIN market.stocks AS stock USING (symbol)
         JOIN trade.position_state AS state USING (position_id)
         LEFT JOIN LATERAL (
             SELECT last_price, bid, ts FROM market.prices
             WHERE symbol = p.symbol ORDER BY logical_us DESC LIMIT 1
         ) AS price ON true
         ORDER BY p.entry_ts DESC, p.position_id DESC"
    )
}

/// Returns the position `id`.
pub(crate) async fn one(db: &Postgres, id: Uuid) -> Result<Option<Position>, QueryError> {
    let client = db.client().await?;
    let row = client
        .query_opt(
            "SELECT p.*, stock.name, state.phase, state.stop_floor_price, state.hwm_price
             FROM trade.positions AS p
             JOIN market.stocks AS stock USING (symbol)
             JOIN trade.position_state AS state USING (position_id)
             WHERE position_id = $1",
            &[&id],
        )
        .await?;
    Ok(row.as_ref().map(position).transpose()?)
}

fn view(row: &Row) -> Result<PositionView, tokio_postgres::Error> {
    Ok(PositionView {
        position: position(row)?,
        last_price: row.try_get("last_price")?,
        bid: row.try_get("bid")?,
        price_ts: row.try_get("price_ts")?,
    })
}

fn position(row: &Row) -> Result<Position, tokio_postgres::Error> {
    Ok(Position {
        position_id: row.try_get("position_id")?,
        symbol: row.try_get("symbol")?,
        name: row.try_get("name")?,
        qty: row.try_get("qty")?,
        original_qty: row.try_get("original_qty")?,
        avg_price: row.try_get("avg_price")?,
        status: row.try_get("status")?,
        phase: row.try_get("phase")?,
        stop_floor: row.try_get("stop_floor_price")?,
        hwm: row.try_get("hwm_price")?,
        strategy_id: row.try_get("strategy_id")?,
        exit_mode: row.try_get("exit_mode")?,
        exit_profile_id: row.try_get("exit_profile_id")?,
        cycle: row.try_get("cycle")?,
        version: row.try_get("version")?,
        entry_ts: row.try_get("entry_ts")?,
        closed_ts: row.try_get("closed_ts")?,
        updated_ts: row.try_get("updated_ts")?,
    })
}
