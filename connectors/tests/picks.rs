//! Decisions on picks on a real PostgreSQL.
#![expect(clippy::unwrap_used, reason = "a test panics")]

#[path = "picks/arrivals.rs"]
mod arrivals;
#[path = "picks/decisions.rs"]
mod decisions;
#[path = "picks/gates.rs"]
mod gates;
#[path = "execution/postgres.rs"]
mod postgres;
#[path = "picks/world.rs"]
mod world;
