//! Redis: a faster copy of what PostgreSQL knows. Never the truth; every key has a time to live.
//!
//! A fault of Redis is a miss, never an error of the reader. After a few faults the circuit breaker
//! opens and nobody waits for Redis until it answers again.

mod aside;
mod breaker;
mod cache;
mod config;
mod flights;
mod isolation;
mod metrics;
mod owed;
mod pool;
mod subscription;

pub use aside::{TTL_CONFIG, TTL_PORTFOLIO, TTL_POSITION, TTL_PRICE, cache_aside};
pub use breaker::BreakerState;
pub use cache::{Cache, CacheStats};
pub use config::RedisConfig;
pub use isolation::widen_while_isolated;
pub use metrics::describe as describe_metrics;
pub use pool::PoolSize;
pub use subscription::{Message, Subscription};

/// Channel on which the price sink publishes, after its commit, a JSON array of prices.
pub const PRICES_CHANNEL: &str = "turnstile:prices";
