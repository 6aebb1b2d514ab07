//! The gates that do not ask for a price: G0, G0.5, G2, and the length of the cooldown (G1).

use std::fmt;
use std::sync::Arc;

use crate::model::{LogicalTime, ReentryMode, Regime};

use super::plan::CandidatePlan;
use super::rule::{LOSS, ReentryRule, reason_class};
use super::scene::{InForce, NO_LIMITS, PauseWindow, ReentryLimits};

const DAY_US: u64 = 24 * 3_600 * 1_000_000;
/// Days of Seoul that count as a week, today among them.
const WEEK_DAYS: u64 = 7;

/// Why a gate refuses. It is put into words where it is said: the same reason may come with every
/// tick.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    /// These words.
    Words(&'static str),
    /// The mode lets nothing be bought.
    Mode(ReentryMode),
    /// Entries pause at this time of day.
    Window(PauseWindow),
    /// The regime is among those of no entry.
    Regime(Regime),
    /// The exit reason has no class.
    NoClass(Arc<str>),
    /// No rule serves the exit reason under the regime.
    NoRule(Arc<str>, Regime),
    /// This rule allows nothing under the regime.
    Disallowed(Arc<str>, Regime),
    /// A count has reached its limit.
    Count {
        /// How many there are.
        count: u32,
        /// How many there may be.
        most: u32,
        /// Of what.
        of: &'static str,
    },
}

impl Reason {
    /// Returns the words.
    pub(super) fn words(&self) -> Arc<str> {
        match self {
            Self::Words(words) => (*words).into(),
            reason => reason.to_string().into(),
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Words(words) => f.write_str(words),
            Self::Mode(mode) => write!(f, "re-entry is paused ({mode})"),
            Self::Window(window) => write!(f, "entries pause from {window}"),
            Self::Regime(regime) => write!(f, "nothing is bought under the regime {regime}"),
            Self::NoClass(exit) => write!(f, "exit reason {exit} never leads to a re-entry"),
            Self::NoRule(exit, regime) => {
                write!(f, "no re-entry rule for exit reason {exit} under {regime}")
            }
            Self::Disallowed(rule, regime) => {
                write!(f, "rule {rule} allows no re-entry under {regime}")
            }
            Self::Count { count, most, of } => {
                write!(f, "{count} re-entries {of}, at most {most} allowed")
            }
        }
    }
}

/// Why nothing may be bought.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) gate: &'static str,
    pub(super) reason: Reason,
    /// Whether the candidate ends: policy and counts refuse for good, everything else passes
    /// (domain 5.1 [REC]).
    pub(super) is_final: bool,
}

impl Refusal {
    /// Returns a refusal that ends the candidate.
    pub(super) fn last(gate: &'static str, reason: Reason) -> Self {
        Self {
            gate,
            reason,
            is_final: true,
        }
    }

    /// Returns a refusal that may pass.
    pub(super) fn passing(gate: &'static str, reason: Reason) -> Self {
        Self {
            is_final: false,
            ..Self::last(gate, reason)
        }
    }
}

/// Returns whether a refusal of `gate` ends a candidate that has entered once.
pub(super) fn is_final(gate: &str) -> bool {
    matches!(gate, "G0.5" | "G2")
}

/// Returns how many purchases of the candidate are known.
pub(super) fn entries_of(plan: &CandidatePlan) -> u32 {
    let own = plan.facts.purchases.iter();
    let own = own.filter(|(_day, candidate)| *candidate == plan.event.id);
    u32::try_from(own.count()).unwrap_or(u32::MAX)
}

/// Returns the cooldown of a candidate, where the rule says `cooldown_us`. Of losses, one more within
/// the 24 hours before doubles it, two more make it 24 hours at least (domain 5.3).
pub(super) fn cooldown_us(plan: &CandidatePlan, cooldown_us: u64) -> u64 {
    let event = &plan.event;
    if reason_class(&event.reason) != Some(LOSS) {
        return cooldown_us;
    }
    let losses = plan.facts.losses.iter();
    let others = losses.filter(|(exit, id)| {
        *id != event.id && *exit <= event.exit && event.exit.micros_since(*exit) <= DAY_US
    });
    match others.count() {
        0 => cooldown_us,
        1 => cooldown_us.saturating_mul(2),
        _ => cooldown_us.max(DAY_US),
    }
}

/// What the gates look at.
pub(super) struct Gates<'g> {
    pub(super) plan: &'g CandidatePlan,
    pub(super) now: LogicalTime,
    pub(super) in_force: InForce,
    /// None where nobody knows them.
    pub(super) limits: Option<&'g ReentryLimits>,
}

