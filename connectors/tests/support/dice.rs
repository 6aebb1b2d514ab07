//! Repeatable chance: the same seed throws the same numbers.

/// A small generator (SplitMix64).
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn throw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// Returns a number from `low` on, below `high`.
    pub(crate) fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.throw() % (high - low)
    }

    /// Returns true in `percent` of a hundred throws.
    pub(crate) fn is_below(&mut self, percent: u64) -> bool {
        self.between(0, 100) < percent
    }
}
