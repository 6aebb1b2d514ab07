//! Rows of the store as changes of the engine.
//!
//! The change feed and the load at start both give whole rows as JSON; one reading of them serves
//! both. Orders are the exception to "a row is a change": their state is a reduction of the facts
//! in `trade.order_events`, which is kept here for every order of a position that is not closed.
//!
//! A row that cannot be read changes nothing: what stood before stays in force, and the fault is
//! reported with table, key and reason.

mod averages;
mod control;
mod early;
mod fields;
mod invariants;
mod live;
mod load;
mod orders;
mod read;
mod reentry;
mod requests;
mod risk;

use serde_json::Value;
use turnstile_dataflows::engine::Change;
use turnstile_dataflows::invariants::InvariantChange;
use turnstile_dataflows::risk::RiskChange;

pub use averages::AverageMove;
pub(crate) use early::is_early;
pub(crate) use fields::Fields;
pub use fields::RowFault;
pub use live::LivePosition;
pub use load::{Loaded, Portion, PortionSource, load};
pub(crate) use reentry::rule_of_row as reentry_rule;

use averages::Averages;
use control::Control;
use early::EarlyRules;
use orders::Orders;

/// Reads rows and remembers what is needed to read the next ones.
#[derive(Debug, Default)]
pub struct RowReader {
    orders: Orders,
    early: EarlyRules,
    control: Control,
    averages: Averages,
}

/// What a set of rows says.
#[derive(Debug, Default)]
pub struct ReadRows {
    /// Changes, at most one per key.
    pub changes: Vec<Change>,
    /// What the risk desk takes in, in order.
    pub risk: Vec<RiskChange>,
    /// What the standing invariants take in, in order.
    pub invariants: Vec<InvariantChange>,
    /// Average costs that jumped.
    pub averages: Vec<AverageMove>,
    /// Rows that could not be read.
    pub faults: Vec<RowFault>,
}

impl RowReader {
    /// Reads the rows that one transaction changed, in the order of the changes. `today` is the
    /// date in Seoul, as `YYYY-MM-DD`; rules of a later date are not in force yet.
    pub fn read<'r>(
        &mut self,
        rows: impl IntoIterator<Item = (&'r str, bool, &'r Value)>,
        today: &str,
    ) -> ReadRows {
        let mut read = ReadRows::default();
        for (table, is_deleted, row) in rows {
            match self.read_row(table, is_deleted, row, today, &mut read) {
                Ok(()) => read.note_invariants(table, row),
                Err(fault) => read.faults.push(fault.in_table(table)),
            }
            read.note_risk(table, is_deleted, row);
        }
        read.changes.extend(self.orders.take_changed());
        keep_last_per_key(&mut read.changes);
        read.share();
        read
    }

    /// Returns the rows of rules that were too early before `today` and are in force on it, to be
    /// read again; each once.
    pub fn due_rules(&mut self, today: &str) -> Vec<Value> {
        self.early.take_due(today)
    }

    fn read_row(
        &mut self,
        table: &str,
        is_deleted: bool,
        row: &Value,
        today: &str,
        read: &mut ReadRows,
    ) -> Result<(), RowFault> {
        let changes = &mut read.changes;
        match table {
            "trade.positions" => {
                let position = read::position(row)?;
                if !position.is_live {
                    self.orders.forget(&position.id);
                }
                read.averages.extend(self.averages.note(&position));
                changes.push(Change::Position(position));
            }
            "trade.position_state" => changes.push(read::position_state(row)?),
            "trade.exit_rules" => {
                self.early.note(row, is_deleted, today);
                changes.push(read::exit_rule(row, is_deleted, today)?);
            }
            "market.symbol_context" => changes.push(read::context(row, is_deleted)?),
            "trade.manual_exits" => changes.push(requests::manual_exit(row, is_deleted)?),
            "trade.rule_previews" => changes.push(requests::preview(row, is_deleted)?),
            "trade.exit_control" => changes.push(self.control.set_exits(row)?),
            "trade.exit_pauses" => changes.extend(self.control.set_pause(row, is_deleted)?),
            "trade.reentry_control" => changes.push(self.control.set_reentries(row)?),
            "trade.orders" => changes.extend(self.orders.add_order(row)?),
            "trade.order_events" => self.orders.add_event(row)?,
            "trade.exit_events" => changes.push(reentry::exit_event(row)?),
            "trade.sale_results" => changes.push(Change::Sale(risk::sale(row)?)),
            "trade.reentry_rules" => changes.push(reentry::rule(row, is_deleted)?),
            "trade.reentry_candidates" => changes.push(reentry::candidate(row)?),
            "trade.reentry_blacklist" => changes.push(reentry::blacklisted(row, is_deleted)?),
            "strategy.ranked" => changes.push(reentry::ranked(row, is_deleted)?),
            "trade.reentry_windows" => changes.push(reentry::window(row, is_deleted)?),
            "trade.reentry_limits" => changes.push(reentry::limits(row, is_deleted)?),
            "system.risk_limits" => changes.push(risk::limits(row, is_deleted)?),
            "system.risk_profile" => changes.push(risk::profile(row, is_deleted)?),
            "trade.account_equity" => changes.push(reentry::equity(row, is_deleted)?),
            "trade.reentry_expiries" => changes.push(reentry::expiry(row)?),
            "market.regime_snapshots" => changes.push(reentry::regime(row)?),
            "market.regime_override" => changes.push(reentry::regime_override(row, is_deleted)?),
            _ => {}
        }
        Ok(())
    }
}

