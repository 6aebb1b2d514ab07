//! How execution reaches PostgreSQL, and what it does while PostgreSQL is away.

use std::future::Future;
use std::time::Duration;

use futures_util::future::{BoxFuture, try_join_all};
use thiserror::Error;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::error::StoreError;
use crate::postgres::{Bell, Postgres, PostgresClient};

const PAUSE_MIN: Duration = Duration::from_millis(50);
const PAUSE_MAX: Duration = Duration::from_secs(2);
/// Aborted transactions in a row after which what aborts them is taken for a refusal.
const ABORTED_MAX: u32 = 5;

/// Why work on the store was given up.
#[derive(Debug, Error)]
pub(super) enum GivenUp {
    /// The process stops.
    #[error("stopped")]
    Stopped,
    /// The database will never take it.
    #[error(transparent)]
    Refused(StoreError),
}

/// What a process may do with what it has decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permit {
    /// Store it and send it.
    All,
    /// Store it: whoever comes next sends it.
    Store,
    /// Nothing: another process may be the one that trades.
    Nothing,
}

/// Connections to PostgreSQL, whose commits ring the bell of the change feed.
#[derive(Clone, Debug)]
pub struct Store {
    postgres: Postgres,
    bell: Bell,
    /// What this process may do; everything where there is none.
    permit: Option<watch::Receiver<Permit>>,
}

impl Store {
    /// Returns a store in this database, whose bell is heard until `stop`.
    pub fn new(postgres: &Postgres, stop: CancellationToken) -> Self {
        Self {
            postgres: postgres.clone(),
            bell: Bell::start(postgres, stop),
            permit: None,
        }
    }

    /// Lets only be done what `permit` says.
    pub fn with_permit(mut self, permit: watch::Receiver<Permit>) -> Self {
        self.permit = Some(permit);
        self
    }

    /// Waits until it may be written. Returns whether it ever will.
    async fn permitted(&self, stop: &CancellationToken) -> bool {
        let Some(mut permit) = self.permit.clone() else {
            return true;
        };
        // Also after the stop: what is under way is still tried once.
        if *permit.borrow() != Permit::Nothing {
            return true;
        }
        let given = stop.run_until_cancelled(permit.wait_for(|permit| *permit != Permit::Nothing));
        matches!(given.await, Some(Ok(_)))
    }

    /// Waits until nothing may be stored any more; for ever where that cannot be.
    pub(super) async fn forbidden(&self) {
        let Some(mut permit) = self.permit.clone() else {
            return std::future::pending().await;
        };
        let is_taken = permit
            .wait_for(|permit| *permit == Permit::Nothing)
            .await
            .is_ok();
        if !is_taken {
            std::future::pending().await
        }
    }

    /// Returns whether orders may be sent.
    pub(super) fn may_send(&self) -> bool {
        let permit = self.permit.as_ref();
        permit.is_none_or(|permit| *permit.borrow() == Permit::All)
    }

    /// Returns a connection.
    pub(super) async fn client(&self) -> Result<PostgresClient, StoreError> {
        Ok(self.postgres.quiet_client().await?)
    }

    /// Opens `count` connections and runs on each the statements that stand between a decision and the
    /// call to the broker, on nothing: the first decisions of the day are not to wait for the server to
    /// plan them.
    ///
    /// # Errors
    /// If the server cannot be reached or does not know the statements.
    pub async fn warm(&self, count: usize) -> Result<(), StoreError> {
        // Held together, so that each is a connection of its own.
        let clients = try_join_all((0..count).map(|_| self.client())).await?;
        try_join_all(clients.iter().map(async |client| {
            super::sink::warm(client).await?;
            super::executor::warm(client).await
        }))
        .await?;
        Ok(())
    }

    /// Does `work` until it succeeds: a lost order is worse than a late one. Only a refusal of the
    /// database or `stop` ends it earlier. The work must bear being done twice, since a commit may
    /// have succeeded without its answer.
    pub(super) async fn persist<T, F, W>(
        &self,
        what: &'static str,
        stop: &CancellationToken,
        mut work: F,
    ) -> Result<T, GivenUp>
    where
        F: FnMut(PostgresClient) -> W,
        W: Future<Output = Result<T, StoreError>>,
    {
        let mut pause = PAUSE_MIN;
        let mut failures: u32 = 0;
        let mut aborted: u32 = 0;
        loop {
            if !self.permitted(stop).await {
                return Err(GivenUp::Stopped);
            }
            let attempt = async { work(self.client().await?).await };
            match attempt.await {
                Ok(value) => {
                    self.bell.ring();
                    if failures > 0 {
                        info!(what, failures, "stored at last");
                    }
                    return Ok(value);
                }
                Err(error) if !error.is_transient() => return Err(GivenUp::Refused(error)),
                Err(error @ StoreError::Aborted) if aborted >= ABORTED_MAX => {
                    return Err(GivenUp::Refused(error));
                }
                Err(error) => {
                    aborted = match error {
                        StoreError::Aborted => aborted + 1,
                        _ => 0,
                    };
                    if failures == 0 {
                        warn!(what, error = %Chain(&error), "not stored, retrying");
                    }
                }
            }
            failures = failures.saturating_add(1);
            let slept = stop.run_until_cancelled(tokio::time::sleep(pause)).await;
            if slept.is_none() {
                return Err(GivenUp::Stopped);
            }
            pause = (pause * 2).min(PAUSE_MAX);
        }
    }
}

impl Store {
    /// Does `work` on all `items` in one transaction, until it succeeds. What the database refuses is
    /// found by doing them one by one. Returns one result for each item, in their order.
    pub(super) async fn persist_all<'i, T, R>(
        &self,
        what: &'static str,
        stop: &CancellationToken,
        items: &'i [T],
        work: impl Fn(PostgresClient, &'i [T]) -> BoxFuture<'i, Result<Vec<R>, StoreError>>,
    ) -> Vec<Result<R, GivenUp>> {
        match self.persist(what, stop, |client| work(client, items)).await {
            Ok(results) => return results.into_iter().map(Ok).collect(),
            Err(GivenUp::Stopped) => return items.iter().map(|_| Err(GivenUp::Stopped)).collect(),
            Err(GivenUp::Refused(error)) if items.len() == 1 => {
                return vec![Err(GivenUp::Refused(error))];
            }
            Err(GivenUp::Refused(_)) => {}
        }
        let mut results = Vec::with_capacity(items.len());
        for item in items {
            let item = std::slice::from_ref(item);
            let result = self.persist(what, stop, |client| work(client, item)).await;
            let one = || StoreError::inconsistent("no result");
            results.push(
                result.and_then(|mut done| done.pop().ok_or_else(|| GivenUp::Refused(one()))),
            );
        }
        results
    }
}

/// Prints an error with its causes.
pub(super) struct Chain<'a>(pub(super) &'a dyn std::error::Error);

impl std::fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}
