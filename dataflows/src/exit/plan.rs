//! Plans: everything that decides about one live position, joined.
//!
//! ```text
//! positions ─⋈─ strategies that rules name ─> positions by kind ───────────────────┐
//!                        └> kinds ─⋈─ rules and previewed rules ─> rule by kind    │
//!                           contexts ─⋈─ control ─────────────────────⋈─> outlooks ⋈─> plans
//! ```
//!
//! A rule is resolved once for each kind of position (own profile, symbol, and the strategy where a
//! rule names it), of which there are about as many as symbols, not for each position. So a rule edit
//! changes exactly the plans of the positions that use the rule, at one logical time, and costs
//! nothing for the others.
//! A previewed rule competes for the kinds it would serve under an owner of its own; where it wins,
//! it gives what-if plans beside the real ones.
//!
//! Arrangements: positions by strategy and by kind (one entry a live position in each, a reference to
//! its row); strategies; kinds, and kinds by what chooses rules (up to four entries a kind); candidates, choices and outlooks by kind (a
//! few entries a kind); rules, contexts, control (a few entries a row).

use std::collections::BTreeSet;
use std::sync::Arc;

use differential_dataflow::operators::ThresholdTotal;
use serde::{Deserialize, Serialize};

use crate::Rows;
use crate::model::{PositionId, PositionRow, ProfileId, Symbol};

use super::choice::{Choice, Chooser, Kind, Owner};
use super::rule::{ExitControl, ExitRule, RuleScope, SymbolContext, Terms};

/// The plan of one live position; without terms where no rule serves it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct Plan {
    pub(crate) row: Arc<PositionRow>,
    pub(crate) terms: Option<Arc<Terms>>,
    pub(crate) owner: Owner,
}

/// Collections that plans are made from. At most one row per key at any time.
pub(crate) struct PlanInputs<'s> {
    /// Live positions.
    pub(crate) positions: Rows<'s, (PositionId, Arc<PositionRow>)>,
    /// Active rules.
    pub(crate) rules: Rows<'s, (ProfileId, Arc<ExitRule>)>,
    /// ATR and previous close: one row for every symbol held, perhaps an empty one.
    pub(crate) contexts: Rows<'s, (Symbol, SymbolContext)>,
    /// The control mode.
    pub(crate) control: Rows<'s, ((), ExitControl)>,
    /// Rules that are asked about, by request.
    pub(crate) previews: Rows<'s, (Arc<str>, Arc<ExitRule>)>,
}

/// Renders the plans of all live positions, and the live positions without any rule: those are
/// held, and somebody must be told.
pub(super) fn render<'s>(inputs: PlanInputs<'s>) -> (Rows<'s, Plan>, Rows<'s, PositionId>) {
    let rules = inputs.rules.map(|(_id, rule)| (None, rule));
    let previews = inputs.previews.map(|(request, rule)| (Some(request), rule));
    let rules = rules.concat(previews);
    let by_kind =
        kinds_of(inputs.positions, &rules).arrange_by_key_named("plans: positions by kind");
    let kinds = by_kind
        .clone()
        .as_collection(|kind, _row| kind.clone())
        .distinct_total();
    let chosen = choose(&kinds, rules);
    let surroundings = inputs
        .contexts
        .map(|(symbol, context)| ((), (symbol, context)))
        .join_map(inputs.control, |_key, (symbol, context), control| {
            (*symbol, (*context, *control))
        });
    let outlooks = chosen
        .map(|(kind, choice)| (kind.symbol, (kind, choice)))
        .join_map(surroundings, |_symbol, (kind, choice), surroundings| {
            let owner = choice.as_ref().and_then(|choice| choice.owner.clone());
            (
                kind.clone(),
                (owner, Terms::of(choice.as_ref(), *surroundings)),
            )
        })
        .arrange_by_key_named("plans: outlooks by kind");
    let plans = by_kind.join_core(outlooks, |_kind, row, (owner, terms)| {
        [Plan {
            row: row.clone(),
            terms: terms.clone(),
            owner: owner.clone(),
        }]
    });
    // A change of the row, the context or the mode leaves a position as unruled as it was.
    let unruled = plans
        .clone()
        .flat_map(|plan| plan.terms.is_none().then(|| plan.row.position.id.clone()))
        .consolidate();
    (plans, unruled)
}

