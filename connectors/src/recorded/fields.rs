//! Numbers, prices and times as recorded files write them. Nothing allocates unless a text is wrong.

use std::str::FromStr;

use turnstile_dataflows::model::{LogicalTime, Price, Symbol};

/// Decimal places of a price.
const PRICE_PLACES: u32 = 4;
/// The last microsecond of the year 9999, where RFC 3339 ends.
const MICROS_MAX: i64 = 253_402_300_799_999_999;
const MICROS_PER_SECOND: i64 = 1_000_000;
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

/// Returns the time in `text`: RFC 3339, or whole microseconds since 1970 UTC. Digits beyond the
/// microsecond are cut off. The leap second 23:59:60 UTC is the second after it.
pub(super) fn time(text: &[u8]) -> Result<LogicalTime, String> {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    let is_whole = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    let micros = if is_whole {
        number(text, 0).map_err(|fault| fault.told("time", 0, text))?
    } else {
        rfc3339(text).ok_or_else(|| {
            format!(
                "time expected, RFC 3339 or whole microseconds, was {}",
                shown(text)
            )
        })?
    };
    if micros > MICROS_MAX {
        return Err(format!("time must not lie after 9999, was {}", shown(text)));
    }
    u64::try_from(micros)
        .map(LogicalTime::from_micros)
        .map_err(|_| format!("time must not lie before 1970, was {}", shown(text)))
}

/// Returns the microseconds since 1970 UTC of an RFC 3339 time.
fn rfc3339(text: &[u8]) -> Option<i64> {
    let (date_time, rest) = text.split_at_checked(19)?;
    let marks = [date_time[4], date_time[7], date_time[13], date_time[16]];
    if marks != *b"--::" || !matches!(date_time[10], b'T' | b't' | b' ') {
        return None;
    }
    let year = pair(date_time, 0)? * 100 + pair(date_time, 2)?;
    let (month, day) = (pair(date_time, 5)?, pair(date_time, 8)?);
    let (hour, minute, second) = (
        pair(date_time, 11)?,
        pair(date_time, 14)?,
        pair(date_time, 17)?,
    );
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let (fraction, zone) = fraction(rest)?;
    let minutes = days(year, month, day)? * 1_440 + hour * 60 + minute - offset_minutes(zone)?;
    if second == 60 && minutes.rem_euclid(1_440) != 1_439 {
        return None;
    }
    Some((minutes * 60 + second) * MICROS_PER_SECOND + fraction)
}

/// Returns the microseconds of a fraction of a second, and what follows it.
fn fraction(text: &[u8]) -> Option<(i64, &[u8])> {
    let Some(digits) = text.strip_prefix(b".") else {
        return Some((0, text));
    };
    let len = digits
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    if len == 0 {
        return None;
    }
    let mut micros = 0;
    for place in 0..6 {
        let digit = digits[..len].get(place).map_or(0, |byte| byte - b'0');
        micros = micros * 10 + i64::from(digit);
    }
    Some((micros, &digits[len..]))
}

/// Returns the minutes by which `Z` or `±HH:MM` is ahead of UTC.
fn offset_minutes(zone: &[u8]) -> Option<i64> {
    match zone {
        b"Z" | b"z" => Some(0),
        [sign @ (b'+' | b'-'), _, _, b':', _, _] => {
            let (hours, minutes) = (pair(zone, 1)?, pair(zone, 4)?);
            let is_valid = hours <= 23 && minutes <= 59;
            let ahead = hours * 60 + minutes;
            is_valid.then_some(if *sign == b'-' { -ahead } else { ahead })
        }
        _ => None,
    }
}

/// Returns the days from 1970-01-01 to a date of the Gregorian calendar.
fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let len = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 => 28 + i64::from(is_leap),
        _ => return None,
    };
    if !(1..=len).contains(&day) {
        return None;
    }
    // Years that begin in March: the leap day comes last, and 153 days are five months.
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    Some(year * 365 + leap_days + (153 * month + 2) / 5 + day - 719_469)
}

