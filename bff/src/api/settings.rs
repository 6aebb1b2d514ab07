//! The configuration that stands in the database: every known key, and changing it.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::IntoResponse;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tracing::info;
use turnstile_connectors::redis::{TTL_CONFIG, cache_aside};
use turnstile_connectors::settings;
use utoipa::ToSchema;

use crate::api::exit_rules::{NAME_LENGTH_MAX, TEXT_LENGTH_MAX};
use crate::envelope::Success;
use crate::error::{ApiError, Failure};
use crate::extract::{Body, InPath, NoParams};
use crate::queries;
use crate::seoul::SeoulTime;
use crate::state::AppState;
use crate::versioned::named;

/// A key of the configuration.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Setting {
    /// Such as `alarms.db_query_time`.
    pub(crate) key: String,
    /// What it is about.
    pub(crate) title: &'static str,
    /// What its numbers count: SECONDS, SHARE (a part of one), PERCENT (signed) or COUNT.
    pub(crate) unit: &'static str,
    /// The value in force, where the file of a process says nothing else. Limits of an alarm: `warning`,
    /// `critical`, as far as it has them.
    #[schema(value_type = Object)]
    pub(crate) value: Value,
    /// What holds without a row. The file of a process may put something else in its place there, a row
    /// takes the place of both.
    #[schema(value_type = Object)]
    pub(crate) default: Value,
    /// Rises with every change; 0 without a row.
    pub(crate) version: i32,
    /// Why the row cannot be taken; the default is in force then.
    pub(crate) fault: Option<String>,
    /// Why it stands as it does.
    pub(crate) reason: Option<String>,
    /// Who changed it last.
    pub(crate) updated_by: Option<String>,
    pub(crate) updated_ts: Option<SeoulTime>,
}

/// A row of the configuration, or that there is none. What the cache holds.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Stored {
    pub(crate) value: Option<Value>,
    pub(crate) version: i32,
    pub(crate) reason: Option<String>,
    pub(crate) updated_by: Option<String>,
    pub(crate) updated_ts: Option<SeoulTime>,
}

/// A new value of a key.
#[derive(Debug, ToSchema)]
pub(crate) struct SettingChange {
    /// The whole value.
    #[schema(value_type = Object)]
    pub(crate) value: Value,
    /// Version that the change is made from, 0 without a row.
    pub(crate) version: i32,
    /// Why, at most 500 characters.
    pub(crate) reason: String,
    /// Who sets it, at most 64 characters.
    pub(crate) updated_by: String,
}

/// Every known key, in order.
#[utoipa::path(
    get, path = "/api/v1/config", tag = "configuration",
    responses(
        (status = 200, body = Success<Vec<Setting>>),
        (status = "4XX", body = Failure),
        (status = "5XX", body = Failure),
    ),
)]
pub(crate) async fn list(
    State(state): State<AppState>,
    _: NoParams,
) -> Result<Success<Vec<Setting>>, ApiError> {
    let mut rows: BTreeMap<String, Stored> = queries::settings::list(&state.db).await?;
    let all = settings::Setting::all().into_iter();
    let all = all.map(|known| setting(known, rows.remove(&known.key()).unwrap_or_default()));
    Ok(Success::one(all.collect()))
}

/// One key.
#[utoipa::path(
    get, path = "/api/v1/config/{key}", tag = "configuration",
    params(("key" = String, Path, description = "key, such as alarms.db_query_time")),
    responses(
        (status = 200, body = Success<Setting>),
        (status = 304, description = "the client has it, by its header if-none-match"),
        (status = "4XX", body = Failure),
        (status = "5XX", body = Failure),
    ),
)]
pub(crate) async fn one(
    State(state): State<AppState>,
    InPath(key): InPath<String>,
    headers: HeaderMap,
    _: NoParams,
) -> Result<impl IntoResponse, ApiError> {
    let known = known(&key)?;
    let load = async || Ok(Some(queries::settings::one(&state.db, &key).await?));
    let stored: Result<Option<Stored>, ApiError> =
        cache_aside(&state.cache, &cache_key(&key), TTL_CONFIG, load).await;
    let setting = setting(known, stored?.unwrap_or_default());
    Ok(named(&setting, &headers)?)
}

/// Puts a value in force, as a change of the version that it was made from.
#[utoipa::path(
    put, path = "/api/v1/config/{key}", tag = "configuration",
    params(("key" = String, Path, description = "key, such as alarms.db_query_time")),
    request_body = SettingChange,
    responses(
        (status = 200, body = Success<Setting>),
        (status = "4XX", body = Failure),
        (status = "5XX", body = Failure),
    ),
)]
pub(crate) async fn set(
    State(state): State<AppState>,
    InPath(key): InPath<String>,
    _: NoParams,
    mut body: Body,
) -> Result<Success<Setting>, ApiError> {
    let known = known(&key)?;
    let change = SettingChange {
        value: body.required_value("value"),
        version: body.required_whole_i32("version", 0),
        reason: body.required_text("reason", TEXT_LENGTH_MAX),
        updated_by: body.actor("updated_by", NAME_LENGTH_MAX),
    };
    if let (false, Err(faults)) = (change.value.is_null(), known.limits(&change.value)) {
        for fault in faults {
            let path = match fault.path.as_str() {
                "" => "value".to_owned(),
                path => format!("value.{path}"),
            };
            body.fault(&path, fault.message);
        }
    }
    body.finish()?;
    let saved = queries::settings::set(&state.db, &key, &change).await?;
    let stored = saved.or_refuse(&key, || unknown(&key))?;
    state.cache.delete(&[cache_key(&key)]).await;
    info!(
        key,
        version = stored.version,
        by = change.updated_by,
        "configuration set"
    );
    Ok(Success::one(setting(known, stored)))
}

/// Returns the key under which the cache holds the row of `key`.
pub(crate) fn cache_key(key: &str) -> String {
    format!("config:{key}")
}

fn known(key: &str) -> Result<settings::Setting, ApiError> {
    settings::Setting::find(key).ok_or_else(|| unknown(key))
}

fn unknown(key: &str) -> ApiError {
    ApiError::not_found("configuration key", key)
}

fn setting(known: settings::Setting, stored: Stored) -> Setting {
    let judged = stored.value.as_ref().map(|value| known.limits(value));
    let faults = judged.and_then(Result::err);
    let fault = faults.map(|faults| settings::in_words(&faults));
    let default = known.default_value();
    let value = stored.value.filter(|_| fault.is_none());
    Setting {
        key: known.key(),
        title: known.title(),
        unit: known.unit(),
        value: value.unwrap_or_else(|| default.clone()),
        default,
        version: stored.version,
        fault,
        reason: stored.reason,
        updated_by: stored.updated_by,
        updated_ts: stored.updated_ts,
    }
}
