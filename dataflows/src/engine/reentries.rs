//! The inputs of re-entries.

use std::collections::BTreeMap;
use std::sync::Arc;

use timely::dataflow::Scope;

use super::event::Change;
use crate::exit::SymbolContext;
use crate::model::{
    ExitEventId, LogicalTime, PositionId, PositionRow, RegimeSnapshot, SaleId, Symbol,
};
use crate::reentry::{
    CandidateState, EQUITY_AGE_US_MAX, Equity, ExitEvent, Purchase, REGIME_AGE_US_MAX,
    ReentryInputs, ReentryRule, SceneFact, SceneKey, StoredCandidate, Underway, reason_class,
};
use crate::table::{Clocked, Table};
use crate::{Rows, Time};

/// Days for which purchases count (domain 5.2: per day and per week). Losses count for less, and
/// who has ended need not be remembered for longer.
const HISTORY_DAYS: u64 = 7;

/// The collections that only re-entries are made from.
pub(super) struct Reentries {
    exit_events: Table<ExitEventId, ExitEvent>,
    candidates: Table<ExitEventId, StoredCandidate>,
    expiries: Table<ExitEventId, Arc<str>>,
    rules: Table<Arc<str>, ReentryRule>,
    purchases: Table<Arc<str>, Purchase>,
    underway: Table<Arc<str>, Underway>,
    losses: Table<ExitEventId, (Symbol, LogicalTime)>,
    results: Table<SaleId, (u64, i64)>,
    blacklist: Table<Symbol, LogicalTime>,
    ranked: Table<Symbol, u64>,
    scene: Table<SceneKey, SceneFact>,
    /// Exit events of the last days whose candidates are over, and the day of the exit: one that is
    /// told again makes no other candidate.
    ended: BTreeMap<ExitEventId, u64>,
}

