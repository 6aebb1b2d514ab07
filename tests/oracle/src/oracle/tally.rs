//! How often each trigger was decided, and what held it back.

use std::collections::BTreeMap;
use std::fmt;

use turnstile_dataflows::model::ExitReason;

use super::permit::Obstacles;

/// Every reason there is.
pub const REASONS: [ExitReason; 16] = [
    ExitReason::Flatten,
    ExitReason::HardStop,
    ExitReason::Manual,
    ExitReason::GapDown,
    ExitReason::Sl2,
    ExitReason::StopFloor,
    ExitReason::BreakEven,
    ExitReason::Sl1,
    ExitReason::CustomLoss,
    ExitReason::CustomProfit,
    ExitReason::Tp1,
    ExitReason::Tp2,
    ExitReason::Tp3,
    ExitReason::TrailPartial,
    ExitReason::Trail,
    ExitReason::Time,
];

/// Hits of one trigger. A hit that several things hold back counts under each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Became decisions.
    pub decided: u64,
    /// Held back by an active order at least as severe.
    pub severity: u64,
    /// Held back by the control mode.
    pub mode: u64,
    /// Held back since nothing was available.
    pub quantity: u64,
    /// Held back by a used key, or an attempt that was not due.
    pub key: u64,
}

/// Hits of all triggers. Displays as a table.
#[derive(Clone, Debug, Default)]
pub struct Tally(BTreeMap<ExitReason, Count>);

impl Tally {
    /// Returns the hits of one trigger.
    pub fn of(&self, reason: ExitReason) -> Count {
        self.0.get(&reason).copied().unwrap_or_default()
    }

    pub(super) fn count(&mut self, reason: ExitReason, found: &Obstacles) {
        let count = self.0.entry(reason).or_default();
        count.decided += u64::from(!found.is_any());
        count.severity += u64::from(found.severity);
        count.mode += u64::from(found.mode);
        count.quantity += u64::from(found.quantity);
        count.key += u64::from(found.key);
    }

    /// Adds what another one counted.
    pub fn add(&mut self, other: &Self) {
        for (reason, more) in &other.0 {
            let count = self.0.entry(*reason).or_default();
            count.decided += more.decided;
            count.severity += more.severity;
            count.mode += more.mode;
            count.quantity += more.quantity;
            count.key += more.key;
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<14}{:>10}{:>10}{:>10}{:>10}{:>10}",
            "trigger", "decided", "severity", "mode", "quantity", "key"
        )?;
        for reason in REASONS {
            let count = self.of(reason);
            writeln!(
                f,
                "{:<14}{:>10}{:>10}{:>10}{:>10}{:>10}",
                reason.code(),
                count.decided,
                count.severity,
                count.mode,
                count.quantity,
                count.key
            )?;
        }
        Ok(())
    }
}
