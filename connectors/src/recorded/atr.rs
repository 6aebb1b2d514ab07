//! ATR and previous close of a recorded day.

use std::collections::BTreeMap;
use std::path::Path;

use turnstile_dataflows::exit::SymbolContext;
use turnstile_dataflows::model::Symbol;

use super::error::{FieldFault, RecordedError, of_column};
use super::fields;
use super::table::{Column, Fields, OnFault, Skipped, read_all};

const COLUMNS: [Column; 3] = [("symbol", true), ("atr_pct", true), ("prev_close", false)];
/// Decimal places of ATR percent.
const ATR_PLACES: u32 = 6;

/// Reads ATR and previous close of every symbol in `file`.
///
/// # Errors
/// A file that cannot be read, its header, or a malformed line, unless those are left out.
pub fn read_contexts(
    file: &Path,
    on_fault: OnFault,
) -> Result<(BTreeMap<Symbol, SymbolContext>, Skipped), RecordedError> {
    let mut contexts = BTreeMap::new();
    let (_, skipped) = read_all(file, &COLUMNS, on_fault, |fields| {
        let (symbol, context) = parse(fields)?;
        if contexts.contains_key(&symbol) {
            return Err(FieldFault {
                column: "symbol",
                reason: format!("duplicate symbol {symbol}"),
            });
        }
        contexts.insert(symbol, context);
        Ok(())
    })?;
    Ok((contexts, skipped))
}

fn parse(row: &Fields<'_, 3>) -> Result<(Symbol, SymbolContext), FieldFault> {
    let [symbol, atr_pct, prev_close] = row.map(Option::unwrap_or_default);
    let symbol = fields::symbol(symbol).map_err(of_column("symbol"))?;
    let millionths = fields::decimal(atr_pct, ATR_PLACES).map_err(of_column("atr_pct"))?;
    if millionths < 0 {
        return Err(FieldFault {
            column: "atr_pct",
            reason: format!("ATR must not be negative, was {}", fields::shown(atr_pct)),
        });
    }
    let prev_close = match prev_close {
        [] => None,
        text => Some(fields::price(text).map_err(of_column("prev_close"))?),
    };
    let context = SymbolContext {
        atr_pct_millionths: Some(millionths),
        prev_close,
    };
    Ok((symbol, context))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn row<'r>(texts: [&'r str; 3]) -> Fields<'r, 3> {
        texts.map(|text| Some(text.as_bytes()))
    }

    #[test]
    fn six_decimals_of_atr_and_four_of_a_price_are_read() {
        let (_, context) = parse(&row(["A", "0.012345", "71900.5"])).unwrap();
        assert_eq!(context.atr_pct_millionths, Some(12_345));
        assert_eq!(context.prev_close.unwrap().units(), 719_005_000);
        let (_, context) = parse(&row(["A", "0", ""])).unwrap();
        assert_eq!(context.prev_close, None);
    }

    #[test]
    fn faults_name_their_column() {
        for (texts, column) in [
            (["", "0.01", "1"], "symbol"),
            (["A", "0.0000001", "1"], "atr_pct"),
            (["A", "", "1"], "atr_pct"),
            (["A", "-0.01", "1"], "atr_pct"),
            (["A", "0.01", "0"], "prev_close"),
            (["A", "0.01", "1.00001"], "prev_close"),
        ] {
            assert_eq!(parse(&row(texts)).unwrap_err().column, column, "{texts:?}");
        }
    }

    proptest! {
        #[test]
        fn parsing_never_panics(
            row in prop::array::uniform3(prop::option::of(prop::collection::vec(any::<u8>(), 0..12)))
        ) {
            drop(parse(&row.each_ref().map(|field| field.as_deref())));
        }
    }
}
