//! PostgreSQL: the truth of everything.
//!
//! - [`Postgres`]: the pool, over one host or several; [`migrate`]: the schema.
//! - [`ChangeFeed`]: what anybody changed, no commit missed; [`Bell`]: that something was.
//! - [`Listener`]: notifications of one channel.
//! - [`PriceSink`]: every tick, in batches, with the cache filled after the commit.
//! - [`BestPriceWriter`]: the best price of each symbol, with its age.
//! - [`AdvisoryLock`]: one active engine per account.
//! - [`write_log`]: alarms and events that a human follows.

mod actor;
mod address;
mod bell;
mod best_prices;
mod client;
mod config;
mod connector;
mod date;
mod error;
mod feed;
mod lifeline;
mod listener;
mod lock;
mod logs;
mod metrics;
mod migrate;
mod pool;
mod prices;
mod tls;

pub use actor::{Actor, begin_as};
pub use bell::Bell;
pub use best_prices::{BestPriceBoard, BestPriceWriter};
pub use client::{PostgresClient, Session, Transaction};
pub use config::PostgresConfig;
pub(crate) use date::Date;
pub use error::PostgresError;
pub use feed::{ChangeFeed, RowChange, Snapshot, TransactionChanges, prune_change_log};
pub use listener::Listener;
pub use lock::{AdvisoryLock, LockSession};
pub use logs::{LogLevel, LogRow, write_log};
pub use metrics::describe as describe_metrics;
pub(crate) use metrics::{QUERY_SECONDS, STATEMENT_FAILURES, TRANSACTIONS};
pub use migrate::{MigrationReport, migrate};
pub use pool::Postgres;
pub(crate) use pool::chain;
pub(crate) use prices::PRICE_SINK;
pub use prices::{
    Keep, Overflow, PriceReach, PriceRow, PriceSink, PriceSinkConfig, PriceSinkHandle, store_again,
};
