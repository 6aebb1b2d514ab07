//! Portfolios: target weights, and which of them is in force.

use axum::extract::State;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::json;
use turnstile_connectors::postgres::PostgresError;
use turnstile_connectors::redis::{TTL_PORTFOLIO, cache_aside};
use turnstile_connectors::strategy::{ActivateError, activate, portfolio_key};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::access;
use crate::api::exit_rules::{NAME_LENGTH_MAX, TEXT_LENGTH_MAX};
use crate::api::strategy_runs::strategy;
use crate::envelope::Success;
use crate::error::{ApiError, Failure};
use crate::extract::{Body, InPath, NoParams, Params};
use crate::number::Number;
use crate::queries;
use crate::queries::QueryError;
use crate::seoul::SeoulTime;
use crate::state::AppState;

/// Target weights of a day.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Portfolio {
    pub(crate) portfolio_id: Uuid,
    pub(crate) strategy_id: String,
    pub(crate) ranking_snapshot_id: Uuid,
    /// The day.
    pub(crate) as_of: String,
    /// DRAFT, ACTIVE or ARCHIVED.
    pub(crate) status: String,
    /// Share of equity, 0 to 1; the rest is cash.
    pub(crate) total_weight: Number,
    /// By rank.
    pub(crate) holdings: Vec<Holding>,
    pub(crate) notes: Option<String>,
    pub(crate) activated_by: Option<String>,
    pub(crate) activation_reason: Option<String>,
    pub(crate) activated_ts: Option<SeoulTime>,
    pub(crate) archived_ts: Option<SeoulTime>,
    /// Rises with every change of the status.
    pub(crate) version: i32,
    pub(crate) created_ts: SeoulTime,
}

impl Portfolio {
    fn name(&self, symbol: &str) -> Option<&Holding> {
        self.holdings.iter().find(|held| held.symbol == symbol)
    }
}

/// A name of a portfolio.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Holding {
    /// Rank in the ranking.
    pub(crate) rank: i32,
    pub(crate) symbol: String,
    /// Name of the stock.
    pub(crate) name: Option<String>,
    pub(crate) sector: Option<String>,
    /// Share of equity, 0 to 1, exact.
    pub(crate) weight: Number,
}

/// What is different from one portfolio to another.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Comparison {
    pub(crate) from_id: Uuid,
    pub(crate) to_id: Uuid,
    /// Names of the second one alone.
    pub(crate) added: Vec<Weighed>,
    /// Names of the first one alone.
    pub(crate) removed: Vec<Weighed>,
    /// Names of both with different weights.
    pub(crate) weight_changed: Vec<Weighed>,
    /// Names of both with equal weights.
    pub(crate) unchanged: Vec<Weighed>,
    /// Half of the sum of what weights change by, 0 to 1.
    pub(crate) turnover: Number,
}

/// A name in two portfolios.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Weighed {
    pub(crate) symbol: String,
    /// Name of the stock.
    pub(crate) name: Option<String>,
    /// Share of equity in the first one; 0 where it is not in it.
    pub(crate) from_weight: Number,
    /// Share of equity in the second one.
    pub(crate) to_weight: Number,
}

/// Who puts a portfolio in force, and why.
#[derive(Debug, ToSchema)]
pub(crate) struct Activation {
    /// Why, at most 500 characters.
    pub(crate) reason: Option<String>,
    /// Who asks, at most 64 characters.
    pub(crate) asked_by: String,
}

/// Portfolios, newest first.
#[utoipa::path(
    get, path = "/api/v1/portfolios", tag = "strategy",
    params(
        ("limit" = Option<i64>, Query, description = "1 to 100, default 20"),
        ("cursor" = Option<String>, Query, description = "next_cursor of the page before"),
    ),
    responses(
        (status = 200, body = Success<Vec<Portfolio>>),
        (status = "4XX", body = Failure),
        (status = "5XX", body = Failure),
    ),
)]
pub(crate) async fn list(
    State(state): State<AppState>,
    mut params: Params,
) -> Result<Success<Vec<Portfolio>>, ApiError> {
    let page = params.page();
    params.finish()?;
    Ok(Success::page(
        queries::portfolios::list(&state.db, page).await?,
    ))
}

