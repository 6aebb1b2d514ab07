//! Runs that the operator asks for by the API (`strategy.run_requests`).
//!
//! 1. A request that fails for a passing reason (the database, another run) waits, longer each time, and
//!    those behind it have their turn; after [`ATTEMPTS_MAX`] it fails with that reason.
//! 2. One that the process did not live to see the end of is taken up again, and counts as an attempt:
//!    one that kills the process does so a few times at most.

use std::time::Duration;

use jiff::civil::Date;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use uuid::Uuid;

use super::run::{Asked, Days, Scope, run};
use super::runs::{DayRun, Trigger};
use super::{StrategyConfig, StrategyError};
use crate::postgres::{Postgres, PostgresError};

const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How often a request is begun. The pauses between them come to eighteen minutes, in which a database
/// comes back and a run by hand of many days ends.
const ATTEMPTS_MAX: i32 = 12;
/// Pause after the first attempt, in seconds; it doubles with each.
const PAUSE_MIN: i32 = 1;
/// Longest pause, in seconds.
const PAUSE_MAX: i32 = 300;

/// One that a dead process has left under way is taken up again: a run of the same input is found.
const NEXT: &str = "UPDATE strategy.run_requests
    SET state = 'RUNNING', attempts = attempts + 1, updated_ts = clock_timestamp()
    WHERE request_id = (SELECT request_id FROM strategy.run_requests
        WHERE state IN ('ASKED', 'RUNNING') AND due_ts <= clock_timestamp()
        ORDER BY created_ts, request_id LIMIT 1)
    RETURNING request_id, as_of::text AS as_of, asked_by, attempts, message";
const WAIT: &str = "UPDATE strategy.run_requests
    SET state = 'ASKED', message = $2, updated_ts = clock_timestamp(),
        due_ts = clock_timestamp()
            + make_interval(secs => least($3::integer << (attempts - 1), $4::integer))
    WHERE request_id = $1";
const END: &str = "UPDATE strategy.run_requests
    SET state = $2, message = $3, run_id = $4, updated_ts = clock_timestamp()
    WHERE request_id = $1";

/// Does what is asked for, one request after the other.
pub struct RunRequests {
    /// Where from, and where to.
    pub postgres: Postgres,
    /// What is configured.
    pub config: StrategyConfig,
}

/// What is asked.
struct Request {
    id: Uuid,
    /// Its day, as it stands in the table; none for the last session.
    as_of: Option<String>,
    by: String,
    /// How often it was begun, with this time.
    attempts: i32,
    /// Why it waited, if it did.
    message: Option<String>,
}

impl Request {
    /// Returns the days that are asked for.
    fn days(&self) -> Result<Days, StrategyError> {
        let Some(day) = &self.as_of else {
            return Ok(Days::Last);
        };
        let date: Result<Date, jiff::Error> = day.parse();
        date.map(Days::One).map_err(|error| StrategyError::Row {
            table: "strategy.run_requests",
            key: self.id.to_string(),
            column: "as_of",
            reason: error.to_string(),
        })
    }
}

impl RunRequests {
    /// Looks for requests until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        let mut has_failed = false;
        let mut look = tokio::time::interval(LOOK_EVERY);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while stop.run_until_cancelled(look.tick()).await.is_some() {
            match stop.run_until_cancelled(Box::pin(self.look())).await {
                None => return,
                Some(Ok(())) => has_failed = false,
                Some(Err(error)) if !std::mem::replace(&mut has_failed, true) => {
                    warn!(%error, "requests to run a strategy wait");
                }
                Some(Err(_)) => {}
            }
        }
    }

    /// Does what is due. An error leaves the request for the next look, which counts as an attempt.
    async fn look(&self) -> Result<(), PostgresError> {
        while let Some(request) = self.next().await? {
            if request.attempts > ATTEMPTS_MAX {
                let why = request.message.as_deref();
                let why = why.unwrap_or("it never came to an end");
                let message = format!("given up after {ATTEMPTS_MAX} attempts: {why}");
                self.fail(request.id, &message).await?;
                continue;
            }
            info!(request = %request.id, by = request.by, "a run is asked for");
            match self.serve(&request).await {
                Ok(Some(done)) => self.end(request.id, &done).await?,
                Ok(None) => self.fail(request.id, "no day was run").await?,
                Err(error) if error.is_transient() => self.wait(&request, &error).await?,
                Err(error) => self.fail(request.id, &error.to_string()).await?,
            }
        }
        Ok(())
    }

    async fn serve(&self, request: &Request) -> Result<Option<DayRun>, StrategyError> {
        let asked = Asked {
            strategy_id: self.config.strategy_id.clone(),
            trigger: Trigger::Api,
            asked_by: request.by.clone(),
            days: request.days()?,
            scope: Scope::All,
            again: false,
        };
        let mut days = run(&self.postgres, &self.config.limits, &asked, &|_told| {}).await?;
        Ok(days.pop())
    }

    async fn next(&self) -> Result<Option<Request>, PostgresError> {
        let client = self.postgres.client().await?;
        let Some(row) = client.query_opt(NEXT, &[]).await? else {
            return Ok(None);
        };
        Ok(Some(Request {
            id: row.try_get("request_id")?,
            as_of: row.try_get("as_of")?,
            by: row.try_get("asked_by")?,
            attempts: row.try_get("attempts")?,
            message: row.try_get("message")?,
        }))
    }

    /// Leaves a request for later, or ends it where it has waited often enough.
    async fn wait(&self, request: &Request, error: &StrategyError) -> Result<(), PostgresError> {
        if request.attempts >= ATTEMPTS_MAX {
            let message = format!("given up after {ATTEMPTS_MAX} attempts: {error}");
            return self.fail(request.id, &message).await;
        }
        let attempts = request.attempts;
        info!(request = %request.id, attempts, %error, "a run that is asked for waits");
        let client = self.postgres.client().await?;
        let why = error.to_string();
        client
            .execute(WAIT, &[&request.id, &why, &PAUSE_MIN, &PAUSE_MAX])
            .await?;
        Ok(())
    }

    async fn end(&self, request: Uuid, done: &DayRun) -> Result<(), PostgresError> {
        let reason = done.reason.as_deref();
        self.set(request, done.state.name(), reason, Some(done.run_id))
            .await
    }

    async fn fail(&self, request: Uuid, message: &str) -> Result<(), PostgresError> {
        warn!(%request, message, "a run that was asked for failed");
        self.set(request, "FAILED", Some(message), None).await
    }

    async fn set(
        &self,
        request: Uuid,
        state: &str,
        message: Option<&str>,
        run: Option<Uuid>,
    ) -> Result<(), PostgresError> {
        let client = self.postgres.client().await?;
        client
            .execute(END, &[&request, &state, &message, &run])
            .await?;
        Ok(())
    }
}
