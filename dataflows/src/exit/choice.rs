//! Which rule serves a position: of those that would, the most specific one, taken whole.
//!
//! The join of [`plan`](super::plan) and [`rules_serving`] go by the same choosers and the same order of
//! choices; a test holds them to each other.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::model::{PositionRow, ProfileId, Symbol};

use super::rule::{ExitRule, RuleLevel, RuleScope};

/// What chooses the rule of a position.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct Kind {
    pub(super) symbol: Symbol,
    profile: Option<ProfileId>,
    /// Its strategy, where any rule serves that.
    strategy: Option<Arc<str>>,
}

/// Whose plan it is: the position's own, or the question of a preview.
pub(crate) type Owner = Option<Arc<str>>;

/// What a rule is chosen by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(super) enum Chooser {
    Own(ProfileId),
    Symbol(Symbol),
    Strategy(Arc<str>),
    Anything,
}

/// A rule that would serve a kind of position. The first in this order wins among those of one
/// owner: by level, then by the lower id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(super) struct Choice {
    pub(super) level: RuleLevel,
    pub(super) rule: Arc<ExitRule>,
    pub(super) owner: Owner,
}

impl Kind {
    pub(super) fn of(row: &PositionRow, is_strategy_named: bool) -> Self {
        let position = &row.position;
        Self {
            symbol: position.symbol,
            profile: position.profile.clone(),
            strategy: is_strategy_named.then(|| position.strategy.clone()),
        }
    }

    pub(super) fn choosers(&self) -> impl Iterator<Item = (RuleLevel, Chooser)> {
        let own = self.profile.clone().map(Chooser::Own);
        let strategy = self.strategy.clone().map(Chooser::Strategy);
        [
            own.map(|own| (RuleLevel::Position, own)),
            Some((RuleLevel::Symbol, Chooser::Symbol(self.symbol))),
            strategy.map(|strategy| (RuleLevel::Strategy, strategy)),
            Some((RuleLevel::Default, Chooser::Anything)),
        ]
        .into_iter()
        .flatten()
    }
}

impl Chooser {
    /// Returns what chooses `rule`: whoever names it, and whom it serves.
    pub(super) fn of(rule: &ExitRule) -> impl Iterator<Item = Self> {
        let scope = match &rule.scope {
            RuleScope::Default => Some(Self::Anything),
            RuleScope::Strategy(name) => Some(Self::Strategy(name.clone())),
            RuleScope::Symbol(symbol) => Some(Self::Symbol(*symbol)),
            RuleScope::Position => None,
        };
        [Self::Own(rule.id.clone())].into_iter().chain(scope)
    }
}

