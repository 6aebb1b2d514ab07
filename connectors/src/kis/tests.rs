//! Tests of the broker connection against scripted servers and the reference samples.

mod config;
mod figures;
mod fuzz;
mod limiter;
mod lists;
mod orders;
mod registrations;
mod samples;
mod server;
mod stock_info;
mod stream;
mod stream_faults;
mod token;
