//! Logical times.

use turnstile_connectors::kis::Clock;
use turnstile_dataflows::model::LogicalTime;

/// Gives out logical times.
pub(in crate::stream) struct Stamp {
    last_us: u64,
    pub(super) clock: Clock,
}

impl Stamp {
    /// Returns a stamp whose times are later than `last_us`.
    pub(in crate::stream) fn after(last_us: u64, clock: Clock) -> Self {
        Self { last_us, clock }
    }

    /// Returns the last time that was given out, microseconds.
    pub(in crate::stream) fn last_us(&self) -> u64 {
        self.last_us
    }

    pub(in crate::stream) fn now(&mut self) -> LogicalTime {
        let now_us = (self.clock)();
        self.at(now_us)
    }

    /// Returns a time that is no earlier than the last one and is not given out.
    pub(super) fn look(&self) -> LogicalTime {
        LogicalTime::from_micros((self.clock)().max(self.last_us))
    }

    pub(in crate::stream) fn at(&mut self, received_us: u64) -> LogicalTime {
        self.last_us = received_us.max(self.last_us + 1);
        LogicalTime::from_micros(self.last_us)
    }
}
