//! Sessions of a trading day and the calendar (KRX, in force since 2026-09-14).

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::{Date, Time, Weekday, time};
use serde::Serialize;

/// What the exchange does at a time of day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Session {
    /// No orders.
    Closed,
    /// Orders are collected for the opening auction.
    PreOpen,
    /// Continuous trading.
    Regular,
    /// Orders are collected for the closing auction.
    ClosingAuction,
    /// Trades at the close only.
    PostClose,
    /// The separate market of the evening, continuous, limited orders only.
    AfterMarket,
}

/// Start of each session of a trading day; it lasts until the next one starts.
const TABLE: [(Time, Session); 7] = [
    (time(0, 0, 0, 0), Session::Closed),
    (time(8, 30, 0, 0), Session::PreOpen),
    (time(9, 0, 0, 0), Session::Regular),
    (time(15, 20, 0, 0), Session::ClosingAuction),
    (time(15, 30, 0, 0), Session::PostClose),
    (time(16, 0, 0, 0), Session::AfterMarket),
    (time(20, 0, 0, 0), Session::Closed),
];

impl Session {
    /// Returns the session at `at` on a trading day.
    pub(crate) fn at(at: Time) -> Self {
        TABLE
            .iter()
            .rev()
            .find(|(start, _)| *start <= at)
            .map_or(Self::Closed, |(_, session)| *session)
    }

    /// Returns whether orders of some kind are taken.
    pub(crate) const fn is_open(self) -> bool {
        !matches!(self, Self::Closed)
    }

    /// Returns whether orders trade as they come.
    pub(crate) const fn is_continuous(self) -> bool {
        matches!(self, Self::Regular | Self::AfterMarket)
    }

    /// Market phase of a trade, H0STCNT0 NEW_MKOP_CLS_CODE. That of the after-market is a guess.
    pub(crate) const fn phase(self) -> &'static str {
        match self {
            Self::PreOpen => "10",
            Self::Regular | Self::ClosingAuction | Self::AfterMarket => "20",
            Self::Closed | Self::PostClose => "31",
        }
    }

    /// Market class of a trade, H0STCNT0 MARKET_CLS_CODE.
    pub(crate) const fn market_class(self) -> &'static str {
        match self {
            Self::PreOpen => "1",
            Self::Regular | Self::ClosingAuction => "2",
            Self::AfterMarket => "3",
            Self::Closed | Self::PostClose => "5",
        }
    }
}

/// Days on which the exchange opens.
#[derive(Debug)]
pub(crate) struct Calendar {
    holidays: BTreeSet<Date>,
    /// Days announced while the simulator runs, with whether the exchange opens.
    announced: BTreeMap<Date, bool>,
}

impl Calendar {
    pub(crate) fn new(holidays: impl IntoIterator<Item = Date>) -> Self {
        Self {
            holidays: holidays.into_iter().collect(),
            announced: BTreeMap::new(),
        }
    }

    /// Makes `day` open or closed, whatever it was.
    pub(crate) fn announce(&mut self, day: Date, is_open: bool) {
        self.announced.insert(day, is_open);
    }

    /// Returns what was announced of `day` since the start, if anything was.
    pub(crate) fn announced(&self, day: Date) -> Option<bool> {
        self.announced.get(&day).copied()
    }

    /// Returns whether `day` is announced as open, or else neither a weekend nor a holiday.
    pub(crate) fn is_trading_day(&self, day: Date) -> bool {
        self.announced(day).unwrap_or_else(|| {
            !matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday)
                && !self.holidays.contains(&day)
        })
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn sessions_start_and_end_on_the_minute() {
        let at = |hour, minute, second| Session::at(time(hour, minute, second, 0));
        assert_eq!(at(8, 29, 59), Session::Closed);
        assert_eq!(at(8, 30, 0), Session::PreOpen);
        assert_eq!(at(9, 0, 0), Session::Regular);
        assert_eq!(at(15, 20, 0), Session::ClosingAuction);
        assert_eq!(at(15, 30, 0), Session::PostClose);
        assert_eq!(at(16, 0, 0), Session::AfterMarket);
        assert_eq!(at(20, 0, 0), Session::Closed);
    }

    #[test]
    fn weekends_and_holidays_are_closed() {
        let mut calendar = Calendar::new([date(2026, 2, 16)]);
        assert!(!calendar.is_trading_day(date(2026, 2, 16)));
        assert!(!calendar.is_trading_day(date(2026, 2, 14)));
        assert!(calendar.is_trading_day(date(2026, 2, 13)));
        calendar.announce(date(2026, 2, 13), false);
        calendar.announce(date(2026, 2, 16), true);
        assert!(!calendar.is_trading_day(date(2026, 2, 13)));
        assert!(calendar.is_trading_day(date(2026, 2, 16)));
    }
}
