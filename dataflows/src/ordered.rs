//! The one custom operator: a state machine per symbol, fed strictly in order of logical time.
//!
//! Keeps what has arrived and may not be applied yet, by time. Holds a capability for the least
//! time at which something happens (a waiting update, or a deadline of the machine), and drops it
//! when there is none. When the frontier advances it applies everything before it, one time after
//! the other, with the updates of one time summed; so results do not depend on how inputs were
//! batched. A deadline speaks at exactly its own time although nothing arrives then; closing the
//! inputs drops deadlines that had not come. Cost per update: a map entry per distinct time, plus
//! the machine's own.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use differential_dataflow::consolidation::consolidate;
use differential_dataflow::{AsCollection, Data, ExchangeData};
use timely::container::CapacityContainerBuilder;
use timely::dataflow::channels::pact::Exchange;
use timely::dataflow::operators::Capability;
use timely::dataflow::operators::generic::operator::Operator;

use crate::model::Symbol;
use crate::{Rows, Time};

/// What concerns one symbol.
pub(crate) trait OfSymbol {
    /// Returns the symbol: everything of one goes to one worker.
    fn symbol(&self) -> Symbol;
}

/// The state of all symbols of one worker.
pub(crate) trait Machine<I, O>: 'static {
    /// Applies what happened at `time`, deadlines that are due included.
    fn apply(&mut self, time: Time, updates: Vec<(I, isize)>) -> Vec<O>;

    /// Returns the next time at which something happens by itself.
    fn deadline(&self) -> Option<Time>;
}

/// Renders `machine` over `inputs`.
pub(crate) fn render<'s, I, O, M>(inputs: Rows<'s, I>, name: &str, mut machine: M) -> Rows<'s, O>
where
    I: ExchangeData + OfSymbol,
    O: Data,
    M: Machine<I, O>,
{
    let by_symbol = Exchange::new(|update: &(I, Time, isize)| hash(update.0.symbol()));
    inputs
        .inner
        .unary_frontier::<CapacityContainerBuilder<Vec<_>>, _, _, _>(
            by_symbol,
            name,
            |_capability, _info| {
                let mut waiting: BTreeMap<Time, Vec<(I, isize)>> = BTreeMap::new();
                let mut capability: Option<Capability<Time>> = None;
                move |(input, frontier), output| {
                    input.for_each_stamp(|stamp, data| {
                        if let Some(new) = stamp.retain_least(output.output_index()) {
                            if capability
                                .as_ref()
                                .is_none_or(|old| new.time() < old.time())
                            {
                                capability = Some(new);
                            }
                            for (row, time, diff) in data.flat_map(|batch| batch.drain(..)) {
                                waiting.entry(time).or_default().push((row, diff));
                            }
                        }
                    });
                    let frontier = frontier.frontier();
                    let next = |waiting: &BTreeMap<Time, _>, machine: &M| {
                        let deadline = machine.deadline().filter(|_| !frontier.is_empty());
                        waiting
                            .keys()
                            .next()
                            .copied()
                            .into_iter()
                            .chain(deadline)
                            .min()
                    };
                    while let Some(time) = next(&waiting, &machine) {
                        if frontier.less_equal(&time) {
                            break;
                        }
                        // Joins say what cancels within one time; only the sum counts.
                        let mut updates = waiting.remove(&time).unwrap_or_default();
                        consolidate(&mut updates);
                        let said = machine.apply(time, updates);
                        if let (Some(capability), false) = (&capability, said.is_empty()) {
                            let said = said.into_iter().map(|row| (row, time, 1));
                            output.session(capability).give_iterator(said);
                        }
                    }
                    match (next(&waiting, &machine), &mut capability) {
                        (Some(next), Some(capability)) => capability.downgrade(&next),
                        _ => capability = None,
                    }
                }
            },
        )
        .as_collection()
}

fn hash(symbol: Symbol) -> u64 {
    let mut hasher = DefaultHasher::new();
    symbol.hash(&mut hasher);
    hasher.finish()
}
