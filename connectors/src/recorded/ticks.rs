//! Ticks of a recorded day.

use std::path::Path;

use turnstile_dataflows::model::{LogicalTime, Tick};

use super::error::{FieldFault, RecordedError, of_column};
use super::fields;
use super::file::OnRead;
use super::table::{Column, Fields, OnFault, Skipped, Table};

const COLUMNS: [Column; 7] = [
    ("ts", true),
    ("symbol", true),
    ("price", true),
    ("bid", false),
    ("ask", false),
    ("volume", false),
    ("source", false),
];

/// The ticks of a file, read one by one. Their time is that of the file, which may be equal to the
/// one before.
pub struct Ticks {
    table: Table<7>,
    last: LogicalTime,
    count: u64,
}

impl Ticks {
    /// Opens `file`. `on_read` is told of every read of it.
    ///
    /// # Errors
    /// A file that cannot be read, or its header.
    pub fn open(
        file: &Path,
        on_fault: OnFault,
        on_read: Option<OnRead>,
    ) -> Result<Self, RecordedError> {
        Ok(Self {
            table: Table::open(file, &COLUMNS, on_fault, on_read)?,
            last: LogicalTime::default(),
            count: 0,
        })
    }

    /// Returns the next tick, none at the end of the file.
    ///
    /// # Errors
    /// A file that cannot be read; a malformed line, unless those are left out.
    pub fn read(&mut self) -> Result<Option<Tick>, RecordedError> {
        let last = &mut self.last;
        let tick = self.table.next(|fields| {
            let tick = parse(fields)?;
            not_before(*last, tick.time)?;
            *last = tick.time;
            Ok(tick)
        })?;
        self.count += u64::from(tick.is_some());
        Ok(tick)
    }

    /// Returns how many ticks were read so far.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Returns what was left out so far.
    pub fn skipped(&self) -> Skipped {
        self.table.skipped()
    }
}

/// Refuses a time before that of the row before.
pub(super) fn not_before(last: LogicalTime, time: LogicalTime) -> Result<(), FieldFault> {
    if time >= last {
        return Ok(());
    }
    Err(FieldFault {
        column: "ts",
        reason: format!("time must not fall, was {time} µs after {last} µs"),
    })
}

fn parse(row: &Fields<'_, 7>) -> Result<Tick, FieldFault> {
    let [ts, symbol, price, bid, ask, volume, source] = *row;
    let volume = volume.filter(|text| !text.is_empty());
    let tick = Tick {
        time: fields::time(ts.unwrap_or_default()).map_err(of_column("ts"))?,
        symbol: fields::symbol(symbol.unwrap_or_default()).map_err(of_column("symbol"))?,
        last: fields::price(price.unwrap_or_default()).map_err(of_column("price"))?,
        bid: fields::quote(bid.unwrap_or_default()).map_err(of_column("bid"))?,
        volume: volume
            .map_or(Ok(0), fields::whole_part)
            .map_err(of_column("volume"))?,
    };
    fields::quote(ask.unwrap_or_default()).map_err(of_column("ask"))?;
    fields::text(source.unwrap_or_default()).map_err(of_column("source"))?;
    Ok(tick)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn row<'r>(texts: [&'r str; 7]) -> Fields<'r, 7> {
        texts.map(|text| Some(text.as_bytes()))
    }

    fn faulty_column(texts: [&str; 7]) -> &'static str {
        parse(&row(texts)).unwrap_err().column
    }

    #[test]
    fn every_column_is_checked_also_those_that_do_not_decide() {
        let good = ["1", "005930", "71900", "71800", "71900", "15", "KIS"];
        let tick = parse(&row(good)).unwrap();
        assert_eq!(tick.evaluation_price().to_string(), "71800");
        let bad = [
            (0, "x", "ts"),
            (1, "삼성", "symbol"),
            (2, "0", "price"),
            (2, "", "price"),
            (2, "1.00001", "price"),
            (3, "-1", "bid"),
            (4, "1.00001", "ask"),
            (5, "many", "volume"),
        ];
        for (at, text, column) in bad {
            let mut texts = good;
            texts[at] = text;
            assert_eq!(faulty_column(texts), column, "{text:?}");
        }
        let mut fields = row(good);
        fields[6] = Some(b"\xff");
        assert_eq!(parse(&fields).unwrap_err().column, "source");
    }

    #[test]
    fn a_bid_of_zero_or_nothing_is_none() {
        for bid in ["", "0", "0.000"] {
            let tick = parse(&row(["1", "A", "5.5", bid, "", "", ""])).unwrap();
            assert_eq!(tick.evaluation_price().to_string(), "5.5");
        }
        let mut lacking = row(["1", "A", "5.5", "", "", "", ""]);
        lacking[3..].fill(None);
        assert_eq!(parse(&lacking).unwrap().bid, None);
    }

    proptest! {
        #[test]
        fn a_tick_survives_its_text(
            micros in 0..253_402_300_799_999_999_u64,
            symbol in "[0-9A-Za-z]{1,9}",
            price in 1..=i64::MAX,
            bid in 0..=i64::MAX,
        ) {
            let text = |units: i64| rust_decimal::Decimal::new(units, 4).to_string();
            let texts = [micros.to_string(), text(price), text(bid)];
            let tick = parse(&row([&texts[0], &symbol, &texts[1], &texts[2], "", "1", "x"])).unwrap();
            prop_assert_eq!(tick.time.micros(), micros);
            prop_assert_eq!(tick.symbol.to_string(), symbol);
            prop_assert_eq!(tick.last.units(), price);
            prop_assert_eq!(tick.bid.map_or(0, |bid| bid.units()), bid);
        }

        #[test]
        fn parsing_never_panics(
            row in prop::array::uniform7(prop::option::of(prop::collection::vec(any::<u8>(), 0..12)))
        ) {
            drop(parse(&row.each_ref().map(|field| field.as_deref())));
        }
    }
}
