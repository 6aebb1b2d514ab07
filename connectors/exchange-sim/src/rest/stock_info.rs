//! State of a listing (KIS Open API, search-stock-info). Confirmed are `cptt_trad_tr_psbl_yn`,
//! `nxt_tr_stop_yn`, `tr_stop_yn` and `admn_item_yn`; the other names are those of public clients.

use super::{
    answer::{Answer, Object, Value, text},
    call::Call,
};
use crate::{broker::Reject, config::Market, issue::Issue, shared::Shared};

/// Product type of Korean issues.
const PRODUCT_TYPE: &str = "300";

pub(super) fn stock_info(shared: &Shared, call: &Call, _account: usize) -> Answer {
    if call.param("PRDT_TYPE_CD") != PRODUCT_TYPE {
        return Answer::refusal("OPSQ2001", "ERROR : INPUT FIELD [PRDT_TYPE_CD]");
    }
    let exchange = shared.exchange();
    match exchange.find(call.param("PDNO")) {
        Some(index) => {
            let mut fields = Object::default();
            fields.push("output", Value::Object(output(&exchange.issues[index])));
            Answer::success(fields, "KIOK0530", "조회되었습니다")
        }
        None => Answer::refusal(&Reject::Symbol.code(), &Reject::Symbol.text()),
    }
}

fn output(issue: &Issue) -> Object {
    let flag = |is_set| if is_set { "Y" } else { "N" };
    let (market, group) = match issue.market {
        Market::Kospi => ("STK", "ST"),
        Market::Kosdaq => ("KSQ", "ST"),
        Market::Etf => ("STK", "EF"),
        Market::Foreign => ("", "FS"),
    };
    let listing = &issue.listing;
    let ended = listing.delisted;
    let ended = ended.map_or_else(String::new, |day| day.strftime("%Y%m%d").to_string());
    let (listed_on, none) = ("20000104".to_owned(), String::new);
    let [on_kospi, on_kosdaq] = match issue.market {
        Market::Kosdaq => [(none(), none()), (listed_on, ended)],
        Market::Kospi | Market::Etf | Market::Foreign => [(listed_on, ended), (none(), none())],
    };
    let is_on_nxt = matches!(issue.market, Market::Kospi | Market::Kosdaq);
    Object::from([
        ("pdno", text(format_args!("{:0>12}", issue.symbol.as_str()))),
        ("prdt_type_cd", PRODUCT_TYPE.into()),
        ("mket_id_cd", market.into()),
        ("scty_grp_id_cd", group.into()),
        ("lstg_stqt", text(issue.listed_shares)),
        ("scts_mket_lstg_dt", text(on_kospi.0)),
        ("scts_mket_lstg_abol_dt", text(on_kospi.1)),
        ("kosdaq_mket_lstg_dt", text(on_kosdaq.0)),
        ("kosdaq_mket_lstg_abol_dt", text(on_kosdaq.1)),
        ("prdt_abrv_name", text(&issue.name)),
        ("tr_stop_yn", flag(listing.is_suspended).into()),
        ("admn_item_yn", flag(listing.is_managed).into()),
        ("thdt_clpr", text(issue.last())),
        ("std_idst_clsf_cd_name", "".into()),
        ("cptt_trad_tr_psbl_yn", flag(is_on_nxt).into()),
        ("nxt_tr_stop_yn", flag(listing.is_suspended).into()),
    ])
}
