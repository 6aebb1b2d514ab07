//! Telling each of many symbols what concerns all of them.

use differential_dataflow::ExchangeData;
use differential_dataflow::operators::arrange::{Arranged, TraceAgent};
use differential_dataflow::trace::implementations::ValSpine;
use turnstile_dataflows::model::Symbol;
use turnstile_dataflows::{Rows, Time};

/// Symbols under one key.
pub(crate) type Symbols<'s> = Arranged<'s, TraceAgent<ValSpine<(), Symbol, Time, isize>>>;

/// Tells each of `symbols` what concerns all.
pub(crate) fn tell<'s, D: ExchangeData>(
    symbols: &Symbols<'s>,
    rows: Rows<'s, D>,
) -> Rows<'s, (Symbol, D)> {
    rows.map(|row| ((), row))
        .join_core(symbols.clone(), |(), row, symbol| [(*symbol, row.clone())])
}
