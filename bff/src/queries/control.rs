//! Control: whether exits and re-entries run.

use tokio_postgres::Row;
use turnstile_connectors::postgres::Postgres;
use turnstile_dataflows::model::{ExitMode, ReentryMode};

use crate::api::control::{Control, ControlChange};
use crate::queries::{QueryError, acting};

/// Which part is controlled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// The exit engine.
    Exit,
    /// The re-entry engine.
    Reentry,
}

impl Scope {
    /// Returns the modes that exist, the normal one first.
    pub(crate) fn modes(self) -> &'static [&'static str] {
        match self {
            Self::Exit => &["RUNNING", "PAUSE_PROFIT", "PAUSE_ALL", "EMERGENCY_FLATTEN"],
            Self::Reentry => &["RUNNING", "PAUSE_ENTRY", "PAUSE_ALL"],
        }
    }

    /// Returns the key of the cached copy.
    pub(crate) fn cache_key(self) -> &'static str {
        match self {
            Self::Exit => "config:exit_control",
            Self::Reentry => "config:reentry_control",
        }
    }

    fn table(self) -> &'static str {
        match self {
            Self::Exit => "trade.exit_control",
            Self::Reentry => "trade.reentry_control",
        }
    }

    /// Returns the mode that is in force where the system has paused, beside `mode` of the operator.
    fn paused(self, mode: &str) -> &'static str {
        // A mode that this program does not know is no reason to show less than the pause.
        match self {
            Self::Exit => {
                let set: ExitMode = mode.parse().unwrap_or_default();
                set.max(ExitMode::PauseAll).name()
            }
            Self::Reentry => {
                let set: ReentryMode = mode.parse().unwrap_or_default();
                set.max(ReentryMode::PauseEntry).name()
            }
        }
    }
}

/// What is read of a mode: also the pauses of the system, in the same statement.
const COLUMNS: &str = "mode, reason, updated_by, updated_ts,
    ARRAY(SELECT reason FROM trade.exit_pauses ORDER BY reason) AS pauses";

/// Returns the mode in force. The one row is there since the migration.
pub(crate) async fn get(db: &Postgres, scope: Scope) -> Result<Option<Control>, QueryError> {
    let client = db.client().await?;
    let select = format!("SELECT {COLUMNS} FROM {}", scope.table());
    let row = client.query_opt(&select, &[]).await?;
    let control = row.as_ref().map(|row| control(row, scope));
    Ok(control.transpose()?)
}

/// Sets the mode in one transaction and returns the new row once it is committed. The history row
/// and the change log come by triggers in the same transaction.
pub(crate) async fn set(
    db: &Postgres,
    scope: Scope,
    change: &ControlChange,
) -> Result<Control, QueryError> {
    let mut client = db.client().await?;
    let transaction = acting(&mut client).await?;
    let update = format!(
        "UPDATE {} SET mode = $1, reason = $2, updated_by = $3, updated_ts = clock_timestamp()
         RETURNING {COLUMNS}",
        scope.table()
    );
    let row = transaction
        .query_one(&update, &[&change.mode, &change.reason, &change.updated_by])
        .await?;
    let new = control(&row, scope)?;
    transaction.commit().await?;
    Ok(new)
}

fn control(row: &Row, scope: Scope) -> Result<Control, tokio_postgres::Error> {
    let mode: String = row.try_get("mode")?;
    let pauses: Vec<String> = row.try_get("pauses")?;
    let effective_mode = if pauses.is_empty() {
        mode.clone()
    } else {
        scope.paused(&mode).to_owned()
    };
    Ok(Control {
        mode,
        reason: row.try_get("reason")?,
        updated_by: row.try_get("updated_by")?,
        updated_ts: row.try_get("updated_ts")?,
        pauses,
        effective_mode,
    })
}
