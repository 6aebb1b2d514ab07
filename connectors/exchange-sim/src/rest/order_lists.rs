//! Lists of orders (KIS Open API, inquire-daily-ccld and inquire-psbl-rvsecncl). One row per order
//! with its cumulative fills; cancels and replacements have rows of their own.

use std::str::FromStr;

use super::{
    answer::{Answer, Object, Value, text},
    call::Call,
    paging::page,
    trading::ORDER_BRANCH,
};
use crate::{
    broker::{BRANCH, Class, Condition, Order, Side, average},
    config::Environment,
    exchange::Exchange,
    issue::{hhmmss, yyyymmdd},
    price::Money,
    shared::Shared,
};

/// Rows of a page of open orders.
const OPEN_ROWS: usize = 50;

pub(super) fn daily_orders(shared: &Shared, call: &Call, account: usize) -> Answer {
    if let Err(answer) = call.check_account(shared, account) {
        return answer;
    }
    let search = match Search::new(call) {
        Ok(search) => search,
        Err(answer) => return answer,
    };
    let exchange = shared.exchange();
    let mut found: Vec<&Order> = exchange
        .orders
        .values()
        .filter(|order| order.account == account && search.holds(order))
        .collect();
    if call.param("INQR_DVSN") != "01" {
        found.reverse();
    }
    let totals = totals(&found);
    let size = match shared.config.environment {
        Environment::Production => 100,
        Environment::Paper => 15,
    };
    let area = format!(
        "{}^{}^{:08}^{:08}^",
        call.param("CANO"),
        call.param("ACNT_PRDT_CD"),
        search.from,
        search.to
    );
    match page(call, found, size, area, |order| {
        format!("{:010}", order.number)
    }) {
        Ok(page) => {
            let rows = page
                .rows
                .iter()
                .map(|order| daily_row(&exchange, order))
                .collect();
            let mut outputs = Object::default();
            outputs.push("output1", Value::Rows(rows));
            outputs.push("output2", Value::Object(totals));
            page.answer(call, outputs)
        }
        Err(answer) => answer,
    }
}

/// What a call looks for.
struct Search {
    from: u32,
    to: u32,
    side: Option<Side>,
    symbol: String,
    number: Option<u64>,
    is_filled: Option<bool>,
}

impl Search {
    fn new(call: &Call) -> Result<Self, Answer> {
        let bad = |key: &str| Answer::refusal("OPSQ2001", &format!("ERROR : INPUT FIELD [{key}]"));
        let date = |key: &str| {
            let value = call.param(key);
            let is_date = value.len() == 8 && value.bytes().all(|byte| byte.is_ascii_digit());
            u32::from_str(value)
                .ok()
                .filter(|_| is_date)
                .ok_or_else(|| bad(key))
        };
        let side = match call.param("SLL_BUY_DVSN_CD") {
            "00" => None,
            "01" => Some(Side::Sell),
            "02" => Some(Side::Buy),
            _ => return Err(bad("SLL_BUY_DVSN_CD")),
        };
        let is_filled = match call.param("CCLD_DVSN") {
            "00" => None,
            "01" => Some(true),
            "02" => Some(false),
            _ => return Err(bad("CCLD_DVSN")),
        };
        let number = match call.param("ODNO") {
            "" => None,
            text => Some(u64::from_str(text).map_err(|_| bad("ODNO"))?),
        };
        Ok(Self {
            from: date("INQR_STRT_DT")?,
            to: date("INQR_END_DT")?,
            side,
            symbol: call.param("PDNO").to_owned(),
            number,
            is_filled,
        })
    }

    fn holds(&self, order: &Order) -> bool {
        let date = yyyymmdd(order.at.date());
        (self.from..=self.to).contains(&date)
            && self.side.is_none_or(|side| order.side == side)
            && (self.symbol.is_empty() || order.symbol.as_str() == self.symbol)
            && self.number.is_none_or(|number| order.number == number)
            && match self.is_filled {
                None => true,
                Some(true) => order.filled > 0,
                Some(false) => order.remaining() > 0,
            }
    }
}

fn totals(orders: &[&Order]) -> Object {
    let filled: i64 = orders.iter().map(|order| order.filled).sum();
    let value: Money = orders.iter().map(|order| order.filled_value).sum();
    let costs: Money = orders.iter().map(|order| order.costs).sum();
    Object::from([
        (
            "tot_ord_qty",
            text(orders.iter().map(|order| order.quantity).sum::<i64>()),
        ),
        ("tot_ccld_qty", text(filled)),
        ("tot_ccld_amt", text(value)),
        ("prsm_tlex_smtl", text(costs)),
        ("pchs_avg_pric", text(average(value, filled))),
    ])
}

fn class_name(order: &Order) -> &'static str {
    match order.class {
        Class::New => order.order_type.name,
        Class::Replace => "정정",
        Class::Cancel => "취소",
    }
}

fn side_name(order: &Order) -> &'static str {
    match (order.side, order.class) {
        (Side::Buy, Class::New) => "현금매수",
        (Side::Buy, Class::Replace) => "매수정정*",
        (Side::Buy, Class::Cancel) => "매수취소*",
        (Side::Sell, Class::New) => "현금매도",
        (Side::Sell, Class::Replace) => "매도정정*",
        (Side::Sell, Class::Cancel) => "매도취소*",
    }
}

fn original(order: &Order) -> Value {
    text(
        order
            .original
            .map(|number| format!("{number:010}"))
            .unwrap_or_default(),
    )
}

