//! Broker, database, cache and embedded servers: everything of Turnstile that does input and output.
//!
//! - [`bars`]: daily bars, and what sessions need to know of the days before.
//! - [`kis`]: the broker, over WebSocket and REST.
//! - [`naver`]: reference prices, for when the broker has none.
//! - [`postgres`], [`redis`]: the stores, with price sink, change feed and cache-aside.
//! - [`recorded`]: files of rows: recorded days, and what is imported.
//! - [`imports`]: files into the database.
//! - [`retention`]: archives of old prices.
//! - [`rows`]: rows of the store as changes of the engine.
//! - [`execution`]: from a decision to its fills.
//! - [`exit_rules`]: their rows, for engine and BFF alike.
//! - [`exits`]: what the exits say beside decisions.
//! - [`invariants`]: what must never be so, beside the change feed.
//! - [`jobs`]: what is done at times of the trading calendar.
//! - [`masters`]: days of the exchange and listed stocks, as the broker tells them.
//! - [`monitoring`]: limits, alarms and who is told of them.
//! - [`picks`]: what other programs propose to buy, decided once a day and symbol.
//! - [`settings`]: keys of the configuration that stands in the database.
//! - [`spill`]: what cannot be stored while PostgreSQL is away, on disk.
//! - [`stored_day`]: a stored day, played through the engine again and compared.
//! - [`strategy`]: the daily strategy: its input, runs and snapshots.
//! - [`embedded`]: a private PostgreSQL and Redis.

pub mod bars;
mod digest;
pub mod embedded;
pub mod execution;
pub mod exit_rules;
pub mod exits;
pub mod imports;
pub mod invariants;
pub mod jobs;
pub mod kis;
pub mod masters;
pub mod monitoring;
pub mod naver;
pub mod picks;
pub mod postgres;
pub mod recorded;
pub mod redis;
pub mod retention;
pub mod rows;
pub mod seoul;
pub mod settings;
pub mod spill;
pub mod stored_day;
pub mod strategy;
pub mod task;
mod tls;