impl Terms {
    fn of(
        choice: Option<&Choice>,
        (context, control): (SymbolContext, ExitControl),
    ) -> Option<Arc<Self>> {
        choice.map(|choice| {
            Arc::new(Self {
                rule: choice.rule.clone(),
                level: choice.level,
                context,
                control,
            })
        })
    }
}

/// Returns the positions by kind. Only a strategy that some rule names tells kinds apart: strategies
/// are many, and each would be resolved for every symbol.
fn kinds_of<'s>(
    positions: Rows<'s, (PositionId, Arc<PositionRow>)>,
    rules: &Rows<'s, (Owner, Arc<ExitRule>)>,
) -> Rows<'s, (Kind, Arc<PositionRow>)> {
    let by_strategy = positions
        .map(|(_id, row)| (row.position.strategy.clone(), row))
        .arrange_by_key_named("plans: positions by strategy");
    let held = by_strategy
        .clone()
        .as_collection(|strategy, _row| strategy.clone())
        .distinct_total();
    let named = rules
        .clone()
        .flat_map(|(_owner, rule)| match &rule.scope {
            RuleScope::Strategy(name) => Some(name.clone()),
            RuleScope::Default | RuleScope::Symbol(_) | RuleScope::Position => None,
        })
        .distinct_total();
    let is_named = held
        .map(|strategy| (strategy, false))
        .concat(named.map(|strategy| (strategy, true)))
        .reduce_named("plans: strategies that rules name", |_key, named, is| {
            is.push((named.iter().any(|(named, _diff)| **named), 1));
        })
        .arrange_by_key_named("plans: strategies by name");
    by_strategy.join_core(is_named, |_strategy, row, is_named| {
        [(Kind::of(row, *is_named), row.clone())]
    })
}

/// Returns the rule in force for each kind, or none; and every previewed rule that would be in force
/// if it stood, in place of an older version of itself.
fn choose<'s>(
    kinds: &Rows<'s, Kind>,
    rules: Rows<'s, (Owner, Arc<ExitRule>)>,
) -> Rows<'s, (Kind, Option<Choice>)> {
    let candidates = kinds
        .clone()
        .flat_map(|kind| {
            let choosers: Vec<_> = kind.choosers().collect();
            let of = move |(level, chooser)| (chooser, (kind.clone(), level));
            choosers.into_iter().map(of)
        })
        .join_map(
            rules.flat_map(|(owner, rule)| {
                let choosers: Vec<_> = Chooser::of(&rule).collect();
                let of = move |chooser| (chooser, (owner.clone(), rule.clone()));
                choosers.into_iter().map(of)
            }),
            |_chooser, (kind, level), (owner, rule)| {
                let choice = Choice {
                    level: *level,
                    rule: rule.clone(),
                    owner: owner.clone(),
                };
                (kind.clone(), Some(choice))
            },
        );
    candidates
        .concat(kinds.clone().map(|kind| (kind, None)))
        .reduce_named(
            "plans: rule in force by kind",
            |_kind, candidates, chosen| {
                let choices = candidates
                    .iter()
                    .filter_map(|(choice, _diff)| choice.as_ref());
                let (real, asked): (Vec<_>, Vec<_>) =
                    choices.partition(|choice| choice.owner.is_none());
                chosen.push((real.first().map(|choice| (*choice).clone()), 1));
                // A rule that serves a kind in two ways does so at the stronger level.
                let mut owners = BTreeSet::new();
                chosen.extend(asked.into_iter().filter_map(|asked| {
                    let others = real.iter().filter(|other| other.rule.id != asked.rule.id);
                    let mut stronger = others.filter(|other| {
                        (other.level, &other.rule.id) < (asked.level, &asked.rule.id)
                    });
                    let wins = owners.insert(&asked.owner) && stronger.next().is_none();
                    wins.then(|| (Some(asked.clone()), 1))
                }));
            },
        )
}
