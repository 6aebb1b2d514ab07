//! The rules of slots.
//!
//! 1. What is being sold comes first, then what is held (domain 2.3: neither gives way to anything
//!    else), within each the nearest to a level first; then the others by score. Ties go to the lower
//!    symbol.
//! 2. A slot is kept. It is taken away where its symbol is not wanted any more, where there are fewer
//!    slots, or where one that waits is clearly more urgent than the least urgent that has one: of a
//!    better class, or, among symbols sold or held, less than half as far from a level. So a pair can
//!    change places again only after their distances have changed fourfold against each other. The
//!    domain asks for changes without churn and leaves the measure open; a factor needs no unit and is
//!    stricter the nearer both are.
//! 3. A symbol whose distance is not known, since it has no price yet, is the farthest of its class.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::model::Symbol;

/// Why a symbol is wanted, the most urgent first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Wish {
    /// A position of it is being sold.
    Closing,
    /// A position of it is held.
    Held,
    /// Anything else, by the score of domain 2.3: the higher, the more urgent.
    Other(std::cmp::Reverse<u32>),
}

impl Wish {
    /// Returns the wish for a symbol that is not held.
    pub const fn other(score: u32) -> Self {
        Self::Other(std::cmp::Reverse(score))
    }
}

/// How far the price of a held symbol is from the nearest price at which a position of it has to be
/// judged again, as a share of the price in millionths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Nearness(pub u32);

/// A symbol that has a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Slot {
    /// The symbol.
    pub symbol: Symbol,
}

/// How urgent a wish is: less is more urgent.
type Urgency = (Wish, u32, Symbol);

/// All wishes, and who has a slot.
#[derive(Debug, Default)]
pub(super) struct Allotment {
    slots: usize,
    wishes: BTreeMap<Symbol, Wish>,
    near: BTreeMap<Symbol, Nearness>,
    given: BTreeSet<Symbol>,
}

impl Allotment {
    pub(super) fn limit(&mut self, slots: usize) {
        self.slots = slots;
    }

    pub(super) fn want(&mut self, symbol: Symbol, wish: Option<Wish>) {
        match wish {
            Some(wish) => self.wishes.insert(symbol, wish),
            None => self.wishes.remove(&symbol),
        };
    }

    pub(super) fn near(&mut self, symbol: Symbol, nearness: Option<Nearness>) {
        match nearness {
            Some(nearness) => self.near.insert(symbol, nearness),
            None => self.near.remove(&symbol),
        };
    }

    fn urgency(&self, symbol: Symbol, wish: Wish) -> Urgency {
        let far = match wish {
            Wish::Closing | Wish::Held => self.near.get(&symbol).map_or(u32::MAX, |near| near.0),
            Wish::Other(_) => u32::MAX,
        };
        (wish, far, symbol)
    }

    /// Gives out the slots anew. Returns what has changed: the symbol, and whether it has one now.
    pub(super) fn allot(&mut self) -> Vec<(Symbol, bool)> {
        let wishes = self.wishes.iter();
        let (mut given, mut waiting): (BTreeSet<_>, BTreeSet<_>) = wishes
            .map(|(symbol, wish)| self.urgency(*symbol, *wish))
            .partition(|(_wish, _far, symbol)| self.given.contains(symbol));
        while given.len() > self.slots {
            waiting.extend(given.pop_last());
        }
        while given.len() < self.slots
            && let Some(next) = waiting.pop_first()
        {
            given.insert(next);
        }
        while let (Some(next), Some(last)) = (waiting.first(), given.last())
            && is_clearly_before(next, last)
        {
            let (next, last) = (*next, *last);
            waiting.remove(&next);
            given.remove(&last);
            given.insert(next);
            waiting.insert(last);
        }
        let given: BTreeSet<Symbol> = given.into_iter().map(|(_, _, symbol)| symbol).collect();
        let taken = self.given.difference(&given).map(|symbol| (*symbol, false));
        let gained = given.difference(&self.given).map(|symbol| (*symbol, true));
        let changes = taken.chain(gained).collect();
        self.given = given;
        changes
    }
}

/// Returns who gets a slot as long as no price is known.
pub fn first(wishes: &BTreeMap<Symbol, Wish>, slots: usize) -> BTreeSet<Symbol> {
    let mut allotment = Allotment {
        slots,
        wishes: wishes.clone(),
        ..Allotment::default()
    };
    allotment.allot();
    allotment.given
}

