//! What the oracle was told, and what of it decides.

use std::collections::{BTreeMap, BTreeSet};

use turnstile_dataflows::engine::Change;
use turnstile_dataflows::model::{ReentryMode, Regime, Symbol};
use turnstile_dataflows::reentry::{
    CandidateState, PauseWindow, ReentryLimits, ReentryRule, StoredCandidate,
};

use super::{MINUTE, Oracle, Stage, class, seoul_day};

/// What a candidate was last judged from.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct View {
    stored: Option<StoredCandidate>,
    expiry: Option<String>,
    rules: Vec<Option<ReentryRule>>,
    bought: Vec<(u64, String)>,
    lost: Vec<(u64, String)>,
    blacklisted: Option<u64>,
    ranked: Option<u64>,
    held: bool,
    buying: bool,
    atr: Option<(i64, i64)>,
}

/// What all candidates were last judged under.
#[derive(PartialEq)]
pub(super) struct Scene {
    mode: Option<ReentryMode>,
    regime: (Regime, bool),
    windows: BTreeMap<String, PauseWindow>,
    limits: Option<ReentryLimits>,
}

impl Oracle {
    pub(super) fn put(&mut self, time: u64, change: &Change) {
        match change {
            Change::ExitEvent(event) => {
                let id = event.id.to_string();
                self.exits.insert(id.clone(), event.clone());
                if !self.ended.contains(&id) {
                    self.events.insert(id, event.clone());
                }
            }
            Change::Sale(sale) => drop(self.sales.insert(sale.id.to_string(), sale.clone())),
            Change::Candidate(id, row) if row.state == CandidateState::Over => {
                let key = self.events.get(id.as_str()).map(|event| event.symbol);
                let key = key.map(|symbol| (symbol, id.to_string()));
                let ready = key.and_then(|key| self.candidates.get(&key));
                if ready.is_some_and(|candidate| candidate.stage == Stage::Ready) {
                    self.tally.transition("READY -> BLOCKED (broker)");
                }
                self.ended.insert(id.to_string());
                self.drop_candidate(id.as_str());
            }
            Change::Candidate(id, row) => drop(self.stored.insert(id.to_string(), row.clone())),
            Change::Expiry(id, by) => {
                if !self.ended.contains(id.as_str()) {
                    self.expiries.insert(id.to_string(), by.to_string());
                }
            }
            Change::ReentryRule(id, Some(rule)) => {
                self.rules.insert(id.to_string(), rule.clone());
            }
            Change::ReentryRule(id, None) => drop(self.rules.remove(&**id)),
            Change::Purchase(key, row) => drop(self.bought.insert(key.to_string(), row.clone())),
            Change::Underway(key, Some(row)) => {
                self.underway.insert(key.to_string(), row.clone());
            }
            Change::Underway(key, None) => drop(self.underway.remove(&**key)),
            Change::Blacklist(symbol, Some(until)) => {
                self.blacklist.insert(*symbol, until.micros());
            }
            Change::Blacklist(symbol, None) => drop(self.blacklist.remove(symbol)),
            Change::Ranked(symbol, Some(day)) => drop(self.ranked.insert(*symbol, *day)),
            Change::Ranked(symbol, None) => drop(self.ranked.remove(symbol)),
            Change::ReentryMode(mode) => self.mode = Some(*mode),
            Change::PauseWindow(id, Some(window)) => {
                self.windows.insert(id.to_string(), *window);
            }
            Change::PauseWindow(id, None) => drop(self.windows.remove(&**id)),
            Change::ReentryLimits(row) => self.limits = row.clone(),
            Change::RiskLimits(id, Some(row)) => drop(self.risk_limits.insert(*id, row.clone())),
            Change::RiskLimits(id, None) => drop(self.risk_limits.remove(id)),
            Change::RiskProfile(profile) => self.risk_profile = *profile,
            Change::Equity(None) => self.equity = None,
            Change::Equity(Some(row)) => {
                let is_possible = row.asof.micros() <= time + 5 * MINUTE;
                if is_possible && self.equity.is_none_or(|last| last.asof <= row.asof) {
                    self.equity = Some(*row);
                }
            }
            Change::Regime(row) => {
                // Nobody knows the regime of more than five minutes hence.
                let is_possible = row.asof.micros() <= time + 5 * MINUTE;
                if is_possible && self.snapshot.is_none_or(|last| last.asof <= row.asof) {
                    self.snapshot = Some(*row);
                }
            }
            Change::RegimeOverride(row) => self.overriding = *row,
            Change::Context(symbol, context) => {
                match context.atr_pct_millionths.zip(context.prev_close) {
                    Some((pct, close)) => drop(self.atrs.insert(*symbol, (pct, close.units()))),
                    None => drop(self.atrs.remove(symbol)),
                }
            }
            Change::Position(row) if row.is_live => {
                let price = row.avg_price.map_or(0, |price| price.units());
                let cost = i128::from(price) * i128::from(row.qty.shares());
                self.held.insert(row.id.to_string(), (row.symbol, cost));
            }
            Change::Position(row) => drop(self.held.remove(row.id.as_str())),
            other => panic!("no re-entry depends on {other:?}"),
        }
    }

