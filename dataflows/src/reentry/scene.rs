//! The scene: what concerns every candidate at once. It is no part of a plan, so that a flip of the
//! regime or a fill somewhere rebuilds none.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::model::{
    LogicalTime, Price, Quantity, ReentryMode, Regime, RegimeOverride, RegimeSnapshot,
};

use super::gate::Reason;
use crate::risk::{RiskLimits, RiskProfile};

/// Age beyond which a regime snapshot no longer counts (domain 5.2).
pub const REGIME_AGE_US_MAX: u64 = 5 * 60_000_000;
/// Age beyond which what the account is worth no longer counts: the broker is asked every half minute.
pub const EQUITY_AGE_US_MAX: u64 = 5 * 60_000_000;
const SECOND_US: u64 = 1_000_000;
/// One, in millionths.
const MILLION: i128 = 1_000_000;
/// Why nothing is bought where a limit is a part of an equity that is not known.
const NO_EQUITY: &str =
    "the equity of the account is not known, older than five minutes or not above zero";
/// Why nothing is bought where the limits are not known.
pub(super) const NO_LIMITS: &str = "there are no limits of re-entries (trade.reentry_limits)";

/// Time of day in Seoul in which nothing is bought: one row of `trade.reentry_windows`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PauseWindow {
    /// First second of the day.
    pub from_s: u64,
    /// First second after it.
    pub until_s: u64,
}

impl PauseWindow {
    fn holds(self, now: LogicalTime) -> bool {
        (self.from_s..self.until_s).contains(&now.seoul_second_of_day())
    }
}

impl fmt::Display for PauseWindow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let clock = |second: u64| (second / 3_600, second / 60 % 60, second % 60);
        let ((h, m, s), (end_h, end_m, end_s)) = (clock(self.from_s), clock(self.until_s));
        write!(
            f,
            "{h:02}:{m:02}:{s:02} to {end_h:02}:{end_m:02}:{end_s:02}"
        )
    }
}

/// Limits of re-entries: the row of `trade.reentry_limits`. What of it is none limits nothing; where
/// there is no row nothing is bought.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ReentryLimits {
    /// Regimes in which something may be bought at all (gate G0).
    pub regimes: BTreeSet<Regime>,
    /// Live positions, at most (gate G3).
    pub positions_max: Option<u32>,
    /// Cost of all live positions, at most, in ten-thousandths of a won (gate G3).
    pub exposure_max: Option<i64>,
    /// The same as a part of the equity, millionths.
    pub exposure_share: Option<u32>,
    /// Realised loss of the day at which nothing is bought any more, in ten-thousandths of a won
    /// (gate G4).
    pub daily_loss_max: Option<i64>,
    /// The same as a part of the equity, millionths.
    pub daily_loss_share: Option<u32>,
}

/// What the account is worth, securities and cash: one row of `trade.account_equity`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Equity {
    /// When the broker was asked.
    pub asof: LogicalTime,
    /// Ten-thousandths of a won.
    pub units: i64,
}

impl Default for ReentryLimits {
    /// Every regime but PANIC, without limits.
    fn default() -> Self {
        Self {
            regimes: [Regime::RiskOn, Regime::Neutral, Regime::RiskOff].into(),
            positions_max: None,
            exposure_max: None,
            exposure_share: None,
            daily_loss_max: None,
            daily_loss_share: None,
        }
    }
}

/// Under what a [`SceneFact`] that is told stands: there is one of each, and one a window.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) enum SceneKey {
    Mode,
    Snapshot,
    Override,
    Window(Arc<str>),
    Limits,
    RiskLimits(i64),
    RiskProfile,
    Equity,
}

/// One thing that is so, or was.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) enum SceneFact {
    /// The control mode.
    Mode(ReentryMode),
    /// The last regime snapshot.
    Snapshot(RegimeSnapshot),
    /// The operator's regime.
    Override(RegimeOverride),
    /// A time of day without entries, by its identity.
    Window(Arc<str>, PauseWindow),
    /// Limits.
    Limits(ReentryLimits),
    /// Limits of risk.
    RiskLimits(RiskLimits),
    /// The risk profile in force.
    RiskProfile(RiskProfile),
    /// What the account is worth.
    Equity(Equity),
    /// Cost of all live positions and purchases under way, ten-thousandths of a won.
    Exposure(i64),
    /// Number of live positions, and of those that purchases under way will open.
    Positions(i64),
    /// Realised result of a day in Seoul, ten-thousandths of a won.
    Result(u64, i64),
}

/// What takes from the limits of gate G3.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Room {
    /// Ten-thousandths of a won.
    pub(super) cost: i128,
    /// Positions that it opens.
    pub(super) positions: i64,
}

impl Room {
    /// Takes in that `before` has become `now`.
    pub(super) fn change(&mut self, before: Self, now: Self) {
        self.cost += now.cost - before.cost;
        self.positions += now.positions - before.positions;
    }
}

