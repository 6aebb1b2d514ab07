//! Plans: everything that decides about one live position, joined.
//!
//! ```text
//! positions ─ kinds ─┬─⋈─ rules by id, symbol, strategy, nothing ─┐
//!     │              └─⋈─ previewed rules ────────────────────────┴─> most specific rule by kind
//!     │                                                  ─⋈─ contexts ─⋈─ control ─> terms by kind
//!     └──────────────────────── positions by kind ─⋈─ terms by kind ─> plans
//! ```
//!
//! A rule is resolved once for each kind of position (own profile, symbol, strategy), of which there
//! are as many as symbols and strategies, not for each position. So a rule edit changes exactly the
//! plans of the positions that use the rule, at one logical time, and costs nothing for the others.
//! A previewed rule competes for the kinds it would serve under an owner of its own; where it wins,
//! it gives what-if plans beside the real ones.
//!
//! Arrangements: positions by kind (one entry a live position, a reference to its row); kinds by
//! own profile, symbol, strategy, nothing, and candidates, winners and terms by kind (one entry a
//! kind each); rules, contexts, control (one entry a row).

use std::sync::Arc;

use differential_dataflow::operators::ThresholdTotal;
use serde::{Deserialize, Serialize};

use crate::Rows;
use crate::model::{PositionId, PositionRow, ProfileId, Symbol};

use super::rule::{ExitControl, ExitRule, RuleLevel, RuleScope, SymbolContext, Terms};

/// What chooses the rule of a position.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct Kind {
    symbol: Symbol,
    profile: Option<ProfileId>,
    strategy: Arc<str>,
}

/// Whose plan it is: the position's own, or the question of a preview.
pub(crate) type Owner = Option<Arc<str>>;

/// The plan of one live position.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct Plan {
    pub(crate) row: Arc<PositionRow>,
    pub(crate) terms: Arc<Terms>,
    pub(crate) owner: Owner,
}

/// Collections that plans are made from. At most one row per key at any time.
pub struct PlanInputs<'s> {
    /// Live positions.
    pub positions: Rows<'s, (PositionId, Arc<PositionRow>)>,
    /// Active rules.
    pub rules: Rows<'s, (ProfileId, Arc<ExitRule>)>,
    /// ATR and previous close; a symbol without a row has neither.
    pub contexts: Rows<'s, (Symbol, SymbolContext)>,
    /// The control mode.
    pub control: Rows<'s, ((), ExitControl)>,
    /// Rules that are asked about, by request.
    pub previews: Rows<'s, (Arc<str>, Arc<ExitRule>)>,
}

type Kinds<'s> = Rows<'s, Kind>;
type Rules<'s> = Rows<'s, (ProfileId, Arc<ExitRule>)>;
type Choice = (RuleLevel, Arc<ExitRule>);
type Candidates<'s> = Rows<'s, (Kind, Choice)>;

/// Renders the plans of all live positions, and the live positions without any rule: those are
/// held, and somebody must be told.
pub(super) fn render<'s>(inputs: PlanInputs<'s>) -> (Rows<'s, Plan>, Rows<'s, PositionId>) {
    let by_kind = inputs
        .positions
        .map(|(_id, row)| (Kind::of(&row), row))
        .arrange_by_key_named("plans: positions by kind");
    let kinds = by_kind
        .clone()
        .as_collection(|kind, _row| kind.clone())
        .distinct_total();

    let candidates = candidates(&kinds, &inputs.rules);
    let previewed = previewed(&kinds, inputs.previews, &candidates);
    let chosen = candidates
        .map(|(kind, choice)| ((kind, None), choice))
        .concat(previewed)
        .reduce_named(
            "plans: most specific rule by kind",
            |(_kind, _owner), candidates, winner| {
                let choice: &Choice = candidates[0].0; // By level, then lower id.
                winner.push((choice.clone(), 1));
            },
        );
    let ruled = chosen
        .clone()
        .flat_map(|((kind, owner), _choice)| owner.is_none().then_some(kind));
    let unruled = by_kind
        .clone()
        .join_core(
            kinds
                .clone()
                .map(|kind| (kind, ()))
                .antijoin(ruled.distinct_total())
                .arrange_by_key_named("plans: kinds without a rule"),
            |_kind, row, ()| [row.position.id.clone()],
        )
        .consolidate();

    let terms = terms(&kinds, chosen, inputs.contexts, inputs.control)
        .arrange_by_key_named("plans: terms by kind");
    let plans = by_kind.join_core(terms, |_kind, row, (owner, terms)| {
        [Plan {
            row: row.clone(),
            terms: terms.clone(),
            owner: owner.clone(),
        }]
    });
    (plans, unruled)
}

impl Kind {
    fn of(row: &PositionRow) -> Self {
        Self {
            symbol: row.position.symbol,
            profile: row.position.profile.clone(),
            strategy: row.position.strategy.clone(),
        }
    }