/// The portfolio of the last day, whatever its status.
#[utoipa::path(
    get, path = "/api/v1/portfolios/latest", tag = "strategy",
    params(("strategy_id" = Option<String>, Query, description = "default: the configured strategy")),
    responses(
        (status = 200, body = Success<Portfolio>),
        (status = "4XX", body = Failure),
        (status = "5XX", body = Failure),
    ),
)]
pub(crate) async fn latest(
    State(state): State<AppState>,
    mut params: Params,
) -> Result<Success<Portfolio>, ApiError> {
    let strategy = strategy(&state, &mut params);
    params.finish()?;
    queries::portfolios::latest(&state.db, &strategy)
        .await?
        .map(Success::one)
        .ok_or_else(|| ApiError::not_found("portfolio", strategy))
}

/// The portfolio in force.
#[utoipa::path(
    get, path = "/api/v1/portfolios/active", tag = "strategy",
    params(("strategy_id" = Option<String>, Query, description = "default: the configured strategy")),
    responses(
        (status = 200, body = Success<Portfolio>),
        (status = "4XX", body = Failure),
        (status = "5XX", body = Failure),
    ),
)]
pub(crate) async fn active(
    State(state): State<AppState>,
    mut params: Params,
) -> Result<Success<Portfolio>, ApiError> {
    let strategy = strategy(&state, &mut params);
    params.finish()?;
    let load = || queries::portfolios::active(&state.db, &strategy);
    let key = portfolio_key(&strategy);
    let portfolio: Option<Portfolio> = cache_aside(&state.cache, &key, TTL_PORTFOLIO, load).await?;
    portfolio
        .map(Success::one)
        .ok_or_else(|| ApiError::not_found("active portfolio", strategy))
}

/// One portfolio.
#[utoipa::path(
    get, path = "/api/v1/portfolios/{id}", tag = "strategy",
    params(("id" = Uuid, Path, description = "portfolio_id")),
    responses(
        (status = 200, body = Success<Portfolio>),
        (status = "4XX", body = Failure),
        (status = "5XX", body = Failure),
    ),
)]
pub(crate) async fn one(
    State(state): State<AppState>,
    InPath(id): InPath<Uuid>,
    _: NoParams,
) -> Result<Success<Portfolio>, ApiError> {
    Ok(Success::one(known(&state, id).await?))
}

/// What is different from one portfolio to another.
#[utoipa::path(
    get, path = "/api/v1/portfolios/compare", tag = "strategy",
    params(
        ("from_id" = Uuid, Query, description = "portfolio_id"),
        ("to_id" = Uuid, Query, description = "portfolio_id"),
    ),
    responses(
        (status = 200, body = Success<Comparison>),
        (status = "4XX", body = Failure),
        (status = "5XX", body = Failure),
    ),
)]
pub(crate) async fn compare(
    State(state): State<AppState>,
    mut params: Params,
) -> Result<Success<Comparison>, ApiError> {
    let from: Uuid = params.required("from_id");
    let to: Uuid = params.required("to_id");
    params.finish()?;
    let (from, to) = (known(&state, from).await?, known(&state, to).await?);
    Ok(Success::one(comparison(&from, &to)))
}

/// Puts a draft in force; the one that was before is archived.
#[utoipa::path(
    post, path = "/api/v1/portfolios/{id}/activate", tag = "strategy",
    params(("id" = Uuid, Path, description = "portfolio_id")),
    request_body = Activation,
    responses(
        (status = 200, body = Success<Portfolio>),
        (status = "4XX", body = Failure),
        (status = "5XX", body = Failure),
    ),
)]
pub(crate) async fn put_in_force(
    State(state): State<AppState>,
    InPath(id): InPath<Uuid>,
    _: NoParams,
    mut body: Body,
) -> Result<Success<Portfolio>, ApiError> {
    let asked = Activation {
        reason: body.text("reason", TEXT_LENGTH_MAX),
        asked_by: body.actor("asked_by", NAME_LENGTH_MAX),
    };
    body.finish()?;
    let (who, why) = (&asked.asked_by, asked.reason.as_deref());
    match activate(&state.db, &state.cache, id, who, why, &access::actor()).await {
        Ok(_) => Ok(Success::one(known(&state, id).await?)),
        Err(ActivateError::Unknown(id)) => Err(ApiError::not_found("portfolio", id)),
        Err(ActivateError::NotDraft { status, .. }) => Err(ApiError::conflict(
            format!("the portfolio is {status}; only a DRAFT can be activated"),
            json!({ "status": status }),
        )),
        Err(ActivateError::BeyondBounds { faults, .. }) => Err(ApiError::conflict(
            format!(
                "the portfolio is beyond the bounds of every portfolio: {}",
                faults.join("; ")
            ),
            json!({ "bounds": faults }),
        )),
        Err(ActivateError::Store(PostgresError::Statement(error))) => {
            Err(QueryError::from(error).into())
        }
        Err(ActivateError::Store(error)) => Err(QueryError::from(error).into()),
    }
}

