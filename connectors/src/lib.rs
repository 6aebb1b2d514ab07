//! Broker, database, cache and embedded servers: everything of Turnstile that does input and output.

pub mod embedded;
pub mod task;
