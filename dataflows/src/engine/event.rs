//! What the engine takes in: ticks, and rows that anybody changed.

use std::sync::Arc;

use crate::exit::{ExitRule, SymbolContext};
use crate::model::{
    ExitEventId, ExitMode, ExitOrder, LogicalTime, ManualSale, Position, PositionId, PositionState,
    ProfileId, ReentryMode, RegimeOverride, RegimeSnapshot, SaleResult, Symbol, Tick,
};
use crate::price::{Quote, Session, Taken};
use crate::reentry::{
    Equity, ExitEvent, PauseWindow, Purchase, ReentryLimits, ReentryRule, StoredCandidate, Underway,
};
use crate::risk::{RiskLimits, RiskProfile};
use crate::slots::Wish;

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
    /// A price that was asked for, and what it came to at the door. One that confirms renews the age of
    /// the price and is no tick (decision contract, 2.12).
    Quote(Quote, Taken),
    /// A session begins: what is received from now on grows old by its limits.
    Session(Session),
    /// A second has passed.
    Clock,
    /// Levels that have changed may be told, at most so many rows, those nearest to firing first.
    Levels(usize),
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
    /// What the operator asks to sell; none where the request is over.
    ManualSale(Arc<str>, Option<ManualSale>),
    /// The question which positions would sell now if the rule stood; none where it was answered.
    Preview(Arc<str>, Option<ExitRule>),
    /// An exit event.
    ExitEvent(ExitEvent),
    /// What a sale brought.
    Sale(SaleResult),
    /// A re-entry candidate.
    Candidate(ExitEventId, StoredCandidate),
    /// Who asks that a candidate expires.
    Expiry(ExitEventId, Arc<str>),
    /// A re-entry rule; none where it is inactive or gone.
    ReentryRule(Arc<str>, Option<ReentryRule>),
    /// A purchase of a candidate, by its action key.
    Purchase(Arc<str>, Purchase),
    /// A symbol of which nothing is bought back, until when, exclusive; none where it is free.
    Blacklist(Symbol, Option<LogicalTime>),
    /// A symbol that the newest ranking of the daily strategy selects, by the day in Seoul that this is
    /// of, counted from 1970-01-01; none where it does not select it any more.
    Ranked(Symbol, Option<u64>),
    /// The control mode of re-entries.
    ReentryMode(ReentryMode),
    /// A time of day without entries; none where it is gone.
    PauseWindow(Arc<str>, Option<PauseWindow>),
    /// The limits of re-entries; none where their row is gone.
    ReentryLimits(Option<ReentryLimits>),
    /// Limits of risk by the identity of their row; none where it is gone.
    RiskLimits(i64, Option<RiskLimits>),
    /// The risk profile in force; none where none is.
    RiskProfile(Option<RiskProfile>),
    /// What the account is worth; none where nobody says so any more. What is older than the last, or
    /// more than five minutes ahead, counts for nothing.
    Equity(Option<Equity>),
    /// A purchase under way, by action key; none where it is over.
    Underway(Arc<str>, Option<Underway>),
    /// A regime snapshot. One that is older than the last, or more than five minutes ahead, counts for
    /// nothing.
    Regime(RegimeSnapshot),
    /// The regime that the operator sets; none where producers decide.
    RegimeOverride(Option<RegimeOverride>),
    /// Why the price of a symbol is wanted; none where it is not any more.
    Wish(Symbol, Option<Wish>),
    /// How many symbols can be streamed.
    Slots(usize),
}

impl Change {
    /// Returns whether the exits depend on a row.
    pub(super) fn concerns_exits(&self) -> bool {
        match self {
            Self::Position(_)
            | Self::PositionState(..)
            | Self::ExitRule(..)
            | Self::Context(..)
            | Self::ExitMode(_)
            | Self::ExitOrder(_)
            | Self::ManualSale(..)
            | Self::Preview(..) => true,
            Self::ExitEvent(_)
            | Self::Sale(_)
            | Self::Candidate(..)
            | Self::Expiry(..)
            | Self::ReentryRule(..)
            | Self::Purchase(..)
            | Self::Blacklist(..)
            | Self::Ranked(..)
            | Self::ReentryMode(_)
            | Self::PauseWindow(..)
            | Self::ReentryLimits(_)
            | Self::RiskLimits(..)
            | Self::RiskProfile(_)
            | Self::Equity(_)
            | Self::Underway(..)
            | Self::Regime(_)
            | Self::RegimeOverride(_)
            | Self::Wish(..)
            | Self::Slots(_) => false,
        }
    }

    /// Returns whether the re-entries depend on a row.
    pub(super) fn concerns_reentries(&self) -> bool {
        let concerns_both = matches!(
            self,
            Self::Position(_) | Self::PositionState(..) | Self::Context(..)
        );
        concerns_both || !(self.concerns_exits() || self.concerns_slots())
    }

    /// Returns whether it depends on a row who is streamed.
    pub(super) fn concerns_slots(&self) -> bool {
        matches!(self, Self::Wish(..) | Self::Slots(_))
    }
}
