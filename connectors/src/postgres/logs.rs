//! Rows of `system.logs`: alarms and events that a human follows.

use serde_json::Value;
use tokio_postgres::GenericClient;
use uuid::Uuid;

use super::PostgresError;

/// How much a row matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// A change of state that a human follows.
    Info,
    /// Unexpected, and dealt with.
    Warning,
    /// Someone must act now.
    Critical,
    /// Money is at stake this minute.
    P0,
}

impl LogLevel {
    /// Returns the name in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Info => "INFO",
            Self::Warning => "WARNING",
            Self::Critical => "CRITICAL",
            Self::P0 => "P0",
        }
    }

    /// Returns the level of this name.
    pub fn of_name(name: &str) -> Option<Self> {
        let levels = [Self::Info, Self::Warning, Self::Critical, Self::P0];
        levels.into_iter().find(|level| level.name() == name)
    }
}

/// One row of `system.logs`.
#[derive(Clone, Debug)]
pub struct LogRow {
    /// How much it matters.
    pub level: LogLevel,
    /// Part of the system that says it.
    pub module: &'static str,
    /// What happened, as a code.
    pub event: &'static str,
    /// Issue concerned.
    pub symbol: Option<String>,
    /// Position concerned.
    pub position_id: Option<Uuid>,
    /// What happened, in words.
    pub message: String,
    /// Facts.
    pub context: Value,
}

/// Writes one row.
///
/// # Errors
/// If the statement fails.
pub async fn write_log(client: &impl GenericClient, row: &LogRow) -> Result<(), PostgresError> {
    client
        .execute(
            "INSERT INTO system.logs (level, module, event, symbol, position_id, message, context)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
            &[
                &row.level.name(),
                &row.module,
                &row.event,
                &row.symbol,
                &row.position_id,
                &row.message,
                &row.context,
            ],
        )
        .await?;
    Ok(())
}
