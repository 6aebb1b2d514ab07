//! Which days are asked for.

use std::str::FromStr;

use jiff::Span;
use jiff::civil::{Date, date};

/// A period that ends today.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Period {
    /// One month.
    Month,
    /// Three months.
    #[default]
    Quarter,
    /// Six months.
    HalfYear,
    /// One year.
    Year,
    /// Since the first of January.
    YearToDate,
    /// Everything that is stored.
    All,
}

/// The text is no period.
#[derive(Debug, thiserror::Error)]
#[error("1M, 3M, 6M, 1Y, YTD or ALL expected, was \"{0}\"")]
pub(crate) struct NoPeriod(String);

impl Period {
    const EVERY: [Self; 6] = [
        Self::Month,
        Self::Quarter,
        Self::HalfYear,
        Self::Year,
        Self::YearToDate,
        Self::All,
    ];

    /// Returns the name of it in the API.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Month => "1M",
            Self::Quarter => "3M",
            Self::HalfYear => "6M",
            Self::Year => "1Y",
            Self::YearToDate => "YTD",
            Self::All => "ALL",
        }
    }

    /// Returns its first day, inclusive. Some months back is the same day of that month, or its last one.
    pub(crate) fn since(self, today: Date) -> Date {
        let months = match self {
            Self::Month => 1,
            Self::Quarter => 3,
            Self::HalfYear => 6,
            Self::Year => 12,
            Self::YearToDate => return today.first_of_year(),
            Self::All => return date(1970, 1, 1),
        };
        today.saturating_sub(Span::new().months(months))
    }
}

impl FromStr for Period {
    type Err = NoPeriod;

    fn from_str(text: &str) -> Result<Self, NoPeriod> {
        let named = Self::EVERY.into_iter().find(|period| period.name() == text);
        named.ok_or_else(|| NoPeriod(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("1M", date(2026, 4, 30))]
    #[case("3M", date(2026, 2, 28))]
    #[case("6M", date(2025, 11, 30))]
    #[case("1Y", date(2025, 5, 31))]
    #[case("YTD", date(2026, 1, 1))]
    #[case("ALL", date(1970, 1, 1))]
    fn a_period_begins_on_the_same_day_of_its_month(#[case] name: &str, #[case] first: Date) {
        let period: Period = name.parse().unwrap();
        assert_eq!(period.since(date(2026, 5, 31)), first);
        assert_eq!(period.name(), name);
    }

    #[test]
    fn what_is_no_period_says_which_there_are() {
        let error = "1m".parse::<Period>().unwrap_err();
        let expected = "1M, 3M, 6M, 1Y, YTD or ALL expected, was \"1m\"";
        assert_eq!(error.to_string(), expected);
    }
}
