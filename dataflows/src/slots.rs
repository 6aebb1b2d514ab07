//! Slots: which symbols the broker streams, of all that are wanted.
//!
//! ```text
//! wishes, number of slots ──────────────────────────┐
//! exit crossing ─ distance to the nearest level ────┴─> allotment ─> slots given and taken
//!                 sampled once a second
//! ```
//!
//! Facts come at marked times only: rows of the store at their own, distances at each clock event.
//! Memory: a few words for each symbol that is wanted or held.

mod allotment;

pub use allotment::{Nearness, Slot, Wish, first};

use crate::model::{Symbol, Tick};
use crate::ordered::{self, Beat, Branch, Machine, Routed, Signal};
use crate::{Rows, Time};
use allotment::Allotment;

/// What the dataflow takes in.
pub(crate) struct SlotInputs<'s> {
    /// What is wanted: one row a symbol.
    pub(crate) wishes: Rows<'s, (Symbol, Wish)>,
    /// How many slots there are: one row, or none.
    pub(crate) slots: Rows<'s, usize>,
    /// How near each held symbol is to a level: one row a symbol.
    pub(crate) nearness: Rows<'s, (Symbol, Nearness)>,
}

/// Renders the symbols that have a slot. Of the beats it needs the marks of facts only.
pub(crate) fn render<'s>(marks: Rows<'s, Beat>, inputs: SlotInputs<'s>) -> Rows<'s, Slot> {
    let facts = inputs.wishes.map(|(symbol, wish)| Fact::Wish(symbol, wish));
    let facts = facts.concatenate([
        inputs.slots.map(Fact::Slots),
        inputs
            .nearness
            .map(|(symbol, nearness)| Fact::Nearness(symbol, nearness)),
    ]);
    let name = "slots: allotment of all symbols";
    let told = ordered::render(marks, facts, Branch::Slots, name, Desk::default());
    ordered::by_sign(told)
}

#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
enum Fact {
    Wish(Symbol, Wish),
    Slots(usize),
    Nearness(Symbol, Nearness),
}

impl Routed for Fact {
    /// One worker allots: every slot may go to every symbol.
    fn route(&self) -> u64 {
        0
    }
}

#[derive(Default)]
struct Desk(Allotment);

impl Machine<Fact, (Slot, isize)> for Desk {
    fn tick(&mut self, _tick: &Tick, _said: &mut Vec<(Slot, isize)>) {}

    fn signal(&mut self, _time: Time, _signal: Signal, _said: &mut Vec<(Slot, isize)>) {}

    fn facts(&mut self, _time: Time, mut facts: Vec<(Fact, isize)>, said: &mut Vec<(Slot, isize)>) {
        // What leaves first, so that what comes in its place stays.
        facts.sort_by_key(|(_fact, diff)| *diff);
        for (fact, diff) in facts {
            let stands = diff > 0;
            match fact {
                Fact::Wish(symbol, wish) => self.0.want(symbol, stands.then_some(wish)),
                Fact::Slots(slots) => self.0.limit(if stands { slots } else { 0 }),
                Fact::Nearness(symbol, near) => self.0.near(symbol, stands.then_some(near)),
            }
        }
        for (symbol, is_given) in self.0.allot() {
            said.push((Slot { symbol }, if is_given { 1 } else { -1 }));
        }
    }

    fn deadline(&self) -> Option<Time> {
        None
    }
}
