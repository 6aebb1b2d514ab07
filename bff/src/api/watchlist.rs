//! The watchlist (관심종목): symbols that are followed, and prices that the operator waits for.

use std::fmt;
use std::str::FromStr;

use axum::extract::State;
use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::json;
use tracing::info;
use turnstile_dataflows::model::Symbol;
use utoipa::ToSchema;

use super::reentry_windows::Removal;
use crate::api::exit_rules::{NAME_LENGTH_MAX, TEXT_LENGTH_MAX};
use crate::api::stocks::LastPrice;
use crate::envelope::Success;
use crate::error::{ApiError, Failure};
use crate::extract::{Body, InPaths, NoParams, Params};
use crate::number::{Number, PRICE};
use crate::queries;
use crate::queries::watchlist::Added;
use crate::seoul::SeoulTime;
use crate::state::AppState;

/// Lists that a symbol may stand on.
const CATEGORIES: [&str; 2] = ["watch", "candidate"];
/// Side of a price from which an alert is reached.
const CONDITIONS: [&str; 2] = ["ABOVE", "BELOW"];

/// One of [`CATEGORIES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Category(&'static str);

/// There is no such list.
#[derive(Debug, thiserror::Error)]
#[error("must be watch or candidate, was {0:?}")]
pub(crate) struct UnknownCategory(String);

impl FromStr for Category {
    type Err = UnknownCategory;

    fn from_str(text: &str) -> Result<Self, UnknownCategory> {
        let known = CATEGORIES.into_iter().find(|name| *name == text);
        known
            .map(Self)
            .ok_or_else(|| UnknownCategory(text.to_owned()))
    }
}

impl Category {
    /// Returns its name, as stored.
    pub(crate) fn name(self) -> &'static str {
        self.0
    }
}

impl fmt::Display for Category {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// A symbol on the watchlist, with its newest price.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Watched {
    pub(crate) symbol: String,
    /// Name of the stock.
    pub(crate) name: Option<String>,
    /// watch, or candidate for a purchase.
    pub(crate) category: String,
    pub(crate) memo: Option<String>,
    /// What it is held to be worth, KRW.
    pub(crate) target_price: Option<Number>,
    /// Whether the alarm `watch_price` is raised while the best price is at `alert_price` or beyond.
    pub(crate) alert_enabled: bool,
    /// KRW, inclusive.
    pub(crate) alert_price: Option<Number>,
    /// ABOVE: at or above `alert_price`. BELOW: at or below.
    pub(crate) alert_condition: Option<String>,
    /// Rises with every change.
    pub(crate) version: i32,
    /// Why it stands as it does.
    pub(crate) reason: Option<String>,
    /// Who changed it last.
    pub(crate) updated_by: String,
    pub(crate) created_ts: SeoulTime,
    pub(crate) updated_ts: SeoulTime,
    #[serde(flatten)]
    pub(crate) price: LastPrice,
}

/// A symbol to put on the watchlist.
#[derive(Debug, ToSchema)]
#[expect(
    dead_code,
    reason = "describes the body in OpenAPI; beside the place it is a change"
)]
pub(crate) struct WatchAddition {
    /// Symbol of a stock, 1 to 9 letters or digits.
    symbol: String,
    /// watch or candidate.
    category: String,
    /// At most 500 characters.
    memo: Option<String>,
    /// KRW, above 0.
    #[schema(value_type = Option<f64>)]
    target_price: Option<Decimal>,
    /// Whether there is to be an alarm; true if absent and there is an alert_price.
    #[schema(value_type = Option<bool>)]
    alert_enabled: bool,
    /// KRW, above 0; goes with alert_condition.
    #[schema(value_type = Option<f64>)]
    alert_price: Option<Decimal>,
    /// ABOVE or BELOW; goes with alert_price.
    alert_condition: Option<&'static str>,
    /// Why, at most 500 characters.
    reason: Option<String>,
    /// Who says it, at most 64 characters.
    updated_by: String,
}

/// What is said of a watched symbol; what is absent is taken away.
#[derive(Debug, ToSchema)]
pub(crate) struct WatchChange {
    /// Version that the change is made from.
    pub(crate) version: i32,
    /// At most 500 characters.
    pub(crate) memo: Option<String>,
    /// KRW, above 0.
    #[schema(value_type = Option<f64>)]
    pub(crate) target_price: Option<Decimal>,
    /// Whether there is to be an alarm; true if absent and there is an alert_price.
    #[schema(value_type = Option<bool>)]
    pub(crate) alert_enabled: bool,
    /// KRW, above 0; goes with alert_condition.
    #[schema(value_type = Option<f64>)]
    pub(crate) alert_price: Option<Decimal>,
    /// ABOVE or BELOW; goes with alert_price.
    pub(crate) alert_condition: Option<&'static str>,
    /// Why, at most 500 characters.
    pub(crate) reason: Option<String>,
    /// Who says it, at most 64 characters.
    pub(crate) updated_by: String,
}

impl WatchChange {
    /// Takes what is said of a symbol that stands at `version`; of a new one that is 0.
    fn take(body: &mut Body, version: i32) -> Self {
        let change = Self {
            version,
            memo: body.text("memo", TEXT_LENGTH_MAX),
            target_price: body.number("target_price", &PRICE),
            alert_enabled: false,
            alert_price: body.number("alert_price", &PRICE),
            alert_condition: body.choice("alert_condition", &CONDITIONS),
            reason: body.text("reason", TEXT_LENGTH_MAX),
            updated_by: body.actor("updated_by", NAME_LENGTH_MAX),
        };
        let is_enabled = body.flag("alert_enabled");
        match (change.alert_price, change.alert_condition) {
            (Some(_), None) => body.fault_if_none("alert_condition", "goes with alert_price"),
            (None, Some(_)) => body.fault_if_none("alert_price", "goes with alert_condition"),
            (None, None) if is_enabled == Some(true) => {
                body.fault_if_none("alert_price", "is required for an alert");
            }
            (Some(_), Some(_)) | (None, None) => {}
        }
        Self {
            alert_enabled: is_enabled.unwrap_or(change.alert_price.is_some()),
            ..change
        }
    }
}