async fn known(state: &AppState, id: Uuid) -> Result<Portfolio, ApiError> {
    let found = queries::portfolios::one(&state.db, id).await?;
    found.ok_or_else(|| ApiError::not_found("portfolio", id))
}

fn comparison(from: &Portfolio, to: &Portfolio) -> Comparison {
    let mut found = Comparison {
        from_id: from.portfolio_id,
        to_id: to.portfolio_id,
        added: Vec::new(),
        removed: Vec::new(),
        weight_changed: Vec::new(),
        unchanged: Vec::new(),
        turnover: Decimal::ZERO.into(),
    };
    let mut moved = Decimal::ZERO;
    let weight = |of: Option<&Holding>| of.map_or(Decimal::ZERO, |held| held.weight.into());
    let mut place = |before: Option<&Holding>, after: Option<&Holding>| {
        let Some(held) = after.or(before) else { return };
        let (from_weight, to_weight) = (weight(before), weight(after));
        moved += (to_weight - from_weight).abs();
        let places = match (before, after) {
            (None, _) => &mut found.added,
            (_, None) => &mut found.removed,
            _ if from_weight == to_weight => &mut found.unchanged,
            _ => &mut found.weight_changed,
        };
        places.push(Weighed {
            symbol: held.symbol.clone(),
            name: held.name.clone(),
            from_weight: from_weight.into(),
            to_weight: to_weight.into(),
        });
    };
    for held in &to.holdings {
        place(from.name(&held.symbol), Some(held));
    }
    for held in &from.holdings {
        if to.name(&held.symbol).is_none() {
            place(Some(held), None);
        }
    }
    found.turnover = (moved / Decimal::TWO).into();
    found
}

#[cfg(test)]
mod tests {
    use turnstile_connectors::strategy::StrategyId;

    use super::*;

    fn portfolio(holdings: &[(&str, i64)]) -> Portfolio {
        let time = SeoulTime::from_micros(0).unwrap();
        let holding = |(symbol, weight): &(&str, i64)| Holding {
            rank: 1,
            symbol: (*symbol).to_owned(),
            name: None,
            sector: None,
            weight: Decimal::new(*weight, 6).into(),
        };
        Portfolio {
            portfolio_id: Uuid::nil(),
            strategy_id: StrategyId::default().into(),
            ranking_snapshot_id: Uuid::nil(),
            as_of: "2026-02-20".to_owned(),
            status: "DRAFT".to_owned(),
            total_weight: Decimal::ONE.into(),
            holdings: holdings.iter().map(holding).collect(),
            notes: None,
            activated_by: None,
            activation_reason: None,
            activated_ts: None,
            archived_ts: None,
            version: 1,
            created_ts: time,
        }
    }

    #[test]
    fn every_name_of_either_is_compared_once_and_turnover_is_half_of_the_change() {
        let from = portfolio(&[("A", 100_000), ("B", 100_001), ("C", 50_000)]);
        let to = portfolio(&[("B", 150_000), ("C", 50_000), ("D", 100_000)]);
        let found = serde_json::to_value(comparison(&from, &to)).unwrap();
        let symbols = |key: &str| {
            let rows = found[key].as_array().unwrap().iter();
            rows.map(|row| row["symbol"].as_str().unwrap().to_owned())
                .collect::<String>()
        };
        let keys = ["added", "removed", "weight_changed", "unchanged"];
        assert_eq!(keys.map(symbols), ["D", "A", "B", "C"]);
        // (100,000 + 49,999 + 100,000) / 2 millionths.
        assert_eq!(found["turnover"].to_string(), "0.1249995");
        assert_eq!(found["removed"][0]["to_weight"].to_string(), "0");
        let same = serde_json::to_value(comparison(&to, &to)).unwrap();
        assert_eq!(same["turnover"].to_string(), "0");
    }
}
