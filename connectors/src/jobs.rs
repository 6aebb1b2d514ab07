//! Jobs: what is done at times of the trading calendar, beside decisions, and what came of it.
//!
//! ```text
//! clock and days of the exchange ─> Schedule ─ due ─> Scheduler ─> Job ─> PostgreSQL
//!                                                        └─> system.job_runs, alarms, metrics
//! ```
//!
//! 1. A run has a key: the day, the day with a time, or the start that it is for. A key that is done or
//!    skipped is not run again, also after a restart; one that failed is, after a pause that doubles. One
//!    without work is looked at again.
//! 2. One run of a job at a time; jobs do not wait for each other. What is missed while nothing runs is
//!    made up for on the same day, not later; a job of trading days makes up for a number of them, the
//!    oldest first, and one that fails holds up none of the others.
//! 3. A job bears to be run again over its own half-done work.
//! 4. A run that a dead process has left is noted as failed at the next start of the account's engine.

mod config;
pub mod metrics;
mod runs;
mod schedule;
mod scheduler;

use std::sync::atomic::{AtomicI64, Ordering};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use jiff::civil::Date;

use crate::kis::KisError;
use crate::postgres::PostgresError;

pub use config::JobsConfig;
pub use schedule::{Days, Due, Schedule};
pub use scheduler::{Scheduler, SchedulerParts};

/// What a job is about to answer.
pub type JobFuture<'j, T> = BoxFuture<'j, Result<T, JobError>>;

/// Something that is done again and again.
pub trait Job: Send + Sync {
    /// Name in `system.job_runs`, metrics and logs.
    fn name(&self) -> &'static str;

    /// When it is due.
    fn schedule(&self) -> Schedule;

    /// Returns whether there is anything to do on `day`. A run that would do nothing is not noted.
    fn has_work(&self, _day: Date) -> JobFuture<'_, bool> {
        std::future::ready(Ok(true)).boxed()
    }

    /// Returns the same of a day that was missed. Nobody waits for it any more, so one without the data that
    /// it needs has no work rather than a failure, until they come.
    fn has_missed_work(&self, day: Date) -> JobFuture<'_, bool> {
        self.has_work(day)
    }

    /// Does it for `day`. Dropping the future is a failure like any other.
    fn run<'j>(&'j self, day: Date, counts: &'j Counts) -> JobFuture<'j, Outcome>;
}

/// How a run ended that did not fail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All of it is done.
    Done,
    /// It cannot be done here; why.
    Skipped(String),
}

/// What a run has done so far; it counts also where the run fails.
#[derive(Debug, Default)]
pub struct Counts {
    fetched: AtomicI64,
    changed: AtomicI64,
}

impl Counts {
    /// Adds answers or rows that came from outside.
    pub fn fetched(&self, count: usize) {
        add(&self.fetched, count);
    }

    /// Adds rows that are different now.
    pub fn changed(&self, count: usize) {
        add(&self.changed, count);
    }

    fn get(&self) -> (i64, i64) {
        let get = |count: &AtomicI64| count.load(Ordering::Relaxed);
        (get(&self.fetched), get(&self.changed))
    }
}

fn add(total: &AtomicI64, count: usize) {
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    total.fetch_add(count, Ordering::Relaxed);
}

/// Why a run failed.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// The database.
    #[error(transparent)]
    Store(#[from] PostgresError),
    /// The broker.
    #[error(transparent)]
    Broker(#[from] KisError),
    /// An answer that cannot be used.
    #[error("{0}")]
    Answer(String),
}

impl From<tokio_postgres::Error> for JobError {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Store(error.into())
    }
}
