//! `turnstile replay`, the real program: what it reads, refuses and decides.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod cases;
mod files;
mod malformed;
mod reentry;
mod rig;
mod tick_day;
