//! One candidate: the state machine from cooldown to entry, without any dataflow.
//!
//! ```text
//! COOLDOWN ──> WATCH ──> READY ──> ENTERED ──> (WATCH for a second entry)
//!    ^           │ ├──> EXPIRED
//!    └─ longer ──┘ └──> BLOCKED
//! ```
//!
//! One that is READY and whose order the risk gate refuses goes back to WATCH, and rests for a minute.

mod course;
mod entry;

use std::sync::Arc;

use crate::model::{CandidateId, LogicalTime, Price, Quantity, ReentryMode, Regime, Symbol, Tick};

use super::gate::{self, Gates, Reason};
use super::lows::Run;
use super::plan::{CandidatePlan, CandidateState, StoredCandidate};
use super::rule::{ReentryRule, reason_class};
use super::scene::{InForce, Room, Scene};
use super::tape::Tape;
use super::verdict::{ReentryVerdict, Verdict};

/// Watch of a candidate under a regime that has no rule for it: the default of a rule.
const WATCH_US: u64 = 120 * 60_000_000;

/// A candidate under its plan.
#[derive(Debug)]
pub(super) struct Candidate {
    plan: CandidatePlan,
    stage: Stage,
    /// End of the cooldown.
    until: LogicalTime,
    /// End of the watch.
    watch_until: LogicalTime,
    /// Entries made.
    entries: u32,
    /// What its last order buys, and the price that was judged.
    order: Option<(Quantity, Price)>,
    /// When it decided on its last order.
    submitted: Option<LogicalTime>,
    /// Until when it decides on none, since the risk gate refused one.
    rest_until: LogicalTime,
    /// The last passing refusal, so that it is written once per change.
    blocked: Option<Held>,
    /// Whether the gates that ask for no price let it buy, as of when it last moved on.
    is_open: bool,
    /// What the rule under a regime asks for.
    terms: Option<(Regime, Terms)>,
    /// Lowest price that reaches the level of the rule in force.
    reach: Option<Price>,
    /// Since when every tick has reached it.
    since: Option<LogicalTime>,
    /// Whether a tick below the level has to come first.
    is_spent: bool,
    /// Which ticks it has to see, as of its last judgement.
    attention: Attention,
}

/// Which ticks make a candidate say something, or change what it says next, as long as plan, outlook
/// and mode of the scene stay, and whether another candidate of the symbol is buying.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Attention {
    /// Those at its level, and the first one below it.
    Level,
    /// The first one below its level.
    Fall,
    /// None: what they make of its level may be asked for later.
    Nothing,
}

/// What the rule in force makes of the exit event: it follows from plan and regime.
#[derive(Clone, Copy, Debug)]
struct Terms {
    /// Lowest price that triggers, and the level as it is printed; none where no price does.
    level: Option<(Price, Price)>,
    /// When the cooldown ends; without a rule it is over at once.
    cooldown_end: LogicalTime,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    New,
    Cooldown,
    Watch,
    Ready,
    Over,
}

/// A passing refusal that was said.
#[derive(Debug)]
struct Held {
    gate: Arc<str>,
    words: Arc<str>,
    /// What the words say, once that has been asked for: telling them apart costs nothing then.
    reason: Option<Reason>,
}

impl Held {
    /// Returns the refusal that was said before the engine started.
    fn of(stored: &StoredCandidate) -> Option<Self> {
        let (gate, words) = stored.blocked.clone()?;
        Some(Self {
            gate,
            words,
            reason: None,
        })
    }

    /// Returns whether `gate` refusing for `reason` says the same.
    fn is_same(&mut self, gate: &str, reason: &Reason) -> bool {
        if &*self.gate != gate {
            return false;
        }
        match &self.reason {
            Some(own) => own == reason,
            None if *self.words == reason.to_string() => {
                self.reason = Some(reason.clone());
                true
            }
            None => false,
        }
    }
}

/// What a candidate is judged in.
#[derive(Clone, Copy)]
pub(super) struct Moment<'m> {
    pub(super) now: LogicalTime,
    pub(super) scene: &'m Scene,
    pub(super) in_force: InForce,
    pub(super) tape: &'m Tape,
    /// Whether another candidate of the symbol is buying.
    pub(super) is_bought: bool,
    /// What orders of other candidates take that have no row yet.
    pub(super) reserved: Room,
}

impl Moment<'_> {
    /// Returns whether prices are judged at all: not under PAUSE_ALL, nor before there is a mode.
    fn is_judged(&self) -> bool {
        matches!(
            self.scene.mode,
            Some(ReentryMode::Running | ReentryMode::PauseEntry)
        )
    }
}

impl Candidate {
    /// Returns the candidate of `plan`. A stored state is where it goes on.
    pub(super) fn new(plan: CandidatePlan) -> Self {
        let stored = plan.stored.as_ref();
        let stage = match stored.map(|stored| stored.state) {
            None => Stage::New,
            Some(CandidateState::Cooldown) => Stage::Cooldown,
            Some(CandidateState::Watch) => Stage::Watch,
            Some(CandidateState::Ready | CandidateState::Entered) => Stage::Ready,
            Some(CandidateState::Over) => Stage::Over,
        };
        let until = stored.and_then(|stored| stored.cooldown_until);
        let until = until.unwrap_or(plan.event.exit);
        let watch_until = stored.and_then(|stored| stored.watch_until);
        Self {
            stage,
            until,
            watch_until: watch_until.unwrap_or(until.plus_micros(WATCH_US)),
            entries: 0,
            order: None,
            submitted: None,
            rest_until: LogicalTime::default(),
            blocked: stored.and_then(Held::of),
            is_open: false,
            terms: None,
            reach: None,
            since: None,
            is_spent: false,
            attention: Attention::Level,
            plan,
        }
    }

