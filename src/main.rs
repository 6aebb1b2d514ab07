//! Turnstile: watches live prices of Korean equities and decides, the instant a price moves, what
//! to sell and what to buy back.

mod cli;
mod commands;
mod config;
mod demo;
mod logging;
mod metrics;
mod stream;

use clap::Parser;

fn main() -> std::process::ExitCode {
    match cli::Cli::parse().run() {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            // The chain in one line: what was attempted, and why it failed.
            eprintln!("turnstile: {error:#}");
            std::process::ExitCode::FAILURE
        }
    }
}
