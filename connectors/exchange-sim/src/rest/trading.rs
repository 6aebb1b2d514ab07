//! Orders, cancels and replacements (KIS Open API, order-cash and order-rvsecncl).

use std::str::FromStr;

use tokio::time::Instant;

use super::{
    answer::{Answer, Object, gateway_error},
    call::Call,
};
use crate::{
    broker::{Class, OrderType, Reject, Side},
    config::Environment,
    control::AnswerFault,
    exchange::{Accepted, Amendment, NewOrder},
    price::Price,
    shared::Shared,
};

/// Branch in the broker's number of an order.
pub(super) const ORDER_BRANCH: &str = "91252";
/// Text of the timeouts of the gateway, by which a client has to look for its order.
const OUTCOME_UNKNOWN: &str =
    "처리시간을 초과하였습니다. 이전 주문의 처리 결과를 확인하시기 바랍니다.";

pub(super) fn order_cash(shared: &Shared, call: &Call, account: usize) -> Answer {
    if let Err(answer) = call.check_account(shared, account) {
        return answer;
    }
    let tr_id = call.header("tr_id").unwrap_or_default();
    // Sell ids end in 0011U and 0801U, buy ids in 0012U and 0802U.
    let side = if tr_id.ends_with("1U") {
        Side::Sell
    } else {
        Side::Buy
    };
    let ordered = new_order(shared, call, account, side).and_then(|mut order| {
        if let Some(fault) = shared.faults().take_reject() {
            if !fault.by_notice {
                return Err(Reject::Scripted(fault.code));
            }
            order.is_doomed = true;
        }
        let moment = shared.clock.now();
        let mut exchange = shared.exchange();
        let now = Instant::now();
        exchange.turn(now, moment);
        exchange.accept(&order, now)
    });
    finish(shared, ordered)
}

pub(super) fn order_rvsecncl(shared: &Shared, call: &Call, account: usize) -> Answer {
    if let Err(answer) = call.check_account(shared, account) {
        return answer;
    }
    let amended = amendment(shared, call, account).and_then(|change| {
        let moment = shared.clock.now();
        let mut exchange = shared.exchange();
        let now = Instant::now();
        exchange.turn(now, moment);
        exchange.amend(&change, now)
    });
    finish(shared, amended)
}

fn finish(shared: &Shared, result: Result<Accepted, Reject>) -> Answer {
    shared.wake.notify_one();
    match result {
        Ok(accepted) => {
            let number = format!("{:010}", accepted.number);
            let mut output = Object::default();
            output.push("KRX_FWDG_ORD_ORGNO", ORDER_BRANCH);
            output.push("ODNO", number.clone());
            output.push("ORD_TMD", format!("{:06}", accepted.hhmmss));
            let answer = Answer::order_success(output);
            let fault = shared.faults().take_answer();
            Answer {
                order_number: Some(number),
                ..spoil(answer, fault)
            }
        }
        Err(reject) => Answer::refusal(&reject.code(), &reject.text()),
    }
}

/// Returns what is sent in place of the answer to an executed order.
fn spoil(answer: Answer, fault: Option<AnswerFault>) -> Answer {
    match fault {
        None => answer,
        Some(AnswerFault::Silence) => Answer {
            is_withheld: true,
            ..answer
        },
        Some(AnswerFault::Code(code)) => gateway_error(&code, OUTCOME_UNKNOWN),
        Some(AnswerFault::Garbage) => {
            let half = answer.body.chars().count() / 2;
            Answer {
                body: answer.body.chars().take(half).collect(),
                ..answer
            }
        }
    }
}

fn new_order(shared: &Shared, call: &Call, account: usize, side: Side) -> Result<NewOrder, Reject> {
    let symbol = call.field("PDNO").unwrap_or_default();
    if symbol.is_empty() {
        return Err(Reject::Symbol);
    }
    Ok(NewOrder {
        account,
        symbol: symbol.to_owned(),
        side,
        order_type: order_type(call)?,
        quantity: quantity(call)?,
        price: price(call)?,
        is_routed: is_routed(shared, call)?,
        is_doomed: false,
    })
}

fn amendment(shared: &Shared, call: &Call, account: usize) -> Result<Amendment, Reject> {
    is_routed(shared, call)?;
    let class = match call.field("RVSE_CNCL_DVSN_CD") {
        Some("01") => Class::Replace,
        Some("02") => Class::Cancel,
        other => return Err(bad("RVSE_CNCL_DVSN_CD", other)),
    };
    let original = call.field("ORGN_ODNO").unwrap_or_default();
    let original = u64::from_str(original).map_err(|_| Reject::Original)?;
    let quantity = match call.field("QTY_ALL_ORD_YN") {
        Some("Y") => None,
        Some("N") => Some(quantity(call)?),
        other => return Err(bad("QTY_ALL_ORD_YN", other)),
    };
    let (order_type, price) = match class {
        Class::Cancel => (
            OrderType::by_code("00").ok_or(Reject::Original)?,
            Price::NONE,
        ),
        Class::New | Class::Replace => (order_type(call)?, price(call)?),
    };
    Ok(Amendment {
        account,
        class,
        original,
        quantity,
        order_type,
        price,
    })
}

fn order_type(call: &Call) -> Result<&'static OrderType, Reject> {
    let code = call.field("ORD_DVSN");
    code.and_then(OrderType::by_code)
        .ok_or_else(|| bad("ORD_DVSN", code))
}

fn quantity(call: &Call) -> Result<i64, Reject> {
    let text = call.field("ORD_QTY");
    text.and_then(|text| i64::from_str(text).ok())
        .ok_or_else(|| bad("ORD_QTY", text))
}

fn price(call: &Call) -> Result<Price, Reject> {
    match call.field("ORD_UNPR") {
        Some("") => Ok(Price::NONE),
        Some(text) => Price::from_str(text).map_err(|_| bad("ORD_UNPR", Some(text))),
        None => Err(bad("ORD_UNPR", None)),
    }
}

/// Returns whether the order goes through the broker's router. Paper knows KRX only, and NXT is
/// not simulated.
fn is_routed(shared: &Shared, call: &Call) -> Result<bool, Reject> {
    match call.field("EXCG_ID_DVSN_CD") {
        None | Some("" | "KRX") => Ok(false),
        Some("SOR") if shared.config.environment == Environment::Production => Ok(true),
        other => Err(bad("EXCG_ID_DVSN_CD", other)),
    }
}

fn bad(key: &str, value: Option<&str>) -> Reject {
    let shown: String = value.unwrap_or("없음").chars().take(32).collect();
    Reject::Field(format!("입력값 오류: {key} = {shown}"))
}
