//! The simulator as a client sees it: REST and WebSocket on free ports.
#![expect(clippy::unwrap_used, reason = "tests panic")]

#[path = "protocol/client.rs"]
mod client;
#[path = "protocol/faults.rs"]
mod faults;
#[path = "protocol/gateway.rs"]
mod gateway;
#[path = "protocol/naver.rs"]
mod naver;
#[path = "protocol/orders.rs"]
mod orders;
#[path = "protocol/queries.rs"]
mod queries;
#[path = "protocol/quotes.rs"]
mod quotes;
#[path = "protocol/replay.rs"]
mod replay;
#[path = "protocol/samples.rs"]
mod samples;
#[path = "protocol/streams.rs"]
mod streams;
#[path = "protocol/terminal.rs"]
mod terminal;
