//! Turnstile: watches live prices of Korean equities and decides, the instant a price moves, what
//! to sell and what to buy back.

mod cli;
mod commands;
mod config;
mod demo;
mod logging;
mod metrics;
mod monitoring;
mod stream;

use clap::Parser;
use turnstile_connectors::recorded::RecordedError;

/// Status of a replay or an import whose files are malformed; that of a wrong command line, too.
const MALFORMED: u8 = 2;
/// Status of a replay of a stored day in which something was decided differently.
const DIFFERS: u8 = 3;

fn main() -> std::process::ExitCode {
    match cli::Cli::parse().run() {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            if error.is::<commands::replay::Differs>() {
                return DIFFERS.into();
            }
            logging::tell_end(&error);
            match error.downcast_ref() {
                Some(RecordedError::Malformed(_)) => MALFORMED.into(),
                _ => std::process::ExitCode::FAILURE,
            }
        }
    }
}
