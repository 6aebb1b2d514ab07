//! The history of an account, day by day.

use rust_decimal::Decimal;

use super::DayReturn;
use super::returns::Course;

/// What is stored of a day of an account. Amounts in KRW.
#[derive(Clone, Debug)]
pub(crate) struct StoredDay {
    /// Date in Seoul.
    pub(crate) date: String,
    /// The last equity of the day; none where the broker was not asked.
    pub(crate) equity: Option<Decimal>,
    /// Paid in on this day; below 0: out.
    pub(crate) flows: Decimal,
    /// Results of the positions that were closed on it.
    pub(crate) realized: Decimal,
    /// What a session is measured against; none on a day without a session.
    pub(crate) session: Option<Session>,
}

/// What a session is measured against.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    /// The last equity of the session before.
    pub(crate) equity_before: Option<Decimal>,
    /// Paid in since that session: on this day, and on those without a session in between.
    pub(crate) flows_since: Decimal,
    /// Close of the benchmark.
    pub(crate) benchmark: Option<Decimal>,
    /// Close of the benchmark on the session before.
    pub(crate) benchmark_before: Option<Decimal>,
}

/// A day of an account, with what it brought.
#[derive(Clone, Debug)]
pub(crate) struct HistoryDay {
    pub(crate) stored: StoredDay,
    /// None on a day without a session, and where the equity of it or of the session before is missing: a
    /// return of more than a session would count as one of a day.
    pub(crate) earned: Option<DayReturn>,
    /// Return of the benchmark, under the same conditions.
    pub(crate) benchmark: Option<DayReturn>,
    /// Π(1+r)−1 up to this day.
    pub(crate) cumulative: f64,
    /// Below the best day so far, the beginning included; from −1 to 0.
    pub(crate) drawdown: f64,
}

/// Returns what `days` brought, which are in order.
pub(crate) fn history(days: Vec<StoredDay>) -> Vec<HistoryDay> {
    let mut course = Course::new();
    let of_day = |stored: StoredDay| {
        let earned = stored.earned();
        if let Some(earned) = earned {
            course.step(earned);
        }
        HistoryDay {
            earned,
            benchmark: stored.session.as_ref().and_then(Session::benchmark_return),
            cumulative: course.total_return(),
            drawdown: course.drawdown(),
            stored,
        }
    };
    days.into_iter().map(of_day).collect()
}

impl StoredDay {
    fn earned(&self) -> Option<DayReturn> {
        let session = self.session.as_ref()?;
        DayReturn::of(self.equity?, session.flows_since, session.equity_before?)
    }
}

impl Session {
    fn benchmark_return(&self) -> Option<DayReturn> {
        DayReturn::of(self.benchmark?, Decimal::ZERO, self.benchmark_before?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(equity: Option<i64>, session: Option<(Option<i64>, i64)>) -> StoredDay {
        StoredDay {
            date: String::new(),
            equity: equity.map(Decimal::from),
            flows: Decimal::ZERO,
            realized: Decimal::ZERO,
            session: session.map(|(before, flows)| Session {
                equity_before: before.map(Decimal::from),
                flows_since: flows.into(),
                benchmark: None,
                benchmark_before: None,
            }),
        }
    }

    #[test]
    fn days_without_a_session_or_an_equity_before_have_no_return() {
        let days = history(vec![
            day(Some(100), Some((None, 0))),
            day(Some(110), Some((Some(100), 0))),
            // A weekend, with a deposit of 11 that counts on Monday.
            day(Some(121), None),
            day(None, Some((Some(110), 11))),
            day(Some(110), Some((Some(110), 11))),
        ]);
        let returns: Vec<_> = days
            .iter()
            .map(|day| day.earned.map(DayReturn::ratio))
            .collect();
        assert_eq!(returns, [None, Some(0.1), None, None, Some(-0.1)]);
        let cumulative: Vec<_> = days.iter().map(|day| day.cumulative).collect();
        assert_eq!(
            cumulative[..4],
            [0.0, 0.1 + 1.0 - 1.0, 1.1 - 1.0, 1.1 - 1.0]
        );
        assert!((cumulative[4] - (1.1 * 0.9 - 1.0)).abs() < 1e-15);
        assert!((days[4].drawdown - -0.1).abs() < 1e-15);
        assert_eq!(days[2].drawdown, 0.0);
    }
}
