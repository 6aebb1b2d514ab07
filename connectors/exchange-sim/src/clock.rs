//! The market's clock: simulated Seoul time and what the exchange does at that time.

mod session;

use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::{
    Timestamp,
    civil::{Date, DateTime},
    tz::{Offset, TimeZone},
};
use rust_decimal::{Decimal, prelude::ToPrimitive};
use tokio::time::Instant;

use crate::config::{ClockConfig, ClockMode};

pub(crate) use session::{Calendar, Session};

/// Seoul is 9 hours ahead of UTC, without daylight saving.
const SEOUL: Offset = Offset::constant(9);

/// Returns the real time in microseconds since 1970 UTC.
pub(crate) fn real_us() -> i64 {
    Timestamp::now().as_microsecond()
}

/// Returns the Seoul time of `us` microseconds since 1970 UTC.
pub(crate) fn seoul(us: i64) -> DateTime {
    let stamp = Timestamp::from_microsecond(us).unwrap_or(Timestamp::UNIX_EPOCH);
    SEOUL.to_datetime(stamp)
}

/// What the clock says at one moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Moment {
    /// Simulated Seoul time.
    pub(crate) at: DateTime,
    /// What the exchange does then.
    pub(crate) session: Session,
    /// Whether the exchange opens on that day.
    pub(crate) is_trading_day: bool,
}

/// The simulated clock. Starts at a settable time and runs at a settable pace.
#[derive(Debug)]
pub(crate) struct SimClock {
    mode: ClockMode,
    calendar: Mutex<Calendar>,
    course: Mutex<Course>,
}

#[derive(Clone, Copy, Debug)]
struct Course {
    real: Instant,
    simulated_us: i64,
    /// Pace in thousandths.
    speed: i64,
}

impl Course {
    fn now_us(self, now: Instant) -> i64 {
        let elapsed = now.saturating_duration_since(self.real).as_micros();
        let elapsed = i128::try_from(elapsed).unwrap_or(i128::MAX / 1_000_000_000);
        let gone = elapsed * i128::from(self.speed) / 1_000;
        self.simulated_us
            .saturating_add(i64::try_from(gone).unwrap_or(i64::MAX))
    }
}

impl SimClock {
    pub(crate) fn new(config: &ClockConfig) -> Self {
        Self {
            mode: config.mode,
            calendar: Mutex::new(Calendar::new(config.holidays.iter().copied())),
            course: Mutex::new(Course {
                real: Instant::now(),
                simulated_us: config.start.map_or_else(real_us, us_of),
                speed: thousandths(config.speed),
            }),
        }
    }

    /// Sets the time, the pace or both; what is absent goes on as before.
    pub(crate) fn set(&self, start: Option<DateTime>, speed: Option<Decimal>) {
        self.set_at(Instant::now(), start, speed);
    }

    fn set_at(&self, real: Instant, start: Option<DateTime>, speed: Option<Decimal>) {
        let mut course = self.course.lock().unwrap_or_else(PoisonError::into_inner);
        *course = Course {
            real,
            simulated_us: start.map_or_else(|| course.now_us(real), us_of),
            speed: speed.map_or(course.speed, thousandths),
        };
    }

    /// Returns the simulated time and session.
    pub(crate) fn now(&self) -> Moment {
        self.at(Instant::now())
    }

    fn at(&self, now: Instant) -> Moment {
        let course = *self.course.lock().unwrap_or_else(PoisonError::into_inner);
        let at = seoul(course.now_us(now));
        match self.mode {
            ClockMode::AlwaysOpen => Moment {
                at,
                session: Session::Regular,
                is_trading_day: true,
            },
            ClockMode::Schedule => {
                let is_trading_day = self.is_trading_day(at.date());
                let session = if is_trading_day {
                    Session::at(at.time())
                } else {
                    Session::Closed
                };
                Moment {
                    at,
                    session,
                    is_trading_day,
                }
            }
        }
    }

    /// Returns whether the exchange opens on `day` by its calendar.
    pub(crate) fn is_trading_day(&self, day: Date) -> bool {
        self.calendar().is_trading_day(day)
    }

    /// Returns whether the calendar tells clients that the exchange opens on `day`. An always open
    /// market opens on any, unless the opposite was announced.
    pub(crate) fn is_told_open(&self, day: Date) -> bool {
        let calendar = self.calendar();
        match self.mode {
            ClockMode::AlwaysOpen => calendar.announced(day).unwrap_or(true),
            ClockMode::Schedule => calendar.is_trading_day(day),
        }
    }

    /// Announces that the exchange opens on `day`, or does not.
    pub(crate) fn announce(&self, day: Date, is_open: bool) {
        self.calendar().announce(day, is_open);
    }

    fn calendar(&self) -> MutexGuard<'_, Calendar> {
        self.calendar.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the microseconds since 1970 UTC of a Seoul time.
fn us_of(at: DateTime) -> i64 {
    TimeZone::fixed(SEOUL)
        .to_timestamp(at)
        .map_or(0, Timestamp::as_microsecond)
}

fn thousandths(speed: Decimal) -> i64 {
    (speed * Decimal::from(1_000)).to_i64().unwrap_or(1_000)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jiff::civil::date;

    use super::*;

    fn clock(mode: ClockMode, speed: i64) -> SimClock {
        SimClock::new(&ClockConfig {
            mode,
            start: Some(date(2026, 11, 16).at(8, 59, 0, 0)),
            speed: Decimal::from(speed),
            ..ClockConfig::default()
        })
    }

    #[test]
    fn time_runs_at_the_chosen_pace_through_the_sessions() {
        let clock = clock(ClockMode::Schedule, 60);
        let start = clock.course.lock().unwrap().real;
        let later = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(clock.at(start).session, Session::PreOpen);
        let opening = clock.at(later(1));
        assert_eq!(opening.at, date(2026, 11, 16).at(9, 0, 0, 0));
        assert_eq!(opening.session, Session::Regular);
        clock.set_at(later(1), Some(date(2026, 11, 21).at(10, 0, 0, 0)), None);
        let weekend = clock.at(later(1));
        assert_eq!(
            (weekend.session, weekend.is_trading_day),
            (Session::Closed, false)
        );
        clock.set_at(later(1), None, Some(Decimal::ONE));
        assert_eq!(clock.at(later(2)).at, date(2026, 11, 21).at(10, 0, 1, 0));
    }

    #[test]
    fn the_open_market_has_no_hours() {
        let moment = clock(ClockMode::AlwaysOpen, 1).now();
        assert_eq!(
            (moment.session, moment.is_trading_day),
            (Session::Regular, true)
        );
    }
}
