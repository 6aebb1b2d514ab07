//! Whether the exchange takes orders now, and what its clock says.

mod simulator;

use jiff::Timestamp;
use jiff::civil::{Date, Time, time};
use turnstile_dataflows::price::Session;

use super::calendar::SharedCalendar;
use crate::seoul::seoul;
pub use simulator::SimulatorSession;

/// First and last moment at which the exchange takes orders of this system: the regular session
/// with its closing auction (KRX market rules, section 1.1). The end is exclusive.
const OPENS: Time = time(9, 0, 0, 0);
const CLOSES: Time = time(15, 30, 0, 0);
/// When prices grow old by the limits of the session: from the opening auction to the single-price
/// trading after hours (domain 2.1). The end is exclusive.
const PRICES_FROM: Time = time(8, 30, 0, 0);
const PRICES_UNTIL: Time = time(16, 0, 0, 0);

/// What the exchange's clock says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Market {
    /// Date at the exchange.
    pub date: Date,
    /// Time at the exchange.
    pub time: Time,
    /// Why no orders are taken; none while they are.
    pub closed: Option<String>,
}

impl Market {
    /// Returns whether orders are taken.
    pub fn is_open(&self) -> bool {
        self.closed.is_none()
    }
}

/// Says whether the exchange takes orders. What cannot be known is closed.
pub trait SessionSource: Send + Sync {
    /// Returns what the exchange's clock says now.
    fn market(&self) -> Market;

    /// Returns the exchange's time of day, as close as it is known.
    fn time(&self) -> Time {
        self.market().time
    }

    /// Returns whether the exchange trades on `day`.
    fn trades_on(&self, day: Date) -> bool;

    /// Returns whether [`Self::market`] tells the exchange's own clock.
    fn is_clock_known(&self) -> bool {
        true
    }

    /// Returns by which limits prices that are received now grow old. Where that cannot be known, the
    /// shorter ones count.
    fn of_prices(&self) -> Session {
        Session::Regular
    }
}

/// Wall clock, microseconds since the Unix epoch. A parameter, so that a test can set it.
pub type NowUs = fn() -> u64;

/// Returns the wall clock.
pub fn wall_clock_us() -> u64 {
    u64::try_from(Timestamp::now().as_microsecond()).unwrap_or_default()
}

/// The real exchange, by the clock of Seoul and a calendar.
#[derive(Clone, Debug)]
pub struct KrxSession {
    calendar: SharedCalendar,
    now_us: NowUs,
}

impl KrxSession {
    /// Returns the session of this calendar and clock.
    pub fn new(calendar: impl Into<SharedCalendar>, now_us: NowUs) -> Self {
        Self {
            calendar: calendar.into(),
            now_us,
        }
    }

    fn why_closed(&self, date: Date, time: Time) -> Option<String> {
        let calendar = self.calendar.now();
        if !calendar.is_known(date) {
            return Some(match calendar.first_listed() {
                Some(_) => {
                    let until = calendar.valid_until();
                    format!("the calendar ends on {until}, {date} counts as closed")
                }
                None => format!("there is no calendar, {date} counts as closed"),
            });
        }
        if !calendar.is_trading_day(date) {
            return Some(format!("{date} is no trading day"));
        }
        let in_session = (OPENS..CLOSES).contains(&time);
        (!in_session).then(|| format!("orders are taken from {OPENS} to {CLOSES} in Seoul"))
    }

    fn prices_at(&self, date: Date, time: Time) -> Session {
        let calendar = self.calendar.now();
        let in_session =
            calendar.is_trading_day(date) && (PRICES_FROM..PRICES_UNTIL).contains(&time);
        if calendar.is_known(date) && !in_session {
            Session::Off
        } else {
            Session::Regular
        }
    }
}

impl SessionSource for KrxSession {
    fn time(&self) -> Time {
        seoul((self.now_us)()).1
    }

