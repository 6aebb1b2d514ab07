//! Days of the strategy as dates of the calendar.

use jiff::Span;
use jiff::civil::{Date, date};
use turnstile_strategy::Day;

use super::StrategyError;
use crate::postgres;

const EPOCH: Date = date(1970, 1, 1);

/// Returns the day of a date.
pub(super) fn day_of(date: Date) -> Result<Day, StrategyError> {
    let days = date.since(EPOCH).map_or(-1, |span| span.get_days());
    let day = u32::try_from(days).map_err(|_| StrategyError::Date(date))?;
    Ok(Day(day))
}

/// Returns the date of a day.
pub(super) fn date_of(day: Day) -> Date {
    EPOCH.saturating_add(Span::new().days(day.0))
}

/// Returns the day as the database has it.
pub(super) fn column(day: Day) -> postgres::Date {
    postgres::Date::of_day(day.0.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_and_its_date_read_back() {
        for (text, days) in [
            ("1970-01-01", 0),
            ("2026-02-20", 20_504),
            ("9999-12-31", 2_932_896),
        ] {
            let date: Date = text.parse().unwrap();
            let day = day_of(date).unwrap();
            assert_eq!(day, Day(days), "{text}");
            assert_eq!(date_of(day), date);
        }
        assert!(day_of("1969-12-31".parse().unwrap()).is_err());
    }
}
