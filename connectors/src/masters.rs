//! Master data that the broker tells: the days of the exchange, the state of each listing, and the
//! figures of its company.
//!
//! ```text
//! configuration ─> ConfiguredDays ─┐
//! chk-holiday ───> BrokerDays ─────┼─> market.calendar ─ CalendarKeeper ─> SharedCalendar
//! operator (SQL) ──────────────────┘
//! search-stock-info ─> StockMaster ─> market.stocks, system.logs
//! inquire-price ─────> Fundamentals ─> market.fundamentals, market.stocks
//! ```
//!
//! 1. What an answer does not say stays as it is: a partial answer clears nothing and delists nothing.
//! 2. A day is what the operator says, else the broker, else the configuration; on an error the calendar
//!    in force stays in force.
//! 3. Every day and every listing that is told otherwise than before leaves a row: in
//!    `market.calendar_history`, in `system.logs`.

mod broker_days;
mod days;
mod figures;
mod fundamentals;
mod inquiry;
mod keeper;
mod listing;
mod stock_master;
mod stocks;

pub use broker_days::BrokerDays;
pub use days::{ConfiguredDays, read_told};
pub use fundamentals::Fundamentals;
pub use inquiry::StockBudget;
pub use keeper::CalendarKeeper;
pub use stock_master::{Offer, StockMaster, Symbols};
