//! What can go wrong with picks.

use crate::postgres::PostgresError;

/// Why picks were not looked at to the end.
#[derive(Debug, thiserror::Error)]
pub enum PicksError {
    /// The database.
    #[error(transparent)]
    Store(#[from] PostgresError),
    /// A stored row cannot be used.
    #[error("{table}, {key}: {reason}")]
    Row {
        /// Its table.
        table: &'static str,
        /// Which row.
        key: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl From<tokio_postgres::Error> for PicksError {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Store(error.into())
    }
}
