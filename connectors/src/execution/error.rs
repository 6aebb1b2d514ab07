//! What can go wrong with the store, classed where it is known.

use std::error::Error as _;

use thiserror::Error;
use tokio_postgres::error::SqlState;

use crate::postgres::PostgresError;

/// A statement or transaction that did not succeed.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The database is away, busy or has rolled back: the same work may succeed later.
    #[error("the database did not answer")]
    Transient(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Another statement of the transaction, under way at the same time, failed before this one (25P02).
    /// Its error says why; this one was only noticed first.
    #[error("another statement of the transaction failed")]
    Aborted,
    /// The database refuses this work and will refuse it again.
    #[error("the database refuses: {reason}")]
    Refused {
        /// Constraint or rule that refuses, with its code.
        reason: String,
    },
    /// A row that should be there is not, or does not read as it should.
    #[error("{0}")]
    Inconsistent(String),
}

impl StoreError {
    /// Returns whether the same work may succeed later.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Transient(_) | Self::Aborted)
    }

    /// Returns an error that says what is wrong with the stored data.
    pub(super) fn inconsistent(what: impl std::fmt::Display) -> Self {
        Self::Inconsistent(what.to_string())
    }
}

impl From<tokio_postgres::Error> for StoreError {
    fn from(error: tokio_postgres::Error) -> Self {
        if error.code() == Some(&SqlState::IN_FAILED_SQL_TRANSACTION) {
            return Self::Aborted;
        }
        let transient = match error.as_db_error() {
            Some(refusal) => is_passing(refusal.code()),
            None => {
                error.is_closed()
                    || error
                        .source()
                        .is_some_and(|cause| cause.is::<std::io::Error>())
            }
        };
        if transient {
            return Self::Transient(Box::new(error));
        }
        let reason = error.as_db_error().map_or_else(
            || {
                format!(
                    "{error}: {}",
                    error.source().map(ToString::to_string).unwrap_or_default()
                )
            },
            |refusal| format!("{} ({})", refusal.message(), refusal.code().code()),
        );
        Self::Refused { reason }
    }
}

impl From<PostgresError> for StoreError {
    /// No connection was to be had.
    fn from(error: PostgresError) -> Self {
        Self::Transient(Box::new(error))
    }
}

/// Returns whether a state of PostgreSQL passes: connection (08), rollback (40), resources (53),
/// object in use (55), operator (57), system (58), or a standby before its promotion (25006).
fn is_passing(state: &SqlState) -> bool {
    let code = state.code();
    *state == SqlState::READ_ONLY_SQL_TRANSACTION
        || ["08", "40", "53", "55", "57", "58"]
            .iter()
            .any(|class| code.starts_with(class))
}
