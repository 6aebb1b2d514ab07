//! Limits of re-entries: what stands, and changing it.

use axum::extract::State;
use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::{Value, json};
use tracing::info;
use turnstile_dataflows::model::Regime;
use utoipa::ToSchema;

use crate::api::exit_rules::{NAME_LENGTH_MAX, TEXT_LENGTH_MAX};
use crate::envelope::Success;
use crate::error::{ApiError, Failure};
use crate::extract::{Body, NoParams};
use crate::number::Number;
use crate::queries;
use crate::queries::reentry_limits::Saved;
use crate::seoul::SeoulTime;
use crate::state::AppState;

/// Decimals of an amount or a percentage as stored.
const SCALE: u32 = 4;
/// Most that is taken: what fits into ten-thousandths of a won, rounded down.
const WON_MAX: i64 = 900_000_000_000_000;

/// What re-entries may do to the account. What is null limits nothing.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Limits {
    /// Regimes under which something may be bought at all (gate G0).
    pub(crate) entry_regimes: Vec<String>,
    /// Positions at most (gate G3).
    pub(crate) positions_max: Option<i32>,
    /// KRW at cost, all positions and purchases under way (gate G3).
    pub(crate) exposure_max: Option<Number>,
    /// The same in percent of equity.
    pub(crate) exposure_max_pct: Option<Number>,
    /// Realised loss of the day, KRW (gate G4).
    pub(crate) daily_loss_max: Option<Number>,
    /// The same in percent of equity.
    pub(crate) daily_loss_max_pct: Option<Number>,
    /// What the account is worth, KRW, as the broker stated it last.
    pub(crate) equity: Option<Number>,
    /// When that was. It counts for five minutes.
    pub(crate) equity_asof: Option<SeoulTime>,
    /// Rises with every change.
    pub(crate) version: i32,
    pub(crate) reason: Option<String>,
    pub(crate) updated_by: String,
    pub(crate) updated_ts: SeoulTime,
}

/// Limits to set: every key is needed, null says that there is no such limit.
#[derive(Debug, ToSchema)]
pub(crate) struct LimitsChange {
    /// RISK_ON, NEUTRAL, RISK_OFF, PANIC: at least one of them.
    #[schema(value_type = Vec<String>)]
    pub(crate) entry_regimes: Vec<Regime>,
    /// At least 0.
    pub(crate) positions_max: Option<i32>,
    /// KRW, at least 0.
    #[schema(value_type = Option<f64>)]
    pub(crate) exposure_max: Option<Decimal>,
    /// Above 0, at most 100.
    #[schema(value_type = Option<f64>)]
    pub(crate) exposure_max_pct: Option<Decimal>,
    /// KRW, at least 0.
    #[schema(value_type = Option<f64>)]
    pub(crate) daily_loss_max: Option<Decimal>,
    /// Above 0, at most 100.
    #[schema(value_type = Option<f64>)]
    pub(crate) daily_loss_max_pct: Option<Decimal>,
    /// Version that the change is made from; absent where there are no limits.
    pub(crate) version: Option<i32>,
    /// Why, at most 500 characters.
    pub(crate) reason: String,
    /// Who sets them, at most 64 characters.
    pub(crate) updated_by: String,
}

/// The limits of re-entries. Without any nothing is bought.
#[utoipa::path(
    get, path = "/api/v1/reentry/limits", tag = "reentry",
    responses(
        (status = 200, body = Success<Limits>),
        (status = "4XX", body = Failure),
        (status = "5XX", body = Failure),
    ),
)]
pub(crate) async fn one(
    State(state): State<AppState>,
    _: NoParams,
) -> Result<Success<Limits>, ApiError> {
    let limits = queries::reentry_limits::one(&state.db).await?;
    limits.map(Success::one).ok_or_else(missing)
}

/// Sets the limits of re-entries, as a change of the version that it was made from.
#[utoipa::path(
    put, path = "/api/v1/reentry/limits", tag = "reentry",
    request_body = LimitsChange, security(("token" = [])),
    responses(
        (status = 200, body = Success<Limits>),
        (status = "4XX", body = Failure),
        (status = "5XX", body = Failure),
    ),
)]
pub(crate) async fn set(
    State(state): State<AppState>,
    _: NoParams,
    mut body: Body,
) -> Result<Success<Limits>, ApiError> {
    let count = amount(&mut body, "positions_max", |count| {
        count.is_integer() && *count >= Decimal::ZERO && *count <= Decimal::from(i32::MAX)
    });
    let is_amount = |won: &Decimal| (Decimal::ZERO..=Decimal::from(WON_MAX)).contains(won);
    let is_percent = |part: &Decimal| *part > Decimal::ZERO && *part <= Decimal::ONE_HUNDRED;
    let change = LimitsChange {
        entry_regimes: body.required_list("entry_regimes", Regime::ALL.len()),
        positions_max: count.and_then(|count| i32::try_from(count).ok()),
        exposure_max: amount(&mut body, "exposure_max", is_amount),
        exposure_max_pct: amount(&mut body, "exposure_max_pct", is_percent),
        daily_loss_max: amount(&mut body, "daily_loss_max", is_amount),
        daily_loss_max_pct: amount(&mut body, "daily_loss_max_pct", is_percent),
        version: body
            .whole("version", 1)
            .map(|version| i32::try_from(version).unwrap_or(i32::MAX)),
        reason: body.required_text("reason", TEXT_LENGTH_MAX),
        updated_by: body.required_text("updated_by", NAME_LENGTH_MAX),
    };
    body.finish()?;
    match queries::reentry_limits::set(&state.db, &change).await? {
        Saved::Done(limits) => {
            info!(
                version = limits.version,
                by = limits.updated_by,
                "limits of re-entries set"
            );
            Ok(Success::one(*limits))
        }
        Saved::Missing => Err(missing()),
        Saved::Changed { version } => Err(ApiError::conflict(
            format!("the limits stand at version {version}"),
            json!({ "version": version }),
        )),
    }
}

/// Takes the number `name`, or the null that says that there is no such limit: what was forgotten
/// must not lift a limit.
fn amount(body: &mut Body, name: &str, is_allowed: impl Fn(&Decimal) -> bool) -> Option<Decimal> {
    let value = body.given_value(name)?;
    if value.is_null() {
        return None;
    }
    let number = Some(&value).filter(|value| value.is_number());
    let number = number.and_then(|number| Decimal::from_str_exact(&number.to_string()).ok());
    let number = number.filter(|number| number.normalize().scale() <= SCALE && is_allowed(number));
    if number.is_none() {
        body.fault(name, format!("{}, was {value}", expected(name)));
    }
    number
}

fn expected(name: &str) -> &'static str {
    match name {
        "positions_max" => "must be a whole number of at least 0, or null",
        "exposure_max" | "daily_loss_max" => {
            "must be KRW from 0 to 900000000000000 with at most 4 decimals, or null"
        }
        _ => "must be a percentage above 0 and at most 100 with at most 4 decimals, or null",
    }
}

fn missing() -> ApiError {
    ApiError::not_found("limits", Value::from("trade.reentry_limits"))
}
