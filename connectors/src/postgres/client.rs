//! Pooled connections whose statements are timed, and transactions that are counted by how they end.
//!
//! A statement that nobody waits for any more goes on in PostgreSQL. Its connection is not lent again: the
//! next borrower would wait for its end. Nor is one that was found to lead to a server that takes no
//! writes, nor any other made before: they lead to what was the primary.
//!
//! Statements that are run through `tokio_postgres::GenericClient`, and those of connections outside the
//! pool, have times of their own where they matter (`price_sink_commit_seconds`).

use std::future::Future;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicUsize, Ordering};

use deadpool_postgres::{ClientWrapper, Object};
use metrics::{counter, histogram};
use tokio::time::Instant;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Error, Row, Statement, ToStatement};
use tracing::debug;

use super::connector::Connector;
use super::metrics as names;

/// Values of a statement.
type Values<'v> = [&'v (dyn ToSql + Sync)];

/// A connection of the pool; it goes back when dropped, unless a statement is under way.
pub struct PostgresClient {
    /// There until it is dropped.
    object: Option<Object>,
    statements: Statements,
}

/// What is known of the statements of a connection.
struct Statements {
    /// Those that have begun and not ended.
    under_way: AtomicUsize,
    connector: Connector,
}

impl PostgresClient {
    pub(super) fn new(object: Object, connector: Connector) -> Self {
        Self {
            object: Some(object),
            statements: Statements {
                under_way: AtomicUsize::new(0),
                connector,
            },
        }
    }
}

impl std::fmt::Debug for PostgresClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PostgresClient").finish_non_exhaustive()
    }
}

impl Drop for PostgresClient {
    fn drop(&mut self) {
        let is_abandoned = *self.statements.under_way.get_mut() > 0;
        if let Some(object) = self.object.take().filter(|_| is_abandoned) {
            debug!("a connection is given up with the statement that nobody waits for");
            drop(Object::take(object));
        }
    }
}

impl Deref for PostgresClient {
    type Target = ClientWrapper;

    fn deref(&self) -> &ClientWrapper {
        self.object.as_ref().expect("taken by drop alone")
    }
}

impl DerefMut for PostgresClient {
    fn deref_mut(&mut self) -> &mut ClientWrapper {
        self.object.as_mut().expect("taken by drop alone")
    }
}

async fn timed<T>(
    statements: &Statements,
    statement: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    let began = Instant::now();
    statements.under_way.fetch_add(1, Ordering::Relaxed);
    let done = statement.await;
    // Not reached where nobody waits any more.
    statements.under_way.fetch_sub(1, Ordering::Relaxed);
    histogram!(names::QUERY_SECONDS).record(began.elapsed().as_secs_f64());
    if let Err(error) = &done {
        counter!(names::STATEMENT_FAILURES).increment(1);
        if error.code() == Some(&SqlState::READ_ONLY_SQL_TRANSACTION) {
            statements.connector.renew();
        }
    }
    done
}

