//! Inputs with many rows: what stands under a key is looked up where the dataflow keeps it.

use std::cmp::Reverse;

use differential_dataflow::ExchangeData;
use differential_dataflow::input::InputSession;
use differential_dataflow::trace::cursor::cursor_list;
use differential_dataflow::trace::{Cursor, TraceReader};
use timely::progress::frontier::{Antichain, AntichainRef};
use turnstile_dataflows::Time;
use turnstile_dataflows::model::Symbol;

use crate::Day;
use crate::window::{Entry, EntryTrace};

/// Rows by symbol and day, at most one each.
pub(crate) struct Dated<H: ExchangeData, T: ExchangeData> {
    session: InputSession<Time, (Symbol, Entry<H, T>), isize>,
    trace: EntryTrace<H, T>,
    /// What came since the last settling, in the order in which it came.
    pending: Vec<(Symbol, Reverse<Day>, Option<T>)>,
}

impl<H: ExchangeData, T: ExchangeData> Dated<H, T> {
    pub(crate) fn new(
        session: InputSession<Time, (Symbol, Entry<H, T>), isize>,
        trace: EntryTrace<H, T>,
    ) -> Self {
        Self {
            session,
            trace,
            pending: Vec::new(),
        }
    }

    /// Puts `row` under its key, or nothing.
    pub(crate) fn put(&mut self, symbol: Symbol, day: Day, row: Option<T>) {
        self.pending.push((symbol, Reverse(day), row));
    }

    /// Enters what came at the present time. All of an earlier time must be settled.
    pub(crate) fn enter(&mut self) {
        if self.pending.is_empty() {
            return;
        }
        let mut pending = std::mem::take(&mut self.pending);
        // Stable: of one key, the last that came is the last.
        pending.sort_by_key(|(symbol, day, _row)| (*symbol, *day));
        let batches = self.trace.batches_through(AntichainRef::new(&[]));
        let (mut cursor, storage) = cursor_list(batches.unwrap_or_default());
        let mut rows = pending.into_iter().peekable();
        while let Some((symbol, day, row)) = rows.next() {
            let is_replaced = rows
                .peek()
                .is_some_and(|(next, next_day, _row)| (*next, *next_day) == (symbol, day));
            if is_replaced {
                continue;
            }
            cursor.seek_key(&storage, &symbol);
            let old = if cursor.get_key(&storage) == Some(&symbol) {
                standing(&mut cursor, &storage, day)
            } else {
                None
            };
            if old == row {
                continue;
            }
            if let Some(old) = old {
                self.session.update((symbol, Entry::Row(day, old)), -1);
            }
            if let Some(row) = row {
                self.session.update((symbol, Entry::Row(day, row)), 1);
            }
        }
    }

    /// Goes on to `time`: what came is complete before it.
    pub(crate) fn advance(&mut self, time: Time) {
        self.session.advance_to(time);
        self.session.flush();
    }

    /// Lets go of the history before `time`.
    pub(crate) fn compact(&mut self, time: Time) {
        let frontier = Antichain::from_elem(time);
        self.trace.set_logical_compaction(frontier.borrow());
        self.trace.set_physical_compaction(frontier.borrow());
    }
}

/// The row of `day` that stands at the key of the cursor, which only goes forward.
fn standing<C, H, T>(cursor: &mut C, storage: &C::Storage, day: Reverse<Day>) -> Option<T>
where
    H: 'static,
    T: Clone + 'static,
    for<'a> C: Cursor<Val<'a> = &'a Entry<H, T>, Diff = isize>,
{
    while let Some(entry) = cursor.get_val(storage) {
        match entry {
            Entry::Row(of, _row) if *of > day => return None,
            Entry::Row(of, row) if *of == day => {
                let row = row.clone();
                let mut count = 0;
                cursor.map_times(storage, |_time, diff| count += C::owned_diff(diff));
                if count > 0 {
                    return Some(row);
                }
            }
            Entry::Head(_) | Entry::Row(..) => {}
        }
        cursor.step_val(storage);
    }
    None
}
