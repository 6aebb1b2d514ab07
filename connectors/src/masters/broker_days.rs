//! The job that asks the broker for the days of the exchange (chk-holiday).

use std::sync::Arc;

use futures_util::FutureExt;
use jiff::Span;
use jiff::civil::{Date, Time, Weekday};
use tokio::sync::Notify;
use tracing::info;

use super::days::store_told;
use crate::jobs::{Counts, Days, Job, JobError, JobFuture, Outcome, Schedule};
use crate::kis::{Calendar, KisClient};
use crate::postgres::Postgres;

/// Days in which the exchange has always opened at least once: its longest closures last ten.
const OPENS_WITHIN: usize = 14;

/// The job. The broker asks to be asked at most once a day: a run that succeeded is not repeated.
pub struct BrokerDays {
    /// Where to.
    pub postgres: Postgres,
    /// Whom to ask.
    pub client: KisClient,
    /// When, each day.
    pub at: Time,
    /// How many days ahead.
    pub days: u16,
    /// Told when days were stored.
    pub stored: Arc<Notify>,
}

impl Job for BrokerDays {
    fn name(&self) -> &'static str {
        "calendar"
    }

    fn schedule(&self) -> Schedule {
        Schedule::Daily {
            at: self.at,
            on: Days::Every,
        }
    }

    fn run<'j>(&'j self, day: Date, counts: &'j Counts) -> JobFuture<'j, Outcome> {
        async move {
            let until = day.saturating_add(Span::new().days(self.days));
            let told = match self.client.calendar(day, until).await {
                Ok(told) => told,
                Err(error) if error.is_not_on_paper() => {
                    return Ok(Outcome::Skipped(
                        "the broker tells no calendar on paper; execution.holidays counts"
                            .to_owned(),
                    ));
                }
                Err(error) => return Err(error.into()),
            };
            counts.fetched(told.days.len());
            check(&told)?;
            let changed = store_told(&self.postgres, day, &told.days).await?;
            counts.changed(changed);
            self.stored.notify_one();
            Ok(Outcome::Done)
        }
        .boxed()
    }
}

/// Refuses what cannot be the calendar of the exchange: nothing of it is stored then. A list that ends
/// early is taken as far as it goes; of the days after it nothing is told.
fn check(told: &Calendar) -> Result<(), JobError> {
    let count = told.days.len();
    if count < OPENS_WITHIN {
        return Err(JobError::Answer(format!(
            "at least {OPENS_WITHIN} days of the calendar expected, {count} came"
        )));
    }
    if !told.complete {
        info!(count, "the calendar of the broker ends early or has gaps");
    }
    for days in told.days.windows(OPENS_WITHIN) {
        if days.iter().all(|day| !day.is_open || is_weekend(day.date)) {
            return Err(JobError::Answer(format!(
                "the calendar has no open day from {} to {}",
                days[0].date,
                days[OPENS_WITHIN - 1].date
            )));
        }
    }
    Ok(())
}

fn is_weekend(day: Date) -> bool {
    matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::kis::CalendarDay;

    fn told(is_open: impl Fn(Date) -> bool, complete: bool) -> Calendar {
        let days = date(2026, 11, 24).series(Span::new().days(1)).take(60);
        let day = |date| CalendarDay {
            date,
            is_open: is_open(date),
            is_trading_day: None,
            is_business_day: None,
            is_settlement_day: None,
        };
        Calendar {
            days: days.map(day).collect(),
            complete,
        }
    }

    #[test]
    fn a_calendar_with_holidays_is_taken() {
        let closed = [date(2026, 12, 25), date(2026, 12, 31), date(2027, 1, 1)];
        let is_open = |day: Date| !is_weekend(day) && !closed.contains(&day);
        check(&told(is_open, true)).unwrap();
        check(&told(is_open, false)).unwrap();
        let mut short = told(is_open, false);
        short.days.truncate(OPENS_WITHIN - 1);
        assert!(check(&short).is_err());
    }

    #[test]
    fn two_weeks_without_an_open_day_are_refused() {
        let error = check(&told(is_weekend, true)).unwrap_err().to_string();
        assert!(error.contains("no open day from 2026-11-24"), "{error}");
        let gap = date(2026, 12, 14)..date(2026, 12, 30);
        assert!(check(&told(|day| !gap.contains(&day), true)).is_err());
    }
}