/// Returns those of the active `rules` that would serve a position of `symbol` and `strategy` that names
/// `profile`, each once with the level at which it would: the one in force first, then in the order in
/// which they would follow it.
pub fn rules_serving(
    symbol: Symbol,
    strategy: &str,
    profile: Option<&ProfileId>,
    rules: impl IntoIterator<Item = Arc<ExitRule>>,
) -> Vec<(RuleLevel, Arc<ExitRule>)> {
    let kind = Kind {
        symbol,
        profile: profile.cloned(),
        strategy: Some(strategy.into()),
    };
    let levels = kind.choosers().map(|(level, chooser)| (chooser, level));
    let levels: BTreeMap<Chooser, RuleLevel> = levels.collect();
    let choices: BTreeSet<Choice> = rules
        .into_iter()
        .flat_map(|rule| {
            let at: Vec<_> = Chooser::of(&rule)
                .filter_map(|chooser| levels.get(&chooser).copied())
                .collect();
            at.into_iter().map(move |level| Choice {
                level,
                rule: rule.clone(),
                owner: None,
            })
        })
        .collect();
    // A rule that serves in two ways does so at the stronger level.
    let mut seen = BTreeSet::new();
    let choices = choices.into_iter();
    choices
        .filter(|choice| seen.insert(choice.rule.id.clone()))
        .map(|choice| (choice.level, choice.rule))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::rc::Rc;

    use proptest::prelude::*;
    use timely::dataflow::ProbeHandle;

    use super::*;
    use crate::model::{LogicalTime, Position, PositionId, PositionMode, PositionState, Quantity};
    use crate::table::Table;
    use crate::{Rows, Time};

    use super::super::plan::{self, PlanInputs};

    const SYMBOLS: [&str; 2] = ["000001", "000002"];
    const STRATEGIES: [&str; 2] = ["A", "B"];
    const RULES: [&str; 4] = ["r0", "r1", "r2", "r3"];

    fn rule(id: &str, scope: RuleScope) -> Arc<ExitRule> {
        Arc::new(ExitRule {
            id: id.parse().unwrap(),
            scope,
            version: 1,
            profile: Arc::default(),
        })
    }

    fn symbol(code: &str) -> Symbol {
        code.parse().unwrap()
    }

    fn chosen(
        code: &str,
        strategy: &str,
        profile: Option<&str>,
        rules: &[Arc<ExitRule>],
    ) -> Vec<(RuleLevel, String)> {
        let profile: Option<ProfileId> = profile.map(|id| id.parse().unwrap());
        let rules = rules.iter().cloned();
        let serving = rules_serving(symbol(code), strategy, profile.as_ref(), rules);
        let serving = serving.into_iter();
        serving
            .map(|(level, rule)| (level, rule.id.to_string()))
            .collect()
    }

    #[test]
    fn the_most_specific_rule_serves_and_the_others_follow() {
        let rules = [
            rule("base", RuleScope::Default),
            rule("of-a", RuleScope::Strategy("A".into())),
            rule("of-one", RuleScope::Symbol(symbol("000001"))),
            rule("own", RuleScope::Position),
        ];
        let order = |levels: &[(RuleLevel, &str)]| -> Vec<(RuleLevel, String)> {
            let levels = levels.iter();
            levels
                .map(|(level, id)| (*level, (*id).to_owned()))
                .collect()
        };
        use RuleLevel::{Default, Position, Strategy, Symbol};
        let all = order(&[
            (Position, "own"),
            (Symbol, "of-one"),
            (Strategy, "of-a"),
            (Default, "base"),
        ]);
        assert_eq!(chosen("000001", "A", Some("own"), &rules), all);
        assert_eq!(chosen("000001", "A", None, &rules), all[1..]);
        assert_eq!(chosen("000001", "A", Some("gone"), &rules), all[1..]);
        assert_eq!(chosen("000002", "A", None, &rules), all[2..]);
        assert_eq!(chosen("000002", "B", None, &rules), all[3..]);
        assert_eq!(chosen("000002", "B", None, &rules[1..]), []);
        // A rule for everybody that the position also names serves once, as its own.
        let named = order(&[(Position, "base"), (Symbol, "of-one"), (Strategy, "of-a")]);
        assert_eq!(chosen("000001", "A", Some("base"), &rules), named);
        let tied = [rule("b", RuleScope::Default), rule("a", RuleScope::Default)];
        assert_eq!(
            chosen("000001", "A", None, &tied),
            order(&[(Default, "a"), (Default, "b")]),
            "the lower id"
        );
    }

    type InForce = BTreeMap<PositionId, Option<(RuleLevel, ProfileId)>>;

    /// The rule of each position as the dataflow has it.
    fn by_dataflow(positions: Vec<Arc<PositionRow>>, rules: Vec<Arc<ExitRule>>) -> InForce {
        timely::execute_directly(move |worker| {
            let said: Rc<RefCell<Vec<(plan::Plan, isize)>>> = Rc::default();
            let probe = ProbeHandle::new();
            let (mut held, mut active, mut contexts, mut control) =
                worker.dataflow::<Time, _, _>(|scope| {
                    let (held, positions) = Table::new(scope);
                    let (active, rules) = Table::new(scope);
                    let (contexts, context_rows) = Table::new(scope);
                    let (control, control_rows) = Table::new(scope);
                    let (_previews, previews): (Table<Arc<str>, Arc<ExitRule>>, Rows<'_, _>) =
                        Table::new(scope);
                    let (plans, _unruled) = plan::render(PlanInputs {
                        positions,
                        rules,
                        contexts: context_rows,
                        control: control_rows,
                        previews,
                    });
                    let told = said.clone();
                    plans
                        .consolidate()
                        .inspect_batch(move |_time, updates| {
                            let updates = updates.iter();
                            let updates = updates.map(|(plan, _time, diff)| (plan.clone(), *diff));
                            told.borrow_mut().extend(updates);
                        })
                        .probe_with(&probe);
                    (held, active, contexts, control)
                });
            for row in &positions {
                held.put(row.position.id.clone(), Some(row.clone()));
                contexts.put(row.position.symbol, Some(Default::default()));
            }
            for rule in &rules {
                active.put(rule.id.clone(), Some(rule.clone()));
            }
            control.put((), Some(Default::default()));
            held.advance(1);
            active.advance(1);
            contexts.advance(1);
            control.advance(1);
            worker.step_while(|| probe.less_than(&1));
            let said = said.borrow();
            assert!(said.iter().all(|(_plan, diff)| *diff == 1));
            let plans = said.iter().map(|(plan, _diff)| {
                let terms = plan.terms.as_ref();
                let in_force = terms.map(|terms| (terms.level, terms.rule.id.clone()));
                (plan.row.position.id.clone(), in_force)
            });
            plans.collect()
        })
    }

    fn scope() -> impl Strategy<Value = RuleScope> {
        prop_oneof![
            Just(RuleScope::Default),
            Just(RuleScope::Position),
            prop::sample::select(&STRATEGIES[..]).prop_map(|name| RuleScope::Strategy(name.into())),
            prop::sample::select(&SYMBOLS[..]).prop_map(|code| RuleScope::Symbol(symbol(code))),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        /// What is said to be in force is what the engine has in force, for every position.
        #[test]
        fn it_is_what_the_dataflow_chooses(
            scopes in prop::collection::vec(scope(), 0..=RULES.len()),
            kinds in prop::collection::vec(
                (
                    prop::sample::select(&SYMBOLS[..]),
                    prop::sample::select(&STRATEGIES[..]),
                    prop::option::of(prop::sample::select(&RULES[..])),
                ),
                1..8,
            ),
        ) {
            let rules = RULES.into_iter().zip(scopes);
            let rules: Vec<_> = rules.map(|(id, scope)| rule(id, scope)).collect();
            let mut expected = InForce::new();
            let mut positions = Vec::new();
            for (number, (code, strategy, profile)) in kinds.into_iter().enumerate() {
                let id: PositionId = format!("p{number}").parse().unwrap();
                let profile: Option<ProfileId> = profile.map(|id| id.parse().unwrap());
                let serving =
                    rules_serving(symbol(code), strategy, profile.as_ref(), rules.iter().cloned());
                let first = serving.first().map(|(level, rule)| (*level, rule.id.clone()));
                expected.insert(id.clone(), first);
                positions.push(Arc::new(PositionRow {
                    position: Position {
                        id,
                        symbol: symbol(code),
                        qty: Quantity::default(),
                        original_qty: Quantity::default(),
                        avg_price: None,
                        entry: LogicalTime::default(),
                        is_live: true,
                        mode: PositionMode::Enabled,
                        profile,
                        strategy: strategy.into(),
                        cycle: 1,
                        version: 1,
                    },
                    state: PositionState::default(),
                }));
            }
            prop_assert_eq!(by_dataflow(positions, rules), expected);
        }
    }
}
