//! What is kept of each symbol, found by one multiplication.

use turnstile_dataflows::model::Symbol;

/// A table with open addressing. Symbols only enter.
#[derive(Debug)]
pub(super) struct Table<T> {
    /// Bits of the symbol, zero where there is none, and what is kept of it.
    slots: Vec<(u64, T)>,
    shift: u32,
}

impl<T: Clone + Default> Table<T> {
    /// Returns a table for at most `symbols` symbols, half empty.
    pub(super) fn new(symbols: usize) -> Self {
        let size = (2 * symbols).next_power_of_two().max(2);
        Self {
            slots: vec![(0, T::default()); size],
            shift: 64 - size.trailing_zeros(),
        }
    }

    /// Returns where `symbol` is; it enters where it was not there.
    pub(super) fn place(&mut self, symbol: Symbol) -> usize {
        let key = symbol.to_bits();
        let hash = key.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> self.shift;
        let mut at = usize::try_from(hash).unwrap_or(0);
        loop {
            let slot = &mut self.slots[at];
            if slot.0 == key {
                return at;
            }
            if slot.0 == 0 {
                slot.0 = key;
                return at;
            }
            at = (at + 1) & (self.slots.len() - 1);
        }
    }

    /// Returns what is kept at a place.
    pub(super) fn at(&mut self, place: usize) -> &mut T {
        &mut self.slots[place].1
    }
}
