//! The broker: Korea Investment & Securities (KIS), Open API, domestic equities.
//!
//! ```text
//! config ─ validate ─> KisSettings ─> KisClient ── REST: orders, lists, balance, prices, calendar
//!                                        │           every call: limiter ─> token ─> exchange ─> classify
//!                                        └─> KisStream ─ WebSocket ─> parse, notices ─> KisEvent
//! ```
//!
//! 1. A message from the broker never panics; what does not read as documented is reported once
//!    with place and reason, counted and skipped.
//! 2. An order whose outcome is not proven is [`KisError::UnknownOutcome`], never an error to
//!    repeat.
//! 3. The WebSocket reader waits when the consumer is slow; it drops nothing it has read.

mod classify;
mod client;
mod config;
mod error;
mod fault_log;
mod http;
mod limiter;
pub mod metrics;
mod notices;
mod number;
mod order;
mod parse;
#[cfg(test)]
mod tests;
mod token;
mod tr;
mod ws;

use std::sync::Arc;

pub use client::{
    AccountSummary, Balance, BuyingPower, Calendar, CalendarDay, CallCounts, CompanyFigures,
    DailyBar, DailyBars, DailyOrder, DailyOrders, DailyOrdersFilter, Holding, KisClient, Listing,
    PriceAdjustment, PriceSnapshot, StockInfo,
};
pub use config::{
    ConfigFaults, Environment, KeyConfig, KisConfig, KisSettings, MoreKey, RateConfig, Reconnect,
    Retry, StreamTuning, Timeouts,
};
pub use error::{KisError, Malformed, TransientCause};
pub use limiter::{Lane, Rate};
pub use notices::{Notice, NoticeClass, NoticeEvent};
pub use order::{
    Account, AccountError, Extent, NewOrder, OrderNumber, OrderNumberError, OrderPrice,
    OrderReceipt, OrderRef, Side,
};
pub use parse::{HourClass, MarketClass, Trade};
pub use ws::{KisEvent, KisStream, KisStreamParts, Stamped, Standing};

/// Microseconds since the Unix epoch; passed in, so that tests and replays own the time.
pub type Clock = Arc<dyn Fn() -> u64 + Send + Sync>;
