//! The rows of a symbol up to the day, the newest first.
//!
//! Rows and the day stand in one arrangement, so that another day evaluates each symbol once more and
//! moves no row.

use std::cmp::Reverse;

use differential_dataflow::ExchangeData;
use differential_dataflow::operators::arrange::{Arranged, TraceAgent};
use differential_dataflow::trace::implementations::{ValBuilder, ValSpine};
use serde::{Deserialize, Serialize};
use turnstile_dataflows::model::Symbol;
use turnstile_dataflows::{Rows, Time};

use crate::Day;

/// What is known of a symbol; the head sorts first, then the newest.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) enum Entry<H, T> {
    /// The day, and what else concerns all rows.
    Head(H),
    /// A row of a day.
    Row(Reverse<Day>, T),
}

/// Entries by symbol, as they are kept.
pub(crate) type EntryTrace<H, T> = TraceAgent<ValSpine<Symbol, Entry<H, T>, Time, isize>>;

/// An entry and how often it is there.
pub(crate) type Counted<'a, H, T> = (&'a Entry<H, T>, isize);

/// Renders what `evaluate` says of each symbol that has a head. Returns also what is kept: a row for
/// each of `rows`, and the heads.
pub(crate) fn render<'s, H: ExchangeData, T: ExchangeData, O: ExchangeData>(
    name: &str,
    heads: Rows<'s, (Symbol, H)>,
    rows: Rows<'s, (Symbol, Entry<H, T>)>,
    mut evaluate: impl FnMut(&H, &[Counted<'_, H, T>]) -> Option<O> + 'static,
) -> (Rows<'s, (Symbol, O)>, EntryTrace<H, T>) {
    let arranged: Arranged<'s, EntryTrace<H, T>> = heads
        .map(|(symbol, head)| (symbol, Entry::Head(head)))
        .concat(rows)
        .arrange_by_key_named(&format!("{name} by symbol"));
    let trace = arranged.trace.clone();
    let evaluated = arranged
        .reduce_abelian::<_, ValBuilder<_, _, _, _>, ValSpine<Symbol, O, _, _>, _, _>(
            &format!("{name}: evaluated by symbol"),
            move |_symbol, entries, output| {
                if let Some(((Entry::Head(head), _count), rows)) = entries.split_first() {
                    output.extend(evaluate(head, rows).map(|said| (said, 1)));
                }
            },
            |vec, key, updates| {
                vec.clear();
                let rows = updates.drain(..);
                vec.extend(rows.map(|(row, time, diff)| ((*key, row), time, diff)));
            },
        )
        .as_collection(|symbol, said| (*symbol, said.clone()));
    (evaluated, trace)
}

/// The rows that are known on `day`, the newest first, `most` of them.
pub(crate) fn known<H, T: Copy>(
    day: Day,
    entries: &[Counted<'_, H, T>],
    most: usize,
) -> Vec<(Day, T)> {
    let later = entries.partition_point(|(entry, _count)| match entry {
        Entry::Head(_head) => true,
        Entry::Row(Reverse(of), _row) => *of > day,
    });
    let rows = entries[later..]
        .iter()
        .filter_map(|(entry, _count)| match entry {
            Entry::Head(_head) => None,
            Entry::Row(Reverse(of), row) => Some((*of, *row)),
        });
    rows.take(most).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_after_the_day_are_not_known() {
        let entries: Vec<Entry<(), u8>> = [5, 4, 2, 1]
            .into_iter()
            .map(|day| Entry::Row(Reverse(Day(day)), 0))
            .collect();
        let counted: Vec<_> = entries.iter().map(|entry| (entry, 1)).collect();
        assert!(entries.is_sorted());
        assert_eq!(known(Day(4), &counted, 2), [(Day(4), 0), (Day(2), 0)]);
        assert_eq!(known(Day(3), &counted, 9), [(Day(2), 0), (Day(1), 0)]);
        assert!(known(Day(0), &counted, 9).is_empty());
    }
}
