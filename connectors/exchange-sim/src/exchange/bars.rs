//! Daily bars of the days that were simulated.

use jiff::civil::Date;

use super::Exchange;
use crate::{
    issue::Day,
    price::{Money, Price},
};

/// Days that are kept per issue; the oldest go.
const KEPT: usize = 400;

/// One day of one issue.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Bar {
    pub(crate) date: Date,
    pub(crate) open: Price,
    pub(crate) high: Price,
    pub(crate) low: Price,
    pub(crate) close: Price,
    pub(crate) volume: i64,
    pub(crate) value: Money,
}

/// Past of one issue since the simulator started.
#[derive(Debug)]
pub(super) struct Past {
    first_reference: Price,
    closed: Vec<Bar>,
}

impl Bar {
    /// Returns the bar of a day, if it had a trade.
    pub(crate) fn of(day: &Day, date: Date) -> Option<Self> {
        day.last.is_some().then_some(Self {
            date,
            open: day.open,
            high: day.high,
            low: day.low,
            close: day.last,
            volume: day.volume,
            value: day.value,
        })
    }
}

impl Past {
    pub(super) const fn new(first_reference: Price) -> Self {
        Self {
            first_reference,
            closed: Vec::new(),
        }
    }

    pub(super) fn close(&mut self, bar: Bar) {
        if self.closed.len() == KEPT {
            self.closed.remove(0);
        }
        self.closed.push(bar);
    }
}

impl Exchange {
    /// Returns the bars of an issue's days since the start, oldest first.
    pub(crate) fn closed_days(&self, issue: usize) -> &[Bar] {
        &self.past[issue].closed
    }

    /// Returns the reference price that an issue started with.
    pub(crate) fn first_reference(&self, issue: usize) -> Price {
        self.past[issue].first_reference
    }
}
