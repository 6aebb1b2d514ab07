//! Plans: everything that decides about one live position, joined.
//!
//! ```text
//! rules ──┬─ own, by symbol, by strategy, default ─> most specific ─┐
//! positions ─⋈─ states ──────────────────────────────────────────────┴⋈─ contexts ─⋈─ control ─> plans
//! ```
//!
//! Arrangements: positions by id and by what rules choose them by (one entry a live position),
//! rules by id (one entry a rule), contexts by symbol (one entry a symbol), control (one entry).
//! A rule edit changes exactly the plans of the positions that use the rule, at one logical time.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::Rows;
use crate::model::{
    ExitMode, Position, PositionId, PositionState, Price, Profile, ProfileId, Symbol,
};

/// How specifically a rule was chosen. The first in this order wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum RuleLevel {
    /// The position names it.
    Position,
    /// It is the override of the symbol.
    Symbol,
    /// It is the mapping of the strategy.
    Strategy,
    /// It serves every position.
    Default,
}

impl RuleLevel {
    /// Returns the name in the database and in explanations.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Position => "POSITION",
            Self::Symbol => "SYMBOL",
            Self::Strategy => "STRATEGY",
            Self::Default => "DEFAULT",
        }
    }
}

impl fmt::Display for RuleLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Whom a rule serves.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum RuleScope {
    /// Every position.
    Default,
    /// Those of one strategy.
    Strategy(Arc<str>),
    /// Those of one symbol.
    Symbol(Symbol),
    /// Those that name it.
    Position,
}

/// One active row of `trade.exit_rules`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ExitRule {
    /// Identity.
    pub id: ProfileId,
    /// Whom it serves without being named.
    pub scope: RuleScope,
    /// Version of the row.
    pub version: u32,
    /// The rules.
    pub profile: Arc<Profile>,
}

/// What is known of a symbol for the whole session.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct SymbolContext {
    /// ATR ÷ close of the day before, in millionths.
    pub atr_pct_millionths: Option<i64>,
    /// Close of the day before.
    pub prev_close: Option<Price>,
}

/// Everything that decides about one live position.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct Plan {
    /// The position row.
    pub(crate) position: Position,
    /// Its phase and floor.
    pub(crate) state: PositionState,
    /// The rule in force.
    pub(crate) rule: ExitRule,
    /// What chose the rule.
    pub(crate) level: RuleLevel,
    /// ATR and previous close of the symbol.
    pub(crate) context: SymbolContext,
    /// Control mode.
    pub(crate) mode: ExitMode,
}

/// Collections that plans are made from. At most one row per key at any time.
pub struct PlanInputs<'s> {
    /// Position rows, live or not.
    pub positions: Rows<'s, (PositionId, Position)>,
    /// Phase and floor of each.
    pub states: Rows<'s, (PositionId, PositionState)>,
    /// Active rules.
    pub rules: Rows<'s, (ProfileId, ExitRule)>,
    /// ATR and previous close; a symbol without a row has neither.
    pub contexts: Rows<'s, (Symbol, SymbolContext)>,
    /// The control mode.
    pub control: Rows<'s, ((), ExitMode)>,
}

