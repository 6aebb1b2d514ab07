//! When the next event comes, and at what price.

use turnstile_dataflows::model::{ExitReason, LogicalTime, Price, Tick};

use super::history::History;
use crate::oracle::{News, Won};

const SECOND: u64 = 1_000_000;
const SLOT: u64 = 3 * SECOND;
const DAY: u64 = 86_400 * SECOND;
/// The opening in Seoul is midnight in UTC.
const OPENING_EVERY: u64 = DAY;

#[derive(Clone, Copy)]
enum Step {
    Micros,
    Millis,
    Seconds,
    SlotBorder,
    Pause,
    Ageing,
    LongPause,
    LateAttempt,
    Opening,
    WindowEnd,
    HeldDays,
}

/// How often time steps how.
const STEPS: [(u64, Step); 11] = [
    (180, Step::Micros),
    (220, Step::Millis),
    (260, Step::Seconds),
    (130, Step::SlotBorder),
    (70, Step::Pause),
    (40, Step::Ageing),
    (25, Step::LongPause),
    (35, Step::LateAttempt),
    (12, Step::Opening),
    (12, Step::WindowEnd),
    (8, Step::HeldDays),
];

impl History {
    /// Draws when the next event comes after `now`.
    pub(super) fn next_time(&mut self, now: u64) -> u64 {
        // Borders are met exactly, just missed, or passed.
        let off = self.dice.pick(&[0, 0, -1, 1]);
        let border = |at: u64| at.saturating_add_signed(off);
        let within =
            |dice: &mut crate::Dice, low: u64, high: u64| now + low + dice.below(high - low);
        let next = match self.dice.weighted(&STEPS) {
            Step::Micros => within(&mut self.dice, 1, 6),
            Step::Millis => within(&mut self.dice, 1_000, SECOND),
            Step::Seconds => within(&mut self.dice, SECOND, SLOT),
            Step::SlotBorder => border((now / SLOT + 1) * SLOT),
            Step::Pause => within(&mut self.dice, SLOT, 9 * SECOND),
            Step::Ageing => border(self.seen + 10 * SECOND),
            Step::LongPause => within(&mut self.dice, 10 * SECOND, 35 * SECOND),
            Step::LateAttempt => border(self.late_attempt().unwrap_or(now + 30 * SECOND)),
            Step::Opening => border((now / OPENING_EVERY + 1) * OPENING_EVERY),
            Step::WindowEnd => {
                let window = self.dice.pick(&[5, 30, 600]) * SECOND;
                border(now / OPENING_EVERY * OPENING_EVERY + window)
            }
            Step::HeldDays => {
                let days = 1 + self.dice.below(3);
                let holding = self.any_holding();
                let entry = holding.map_or(now, |holding| holding.position.entry.micros());
                border(entry + days * DAY)
            }
        };
        // A border that has passed: soon.
        if next > now {
            next
        } else {
            now + 1 + self.dice.below(SECOND)
        }
    }

    /// Returns when the last order may be followed by a late attempt.
    fn late_attempt(&self) -> Option<u64> {
        let last = self.orders.iter().rev().find(|order| order.attempt >= 3)?;
        Some(last.decided.micros() + 30 * SECOND)
    }

    /// Draws a tick.
    pub(super) fn tick(&mut self, now: u64) -> News {
        let price = self.price();
        let (last, bid) = match self.dice.below(10) {
            // The bid is what counts; the last price lies anywhere.
            0 => (self.anywhere(), Some(price)),
            1 => (price, Some(price)),
            _ => (price, None),
        };
        self.last = Some(price);
        self.seen = now;
        let (time, symbol) = (LogicalTime::from_micros(now), self.symbol);
        News::Tick(Tick {
            time,
            symbol,
            last,
            bid,
            volume: 0,
        })
    }

    fn price(&mut self) -> Price {
        let last = self.last.map_or(self.base, Price::units);
        let units = match self.dice.below(100) {
            0..50 => match self.any_level() {
                // At a level, or just off it on either side.
                Some(level) => {
                    let below = level.price_below().map_or(1, Price::units);
                    below + self.dice.pick(&[0, 0, 1, 1, -1, 2])
                }
                None => last,
            },
            50..70 => last,
            70..90 => last + last * self.dice.between(-40, 40) / 10_000,
            _ => return self.anywhere(),
        };
        Price::from_units(units.max(1)).expect("above zero")
    }

    fn anywhere(&mut self) -> Price {
        let units = self.base + self.base * self.dice.between(-120, 120) / 1_000;
        Price::from_units(units).expect("above zero")
    }

    fn any_level(&mut self) -> Option<Won> {
        let ids: Vec<_> = self
            .oracle
            .positions(self.symbol)
            .map(|(position, _state)| position.id.clone())
            .collect();
        if ids.is_empty() {
            return None;
        }
        let levels = self.oracle.levels(&self.dice.pick(&ids));
        if levels.is_empty() {
            return None;
        }
        Some(self.dice.pick(&levels))
    }

    /// Draws a reason.
    pub(super) fn any_reason(&mut self) -> ExitReason {
        self.dice.pick(&crate::oracle::REASONS)
    }
}
