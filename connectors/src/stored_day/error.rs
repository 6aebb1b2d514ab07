//! Why a day cannot be replayed.

use jiff::civil::Date;
use thiserror::Error;
use turnstile_dataflows::engine::EngineError;

use crate::postgres::PostgresError;
use crate::recorded::RecordedError;

/// A day that could not be replayed.
#[derive(Debug, Error)]
pub enum StoredDayError {
    /// What the database says.
    #[error(transparent)]
    Store(#[from] PostgresError),
    /// No engine ran, or one that did not say how far it was stored.
    #[error(
        "no run of an engine is recorded on {0}: none ran on that day, or a program from before \
         system.engine_runs did"
    )]
    NotRecorded(Date),
    /// Prices that it needs were archived.
    #[error(
        "prices of {day} are archived in {files}: `turnstile archive restore {day}` puts them back \
         into market.prices"
    )]
    Archived {
        /// The first such day.
        day: Date,
        /// Names of its archives.
        files: String,
    },
    /// A stored row is none that an engine has written.
    #[error("{table} at logical time {logical_us}: {reason}")]
    Row {
        /// Where.
        table: &'static str,
        /// Which.
        logical_us: i64,
        /// What is wrong.
        reason: String,
    },
    /// The engine failed.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// A decision could not be handed on.
    #[error(transparent)]
    Decision(#[from] RecordedError),
    /// It was asked to stop.
    #[error("stopped before it was done; nothing was stored")]
    Stopped,
}

impl From<tokio_postgres::Error> for StoredDayError {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Store(error.into())
    }
}
