//! The REST service: the gateway's checks, then one operation per path.
//!
//! Every operation is a function of the call and the state under the locks; only sending the answer
//! takes time. So a call is executed in full before its answer is delayed or withheld.

mod answer;
mod auth;
mod balance;
mod call;
mod chart;
mod history;
mod holiday;
mod order_lists;
mod paging;
mod power;
mod quote;
mod stock_info;
mod trading;

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    body::to_bytes,
    extract::{Request, State},
    http::{Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use tokio::time::Instant;

use answer::{Answer, gateway_error};
use call::Call;

use crate::{
    auth::Denial,
    call_log::{LoggedCall, Outcome, without_secrets},
    clock::real_us,
    config::Environment,
    naver,
    shared::Shared,
};

/// Largest body that is read.
const BODY_MAX: usize = 64 * 1024;

const TRADING: &str = "/uapi/domestic-stock/v1/trading/";
const QUOTATIONS: &str = "/uapi/domestic-stock/v1/quotations/";

/// Returns the service, with Naver's prices beside it.
pub(crate) fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .fallback(serve)
        .merge(naver::router())
        .with_state(shared)
}

async fn serve(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let at_us = real_us();
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, BODY_MAX).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let call = Call::new(&parts, &body);
    let (is_broken, delay) = {
        let mut faults = shared.faults();
        (
            faults.take_http_5xx(),
            Duration::from_millis(faults.delay_ms),
        )
    };
    let answer = if is_broken {
        Answer::bare(503)
    } else {
        route(&shared, &call)
    };
    shared.calls().add(LoggedCall {
        seq: 0,
        at_us,
        method: call.method.to_string(),
        path: call.path.clone(),
        tr_id: call.header("tr_id").unwrap_or_default().to_owned(),
        body: without_secrets(&call.query, &body),
        outcome: Outcome {
            http_status: answer.status,
            rt_cd: answer.rt_cd.clone(),
            msg_cd: answer.msg_cd.clone(),
            odno: answer.order_number.clone(),
            is_answered: !answer.is_withheld,
        },
    });
    if answer.is_withheld {
        // Until the client gives up or the simulator stops.
        shared.stop.cancelled().await;
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    if !delay.is_zero() {
        shared
            .stop
            .run_until_cancelled(tokio::time::sleep(delay))
            .await;
    }
    respond(&call, answer)
}

fn respond(call: &Call, answer: Answer) -> Response {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let tr_id = call.header("tr_id").unwrap_or_default().to_owned();
    let gt_uid = uuid::Uuid::new_v4().simple().to_string().to_uppercase();
    let headers = [
        (
            header::CONTENT_TYPE.as_str(),
            "application/json; charset=utf-8".to_owned(),
        ),
        ("tr_id", tr_id),
        ("tr_cont", answer.tr_cont.to_owned()),
        ("gt_uid", gt_uid),
    ];
    (status, headers, answer.body).into_response()
}

/// An operation behind the gateway: what it takes and does.
struct Operation {
    path: &'static str,
    method: Method,
    /// Production TR ids, the current one first.
    tr_ids: &'static [&'static str],
    is_on_paper: bool,
    run: fn(&Shared, &Call, usize) -> Answer,
}

const fn get(
    path: &'static str,
    tr_ids: &'static [&'static str],
    is_on_paper: bool,
    run: fn(&Shared, &Call, usize) -> Answer,
) -> Operation {
    Operation {
        path,
        method: Method::GET,
        tr_ids,
        is_on_paper,
        run,
    }
}

const fn post(
    path: &'static str,
    tr_ids: &'static [&'static str],
    run: fn(&Shared, &Call, usize) -> Answer,
) -> Operation {
    Operation {
        path,
        method: Method::POST,
        tr_ids,
        is_on_paper: true,
        run,
    }
}

static TRADING_OPERATIONS: [Operation; 7] = [
    post(
        "order-cash",
        &["TTTC0011U", "TTTC0012U", "TTTC0801U", "TTTC0802U"],
        trading::order_cash,
    ),
    post(
        "order-rvsecncl",
        &["TTTC0013U", "TTTC0803U"],
        trading::order_rvsecncl,
    ),
    get(
        "inquire-psbl-rvsecncl",
        &["TTTC0084R", "TTTC8036R"],
        false,
        order_lists::open_orders,
    ),
    get(
        "inquire-daily-ccld",
        &["TTTC0081R", "CTSC9215R", "TTTC8001R", "CTSC9115R"],
        true,
        order_lists::daily_orders,
    ),
    get("inquire-balance", &["TTTC8434R"], true, balance::balance),
    get(
        "inquire-psbl-order",
        &["TTTC8908R"],
        true,
        power::buying_power,
    ),
    get("inquire-psbl-sell", &["TTTC8408R"], false, power::sellable),
];

