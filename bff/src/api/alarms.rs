//! Alarms: what the system warns of, whom it has told, and who has taken note.

use axum::extract::State;
use serde::Serialize;
use serde_json::json;
use serde_json::value::RawValue;
use tracing::info;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::api::exit_rules::{NAME_LENGTH_MAX, TEXT_LENGTH_MAX};
use crate::envelope::Success;
use crate::error::{ApiError, Failure};
use crate::extract::{Body, InPath, NoParams, Params};
use crate::queries;
use crate::queries::alarms::{Acknowledged, State as Which};
use crate::seoul::SeoulTime;
use crate::state::AppState;

/// Levels, the mildest first.
pub(crate) const LEVELS: [&str; 4] = ["INFO", "WARNING", "CRITICAL", "P0"];

/// One episode of an alarm.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AlarmEpisode {
    pub(crate) id: Uuid,
    /// What makes it the same alarm. One episode of a key stands at a time.
    pub(crate) key: String,
    /// As in docs/metrics.md, or an event of the logs.
    pub(crate) name: String,
    /// INFO, WARNING, CRITICAL or P0: the worst that it was.
    pub(crate) level: String,
    /// The process that watches over it.
    pub(crate) instance: String,
    /// What it is about, such as a symbol.
    pub(crate) subject: Option<String>,
    /// For people.
    pub(crate) message: String,
    /// Measured last beyond the limit: seconds, a share, or a number.
    pub(crate) value: Option<f64>,
    /// The limit, likewise.
    pub(crate) threshold: Option<f64>,
    pub(crate) raised_ts: SeoulTime,
    /// When it was last seen to stand, within half a minute.
    pub(crate) last_ts: SeoulTime,
    /// How often it was raised again.
    pub(crate) repeats: i64,
    /// When it was over; null while it stands.
    pub(crate) cleared_ts: Option<SeoulTime>,
    pub(crate) acknowledged_by: Option<String>,
    pub(crate) acknowledged_ts: Option<SeoulTime>,
    pub(crate) acknowledge_reason: Option<String>,
    /// Messages that were sent: turn, channel, ts, attempts, and fault where one was given up.
    #[schema(value_type = Vec<Object>)]
    pub(crate) deliveries: Box<RawValue>,
}

/// Somebody who has taken note of an alarm.
#[derive(Debug, ToSchema)]
pub(crate) struct Acknowledgement {
    /// Who, at most 64 characters.
    pub(crate) by: String,
    /// Why, or what is done, at most 500 characters.
    pub(crate) reason: Option<String>,
}

/// Alarms, raised last first.
#[utoipa::path(
    get, path = "/api/v1/alarms", tag = "alarms",
    params(
        ("state" = Option<String>, Query, description = "open (default), cleared or all"),
        ("level" = Option<String>, Query, description = "least level: INFO (default), WARNING, CRITICAL or P0"),
        ("limit" = Option<i64>, Query, description = "1 to 100, default 20"),
        ("cursor" = Option<String>, Query, description = "next_cursor of the page before"),
    ),
    responses(
        (status = 200, body = Success<Vec<AlarmEpisode>>),
        (status = "4XX", body = Failure),
        (status = "5XX", body = Failure),
    ),
)]
pub(crate) async fn list(
    State(state): State<AppState>,
    mut params: Params,
) -> Result<Success<Vec<AlarmEpisode>>, ApiError> {
    let which = match params.choice("state", &["open", "cleared", "all"]) {
        "open" => Which::Open,
        "cleared" => Which::Cleared,
        _ => Which::All,
    };
    let least = params.choice("level", &LEVELS);
    let levels: Vec<&str> = LEVELS
        .into_iter()
        .skip_while(|level| *level != least)
        .collect();
    let page = params.page();
    params.finish()?;
    let alarms = queries::alarms::list(&state.db, which, &levels, page).await?;
    Ok(Success::page(alarms))
}

/// Takes note of an alarm that stands. Acknowledged twice it is acknowledged once, by the first. An alarm
/// that becomes worse has to be acknowledged anew.
#[utoipa::path(
    post, path = "/api/v1/alarms/{id}/acknowledge", tag = "alarms",
    params(("id" = Uuid, Path, description = "id of the episode")),
    request_body = Acknowledgement,
    responses(
        (status = 200, body = Success<AlarmEpisode>),
        (status = "4XX", body = Failure),
        (status = "5XX", body = Failure),
    ),
)]
pub(crate) async fn acknowledge(
    State(state): State<AppState>,
    InPath(id): InPath<Uuid>,
    _: NoParams,
    mut body: Body,
) -> Result<Success<AlarmEpisode>, ApiError> {
    let asked = Acknowledgement {
        by: body.actor("by", NAME_LENGTH_MAX),
        reason: body.text("reason", TEXT_LENGTH_MAX),
    };
    body.finish()?;
    match queries::alarms::acknowledge(&state.db, id, &asked).await? {
        Acknowledged::Stands(alarm) => {
            info!(alarm = %id, by = alarm.acknowledged_by, "alarm acknowledged");
            Ok(Success::one(*alarm))
        }
        Acknowledged::NoAlarm => Err(ApiError::not_found("alarm", id)),
        Acknowledged::Over { cleared_ts } => Err(ApiError::conflict(
            "the alarm is over",
            json!({ "cleared_ts": cleared_ts }),
        )),
    }
}
