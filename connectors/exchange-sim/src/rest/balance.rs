//! Holdings and cash (KIS Open API, inquire-balance).

use super::{
    answer::{Answer, Object, Value, text},
    call::Call,
    paging::page,
};
use crate::{
    broker::{Holding, average},
    config::Environment,
    exchange::Exchange,
    price::{Money, ratio},
    shared::Shared,
    symbol::Symbol,
};

pub(super) fn balance(shared: &Shared, call: &Call, account: usize) -> Answer {
    if let Err(answer) = call.check_account(shared, account) {
        return answer;
    }
    let exchange = shared.exchange();
    let holdings = &exchange.accounts[account].books.holdings;
    let size = match shared.config.environment {
        Environment::Production => 50,
        Environment::Paper => 20,
    };
    let area = format!(
        "{}^{}^{}^N^{}^{}^{}^",
        call.param("CANO"),
        call.param("ACNT_PRDT_CD"),
        call.param("AFHR_FLPR_YN"),
        call.param("INQR_DVSN"),
        call.param("UNPR_DVSN"),
        call.param("FUND_STTL_ICLD_YN"),
    );
    let rows: Vec<(&Symbol, &Holding)> = holdings.iter().collect();
    match page(call, rows, size, area, |(symbol, _)| (*symbol).to_string()) {
        Ok(page) => {
            let rows = page.rows.iter();
            let rows = rows
                .filter_map(|(symbol, holding)| row(&exchange, account, symbol, holding))
                .collect();
            let mut outputs = Object::default();
            outputs.push("output1", Value::Rows(rows));
            outputs.push("output2", Value::Rows(vec![totals(&exchange, account)]));
            page.answer(call, outputs)
        }
        Err(answer) => answer,
    }
}

fn row(exchange: &Exchange, account: usize, symbol: &Symbol, holding: &Holding) -> Option<Object> {
    let index = exchange.find(symbol.as_str())?;
    let issue = &exchange.issues[index];
    let last = issue.last();
    let value = last.times(holding.quantity);
    let profit = value - holding.cost;
    let change = issue.change(last);
    let base = i128::from(issue.prev_close.units());
    Some(Object::from([
        ("pdno", text(symbol)),
        ("prdt_name", text(&issue.name)),
        ("trad_dvsn_name", "현금".into()),
        ("bfdy_buy_qty", "0".into()),
        ("bfdy_sll_qty", "0".into()),
        ("thdt_buyqty", text(holding.bought_today)),
        ("thdt_sll_qty", text(holding.sold_today)),
        ("hldg_qty", text(holding.quantity)),
        ("ord_psbl_qty", text(exchange.sellable(account, index))),
        (
            "pchs_avg_pric",
            text(four_decimals(&average(holding.cost, holding.quantity))),
        ),
        ("pchs_amt", text(holding.cost)),
        ("prpr", text(last)),
        ("evlu_amt", text(value)),
        ("evlu_pfls_amt", text(profit)),
        (
            "evlu_pfls_rt",
            text(ratio(profit.units() * 100, holding.cost.units(), 2)),
        ),
        ("evlu_erng_rt", "0.00000000".into()),
        ("loan_dt", "".into()),
        ("loan_amt", "0".into()),
        ("stln_slng_chgs", "0".into()),
        ("expd_dt", "".into()),
        ("fltt_rt", text(ratio(change.units() * 100, base, 8))),
        ("bfdy_cprs_icdc", text(change)),
        ("item_mgna_rt_name", "20%".into()),
        ("grta_rt_name", "".into()),
        ("sbst_pric", text(Money::from_units(base * 8 / 10))),
        ("stck_loan_unpr", "0.0000".into()),
    ]))
}

fn four_decimals(average: &str) -> String {
    if average == "0" {
        "0.0000".to_owned()
    } else {
        average.to_owned()
    }
}

fn totals(exchange: &Exchange, account: usize) -> Object {
    let books = &exchange.accounts[account].books;
    let value = exchange.shares_value(account);
    let cost: Money = books.holdings.values().map(|holding| holding.cost).sum();
    let settled = books.settled();
    let assets = value + settled;
    Object::from([
        ("dnca_tot_amt", text(books.deposit)),
        ("nxdy_excc_amt", text(books.deposit)),
        ("prvs_rcdl_excc_amt", text(settled)),
        ("cma_evlu_amt", "0".into()),
        ("bfdy_buy_amt", "0".into()),
        ("thdt_buy_amt", text(books.bought)),
        ("nxdy_auto_rdpt_amt", "0".into()),
        ("bfdy_sll_amt", "0".into()),
        ("thdt_sll_amt", text(books.sold)),
        ("d2_auto_rdpt_amt", "0".into()),
        ("bfdy_tlex_amt", "0".into()),
        ("thdt_tlex_amt", text(books.costs)),
        ("tot_loan_amt", "0".into()),
        ("scts_evlu_amt", text(value)),
        ("tot_evlu_amt", text(assets)),
        ("nass_amt", text(assets)),
        ("fncg_gld_auto_rdpt_yn", "".into()),
        ("pchs_amt_smtl_amt", text(cost)),
        ("evlu_amt_smtl_amt", text(value)),
        ("evlu_pfls_smtl_amt", text(value - cost)),
        ("tot_stln_slng_chgs", "0".into()),
        ("bfdy_tot_asst_evlu_amt", text(books.opening_assets)),
        ("asst_icdc_amt", text(assets - books.opening_assets)),
        ("asst_icdc_erng_rt", "0.00000000".into()),
    ])
}
