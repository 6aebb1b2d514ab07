//! The scheduler with a job that does as it is told.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use futures_util::FutureExt;
use jiff::civil::{Date, date, time};
use turnstile_connectors::jobs::{Counts, Days, Job, JobError, JobFuture, Outcome, Schedule};

use crate::rig::Rig;

/// Fails so often, then hangs or is done.
#[derive(Default)]
struct Told {
    failures: u32,
    hangs: bool,
    runs: AtomicU32,
}

impl Job for Told {
    fn name(&self) -> &'static str {
        "told"
    }

    fn schedule(&self) -> Schedule {
        Schedule::Daily {
            at: time(8, 0, 0, 0),
            on: Days::Trading,
        }
    }

    fn run<'j>(&'j self, _day: Date, counts: &'j Counts) -> JobFuture<'j, Outcome> {
        async move {
            let run = self.runs.fetch_add(1, Ordering::SeqCst);
            counts.fetched(5);
            if run < self.failures {
                return Err(JobError::Answer(format!("failure {run}")));
            }
            if self.hangs {
                std::future::pending::<()>().await;
            }
            counts.changed(2);
            Ok(Outcome::Done)
        }
        .boxed()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_is_done_once_and_holidays_have_none() {
    let friday = date(2026, 12, 4);
    let mut rig = Rig::start(friday.at(7, 59, 0, 0)).await;
    let job = Arc::new(Told::default());
    rig.run(vec![job.clone()]).await;
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    assert_eq!(rig.runs("told").await, "", "before its time");
    rig.at(friday.at(8, 0, 0, 0));
    rig.until_runs("told", "2026-12-04 DONE").await;
    let counts = "SELECT fetched || ' ' || changed || ' ' || (ended_ts >= started_ts)
        FROM system.job_runs";
    assert_eq!(rig.text(counts).await, "5 2 true");
    // Another process later on the day, then the weekend and its Monday, with nobody there at eight.
    let other = Arc::new(Told::default());
    rig.run(vec![other.clone()]).await;
    for day in [friday, date(2026, 12, 5), date(2026, 12, 6)] {
        rig.at(day.at(22, 0, 0, 0));
        tokio::time::sleep(Duration::from_millis(1_200)).await;
    }
    assert_eq!(rig.runs("told").await, "2026-12-04 DONE");
    rig.at(date(2026, 12, 7).at(14, 0, 0, 0));
    rig.until_runs("told", "2026-12-04 DONE, 2026-12-07 DONE")
        .await;
    let runs = [job, other].map(|job| job.runs.load(Ordering::SeqCst));
    assert_eq!(runs, [1, 1]);
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_job_is_repeated_and_alarms_once() {
    let mut rig = Rig::start(date(2026, 12, 4).at(9, 0, 0, 0)).await;
    let job = Arc::new(Told {
        failures: 5,
        ..Told::default()
    });
    rig.run(vec![job]).await;
    let failed = "2026-12-04 FAILED, ".repeat(5);
    rig.until_runs("told", &format!("{failed}2026-12-04 DONE"))
        .await;
    rig.stop().await; // Alarms that wait are written.
    let alarms = "SELECT string_agg(level || ' ' || event || ' ' || (context->>'failures'), ', '
        ORDER BY id) FROM system.logs";
    assert_eq!(
        rig.text(alarms).await,
        "WARNING JOB_FAILS 3, INFO JOB_RECOVERED 5"
    );
    let reason = "SELECT reason || ' ' || fetched FROM system.job_runs ORDER BY run_id LIMIT 1";
    assert_eq!(rig.text(reason).await, "failure 0 5");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_dead_process_left_has_failed_and_is_done_again() {
    let mut rig = Rig::start(date(2026, 12, 4).at(9, 0, 0, 0)).await;
    let hanging = || {
        Arc::new(Told {
            hangs: true,
            ..Told::default()
        })
    };
    rig.run(vec![hanging()]).await;
    rig.until_runs("told", "2026-12-04 RUNNING").await;
    rig.sql(
        "INSERT INTO system.job_runs (account_id, job, run_key)
         VALUES ('99999999-01', 'told', '2026-12-04')",
    )
    .await;
    rig.kill().await;
    let mine = "SELECT string_agg(status || coalesce(': ' || reason, ''), ', ' ORDER BY run_id)
        FROM system.job_runs WHERE account_id = '50123456-01'";
    assert_eq!(rig.text(mine).await, "RUNNING");
    rig.run(vec![Arc::new(Told::default())]).await;
    let expected = "2026-12-04 FAILED, 2026-12-04 RUNNING, 2026-12-04 DONE";
    rig.until_runs("told", expected).await;
    assert_eq!(
        rig.text(mine).await,
        "FAILED: the process ended before the job did, DONE"
    );
    // A stop in order notes it itself.
    rig.at(date(2026, 12, 7).at(9, 0, 0, 0));
    rig.run(vec![hanging()]).await;
    rig.until_runs("told", &format!("{expected}, 2026-12-07 RUNNING"))
        .await;
    rig.stop().await;
    let last = "SELECT status || ': ' || reason FROM system.job_runs ORDER BY run_id DESC LIMIT 1";
    assert_eq!(rig.text(last).await, "FAILED: stopped before it was done");
}