impl Gates<'_> {
    /// Judges an exit event that has no candidate yet.
    pub(super) fn check_new(&self) -> Result<(), Refusal> {
        let reason = &self.plan.event.reason;
        if reason_class(reason).is_none() {
            return Err(Refusal::last("G0.5", Reason::NoClass(reason.clone())));
        }
        // Under a regime that is closed or unknown it waits for another one.
        if self.regime().is_ok() && self.in_force.is_known {
            let rule = self.rule()?;
            if !rule.allows_candidate {
                return Err(self.disallowed(rule));
            }
        }
        self.blacklist()
    }

    /// Gates G0 and G0.5 of a candidate whose cooldown is over. Returns the rule that lets it buy.
    pub(super) fn policy(&self) -> Result<&ReentryRule, Refusal> {
        self.regime()?;
        let rule = self.rule().and_then(|rule| {
            let allows = rule.allows_entry;
            allows.then_some(rule).ok_or_else(|| self.disallowed(rule))
        });
        match rule {
            Err(_) if !self.in_force.is_known => {
                let words = "the market regime is unknown and RISK_OFF allows no entry";
                Err(Refusal::passing("G0", Reason::Words(words)))
            }
            rule => rule,
        }
    }

    /// Gate G2 of a candidate that has made `entries`, under the rule that the policy gives. While the
    /// regime is unknown only that is final which the rules of all regimes refuse.
    pub(super) fn counts(&self, rule: &ReentryRule, entries: u32) -> Result<(), Refusal> {
        self.blacklist()?;
        let Some(reason) = self.excess(rule, entries) else {
            return Ok(());
        };
        let mut rules = self.plan.rules.all();
        if self.in_force.is_known || rules.all(|rule| self.excess(rule, entries).is_some()) {
            return Err(Refusal::last("G2", reason));
        }
        let words = "the market regime is unknown and RISK_OFF allows no more entries";
        Err(Refusal::passing("G0", Reason::Words(words)))
    }

    /// Returns which count a rule allows no more of.
    fn excess(&self, rule: &ReentryRule, entries: u32) -> Option<Reason> {
        let (today, week) = (self.entries_today(), self.entries_of_week());
        let counts = [
            (today, rule.per_day_max, "of the symbol today"),
            (week, rule.per_week_max, "of the symbol in seven days"),
            (entries, rule.total_max, "of the candidate"),
        ];
        let (count, most, of) = counts
            .into_iter()
            .find(|(count, most, _of)| count >= most)?;
        Some(Reason::Count { count, most, of })
    }

    /// Returns how many entries of the symbol the day has.
    pub(super) fn entries_today(&self) -> u32 {
        self.entries_since(self.now.seoul_day())
    }

    /// Returns how many entries of the symbol the last seven days have.
    pub(super) fn entries_of_week(&self) -> u32 {
        self.entries_since((self.now.seoul_day() + 1).saturating_sub(WEEK_DAYS))
    }

    fn entries_since(&self, first: u64) -> u32 {
        let days = first..=self.now.seoul_day();
        let bought = self.plan.facts.purchases.iter();
        let bought = bought.filter(|(day, _candidate)| days.contains(day));
        u32::try_from(bought.count()).unwrap_or(u32::MAX)
    }

    /// Gate G0.
    fn regime(&self) -> Result<(), Refusal> {
        let regime = self.in_force.regime;
        let Some(limits) = self.limits else {
            return Err(Refusal::passing("G0", Reason::Words(NO_LIMITS)));
        };
        if limits.regimes.contains(&regime) {
            return Ok(());
        }
        Err(Refusal::passing("G0", Reason::Regime(regime)))
    }

    fn rule(&self) -> Result<&ReentryRule, Refusal> {
        let (regime, reason) = (self.in_force.regime, &self.plan.event.reason);
        let rule = self.plan.rules.under(regime);
        rule.map(|rule| &**rule)
            .ok_or_else(|| Refusal::last("G0.5", Reason::NoRule(reason.clone(), regime)))
    }

    fn disallowed(&self, rule: &ReentryRule) -> Refusal {
        let reason = Reason::Disallowed(rule.id.clone(), self.in_force.regime);
        Refusal::last("G0.5", reason)
    }

    fn blacklist(&self) -> Result<(), Refusal> {
        let until = self.plan.facts.blacklisted_until;
        if until.is_some_and(|until| self.now < until) {
            let words = "the symbol is blacklisted";
            return Err(Refusal::last("G2", Reason::Words(words)));
        }
        Ok(())
    }
}
