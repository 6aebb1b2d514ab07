//! Numbers, dates and times as the broker writes them: text, maybe padded, signed or empty.
//!
//! Nothing here allocates unless the text is wrong.

use jiff::civil::{Date, Time};
use turnstile_dataflows::model::{Price, Quantity};

/// Decimal places of a price in the model.
const PRICE_PLACES: u32 = 4;

/// Returns the whole number in `text`, `None` where it is blank.
///
/// Leading zeros, a sign and a fraction of zeros are allowed.
pub(super) fn integer(text: &[u8]) -> Result<Option<i64>, String> {
    fixed(text, 0)
}

/// Returns the decimal number in `text` as a count of 10^-`places`, `None` where it is blank.
///
/// Exact: digits beyond `places` must be zero.
pub(super) fn fixed(text: &[u8], places: u32) -> Result<Option<i64>, String> {
    let text = text.trim_ascii();
    let (negative, digits) = match text {
        [] => return Ok(None),
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    let value =
        magnitude(digits, places).ok_or_else(|| format!("number expected, was {}", shown(text)))?;
    Ok(Some(if negative { -value } else { value }))
}

/// Returns the unsigned number in `digits` as a count of 10^-`places`.
fn magnitude(digits: &[u8], places: u32) -> Option<i64> {
    let mut value: i64 = 0;
    let mut decimals: Option<u32> = None;
    let mut some_digit = false;
    for byte in digits {
        match byte {
            b'0'..=b'9' => {
                some_digit = true;
                let digit = i64::from(byte - b'0');
                match &mut decimals {
                    Some(seen) if *seen == places => {
                        if digit != 0 {
                            return None;
                        }
                        continue;
                    }
                    Some(seen) => *seen += 1,
                    None => {}
                }
                value = value.checked_mul(10)?.checked_add(digit)?;
            }
            b'.' if decimals.is_none() => decimals = Some(0),
            _ => return None,
        }
    }
    if !some_digit {
        return None;
    }
    value.checked_mul(10_i64.checked_pow(places - decimals.unwrap_or(0))?)
}

/// Returns the price in `text`, `None` where it is blank or zero (the broker's "no price").
pub(super) fn price(text: &[u8]) -> Result<Option<Price>, String> {
    match fixed(text, PRICE_PLACES)? {
        None | Some(0) => Ok(None),
        Some(units) => Price::from_units(units)
            .map(Some)
            .map_err(|error| error.to_string()),
    }
}

/// Returns the quantity in `text`, `None` where it is blank.
pub(super) fn quantity(text: &[u8]) -> Result<Option<Quantity>, String> {
    integer(text)?
        .map(|shares| Quantity::new(shares).map_err(|error| error.to_string()))
        .transpose()
}

/// Returns the time of day in `text`, `HHMMSS`.
pub(super) fn time(text: &[u8]) -> Result<Time, String> {
    let text = text.trim_ascii();
    read_time(text).ok_or_else(|| format!("time HHMMSS expected, was {}", shown(text)))
}

fn read_time(text: &[u8]) -> Option<Time> {
    if text.len() != 6 {
        return None;
    }
    let part = |from| i8::try_from(pair(text, from)?).ok();
    Time::new(part(0)?, part(2)?, part(4)?, 0).ok()
}

/// Returns the date in `text`, `YYYYMMDD`, `None` where it is blank or all zeros.
pub(super) fn date(text: &[u8]) -> Result<Option<Date>, String> {
    let text = text.trim_ascii();
    if text.iter().all(|byte| *byte == b'0') {
        return Ok(None);
    }
    read_date(text)
        .map(Some)
        .ok_or_else(|| format!("date YYYYMMDD expected, was {}", shown(text)))
}

fn read_date(text: &[u8]) -> Option<Date> {
    if text.len() != 8 {
        return None;
    }
    let year = i16::from(pair(text, 0)?) * 100 + i16::from(pair(text, 2)?);
    let part = |from| i8::try_from(pair(text, from)?).ok();
    Date::new(year, part(4)?, part(6)?).ok()
}

/// Returns the two digits that start at `from`.
fn pair(text: &[u8], from: usize) -> Option<u8> {
    match text.get(from..from + 2)? {
        [tens @ b'0'..=b'9', ones @ b'0'..=b'9'] => Some((tens - b'0') * 10 + (ones - b'0')),
        _ => None,
    }
}

/// Returns the beginning of a bad field for a message.
pub(super) fn shown(text: &[u8]) -> String {
    let head = &text[..text.len().min(24)];
    format!("{:?}", String::from_utf8_lossy(head))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn padding_signs_and_blanks_are_understood() {
        assert_eq!(integer(b"0000000010"), Ok(Some(10)));
        assert_eq!(integer(b"  7  "), Ok(Some(7)));
        assert_eq!(integer(b"-600"), Ok(Some(-600)));
        assert_eq!(integer(b"1100.00"), Ok(Some(1_100)));
        assert_eq!(integer(b""), Ok(None));
        assert_eq!(integer(b"   "), Ok(None));
        assert_eq!(fixed(b"-0.14", 4), Ok(Some(-1_400)));
        assert_eq!(fixed(b".5", 4), Ok(Some(5_000)));
        assert_eq!(fixed(b"190844.97", 4), Ok(Some(1_908_449_700)));
    }

    #[test]
    fn what_is_no_number_is_refused_and_shown() {
        for text in [
            "-",
            ".",
            "1.2.3",
            "12a",
            "1,000",
            "99999999999999999999",
            "+-1",
        ] {
            let fault = fixed(text.as_bytes(), 4).unwrap_err();
            assert!(fault.contains(&text[..1]), "{fault}");
        }
        assert!(fixed(b"0.00001", 4).is_err());
        assert!(integer(b"1.5").is_err());
    }

    #[test]
    fn a_zero_price_is_no_price_and_a_negative_one_a_fault() {
        assert_eq!(price(b"0"), Ok(None));
        assert_eq!(price(b"000000000"), Ok(None));
        assert!(price(b"-5").is_err());
    }

    #[test]
    fn dates_and_times_are_checked() {
        assert_eq!(time(b"093354").unwrap(), Time::constant(9, 33, 54, 0));
        assert!(time(b"246060").is_err());
        assert!(time(b"9335").is_err());
        assert_eq!(
            date(b"20261116").unwrap(),
            Some(Date::constant(2026, 11, 16))
        );
        assert_eq!(date(b"00000000").unwrap(), None);
        assert_eq!(date(b"").unwrap(), None);
        assert!(date(b"20261332").is_err());
    }

    proptest! {
        #[test]
        fn a_number_survives_its_text(value in -9_000_000_000_000_i64..9_000_000_000_000) {
            let text = format!("{}.{:04}", value / 10_000, (value % 10_000).abs());
            let text = if value < 0 && value / 10_000 == 0 { format!("-{text}") } else { text };
            prop_assert_eq!(fixed(text.as_bytes(), 4), Ok(Some(value)));
        }

        #[test]
        fn nothing_panics(text in prop::collection::vec(any::<u8>(), 0..40)) {
            drop(fixed(&text, 4));
            drop(price(&text));
            drop(quantity(&text));
            drop(time(&text));
            drop(date(&text));
        }
    }
}
