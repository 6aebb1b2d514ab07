//! Random histories of two symbols and their candidates.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use rust_decimal::Decimal;

use crate::model::{LogicalTime, Price, Quantity, ReentryMode, Regime, RegimeOverride};
use crate::reentry::plan::{
    CandidatePlan, CandidateState, ExitEvent, Fact, RuleSet, StoredCandidate, SymbolFacts,
};
use crate::reentry::rule::{ReentryRule, ReentryTrigger, TriggerKind};
use crate::reentry::scene::{PauseWindow, ReentryLimits, SceneFact};

/// In the course of a day in Seoul.
pub(super) const BEGIN_US: u64 = 1_795_480_000_000_000;
pub(super) const SECOND_US: u64 = 1_000_000;
pub(super) const SYMBOLS: [&str; 2] = ["005930", "000660"];
/// Candidates, each with the place of its symbol.
pub(super) const CANDIDATES: [(&str, usize); 5] =
    [("a", 0), ("b", 0), ("c", 0), ("d", 1), ("e", 1)];
const MODES: [ReentryMode; 3] = [
    ReentryMode::Running,
    ReentryMode::PauseEntry,
    ReentryMode::PauseAll,
];

#[derive(Clone, Debug)]
pub(super) enum Step {
    /// A trade at so many KRW.
    Tick(usize, i64),
    /// Whether the symbol is held, being bought by hand, and ranked.
    Symbol(usize, bool, bool, bool),
    /// Another rule serves a candidate.
    Rule(usize, usize),
    Expire(usize),
    /// The row of its order is told, and that it is under way.
    Order(usize),
    /// Its order is told, if it was not, and has brought shares.
    Enter(usize),
    /// The risk gate has refused its order, so that there is none.
    Refuse(usize),
    Mode(usize),
    /// The operator's regime, for so many seconds.
    Regime(usize, u64),
    /// No entries from so many seconds after the begin on, for half a minute.
    Window(u64),
    NoWindow,
    /// Positions that are allowed, where there are limits.
    Limits(Option<u32>),
    Positions(i64),
}

pub(super) fn step() -> impl Strategy<Value = Step> {
    let of = 0..CANDIDATES.len();
    let symbol = 0..SYMBOLS.len();
    prop_oneof![
        16 => (symbol.clone(), 99..106_i64).prop_map(|(of, won)| Step::Tick(of, won)),
        2 => (symbol, any::<bool>(), any::<bool>(), any::<bool>())
            .prop_map(|(of, held, bought, ranked)| Step::Symbol(of, held, bought, ranked)),
        1 => (of.clone(), 0..4_usize).prop_map(|(of, rule)| Step::Rule(of, rule)),
        1 => of.clone().prop_map(Step::Expire),
        2 => of.clone().prop_map(Step::Order),
        3 => of.clone().prop_map(Step::Enter),
        2 => of.prop_map(Step::Refuse),
        2 => (0..MODES.len()).prop_map(Step::Mode),
        2 => (0..4_usize, 1..200_u64).prop_map(|(of, seconds)| Step::Regime(of, seconds)),
        1 => (0..300_u64).prop_map(Step::Window),
        1 => Just(Step::NoWindow),
        1 => proptest::option::of(0..3_u32).prop_map(Step::Limits),
        1 => (0..3_i64).prop_map(Step::Positions),
    ]
}

/// Microseconds until the next step.
pub(super) fn pause() -> impl Strategy<Value = u64> {
    prop_oneof![
        Just(1),
        Just(SECOND_US),
        Just(7 * SECOND_US),
        Just(61 * SECOND_US)
    ]
}

fn rule(id: &str, kind: TriggerKind, change: impl FnOnce(&mut ReentryRule)) -> Arc<ReentryRule> {
    let mut rule = ReentryRule {
        id: id.into(),
        symbol: None,
        exit_reason: "SL".into(),
        regime: None,
        allows_candidate: true,
        allows_entry: true,
        cooldown_us: 0,
        watch_us: 3_600 * SECOND_US,
        per_day_max: 9,
        per_week_max: 9,
        total_max: 1,
        size: Decimal::ONE.try_into().unwrap(),
        second_size: None,
        trigger: ReentryTrigger {
            kind,
            volume_ratio: 0,
            structure_break: false,
            stable_us: 0,
            momentum: 0,
            volatility_atr: 0,
            ranking_held: false,
        },
        priority: 0,
    };
    change(&mut rule);
    Arc::new(rule)
}

