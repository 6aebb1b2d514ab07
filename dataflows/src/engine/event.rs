//! What the engine takes in: ticks, and rows that anybody changed.

use std::sync::Arc;

use crate::exit::{ExitRule, SymbolContext};
use crate::model::{
    ExitEventId, ExitMode, ExitOrder, LogicalTime, Position, PositionId, PositionState, ProfileId,
    ReentryMode, Symbol, Tick,
};
use crate::reentry::{CandidateState, ExitEvent, ReentryRule};

/// One event at its logical time. Times are strictly increasing.
#[derive(Clone, Debug)]
pub struct Timed {
    /// When it happened.
    pub time: LogicalTime,
    /// What happened.
    pub event: Event,
}

/// What happened.
#[derive(Clone, Debug)]
pub enum Event {
    /// A trade. Its time is that of the event.
    Tick(Tick),
    /// The rows that one transaction of the store changed. A key appears at most once.
    Changes(Vec<Change>),
    /// A second has passed.
    Clock,
}

/// The row that now stands under a key.
#[derive(Clone, Debug)]
pub enum Change {
    /// A position.
    Position(Position),
    /// Phase and floor of a position.
    PositionState(PositionId, PositionState),
    /// An exit rule; none where it is inactive or gone.
    ExitRule(ProfileId, Option<ExitRule>),
    /// ATR and previous close of a symbol.
    Context(Symbol, SymbolContext),
    /// The control mode of exits.
    ExitMode(ExitMode),
    /// An exit order with what has become of it.
    ExitOrder(ExitOrder),
    /// An exit event.
    ExitEvent(ExitEvent),
    /// A re-entry candidate.
    Candidate(ExitEventId, Symbol, CandidateState),
    /// A re-entry rule; none where it is inactive or gone.
    ReentryRule(Arc<str>, Option<ReentryRule>),
    /// An entry order: symbol, candidate, and the time it was decided.
    Entry(Symbol, ExitEventId, LogicalTime),
    /// The control mode of re-entries.
    ReentryMode(ReentryMode),
}
