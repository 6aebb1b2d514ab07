//! What a dataflow has said since it was last asked.

use std::cell::RefCell;
use std::rc::Rc;

use differential_dataflow::Data;
use differential_dataflow::consolidation::consolidate;
use timely::dataflow::ProbeHandle;
use turnstile_dataflows::{Rows, Time};

/// Changes of one output, in any order.
pub(crate) struct Changes<D>(Rc<RefCell<Vec<(D, isize)>>>);

impl<D: Data> Changes<D> {
    /// Gathers the changes of `rows`.
    pub(crate) fn of(rows: Rows<'_, D>, probe: &ProbeHandle<Time>) -> Self {
        let changes = Rc::new(RefCell::new(Vec::new()));
        let gathered = changes.clone();
        rows.inspect_batch(move |_time, updates| {
            let updates = updates.iter();
            let updates = updates.map(|(row, _time, diff)| (row.clone(), *diff));
            gathered.borrow_mut().extend(updates);
        })
        .probe_with(probe);
        Self(changes)
    }

    /// Applies the changes to `rows`: first what goes, then what comes.
    pub(crate) fn take_over<R>(
        &self,
        rows: &mut R,
        go: impl Fn(&mut R, &D),
        come: impl Fn(&mut R, D),
    ) {
        let mut changes = self.0.borrow_mut();
        consolidate(&mut changes);
        for (row, _diff) in changes.iter().filter(|(_row, diff)| *diff < 0) {
            go(rows, row);
        }
        for (row, diff) in changes.drain(..) {
            if diff > 0 {
                come(rows, row);
            }
        }
    }
}
