//! What can go wrong with a run and with an activation.

use jiff::civil::Date;
use turnstile_strategy::Day;
use uuid::Uuid;

use super::day::date_of;
use crate::postgres::PostgresError;

/// Why a strategy did not run.
#[derive(Debug, thiserror::Error)]
pub enum StrategyError {
    /// The database.
    #[error(transparent)]
    Store(#[from] PostgresError),
    /// Somebody else runs a strategy.
    #[error("another run of a strategy is under way")]
    Busy,
    /// There is no session to run.
    #[error("market.daily_bars holds no session{0}")]
    NoSession(String),
    /// A date that cannot be a session.
    #[error("dates from 1970 on are expected, was {0}")]
    Date(Date),
    /// A stored row cannot be used.
    #[error("{table}, {key}, {column}: {reason}")]
    Row {
        /// Its table.
        table: &'static str,
        /// Which row.
        key: String,
        /// Which column.
        column: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The dataflow ended without an answer.
    #[error("the dataflow failed at {}; the log has where", date_of(*.0))]
    Dataflow(Day),
}

impl StrategyError {
    /// Returns whether the same run may succeed later: somebody else runs, or the database is away.
    pub(super) fn is_transient(&self) -> bool {
        match self {
            Self::Store(error) => error.is_transient(),
            Self::Busy => true,
            Self::NoSession(_) | Self::Date(_) | Self::Row { .. } | Self::Dataflow(_) => false,
        }
    }
}

impl From<tokio_postgres::Error> for StrategyError {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Store(error.into())
    }
}

/// Why a portfolio was not activated.
#[derive(Debug, thiserror::Error)]
pub enum ActivateError {
    /// The database.
    #[error(transparent)]
    Store(#[from] PostgresError),
    /// There is no such portfolio.
    #[error("there is no portfolio {0}")]
    Unknown(Uuid),
    /// Only a draft can be activated.
    #[error("portfolio {portfolio} is {status}, only a DRAFT can be activated")]
    NotDraft {
        /// The portfolio.
        portfolio: Uuid,
        /// How it stands.
        status: String,
    },
    /// It is beyond what any portfolio may be.
    #[error("portfolio {portfolio} is beyond the bounds of every portfolio: {}", .faults.join("; "))]
    BeyondBounds {
        /// The portfolio.
        portfolio: Uuid,
        /// Every bound that is broken, in words.
        faults: Vec<String>,
    },
}

impl From<tokio_postgres::Error> for ActivateError {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Store(error.into())
    }
}
