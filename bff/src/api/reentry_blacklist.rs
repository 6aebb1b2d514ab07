//! Symbols of which nothing is bought back.

use axum::extract::State;
use jiff::Timestamp;
use serde::Serialize;
use tracing::info;
use turnstile_dataflows::model::Symbol;
use utoipa::ToSchema;

use super::reentry_windows::Removal;
use crate::api::exit_rules::{NAME_LENGTH_MAX, TEXT_LENGTH_MAX};
use crate::envelope::Success;
use crate::error::{ApiError, Failure};
use crate::extract::{Body, InPath, NoParams, Params};
use crate::queries;
use crate::seoul::SeoulTime;
use crate::state::AppState;

/// A symbol of which nothing is bought back.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Blacklisted {
    pub(crate) symbol: String,
    pub(crate) reason: String,
    /// Until when, exclusive; null: until it is removed.
    pub(crate) until_ts: Option<SeoulTime>,
    pub(crate) created_by: String,
    pub(crate) created_ts: SeoulTime,
}

/// Why and until when.
#[derive(Debug, ToSchema)]
pub(crate) struct BlacklistChange {
    /// Why, at most 500 characters.
    pub(crate) reason: String,
    /// RFC 3339, exclusive; absent: until it is removed.
    #[schema(value_type = Option<String>)]
    pub(crate) until_ts: Option<Timestamp>,
    /// Who adds it, at most 64 characters.
    pub(crate) updated_by: String,
}

/// Symbols of which nothing is bought back, in order.
#[utoipa::path(
    get, path = "/api/v1/reentry/blacklist", tag = "reentry",
    params(
        ("limit" = Option<i64>, Query, description = "1 to 100, default 20"),
        ("cursor" = Option<String>, Query, description = "next_cursor of the page before"),
    ),
    responses(
        (status = 200, body = Success<Vec<Blacklisted>>),
        (status = "4XX", body = Failure),
        (status = "5XX", body = Failure),
    ),
)]
pub(crate) async fn list(
    State(state): State<AppState>,
    mut params: Params,
) -> Result<Success<Vec<Blacklisted>>, ApiError> {
    let page = params.page();
    params.finish()?;
    Ok(Success::page(
        queries::reentry_blacklist::list(&state.db, page).await?,
    ))
}

/// Puts a symbol on the blacklist, or changes its row: its candidates end.
#[utoipa::path(
    put, path = "/api/v1/reentry/blacklist/{symbol}", tag = "reentry",
    params(("symbol" = String, Path, description = "symbol")),
    request_body = BlacklistChange,
    responses(
        (status = 200, body = Success<Blacklisted>),
        (status = "4XX", body = Failure),
        (status = "5XX", body = Failure),
    ),
)]
pub(crate) async fn save(
    State(state): State<AppState>,
    InPath(symbol): InPath<Symbol>,
    _: NoParams,
    mut body: Body,
) -> Result<Success<Blacklisted>, ApiError> {
    let change = BlacklistChange {
        reason: body.required_text("reason", TEXT_LENGTH_MAX),
        until_ts: body.parsed::<Timestamp>("until_ts"),
        updated_by: body.actor("updated_by", NAME_LENGTH_MAX),
    };
    body.finish()?;
    let symbol = symbol.to_string();
    let row = queries::reentry_blacklist::save(&state.db, &symbol, &change).await?;
    info!(symbol, by = change.updated_by, "symbol blacklisted");
    Ok(Success::one(row))
}

/// Takes a symbol off the blacklist. Answers with what it was.
#[utoipa::path(
    post, path = "/api/v1/reentry/blacklist/{symbol}/remove", tag = "reentry",
    params(("symbol" = String, Path, description = "symbol")),
    request_body = Removal,
    responses(
        (status = 200, body = Success<Blacklisted>),
        (status = "4XX", body = Failure),
        (status = "5XX", body = Failure),
    ),
)]
pub(crate) async fn remove(
    State(state): State<AppState>,
    InPath(symbol): InPath<Symbol>,
    _: NoParams,
    body: Body,
) -> Result<Success<Blacklisted>, ApiError> {
    let removal = Removal::take(body)?;
    let symbol = symbol.to_string();
    let removed = queries::reentry_blacklist::remove(&state.db, &symbol, &removal).await?;
    let row = removed.ok_or_else(|| ApiError::not_found("blacklisted symbol", &symbol))?;
    info!(
        symbol,
        by = removal.asked_by,
        "symbol taken off the blacklist"
    );
    Ok(Success::one(row))
}