const fn venue(order: &Order) -> &'static str {
    if order.is_routed { "SOR" } else { "KRX" }
}

fn daily_row(exchange: &Exchange, order: &Order) -> Object {
    let condition = match order.order_type.condition {
        Condition::None => "없음",
        Condition::ImmediateOrCancel => "IOC",
        Condition::FillOrKill => "FOK",
    };
    let is_cancel = order.class == Class::Cancel && order.cancelled > 0;
    Object::from([
        ("ord_dt", text(format!("{:08}", yyyymmdd(order.at.date())))),
        ("ord_gno_brno", ORDER_BRANCH.into()),
        ("odno", text(format!("{:010}", order.number))),
        ("orgn_odno", original(order)),
        ("ord_dvsn_name", class_name(order).into()),
        ("sll_buy_dvsn_cd", order.side.code().into()),
        ("sll_buy_dvsn_cd_name", side_name(order).into()),
        ("pdno", text(&order.symbol)),
        ("prdt_name", text(&exchange.issues[order.issue].name)),
        ("ord_qty", text(order.quantity)),
        ("ord_unpr", text(order.price)),
        ("ord_tmd", text(format!("{:06}", hhmmss(order.at)))),
        ("tot_ccld_qty", text(order.filled)),
        ("avg_prvs", text(order.average())),
        ("cncl_yn", if is_cancel { "Y" } else { "N" }.into()),
        ("tot_ccld_amt", text(order.filled_value)),
        ("loan_dt", "".into()),
        ("ordr_empno", "".into()),
        ("ord_dvsn_cd", order.order_type.code.into()),
        ("cncl_cfrm_qty", text(order.cancelled)),
        ("rmn_qty", text(order.remaining())),
        ("rjct_qty", text(order.rejected)),
        ("ccld_cndt_name", condition.into()),
        ("inqr_ip_addr", "".into()),
        ("cpbc_ordp_ord_rcit_dvsn_cd", "".into()),
        ("cpbc_ordp_infm_mthd_dvsn_cd", "".into()),
        (
            "infm_tmd",
            text(
                order
                    .filled_at
                    .map(|at| format!("{at:06}"))
                    .unwrap_or_default(),
            ),
        ),
        ("ctac_tlno", "".into()),
        ("prdt_type_cd", "300".into()),
        ("excg_dvsn_cd", "02".into()),
        ("cpbc_ordp_mtrl_dvsn_cd", "".into()),
        ("ord_orgno", BRANCH.into()),
        ("rsvn_ord_end_dt", "".into()),
        ("excg_id_dvsn_Cd", venue(order).into()),
        ("stpm_cndt_pric", "0".into()),
        ("stpm_efct_occr_dtmd", "".into()),
    ])
}

pub(super) fn open_orders(shared: &Shared, call: &Call, account: usize) -> Answer {
    if let Err(answer) = call.check_account(shared, account) {
        return answer;
    }
    let exchange = shared.exchange();
    let side = match call.param("INQR_DVSN_2") {
        "1" => Some(Side::Sell),
        "2" => Some(Side::Buy),
        _ => None,
    };
    let mut found: Vec<&Order> = exchange
        .live_orders(account)
        .filter(|order| side.is_none_or(|side| order.side == side))
        .collect();
    if call.param("INQR_DVSN_1") == "1" {
        found.sort_by_key(|order| (&order.symbol, order.number));
    } else {
        found.sort_by_key(|order| order.number);
    }
    let area = format!("{}^{}^", call.param("CANO"), call.param("ACNT_PRDT_CD"));
    match page(call, found, OPEN_ROWS, area, |order| {
        format!("{:010}", order.number)
    }) {
        Ok(page) => {
            let rows = page
                .rows
                .iter()
                .map(|order| open_row(&exchange, order))
                .collect();
            let mut outputs = Object::default();
            outputs.push("output", Value::Rows(rows));
            page.answer(call, outputs)
        }
        Err(answer) => answer,
    }
}

fn open_row(exchange: &Exchange, order: &Order) -> Object {
    Object::from([
        ("ord_gno_brno", ORDER_BRANCH.into()),
        ("odno", text(format!("{:010}", order.number))),
        ("orgn_odno", original(order)),
        ("ord_dvsn_name", order.order_type.name.into()),
        ("pdno", text(&order.symbol)),
        ("prdt_name", text(&exchange.issues[order.issue].name)),
        (
            "rvse_cncl_dvsn_name",
            if order.class == Class::Replace {
                "정정"
            } else {
                ""
            }
            .into(),
        ),
        ("ord_qty", text(order.quantity)),
        ("ord_unpr", text(order.price)),
        ("ord_tmd", text(format!("{:06}", hhmmss(order.at)))),
        ("tot_ccld_qty", text(order.filled)),
        ("tot_ccld_amt", text(order.filled_value)),
        ("psbl_qty", text(order.remaining())),
        ("sll_buy_dvsn_cd", order.side.code().into()),
        ("ord_dvsn_cd", order.order_type.code.into()),
        ("mgco_aptm_odno", "".into()),
        ("excg_dvsn_cd", "02".into()),
        ("excg_id_dvsn_cd", venue(order).into()),
        ("excg_id_dvsn_name", venue(order).into()),
        ("stpm_cndt_pric", "0".into()),
        ("stpm_efct_occr_yn", "N".into()),
    ])
}
