//! What can go wrong with PostgreSQL.

use thiserror::Error;
use tokio_postgres::error::SqlState;

/// An operation on PostgreSQL that failed.
#[derive(Debug, Error)]
pub enum PostgresError {
    /// The connection string is malformed.
    #[error("connection string of PostgreSQL is malformed: {0}")]
    Config(String),
    /// The server cannot be reached.
    #[error("PostgreSQL at {place} cannot be reached: {reason}")]
    Unreachable {
        /// Hosts and ports, or sockets, and database. Never the password.
        place: String,
        /// Why.
        reason: String,
    },
    /// No pooled connection came free in time.
    #[error("no PostgreSQL connection came free: {0}")]
    Pool(String),
    /// A statement failed.
    #[error("PostgreSQL refused: {}", describe(.0))]
    Statement(#[from] tokio_postgres::Error),
    /// A migration failed.
    #[error("migration failed: {0}")]
    Migration(String),
    /// The schema is not that of this program, and the role may not change it.
    #[error(
        "the schema is not at version {version}, and this role may not bring it there: \
         run `turnstile migrate` as the owner of the database"
    )]
    NotMigrated {
        /// Version of this program.
        version: u32,
    },
    /// The schema is newer than this program.
    #[error(
        "the schema is at version {found}, and this program knows versions up to {version} only: \
         use the program that brought it there, or a newer one"
    )]
    SchemaNewer {
        /// Version of the schema.
        found: u32,
        /// Version of this program.
        version: u32,
    },
    /// A sink finds its progress elsewhere than it left it.
    #[error(
        "progress of sink {sink} was expected at {expected_us}, was {found_us}: \
         somebody else writes, or the database was restored"
    )]
    ProgressMoved {
        /// Name of the sink.
        sink: &'static str,
        /// Where the sink left it, logical time.
        expected_us: u64,
        /// Where it is.
        found_us: u64,
    },
    /// The change feed cannot go on without a gap; the reader loads everything again.
    #[error("the change feed cannot go on: {0}")]
    ChangesLost(&'static str),
    /// Another process holds the lock.
    #[error("the lock {0} is held by another process")]
    Locked(i64),
}

impl PostgresError {
    /// Returns whether the same statement may succeed later: the connection or the server failed,
    /// not the statement.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Pool(_) => true,
            Self::Statement(error) => is_transient(error),
            Self::Config(_)
            | Self::Migration(_)
            | Self::NotMigrated { .. }
            | Self::SchemaNewer { .. }
            | Self::ProgressMoved { .. }
            | Self::ChangesLost(_)
            | Self::Locked(_) => false,
        }
    }

    /// Returns whether the database refuses the values themselves, and would again: out of range,
    /// not representable, or against a constraint.
    pub fn refuses_data(&self) -> bool {
        let Self::Statement(error) = self else {
            return false;
        };
        if self.lacks_partition() {
            return false;
        }
        let class = error.code().and_then(|code| code.code().get(..2));
        matches!(class, Some("22" | "23"))
    }

    /// Returns whether a row has no partition to go to; it has no constraint that it could be against.
    pub(super) fn lacks_partition(&self) -> bool {
        let Self::Statement(error) = self else {
            return false;
        };
        let answer = error.as_db_error();
        answer.is_some_and(|answer| {
            *answer.code() == SqlState::CHECK_VIOLATION && answer.constraint().is_none()
        })
    }
}

/// Returns whether `error` is one of the connection or the server rather than of the statement.
pub(super) fn is_transient(error: &tokio_postgres::Error) -> bool {
    let Some(code) = error.code() else {
        return true;
    }; // No answer: the connection failed.
    // Classes: 08 connection, 40 rollback, 53 resources, 57 operator intervention, 58 system. A server
    // that takes no writes is not the primary, or not yet.
    let class = code.code().get(..2).unwrap_or_default();
    matches!(class, "08" | "40" | "53" | "57" | "58")
        || *code == SqlState::LOCK_NOT_AVAILABLE
        || *code == SqlState::READ_ONLY_SQL_TRANSACTION
}

/// Returns the server's message where there is one: `Display` of the driver hides it.
fn describe(error: &tokio_postgres::Error) -> String {
    match error.as_db_error() {
        Some(answer) => format!("{} ({})", answer.message(), answer.code().code()),
        None => {
            use std::error::Error as _;
            let cause = error
                .source()
                .map(|cause| format!(": {cause}"))
                .unwrap_or_default();
            format!("{error}{cause}")
        }
    }
}