/// Returns whether one that waits takes the slot of another.
fn is_clearly_before(waiting: &Urgency, given: &Urgency) -> bool {
    let ((wish, far, _), (given_wish, given_far, _)) = (waiting, given);
    let is_nearer = u64::from(*far) * 2 < u64::from(*given_far);
    wish < given_wish || (wish == given_wish && is_nearer)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn symbol(number: u32) -> Symbol {
        format!("{number:06}").parse().unwrap()
    }

    fn given(allotment: &Allotment) -> Vec<String> {
        allotment.given.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_is_sold_and_held_comes_first_and_the_nearest_of_it() {
        let mut allotment = Allotment::default();
        allotment.limit(3);
        allotment.want(symbol(1), Some(Wish::other(5_000)));
        allotment.want(symbol(2), Some(Wish::other(1_000)));
        allotment.want(symbol(3), Some(Wish::Held));
        allotment.allot();
        assert_eq!(given(&allotment), ["000001", "000002", "000003"]);
        allotment.want(symbol(4), Some(Wish::Held));
        allotment.near(symbol(4), Some(Nearness(10_000)));
        allotment.want(symbol(5), Some(Wish::Closing));
        allotment.allot();
        assert_eq!(given(&allotment), ["000003", "000004", "000005"]);
        allotment.want(symbol(6), Some(Wish::Held));
        allotment.near(symbol(6), Some(Nearness(9_000)));
        allotment.near(symbol(3), Some(Nearness(20_000)));
        let changes = allotment.allot();
        assert_eq!(changes, [(symbol(3), false), (symbol(6), true)]);
    }

    #[test]
    fn a_slot_is_kept_until_another_is_clearly_nearer() {
        let mut allotment = Allotment::default();
        allotment.limit(1);
        for (number, far) in [(1, 10_000), (2, 20_000)] {
            allotment.want(symbol(number), Some(Wish::Held));
            allotment.near(symbol(number), Some(Nearness(far)));
        }
        allotment.allot();
        allotment.near(symbol(2), Some(Nearness(5_000)));
        assert_eq!(allotment.allot(), []);
        allotment.near(symbol(2), Some(Nearness(4_999)));
        let moved = [(symbol(1), false), (symbol(2), true)];
        assert_eq!(allotment.allot(), moved);
        allotment.near(symbol(1), Some(Nearness(2_500)));
        assert_eq!(allotment.allot(), []);
        allotment.limit(2);
        assert_eq!(allotment.allot(), [(symbol(1), true)]);
        allotment.limit(1);
        assert_eq!(allotment.allot(), [(symbol(2), false)]);
    }

    fn change() -> impl Strategy<Value = (u32, Option<Wish>, Option<u32>, usize)> {
        let wish = prop_oneof![
            Just(None),
            Just(Some(Wish::Closing)),
            Just(Some(Wish::Held)),
            (0_u32..3).prop_map(|score| Some(Wish::other(score))),
        ];
        (0_u32..12, wish, proptest::option::of(0_u32..50), 0_usize..6)
    }

    proptest! {
        #[test]
        fn no_slot_is_left_empty_given_in_vain_or_moved_without_need(
            changes in proptest::collection::vec(change(), 1..60),
        ) {
            let mut allotment = Allotment::default();
            let mut mirror = BTreeSet::new();
            for (number, wish, far, slots) in changes {
                let before = allotment.given.clone();
                allotment.want(symbol(number), wish);
                allotment.near(symbol(number), far.map(Nearness));
                allotment.limit(slots);
                for (symbol, is_given) in allotment.allot() {
                    // The changes are a difference: nothing is given twice or taken twice.
                    let is_change = if is_given { mirror.insert(symbol) } else { mirror.remove(&symbol) };
                    prop_assert!(is_change);
                }
                prop_assert_eq!(&mirror, &allotment.given);
                prop_assert_eq!(mirror.len(), slots.min(allotment.wishes.len()));
                prop_assert!(mirror.iter().all(|symbol| allotment.wishes.contains_key(symbol)));
                let urgency = |symbol: &Symbol| allotment.urgency(*symbol, allotment.wishes[symbol]);
                for (waiting, given) in allotment.wishes.keys()
                    .filter(|symbol| !mirror.contains(symbol))
                    .flat_map(|waiting| mirror.iter().map(move |given| (waiting, given)))
                {
                    prop_assert!(!is_clearly_before(&urgency(waiting), &urgency(given)));
                }
                // Who lost a slot that there still is gave it to one that is clearly more urgent.
                if before.len() <= slots {
                    for lost in before.difference(&mirror).filter(|symbol| allotment.wishes.contains_key(symbol)) {
                        let gained = mirror.difference(&before);
                        prop_assert!(gained.into_iter().any(|gained| is_clearly_before(&urgency(gained), &urgency(lost))));
                    }
                }
                prop_assert_eq!(allotment.allot(), []);
            }
        }
    }
}
