//! The audit: who changed what.

use axum::extract::State;
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::envelope::Success;
use crate::error::{ApiError, Failure};
use crate::extract::Params;
use crate::queries;
use crate::seoul::SeoulTime;
use crate::state::AppState;

/// Longest name of a table or of who acts, in characters.
const NAME_LENGTH_MAX: usize = 100;

/// One change of one row.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AuditEntry {
    pub(crate) id: i64,
    pub(crate) ts: SeoulTime,
    /// Name of the token; for a change that did not come by the API the role of the database.
    pub(crate) actor: String,
    /// Whom the change itself names.
    pub(crate) on_behalf_of: Option<String>,
    /// Why, as far as the change says.
    pub(crate) reason: Option<String>,
    pub(crate) request_id: Option<String>,
    /// Such as trade.exit_rules.
    pub(crate) table_name: String,
    /// INSERT, UPDATE or DELETE.
    pub(crate) op: String,
    /// The row before; none where it is new.
    #[schema(value_type = Option<Object>)]
    pub(crate) was: Option<Box<RawValue>>,
    /// The row since; none where it is gone.
    #[schema(value_type = Option<Object>)]
    pub(crate) now: Option<Box<RawValue>>,
}

/// Which entries are wanted.
#[derive(Debug, Default)]
pub(crate) struct AuditFilter {
    pub(crate) table: Option<String>,
    pub(crate) actor: Option<String>,
}

/// Changes, newest first.
#[utoipa::path(
    get, path = "/api/v1/audit", tag = "audit",
    params(
        ("table" = Option<String>, Query, description = "only of this table, such as trade.exit_rules"),
        ("actor" = Option<String>, Query, description = "only by this token or role of the database"),
        ("limit" = Option<i64>, Query, description = "1 to 100, default 20"),
        ("cursor" = Option<String>, Query, description = "next_cursor of the page before"),
    ),
    responses(
        (status = 200, body = Success<Vec<AuditEntry>>),
        (status = "4XX", body = Failure),
        (status = "5XX", body = Failure),
    ),
)]
pub(crate) async fn list(
    State(state): State<AppState>,
    mut params: Params,
) -> Result<Success<Vec<AuditEntry>>, ApiError> {
    let page = params.page();
    let filter = AuditFilter {
        table: params.text("table", NAME_LENGTH_MAX),
        actor: params.text("actor", NAME_LENGTH_MAX),
    };
    params.finish()?;
    let entries = queries::audit::list(&state.db, &filter, page).await?;
    Ok(Success::page(entries))
}