static QUOTE_OPERATIONS: [Operation; 4] = [
    get("inquire-price", &["FHKST01010100"], true, quote::price),
    get(
        "inquire-daily-itemchartprice",
        &["FHKST03010100"],
        true,
        chart::daily,
    ),
    get(HOLIDAYS, &["CTCA0903R"], false, holiday::holidays),
    get(
        "search-stock-info",
        &["CTPF1002R"],
        true,
        stock_info::stock_info,
    ),
];

/// The calendar may be offered on paper, by a setting.
const HOLIDAYS: &str = "chk-holiday";

fn route(shared: &Shared, call: &Call) -> Answer {
    match (&call.method, call.path.as_str()) {
        (&Method::POST, "/oauth2/tokenP") => auth::token(shared, call),
        (&Method::POST, "/oauth2/revokeP") => auth::revoke(shared, call),
        (&Method::POST, "/oauth2/Approval") => auth::approval(shared, call),
        (&Method::POST, "/uapi/hashkey") => auth::hash_key(shared, call),
        (method, path) => {
            let found = find(&TRADING_OPERATIONS, path.strip_prefix(TRADING), method)
                .or_else(|| find(&QUOTE_OPERATIONS, path.strip_prefix(QUOTATIONS), method));
            match found {
                Some(operation) => pass_gateway(shared, call, operation),
                None => Answer::bare(404),
            }
        }
    }
}

fn find(
    operations: &'static [Operation],
    name: Option<&str>,
    method: &Method,
) -> Option<&'static Operation> {
    let name = name?;
    operations
        .iter()
        .find(|operation| operation.path == name && operation.method == *method)
}

/// Checks keys, limit, token and TR id, then executes the call.
fn pass_gateway(shared: &Shared, call: &Call, operation: &Operation) -> Answer {
    let now = Instant::now();
    let checked = {
        let mut auth = shared.auth();
        auth.account(call.header("appkey"), call.header("appsecret"))
            .and_then(|account| {
                if shared.faults().take_rate_limit() {
                    return Err(Denial::TooManyCalls);
                }
                auth.count_call(account, now)?;
                auth.check(account, call.header("authorization"), now)?;
                Ok(account)
            })
    };
    let account = match checked {
        Ok(account) => account,
        Err(denial) => return auth::denied(denial),
    };
    let environment = shared.config.environment;
    let tr_id = call.header("tr_id").unwrap_or_default();
    let is_production_id = operation.tr_ids.contains(&tr_id);
    let is_offered = operation.is_on_paper
        || (operation.path == HOLIDAYS && shared.config.clock.calendar_on_paper);
    if environment == Environment::Paper && !is_offered {
        return gateway_error("EGW00213", "모의투자 TR 이 아닙니다.");
    }
    // Quotations have one id in both environments (KIS Open API, 6).
    let has_one_id = QUOTE_OPERATIONS
        .iter()
        .any(|quote| std::ptr::eq(quote, operation));
    let is_known = match environment {
        Environment::Production => is_production_id,
        Environment::Paper if has_one_id => is_production_id,
        Environment::Paper => operation
            .tr_ids
            .iter()
            .any(|known| paper_id(known) == tr_id),
    };
    if is_known {
        (operation.run)(shared, call, account)
    } else if environment == Environment::Paper && is_production_id {
        gateway_error("EGW00213", "모의투자 TR 이 아닙니다.")
    } else {
        gateway_error("EGW00101", "유효하지 않은 요청입니다.")
    }
}

/// Returns the paper id of a production TR id: a first letter T, J or C becomes V.
fn paper_id(tr_id: &str) -> String {
    match tr_id.strip_prefix(['T', 'J', 'C']) {
        Some(rest) => format!("V{rest}"),
        None => tr_id.to_owned(),
    }
}

/// Codes and texts of the gateway's denials.
const fn denial_text(denial: Denial) -> (&'static str, &'static str) {
    match denial {
        Denial::AppKeyMissing => ("EGW00102", "AppKey는 필수입니다."),
        Denial::AppKeyInvalid => ("EGW00103", "유효하지 않은 AppKey입니다."),
        Denial::SecretMissing => ("EGW00104", "AppSecret은 필수입니다."),
        Denial::SecretInvalid => ("EGW00105", "유효하지 않은 AppSecret입니다."),
        Denial::TokenInvalid => ("EGW00121", "유효하지 않은 token 입니다."),
        Denial::TokenExpired => ("EGW00123", "기간이 만료된 token 입니다."),
        Denial::TokenTooOften => (
            "EGW00133",
            "접근토큰 발급 잠시 후 다시 시도하세요(1분당 1회)",
        ),
        Denial::TooManyCalls => ("EGW00201", "초당 거래건수를 초과하였습니다."),
    }
}
