//! Price courses: an issue that is steered instead of wandering.
//!
//! A course prints a trade at the exact price of each point when its time comes. In between, the
//! generator's own trades of the issue lie on the straight line. After the last point the price
//! stays there until another course, an empty one included, takes over.

use std::time::Duration;

use tokio::time::Instant;

use super::{Exchange, Task};
use crate::{
    config::ScriptPoint,
    issue::{QuoteRule, Trade},
    price::Price,
};

/// Volume of the trade at a point of a course.
const VOLUME: i64 = 10;

#[derive(Debug)]
pub(super) struct Course {
    number: u64,
    start: Instant,
    from: Price,
    points: Vec<ScriptPoint>,
}

impl Course {
    fn price_at(&self, now: Instant) -> Price {
        let gone = now.saturating_duration_since(self.start);
        let mut before = (Duration::ZERO, self.from);
        for point in &self.points {
            if gone < point.after {
                let whole =
                    i128::try_from((point.after - before.0).as_micros()).unwrap_or(i128::MAX);
                let part = i128::try_from((gone - before.0).as_micros()).unwrap_or(i128::MAX);
                let (from, to) = (
                    i128::from(before.1.units()),
                    i128::from(point.price.units()),
                );
                let units = from + (to - from) * part / whole.max(1);
                return Price::from_units(i64::try_from(units).unwrap_or(i64::MAX));
            }
            before = (point.after, point.price);
        }
        before.1
    }
}

impl Exchange {
    /// Makes an issue follow `points` from `now`; without points it wanders again.
    pub(crate) fn follow(&mut self, issue: usize, points: Vec<ScriptPoint>, now: Instant) {
        self.courses_set += 1;
        let number = self.courses_set;
        if points.is_empty() {
            self.courses.remove(&issue);
            return;
        }
        for point in &points {
            let task = Task::CoursePoint {
                issue,
                course: number,
                price: point.price,
            };
            self.agenda.add(now + point.after, task);
        }
        let from = self.issues[issue].last();
        self.courses.insert(
            issue,
            Course {
                number,
                start: now,
                from,
                points,
            },
        );
    }

    /// Returns the price on the course of an issue, if it follows one.
    pub(crate) fn course_price(&self, issue: usize, now: Instant) -> Option<Price> {
        let course = self.courses.get(&issue)?;
        Some(self.issues[issue].grid().nearest(course.price_at(now)))
    }

    pub(super) fn print_course_point(
        &mut self,
        issue: usize,
        course: u64,
        price: Price,
        now: Instant,
    ) {
        if self
            .courses
            .get(&issue)
            .is_some_and(|current| current.number == course)
        {
            self.print_at(issue, price, VOLUME, now);
        }
    }

    /// Prints one trade at `price`, with quotes around it unless the path has none.
    pub(crate) fn print_at(&mut self, issue: usize, price: Price, volume: i64, now: Instant) {
        let quotes = if self.has_quotes {
            QuoteRule::Grid {
                ask_quantity: 1_000,
                bid_quantity: 1_000,
            }
        } else {
            QuoteRule::Unknown
        };
        let trade = Trade {
            price,
            volume,
            aggressor: None,
            quotes,
        };
        self.print(issue, &trade, now);
    }
}
