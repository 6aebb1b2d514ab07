//! Quiet ranges: prices that touch no candidate.

use crate::model::Price;

/// From `low` on, and below `high`, in units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Quiet {
    low: i64,
    high: i64,
}

impl Quiet {
    /// No price.
    pub(super) const NONE: Self = Self { low: 0, high: 0 };

    /// Every price.
    pub(super) const ALL: Self = Self {
        low: 0,
        high: i64::MAX,
    };

    /// Returns `low` and all above it.
    pub(super) fn from(low: Price) -> Self {
        Self {
            low: low.units(),
            ..Self::ALL
        }
    }

    /// Returns all below `high`.
    pub(super) fn below(high: Price) -> Self {
        Self {
            high: high.units(),
            ..Self::ALL
        }
    }

    /// Returns the prices that are in both.
    pub(super) fn and(self, other: Self) -> Self {
        Self {
            low: self.low.max(other.low),
            high: self.high.min(other.high),
        }
    }
}

/// Whom a price touches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Touch {
    Nobody,
    /// Only the lows want to know.
    Lows,
    Candidates,
}

/// A quiet range, and whether the lows want to know of the prices in it: in 16 bytes, of which each tick
/// asks.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Hush {
    low: i64,
    /// Its complement, which is negative, where the lows want to know.
    high: i64,
}

impl Hush {
    /// Every price touches candidates.
    pub(super) const NONE: Self = Self { low: 0, high: 0 };

    pub(super) fn of(quiet: Quiet, lows_ask: bool) -> Self {
        Self {
            low: quiet.low,
            high: if lows_ask { !quiet.high } else { quiet.high },
        }
    }

    /// Returns whom `price` touches.
    #[inline]
    pub(super) fn touch(self, price: Price) -> Touch {
        let units = price.units();
        let (high, touch) = match self.high < 0 {
            true => (!self.high, Touch::Lows),
            false => (self.high, Touch::Nobody),
        };
        if (self.low..high).contains(&units) {
            touch
        } else {
            Touch::Candidates
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_prices_in_the_range_touch_no_candidate() {
        let price = |units| Price::from_units(units).unwrap();
        let quiet = Quiet::from(price(10)).and(Quiet::below(price(20)));
        for (lows_ask, inside) in [(false, Touch::Nobody), (true, Touch::Lows)] {
            let hush = Hush::of(quiet, lows_ask);
            let touch = |units| hush.touch(price(units));
            let touched = [9, 10, 19, 20].map(touch);
            let outside = Touch::Candidates;
            assert_eq!(touched, [outside, inside, inside, outside]);
            assert_eq!(Hush::of(Quiet::ALL, lows_ask).touch(price(1)), inside);
            assert_eq!(Hush::of(Quiet::NONE, lows_ask).touch(price(1)), outside);
        }
        assert_eq!(Hush::NONE.touch(price(1)), Touch::Candidates);
    }
}