    /// Returns how `rule` would serve positions of this kind, if it does.
    fn served_by(&self, rule: &ExitRule) -> Option<RuleLevel> {
        if self.profile.as_ref() == Some(&rule.id) {
            return Some(RuleLevel::Position);
        }
        match &rule.scope {
            RuleScope::Default => Some(RuleLevel::Default),
            RuleScope::Strategy(name) => (*name == self.strategy).then_some(RuleLevel::Strategy),
            RuleScope::Symbol(symbol) => (*symbol == self.symbol).then_some(RuleLevel::Symbol),
            RuleScope::Position => None,
        }
    }
}

/// Returns every rule that serves each kind, with its level.
fn candidates<'s>(kinds: &Kinds<'s>, rules: &Rules<'s>) -> Candidates<'s> {
    let own = kinds
        .clone()
        .flat_map(|kind| kind.profile.clone().map(|profile| (profile, kind)))
        .join_map(rules.clone(), |_id, kind, rule| {
            (kind.clone(), (RuleLevel::Position, rule.clone()))
        });
    let of_symbol = kinds.clone().map(|kind| (kind.symbol, kind)).join_map(
        rules.clone().flat_map(|(_id, rule)| match rule.scope {
            RuleScope::Symbol(symbol) => Some((symbol, rule)),
            RuleScope::Default | RuleScope::Strategy(_) | RuleScope::Position => None,
        }),
        |_symbol, kind, rule| (kind.clone(), (RuleLevel::Symbol, rule.clone())),
    );
    let of_strategy = kinds
        .clone()
        .map(|kind| (kind.strategy.clone(), kind))
        .join_map(
            rules.clone().flat_map(|(_id, rule)| match &rule.scope {
                RuleScope::Strategy(strategy) => Some((strategy.clone(), rule)),
                RuleScope::Default | RuleScope::Symbol(_) | RuleScope::Position => None,
            }),
            |_name, kind, rule| (kind.clone(), (RuleLevel::Strategy, rule.clone())),
        );
    let default = kinds.clone().map(|kind| ((), kind)).join_map(
        rules.clone().flat_map(|(_id, rule)| match rule.scope {
            RuleScope::Default => Some(((), rule)),
            RuleScope::Strategy(_) | RuleScope::Symbol(_) | RuleScope::Position => None,
        }),
        |_key, kind, rule| (kind.clone(), (RuleLevel::Default, rule.clone())),
    );
    own.concatenate([of_symbol, of_strategy, default])
}

/// Returns, for each kind that a previewed rule would serve, that rule and its competitors, where
/// the rule would win; under the request as owner.
fn previewed<'s>(
    kinds: &Kinds<'s>,
    previews: Rows<'s, (Arc<str>, Arc<ExitRule>)>,
    candidates: &Candidates<'s>,
) -> Rows<'s, ((Kind, Owner), Choice)> {
    let served = kinds
        .clone()
        .map(|kind| ((), kind))
        .join_map(
            previews.map(|(request, rule)| ((), (request, rule))),
            |_key, kind, (request, rule)| {
                let level = kind.served_by(rule);
                (kind.clone(), (request.clone(), rule.clone(), level))
            },
        )
        .flat_map(|(kind, (request, rule, level))| {
            level.map(|level| (kind, (request, (level, rule))))
        });
    // What is more specific than the previewed rule and not an older version of it.
    let beaten = served
        .clone()
        .join_map(
            candidates.clone(),
            |kind, (request, choice), other: &Choice| {
                let wins =
                    other.1.id != choice.1.id && (other.0, &other.1.id) < (choice.0, &choice.1.id);
                ((kind.clone(), request.clone()), wins)
            },
        )
        .filter(|(_key, wins)| *wins)
        .map(|(key, _wins)| key)
        .distinct_total();
    served
        .map(|(kind, (request, choice))| ((kind, request), choice))
        .antijoin(beaten)
        .map(|((kind, request), choice)| ((kind, Some(request)), choice))
}

/// Returns the terms of each kind: its rule with the context of its symbol and the mode.
fn terms<'s>(
    kinds: &Kinds<'s>,
    chosen: Rows<'s, ((Kind, Owner), Choice)>,
    contexts: Rows<'s, (Symbol, SymbolContext)>,
    control: Rows<'s, ((), ExitControl)>,
) -> Rows<'s, (Kind, (Owner, Arc<Terms>))> {
    let contexts = kinds
        .clone()
        .map(|kind| kind.symbol)
        .distinct_total()
        .map(|symbol| (symbol, None))
        .concat(contexts.map(|(symbol, context)| (symbol, Some(context))))
        .reduce_named("plans: context by symbol", |_symbol, rows, output| {
            let last = rows[rows.len() - 1].0; // `None` sorts before any row.
            output.push((last.unwrap_or_default(), 1));
        });
    chosen
        .map(|((kind, owner), choice)| (kind.symbol, (kind, owner, choice)))
        .join_map(contexts, |_symbol, choice, context| {
            ((), (choice.clone(), *context))
        })
        .join_map(
            control,
            |_key, ((kind, owner, (level, rule)), context), control| {
                let terms = Terms {
                    rule: rule.clone(),
                    level: *level,
                    context: *context,
                    control: *control,
                };
                (kind.clone(), (owner.clone(), Arc::new(terms)))
            },
        )
}