/// Returns the two digits that start at `from`.
fn pair(text: &[u8], from: usize) -> Option<i64> {
    match text.get(from..from + 2)? {
        [tens @ b'0'..=b'9', ones @ b'0'..=b'9'] => {
            Some(i64::from(tens - b'0') * 10 + i64::from(ones - b'0'))
        }
        _ => None,
    }
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

    fn micros(text: &str) -> Result<u64, String> {
        time(text.as_bytes()).map(LogicalTime::micros)
    }

    #[test]
    fn times_have_any_offset_and_any_number_of_digits() {
        let expected = Ok(1_381_132_800_464_001);
        for text in [
            "2013-10-07T08:00:00.464001Z",
            "2013-10-07t08:00:00.464001z",
            "2013-10-07 17:00:00.464001+09:00",
            "2013-10-06T21:30:00.464001999-10:30",
            "1381132800464001",
            "2013-10-07T08:00:00.464001000000000000000000-00:00",
        ] {
            assert_eq!(micros(text), expected, "{text}");
        }
        assert_eq!(micros("2013-10-07T08:00:00Z"), Ok(1_381_132_800_000_000));
        assert_eq!(micros("2013-10-07T08:00:00.5Z"), Ok(1_381_132_800_500_000));
        assert_eq!(micros("0"), Ok(0));
        assert_eq!(micros("1970-01-01T09:00:00+09:00"), Ok(0));
        assert_eq!(
            micros("2016-12-31T23:59:60Z"),
            micros("2017-01-01T00:00:00Z")
        );
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            "-",
            "yesterday",
            "2013-10-07",
            "2013-10-07T08:00Z",
            "2013-10-07T08:00:00",
            "2013-10-07T08:00:00.Z",
            "2013-10-07T08:00:00,5Z",
            "2013-10-07T08:00:00+9:00",
            "2013-10-07T08:00:00+0900",
            "2013-10-07T08:00:00+24:00",
            "2013-10-07T24:00:00Z",
            "2013-10-07T08:60:00Z",
            "2013-10-07T08:00:60Z",
            "2013-02-29T08:00:00Z",
            "2013-13-01T08:00:00Z",
            "2013-10-00T08:00:00Z",
            " 2013-10-07T08:00:00Z",
            "2013-10-07T08:00:00Z[Asia/Seoul]",
            "1.5",
            "+1",
            "1e15",
            "99999999999999999999",
        ] {
            assert!(micros(text).is_err(), "{text:?}");
        }
        assert!(micros("-1").unwrap_err().contains("before 1970"));
        let early = micros("1970-01-01T00:00:00+09:00");
        assert!(early.unwrap_err().contains("before 1970"));
        assert!(micros("253402300800000000").unwrap_err().contains("9999"));
    }

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
        fn a_time_reads_as_the_calendar_library_writes_it(
            nanos in 0..=253_402_207_200_000_000_000_i128,
            offset in -86_340 / 60..=86_340 / 60,
        ) {
            let stamp = jiff::Timestamp::from_nanosecond(nanos).unwrap();
            let zone = jiff::tz::Offset::from_seconds(offset * 60).unwrap();
            let micros = u64::try_from(nanos / 1_000).unwrap();
            for text in [stamp.to_string(), stamp.display_with_offset(zone).to_string()] {
                // A local year beyond 9999 or before 0 has no RFC 3339 form.
                if text.len() > 3 && text.starts_with(|c: char| c.is_ascii_digit()) {
                    prop_assert_eq!(
                        time(text.as_bytes()),
                        Ok(LogicalTime::from_micros(micros)),
                        "{}", text
                    );
                }
            }
        }

        #[test]
        fn whatever_reads_as_a_time_is_one_for_the_calendar_library(
            text in "[0-9]{4}-[0-9]{2}-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,9})?(Z|[+-][0-2][0-9]:[0-5][0-9])"
        ) {
            if let Ok(ours) = time(text.as_bytes()) {
                let theirs: jiff::Timestamp = text.parse().unwrap();
                let nanos = u64::try_from(theirs.as_nanosecond() / 1_000).unwrap();
                prop_assert_eq!(ours.micros(), nanos);
            }
        }

        #[test]
        fn nothing_panics(bytes in prop::collection::vec(any::<u8>(), 0..48)) {
            drop(time(&bytes));
            drop(decimal(&bytes, 6));
            drop(integer(&bytes));
            drop(whole_part(&bytes));
            drop(price(&bytes));
            drop(quote(&bytes));
            drop(average(&bytes));
            drop(symbol(&bytes));
            drop(text(&bytes));
        }

        #[test]
        fn nothing_panics_on_what_resembles_a_time(text in "[-0-9TZ:.+ ]{0,40}") {
            drop(time(text.as_bytes()));
        }
    }
}