    fn market(&self) -> Market {
        let (date, time) = seoul((self.now_us)());
        Market {
            date,
            time,
            closed: self.why_closed(date, time),
        }
    }

    fn trades_on(&self, day: Date) -> bool {
        self.calendar.now().is_trading_day(day)
    }

    fn of_prices(&self) -> Session {
        let (date, time) = seoul((self.now_us)());
        self.prices_at(date, time)
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::{DateTime, date, datetime};

    use super::*;
    use crate::execution::calendar::{Calendar, ToldDay, default_holidays};

    fn is_open(at: DateTime) -> bool {
        let session = KrxSession::new(
            Calendar::new(default_holidays(), date(2027, 12, 31)),
            wall_clock_us,
        );
        session.why_closed(at.date(), at.time()).is_none()
    }

    #[test]
    fn orders_are_taken_from_nine_to_half_past_three_on_trading_days() {
        assert!(!is_open(datetime(2026, 11, 24, 8, 59, 59, 999_999_999)));
        assert!(is_open(datetime(2026, 11, 24, 9, 0, 0, 0)));
        assert!(is_open(datetime(2026, 11, 24, 15, 29, 59, 0)));
        assert!(!is_open(datetime(2026, 11, 24, 15, 30, 0, 0)));
        assert!(!is_open(datetime(2026, 11, 22, 10, 0, 0, 0)));
        assert!(!is_open(datetime(2026, 12, 25, 10, 0, 0, 0)));
    }

    #[test]
    fn prices_are_of_the_session_from_half_past_eight_to_four() {
        let session = KrxSession::new(
            Calendar::new(default_holidays(), date(2027, 12, 31)),
            wall_clock_us,
        );
        let at = |at: DateTime| session.prices_at(at.date(), at.time());
        assert_eq!(at(datetime(2026, 11, 24, 8, 29, 59, 0)), Session::Off);
        assert_eq!(at(datetime(2026, 11, 24, 8, 30, 0, 0)), Session::Regular);
        assert_eq!(at(datetime(2026, 11, 24, 15, 59, 59, 0)), Session::Regular);
        assert_eq!(at(datetime(2026, 11, 24, 16, 0, 0, 0)), Session::Off);
        assert_eq!(at(datetime(2026, 11, 22, 10, 0, 0, 0)), Session::Off);
        // What the calendar does not know: the shorter limits.
        assert_eq!(at(datetime(2028, 1, 3, 20, 0, 0, 0)), Session::Regular);
    }

    #[test]
    fn days_beyond_the_calendar_are_closed() {
        assert!(!is_open(datetime(2028, 1, 3, 10, 0, 0, 0)));
    }

    #[test]
    fn a_day_that_is_told_closed_closes_a_running_session() {
        let calendar = SharedCalendar::from(Calendar::new(default_holidays(), date(2027, 12, 31)));
        let session = KrxSession::new(calendar.clone(), wall_clock_us);
        let at = datetime(2026, 11, 24, 10, 0, 0, 0);
        assert_eq!(session.why_closed(at.date(), at.time()), None);
        let closed = ToldDay {
            is_open: false,
            is_settlement_day: None,
        };
        calendar.tell([(at.date(), closed)].into());
        assert!(!session.trades_on(at.date()));
        let why = session.why_closed(at.date(), at.time());
        assert_eq!(why.as_deref(), Some("2026-11-24 is no trading day"));
        assert_eq!(session.prices_at(at.date(), at.time()), Session::Off);
    }

    #[test]
    fn without_any_calendar_every_day_is_closed() {
        let session = KrxSession::new(Calendar::new([], date(2027, 12, 31)), wall_clock_us);
        let at = datetime(2026, 11, 24, 10, 0, 0, 0);
        let why = session.why_closed(at.date(), at.time());
        let expected = "there is no calendar, 2026-11-24 counts as closed";
        assert_eq!(why.as_deref(), Some(expected));
    }
}
