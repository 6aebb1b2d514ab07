//! The plans of a book after all changes of one time.

use std::sync::Arc;

use crate::exit::marks::Slot;
use crate::exit::plan::Plan;
use crate::exit::rule::Terms;
use crate::model::{PositionId, PositionRow};

use super::{Book, place};

/// What a position is planned to be; none where it is live no more. Without terms no rule serves it.
pub(super) type Planned = Option<(Arc<PositionRow>, Option<Arc<Terms>>)>;

/// A plan that is asked about, with the request.
pub(super) type Asked = (Arc<str>, Arc<PositionRow>, Option<Arc<Terms>>);

/// What stands after all changes of one time.
#[derive(Default)]
pub(super) struct Settled {
    /// The plans that have changed.
    pub(super) plans: Vec<(Slot, Planned)>,
    /// The plans that are asked about.
    pub(super) previews: Vec<Asked>,
    /// Who was not known before, with the slot made for it.
    pub(super) begun: Vec<(Slot, PositionId)>,
}

impl Book {
    /// Returns what stands after `changes`. A plan whose changes cancel each other has not changed.
    /// A position that begins gets a slot, still empty.
    pub(super) fn settle(&mut self, changes: Vec<(Plan, isize)>) -> Settled {
        let mut settled = Settled::default();
        let changes = changes.into_iter().map(|(plan, diff)| {
            let slot = self.slot_of(&plan.row.position.id, &mut settled.begun);
            (slot, plan, diff)
        });
        let mut changes: Vec<(Slot, Plan, isize)> = changes.collect();
        changes.sort_by(|(a, x, _), (b, y, _)| (a, &x.owner).cmp(&(b, &y.owner)));
        for group in changes.chunk_by(|(a, x, _), (b, y, _)| a == b && x.owner == y.owner) {
            let mut sums: Vec<(&Plan, isize)> = Vec::with_capacity(2);
            for (_slot, plan, diff) in group {
                match sums.iter_mut().find(|(known, _)| is_same(known, plan)) {
                    Some((_, sum)) => *sum += diff,
                    None => sums.push((plan, *diff)),
                }
            }
            sums.retain(|(_plan, sum)| *sum != 0);
            let stands = sums.iter().find(|(_plan, sum)| *sum > 0);
            let planned = stands.map(|(plan, _)| (plan.row.clone(), plan.terms.clone()));
            let (slot, any, _diff) = &group[0];
            match (&any.owner, planned) {
                (None, planned) if !sums.is_empty() => settled.plans.push((*slot, planned)),
                (Some(request), Some((row, terms))) => {
                    settled.previews.push((request.clone(), row, terms));
                }
                (None | Some(_), _) => {}
            }
        }
        settled
    }

    /// Returns the slot of a position, perhaps a new one.
    fn slot_of(&mut self, id: &PositionId, begun: &mut Vec<(Slot, PositionId)>) -> Slot {
        if let Some(slot) = self.slots.get(id) {
            return *slot;
        }
        let slot = self.free.pop().unwrap_or_else(|| {
            self.held.push(None);
            Slot::try_from(self.held.len() - 1).expect("fewer than 2^32 positions of a symbol")
        });
        self.slots.insert(id.clone(), slot);
        begun.push((slot, id.clone()));
        slot
    }

    /// Takes back the slots of those that have come to nothing within one time.
    pub(super) fn forget_unbegun(&mut self, begun: Vec<(Slot, PositionId)>) {
        for (slot, id) in begun {
            if self.held[place(slot)].is_none() {
                self.slots.remove(&id);
                self.free.push(slot);
            }
        }
    }
}

/// Returns whether two plans of one position are the same; references usually tell.
fn is_same(a: &Plan, b: &Plan) -> bool {
    let is_same_row = Arc::ptr_eq(&a.row, &b.row) || a.row == b.row;
    let is_same_reference = match (&a.terms, &b.terms) {
        (Some(a), Some(b)) => Arc::ptr_eq(a, b),
        (a, b) => a.is_none() && b.is_none(),
    };
    is_same_row && (is_same_reference || a.terms == b.terms)
}
