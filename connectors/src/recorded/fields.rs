//! Numbers, prices, times and dates as recorded files write them. Nothing allocates unless a text is
//! wrong.

mod time;

use std::str::FromStr;

use turnstile_dataflows::model::{Price, Symbol};

pub(super) use self::time::{date, time};

/// Decimal places of a price.
const PRICE_PLACES: u32 = 4;
/// Bytes of a bad text that a message shows.
const SHOWN_MAX: usize = 40;

/// Why a text is not the number that was expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum NumberFault {
    NotANumber,
    TooFine,
    TooLarge,
}

impl NumberFault {
    fn told(self, what: &str, places: u32, text: &[u8]) -> String {
        let text = shown(text);
        match self {
            Self::NotANumber => format!("{what} expected, was {text}"),
            Self::TooFine => format!("{what} may have at most {places} decimals, was {text}"),
            Self::TooLarge => format!("{what} is too large: {text}"),
        }
    }
}

/// Returns the decimal number in `text` as a count of 10^-`places`. Zeros at the end are no
/// decimals; exponents, separators and blanks are no part of a number.
fn number(text: &[u8], places: u32) -> Result<i64, NumberFault> {
    let (is_negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    let mut value: Option<i64> = Some(0);
    let mut decimals: Option<u32> = None;
    let (mut some_digit, mut is_too_fine) = (false, false);
    for byte in digits {
        match byte {
            b'0'..=b'9' => {
                some_digit = true;
                if decimals == Some(places) {
                    is_too_fine |= *byte != b'0';
                    continue;
                }
                decimals = decimals.map(|seen| seen + 1);
                value = value
                    .and_then(|value| value.checked_mul(10)?.checked_add(i64::from(byte - b'0')));
            }
            b'.' if decimals.is_none() => decimals = Some(0),
            _ => return Err(NumberFault::NotANumber),
        }
    }
    if !some_digit {
        return Err(NumberFault::NotANumber);
    }
    if is_too_fine {
        return Err(NumberFault::TooFine);
    }
    let scale = 10_i64.checked_pow(places - decimals.unwrap_or(0));
    let value = value
        .zip(scale)
        .and_then(|(value, scale)| value.checked_mul(scale))
        .ok_or(NumberFault::TooLarge)?;
    Ok(if is_negative { -value } else { value })
}

/// Returns the number in `text` as a count of 10^-`places`.
pub(super) fn decimal(text: &[u8], places: u32) -> Result<i64, String> {
    number(text, places).map_err(|fault| fault.told("number", places, text))
}

/// Returns the whole number in `text`.
pub(super) fn integer(text: &[u8]) -> Result<i64, String> {
    if text.contains(&b'.') {
        return Err(format!("whole number expected, was {}", shown(text)));
    }
    number(text, 0).map_err(|fault| fault.told("whole number", 0, text))
}

/// Returns the whole part of any number above zero; zero where it is negative or does not fit.
pub(super) fn whole_part(text: &[u8]) -> Result<u64, String> {
    let whole = text.split(|byte| *byte == b'.').next().unwrap_or_default();
    match number(text, 0) {
        Err(fault @ NumberFault::NotANumber) => Err(fault.told("number", 0, text)),
        Ok(_) | Err(NumberFault::TooFine | NumberFault::TooLarge) => {
            let whole = number(whole, 0).ok();
            Ok(whole
                .and_then(|whole| u64::try_from(whole).ok())
                .unwrap_or_default())
        }
    }
}

/// Returns the price in `text`.
pub(super) fn price(text: &[u8]) -> Result<Price, String> {
    price_units(text)
        .and_then(|units| Price::from_units(units).map_err(|_| not_positive("price", text)))
}

/// Returns the price in `text`, none where it is empty or zero: nobody quotes.
pub(super) fn quote(text: &[u8]) -> Result<Option<Price>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    match price_units(text)? {
        0 => Ok(None),
        units => Price::from_units(units)
            .map(Some)
            .map_err(|_| format!("price must not be negative, was {}", shown(text))),
    }
}

/// Returns the average cost in `text`, none where it is zero or below: such a position is not
/// evaluated.
pub(super) fn average(text: &[u8]) -> Result<Option<Price>, String> {
    price_units(text).map(|units| Price::from_units(units).ok())
}

fn price_units(text: &[u8]) -> Result<i64, String> {
    number(text, PRICE_PLACES).map_err(|fault| fault.told("price", PRICE_PLACES, text))
}

fn not_positive(what: &str, text: &[u8]) -> String {
    format!("{what} must be positive, was {}", shown(text))
}

/// Returns the symbol in `text`.
pub(super) fn symbol(text: &[u8]) -> Result<Symbol, String> {
    let parsed = std::str::from_utf8(text)
        .ok()
        .and_then(|text| text.parse().ok());
    parsed.ok_or_else(|| {
        format!(
            "symbol of 1 to 9 letters or digits expected, was {}",
            shown(text)
        )
    })
}