    /// Puts another plan in force.
    pub(super) fn replan(&mut self, plan: CandidatePlan) {
        self.plan = plan;
        self.terms = None;
    }

    /// Returns when something happens without any event.
    pub(super) fn deadline(&self) -> Option<LogicalTime> {
        match self.stage {
            Stage::New | Stage::Ready | Stage::Over => None,
            Stage::Cooldown => Some(self.until),
            Stage::Watch => Some(self.watch_until),
        }
    }

    /// Returns what it would buy.
    pub(super) fn symbol(&self) -> Symbol {
        self.plan.event.symbol
    }

    /// Returns whether it is buying.
    pub(super) fn is_ready(&self) -> bool {
        self.stage == Stage::Ready
    }

    /// Returns the price from which on, or below which, a tick changes something; none where no
    /// tick does by its price.
    pub(super) fn reach(&self) -> Option<Price> {
        self.reach.filter(|_| self.stage == Stage::Watch)
    }

    /// Returns whether the last tick reached the level.
    pub(super) fn is_above(&self) -> bool {
        self.since.is_some() || self.is_spent
    }

    /// Returns which ticks it has to see.
    pub(super) fn attention(&self) -> Attention {
        self.attention
    }

    /// Takes in what the ticks that it has not seen have made of its level.
    pub(super) fn catch_up(&mut self, run: Run) {
        let since = match run {
            Run::Unbroken => return,
            Run::Below => None,
            Run::Since(time) => Some(time),
        };
        (self.since, self.is_spent) = (since, false);
    }

    /// Moves on as far as time, plan and scene allow, without a price.
    pub(super) fn advance(&mut self, moment: Moment<'_>) -> Vec<ReentryVerdict> {
        let mut said = Vec::new();
        self.note_refusal(moment);
        self.attention = Attention::Level;
        self.note_entry(moment);
        while let Some((verdict, is_first)) = self.step(moment) {
            said.push(self.say(moment, is_first, None, verdict));
        }
        let level = self.terms(moment).level.map(|level| level.0);
        if level != self.reach || self.stage != Stage::Watch {
            self.reach = level;
            self.since = None;
        }
        said
    }

    /// Moves on and judges the last price of the tape.
    pub(super) fn judge(&mut self, moment: Moment<'_>) -> Vec<ReentryVerdict> {
        let mut said = self.advance(moment);
        if moment.is_judged()
            && let Some((price, tick)) = moment.tape.last()
            && let Some(verdict) = self.try_enter(moment, price, tick)
        {
            said.push(self.say(moment, false, Some((price, tick)), verdict));
        }
        self.note_attention(moment);
        said
    }

    /// Judges the candidate by a tick, which the tape has already.
    pub(super) fn tick(&mut self, moment: Moment<'_>, tick: &Tick) -> Vec<ReentryVerdict> {
        let mut said = self.advance(moment);
        if self.stage != Stage::Watch {
            return said;
        }
        if !moment.is_judged() {
            self.since = None;
            return said;
        }
        let price = tick.evaluation_price();
        match self.reach {
            None => {} // There is no run without a level, and nothing to be below of.
            Some(reach) if price < reach => (self.since, self.is_spent) = (None, false),
            Some(_) if self.since.is_none() && !self.is_spent => self.since = Some(tick.time),
            Some(_) => {}
        }
        if let Some(verdict) = self.try_enter(moment, price, tick.time) {
            said.push(self.say(moment, false, Some((price, tick.time)), verdict));
        }
        self.note_attention(moment);
        said
    }

    fn gates<'c>(&'c self, moment: Moment<'c>) -> Gates<'c> {
        Gates {
            plan: &self.plan,
            now: moment.now,
            in_force: moment.in_force,
            limits: moment.scene.limits.as_ref(),
        }
    }

    fn rule<'c>(&'c self, moment: Moment<'_>) -> Option<&'c Arc<ReentryRule>> {
        self.plan.rules.under(moment.in_force.regime)
    }

    fn terms(&mut self, moment: Moment<'_>) -> Terms {
        let regime = moment.in_force.regime;
        if let Some((of, terms)) = self.terms
            && of == regime
        {
            return terms;
        }
        let (event, rule) = (&self.plan.event, self.rule(moment));
        let volatility = self.plan.facts.volatility;
        let level = rule.and_then(|rule| {
            let kind = rule.trigger.kind;
            kind.level(event.exit_price, event.prior_hwm, volatility)
        });
        let cooldown_us = rule.map_or(0, |rule| gate::cooldown_us(&self.plan, rule.cooldown_us));
        let terms = Terms {
            level,
            cooldown_end: event.exit.plus_micros(cooldown_us),
        };
        self.terms = Some((regime, terms));
        terms
    }

    fn id(&self) -> CandidateId {
        CandidateId::from(&self.plan.event.id)
    }

    fn say(
        &self,
        moment: Moment<'_>,
        is_first: bool,
        judged: Option<(Price, LogicalTime)>,
        verdict: Verdict,
    ) -> ReentryVerdict {
        let is_served = reason_class(&self.plan.event.reason).is_some();
        let rule = self.rule(moment).filter(|_| is_served);
        ReentryVerdict {
            time: moment.now,
            candidate: self.id(),
            exit_event: self.plan.event.id.clone(),
            symbol: self.plan.event.symbol,
            rule_id: rule.map(|rule| rule.id.clone()),
            regime: moment.in_force.regime,
            is_first,
            price: judged.map(|(price, _tick)| price),
            tick: judged.map(|(_price, tick)| tick),
            verdict,
        }
    }
}
