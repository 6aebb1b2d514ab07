//! What the oracle takes in: the rows of the store, as plain values.

use std::sync::Arc;

use serde_json::Value;
use turnstile_dataflows::model::{
    ExitMode, ExitOrder, LogicalTime, ManualSale, Phase, Position, PositionId, Price, ProfileId,
    Symbol, Tick,
};

use super::exact::Won;

/// One event. Its logical time stands beside it.
#[derive(Clone, Debug)]
pub enum News {
    /// A trade.
    Tick(Tick),
    /// Rows that changed together.
    Rows(Vec<Row>),
    /// The last price of a symbol was confirmed unchanged.
    Confirmed(Symbol),
    /// A second has passed.
    Clock,
}

/// The row that now stands under a key.
#[derive(Clone, Debug)]
pub enum Row {
    /// A position. A new one comes with its state.
    Position(Position),
    /// What fills have made of a position.
    State(PositionId, State),
    /// A rule, or none where it was removed.
    Rule(ProfileId, Option<Rule>),
    /// What is known of a symbol for the session.
    Context(Symbol, Context),
    /// The control mode.
    Mode(ExitMode),
    /// What has become of a decision.
    Order(ExitOrder),
    /// What the operator asks to sell, or none where the request is over.
    Manual(Arc<str>, Option<ManualSale>),
}

/// Phase and floor of a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct State {
    /// Phase.
    pub phase: Phase,
    /// Stop floor.
    pub floor: Option<Won>,
    /// High-water mark so far; counts only where the position is new.
    pub mark: Option<Price>,
}

impl Default for State {
    fn default() -> Self {
        Self {
            phase: Phase::Open,
            floor: None,
            mark: None,
        }
    }
}

/// A rule of exits.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Whom it serves without being named.
    pub scope: Scope,
    /// Version of the row.
    pub version: u32,
    /// The profile.
    pub profile: Value,
}

/// Whom a rule serves without being named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Nobody.
    Position,
    /// The positions of a symbol.
    Symbol(Symbol),
    /// The positions of a strategy.
    Strategy(Arc<str>),
    /// Everybody.
    Default,
}

/// What is known of a symbol for the session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Context {
    /// ATR ÷ close of the day before, in millionths.
    pub atr_pct: Option<i64>,
    /// Close of the day before.
    pub prev_close: Option<Price>,
}

/// Where fills come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fills {
    /// From outside, as rows.
    Reported,
    /// Each decision is filled whole at once.
    Immediate,
    /// Nothing fills; what a full stop cancels is gone at once.
    None,
}

/// A decision of the oracle, with the inputs it was made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Logical time of the event.
    pub time: LogicalTime,
    /// Whose shares are sold.
    pub position: PositionId,
    /// What is sold.
    pub symbol: Symbol,
    /// Code of the reason; the two custom reasons apart.
    pub reason: &'static str,
    /// Phase before the decision.
    pub phase: Phase,
    /// Shares.
    pub qty: i64,
    /// Evaluation price.
    pub price: Price,
    /// The price that had to be reached.
    pub level: Price,
    /// Action key.
    pub action_key: String,
    /// Action keys of the orders to cancel first.
    pub cancels: Vec<String>,
    /// What it was made from.
    pub inputs: Inputs,
}

/// What a decision was made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inputs {
    /// Custom rule, or request of the operator.
    pub rule_id: Option<Arc<str>>,
    /// Cycle of the position.
    pub cycle: u32,
    /// Attempt.
    pub attempt: u32,
    /// The tick that gave the price.
    pub tick: LogicalTime,
    /// Version of the position row.
    pub position_version: u32,
    /// Shares held.
    pub remaining: i64,
    /// Shares that could be sold.
    pub available: i64,
    /// Average cost.
    pub avg: Price,
    /// The rule in force, its version, and what chose it.
    pub rule: (ProfileId, u32, &'static str),
    /// What is known of the symbol.
    pub context: Context,
    /// High-water mark.
    pub mark: Option<Price>,
    /// Floor.
    pub floor: Option<Won>,
    /// Slot in which the run of breaches began, for the debounced triggers.
    pub slot: Option<u64>,
    /// Control mode.
    pub mode: ExitMode,
}
