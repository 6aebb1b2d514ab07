//! The scheduler: looks what is due, runs it, notes what came of it.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::join_all;
use jiff::Span;
use jiff::civil::{Date, DateTime};
use metrics::{counter, gauge, histogram};
use serde_json::json;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use tracing::{error, info, warn};
use turnstile_dataflows::price::Session;

use super::metrics as names;
use super::runs::{End, Runs};
use super::schedule::Moment;
use super::{Counts, Due, Job, JobError, Outcome};
use crate::execution::{Alarm, Alarms, Level, NowUs, SessionSource};
use crate::postgres::Postgres;
use crate::task;

/// How often it is looked what is due.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Days back that are looked at for one on which the exchange traded: it has never been closed so long.
const CLOSED_DAYS_MAX: i64 = 31;
/// How long the note of a run waits for the database when everything stops.
const STOP_GRACE: Duration = Duration::from_secs(2);

/// What a scheduler needs.
pub struct SchedulerParts {
    /// Where runs are noted.
    pub postgres: Postgres,
    /// Clock and days of the exchange.
    pub session: Arc<dyn SessionSource>,
    /// Where repeated failures are told.
    pub alarms: Alarms,
    /// The account whose engine this is, `12345678-01`.
    pub account: String,
    /// Pause after a run that failed; it doubles up to `retry_max`.
    pub retry_min: Duration,
    /// See `retry_min`.
    pub retry_max: Duration,
    /// Failures in a row that raise an alarm.
    pub alarm_after: u32,
    /// The wall clock.
    pub now_us: NowUs,
}

/// Runs jobs when they are due.
pub struct Scheduler {
    parts: SchedulerParts,
    runs: Runs,
}

/// What is known of one job since the start.
#[derive(Debug, Default)]
struct Course {
    /// Key that needs no run any more.
    finished: Option<String>,
    /// Failures in a row.
    failures: u32,
    /// Reason of the last run that was skipped: the same one is told once.
    skipped: Option<String>,
}

/// Returns the last day before `day` on which the exchange traded.
fn trading_day_before(session: &dyn SessionSource, day: Date) -> Option<Date> {
    let before = |back: i64| day.saturating_sub(Span::new().days(back));
    (1..=CLOSED_DAYS_MAX)
        .map(before)
        .find(|day| session.trades_on(*day))
}

impl Scheduler {
    /// Returns a scheduler; nothing runs yet.
    pub fn new(parts: SchedulerParts) -> Self {
        Self {
            runs: Runs::new(parts.postgres.clone(), parts.account.clone()),
            parts,
        }
    }

    /// Runs `jobs` until `stop`. A run under way then is noted as failed. Dropping the future ends all
    /// of them where they are.
    pub async fn run(self, jobs: Vec<Arc<dyn Job>>, stop: CancellationToken) {
        if !self.begin(&stop).await {
            return;
        }
        let scheduler = Arc::new(self);
        let started = stop.run_until_cancelled(scheduler.clock()).await;
        let Some(started) = started else { return };
        let tasks = jobs.into_iter().map(|job| {
            let (scheduler, stop) = (Arc::clone(&scheduler), stop.clone());
            AbortOnDropHandle::new(task::spawn("job", async move {
                scheduler.keep(&*job, started, &stop).await;
            }))
        });
        for ended in join_all(tasks).await {
            if let Err(error) = ended {
                error!(%error, "a job failed");
            }
        }
    }

    /// Notes what an earlier process left, as soon as the database answers. Returns whether it did
    /// before `stop`.
    async fn begin(&self, stop: &CancellationToken) -> bool {
        let mut pause = self.parts.retry_min;
        loop {
            match self.runs.abandon().await {
                Ok(0) => return true,
                Ok(runs) => {
                    warn!(
                        runs,
                        "jobs that an earlier process left are noted as failed"
                    );
                    return true;
                }
                Err(error) => warn!(%error, "runs of jobs cannot be read, trying again"),
            }
            if stop
                .run_until_cancelled(tokio::time::sleep(pause))
                .await
                .is_none()
            {
                return false;
            }
            pause = (pause * 2).min(self.parts.retry_max);
        }
    }

    /// Returns the time of the exchange, once it is known.
    async fn clock(&self) -> DateTime {
        while !self.parts.session.is_clock_known() {
            tokio::time::sleep(LOOK_EVERY).await;
        }
        self.moment().at
    }

    fn moment(&self) -> Moment {
        let session = &self.parts.session;
        let market = session.market();
        Moment {
            at: market.date.to_datetime(market.time),
            is_trading_day: session.trades_on(market.date),
            is_in_session: session.of_prices() == Session::Regular,
            trading_day_before: trading_day_before(session.as_ref(), market.date),
        }
    }

