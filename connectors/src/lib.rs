//! Broker, database, cache and embedded servers: everything of Turnstile that does input and output.

pub mod kis;
pub mod task;
