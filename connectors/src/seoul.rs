//! The clock of the exchange. Seoul knows no daylight saving.

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::{Offset, TimeZone, offset};
use turnstile_dataflows::model::LogicalTime;

/// How far Seoul is ahead of UTC.
pub(crate) const SEOUL: Offset = offset(9);

/// Returns date and time in Seoul, of microseconds since the Unix epoch.
pub(crate) fn seoul(us: u64) -> (Date, Time) {
    let micros = i64::try_from(us).unwrap_or(i64::MAX);
    let instant = Timestamp::from_microsecond(micros).unwrap_or(Timestamp::MAX);
    let there = instant.to_zoned(TimeZone::fixed(SEOUL));
    (there.date(), there.time())
}

/// Returns the date in Seoul of a logical time.
pub fn seoul_date(time: LogicalTime) -> Date {
    seoul(time.micros()).0
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn the_clock_is_read_in_seoul() {
        // 2026-11-23T15:00:00Z is 2026-11-24 00:00 in Seoul.
        let (day, time) = seoul(1_795_446_000_000_000);
        assert_eq!((day, time), (date(2026, 11, 24), Time::midnight()));
    }
}
