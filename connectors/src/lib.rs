//! Broker, database, cache and embedded servers: everything of Turnstile that does input and output.
//!
//! - [`kis`]: the broker, over WebSocket and REST.
//! - [`postgres`], [`redis`]: the stores, with price sink, change feed and cache-aside.
//! - [`rows`]: rows of the store as changes of the engine.
//! - [`execution`]: from a decision to its fills.

pub mod execution;
pub mod kis;
pub mod postgres;
pub mod redis;
pub mod rows;
pub mod task;
