//! Steering of the market: prices, price courses, time, pause.

use std::{sync::Arc, time::Duration};

use axum::{
    Json,
    extract::{State, rejection::JsonRejection},
    http::StatusCode,
};
use jiff::civil::{Date, DateTime};
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{Refused, body_of};
use crate::{
    config::{ScriptPoint, is_course},
    price::Price,
    shared::Shared,
};

type Answer = Result<Json<Value>, Refused>;

/// Largest volume of one printed trade, and most points of a course.
const VOLUME_MAX: i64 = 1_000_000_000;
const POINTS_MAX: usize = 10_000;

pub(super) async fn pause(State(shared): State<Arc<Shared>>) -> Json<Value> {
    set_paused(&shared, true)
}

pub(super) async fn resume(State(shared): State<Arc<Shared>>) -> Json<Value> {
    set_paused(&shared, false)
}

fn set_paused(shared: &Shared, is_paused: bool) -> Json<Value> {
    shared.exchange().is_paused = is_paused;
    shared.wake.notify_one();
    Json(json!({ "paused": is_paused }))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Print {
    symbol: String,
    price: Price,
    #[serde(default = "default_volume")]
    volume: i64,
}

const fn default_volume() -> i64 {
    1
}

/// Prints one trade now.
pub(super) async fn price(
    State(shared): State<Arc<Shared>>,
    body: Result<Json<Print>, JsonRejection>,
) -> Answer {
    let print = body_of(body)?;
    if !print.price.is_some() {
        return Err(unprocessable("price must be positive, was 0"));
    }
    if !(1..=VOLUME_MAX).contains(&print.volume) {
        let reason = format!("volume must be 1 to {VOLUME_MAX}, was {}", print.volume);
        return Err(unprocessable(reason));
    }
    let mut exchange = shared.exchange();
    let issue = exchange
        .find(&print.symbol)
        .ok_or_else(|| unknown_symbol(&print.symbol))?;
    let moment = shared.clock.now();
    let now = Instant::now();
    exchange.turn(now, moment);
    exchange.print_at(issue, print.price, print.volume, now);
    shared.wake.notify_one();
    let volume = exchange.issues[issue].day.volume;
    Ok(Json(
        json!({ "symbol": print.symbol, "price": print.price, "day_volume": volume }),
    ))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Script {
    symbol: String,
    points: Vec<Point>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Point {
    after_ms: u64,
    price: Price,
}

/// Makes the price of an issue follow a course; without points it wanders again.
pub(super) async fn script(
    State(shared): State<Arc<Shared>>,
    body: Result<Json<Script>, JsonRejection>,
) -> Answer {
    let script = body_of(body)?;
    let points: Vec<_> = script
        .points
        .iter()
        .map(|point| ScriptPoint {
            after: Duration::from_millis(point.after_ms.min(u64::from(u32::MAX))),
            price: point.price,
        })
        .collect();
    if points.len() > POINTS_MAX || !is_course(&points) {
        let reason = format!(
            "points must be at most {POINTS_MAX}, with positive prices, in ascending order of time"
        );
        return Err(unprocessable(reason));
    }
    let mut exchange = shared.exchange();
    let issue = exchange
        .find(&script.symbol)
        .ok_or_else(|| unknown_symbol(&script.symbol))?;
    let count = points.len();
    exchange.follow(issue, points, Instant::now());
    shared.wake.notify_one();
    Ok(Json(json!({ "symbol": script.symbol, "points": count })))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ClockChange {
    #[serde(default)]
    start: Option<DateTime>,
    #[serde(default)]
    speed: Option<Decimal>,
}

/// Sets the simulated clock, its pace or both.
pub(super) async fn clock(
    State(shared): State<Arc<Shared>>,
    body: Result<Json<ClockChange>, JsonRejection>,
) -> Answer {
    let change = body_of(body)?;
    let is_pace = |speed: Decimal| {
        speed > Decimal::ZERO
            && speed <= Decimal::from(100_000)
            && (speed * Decimal::from(1_000)).is_integer()
    };
    if change.speed.is_some_and(|speed| !is_pace(speed)) {
        let reason = "speed must be above 0, at most 100000, with at most 3 decimals";
        return Err(unprocessable(reason));
    }
    shared.clock.set(change.start, change.speed);
    let moment = shared.clock.now();
    shared.exchange().turn(Instant::now(), moment);
    shared.wake.notify_one();
    Ok(Json(super::views::session_of(moment)))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Announcement {
    date: Date,
    is_open: bool,
}

/// Announces that the exchange opens on a day, or does not.
pub(super) async fn holiday(
    State(shared): State<Arc<Shared>>,
    body: Result<Json<Announcement>, JsonRejection>,
) -> Answer {
    let Announcement { date, is_open } = body_of(body)?;
    shared.clock.announce(date, is_open);
    let moment = shared.clock.now();
    shared.exchange().turn(Instant::now(), moment);
    shared.wake.notify_one();
    Ok(Json(json!({ "date": date, "is_open": is_open })))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StockChange {
    symbol: String,
    #[serde(default)]
    suspended: Option<bool>,
    #[serde(default)]
    managed: Option<bool>,
    #[serde(default)]
    delisted: Option<Date>,
}

/// Changes what the exchange says of a listing; what is absent stays.
pub(super) async fn stock(
    State(shared): State<Arc<Shared>>,
    body: Result<Json<StockChange>, JsonRejection>,
) -> Answer {
    let change = body_of(body)?;
    let mut exchange = shared.exchange();
    let issue = exchange
        .find(&change.symbol)
        .ok_or_else(|| unknown_symbol(&change.symbol))?;
    let listing = &mut exchange.issues[issue].listing;
    listing.is_suspended = change.suspended.unwrap_or(listing.is_suspended);
    listing.is_managed = change.managed.unwrap_or(listing.is_managed);
    listing.delisted = change.delisted.or(listing.delisted);
    Ok(Json(json!({
        "symbol": change.symbol,
        "suspended": listing.is_suspended,
        "managed": listing.is_managed,
        "delisted": listing.delisted,
    })))
}

fn unprocessable(reason: impl Into<String>) -> Refused {
    Refused::new(StatusCode::UNPROCESSABLE_ENTITY, reason)
}

pub(super) fn unknown_symbol(symbol: &str) -> Refused {
    let shown: String = symbol.chars().take(32).collect();
    Refused::new(
        StatusCode::NOT_FOUND,
        format!("symbol {shown:?} is not traded here"),
    )
}
