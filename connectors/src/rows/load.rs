//! The rows that stand at start.

use serde_json::Value;
use tokio_postgres::{Error, GenericClient};

/// Rows of the followed tables, each with its table.
pub type Loaded = Vec<(&'static str, Value)>;

/// Tables whose changes the engine follows.
const FOLLOWED_TABLES: [&str; 13] = [
    "market.symbol_context",
    "trade.exit_control",
    "trade.reentry_control",
    "trade.exit_rules",
    "trade.reentry_rules",
    "trade.positions",
    "trade.position_state",
    "trade.orders",
    "trade.order_events",
    "trade.exit_events",
    "trade.reentry_candidates",
    "trade.manual_exits",
    "trade.rule_previews",
];

/// What of a table is loaded: everything live, and what live rows depend on.
fn condition(table: &str) -> &'static str {
    match table {
        "trade.exit_rules" | "trade.reentry_rules" => "r.is_active",
        "trade.positions" => "r.status <> 'CLOSED'",
        "trade.position_state" => {
            "r.position_id IN (SELECT position_id FROM trade.positions WHERE status <> 'CLOSED')"
        }
        // Orders of live positions, and purchases of the last week, which count against limits.
        "trade.orders" => {
            "r.position_id IN (SELECT position_id FROM trade.positions WHERE status <> 'CLOSED')
             OR (r.side = 'BUY' AND r.created_ts > now() - interval '8 days')"
        }
        "trade.order_events" => {
            "r.order_id IN (SELECT o.order_id FROM trade.orders o
             JOIN trade.positions p USING (position_id) WHERE p.status <> 'CLOSED')"
        }
        "trade.exit_events" => {
            "NOT EXISTS (SELECT 1 FROM trade.reentry_candidates c
             WHERE c.exit_event_id = r.exit_event_id AND c.state IN ('ENTERED', 'EXPIRED', 'BLOCKED'))"
        }
        "trade.manual_exits" => "r.state = 'ASKED'",
        // Nobody waits any more for the answer to an older one.
        "trade.rule_previews" => {
            "r.answered_us IS NULL AND r.created_ts > now() - interval '1 minute'"
        }
        "trade.reentry_candidates" => "r.state NOT IN ('ENTERED', 'EXPIRED', 'BLOCKED')",
        _ => "true",
    }
}

/// Returns the row of a table as the change feed gives it. The high-water mark of a position is
/// recomputed from its ticks, since the engine that knew it is gone.
fn row(table: &str) -> &'static str {
    match table {
        "trade.position_state" => {
            "to_jsonb(r) || (SELECT jsonb_build_object('hwm_price', m.mark, 'hwm_us', m.mark_us)
                FROM trade.high_water_marks m WHERE m.position_id = r.position_id)"
        }
        _ => "to_jsonb(r) - 'explanation' - 'raw'",
    }
}

/// Loads the rows of every followed table in the transaction of `client`, as the change feed would
/// give them.
///
/// # Errors
/// If a query fails.
pub async fn load(client: &impl GenericClient) -> Result<Loaded, Error> {
    let mut rows = Vec::new();
    for table in FOLLOWED_TABLES {
        let (row, condition) = (row(table), condition(table));
        let query = format!("SELECT {row} FROM {table} r WHERE {condition}");
        for row in client.query(&query, &[]).await? {
            rows.push((table, row.try_get(0)?));
        }
    }
    Ok(rows)
}
