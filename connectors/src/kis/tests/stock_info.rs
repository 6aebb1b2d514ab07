//! The state of a listing.

use jiff::civil::date;
use serde_json::{Value, json};
use turnstile_dataflows::model::Symbol;

use super::server::{Reply, Rest, fixture, token_or};
use crate::kis::{Lane, Listing, StockInfo};

fn samsung() -> Symbol {
    "005930".parse().unwrap()
}

/// The confirmed fields (KIS Open API, 6.5) and the unconfirmed ones that are read.
fn whole() -> Value {
    json!({
        "pdno": "00000A005930", "prdt_type_cd": "300", "mket_id_cd": "STK",
        "scty_grp_id_cd": "ST", "lstg_stqt": "0000005919637922",
        "scts_mket_lstg_dt": "19750611", "scts_mket_lstg_abol_dt": "        ",
        "kosdaq_mket_lstg_dt": "", "kosdaq_mket_lstg_abol_dt": "",
        "prdt_abrv_name": "삼성전자  ", "std_idst_clsf_cd_name": "통신 및 방송 장비 제조업",
        "tr_stop_yn": "N", "admn_item_yn": "N", "cptt_trad_tr_psbl_yn": "Y",
        "nxt_tr_stop_yn": "N",
    })
}

async fn told(output: Value) -> Option<StockInfo> {
    let body = json!({"rt_cd": "0", "msg_cd": "KIOK0530", "msg1": "", "output": output});
    let rest = Rest::start(move |seen, _| {
        token_or(seen, || {
            assert_eq!(seen.headers["tr_id"], "CTPF1002R");
            assert_eq!(seen.query["PRDT_TYPE_CD"], "300");
            assert_eq!(seen.query["PDNO"], "005930");
            Reply::Json(200, body.clone())
        })
    })
    .await;
    let fixture = fixture(&rest, |config| config.retry.queries_max = 0);
    let told = fixture.client.stock_info(samsung(), Lane::Tier2).await;
    told.unwrap()
}

#[tokio::test]
async fn a_whole_answer_is_read() {
    let info = told(whole()).await.unwrap();
    assert_eq!(
        info,
        StockInfo {
            symbol: samsung(),
            is_stopped: Some(false),
            is_managed: Some(false),
            is_on_nxt: Some(true),
            is_stopped_on_nxt: Some(false),
            name: Some("삼성전자".to_owned()),
            market: Some("KOSPI"),
            instrument_type: Some("STOCK"),
            industry: Some("통신 및 방송 장비 제조업".to_owned()),
            listed_shares: Some(5_919_637_922),
            listed_on: Some(date(1975, 6, 11)),
            listing: Listing::Stands,
        }
    );
}

#[tokio::test]
async fn what_is_absent_or_unreadable_is_not_guessed() {
    let info = told(
        json!({"admn_item_yn": "Y", "tr_stop_yn": "?", "lstg_stqt": "many",
        "scts_mket_lstg_dt": "soon", "mket_id_cd": "XXX"}),
    )
    .await
    .unwrap();
    assert_eq!((info.is_managed, info.is_stopped), (Some(true), None));
    assert_eq!((info.is_on_nxt, info.listed_shares), (None, None));
    assert_eq!((info.market, info.listed_on), (None, None));
    assert_eq!(info.listing, Listing::Unknown);
}

#[tokio::test]
async fn an_answer_without_flags_or_of_another_issue_tells_nothing() {
    let mut other = whole();
    other["pdno"] = json!("00000A000660");
    for output in [json!({"prdt_abrv_name": "삼성전자"}), other] {
        assert_eq!(told(output).await, None);
    }
}

#[tokio::test]
async fn an_issue_that_changed_its_market_is_listed_and_one_that_left_every_market_is_not() {
    let mut moved = whole();
    moved["kosdaq_mket_lstg_dt"] = json!("20050601");
    moved["kosdaq_mket_lstg_abol_dt"] = json!("20180209");
    assert_eq!(told(moved).await.unwrap().listing, Listing::Stands);
    let mut gone = whole();
    gone["scts_mket_lstg_abol_dt"] = json!("20261120");
    let ended = Listing::Ends(date(2026, 11, 20));
    assert_eq!(told(gone).await.unwrap().listing, ended);
    let mut unsaid = whole();
    unsaid
        .as_object_mut()
        .unwrap()
        .remove("scts_mket_lstg_abol_dt");
    assert_eq!(told(unsaid).await.unwrap().listing, Listing::Unknown);
}
