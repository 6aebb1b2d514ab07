//! Tests of the broker connection against scripted servers and the reference samples.

mod config;
mod limiter;
mod lists;
mod orders;
mod server;
mod token;
