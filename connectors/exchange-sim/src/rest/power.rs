//! Buying power and sellable quantity (KIS Open API, inquire-psbl-order and inquire-psbl-sell).

use std::str::FromStr;

use super::{
    answer::{Answer, DONE, Object, Value, padded, text},
    call::Call,
};
use crate::{
    broker::{Reject, average},
    price::{Price, ratio},
    shared::Shared,
};

pub(super) fn buying_power(shared: &Shared, call: &Call, account: usize) -> Answer {
    if let Err(answer) = call.check_account(shared, account) {
        return answer;
    }
    let exchange = shared.exchange();
    let Some(index) = exchange.find(call.param("PDNO")) else {
        return Answer::refusal(&Reject::Symbol.code(), &Reject::Symbol.text());
    };
    let stated = Price::from_str(call.param("ORD_UNPR")).unwrap_or_default();
    // Without a price the cash has to reach at the upper limit.
    let price = if stated.is_some() {
        stated
    } else {
        exchange.issues[index].band.1
    };
    let free = exchange.free_cash(account);
    let quantity = exchange.affordable(free, price);
    let with_costs = 1_000_000_000 + i128::from(shared.config.fills.commission_ppb);
    let amount = free.units().max(0) * 1_000_000_000 / with_costs / 10_000;
    let output = Object::from([
        ("ord_psbl_cash", text(free)),
        ("ord_psbl_sbst", "0".into()),
        ("ruse_psbl_amt", "0".into()),
        ("fund_rpch_chgs", "0".into()),
        ("psbl_qty_calc_unpr", text(price)),
        ("nrcvb_buy_amt", text(amount)),
        ("nrcvb_buy_qty", text(quantity)),
        ("max_buy_amt", text(amount)),
        ("max_buy_qty", text(quantity)),
        ("cma_evlu_amt", "0".into()),
        ("ovrs_re_use_amt_wcrc", "0".into()),
        ("ord_psbl_frcr_amt_wcrc", "0".into()),
    ]);
    let mut fields = Object::default();
    fields.push("output", Value::Object(output));
    Answer::success(fields, "KIOK0420", &padded("정상적으로 조회되었습니다"))
}

pub(super) fn sellable(shared: &Shared, call: &Call, account: usize) -> Answer {
    if let Err(answer) = call.check_account(shared, account) {
        return answer;
    }
    let exchange = shared.exchange();
    let Some(index) = exchange.find(call.param("PDNO")) else {
        return Answer::refusal(&Reject::Symbol.code(), &Reject::Symbol.text());
    };
    let issue = &exchange.issues[index];
    let holdings = &exchange.accounts[account].books.holdings;
    let holding = holdings.get(&issue.symbol).cloned().unwrap_or_default();
    let value = issue.last().times(holding.quantity);
    let profit = value - holding.cost;
    let output = Object::from([
        ("pdno", text(&issue.symbol)),
        ("buy_qty", text(holding.bought_today)),
        ("sll_qty", text(holding.sold_today)),
        ("cblc_qty", text(holding.quantity)),
        ("nsvg_qty", "0".into()),
        ("ord_psbl_qty", text(exchange.sellable(account, index))),
        (
            "pchs_avg_pric",
            text(average(holding.cost, holding.quantity)),
        ),
        ("pchs_amt", text(holding.cost)),
        ("now_pric", text(issue.last())),
        ("evlu_amt", text(value)),
        ("evlu_pfls_amt", text(profit)),
        (
            "evlu_pfls_rt",
            text(ratio(profit.units() * 100, holding.cost.units(), 2)),
        ),
    ]);
    let mut fields = Object::default();
    fields.push("output", Value::Object(output));
    Answer::success(fields, "KIOK0510", &padded(DONE))
}