/// Renders the plans of all live positions, and the live positions without any rule: those are
/// held, and somebody must be told.
pub(super) fn render<'s>(inputs: PlanInputs<'s>) -> (Rows<'s, Plan>, Rows<'s, PositionId>) {
    let live = inputs.positions.filter(|(_id, position)| position.is_live);
    let rules_by_id = inputs
        .rules
        .clone()
        .arrange_by_key_named("plans: rules by id");

    let own = live
        .clone()
        .flat_map(|(id, position)| position.profile.map(|profile| (profile, id)))
        .arrange_by_key_named("plans: positions by own rule")
        .join_core(rules_by_id.clone(), |rule, id, _row| {
            [(id.clone(), (RuleLevel::Position, rule.clone()))]
        });
    let of_symbol = by_symbol(&live, &inputs.rules);
    let of_strategy = by_strategy(&live, &inputs.rules);
    let default = by_default(&live, &inputs.rules);

    let chosen = own
        .concatenate([of_symbol, of_strategy, default])
        .reduce_named(
            "plans: most specific rule by position",
            |_id, candidates, winner| {
                let choice: &(RuleLevel, ProfileId) = candidates[0].0; // By level, then lower id.
                winner.push((choice.clone(), 1));
            },
        );
    let unruled = live
        .clone()
        .antijoin(chosen.clone().map(|(id, _choice)| id))
        .map(|(id, _row)| id)
        .consolidate();
    let resolved = chosen
        .map(|(id, (level, rule))| (rule, (id, level)))
        .arrange_by_key_named("plans: choices by rule")
        .join_core(rules_by_id, |_rule, (id, level), row| {
            [(id.clone(), (*level, row.clone()))]
        });

    let contexts = contexts_of(&live, inputs.contexts);
    let plans = live
        .join(inputs.states)
        .join(resolved)
        .map(|(_id, (held, ruled))| (held.0.symbol, (held, ruled)))
        .join(contexts)
        .map(|(_symbol, (row, context))| ((), (row, context)))
        .join_map(
            inputs.control,
            |_key, (((position, state), (level, rule)), context), mode| Plan {
                position: position.clone(),
                state: state.clone(),
                rule: rule.clone(),
                level: *level,
                context: *context,
                mode: *mode,
            },
        );
    (plans, unruled)
}

type Choices<'s> = Rows<'s, (PositionId, (RuleLevel, ProfileId))>;
type Positions<'s> = Rows<'s, (PositionId, Position)>;
type Rules<'s> = Rows<'s, (ProfileId, ExitRule)>;

fn by_symbol<'s>(live: &Positions<'s>, rules: &Rules<'s>) -> Choices<'s> {
    let overrides = rules.clone().flat_map(|(id, rule)| match rule.scope {
        RuleScope::Symbol(symbol) => Some((symbol, id)),
        RuleScope::Default | RuleScope::Strategy(_) | RuleScope::Position => None,
    });
    live.clone()
        .map(|(id, position)| (position.symbol, id))
        .join_map(overrides, |_symbol, id, rule| {
            (id.clone(), (RuleLevel::Symbol, rule.clone()))
        })
}

fn by_strategy<'s>(live: &Positions<'s>, rules: &Rules<'s>) -> Choices<'s> {
    let mappings = rules.clone().flat_map(|(id, rule)| match rule.scope {
        RuleScope::Strategy(strategy) => Some((strategy, id)),
        RuleScope::Default | RuleScope::Symbol(_) | RuleScope::Position => None,
    });
    live.clone()
        .map(|(id, position)| (position.strategy, id))
        .join_map(mappings, |_name, id, rule| {
            (id.clone(), (RuleLevel::Strategy, rule.clone()))
        })
}

fn by_default<'s>(live: &Positions<'s>, rules: &Rules<'s>) -> Choices<'s> {
    let defaults = rules.clone().flat_map(|(id, rule)| match rule.scope {
        RuleScope::Default => Some(((), id)),
        RuleScope::Strategy(_) | RuleScope::Symbol(_) | RuleScope::Position => None,
    });
    live.clone()
        .map(|(id, _position)| ((), id))
        .join_map(defaults, |_key, id, rule| {
            (id.clone(), (RuleLevel::Default, rule.clone()))
        })
}

/// Returns one context per symbol held: the row there is, or an empty one.
fn contexts_of<'s>(
    live: &Positions<'s>,
    contexts: Rows<'s, (Symbol, SymbolContext)>,
) -> Rows<'s, (Symbol, SymbolContext)> {
    live.clone()
        .map(|(_id, position)| position.symbol)
        .distinct()
        .map(|symbol| (symbol, None))
        .concat(contexts.map(|(symbol, context)| (symbol, Some(context))))
        .reduce_named("plans: context by symbol", |_symbol, rows, output| {
            let last = rows[rows.len() - 1].0; // `None` sorts before any row.
            output.push((last.unwrap_or_default(), 1));
        })
}
