//! What the control port shows.

use std::sync::{Arc, atomic::Ordering};

use axum::{
    Json,
    extract::{Query, State, rejection::QueryRejection},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Refused;
use crate::{broker::Order, call_log::LoggedCall, clock::Moment, shared::Shared};

pub(super) async fn session(State(shared): State<Arc<Shared>>) -> Json<Value> {
    Json(session_of(shared.clock.now()))
}

/// Time and session: `now` is Seoul time with its offset, `date` and `time` its parts.
pub(super) fn session_of(moment: Moment) -> Value {
    let Moment {
        at,
        session,
        is_trading_day,
    } = moment;
    json!({
        "is_open": session.is_open(),
        "session": session,
        "now": format!("{}+09:00", at.strftime("%Y-%m-%dT%H:%M:%S%.6f")),
        "date": at.date().to_string(),
        "time": at.strftime("%H:%M:%S%.6f").to_string(),
        "trading_day": is_trading_day,
    })
}

pub(super) async fn status(State(shared): State<Arc<Shared>>) -> Json<Value> {
    let (sessions, records_sent, notices_sent) = shared.hub.status();
    let progress = &shared.progress;
    Json(json!({
        "paused": shared.exchange().is_paused,
        "ticks": progress.ticks.load(Ordering::Acquire),
        "ticks_total": progress.ticks_total.load(Ordering::Acquire),
        "finished": progress.is_finished.load(Ordering::Acquire),
        "records_sent": records_sent,
        "notices_sent": notices_sent,
        "sessions": sessions,
    }))
}

/// An order as the control port shows it, with what is left of it.
#[derive(Debug, Serialize)]
struct ShownOrder {
    odno: String,
    remaining: i64,
    #[serde(flatten)]
    order: Order,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OrdersQuery {
    /// Number of the last order that is already known.
    #[serde(default)]
    after: u64,
}

pub(super) async fn orders(
    State(shared): State<Arc<Shared>>,
    query: Result<Query<OrdersQuery>, QueryRejection>,
) -> Result<Json<Value>, Refused> {
    let Query(query) = query.map_err(refuse_query)?;
    let exchange = shared.exchange();
    let orders: Vec<_> = exchange
        .orders
        .range(query.after.saturating_add(1)..)
        .map(|(_, order)| ShownOrder {
            odno: format!("{:010}", order.number),
            remaining: order.remaining(),
            order: order.clone(),
        })
        .collect();
    Ok(Json(json!({ "orders": orders })))
}

pub(super) async fn holdings(State(shared): State<Arc<Shared>>) -> Json<Value> {
    let exchange = shared.exchange();
    let accounts: Vec<_> = exchange
        .accounts
        .iter()
        .enumerate()
        .map(|(index, account)| {
            let books = &account.books;
            let holdings: Vec<_> = books
                .holdings
                .iter()
                .map(|(symbol, holding)| {
                    let issue = exchange.find(symbol.as_str());
                    json!({
                        "symbol": symbol,
                        "quantity": holding.quantity,
                        "sellable": issue.map(|issue| exchange.sellable(index, issue)),
                        "cost": holding.cost,
                        "bought_today": holding.bought_today,
                        "sold_today": holding.sold_today,
                        "last": issue.map(|issue| exchange.issues[issue].last()),
                    })
                })
                .collect();
            json!({
                "cano": account.cano,
                "deposit": books.deposit,
                "settled": books.settled(),
                "free": exchange.free_cash(index),
                "bought_today": books.bought,
                "sold_today": books.sold,
                "costs_today": books.costs,
                "holdings": holdings,
            })
        })
        .collect();
    Json(json!({ "accounts": accounts }))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LogQuery {
    /// Number of the last call that is already known.
    #[serde(default)]
    after: u64,
}

#[derive(Debug, Serialize)]
pub(super) struct Log {
    calls: Vec<LoggedCall>,
}

pub(super) async fn log(
    State(shared): State<Arc<Shared>>,
    query: Result<Query<LogQuery>, QueryRejection>,
) -> Result<Json<Log>, Refused> {
    let Query(query) = query.map_err(refuse_query)?;
    Ok(Json(Log {
        calls: shared.calls().after(query.after),
    }))
}

fn refuse_query(rejection: QueryRejection) -> Refused {
    Refused::new(rejection.status(), rejection.body_text())
}