/// What serves a candidate.
fn rules(of: usize) -> Arc<RuleSet> {
    let above = |percent| Decimal::new(percent, 2).try_into().unwrap();
    let twice = rule("twice", TriggerKind::Rebound(above(2)), |rule| {
        rule.total_max = 2;
        rule.second_size = Some(Decimal::new(4, 1).try_into().unwrap());
    });
    let slow = rule("slow", TriggerKind::Rebound(above(3)), |rule| {
        rule.trigger.stable_us = 60 * SECOND_US;
        rule.per_day_max = 2;
    });
    let ranked = rule("ranked", TriggerKind::Chase(above(1)), |rule| {
        rule.trigger.ranking_held = true;
    });
    let late = rule("late", TriggerKind::Rebound(above(2)), |rule| {
        rule.cooldown_us = 90 * SECOND_US;
    });
    let by_regime = match of {
        0 => [&twice, &twice, &twice, &twice],
        1 => [&slow, &twice, &slow, &slow],
        2 => [&ranked, &ranked, &twice, &ranked],
        _ => [&twice, &slow, &ranked, &late],
    };
    Arc::new(RuleSet(by_regime.map(|rule| Some(rule.clone()))))
}

/// What the store says, and the facts that follow from it.
pub(super) struct Rows {
    facts: [SymbolFacts; 2],
    plans: Vec<CandidatePlan>,
    scene: BTreeMap<&'static str, SceneFact>,
    /// When each candidate decided on its last order.
    pub(super) submitted: [Option<LogicalTime>; 5],
    /// The one of its orders that was told last.
    ordered: [Option<LogicalTime>; 5],
    /// What is told at the next time.
    pub(super) told: Vec<(Fact, isize)>,
}

impl Rows {
    pub(super) fn new() -> Self {
        let mut rows = Self {
            facts: Default::default(),
            plans: Vec::new(),
            scene: BTreeMap::new(),
            submitted: [None; 5],
            ordered: [None; 5],
            told: Vec::new(),
        };
        for (index, (id, symbol)) in CANDIDATES.into_iter().enumerate() {
            let event = ExitEvent {
                id: id.parse().unwrap(),
                symbol: SYMBOLS[symbol].parse().unwrap(),
                reason: "SL2".into(),
                exit: LogicalTime::from_micros(BEGIN_US),
                exit_price: Price::from_won(100).unwrap(),
                original_qty: Quantity::new(10).unwrap(),
                prior_hwm: None,
            };
            let plan = CandidatePlan {
                event,
                stored: None,
                expired_by: None,
                rules: rules(index % 4),
                facts: Arc::default(),
            };
            rows.told.push((Fact::Plan(Box::new(plan.clone())), 1));
            rows.plans.push(plan);
        }
        rows.put("mode", Some(SceneFact::Mode(ReentryMode::Running)));
        rows.put("limits", Some(SceneFact::Limits(ReentryLimits::default())));
        rows
    }

    fn put(&mut self, key: &'static str, fact: Option<SceneFact>) {
        let old = match fact.clone() {
            Some(fact) => self.scene.insert(key, fact),
            None => self.scene.remove(key),
        };
        self.told.extend(old.map(|old| (Fact::Scene(old), -1)));
        self.told.extend(fact.map(|fact| (Fact::Scene(fact), 1)));
    }

    fn change(&mut self, of: usize, change: impl FnOnce(&mut CandidatePlan)) {
        let plan = &mut self.plans[of];
        let old = plan.clone();
        change(plan);
        if *plan != old {
            self.told.push((Fact::Plan(Box::new(old)), -1));
            self.told.push((Fact::Plan(Box::new(plan.clone())), 1));
        }
    }