    async fn keep(&self, job: &dyn Job, started: DateTime, stop: &CancellationToken) {
        let mut course = Course::default();
        let mut pause = Duration::ZERO;
        loop {
            let look = tokio::time::sleep(pause.max(LOOK_EVERY));
            if stop.run_until_cancelled(look).await.is_none() {
                return;
            }
            pause = Duration::ZERO;
            let Some(due) = job.schedule().due(self.moment(), started) else {
                continue;
            };
            if course.finished.as_ref() == Some(&due.key) {
                continue;
            }
            match self.take(job, &due, &mut course, stop).await {
                Ok(()) => course.finished = Some(due.key),
                Err(reason) => {
                    if stop.is_cancelled() {
                        return;
                    }
                    pause = self.failed(job.name(), &due, &mut course, &reason);
                }
            }
        }
    }

    /// Runs what is due unless that is done already. The error says why it failed.
    async fn take(
        &self,
        job: &dyn Job,
        due: &Due,
        course: &mut Course,
        stop: &CancellationToken,
    ) -> Result<(), String> {
        let name = job.name();
        let said = |error: JobError| error.to_string();
        let is_finished = self.runs.is_finished(name, due).await;
        if is_finished.map_err(|error| said(error.into()))?
            || !job.has_work(due.day).await.map_err(said)?
        {
            return Ok(());
        }
        let begun = self.runs.begin(name, due).await;
        let run = begun.map_err(|error| said(error.into()))?;
        let (counts, since) = (Counts::default(), Instant::now());
        // A job that panics has failed like any other; what it holds is dropped with it.
        let running = AssertUnwindSafe(job.run(due.day, &counts)).catch_unwind();
        let end = match stop.run_until_cancelled(running).await {
            Some(Ok(Ok(Outcome::Done))) => End::Done,
            Some(Ok(Ok(Outcome::Skipped(reason)))) => End::Skipped(reason),
            Some(Ok(Err(error))) => End::Failed(said(error)),
            Some(Err(_panic)) => End::Failed("it panicked; the log has where".to_owned()),
            None => End::Failed("stopped before it was done".to_owned()),
        };
        histogram!(names::DURATION, "job" => name).record(since.elapsed());
        let note = self.runs.end(run, &end, &counts);
        let noted = if stop.is_cancelled() {
            let in_time = tokio::time::timeout(STOP_GRACE, note).await;
            in_time.unwrap_or(Ok(())) // The next start notes it as failed.
        } else {
            note.await
        };
        if let End::Failed(reason) = end {
            return Err(reason);
        }
        // Not noted is not done: a key counts as finished by its row alone.
        noted.map_err(|error| format!("the run cannot be noted: {error}"))?;
        self.succeeded(name, due, course, end, &counts);
        Ok(())
    }

    fn succeeded(
        &self,
        job: &'static str,
        due: &Due,
        course: &mut Course,
        end: End,
        counts: &Counts,
    ) {
        let (fetched, changed) = counts.get();
        let key = &due.key;
        match end {
            End::Skipped(reason) if course.skipped.as_ref() == Some(&reason) => {}
            End::Skipped(reason) => {
                info!(job, %key, reason, "job skipped");
                course.skipped = Some(reason);
            }
            End::Done | End::Failed(_) => {
                course.skipped = None;
                info!(job, %key, fetched, changed, "job done");
            }
        }
        #[expect(
            clippy::as_conversions,
            clippy::cast_precision_loss,
            reason = "a gauge is a float"
        )]
        gauge!(names::LAST_SUCCESS, "job" => job).set(((self.parts.now_us)() / 1_000_000) as f64);
        let failures = std::mem::take(&mut course.failures);
        if failures >= self.parts.alarm_after {
            self.parts.alarms.raise(Alarm {
                level: Level::Info,
                event: "JOB_RECOVERED",
                symbol: None,
                position: None,
                message: format!("job {job} is done for {key} after {failures} failures"),
                context: json!({"job": job, "key": key, "failures": failures}),
            });
        }
    }

    /// Tells of a failure and returns the pause after it.
    fn failed(&self, job: &'static str, due: &Due, course: &mut Course, reason: &str) -> Duration {
        counter!(names::FAILURES, "job" => job).increment(1);
        course.failures = course.failures.saturating_add(1);
        let (failures, key) = (course.failures, &due.key);
        let doubled = 1_u32.checked_shl(failures - 1).unwrap_or(u32::MAX);
        let pause = self.parts.retry_min.saturating_mul(doubled);
        let pause = pause.min(self.parts.retry_max);
        warn!(job, %key, failures, ?pause, reason, "job failed, trying again");
        if failures == self.parts.alarm_after {
            self.parts.alarms.raise(Alarm {
                level: Level::Warning,
                event: "JOB_FAILS",
                symbol: None,
                position: None,
                message: format!(
                    "job {job} has failed {failures} times in a row, last for {key}: {reason}"
                ),
                context: json!({"job": job, "key": key, "failures": failures, "reason": reason}),
            });
        }
        pause
    }
}