/// The statements of a client or of a transaction, timed. The target's own say what they do.
macro_rules! timed_statements {
    () => {
        /// Returns the rows of a statement.
        ///
        /// # Errors
        /// If the statement fails.
        pub async fn query<T>(&self, statement: &T, values: &Values<'_>) -> Result<Vec<Row>, Error>
        where
            T: ?Sized + ToStatement,
        {
            timed(self.statements(), (**self).query(statement, values)).await
        }

        /// Returns the one row of a statement.
        ///
        /// # Errors
        /// If the statement fails, or does not return one row.
        pub async fn query_one<T>(&self, statement: &T, values: &Values<'_>) -> Result<Row, Error>
        where
            T: ?Sized + ToStatement,
        {
            timed(self.statements(), (**self).query_one(statement, values)).await
        }

        /// Returns the row of a statement, if there is one.
        ///
        /// # Errors
        /// If the statement fails, or returns more than one row.
        pub async fn query_opt<T>(
            &self,
            statement: &T,
            values: &Values<'_>,
        ) -> Result<Option<Row>, Error>
        where
            T: ?Sized + ToStatement,
        {
            timed(self.statements(), (**self).query_opt(statement, values)).await
        }

        /// Runs a statement and returns how many rows it changed.
        ///
        /// # Errors
        /// If the statement fails.
        pub async fn execute<T>(&self, statement: &T, values: &Values<'_>) -> Result<u64, Error>
        where
            T: ?Sized + ToStatement,
        {
            timed(self.statements(), (**self).execute(statement, values)).await
        }

        /// Runs statements without values.
        ///
        /// # Errors
        /// If one of them fails.
        pub async fn batch_execute(&self, statements: &str) -> Result<(), Error> {
            timed(self.statements(), (**self).batch_execute(statements)).await
        }
    };
}

impl PostgresClient {
    timed_statements!();

    fn statements(&self) -> &Statements {
        &self.statements
    }

    /// Begins a transaction, which is rolled back unless it is committed.
    ///
    /// # Errors
    /// If it cannot be begun.
    pub async fn transaction(&mut self) -> Result<Transaction<'_>, Error> {
        let Self { object, statements } = self;
        let object = object.as_mut().expect("taken by drop alone");
        Ok(Transaction {
            inner: timed(statements, object.transaction()).await?,
            ending: Ending(Some("rolled_back")),
            statements,
        })
    }
}

/// A client or a transaction, for statements that may run in either.
pub trait Session: Sync {
    /// Returns the statement, known to the connection from its first use on.
    fn prepare_cached(
        &self,
        statement: &str,
    ) -> impl Future<Output = Result<Statement, Error>> + Send;

    /// Returns the rows of a statement.
    fn query(
        &self,
        statement: &Statement,
        values: &Values<'_>,
    ) -> impl Future<Output = Result<Vec<Row>, Error>> + Send;

    /// Returns the one row of a statement.
    fn query_one(
        &self,
        statement: &Statement,
        values: &Values<'_>,
    ) -> impl Future<Output = Result<Row, Error>> + Send;

    /// Runs a statement and returns how many rows it changed.
    fn execute(
        &self,
        statement: &Statement,
        values: &Values<'_>,
    ) -> impl Future<Output = Result<u64, Error>> + Send;
}

macro_rules! session {
    ($session:ty) => {
        impl Session for $session {
            async fn prepare_cached(&self, statement: &str) -> Result<Statement, Error> {
                (**self).prepare_cached(statement).await
            }

            async fn query(
                &self,
                statement: &Statement,
                values: &Values<'_>,
            ) -> Result<Vec<Row>, Error> {
                timed(self.statements(), (**self).query(statement, values)).await
            }

            async fn query_one(
                &self,
                statement: &Statement,
                values: &Values<'_>,
            ) -> Result<Row, Error> {
                timed(self.statements(), (**self).query_one(statement, values)).await
            }

            async fn execute(
                &self,
                statement: &Statement,
                values: &Values<'_>,
            ) -> Result<u64, Error> {
                timed(self.statements(), (**self).execute(statement, values)).await
            }
        }
    };
}

session!(PostgresClient);
session!(Transaction<'_>);

/// A transaction.
pub struct Transaction<'c> {
    inner: deadpool_postgres::Transaction<'c>,
    ending: Ending,
    statements: &'c Statements,
}

/// Counts how a transaction ends when it is dropped.
struct Ending(Option<&'static str>);

impl Drop for Ending {
    fn drop(&mut self) {
        if let Some(outcome) = self.0 {
            counter!(names::TRANSACTIONS, "outcome" => outcome).increment(1);
        }
    }
}

impl<'c> Deref for Transaction<'c> {
    type Target = deadpool_postgres::Transaction<'c>;

    fn deref(&self) -> &Self::Target {
        &self.inner
    }
}

impl DerefMut for Transaction<'_> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.inner
    }
}

impl Transaction<'_> {
    timed_statements!();

    fn statements(&self) -> &Statements {
        self.statements
    }

    /// Commits.
    ///
    /// # Errors
    /// If the commit fails, or nobody knows whether it did.
    pub async fn commit(mut self) -> Result<(), Error> {
        self.ending.0 = Some("failed");
        timed(self.statements, self.inner.commit()).await?;
        self.ending.0 = Some("committed");
        Ok(())
    }

    /// Undoes everything.
    ///
    /// # Errors
    /// If it cannot be said so to the server, which then finds out by itself.
    pub async fn rollback(self) -> Result<(), Error> {
        timed(self.statements, self.inner.rollback()).await
    }
}
