//! Errors of a call as a whole. What is wrong with a single row is a [`super::RowFault`].

use std::time::Duration;

use thiserror::Error;

/// Why a call brought no answer.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NaverError {
    /// The source turns us away: ask again much later, and less often.
    #[error("naver refuses with status {status}")]
    Blocked {
        /// 403 or 429.
        status: u16,
    },
    /// The source has a fault of its own, or cannot be reached.
    #[error("naver is unavailable: {0}")]
    Unavailable(UnavailableCause),
    /// No whole answer in time.
    #[error("naver did not answer within {after:?}")]
    TimedOut {
        /// The configured timeout.
        after: Duration,
    },
    /// An answer that is not the documented JSON.
    #[error("answer of naver is not as documented: {place}: {reason}")]
    Malformed {
        /// Where: `status`, `body`, or the name of a field.
        place: &'static str,
        /// What was expected and what was there.
        reason: String,
    },
}

/// What makes the source unavailable.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum UnavailableCause {
    /// It answered with a status of 500 or above.
    #[error("status {0}")]
    Status(u16),
    /// There was no connection, or it broke.
    #[error("{0}")]
    Transport(String),
}

impl NaverError {
    /// Returns whether the source reported a fault of its own: then a repetition may help.
    pub(super) fn is_server_fault(&self) -> bool {
        matches!(self, Self::Unavailable(UnavailableCause::Status(_)))
    }

    /// Returns the variant as a bounded metric label.
    pub fn class(&self) -> &'static str {
        match self {
            Self::Blocked { .. } => "blocked",
            Self::Unavailable(_) => "unavailable",
            Self::TimedOut { .. } => "timed_out",
            Self::Malformed { .. } => "malformed",
        }
    }
}
