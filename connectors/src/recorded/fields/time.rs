//! Times and dates as recorded files write them.

use std::ops::RangeInclusive;

use jiff::civil::Date;
use turnstile_dataflows::model::LogicalTime;

use super::{number, shown};

/// The last microsecond of the year 9999, where RFC 3339 ends.
const MICROS_MAX: i64 = 253_402_300_799_999_999;
const MICROS_PER_SECOND: i64 = 1_000_000;
/// Years that a date may be of. What lies before them is a slip, and before the year 1 the database
/// writes years in another way.
const YEARS: RangeInclusive<i16> = 1900..=9999;

/// Returns the day in `text`, such as 2026-02-20.
pub(in crate::recorded) fn date(text: &[u8]) -> Result<Date, String> {
    let date = std::str::from_utf8(text)
        .ok()
        .and_then(|text| text.parse::<Date>().ok());
    date.filter(|date| YEARS.contains(&date.year()))
        .ok_or_else(|| {
            format!(
                "date of the years {} to {} expected, such as 2026-02-20, was {}",
                YEARS.start(),
                YEARS.end(),
                shown(text)
            )
        })
}

/// Returns the time in `text`: RFC 3339, or whole microseconds since 1970 UTC. Digits beyond the
/// microsecond are cut off. The leap second 23:59:60 UTC is the second after it.
pub(in crate::recorded) fn time(text: &[u8]) -> Result<LogicalTime, String> {
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
    fn dates_are_of_the_years_1900_to_9999() {
        for (text, (year, month, day)) in [
            ("1900-01-01", (1900, 1, 1)),
            ("2026-02-20", (2026, 2, 20)),
            ("9999-12-31", (9999, 12, 31)),
        ] {
            assert_eq!(
                date(text.as_bytes()),
                Ok(jiff::civil::date(year, month, day))
            );
        }
        for text in [
            "",
            "1899-12-31",
            "0000-01-01",
            "-002026-02-20",
            "10000-01-01",
            "2026-02-30",
            "20.02.2026",
            "26-02-20",
            "today",
        ] {
            let reason = date(text.as_bytes()).unwrap_err();
            assert!(
                reason.starts_with("date of the years 1900 to 9999 expected"),
                "{text:?}: {reason}"
            );
            assert!(reason.ends_with(&format!("was {text:?}")), "{reason}");
        }
    }

    proptest! {
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
            drop(date(&bytes));
        }

        #[test]
        fn nothing_panics_on_what_resembles_a_time(text in "[-0-9TZ:.+ ]{0,40}") {
            drop(time(text.as_bytes()));
            drop(date(text.as_bytes()));
        }
    }
}
