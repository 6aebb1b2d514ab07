//! Trading days of the Korea Exchange (KRX): what the broker or the operator says of a day, else the
//! configured list. A day that neither knows counts as closed, and a weekend always does.

mod shared;

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::{Date, Weekday};

pub use shared::SharedCalendar;

/// Days on which the exchange is closed besides weekends, and how far they are known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calendar {
    holidays: BTreeSet<Date>,
    valid_until: Date,
    /// Days of which more is known than the list says; they beat it.
    told: BTreeMap<Date, ToldDay>,
}

/// What the broker or the operator says of a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ToldDay {
    /// Whether the exchange is open.
    pub is_open: bool,
    /// Whether trades of earlier days settle; as for `is_open` where nobody says.
    pub is_settlement_day: Option<bool>,
}

/// Business days between a trade and its settlement (KRX market rules, section 7).
const SETTLEMENT_DAYS: u32 = 2;

impl Calendar {
    /// Returns the calendar with these closed days, known up to and including `valid_until`.
    pub fn new(holidays: impl IntoIterator<Item = Date>, valid_until: Date) -> Self {
        Self {
            holidays: holidays.into_iter().collect(),
            valid_until,
            told: BTreeMap::new(),
        }
    }

    /// Returns the same list with `told` in place of what was told before.
    pub fn with_told(&self, told: BTreeMap<Date, ToldDay>) -> Self {
        let Self {
            holidays,
            valid_until,
            told: _,
        } = self;
        Self {
            holidays: holidays.clone(),
            valid_until: *valid_until,
            told,
        }
    }

    /// Returns whether the exchange trades on `day`. Unknown days are closed.
    pub fn is_trading_day(&self, day: Date) -> bool {
        self.is_known(day) && self.is_business_day(day)
    }

    /// Returns whether anything is known of `day`. A list without a single holiday knows nothing.
    pub fn is_known(&self, day: Date) -> bool {
        self.told.contains_key(&day) || self.is_listed(day)
    }

    /// Returns whether the broker or the operator says that the exchange is closed on `day`.
    pub fn is_told_closed(&self, day: Date) -> bool {
        self.told.get(&day).is_some_and(|told| !told.is_open)
    }

    /// Returns what the configured list alone says of `day`; `None` where it does not reach.
    pub fn listed(&self, day: Date) -> Option<bool> {
        let is_open = !is_weekend(day) && !self.holidays.contains(&day);
        self.is_listed(day).then_some(is_open)
    }

    /// Returns the first day that the configured list names; `None` where it is empty.
    pub fn first_listed(&self) -> Option<Date> {
        self.holidays.first().copied()
    }

    /// Returns the last day that the configured list covers.
    pub fn valid_until(&self) -> Date {
        self.valid_until
    }

    /// Returns the day on which a trade of `day` settles: two business days later. Beyond the
    /// known days only weekends count as closed.
    pub fn settlement(&self, day: Date) -> Date {
        let mut settled = day;
        for _ in 0..SETTLEMENT_DAYS {
            settled = settled.saturating_add(jiff::Span::new().days(1));
            while !self.is_settlement_day(settled) && settled < Date::MAX {
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
        !is_weekend(day)
            && match self.told.get(&day) {
                Some(told) => told.is_open,
                None => !self.holidays.contains(&day),
            }
    }

    fn is_settlement_day(&self, day: Date) -> bool {
        let told = self.told.get(&day).and_then(|told| told.is_settlement_day);
        self.is_business_day(day) && told.unwrap_or(true)
    }

    fn is_listed(&self, day: Date) -> bool {
        !self.holidays.is_empty() && day <= self.valid_until
    }
}

fn is_weekend(day: Date) -> bool {
    matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday)
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
    use proptest::prelude::*;

    use super::*;

    fn told(days: impl IntoIterator<Item = (Date, bool)>) -> BTreeMap<Date, ToldDay> {
        let day = |(day, is_open)| {
            let is_settlement_day = None;
            (
                day,
                ToldDay {
                    is_open,
                    is_settlement_day,
                },
            )
        };
        days.into_iter().map(day).collect()
    }

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
    fn what_is_told_beats_the_list_but_no_weekend_opens() {
        let (holiday, weekday, saturday, unknown) = (
            date(2026, 12, 25),
            date(2026, 12, 7),
            date(2026, 12, 5),
            date(2028, 1, 3),
        );
        let told = told([
            (holiday, true),
            (weekday, false),
            (saturday, true),
            (unknown, true),
        ]);
        let merged = calendar().with_told(told);
        assert!(merged.is_trading_day(holiday) && merged.is_trading_day(unknown));
        assert!(!merged.is_trading_day(weekday) && !merged.is_trading_day(saturday));
        assert!(merged.is_told_closed(weekday) && !merged.is_told_closed(holiday));
        assert!(
            !merged.is_trading_day(date(2028, 1, 4)),
            "not told, not listed"
        );
        assert_eq!(
            merged.trading_day_before(date(2026, 12, 8)),
            date(2026, 12, 4)
        );
        assert_eq!(merged.settlement(date(2026, 12, 3)), date(2026, 12, 8));
        assert_eq!(merged.with_told(BTreeMap::new()), calendar());
    }

    #[test]
    fn a_list_without_holidays_knows_nothing() {
        let empty = Calendar::new([], date(2027, 12, 31));
        let day = date(2026, 11, 24);
        assert!(!empty.is_known(day) && !empty.is_trading_day(day));
        assert!(empty.with_told(told([(day, true)])).is_trading_day(day));
    }

    #[test]
    fn a_day_on_which_nothing_settles_is_passed_over() {
        let day = ToldDay {
            is_open: true,
            is_settlement_day: Some(false),
        };
        let merged = calendar().with_told(BTreeMap::from([(date(2026, 11, 25), day)]));
        assert!(merged.is_trading_day(date(2026, 11, 25)));
        assert_eq!(merged.settlement(date(2026, 11, 24)), date(2026, 11, 27));
    }

    proptest! {
        #[test]
        fn a_trading_day_is_a_known_weekday_that_nobody_calls_closed(
            days in prop::collection::btree_map(0_i32..900, any::<bool>(), 0..60),
            asked in 0_i32..900,
        ) {
            let at = |days: i32| date(2026, 1, 1).saturating_add(jiff::Span::new().days(days));
            let merged = calendar().with_told(told(days.iter().map(|(day, open)| (at(*day), *open))));
            let day = at(asked);
            let expected = match days.get(&asked) {
                Some(is_open) => *is_open && !is_weekend(day),
                None => calendar().is_trading_day(day),
            };
            prop_assert_eq!(merged.is_trading_day(day), expected);
            prop_assert!(merged.settlement(day) > day);
            prop_assert!(merged.trading_day_before(day) < day);
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