impl ReadRows {
    /// Reads what a row says to the risk desk alone.
    fn note_risk(&mut self, table: &str, is_deleted: bool, row: &Value) {
        match risk::read(table, row, is_deleted) {
            Ok(change) => self.risk.extend(change),
            Err(fault) => self.faults.push(fault.in_table(table)),
        }
    }

    /// Reads what a row says to the standing invariants, and the engine does not take in so.
    fn note_invariants(&mut self, table: &str, row: &Value) {
        match invariants::read(table, row) {
            Ok(change) => self.invariants.extend(change),
            Err(fault) => self.faults.push(fault.in_table(table)),
        }
    }

    /// Tells risk desk and invariants what the engine is told and they ask for, too.
    fn share(&mut self) {
        let shared = self.changes.iter().filter_map(risk::of_change);
        self.risk.extend(shared);
        let shared = self.changes.iter().filter_map(invariants::of_change);
        self.invariants.extend(shared);
    }
}

/// Several changes of one row in one transaction are one change: the last.
fn keep_last_per_key(changes: &mut Vec<Change>) {
    let mut seen = std::collections::BTreeSet::new();
    let mut kept: Vec<Change> = Vec::with_capacity(changes.len());
    for change in changes.drain(..).rev() {
        if seen.insert(key(&change)) {
            kept.push(change);
        }
    }
    kept.reverse();
    *changes = kept;
}

fn key(change: &Change) -> (u8, String) {
    match change {
        Change::Position(row) => (0, row.id.to_string()),
        Change::PositionState(id, _) => (1, id.to_string()),
        Change::ExitRule(id, _) => (2, id.to_string()),
        Change::Context(symbol, _) => (3, symbol.to_string()),
        Change::ExitMode(_) => (4, String::new()),
        Change::ExitOrder(row) => (5, row.action_key.to_string()),
        Change::ExitEvent(row) => (6, row.id.to_string()),
        Change::Candidate(id, _) => (7, id.to_string()),
        Change::ReentryRule(id, _) => (8, id.to_string()),
        Change::Purchase(key, _) => (9, key.to_string()),
        Change::ReentryMode(_) => (10, String::new()),
        Change::ManualSale(id, _) => (11, id.to_string()),
        Change::Preview(id, _) => (12, id.to_string()),
        Change::Expiry(id, _) => (13, id.to_string()),
        Change::Blacklist(symbol, _) => (14, symbol.to_string()),
        Change::PauseWindow(id, _) => (15, id.to_string()),
        Change::ReentryLimits(_) => (16, String::new()),
        Change::Regime(row) => (17, row.asof.micros().to_string()),
        Change::RegimeOverride(_) => (18, String::new()),
        Change::Underway(key, _) => (19, key.to_string()),
        Change::Equity(_) => (20, String::new()),
        Change::Ranked(symbol, _) => (21, symbol.to_string()),
        Change::Sale(row) => (24, row.id.to_string()),
        Change::RiskLimits(id, _) => (25, id.to_string()),
        Change::RiskProfile(_) => (26, String::new()),
        // Told by the process itself, never read from a row.
        Change::Wish(symbol, _) => (22, symbol.to_string()),
        Change::Slots(_) => (23, String::new()),
    }
}

#[cfg(test)]
mod tests;
