//! Execution against a real PostgreSQL and a scripted broker.
#![expect(clippy::unwrap_used, reason = "a test panics")]

#[path = "execution/account.rs"]
mod account;
#[path = "execution/broker.rs"]
mod broker;
#[path = "execution/crashes.rs"]
mod crashes;
#[path = "execution/decisions.rs"]
mod decisions;
#[path = "execution/entries.rs"]
mod entries;
#[path = "execution/fills.rs"]
mod fills;
#[path = "execution/holdings.rs"]
mod holdings;
#[path = "execution/orders.rs"]
mod orders;
#[path = "execution/postgres.rs"]
mod postgres;
#[path = "execution/purchases.rs"]
mod purchases;
#[path = "execution/requests.rs"]
mod requests;
#[path = "execution/rig.rs"]
mod rig;
#[path = "execution/risk.rs"]
mod risk;
#[path = "execution/sink.rs"]
mod sink;
#[path = "execution/storm.rs"]
mod storm;
