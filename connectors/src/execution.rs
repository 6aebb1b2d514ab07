//! Execution: from a decision to its fills, with the database ahead of the broker at every step.
//!
//! ```text
//!            ┌──────────── PostgreSQL: orders, events, executions, positions ────────────┐
//!            │ commit                 │ commit around each call             │ one commit │
//! engine ─> OrderSink ─> executor ─> Broker ─> notices ─> Fills ─> Ledger ──┘            │
//!                            ▲          ├────> list ────> OrderPoll ─> Ledger ───────────┤
//!                            │          └────> balance ─> Holdings ──> Ledger ───────────┘
//!                            └── session open?
//! ```
//!
//! 1. No order leaves before its row, its SENDING event and its price are durable.
//! 2. An order is never sent twice: an unknown outcome is looked up in the broker's list first.
//! 3. What is filled is told by the ledger alone, in one transaction with the position it moves.
//! 4. The broker is right: what it lists and nobody here ordered moves positions too, and what it
//!    holds is what positions are, once that is proved.
//! 5. Everything here bears to be done twice; a crash at any point is made up for at the start.

mod alarm;
mod book;
mod broker;
mod calendar;
mod config;
mod costs;
mod equity;
mod error;
mod executor;
mod fills;
mod foreign;
mod grid;
mod group;
mod holdings;
mod kis_broker;
mod ledger;
mod merge;
pub mod metrics;
mod order;
mod poll;
mod risk;
mod session;
mod sink;
mod store;

pub use alarm::{Alarm, AlarmWriter, Alarms, Level};
pub use book::Book;
pub use broker::{
    Broker, BrokerError, BrokerEvent, BrokerRef, ListedAccount, ListedHolding, ListedOrder, Notice,
    NoticeEvent, Receipt, Side, Ticket, Worth,
};
pub use calendar::{Calendar, SharedCalendar, ToldDay};
pub use config::{ConfigFaults, ExecutionConfig, SessionKind};
pub use costs::{CostModel, Costs, TaxClass};
pub use error::StoreError;
pub use executor::{Executor, ExecutorParts};
pub use fills::Fills;
pub(crate) use grid::on_grid;
pub use holdings::{Holdings, HoldingsParts};
pub use kis_broker::{KisBroker, broker_event};
pub use ledger::{Applied, Ledger, PositionCache};
pub use merge::{News, Source};
pub use order::Order;
pub use poll::OrderPoll;
pub use risk::{RiskConfig, RiskGate, RiskMonitor, Ruling};
pub use session::{KrxSession, Market, NowUs, SessionSource, SimulatorSession, wall_clock_us};
pub(crate) use sink::explained;
pub use sink::{
    Approval, EngineOutput, KeepUnstored, OrderSink, PriceProgress, SinkItem, SinkProgress,
    TakeProfit, Unstored,
};
pub use store::{Permit, Store};