/// The regime that counts at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct InForce {
    pub(super) regime: Regime,
    /// Whether somebody said so; otherwise the worst is assumed that still lets things go on.
    pub(super) is_known: bool,
}

/// What of the scene decides whether a candidate that waits may go on waiting unseen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Outlook {
    pub(super) in_force: InForce,
    /// The window in which entries pause.
    window: Option<PauseWindow>,
    /// Day in Seoul.
    day: u64,
}

/// The outlook that candidates are judged under.
#[derive(Clone, Copy, Debug)]
pub(super) struct Judged {
    /// How many outlooks there had been: two that are not the same have not the same number.
    pub(super) number: u64,
    pub(super) in_force: InForce,
}

/// Everything that concerns all candidates.
#[derive(Debug, Default)]
pub(super) struct Scene {
    /// None before anybody set one: nothing is judged.
    pub(super) mode: Option<ReentryMode>,
    snapshot: Option<RegimeSnapshot>,
    overriding: Option<RegimeOverride>,
    windows: BTreeMap<Arc<str>, PauseWindow>,
    /// None where nobody knows them: nothing is bought.
    pub(super) limits: Option<ReentryLimits>,
    risk_limits: BTreeMap<i64, RiskLimits>,
    risk_profile: Option<RiskProfile>,
    equity: Option<Equity>,
    exposure: i64,
    positions: i64,
    results: BTreeMap<u64, i64>,
}

impl Scene {
    /// Takes in what ended and what began at one time. Returns whether candidates have to be judged
    /// for it: figures of the account count at the next tick.
    pub(super) fn apply(&mut self, now: LogicalTime, facts: Vec<(SceneFact, isize)>) -> bool {
        let is_order =
            |fact: &SceneFact| matches!(fact, SceneFact::Window(..) | SceneFact::Limits(_));
        let has_order = facts.iter().any(|(fact, _)| is_order(fact));
        let orders = has_order.then(|| (self.windows.clone(), self.limits.clone()));
        let before = (self.mode, self.in_force(now));
        let (begun, ended): (Vec<_>, Vec<_>) = facts.into_iter().partition(|(_, diff)| *diff > 0);
        ended.into_iter().for_each(|(fact, _)| self.end(fact));
        begun.into_iter().for_each(|(fact, _)| self.begin(fact));
        before != (self.mode, self.in_force(now))
            || orders
                .is_some_and(|(windows, limits)| windows != self.windows || limits != self.limits)
    }

    fn end(&mut self, fact: SceneFact) {
        match fact {
            SceneFact::Mode(_) => self.mode = None,
            SceneFact::Snapshot(_) => self.snapshot = None,
            SceneFact::Override(_) => self.overriding = None,
            SceneFact::Window(id, _) => drop(self.windows.remove(&id)),
            SceneFact::Limits(_) => self.limits = None,
            SceneFact::RiskLimits(row) => drop(self.risk_limits.remove(&row.id)),
            SceneFact::RiskProfile(_) => self.risk_profile = None,
            SceneFact::Equity(_) => self.equity = None,
            SceneFact::Exposure(_) => self.exposure = 0,
            SceneFact::Positions(_) => self.positions = 0,
            SceneFact::Result(day, _) => drop(self.results.remove(&day)),
        }
    }

    fn begin(&mut self, fact: SceneFact) {
        match fact {
            SceneFact::Mode(mode) => self.mode = Some(mode),
            SceneFact::Snapshot(snapshot) => self.snapshot = Some(snapshot),
            SceneFact::Override(row) => self.overriding = Some(row),
            SceneFact::Window(id, window) => drop(self.windows.insert(id, window)),
            SceneFact::Limits(limits) => self.limits = Some(limits),
            SceneFact::RiskLimits(row) => drop(self.risk_limits.insert(row.id, row)),
            SceneFact::RiskProfile(profile) => self.risk_profile = Some(profile),
            SceneFact::Equity(equity) => self.equity = Some(equity),
            SceneFact::Exposure(cost) => self.exposure = cost,
            SceneFact::Positions(count) => self.positions = count,
            SceneFact::Result(day, won) => drop(self.results.insert(day, won)),
        }
    }

    /// Returns the regime that counts at `now`: the operator's, else the last snapshot if it is not
    /// older than five minutes, else RISK_OFF.
    pub(super) fn in_force(&self, now: LogicalTime) -> InForce {
        let said = self
            .overriding
            .filter(|row| now < row.until)
            .map(|row| row.regime);
        let found = self.snapshot.filter(|snapshot| {
            let age = now.micros().abs_diff(snapshot.asof.micros());
            age <= REGIME_AGE_US_MAX
        });
        let regime = said.or(found.map(|snapshot| snapshot.regime));
        InForce {
            regime: regime.unwrap_or(Regime::RiskOff),
            is_known: regime.is_some(),
        }
    }