/// Returns the UTF-8 text in `text`.
pub(super) fn text(text: &[u8]) -> Result<&str, String> {
    std::str::from_utf8(text).map_err(|_| format!("UTF-8 expected, was {}", shown(text)))
}

/// Returns the UTF-8 text in `text`, which must hold more than blanks and no NUL, which
/// PostgreSQL cannot store.
pub(super) fn filled(bytes: &[u8]) -> Result<&str, String> {
    let found = text(bytes)?;
    if found.trim().is_empty() || found.contains('\0') {
        return Err(format!("text expected, was {}", shown(bytes)));
    }
    Ok(found)
}

/// Returns what `read` makes of `text`, none where it is empty.
pub(super) fn optional<'t, T>(
    text: &'t [u8],
    read: impl FnOnce(&'t [u8]) -> Result<T, String>,
) -> Result<Option<T>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    read(text).map(Some)
}

/// Refuses a row in which all of `texts` are empty: `what` is told by none.
pub(super) fn at_least_one(texts: &[&[u8]], what: &str) -> Result<(), String> {
    if texts.iter().all(|text| text.is_empty()) {
        return Err(format!("at least one {what} expected, all were empty"));
    }
    Ok(())
}

/// Returns which of `names` stands in `text`.
pub(super) fn one_of(text: &[u8], names: &[&'static str]) -> Result<&'static str, String> {
    let found = names.iter().find(|name| name.as_bytes() == text);
    found
        .copied()
        .ok_or_else(|| format!("{} expected, was {}", names.join(" or "), shown(text)))
}

/// Returns what `text` names, such as an identifier or a mode.
pub(super) fn parsed<T: FromStr<Err: ToString>>(name: &[u8]) -> Result<T, String> {
    text(name)?
        .parse()
        .map_err(|error: T::Err| error.to_string())
}

/// Returns the beginning of a bad field for a message.
pub(super) fn shown(text: &[u8]) -> String {
    let head = &text[..text.len().min(SHOWN_MAX)];
    let end = if text.len() > SHOWN_MAX { "…" } else { "" };
    format!("{:?}{end}", String::from_utf8_lossy(head))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_are_plain_decimals() {
        assert_eq!(decimal(b"167.41", 4), Ok(1_674_100));
        assert_eq!(decimal(b"-0.03", 6), Ok(-30_000));
        assert_eq!(decimal(b".5", 4), Ok(5_000));
        assert_eq!(decimal(b"5.", 4), Ok(50_000));
        assert_eq!(decimal(b"+1.000100000", 4), Ok(10_001));
        for text in [
            "", ".", "-", "1e5", "1,5", "1_0", " 1", "1 ", "0x1", "1.2.3", "NaN", "∞",
        ] {
            assert!(decimal(text.as_bytes(), 4).is_err(), "{text:?}");
        }
        assert!(decimal(b"1.00001", 4).unwrap_err().contains("4 decimals"));
        assert!(
            decimal(b"9999999999999999", 4)
                .unwrap_err()
                .contains("large")
        );
        assert!(integer(b"1.0").is_err());
        assert_eq!(integer(b"-7"), Ok(-7));
        assert_eq!(whole_part(b"123456789012345678901234567890.5"), Ok(0));
        assert_eq!(whole_part(b"12.5"), Ok(12));
        assert_eq!(whole_part(b".5"), Ok(0));
        assert!(whole_part(b"12a").is_err());
    }

    #[test]
    fn no_quote_is_none_and_no_price_a_fault() {
        assert_eq!(quote(b""), Ok(None));
        assert_eq!(quote(b"0.0"), Ok(None));
        assert_eq!(quote(b"1.5").unwrap().unwrap().units(), 15_000);
        assert!(quote(b"-1").is_err());
        for text in ["", "0", "-1", "0.00001"] {
            assert!(price(text.as_bytes()).is_err(), "{text:?}");
        }
        assert_eq!(average(b"-1"), Ok(None));
        assert!(average(b"").is_err());
    }

    proptest! {
        #[test]
        fn a_number_survives_its_text(units in any::<i64>(), places in 0_u32..=6) {
            let units = units / 2;
            let scale = 10_i64.pow(places);
            let sign = if units < 0 { "-" } else { "" };
            let (whole, rest) = ((units / scale).abs(), (units % scale).abs());
            let text = match usize::try_from(places).unwrap() {
                0 => format!("{sign}{whole}"),
                width => format!("{sign}{whole}.{rest:0width$}"),
            };
            prop_assert_eq!(decimal(text.as_bytes(), places), Ok(units), "{}", text);
        }

        #[test]
        fn nothing_panics(bytes in prop::collection::vec(any::<u8>(), 0..48)) {
            drop(decimal(&bytes, 6));
            drop(integer(&bytes));
            drop(whole_part(&bytes));
            drop(price(&bytes));
            drop(quote(&bytes));
            drop(average(&bytes));
            drop(symbol(&bytes));
            drop(text(&bytes));
        }
    }
}
