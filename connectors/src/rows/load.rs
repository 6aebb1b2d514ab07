//! The rows that stand at start.

use serde_json::{Value, json};
use tokio_postgres::{Error, GenericClient};

use super::live::{self, LivePosition};
use super::{ReadRows, RowFault, RowReader, invariants, risk};

/// Positions that go into the engine at one logical time, so that a load of any size stays small.
const PORTION: usize = 1_000;

/// What stands at start.
#[derive(Debug, Default)]
pub struct Loaded {
    /// Rows of the followed tables but the positions, each with its table, as the change feed would
    /// give them.
    pub rows: Vec<(&'static str, Value)>,
    /// Live positions with their states.
    pub positions: Vec<LivePosition>,
    /// What only the risk desk asks for, each row with its table.
    risk: Vec<(&'static str, Value)>,
    /// What only the standing invariants ask for, each row with its table.
    invariants: Vec<(&'static str, Value)>,
    faults: Vec<RowFault>,
}

/// Part of what was loaded, to be entered at one logical time.
#[derive(Debug)]
pub struct Portion {
    /// What it says.
    pub read: ReadRows,
    /// What it was read from, for the journal.
    pub source: PortionSource,
}

/// What a portion was read from.
#[derive(Clone, Debug)]
pub enum PortionSource {
    /// Rows as the change feed gives them.
    Rows(Vec<(&'static str, Value)>),
    /// Positions with their states.
    Positions(Vec<LivePosition>),
}

impl Loaded {
    /// Returns the portions in the order in which they have to be entered: rules, controls and
    /// orders first, then the positions.
    pub fn portions(
        self,
        reader: &mut RowReader,
        today: &str,
    ) -> impl Iterator<Item = Portion> + use<> {
        let rows = self.rows.iter();
        let mut read = reader.read(rows.map(|(table, row)| (*table, false, row)), today);
        read.faults.extend(self.faults);
        for (table, row) in &self.risk {
            read.note_risk(table, false, row);
        }
        for (table, row) in &self.invariants {
            match invariants::read_loaded(table, row) {
                Ok(change) => read.invariants.extend(change),
                Err(fault) => read.faults.push(fault.in_table(table)),
            }
        }
        let first = Portion {
            read,
            source: PortionSource::Rows(self.rows),
        };
        for live in &self.positions {
            reader.averages.note(&live.position);
        }
        let mut positions = self.positions.into_iter();
        let rest = std::iter::from_fn(move || {
            let portion: Vec<_> = positions.by_ref().take(PORTION).collect();
            (!portion.is_empty()).then(|| {
                let mut read = ReadRows {
                    changes: portion.iter().flat_map(LivePosition::changes).collect(),
                    ..ReadRows::default()
                };
                read.share();
                let source = PortionSource::Positions(portion);
                Portion { read, source }
            })
        });
        std::iter::once(first).chain(rest)
    }
}

impl PortionSource {
    /// Returns the rows as the journal stores them.
    pub fn to_json(&self) -> Value {
        let of = |table: &str, row: Value| json!({"table": table, "row": row});
        match self {
            Self::Rows(rows) => rows
                .iter()
                .map(|(table, row)| of(table, row.clone()))
                .collect(),
            Self::Positions(positions) => positions
                .iter()
                .flat_map(|live| {
                    [
                        of("trade.positions", live.position_row()),
                        of("trade.position_state", live.state_row()),
                    ]
                })
                .collect(),
        }
    }
}

/// Tables whose changes the engine follows, beside those of positions.
const FOLLOWED_TABLES: [&str; 23] = [
    "market.symbol_context",
    "trade.exit_control",
    "trade.exit_pauses",
    "trade.reentry_control",
    "trade.exit_rules",
    "trade.reentry_rules",
    "trade.orders",
    "trade.order_events",
    "trade.exit_events",
    "trade.sale_results",
    "trade.reentry_candidates",
    "trade.reentry_expiries",
    "trade.reentry_blacklist",
    "strategy.ranked",
    "trade.reentry_windows",
    "trade.reentry_limits",
    "trade.account_equity",
    "system.risk_limits",
    "system.risk_profile",
    "market.regime_snapshots",
    "market.regime_override",
    "trade.manual_exits",
    "trade.rule_previews",
];

/// What of a table is loaded: everything live, and what live rows depend on.
fn condition(table: &str) -> &'static str {
    match table {
        "trade.exit_rules" | "trade.reentry_rules" => "r.is_active",
        // Orders of live positions, and purchases of the last week, which count against limits.
        "trade.orders" => {
            "r.position_id IN (SELECT position_id FROM trade.positions WHERE status <> 'CLOSED')
             OR (r.side = 'BUY' AND r.created_ts > now() - interval '8 days')"
        }
        "trade.order_events" => {
            // One list: of two the server would read every event there ever was.
            "r.order_id IN (SELECT o.order_id FROM trade.orders o
             JOIN trade.positions p USING (position_id) WHERE p.status <> 'CLOSED'
             UNION SELECT order_id FROM trade.orders
             WHERE side = 'BUY' AND created_ts > now() - interval '8 days')"
        }
        // What was asked last counts, of whichever account.
        "trade.account_equity" => "r.asof_ts = (SELECT max(asof_ts) FROM trade.account_equity)",
        "trade.exit_events" => {
            "r.exit_ts > now() - interval '8 days'
             OR NOT EXISTS (SELECT 1 FROM trade.reentry_candidates c
             WHERE c.exit_event_id = r.exit_event_id AND c.state IN ('ENTERED', 'EXPIRED', 'BLOCKED'))"
        }
        // Losses of the day count for re-entries, those of the month in Seoul for risk.
        "trade.sale_results" => {
            "r.sold_ts > now() - interval '8 days' OR r.sold_ts >=
             date_trunc('month', now() AT TIME ZONE 'Asia/Seoul') AT TIME ZONE 'Asia/Seoul'"
        }
        // What a rebalance of an earlier day asked for, and nobody decided by its close, is over.
        "trade.manual_exits" => {
            "r.state = 'ASKED' AND NOT (
                (r.created_ts AT TIME ZONE 'Asia/Seoul')::date < (now() AT TIME ZONE 'Asia/Seoul')::date
                AND EXISTS (SELECT 1 FROM strategy.rebalance_lines l WHERE l.request_id = r.request_id))"
        }
        // Nobody waits any more for the answer to an older one.
        "trade.rule_previews" => {
            "r.answered_us IS NULL AND r.created_ts > now() - interval '1 minute'"
        }
        // Candidates of all exit events above: what is over begins no other one.
        "trade.reentry_candidates" => {
            "r.exit_ts > now() - interval '8 days'
             OR r.state NOT IN ('ENTERED', 'EXPIRED', 'BLOCKED')"
        }
        "trade.reentry_expiries" => {
            "EXISTS (SELECT 1 FROM trade.reentry_candidates c WHERE c.candidate_id = r.candidate_id
             AND (c.state NOT IN ('ENTERED', 'EXPIRED', 'BLOCKED')
                 OR c.state = 'ENTERED' AND c.exit_ts > now() - interval '8 days'))"
        }
        "market.regime_snapshots" => {
            "r.id = (SELECT id FROM market.regime_snapshots
             WHERE asof_ts <= now() + interval '5 minutes' ORDER BY asof_ts DESC, id DESC LIMIT 1)"
        }
        _ => "true",
    }
}

/// Loads what stands in the transaction of `client`.
///
/// # Errors
/// If a query fails.
pub async fn load(client: &impl GenericClient) -> Result<Loaded, Error> {
    let mut loaded = Loaded::default();
    for table in FOLLOWED_TABLES {
        let condition = condition(table);
        let query =
            format!("SELECT to_jsonb(r) - 'explanation' - 'raw' FROM {table} r WHERE {condition}");
        for row in client.query(&query, &[]).await? {
            loaded.rows.push((table, row.try_get(0)?));
        }
    }
    for (table, query) in risk::QUERIES {
        for row in client.query(query, &[]).await? {
            loaded.risk.push((table, row.try_get(0)?));
        }
    }
    for (table, query) in invariants::QUERIES {
        for row in client.query(query, &[]).await? {
            loaded.invariants.push((table, row.try_get(0)?));
        }
    }
    live::load(client, &mut loaded.positions, &mut loaded.faults).await?;
    Ok(loaded)
}