    /// Returns what counts at `now`, and the first time at which something else may by itself.
    pub(super) fn outlook(&self, now: LogicalTime) -> (Outlook, LogicalTime) {
        let age = REGIME_AGE_US_MAX;
        let snapshot = self.snapshot.map(|snapshot| snapshot.asof.micros());
        let edges = snapshot.map(|asof| [asof.saturating_sub(age), asof.saturating_add(age + 1)]);
        let edges = edges.into_iter().flatten().map(LogicalTime::from_micros);
        let of_day = now.seoul_micro_of_day();
        let windows = self.windows.values();
        let windows = windows.flat_map(|window| [window.from_s, window.until_s]);
        let windows = windows
            .map(|second| second * SECOND_US)
            .filter(|edge| *edge > of_day)
            .map(|edge| now.plus_micros(edge - of_day));
        let edges = edges
            .chain(self.overriding.map(|row| row.until))
            .chain(windows);
        let edge = edges.filter(|edge| now < *edge).min();
        let until = edge.unwrap_or(LogicalTime::MAX).min(now.next_seoul_day());
        let outlook = Outlook {
            in_force: self.in_force(now),
            window: self.window(now),
            day: now.seoul_day(),
        };
        (outlook, until)
    }

    fn window(&self, now: LogicalTime) -> Option<PauseWindow> {
        let mut windows = self.windows.values().copied();
        windows.find(|window| window.holds(now))
    }

    /// Returns why nothing is bought at `now`, whatever the candidate.
    pub(super) fn pause(&self, now: LogicalTime) -> Option<Reason> {
        match self.mode {
            Some(ReentryMode::Running) => self.window(now).map(Reason::Window),
            Some(mode) => Some(Reason::Mode(mode)),
            None => Some(Reason::Words("re-entry has no mode")),
        }
    }

    /// Returns what the account is worth, where that is known at `now`.
    fn equity(&self, now: LogicalTime) -> Option<i128> {
        let fresh = self.equity.filter(|equity| {
            let age = now.micros().abs_diff(equity.asof.micros());
            age <= EQUITY_AGE_US_MAX && equity.units > 0
        })?;
        Some(i128::from(fresh.units))
    }

    /// Gate G3: what buying `qty` at `price` would make of the account, beside what is `reserved`
    /// by orders of which there is no row yet. `is_new` says whether it opens a position.
    pub(super) fn exposure_refusal(
        &self,
        now: LogicalTime,
        qty: Quantity,
        price: Price,
        is_new: bool,
        reserved: Room,
    ) -> Option<&'static str> {
        let Some(limits) = &self.limits else {
            return Some(NO_LIMITS);
        };
        let most = limits.positions_max.map(i64::from);
        if is_new && most.is_some_and(|most| self.positions + reserved.positions >= most) {
            return Some("as many positions as are allowed");
        }
        let cost = i128::from(qty.shares()) * i128::from(price.units());
        let after = i128::from(self.exposure) + reserved.cost + cost;
        let most = limits.exposure_max.map(i128::from);
        if most.is_some_and(|most| after > most) {
            return Some("the cost of all positions would exceed its limit");
        }
        let share = i128::from(limits.exposure_share?);
        let Some(equity) = self.equity(now) else {
            return Some(NO_EQUITY);
        };
        (after * MILLION > equity * share)
            .then_some("the cost of all positions would exceed its part of the equity")
    }

    /// Gate G4: the loss of the day. Both the limits of re-entries and those of risk in force have to let
    /// it pass, so that the stricter counts.
    pub(super) fn loss_refusal(&self, now: LogicalTime) -> Option<&'static str> {
        let result = self.results.get(&now.seoul_day()).copied().unwrap_or(0);
        let Some(limits) = &self.limits else {
            return Some(NO_LIMITS);
        };
        self.own_loss_refusal(limits, now, result)
            .or_else(|| self.risk_loss_refusal(now, result))
    }

    /// A loss is refused from the limit on.
    fn own_loss_refusal(
        &self,
        limits: &ReentryLimits,
        now: LogicalTime,
        result: i64,
    ) -> Option<&'static str> {
        let most = limits.daily_loss_max;
        if most.is_some_and(|most| result <= -most) {
            return Some("the realised loss of the day has reached its limit");
        }
        let share = i128::from(limits.daily_loss_share?);
        let Some(equity) = self.equity(now) else {
            return Some(NO_EQUITY);
        };
        (i128::from(result) * MILLION <= -equity * share)
            .then_some("the realised loss of the day has reached its part of the equity")
    }

    /// As the risk gate has it, a loss passes at the limit; without limits in force it is that gate that
    /// refuses.
    fn risk_loss_refusal(&self, now: LogicalTime, result: i64) -> Option<&'static str> {
        if result >= 0 {
            return None;
        }
        let limits = RiskLimits::in_force(self.risk_limits.values(), self.risk_profile?, now)?;
        let Some(equity) = self.equity(now) else {
            return Some(NO_EQUITY);
        };
        (i128::from(result) * MILLION < -equity * i128::from(limits.daily_loss_max))
            .then_some("the realised loss of the day exceeds the limit of risk in force")
    }
}

#[cfg(test)]
mod tests;
