//! What others see of the comparisons: how late they are, and how long a difference has stood.

use std::time::Duration;

use tokio::time::Instant;

use super::Holdings;

/// The last comparison.
#[derive(Clone, Copy, Debug)]
pub(super) struct Compared {
    /// When the last list that was complete was asked for; at first, when this process began.
    at: Instant,
    /// Since when the oldest difference has stood.
    different: Option<Instant>,
}

impl Compared {
    /// Returns what is known before the first comparison.
    pub(super) fn begin() -> Self {
        Self::new(Instant::now(), None)
    }

    pub(super) fn new(at: Instant, different: Option<Instant>) -> Self {
        Self { at, different }
    }
}

impl Holdings {
    /// Returns by how much the last complete list is older than it should be, and how long the oldest
    /// difference has stood, zero where there is none.
    pub fn lateness(&self) -> (Duration, Duration) {
        let Compared { at, different } = *self.compared.borrow();
        let config = &self.parts.config;
        let pace = match self.parts.session.market().is_open() {
            true => config.holdings_open,
            false => config.holdings_closed,
        };
        let different = different.map(|since| since.elapsed());
        (
            at.elapsed().saturating_sub(pace),
            different.unwrap_or_default(),
        )
    }
}
