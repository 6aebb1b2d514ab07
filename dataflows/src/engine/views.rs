//! The views beside decisions: best prices, and who has a slot.

use timely::dataflow::{ProbeHandle, Scope};

use super::Output;
use super::said::{Said, gather, gather_changes};
use crate::model::Symbol;
use crate::ordered::Beat;
use crate::slots::{self, Nearness, SlotInputs, Wish};
use crate::table::Table;
use crate::{Rows, Time, price};

/// The inputs of the views.
pub(super) struct Views {
    wishes: Table<Symbol, Wish>,
    slots: Table<(), usize>,
}

/// Their rows.
pub(super) struct ViewRows<'s> {
    wishes: Rows<'s, (Symbol, Wish)>,
    slots: Rows<'s, ((), usize)>,
}

impl Views {
    pub(super) fn new(scope: Scope<'_, Time>) -> (Self, ViewRows<'_>) {
        let (wishes, wish_rows) = Table::new(scope);
        let (slots, slot_rows) = Table::new(scope);
        let rows = ViewRows {
            wishes: wish_rows,
            slots: slot_rows,
        };
        (Self { wishes, slots }, rows)
    }

    pub(super) fn want(&mut self, symbol: Symbol, wish: Option<Wish>) {
        self.wishes.put(symbol, wish);
    }

    pub(super) fn limit(&mut self, slots: usize) {
        self.slots.put((), Some(slots));
    }

    pub(super) fn advance_to(&mut self, now: Time) {
        self.wishes.session.advance_to(now);
        self.slots.session.advance_to(now);
    }

    pub(super) fn flush(&mut self) {
        self.wishes.session.flush();
        self.slots.session.flush();
    }
}

impl<'s> ViewRows<'s> {
    /// Renders the views; what they say goes to `said`.
    pub(super) fn render(
        self,
        beats: Rows<'s, Beat>,
        nearness: Rows<'s, (Symbol, Nearness)>,
        said: &Said,
        probe: &ProbeHandle<Time>,
    ) {
        // Slots follow facts: what marks those is enough.
        let marks = beats
            .clone()
            .filter(|beat| matches!(beat, Beat::Facts { .. }));
        gather(price::render(beats), Output::Price, said, probe);
        let inputs = SlotInputs {
            wishes: self.wishes,
            slots: self.slots.map(|((), slots)| slots),
            nearness,
        };
        let given = slots::render(marks, inputs);
        let wrap = |slot: &slots::Slot, diff: isize| Some(Output::Slot(*slot, diff > 0));
        gather_changes(given, wrap, said, probe);
    }
}
