//! Bars of days, weeks, months and years (KIS Open API, inquire-daily-itemchartprice): newest
//! first, at most 100, paged by moving the end date. There are no splits, so adjusted and raw
//! prices are the same.

use std::str::FromStr;

use jiff::civil::Date;

use super::{
    answer::{Answer, Object, Value, text},
    call::Call,
    history,
};
use crate::{
    broker::Reject,
    exchange::Bar,
    issue::{Issue, yyyymmdd},
    price::Price,
    shared::Shared,
};

/// Most rows of an answer.
const ROWS: usize = 100;

pub(super) fn daily(shared: &Shared, call: &Call, _account: usize) -> Answer {
    let bad = |key: &str| Answer::refusal("OPSQ2001", &format!("ERROR : INPUT FIELD [{key}]"));
    let date = |key: &str| u32::from_str(call.param(key)).map_err(|_| bad(key));
    let (from, to) = match (date("FID_INPUT_DATE_1"), date("FID_INPUT_DATE_2")) {
        (Ok(from), Ok(to)) => (from, to),
        (Err(answer), _) | (_, Err(answer)) => return answer,
    };
    let Some(period_of) = period(call.param("FID_PERIOD_DIV_CODE")) else {
        return bad("FID_PERIOD_DIV_CODE");
    };
    let exchange = shared.exchange();
    let Some(index) = exchange.find(call.param("FID_INPUT_ISCD")) else {
        return Answer::refusal(&Reject::Symbol.code(), &Reject::Symbol.text());
    };
    let bars = merge(history::bars(shared, &exchange, index), period_of);
    let issue = &exchange.issues[index];
    let yesterday = bars.iter().find(|bar| bar.date < exchange.moment.at.date());
    let rows = bars
        .windows(2)
        .filter(|pair| (from..=to).contains(&yyyymmdd(pair[0].date)))
        .take(ROWS)
        .map(|pair| row(&pair[0], pair[1].close))
        .collect();
    let mut fields = Object::default();
    fields.push("output1", Value::Object(summary(issue, yesterday)));
    fields.push("output2", Value::Rows(rows));
    Answer::success(fields, "MCA00000", "정상처리 되었습니다.")
}

/// Returns what tells one period from the next.
fn period(code: &str) -> Option<fn(Date) -> (i16, i16)> {
    match code {
        "D" => Some(|day| (day.year(), day.day_of_year())),
        "W" => Some(|day| {
            let week = day.iso_week_date();
            (week.year(), i16::from(week.week()))
        }),
        "M" => Some(|day| (day.year(), i16::from(day.month()))),
        "Y" => Some(|day| (day.year(), 0)),
        _ => None,
    }
}

/// Joins daily bars, newest first, into bars of a period dated at its last day.
fn merge(bars: Vec<Bar>, period_of: fn(Date) -> (i16, i16)) -> Vec<Bar> {
    let mut merged: Vec<Bar> = Vec::with_capacity(bars.len());
    for bar in bars {
        match merged.last_mut() {
            Some(last) if period_of(last.date) == period_of(bar.date) => {
                last.open = bar.open;
                last.high = last.high.max(bar.high);
                last.low = last.low.min(bar.low);
                last.volume += bar.volume;
                last.value += bar.value;
            }
            _ => merged.push(bar),
        }
    }
    merged
}

fn sign(close: Price, before: Price) -> &'static str {
    match close.cmp(&before) {
        std::cmp::Ordering::Greater => "2",
        std::cmp::Ordering::Equal => "3",
        std::cmp::Ordering::Less => "5",
    }
}

fn row(bar: &Bar, before: Price) -> Object {
    Object::from([
        ("stck_bsop_date", text(yyyymmdd(bar.date))),
        ("stck_clpr", text(bar.close)),
        ("stck_oprc", text(bar.open)),
        ("stck_hgpr", text(bar.high)),
        ("stck_lwpr", text(bar.low)),
        ("acml_vol", text(bar.volume)),
        ("acml_tr_pbmn", text(bar.value)),
        ("flng_cls_code", "00".into()),
        ("prtt_rate", "0.00".into()),
        ("mod_yn", "N".into()),
        ("prdy_vrss_sign", sign(bar.close, before).into()),
        ("prdy_vrss", text(bar.close.times(1) - before.times(1))),
        ("revl_issu_reas", "".into()),
    ])
}

fn summary(issue: &Issue, yesterday: Option<&Bar>) -> Object {
    let (day, last) = (&issue.day, issue.last());
    let past = |value: fn(&Bar) -> Price| text(yesterday.map(value).unwrap_or_default());
    Object::from([
        ("prdy_vrss", text(issue.change(last))),
        ("prdy_vrss_sign", issue.sign(last).into()),
        ("prdy_ctrt", text(issue.change_pct(last))),
        ("stck_prdy_clpr", text(issue.prev_close)),
        ("acml_vol", text(day.volume)),
        ("acml_tr_pbmn", text(day.value)),
        ("hts_kor_isnm", text(&issue.name)),
        ("stck_prpr", text(last)),
        ("stck_shrn_iscd", text(&issue.symbol)),
        ("prdy_vol", text(issue.prev_volume)),
        ("stck_mxpr", text(issue.band.1)),
        ("stck_llam", text(issue.band.0)),
        ("stck_oprc", text(day.open)),
        ("stck_hgpr", text(day.high)),
        ("stck_lwpr", text(day.low)),
        ("stck_prdy_oprc", past(|bar| bar.open)),
        ("stck_prdy_hgpr", past(|bar| bar.high)),
        ("stck_prdy_lwpr", past(|bar| bar.low)),
        ("askp", text(issue.quotes.ask)),
        ("bidp", text(issue.quotes.bid)),
        ("prdy_vrss_vol", text(day.volume - issue.prev_volume)),
        ("vol_tnrt", text(issue.volume_pct(issue.listed_shares))),
        ("stck_fcam", "100".into()),
        ("lstn_stcn", text(issue.listed_shares)),
        ("cpfn", "0".into()),
        ("hts_avls", "0".into()),
        ("per", "0".into()),
        ("eps", "0".into()),
        ("pbr", "0".into()),
        ("itewhol_loan_rmnd_ratem", "0".into()),
    ])
}
