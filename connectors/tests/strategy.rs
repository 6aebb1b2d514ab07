//! Runs of the daily strategy on a real PostgreSQL.
#![expect(clippy::unwrap_used, reason = "a test panics")]

#[path = "strategy/activation.rs"]
mod activation;
#[path = "strategy/daily.rs"]
mod daily;
#[path = "strategy/input.rs"]
mod input;
#[path = "execution/postgres.rs"]
mod postgres;
#[path = "strategy/rebalance.rs"]
mod rebalance;
#[path = "jobs/rig.rs"]
mod rig;
#[path = "strategy/runs.rs"]
mod runs;
#[path = "strategy/universe.rs"]
mod universe;
#[path = "strategy/world.rs"]
mod world;
