//! Logs: what the system tells its operators.

use axum::extract::State;
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::envelope::Success;
use crate::error::{ApiError, Failure};
use crate::extract::Params;
use crate::queries;
use crate::queries::logs::Filter;
use crate::seoul::SeoulTime;
use crate::state::AppState;

/// Longest name of an event, in characters.
const EVENT_LENGTH_MAX: usize = 64;

/// One log entry.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LogEntry {
    pub(crate) id: i64,
    pub(crate) ts: SeoulTime,
    /// INFO, WARNING, CRITICAL or P0.
    pub(crate) level: String,
    /// Part of the system that speaks.
    pub(crate) module: String,
    /// What happened, as a stable name.
    pub(crate) event: String,
    pub(crate) symbol: Option<String>,
    pub(crate) position_id: Option<Uuid>,
    pub(crate) request_id: Option<String>,
    /// For people.
    pub(crate) message: String,
    /// Facts of the event, as stored.
    #[schema(value_type = Object)]
    pub(crate) context: Box<RawValue>,
}

/// Log entries, newest first.
#[utoipa::path(
    get, path = "/api/v1/logs", tag = "logs",
    params(
        ("level" = Option<String>, Query, description = "INFO, WARNING, CRITICAL or P0; all by default"),
        ("event" = Option<String>, Query, description = "this event only"),
        ("symbol" = Option<String>, Query, description = "of this symbol only, 1 to 9 letters or digits"),
        ("limit" = Option<i64>, Query, description = "1 to 100, default 20"),
        ("cursor" = Option<String>, Query, description = "next_cursor of the page before"),
    ),
    responses(
        (status = 200, body = Success<Vec<LogEntry>>),
        (status = "4XX", body = Failure),
        (status = "5XX", body = Failure),
    ),
)]
pub(crate) async fn list(
    State(state): State<AppState>,
    mut params: Params,
) -> Result<Success<Vec<LogEntry>>, ApiError> {
    let level = params.choice("level", &["all", "INFO", "WARNING", "CRITICAL", "P0"]);
    let filter = Filter {
        level: Some(level).filter(|level| *level != "all"),
        event: params.text("event", EVENT_LENGTH_MAX),
        symbol: params.symbol(),
    };
    let page = params.page();
    params.finish()?;
    Ok(Success::page(
        queries::logs::list(&state.db, &filter, page).await?,
    ))
}
