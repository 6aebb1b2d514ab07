//! When a job is due: a function of the exchange's clock and days, and of nothing else.

use std::time::Duration;

use jiff::civil::{Date, DateTime, Time};

/// When a job is due, in the time of the exchange, which knows no daylight saving.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Schedule {
    /// Once after each start.
    AtStart,
    /// Once a day, from a time on.
    Daily {
        /// First moment.
        at: Time,
        /// On which days.
        on: Days,
    },
    /// Once for each trading day, from a time on. Days that were missed are made up for, those of the
    /// last ones whose time has come.
    TradingDays {
        /// First moment.
        at: Time,
        /// So many of the last ones, at least one.
        last: u32,
    },
    /// Once in each stretch of this length, counted from midnight, while the exchange is in session.
    InSession {
        /// Length of a stretch, at least a second.
        every: Duration,
    },
}

/// On which days something is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Days {
    /// On every day.
    Every,
    /// On trading days.
    Trading,
}

/// What a job is due for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// The day at the exchange.
    pub day: Date,
    /// What the run is for: equal keys are the same piece of work.
    pub key: String,
    /// Whether it was due before something else of the same job came to be.
    pub is_missed: bool,
}

/// What the exchange's clock and calendar say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Date and time at the exchange.
    pub at: DateTime,
    /// Whether the exchange trades on that date.
    pub is_trading_day: bool,
    /// Whether it is in session.
    pub is_in_session: bool,
    /// The last days before that date on which it traded, the latest first; as many as are asked for, and
    /// known.
    pub trading_days_before: Vec<Date>,
}

impl Schedule {
    /// Returns how many trading days before now a [`Moment`] has to know.
    pub fn days_back(self) -> u32 {
        match self {
            Self::TradingDays { last, .. } => last,
            Self::AtStart | Self::Daily { .. } | Self::InSession { .. } => 0,
        }
    }

    /// Returns what is due at `now`, in a process that began at `started`, the oldest first. The same is
    /// due until something else is, so that a moment nobody looked at is made up for on its day.
    pub fn due(self, now: &Moment, started: DateTime) -> Vec<Due> {
        let (day, time) = (now.at.date(), now.at.time());
        let key = match self {
            Self::TradingDays { at, last } => {
                let today = Some(day).filter(|_| now.is_trading_day && time >= at);
                let before = now.trading_days_before.iter().copied();
                let last = usize::try_from(last).unwrap_or(usize::MAX);
                let days = today.into_iter().chain(before).take(last).enumerate();
                let due = days.map(|(place, day)| Due {
                    day,
                    key: day.to_string(),
                    is_missed: place > 0,
                });
                let mut due: Vec<Due> = due.collect();
                due.reverse();
                return due;
            }
            Self::AtStart => Some(format!("start {started}")),
            Self::Daily { at, on } => {
                let is_day = on == Days::Every || now.is_trading_day;
                (is_day && time >= at).then(|| day.to_string())
            }
            Self::InSession { every } => {
                let is_due = now.is_trading_day && now.is_in_session;
                is_due.then(|| format!("{day} {}", begin_of_stretch(time, every)))
            }
        };
        let due = key.map(|key| Due {
            day,
            key,
            is_missed: false,
        });
        due.into_iter().collect()
    }
}

fn begin_of_stretch(time: Time, every: Duration) -> Time {
    let seconds = Time::midnight().duration_until(time).as_secs();
    let every = i64::try_from(every.as_secs()).unwrap_or(i64::MAX).max(1);
    let begin = seconds - seconds % every;
    Time::midnight().saturating_add(jiff::SignedDuration::from_secs(begin))
}

#[cfg(test)]
mod tests {
    use jiff::civil::{date, time};
    use proptest::prelude::*;

    use super::*;

    const EIGHT: Schedule = Schedule::Daily {
        at: time(8, 0, 0, 0),
        on: Days::Trading,
    };
    const STARTED: DateTime = date(2026, 11, 24).at(3, 0, 0, 0);

    fn moment(at: DateTime, is_trading_day: bool) -> Moment {
        let in_session = time(8, 30, 0, 0)..time(16, 0, 0, 0);
        Moment {
            at,
            is_trading_day,
            is_in_session: is_trading_day && in_session.contains(&at.time()),
            trading_days_before: Vec::new(),
        }
    }

    fn key(schedule: Schedule, at: DateTime, is_trading_day: bool) -> Option<String> {
        let due = schedule.due(&moment(at, is_trading_day), STARTED).pop()?;
        assert_eq!((due.day, due.is_missed), (at.date(), false));
        Some(due.key)
    }

    #[test]
    fn a_daily_job_is_due_from_its_time_on_and_made_up_for_on_the_same_day() {
        let day = date(2026, 11, 24);
        assert_eq!(key(EIGHT, day.at(7, 59, 59, 999_999_999), true), None);
        let expected = Some("2026-11-24".to_owned());
        assert_eq!(key(EIGHT, day.at(8, 0, 0, 0), true), expected);
        assert_eq!(key(EIGHT, day.at(23, 59, 59, 0), true), expected);
        assert_eq!(key(EIGHT, date(2026, 11, 25).at(0, 0, 0, 0), true), None);
    }

