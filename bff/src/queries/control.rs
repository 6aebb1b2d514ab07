//! Control: whether exits and re-entries run.

use tokio_postgres::Row;
use turnstile_connectors::postgres::Postgres;

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

    fn select(self) -> &'static str {
        match self {
            Self::Exit => "SELECT mode, reason, updated_by, updated_ts FROM trade.exit_control",
            Self::Reentry => {
                "SELECT mode, reason, updated_by, updated_ts FROM trade.reentry_control"
            }
        }
    }

    fn update(self) -> &'static str {
        match self {
            Self::Exit => {
                "UPDATE trade.exit_control
                 SET mode = $1, reason = $2, updated_by = $3, updated_ts = clock_timestamp()
                 RETURNING mode, reason, updated_by, updated_ts"
            }
            Self::Reentry => {
                "UPDATE trade.reentry_control
                 SET mode = $1, reason = $2, updated_by = $3, updated_ts = clock_timestamp()
                 RETURNING mode, reason, updated_by, updated_ts"
            }
        }
    }
}

/// Returns the mode in force. The one row is there since the migration.
pub(crate) async fn get(db: &Postgres, scope: Scope) -> Result<Option<Control>, QueryError> {
    let client = db.client().await?;
    let row = client.query_opt(scope.select(), &[]).await?;
    Ok(row.as_ref().map(control).transpose()?)
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
    let row = transaction
        .query_one(
            scope.update(),
            &[&change.mode, &change.reason, &change.updated_by],
        )
        .await?;
    let new = control(&row)?;
    transaction.commit().await?;
    Ok(new)
}

fn control(row: &Row) -> Result<Control, tokio_postgres::Error> {
    Ok(Control {
        mode: row.try_get("mode")?,
        reason: row.try_get("reason")?,
        updated_by: row.try_get("updated_by")?,
        updated_ts: row.try_get("updated_ts")?,
    })
}
