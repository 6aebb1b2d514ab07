//! Jobs, calendar, stock master, designations and fundamentals against a real PostgreSQL and a scripted broker.
#![expect(clippy::unwrap_used, reason = "a test panics")]

#[path = "jobs/broker.rs"]
mod broker;
#[path = "jobs/calendar.rs"]
mod calendar;
#[path = "jobs/designations.rs"]
mod designations;
#[path = "jobs/fundamentals.rs"]
mod fundamentals;
#[path = "execution/postgres.rs"]
mod postgres;
#[path = "jobs/rig.rs"]
mod rig;
#[path = "jobs/scheduler.rs"]
mod scheduler;
#[path = "jobs/stocks.rs"]
mod stocks;