    fn change_symbol(&mut self, of: usize, change: impl FnOnce(&mut SymbolFacts)) {
        change(&mut self.facts[of]);
        let facts = Arc::new(self.facts[of].clone());
        for (candidate, (_id, symbol)) in CANDIDATES.into_iter().enumerate() {
            if symbol == of {
                self.change(candidate, |plan| plan.facts = facts.clone());
            }
        }
    }

    fn store(&mut self, of: usize, state: CandidateState, refused: Option<LogicalTime>) {
        let watch_until = LogicalTime::from_micros(BEGIN_US + 3_600 * SECOND_US);
        self.change(of, |plan| {
            plan.stored = Some(StoredCandidate {
                symbol: plan.event.symbol,
                state,
                cooldown_until: Some(plan.event.exit),
                watch_until: Some(watch_until),
                blocked: refused.map(|_| ("G3".into(), "too heavy".into())),
                refused,
            });
        });
    }

    /// Returns when a candidate decided on its last order, where nobody has told of that.
    fn untold(&self, of: usize) -> Option<LogicalTime> {
        self.submitted[of].filter(|_| self.ordered[of] != self.submitted[of])
    }

    /// Tells of the last order of a candidate. Returns whether nobody had.
    fn order(&mut self, of: usize) -> bool {
        let Some(submitted) = self.untold(of) else {
            return false;
        };
        self.ordered[of] = Some(submitted);
        let bought = (submitted.seoul_day(), self.plans[of].event.id.clone());
        self.change_symbol(CANDIDATES[of].1, |facts| {
            facts.purchases.push(bought);
            facts.is_bought = true;
        });
        true
    }

    /// Takes in a step at `now`; a tick leads to no facts.
    pub(super) fn take(&mut self, now: LogicalTime, step: &Step) {
        match *step {
            Step::Tick(..) => {}
            Step::Symbol(of, is_held, is_bought, is_ranked) => self.change_symbol(of, |facts| {
                (facts.is_held, facts.is_bought) = (is_held, is_bought);
                facts.ranked_as_of = is_ranked.then(|| now.seoul_day());
            }),
            Step::Rule(of, rule) => self.change(of, |plan| plan.rules = rules(rule)),
            Step::Expire(of) => self.change(of, |plan| plan.expired_by = Some("kim".into())),
            Step::Order(of) => {
                if self.order(of) {
                    self.store(of, CandidateState::Ready, None);
                }
            }
            Step::Enter(of) => {
                self.order(of);
                if self.submitted[of].is_some() {
                    self.change_symbol(CANDIDATES[of].1, |facts| {
                        (facts.is_held, facts.is_bought) = (true, false);
                    });
                    self.store(of, CandidateState::Entered, None);
                }
            }
            Step::Refuse(of) => {
                if let Some(submitted) = self.untold(of) {
                    self.submitted[of] = None;
                    self.store(of, CandidateState::Watch, Some(submitted));
                }
            }
            Step::Mode(of) => self.put("mode", Some(SceneFact::Mode(MODES[of]))),
            Step::Regime(of, seconds) => {
                let row = RegimeOverride {
                    regime: Regime::ALL[of],
                    until: now.plus_micros(seconds * SECOND_US),
                };
                self.put("regime", Some(SceneFact::Override(row)));
            }
            Step::Window(after_s) => {
                let begin_s = LogicalTime::from_micros(BEGIN_US).seoul_second_of_day();
                let window = PauseWindow {
                    from_s: begin_s + after_s,
                    until_s: begin_s + after_s + 30,
                };
                self.put("window", Some(SceneFact::Window("w".into(), window)));
            }
            Step::NoWindow => self.put("window", None),
            Step::Limits(most) => {
                let limits = most.map(|most| ReentryLimits {
                    positions_max: (most > 0).then_some(most),
                    ..ReentryLimits::default()
                });
                self.put("limits", limits.map(SceneFact::Limits));
            }
            Step::Positions(count) => self.put("positions", Some(SceneFact::Positions(count))),
        }
    }
}
