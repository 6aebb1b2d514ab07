//! What can go wrong with archives.

use std::io;
use std::path::{Path, PathBuf};

use jiff::civil::Date;
use thiserror::Error;

use crate::postgres::PostgresError;

/// A day that could not be archived, verified or put back.
#[derive(Debug, Error)]
pub enum RetentionError {
    /// What the database says.
    #[error(transparent)]
    Store(#[from] PostgresError),
    /// A file or folder failed.
    #[error("{} cannot be {attempted}", .path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What was attempted, such as `written`.
        attempted: &'static str,
        /// What the system says.
        source: io::Error,
    },
    /// An archive is not what was recorded.
    #[error("{} is damaged: {reason}", .path.display())]
    Damaged {
        /// The archive.
        path: PathBuf,
        /// What was expected, and what was found.
        reason: String,
    },
    /// A partition has rows that an archive cannot hold.
    #[error("prices of {day} cannot be archived: {reason}")]
    Unfit {
        /// The day.
        day: Date,
        /// Why.
        reason: String,
    },
    /// Nothing of the day was archived.
    #[error("no archive of {0}: `turnstile archive list` shows the days that there are")]
    NoArchive(Date),
    /// `market.prices` has another row where an archive has one.
    #[error("market.prices has another price of {day} at logical time {logical_us} than {file}")]
    Differs {
        /// The day.
        day: Date,
        /// Where.
        logical_us: i64,
        /// The archive.
        file: String,
    },
    /// It was asked to stop, or the session begins.
    #[error("interrupted")]
    Interrupted,
}

impl RetentionError {
    pub(super) fn file(path: &Path, attempted: &'static str, source: io::Error) -> Self {
        Self::File {
            path: path.to_owned(),
            attempted,
            source,
        }
    }

    /// Returns whether somebody else archives or restores now.
    pub fn is_locked(&self) -> bool {
        matches!(self, Self::Store(PostgresError::Locked(_)))
    }
}

impl From<tokio_postgres::Error> for RetentionError {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Store(error.into())
    }
}
