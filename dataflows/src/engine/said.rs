//! What the dataflows say, gathered from all workers.

use std::sync::{Arc, Mutex, PoisonError};

use differential_dataflow::Data;
use timely::dataflow::ProbeHandle;

use super::Output;
use crate::model::LogicalTime;
use crate::{Rows, Time};

/// Outputs with their times, in any order.
pub(super) type Said = Arc<Mutex<Vec<(LogicalTime, Output)>>>;

/// Collects the insertions of `rows`. What is withdrawn again needs no action of its own.
pub(super) fn gather<D: Data>(
    rows: Rows<'_, D>,
    wrap: impl Fn(D) -> Output + 'static,
    said: &Said,
    probe: &ProbeHandle<Time>,
) {
    let insertion = move |row: &D, diff: isize| (diff > 0).then(|| wrap(row.clone()));
    gather_changes(rows, insertion, said, probe);
}

/// Collects what `wrap` makes of the changes of `rows`.
pub(super) fn gather_changes<D: Data>(
    rows: Rows<'_, D>,
    wrap: impl Fn(&D, isize) -> Option<Output> + 'static,
    said: &Said,
    probe: &ProbeHandle<Time>,
) {
    let said = said.clone();
    rows.inspect_batch(move |_time, updates| {
        let mut said = said.lock().unwrap_or_else(PoisonError::into_inner);
        said.extend(updates.iter().filter_map(|(row, time, diff)| {
            let output = wrap(row, *diff)?;
            Some((LogicalTime::from_micros(*time), output))
        }));
    })
    .probe_with(probe);
}
