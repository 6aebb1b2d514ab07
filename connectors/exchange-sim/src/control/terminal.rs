//! Another terminal of the account: orders that no client of the REST service gave, and what the
//! broker itself does to a holding. Faults of answers do not touch it.

use std::{str::FromStr, sync::Arc};

use axum::{
    Json,
    extract::{State, rejection::JsonRejection},
    http::StatusCode,
};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{Refused, body_of, market::unknown_symbol};
use crate::{
    broker::{Class, OrderType, Reject, Side},
    exchange::{Accepted, Amendment, Exchange, NewOrder},
    price::Price,
    shared::Shared,
};

type Answer = Result<Json<Value>, Refused>;

/// Largest quantity of a holding, so that products fit.
const HELD_MAX: i64 = 1_000_000_000;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Ordered {
    symbol: String,
    side: Side,
    qty: i64,
    /// Absent: at market.
    #[serde(default)]
    price: Option<Price>,
    /// Absent: the first account.
    #[serde(default)]
    cano: Option<String>,
}

/// Gives an order by hand.
pub(super) async fn order(
    State(shared): State<Arc<Shared>>,
    body: Result<Json<Ordered>, JsonRejection>,
) -> Answer {
    let ordered = body_of(body)?;
    let code = if ordered.price.is_some() { "00" } else { "01" };
    let order_type = OrderType::by_code(code).expect("limit and market are order types");
    let account = account(&shared, ordered.cano.as_deref())?;
    let order = NewOrder {
        account,
        symbol: ordered.symbol,
        side: ordered.side,
        order_type,
        quantity: ordered.qty,
        price: ordered.price.unwrap_or(Price::NONE),
        is_routed: false,
        is_doomed: false,
    };
    by_hand(&shared, |exchange, now| exchange.accept(&order, now))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Cancelled {
    number: String,
    /// Absent: all that is left.
    #[serde(default)]
    qty: Option<i64>,
}

/// Cancels an order by hand, whoever gave it.
pub(super) async fn cancel(
    State(shared): State<Arc<Shared>>,
    body: Result<Json<Cancelled>, JsonRejection>,
) -> Answer {
    let cancelled = body_of(body)?;
    let original = u64::from_str(&cancelled.number).unwrap_or_default();
    by_hand(&shared, |exchange, now| {
        let order = exchange.orders.get(&original).ok_or(Reject::Original)?;
        let change = Amendment {
            account: order.account,
            class: Class::Cancel,
            original,
            quantity: cancelled.qty,
            order_type: order.order_type,
            price: Price::NONE,
        };
        exchange.amend(&change, now)
    })
}

fn by_hand(
    shared: &Shared,
    take: impl FnOnce(&mut Exchange, Instant) -> Result<Accepted, Reject>,
) -> Answer {
    let moment = shared.clock.now();
    let mut exchange = shared.exchange();
    let now = Instant::now();
    exchange.turn(now, moment);
    let taken = take(&mut exchange, now);
    if let Ok(accepted) = &taken
        && let Some(order) = exchange.orders.get_mut(&accepted.number)
    {
        order.is_manual = true;
    }
    shared.wake.notify_one();
    match taken {
        Ok(Accepted { number, hhmmss }) => Ok(Json(json!({
            "number": format!("{number:010}"),
            "time": format!("{hhmmss:06}"),
        }))),
        Err(reject) => {
            let reason = format!("{} {}", reject.code(), reject.text());
            Err(Refused::new(StatusCode::UNPROCESSABLE_ENTITY, reason))
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Hold {
    symbol: String,
    qty: i64,
    /// Absent: the first account.
    #[serde(default)]
    cano: Option<String>,
}

/// Sets what the account holds, without an order.
pub(super) async fn hold(
    State(shared): State<Arc<Shared>>,
    body: Result<Json<Hold>, JsonRejection>,
) -> Answer {
    let hold = body_of(body)?;
    if !(0..=HELD_MAX).contains(&hold.qty) {
        let reason = format!("qty must be 0 to {HELD_MAX}, was {}", hold.qty);
        return Err(Refused::new(StatusCode::UNPROCESSABLE_ENTITY, reason));
    }
    let account = account(&shared, hold.cano.as_deref())?;
    let mut exchange = shared.exchange();
    exchange.turn(Instant::now(), shared.clock.now());
    let issue = exchange
        .find(&hold.symbol)
        .ok_or_else(|| unknown_symbol(&hold.symbol))?;
    let set = exchange.set_holding(account, issue, hold.qty);
    shared.wake.notify_one();
    match set {
        Ok(before) => Ok(Json(
            json!({ "symbol": hold.symbol, "quantity": hold.qty, "before": before }),
        )),
        Err(in_sale) => {
            let reason = format!("{in_sale} shares are in open sales: cancel those first");
            Err(Refused::new(StatusCode::CONFLICT, reason))
        }
    }
}

fn account(shared: &Shared, cano: Option<&str>) -> Result<usize, Refused> {
    let Some(cano) = cano else {
        return Ok(0);
    };
    let mut accounts = shared.config.accounts.iter();
    accounts
        .position(|account| account.cano == cano)
        .ok_or_else(|| Refused::new(StatusCode::NOT_FOUND, "account is not known here"))
}
