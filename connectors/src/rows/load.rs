//! The rows that stand at start.

use serde_json::Value;
use tokio_postgres::{Error, GenericClient};

/// Tables whose changes the engine follows.
pub const FOLLOWED_TABLES: [&str; 10] = [
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
        "trade.reentry_candidates" => "r.state NOT IN ('ENTERED', 'EXPIRED', 'BLOCKED')",
        _ => "true",
    }
}

/// Loads the rows of every followed table in the transaction of `client`, as the change feed would
/// give them.
///
/// # Errors
/// If a query fails.
pub async fn load(client: &impl GenericClient) -> Result<Vec<(&'static str, Value)>, Error> {
    let mut rows = Vec::new();
    for table in FOLLOWED_TABLES {
        let query = format!(
            "SELECT to_jsonb(r) - 'explanation' - 'raw' FROM {table} r WHERE {}",
            condition(table)
        );
        for row in client.query(&query, &[]).await? {
            rows.push((table, row.try_get(0)?));
        }
    }
    Ok(rows)
}