    #[test]
    fn a_holiday_has_no_job_of_trading_days_but_one_of_every_day() {
        let holiday = date(2026, 12, 25).at(9, 0, 0, 0);
        assert_eq!(key(EIGHT, holiday, false), None);
        let every = Schedule::Daily {
            at: time(7, 30, 0, 0),
            on: Days::Every,
        };
        assert_eq!(key(every, holiday, false).as_deref(), Some("2026-12-25"));
    }

    #[test]
    fn the_last_trading_days_are_made_up_for_until_others_are_due() {
        let (thursday, friday, monday) =
            (date(2026, 11, 19), date(2026, 11, 20), date(2026, 11, 23));
        let due = |last, at: DateTime, is_trading_day, before: &[Date]| {
            let at_half_past_four = time(16, 30, 0, 0);
            let schedule = Schedule::TradingDays {
                at: at_half_past_four,
                last,
            };
            let now = Moment {
                trading_days_before: before.to_vec(),
                ..moment(at, is_trading_day)
            };
            let due = schedule.due(&now, STARTED).into_iter();
            due.map(|due| {
                assert_eq!(due.key, due.day.to_string());
                (due.day, due.is_missed)
            })
            .collect::<Vec<_>>()
        };
        let before = [friday, thursday];
        for (at, is_trading_day) in [
            (date(2026, 11, 21).at(20, 0, 0, 0), false),
            (monday.at(16, 29, 59, 0), true),
            (monday.at(20, 0, 0, 0), false),
        ] {
            let missed = [(thursday, true), (friday, false)];
            assert_eq!(due(2, at, is_trading_day, &before), missed, "{at}");
            assert_eq!(due(1, at, is_trading_day, &before), [(friday, false)]);
        }
        let at = monday.at(16, 30, 0, 0);
        assert_eq!(due(1, at, true, &before), [(monday, false)]);
        assert_eq!(due(2, at, true, &before), [(friday, true), (monday, false)]);
        let all = [(thursday, true), (friday, true), (monday, false)];
        assert_eq!(due(9, at, true, &before), all, "what is known");
        assert!(due(2, monday.at(9, 0, 0, 0), true, &[]).is_empty());
    }

    #[test]
    fn a_job_of_the_session_has_a_key_for_each_stretch() {
        let every = Schedule::InSession {
            every: Duration::from_secs(300),
        };
        let day = date(2026, 11, 24);
        assert_eq!(key(every, day.at(8, 29, 59, 0), true), None);
        let at = |hour, minute, second| key(every, day.at(hour, minute, second, 0), true).unwrap();
        assert_eq!(at(8, 30, 0), "2026-11-24 08:30:00");
        assert_eq!(at(8, 34, 59), at(8, 30, 0));
        assert_eq!(at(8, 35, 0), "2026-11-24 08:35:00");
        assert_eq!(key(every, day.at(16, 0, 0, 0), true), None);
        assert_eq!(key(every, day.at(10, 0, 0, 0), false), None);
    }

    #[test]
    fn a_job_of_the_start_is_due_once_a_process() {
        let later = STARTED.saturating_add(jiff::Span::new().days(3));
        let first = key(Schedule::AtStart, STARTED, false);
        assert!(first.is_some());
        assert_eq!(key(Schedule::AtStart, later, true), first);
        let other = Schedule::AtStart.due(&moment(later, true), later);
        assert_ne!(Some(&other[0].key), first.as_ref());
    }

    proptest! {
        /// However often and unevenly somebody looks, with whatever pauses: each due day once, in
        /// order, and none before its time.
        #[test]
        fn looks_at_any_times_run_each_key_once(
            steps in prop::collection::vec(1_i64..100_000, 1..80),
            closed in prop::collection::btree_set(0_i32..100, 0..30),
            hour in 0_i8..24,
        ) {
            let schedule = Schedule::Daily { at: time(hour, 0, 0, 0), on: Days::Trading };
            let (mut at, mut done) = (STARTED, Vec::<Due>::new());
            for step in steps {
                at = at.saturating_add(jiff::SignedDuration::from_secs(step));
                let day = at.date().since(STARTED.date()).unwrap().get_days();
                let is_trading_day = !closed.contains(&day);
                let Some(due) = schedule.due(&moment(at, is_trading_day), STARTED).pop() else {
                    prop_assert!(!is_trading_day || at.hour() < hour);
                    continue;
                };
                prop_assert!(is_trading_day && at.hour() >= hour);
                if done.last() != Some(&due) {
                    prop_assert!(done.last().is_none_or(|last| last.day < due.day));
                    done.push(due);
                }
            }
        }

        #[test]
        fn a_stretch_begins_at_most_its_length_before(second in 0_i64..86_400, every in 1_u64..3_600) {
            let at = Time::midnight().saturating_add(jiff::SignedDuration::from_secs(second));
            let begin = begin_of_stretch(at, Duration::from_secs(every));
            let passed = begin.duration_until(at).as_secs();
            prop_assert!((0..i64::try_from(every).unwrap()).contains(&passed));
        }
    }
}
