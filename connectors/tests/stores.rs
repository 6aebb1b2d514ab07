//! PostgreSQL and Redis as the system uses them, against real servers.

#![expect(clippy::unwrap_used, reason = "tests panic")]

#[path = "stores/average.rs"]
mod average;
#[path = "stores/cache.rs"]
mod cache;
#[path = "support/dice.rs"]
mod dice;
#[path = "stores/encryption.rs"]
mod encryption;
#[path = "stores/feed.rs"]
mod feed;
#[path = "stores/imports.rs"]
mod imports;
#[path = "stores/invariants.rs"]
mod invariants;
#[path = "stores/lock.rs"]
mod lock;
#[path = "stores/old_days.rs"]
mod old_days;
#[path = "stores/prices.rs"]
mod prices;
#[path = "stores/prices_cache.rs"]
mod prices_cache;
#[path = "support/proxy.rs"]
mod proxy;
#[path = "stores/ranked.rs"]
mod ranked;
#[path = "stores/retention.rs"]
mod retention;
#[path = "stores/retention_faults.rs"]
mod retention_faults;
#[path = "stores/schema.rs"]
mod schema;
#[path = "support/servers.rs"]
mod servers;
#[path = "stores/spill.rs"]
mod spill;
#[path = "stores/stored_day.rs"]
mod stored_day;
#[path = "support/ticks.rs"]
mod ticks;