/// Symbols of the watchlist, by category and symbol, with their newest prices.
#[utoipa::path(
    get, path = "/api/v1/watchlist", tag = "watchlist",
    params(
        ("category" = Option<String>, Query, description = "watch, candidate or all (default)"),
        ("limit" = Option<i64>, Query, description = "1 to 100, default 20"),
        ("cursor" = Option<String>, Query, description = "next_cursor of the page before"),
    ),
    responses(
        (status = 200, body = Success<Vec<Watched>>),
        (status = "4XX", body = Failure),
        (status = "5XX", body = Failure),
    ),
)]
pub(crate) async fn list(
    State(state): State<AppState>,
    mut params: Params,
) -> Result<Success<Vec<Watched>>, ApiError> {
    let [watch, candidate] = CATEGORIES;
    let category = params.choice("category", &["all", watch, candidate]);
    let category = Some(category).filter(|category| *category != "all");
    let page = params.page();
    params.finish()?;
    Ok(Success::page(
        queries::watchlist::list(&state.db, category, page).await?,
    ))
}

/// Puts a symbol on the watchlist: its prices are followed from then on.
#[utoipa::path(
    post, path = "/api/v1/watchlist", tag = "watchlist",
    request_body = WatchAddition,
    responses(
        (status = 200, body = Success<Watched>),
        (status = "4XX", body = Failure),
        (status = "5XX", body = Failure),
    ),
)]
pub(crate) async fn add(
    State(state): State<AppState>,
    _: NoParams,
    mut body: Body,
) -> Result<Success<Watched>, ApiError> {
    let symbol = body.parsed::<Symbol>("symbol");
    if symbol.is_none() {
        body.fault_if_none("symbol", "is required");
    }
    let category = body.required_choice("category", &CATEGORIES);
    let content = WatchChange::take(&mut body, 0);
    body.finish()?;
    let symbol = symbol.map(|symbol| symbol.to_string()).unwrap_or_default();
    match queries::watchlist::add(&state.db, (category, &symbol), &content).await? {
        Added::New(watched) => {
            info!(symbol, category, by = content.updated_by, "symbol watched");
            Ok(Success::one(watched))
        }
        Added::Known => Err(ApiError::conflict(
            format!("{symbol} is on the list {category} already"),
            json!({ "symbol": symbol, "category": category }),
        )),
        Added::NoStock => Err(ApiError::not_found("stock", symbol)),
    }
}

/// Changes what is said of a symbol, from the version that the change was made from.
#[utoipa::path(
    put, path = "/api/v1/watchlist/{category}/{symbol}", tag = "watchlist",
    params(
        ("category" = String, Path, description = "watch or candidate"),
        ("symbol" = String, Path, description = "symbol"),
    ),
    request_body = WatchChange,
    responses(
        (status = 200, body = Success<Watched>),
        (status = "4XX", body = Failure),
        (status = "5XX", body = Failure),
    ),
)]
pub(crate) async fn change(
    State(state): State<AppState>,
    InPaths(category, symbol): InPaths<Category, Symbol>,
    _: NoParams,
    mut body: Body,
) -> Result<Success<Watched>, ApiError> {
    let version = body.required_whole_i32("version", 1);
    let change = WatchChange::take(&mut body, version);
    body.finish()?;
    let symbol = symbol.to_string();
    let place = (category.name(), symbol.as_str());
    let saved = queries::watchlist::change(&state.db, place, &change).await?;
    let what = format!("{symbol} on the list {category}");
    let watched = saved.or_refuse(&what, || missing(category, &symbol))?;
    info!(symbol, %category, by = change.updated_by, "watched symbol changed");
    Ok(Success::one(watched))
}

/// Takes a symbol off the watchlist. Answers with the row as it went: signed by who removed it, and why.
#[utoipa::path(
    post, path = "/api/v1/watchlist/{category}/{symbol}/remove", tag = "watchlist",
    params(
        ("category" = String, Path, description = "watch or candidate"),
        ("symbol" = String, Path, description = "symbol"),
    ),
    request_body = Removal,
    responses(
        (status = 200, body = Success<Watched>),
        (status = "4XX", body = Failure),
        (status = "5XX", body = Failure),
    ),
)]
pub(crate) async fn remove(
    State(state): State<AppState>,
    InPaths(category, symbol): InPaths<Category, Symbol>,
    _: NoParams,
    body: Body,
) -> Result<Success<Watched>, ApiError> {
    let removal = Removal::take(body)?;
    let symbol = symbol.to_string();
    let place = (category.name(), symbol.as_str());
    let removed = queries::watchlist::remove(&state.db, place, &removal).await?;
    let watched = removed.ok_or_else(|| missing(category, &symbol))?;
    info!(symbol, %category, by = removal.asked_by, "symbol watched no more");
    Ok(Success::one(watched))
}

fn missing(category: Category, symbol: &str) -> ApiError {
    ApiError::not_found("watched symbol", format!("{category}/{symbol}"))
}
