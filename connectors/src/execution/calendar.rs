//! Trading days of the Korea Exchange (KRX). Without a valid calendar every day counts as closed.

use std::collections::BTreeSet;

use jiff::civil::{Date, Weekday};

/// Days on which the exchange is closed besides weekends, and how far they are known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calendar {
    holidays: BTreeSet<Date>,
    valid_until: Date,
}

/// Business days between a trade and its settlement (KRX market rules, section 7).
const SETTLEMENT_DAYS: u32 = 2;

impl Calendar {
    /// Returns the calendar with these closed days, known up to and including `valid_until`.
    pub fn new(holidays: impl IntoIterator<Item = Date>, valid_until: Date) -> Self {
        Self {
            holidays: holidays.into_iter().collect(),
            valid_until,
        }
    }

    /// Returns whether the exchange trades on `day`. Unknown days are closed.
    pub fn is_trading_day(&self, day: Date) -> bool {
        day <= self.valid_until && self.is_business_day(day)
    }

    /// Returns the last day that is known.
    pub fn valid_until(&self) -> Date {
        self.valid_until
    }

    /// Returns the day on which a trade of `day` settles: two business days later. Beyond the
    /// known days only weekends count as closed.
    pub fn settlement(&self, day: Date) -> Date {
        let mut settled = day;
        for _ in 0..SETTLEMENT_DAYS {
            settled = settled.saturating_add(jiff::Span::new().days(1));
            while !self.is_business_day(settled) {
                settled = settled.saturating_add(jiff::Span::new().days(1));
            }
        }
        settled
    }

    /// Returns the last day before `day` on which the exchange traded.
    pub fn trading_day_before(&self, day: Date) -> Date {
        let before = |day: Date| day.saturating_sub(jiff::Span::new().days(1));
        let mut found = before(day);
        while !self.is_business_day(found) && found > Date::MIN {
            found = before(found);
        }
        found
    }

    fn is_business_day(&self, day: Date) -> bool {
        !matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday)
            && !self.holidays.contains(&day)
    }
}

/// Closed weekdays of 2026 and 2027 (KRX market rules, section 2): the fixed days, and those that
/// its source lists. Sep 28, 2026 is doubtful there and taken as closed, since a missed day costs
/// less than an order into a closed market.
pub(super) fn default_holidays() -> Vec<Date> {
    const DAYS: [(i16, i8, i8); 34] = [
        (2026, 1, 1),
        (2026, 2, 16),
        (2026, 2, 17),
        (2026, 2, 18),
        (2026, 3, 2),
        (2026, 5, 1),
        (2026, 5, 5),
        (2026, 5, 25),
        (2026, 6, 3),
        (2026, 8, 17),
        (2026, 9, 24),
        (2026, 9, 25),
        (2026, 9, 28),
        (2026, 10, 5),
        (2026, 10, 9),
        (2026, 12, 25),
        (2026, 12, 31),
        (2027, 1, 1),
        (2027, 2, 8),
        (2027, 2, 9),
        (2027, 2, 10),
        (2027, 3, 1),
        (2027, 5, 1),
        (2027, 5, 5),
        (2027, 5, 13),
        (2027, 6, 6),
        (2027, 8, 16),
        (2027, 9, 14),
        (2027, 9, 15),
        (2027, 9, 16),
        (2027, 10, 4),
        (2027, 10, 9),
        (2027, 12, 25),
        (2027, 12, 31),
    ];
    DAYS.into_iter()
        .filter_map(|(year, month, day)| Date::new(year, month, day).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn calendar() -> Calendar {
        Calendar::new(default_holidays(), date(2027, 12, 31))
    }

    #[test]
    fn weekends_holidays_and_unknown_days_are_closed() {
        assert!(calendar().is_trading_day(date(2026, 11, 24)));
        for day in [
            date(2026, 11, 21),
            date(2026, 12, 25),
            date(2026, 12, 31),
            date(2028, 1, 3),
        ] {
            assert!(!calendar().is_trading_day(day), "{day}");
        }
    }

    #[test]
    fn the_last_two_trading_days_of_a_year_settle_in_the_next() {
        assert_eq!(
            calendar().settlement(date(2026, 12, 28)),
            date(2026, 12, 30)
        );
        assert_eq!(calendar().settlement(date(2026, 12, 29)), date(2027, 1, 4));
        assert_eq!(calendar().settlement(date(2026, 12, 30)), date(2027, 1, 5));
    }
}
