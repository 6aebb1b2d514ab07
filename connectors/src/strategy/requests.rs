//! Runs that the operator asks for by the API (`strategy.run_requests`).

use std::time::Duration;

use jiff::civil::Date;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use uuid::Uuid;

use super::run::{Asked, Days, run};
use super::runs::{DayRun, Trigger};
use super::{StrategyConfig, StrategyError};
use crate::postgres::{Postgres, PostgresError};

const LOOK_EVERY: Duration = Duration::from_secs(1);

/// One that a dead process has left under way is taken up again: a run of the same input is found.
const NEXT: &str =
    "UPDATE strategy.run_requests SET state = 'RUNNING', updated_ts = clock_timestamp()
    WHERE request_id = (SELECT request_id FROM strategy.run_requests
        WHERE state IN ('ASKED', 'RUNNING') ORDER BY created_ts, request_id LIMIT 1)
    RETURNING request_id, as_of::text, asked_by";
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
    days: Days,
    by: String,
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

    /// Does what waits. An error leaves the request for the next look.
    async fn look(&self) -> Result<(), StrategyError> {
        while let Some(request) = self.next().await? {
            let asked = Asked {
                strategy_id: self.config.strategy_id.clone(),
                trigger: Trigger::Api,
                asked_by: request.by.clone(),
                days: request.days,
                again: false,
            };
            info!(request = %request.id, by = request.by, "a run is asked for");
            let ran = run(&self.postgres, &self.config.limits, &asked, &|_told| {}).await;
            match ran.map(|mut days| days.pop()) {
                Ok(Some(done)) => self.end(request.id, &done).await?,
                Ok(None) => self.fail(request.id, "no day was run").await?,
                Err(StrategyError::Busy) => {
                    self.set(request.id, "ASKED", Some("another run is under way"), None)
                        .await?;
                    return Ok(());
                }
                Err(StrategyError::Store(error)) if error.is_transient() => {
                    return Err(error.into());
                }
                Err(error) => self.fail(request.id, &error.to_string()).await?,
            }
        }
        Ok(())
    }

    async fn next(&self) -> Result<Option<Request>, StrategyError> {
        let client = self.postgres.client().await?;
        let Some(row) = client.query_opt(NEXT, &[]).await? else {
            return Ok(None);
        };
        let day: Option<&str> = row.try_get(1)?;
        let fault = |error: jiff::Error| StrategyError::Row {
            table: "strategy.run_requests",
            key: day.unwrap_or_default().to_owned(),
            column: "as_of",
            reason: error.to_string(),
        };
        let day: Option<Date> = day.map(str::parse).transpose().map_err(fault)?;
        Ok(Some(Request {
            id: row.try_get(0)?,
            days: day.map_or(Days::Last, Days::One),
            by: row.try_get(2)?,
        }))
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
