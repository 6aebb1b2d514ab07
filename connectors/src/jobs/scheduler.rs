//! The scheduler: looks what is due, runs it, notes what came of it.

use std::collections::{BTreeMap, BTreeSet};
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
use super::{Counts, Due, Job, JobError, Outcome, Schedule};
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
#[derive(Debug)]
struct Course {
    schedule: Schedule,
    /// Of what is due, the keys that need no run any more.
    finished: BTreeSet<String>,
    /// By key where several may be due at once; all others go by one, so that a job that fails in every
    /// stretch of a session pauses ever longer.
    tries: BTreeMap<Option<String>, Tries>,
    /// Reason of the last run that was skipped: the same one is told once.
    skipped: Option<String>,
}

/// How a piece of work went so far.
#[derive(Debug, Default)]
struct Tries {
    /// Failures in a row.
    failures: u32,
    /// Not before then.
    again_at: Option<Instant>,
}

/// How a run, or the look whether there is one, ended that did not fail.
enum Taken {
    Finished,
    NoWork,
}

impl Course {
    fn new(schedule: Schedule) -> Self {
        Self {
            schedule,
            finished: BTreeSet::new(),
            tries: BTreeMap::new(),
            skipped: None,
        }
    }

    /// Forgets all but what is due.
    fn keep(&mut self, due: &[Due]) {
        let is_due = |key: &String| due.iter().any(|due| due.key == *key);
        self.finished.retain(is_due);
        self.tries
            .retain(|key, _tries| key.as_ref().is_none_or(is_due));
    }

    /// Returns whether `due` is to be looked at now.
    fn wants(&self, due: &Due, now: Instant) -> bool {
        let tries = self.tries.get(&self.slot(due));
        let again_at = tries.and_then(|tries| tries.again_at);
        !self.finished.contains(&due.key) && again_at.is_none_or(|at| at <= now)
    }

    fn tries(&mut self, due: &Due) -> &mut Tries {
        let slot = self.slot(due);
        self.tries.entry(slot).or_default()
    }

    /// Returns under which key the tries of `due` are counted.
    fn slot(&self, due: &Due) -> Option<String> {
        let are_many = matches!(self.schedule, Schedule::TradingDays { .. });
        are_many.then(|| due.key.clone())
    }
}

/// Returns the last `count` days before `day` on which the exchange traded, the latest first.
fn trading_days_before(session: &dyn SessionSource, day: Date, count: u32) -> Vec<Date> {
    let mut days = Vec::new();
    let mut last = day;
    for _ in 0..count {
        let mut before =
            (1..=CLOSED_DAYS_MAX).map(|back| last.saturating_sub(Span::new().days(back)));
        let Some(found) = before.find(|day| session.trades_on(*day)) else {
            break;
        };
        days.push(found);
        last = found;
    }
    days
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
        self.moment(0).at
    }

    /// Returns how the exchange stands, with so many trading days before.
    fn moment(&self, days_back: u32) -> Moment {
        let session = &self.parts.session;
        let market = session.market();
        Moment {
            at: market.date.to_datetime(market.time),
            is_trading_day: session.trades_on(market.date),
            is_in_session: session.of_prices() == Session::Regular,
            trading_days_before: trading_days_before(session.as_ref(), market.date, days_back),
        }
    }

    async fn keep(&self, job: &dyn Job, started: DateTime, stop: &CancellationToken) {
        let schedule = job.schedule();
        let mut course = Course::new(schedule);
        loop {
            let look = tokio::time::sleep(LOOK_EVERY);
            if stop.run_until_cancelled(look).await.is_none() {
                return;
            }
            let all = schedule.due(&self.moment(schedule.days_back()), started);
            course.keep(&all);
            for due in all {
                if !course.wants(&due, Instant::now()) {
                    continue;
                }
                match self.take(job, &due, &mut course, stop).await {
                    Ok(Taken::Finished) => {
                        course.finished.insert(due.key);
                    }
                    // The next stretch of a session is soon enough.
                    Ok(Taken::NoWork) if matches!(schedule, Schedule::InSession { .. }) => {
                        course.finished.insert(due.key);
                    }
                    Ok(Taken::NoWork) => {
                        let again_at = Instant::now() + self.parts.retry_min;
                        course.tries(&due).again_at = Some(again_at);
                    }
                    Err(_) if stop.is_cancelled() => return,
                    Err(reason) => self.failed(job.name(), &due, &mut course, &reason),
                }
                if stop.is_cancelled() {
                    return;
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
    ) -> Result<Taken, String> {
        let name = job.name();
        let said = |error: JobError| error.to_string();
        let is_finished = self.runs.is_finished(name, due).await;
        if is_finished.map_err(|error| said(error.into()))? {
            return Ok(Taken::Finished);
        }
        let has_work = match due.is_missed {
            true => job.has_missed_work(due.day),
            false => job.has_work(due.day),
        };
        if !has_work.await.map_err(said)? {
            return Ok(Taken::NoWork);
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
        Ok(Taken::Finished)
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
        let failures = std::mem::take(course.tries(due)).failures;
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

    /// Tells of a failure, and when it is tried again.
    fn failed(&self, job: &'static str, due: &Due, course: &mut Course, reason: &str) {
        counter!(names::FAILURES, "job" => job).increment(1);
        let tries = course.tries(due);
        tries.failures = tries.failures.saturating_add(1);
        let (failures, key) = (tries.failures, &due.key);
        let doubled = 1_u32.checked_shl(failures - 1).unwrap_or(u32::MAX);
        let pause = self.parts.retry_min.saturating_mul(doubled);
        let pause = pause.min(self.parts.retry_max);
        tries.again_at = Instant::now().checked_add(pause);
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
    }
}
