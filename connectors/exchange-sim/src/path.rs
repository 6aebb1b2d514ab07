//! Where prices come from.

mod generator;
mod ticks;

use tokio::time::Instant;

use crate::exchange::Exchange;

pub(crate) use generator::Generator;
pub(crate) use ticks::{FileSummary, TickPlayer, read_summary};

/// A source of trades. The driver asks it for what is due; it prints on the exchange.
#[derive(Debug)]
pub(crate) enum Path {
    Generator(Box<Generator>),
    Ticks(TickPlayer),
}

/// When a path wants to be asked again.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Next {
    /// As soon as what it printed is sent.
    AtOnce,
    /// At a time.
    At(Instant),
    /// Not before something else happens.
    Never,
}

impl Path {
    /// Prints the trades that are due at `now`.
    pub(crate) fn step(&mut self, exchange: &mut Exchange, now: Instant) -> Next {
        match self {
            Self::Generator(generator) => generator.step(exchange, now),
            Self::Ticks(player) => player.step(exchange, now),
        }
    }

    /// Returns the trades printed so far and whether there are no more.
    pub(crate) fn progress(&self) -> (u64, bool) {
        match self {
            Self::Generator(generator) => (generator.printed(), false),
            Self::Ticks(player) => player.progress(),
        }
    }
}
