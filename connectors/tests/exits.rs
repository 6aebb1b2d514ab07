//! What the exits say beside decisions, against a real PostgreSQL.

#![expect(clippy::unwrap_used, reason = "tests panic")]

#[path = "exits/levels.rs"]
mod levels;
#[path = "exits/records.rs"]
mod records;
#[expect(dead_code, reason = "shared with other tests")]
#[path = "support/servers.rs"]
mod servers;
#[path = "exits/signals.rs"]
mod signals;
#[path = "exits/world.rs"]
mod world;
