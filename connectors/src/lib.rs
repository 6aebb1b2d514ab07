//! Broker, database, cache and embedded servers: everything of Turnstile that does input and output.

pub mod execution;
pub mod postgres;
pub mod redis;
pub mod rows;
pub mod task;
