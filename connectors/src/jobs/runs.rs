//! Runs of jobs in `system.job_runs`.

use super::{Counts, Due};
use crate::postgres::{Postgres, PostgresError};

const ABANDON: &str = "UPDATE system.job_runs
    SET status = 'FAILED', ended_ts = clock_timestamp(),
        reason = 'the process ended before the job did'
    WHERE account_id = $1 AND status = 'RUNNING'";
const IS_FINISHED: &str = "SELECT EXISTS (SELECT FROM system.job_runs
    WHERE account_id = $1 AND job = $2 AND run_key = $3 AND status IN ('DONE', 'SKIPPED'))";
/// Begins a run; one before whose end could not be noted has failed.
const BEGIN: &str = "WITH left_over AS (
        UPDATE system.job_runs SET status = 'FAILED', ended_ts = clock_timestamp(),
            reason = 'its end could not be noted'
        WHERE account_id = $1 AND job = $2 AND status = 'RUNNING')
    INSERT INTO system.job_runs (account_id, job, run_key) VALUES ($1, $2, $3) RETURNING run_id";
const END: &str = "UPDATE system.job_runs SET status = $2, ended_ts = clock_timestamp(),
    fetched = $3, changed = $4, reason = $5 WHERE run_id = $1";

/// Runs of the jobs of one account's engine.
#[derive(Clone, Debug)]
pub(super) struct Runs {
    postgres: Postgres,
    account: String,
}

/// A run under way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run(i64);

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum End {
    Done,
    Skipped(String),
    Failed(String),
}

impl Runs {
    pub(super) fn new(postgres: Postgres, account: String) -> Self {
        Self { postgres, account }
    }

    /// Notes runs that an earlier process has left as failed. Returns how many there were.
    pub(super) async fn abandon(&self) -> Result<u64, PostgresError> {
        let client = self.postgres.client().await?;
        Ok(client.execute(ABANDON, &[&self.account]).await?)
    }

    /// Returns whether `due` is done or skipped already.
    pub(super) async fn is_finished(&self, job: &str, due: &Due) -> Result<bool, PostgresError> {
        let client = self.postgres.client().await?;
        let row = client
            .query_one(IS_FINISHED, &[&self.account, &job, &due.key])
            .await?;
        Ok(row.try_get(0)?)
    }

    pub(super) async fn begin(&self, job: &str, due: &Due) -> Result<Run, PostgresError> {
        let client = self.postgres.client().await?;
        let row = client
            .query_one(BEGIN, &[&self.account, &job, &due.key])
            .await?;
        Ok(Run(row.try_get(0)?))
    }

    pub(super) async fn end(
        &self,
        run: Run,
        end: &End,
        counts: &Counts,
    ) -> Result<(), PostgresError> {
        let (status, reason) = match end {
            End::Done => ("DONE", None),
            End::Skipped(reason) => ("SKIPPED", Some(reason.as_str())),
            End::Failed(reason) => ("FAILED", Some(reason.as_str())),
        };
        let (fetched, changed) = counts.get();
        let client = self.postgres.client().await?;
        client
            .execute(END, &[&run.0, &status, &fetched, &changed, &reason])
            .await?;
        Ok(())
    }
}
