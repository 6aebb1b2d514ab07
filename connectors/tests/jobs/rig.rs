//! A database, a clock that a test sets, and a scheduler over both.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::civil::{Date, DateTime};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use turnstile_connectors::execution::{
    Alarms, Market, SessionSource, SharedCalendar, Store, wall_clock_us,
};
use turnstile_connectors::jobs::{Job, Scheduler, SchedulerParts};
use turnstile_connectors::postgres::Postgres;
use turnstile_connectors::task;
use turnstile_dataflows::price::Session;

use crate::postgres::Server;

pub(crate) const ACCOUNT: &str = "50123456-01";
const PATIENCE: Duration = Duration::from_secs(60);

/// The clock of the exchange, and its calendar.
pub(crate) struct Clock {
    at: Mutex<DateTime>,
    calendar: SharedCalendar,
}

impl SessionSource for Clock {
    fn market(&self) -> Market {
        let at = *self.at.lock().unwrap();
        Market {
            date: at.date(),
            time: at.time(),
            closed: None,
        }
    }

    fn trades_on(&self, day: Date) -> bool {
        self.calendar.now().is_trading_day(day)
    }

    fn of_prices(&self) -> Session {
        let hour = self.at.lock().unwrap().hour();
        if (9..16).contains(&hour) {
            Session::Regular
        } else {
            Session::Off
        }
    }
}

/// Database, clock, and at most one running scheduler.
pub(crate) struct Rig {
    pub(crate) postgres: Postgres,
    pub(crate) clock: Arc<Clock>,
    pub(crate) calendar: SharedCalendar,
    run: Option<(CancellationToken, Vec<JoinHandle<()>>)>,
    _server: Server,
}

impl Rig {
    /// Starts a database; the clock stands at `at`, and the calendar is that of the configuration.
    pub(crate) async fn start(at: DateTime) -> Self {
        let server = Server::start().await;
        let config = turnstile_connectors::execution::ExecutionConfig::default();
        let calendar = SharedCalendar::from(config.calendar());
        Self {
            postgres: server.connect().await,
            clock: Arc::new(Clock {
                at: Mutex::new(at),
                calendar: calendar.clone(),
            }),
            calendar,
            run: None,
            _server: server,
        }
    }

    /// Sets the clock.
    pub(crate) fn at(&self, at: DateTime) {
        *self.clock.at.lock().unwrap() = at;
    }

    /// Runs these jobs, in the place of those that run.
    pub(crate) async fn run(&mut self, jobs: Vec<Arc<dyn Job>>) {
        self.stop().await;
        let stop = CancellationToken::new();
        let (alarms, writer) = Alarms::new(Store::new(&self.postgres, stop.clone()));
        let scheduler = Scheduler::new(SchedulerParts {
            postgres: self.postgres.clone(),
            session: self.clock.clone(),
            alarms,
            account: ACCOUNT.to_owned(),
            retry_min: Duration::from_millis(50),
            retry_max: Duration::from_millis(200),
            alarm_after: 3,
            now_us: wall_clock_us,
        });
        let tasks = vec![
            task::spawn("alarms", writer.run(stop.clone())),
            task::spawn("jobs", scheduler.run(jobs, stop.clone())),
        ];
        self.run = Some((stop, tasks));
    }

    /// Stops the scheduler in order.
    pub(crate) async fn stop(&mut self) {
        if let Some((stop, tasks)) = self.run.take() {
            stop.cancel();
            for task in tasks {
                task.await.unwrap();
            }
        }
    }

    /// Kills the scheduler: nothing more is noted.
    pub(crate) async fn kill(&mut self) {
        if let Some((_, tasks)) = self.run.take() {
            for task in tasks {
                task.abort();
                drop(task.await);
            }
        }
    }

    pub(crate) async fn sql(&self, sql: &str) {
        let client = self.postgres.client().await.unwrap();
        client.batch_execute(sql).await.unwrap();
    }

    /// Returns the one text of a query.
    pub(crate) async fn text(&self, query: &str) -> String {
        let client = self.postgres.client().await.unwrap();
        let row = client.query_one(query, &[]).await.unwrap();
        row.get::<_, Option<String>>(0).unwrap_or_default()
    }

    /// Returns the runs of a job, in order: key and status each.
    pub(crate) async fn runs(&self, job: &str) -> String {
        self.text(&format!(
            "SELECT string_agg(run_key || ' ' || status, ', ' ORDER BY run_id)
             FROM system.job_runs WHERE job = '{job}'"
        ))
        .await
    }

    /// Waits until the runs of a job are these.
    pub(crate) async fn until_runs(&self, job: &str, expected: &str) {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            let found = self.runs(job).await;
            if found == expected {
                return;
            }
            let in_time = tokio::time::Instant::now() < deadline;
            assert!(in_time, "expected {expected:?}, was {found:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}
