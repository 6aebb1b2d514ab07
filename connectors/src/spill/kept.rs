//! What is kept, as lines of text: CRC32 of the rest in eight hexadecimal digits, a blank, and JSON.

use serde::{Deserialize, Serialize};

use crate::execution::{Notice, Unstored};
use crate::postgres::PriceRow;

/// Something that is kept until it can be stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kept {
    /// A price that an engine has judged.
    Tick(Box<PriceRow>),
    /// A price that nobody has judged: there was no engine.
    Unjudged(Box<PriceRow>),
    /// An execution notice. Nobody has handled it.
    Notice(Notice),
    /// A decision that was not stored in time.
    Decision(Box<Unstored>),
}

impl Kept {
    /// Appends it as a line.
    pub(super) fn write(&self, text: &mut Vec<u8>) {
        let json = serde_json::to_vec(self).expect("plain data has a form as JSON");
        text.extend_from_slice(format!("{:08x} ", crc32fast::hash(&json)).as_bytes());
        text.extend_from_slice(&json);
        text.push(b'\n');
    }

    /// Reads a line, without its end.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn read(line: &[u8]) -> Result<Self, String> {
        let (sum, json) = line
            .split_at_checked(9)
            .ok_or_else(|| format!("more than 9 bytes expected, was {}", line.len()))?;
        let said = std::str::from_utf8(&sum[..8])
            .ok()
            .filter(|_| sum[8] == b' ')
            .and_then(|sum| u32::from_str_radix(sum, 16).ok())
            .ok_or("checksum of eight hexadecimal digits and a blank expected")?;
        let found = crc32fast::hash(json);
        if said != found {
            return Err(format!("checksum {said:08x} expected, was {found:08x}"));
        }
        serde_json::from_slice(json).map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::time;
    use proptest::prelude::*;
    use rust_decimal::Decimal;

    use super::*;
    use crate::execution::{NoticeEvent, Side};

    fn row(logical_us: u64, units: i64, ask: Option<i64>, change: Option<i64>) -> Box<PriceRow> {
        let price = |units: i64| Decimal::new(units, 4).try_into().unwrap();
        Box::new(PriceRow {
            logical_us,
            symbol: "005930".parse().unwrap(),
            exchange_us: logical_us / 2,
            received_us: logical_us,
            source: "NAVER",
            last: price(units),
            bid: None,
            ask: ask.map(price),
            volume: units,
            day_volume: change,
            day_value: change.map(|units| Decimal::new(units, 4)),
            change: change.map(|units| Decimal::new(units, 4)),
            change_rate: None,
            bid_volume: None,
            ask_volume: Some(0),
            session: "AFTER_MARKET",
        })
    }

    fn tick(logical_us: u64, units: i64, ask: Option<i64>, change: Option<i64>) -> Kept {
        Kept::Tick(row(logical_us, units, ask, change))
    }

    fn line(kept: &Kept) -> Vec<u8> {
        let mut text = Vec::new();
        kept.write(&mut text);
        assert_eq!(text.pop(), Some(b'\n'));
        assert!(!text.contains(&b'\n'));
        text
    }

    #[test]
    fn each_kind_comes_back_as_it_was() {
        let notice = Kept::Notice(Notice {
            received_us: 5,
            number: "0000012345".to_owned(),
            original: None,
            symbol: "0000A0".parse().unwrap(),
            side: Side::Sell,
            order_qty: 100.try_into().unwrap(),
            time: time(9, 0, 1, 0),
            event: NoticeEvent::Fill {
                qty: 30.try_into().unwrap(),
                price: Decimal::new(191_200, 0).try_into().unwrap(),
            },
        });
        for kept in [notice, Kept::Unjudged(row(7, 5, None, None))] {
            assert_eq!(Kept::read(&line(&kept)), Ok(kept));
        }
    }

    #[test]
    fn a_source_that_nobody_knows_is_told() {
        let text = String::from_utf8(line(&tick(1, 1, None, None))).unwrap();
        let json = text[9..].replace("NAVER", "OTHER");
        let text = format!("{:08x} {json}", crc32fast::hash(json.as_bytes()));
        let error = Kept::read(text.as_bytes()).unwrap_err();
        assert!(error.contains("OTHER"), "{error}");
    }

    proptest! {
        #[test]
        fn a_tick_comes_back_as_it_was(
            us in 0..u64::MAX,
            units in 1..i64::from(u32::MAX),
            ask in proptest::option::of(1..i64::from(u32::MAX)),
            change in proptest::option::of(any::<i64>()),
        ) {
            let kept = tick(us, units, ask, change);
            prop_assert_eq!(Kept::read(&line(&kept)), Ok(kept));
        }

        #[test]
        fn any_byte_that_is_another_is_noticed(at in any::<prop::sample::Index>(), by in 1..=u8::MAX) {
            let mut line = line(&tick(1_795_482_000_000_001, 1_912_000_000, Some(5), None));
            let at = at.index(line.len());
            line[at] ^= by;
            // A digit of the checksum may be written as a capital.
            if let Ok(kept) = Kept::read(&line) {
                prop_assert!(at < 8);
                prop_assert_eq!(kept, tick(1_795_482_000_000_001, 1_912_000_000, Some(5), None));
            }
        }

        #[test]
        fn no_line_ends_the_process(line in proptest::collection::vec(any::<u8>(), 0..64)) {
            drop(Kept::read(&line));
        }
    }
}
