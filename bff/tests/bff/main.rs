//! The BFF over real HTTP and WebSocket, with a PostgreSQL and a Redis of its own per test.

#![expect(clippy::unwrap_used, reason = "tests panic")]

mod access;
mod alarms;
mod bars;
mod cash_flows;
mod changing;
mod consistency;
mod contract;
mod exits;
mod filters;
mod fixture;
mod input;
mod levels;
mod lists;
mod live;
mod live_resume;
mod live_stream;
mod live_topics;
mod market;
mod order_requests;
mod pauses;
mod performance;
mod picks;
mod reentries;
mod risk;
mod rule_resolution;
mod servers;
mod sessions;
mod settings;
mod stocks;
mod stores;
mod strategy;
mod watchlist;
mod web;
mod world;