    /// What candidates are judged from, of the symbols that rows may have touched.
    pub(super) fn views(
        &self,
        touched: Option<&BTreeSet<Symbol>>,
    ) -> BTreeMap<(Symbol, String), View> {
        let keys = self.candidates.keys();
        let keys = keys.filter(|(symbol, _)| touched.is_none_or(|set| set.contains(symbol)));
        keys.map(|key| (key.clone(), self.view(key))).collect()
    }

    fn view(&self, (symbol, id): &(Symbol, String)) -> View {
        let event = &self.events[id];
        let bought = self.bought.values().filter(|row| row.symbol == *symbol);
        let mut bought: Vec<_> = bought
            .map(|row| (seoul_day(row.decided.micros()), row.candidate.to_string()))
            .collect();
        bought.sort();
        let lost = self.exits.values();
        let lost = lost.filter(|exit| exit.symbol == *symbol && class(&exit.reason) == Some("SL"));
        View {
            stored: self.stored.get(id).cloned(),
            expiry: self.expiries.get(id).cloned(),
            rules: Regime::ALL
                .map(|regime| self.rule(event, regime).cloned())
                .into(),
            bought,
            lost: lost
                .map(|exit| (exit.exit.micros(), exit.id.to_string()))
                .collect(),
            blacklisted: self.blacklist.get(symbol).copied(),
            ranked: self.ranked.get(symbol).copied(),
            held: self.held.values().any(|(held, _)| held == symbol),
            buying: self.underway.values().any(|row| row.symbol == *symbol),
            atr: self.atrs.get(symbol).copied(),
        }
    }

    /// What concerns all candidates.
    pub(super) fn scene(&self, time: u64) -> Scene {
        Scene {
            mode: self.mode,
            regime: self.regime(time),
            windows: self.windows.clone(),
            limits: self.limits.clone(),
        }
    }

    /// Returns the symbols that rows belong to; none where they may concern any.
    pub(super) fn touched(&self, changes: &[Change]) -> Option<BTreeSet<Symbol>> {
        let of = |change: &Change| match change {
            Change::ExitEvent(event) => Some(event.symbol),
            Change::Candidate(_, row) => Some(row.symbol),
            Change::Purchase(_, row) => Some(row.symbol),
            Change::Underway(_, Some(row)) => Some(row.symbol),
            Change::Underway(key, None) => self.underway.get(&**key).map(|row| row.symbol),
            Change::Blacklist(symbol, _)
            | Change::Ranked(symbol, _)
            | Change::Context(symbol, _) => Some(*symbol),
            Change::Position(row) => Some(row.symbol),
            _ => None,
        };
        // What a sale brought concerns none until it is judged for something else.
        let changes = changes.iter().filter(|row| !matches!(row, Change::Sale(_)));
        changes.map(of).collect()
    }
}