impl Reentries {
    /// Returns the inputs and their collections, with those that exits have as well.
    pub(super) fn new<'s>(
        scope: Scope<'s, Time>,
        positions: Rows<'s, (PositionId, Arc<PositionRow>)>,
        contexts: Rows<'s, (Symbol, SymbolContext)>,
    ) -> (Self, ReentryInputs<'s>) {
        let (exit_events, event_rows) = Table::new(scope);
        let (candidates, candidate_rows) = Table::new(scope);
        let (expiries, expiry_rows) = Table::new(scope);
        let (rules, rule_rows) = Table::<Arc<str>, ReentryRule>::new(scope);
        let (purchases, purchase_rows) = Table::new(scope);
        let (underway, underway_rows) = Table::new(scope);
        let (losses, loss_rows) = Table::new(scope);
        let (results, result_rows) = Table::new(scope);
        let (blacklist, blacklist_rows) = Table::new(scope);
        let (ranked, ranked_rows) = Table::new(scope);
        let (scene, scene_rows) = Table::new(scope);
        let inputs = Self {
            exit_events,
            candidates,
            expiries,
            rules,
            purchases,
            underway,
            losses,
            results,
            blacklist,
            ranked,
            scene,
            ended: BTreeMap::new(),
        };
        let rows = ReentryInputs {
            exit_events: event_rows,
            candidates: candidate_rows,
            expiries: expiry_rows,
            rules: rule_rows.map(|(_id, rule)| rule),
            purchases: purchase_rows,
            underway: underway_rows,
            losses: loss_rows,
            blacklist: blacklist_rows,
            ranked: ranked_rows,
            positions,
            contexts,
            scene: scene_rows,
            results: result_rows,
        };
        (inputs, rows)
    }

    /// Takes in a row that only re-entries depend on.
    pub(super) fn change(&mut self, change: Change, now: LogicalTime) {
        match change {
            Change::ExitEvent(event) => self.put_event(event),
            Change::Sale(sale) => {
                let result = (sale.sold.seoul_day(), sale.units);
                self.results.put(sale.id, Some(result));
            }
            Change::Candidate(id, stored) if stored.state == CandidateState::Over => {
                let exit = self.exit_events.rows.get(&id).map(|event| event.exit);
                if let Some(exit) = exit {
                    self.ended.insert(id.clone(), exit.seoul_day());
                }
                self.forget(id);
            }
            Change::Candidate(id, stored) => self.candidates.put(id, Some(stored)),
            Change::Expiry(id, by) if !self.ended.contains_key(&id) => {
                self.expiries.put(id, Some(by));
            }
            Change::ReentryRule(id, row) => self.rules.put(id, row),
            Change::Purchase(key, row) => self.purchases.put(key, Some(row)),
            Change::Underway(key, row) => self.underway.put(key, row),
            Change::Blacklist(symbol, until) => self.blacklist.put(symbol, until),
            Change::Ranked(symbol, as_of) => self.ranked.put(symbol, as_of),
            Change::ReentryMode(mode) => {
                self.scene.put(SceneKey::Mode, Some(SceneFact::Mode(mode)));
            }
            Change::PauseWindow(id, row) => {
                let row = row.map(|row| SceneFact::Window(id.clone(), row));
                self.scene.put(SceneKey::Window(id), row);
            }
            Change::ReentryLimits(row) => {
                self.scene.put(SceneKey::Limits, row.map(SceneFact::Limits));
            }
            Change::RiskLimits(id, row) => {
                let row = row.map(SceneFact::RiskLimits);
                self.scene.put(SceneKey::RiskLimits(id), row);
            }
            Change::RiskProfile(profile) => {
                let profile = profile.map(SceneFact::RiskProfile);
                self.scene.put(SceneKey::RiskProfile, profile);
            }
            Change::Equity(None) => self.scene.put(SceneKey::Equity, None),
            Change::Equity(Some(row)) => self.put_equity(row, now),
            Change::Regime(row) => self.put_regime(row, now),
            Change::RegimeOverride(row) => {
                self.scene
                    .put(SceneKey::Override, row.map(SceneFact::Override));
            }
            Change::Expiry(..)
            | Change::Position(_)
            | Change::PositionState(..)
            | Change::ExitRule(..)
            | Change::Context(..)
            | Change::ExitMode(_)
            | Change::ExitOrder(_)
            | Change::ManualSale(..)
            | Change::Preview(..)
            | Change::Wish(..)
            | Change::Slots(_) => {}
        }
    }

    /// Takes in what the account is worth, unless it is known as of later.
    fn put_equity(&mut self, row: Equity, now: LogicalTime) {
        let last = match self.scene.rows.get(&SceneKey::Equity) {
            Some(SceneFact::Equity(last)) => Some(last.asof),
            _ => None,
        };
        // One of the future would keep every later one out.
        let is_possible = row.asof <= now.plus_micros(EQUITY_AGE_US_MAX);
        if is_possible && last.is_none_or(|last| last <= row.asof) {
            self.scene
                .put(SceneKey::Equity, Some(SceneFact::Equity(row)));
        }
    }

    /// Takes in a snapshot of the regime, unless there is a later one.
    fn put_regime(&mut self, row: RegimeSnapshot, now: LogicalTime) {
        let last = match self.scene.rows.get(&SceneKey::Snapshot) {
            Some(SceneFact::Snapshot(last)) => Some(last.asof),
            _ => None,
        };
        // One of the future would keep every later one out.
        let is_possible = row.asof <= now.plus_micros(REGIME_AGE_US_MAX);
        if is_possible && last.is_none_or(|last| last <= row.asof) {
            self.scene
                .put(SceneKey::Snapshot, Some(SceneFact::Snapshot(row)));
        }
    }

    fn put_event(&mut self, event: ExitEvent) {
        let id = event.id.clone();
        if reason_class(&event.reason) == Some("SL") {
            self.losses
                .put(id.clone(), Some((event.symbol, event.exit)));
        }
        if !self.ended.contains_key(&id) {
            self.exit_events.put(id, Some(event));
        }
    }

    fn forget(&mut self, id: ExitEventId) {
        self.exit_events.put(id.clone(), None);
        self.expiries.put(id.clone(), None);
        self.candidates.put(id, None);
    }

    /// Forgets what counts no more.
    pub(super) fn forget_old(&mut self, now: LogicalTime) {
        let is_old = |day: u64| day + HISTORY_DAYS < now.seoul_day();
        let old = old_keys(&self.purchases, |row| is_old(row.decided.seoul_day()));
        old.into_iter()
            .for_each(|key| self.purchases.put(key, None));
        let old = old_keys(&self.losses, |(_symbol, exit)| is_old(exit.seoul_day()));
        old.into_iter().for_each(|id| self.losses.put(id, None));
        let old = old_keys(&self.results, |(day, _won)| is_old(*day));
        old.into_iter().for_each(|id| self.results.put(id, None));
        self.ended.retain(|_id, day| !is_old(*day));
        // Those that bought and may not buy once more.
        let old = old_keys(&self.candidates, |row| {
            row.state == CandidateState::Entered && row.watch_until.is_none_or(|end| end < now)
        });
        old.into_iter().for_each(|id| self.forget(id));
    }

    pub(super) fn advance_to(&mut self, now: Time) {
        for table in self.tables() {
            table.advance_to(now);
        }
    }

    pub(super) fn flush(&mut self) {
        self.tables().into_iter().for_each(Clocked::flush);
    }

    fn tables(&mut self) -> [&mut dyn Clocked; 11] {
        [
            &mut self.exit_events,
            &mut self.candidates,
            &mut self.expiries,
            &mut self.rules,
            &mut self.purchases,
            &mut self.underway,
            &mut self.losses,
            &mut self.results,
            &mut self.blacklist,
            &mut self.ranked,
            &mut self.scene,
        ]
    }
}

fn old_keys<K: differential_dataflow::Data, V: differential_dataflow::Data>(
    table: &Table<K, V>,
    is_old: impl Fn(&V) -> bool,
) -> Vec<K> {
    let rows = table.rows.iter().filter(|(_key, row)| is_old(row));
    rows.map(|(key, _row)| key.clone()).collect()
}
