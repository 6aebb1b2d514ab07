//! Quotes and calendar.

use serde_json::{Value, json};

use crate::{
    client::{Client, quiet},
    samples::{keys_in_order, sample_keys},
};

const QUOTE_SAMPLES: &str = include_str!("../../test_data/auth-and-quotes.json");
const QUOTES: &str = "/uapi/domestic-stock/v1/quotations";

#[tokio::test]
async fn quotes_have_the_names_of_the_broker() {
    let client = Client::start(quiet()).await;
    client.print("005930", 191_200).await;
    let query = [
        ("FID_COND_MRKT_DIV_CODE", "J"),
        ("FID_INPUT_ISCD", "005930"),
    ];
    let reply = client
        .get(&format!("{QUOTES}/inquire-price"), "FHKST01010100", &query)
        .await;
    let sample = sample_keys(
        QUOTE_SAMPLES,
        "\"inquire_price\"",
        "\"inquire_daily_itemchartprice_D\"",
    );
    assert_eq!(keys_in_order(&reply.text), sample);
    for (key, value) in [
        ("stck_prpr", "191200"),
        ("prdy_vrss", "1100"),
        ("prdy_vrss_sign", "2"),
        ("prdy_ctrt", "0.58"),
        ("stck_mxpr", "247000"),
        ("stck_llam", "133100"),
        ("stck_sdpr", "190100"),
        ("aspr_unit", "100"),
        ("acml_vol", "5"),
        ("bstp_kor_isnm", "전기·전자"),
        ("eps", "15841"),
        ("bps", "152080"),
        ("per", "12.07"),
        ("pbr", "1.26"),
    ] {
        assert_eq!(reply.body["output"][key], value, "{key}");
    }

    let query = [
        ("FID_COND_MRKT_DIV_CODE", "J"),
        ("FID_INPUT_ISCD", "005930"),
        ("FID_INPUT_DATE_1", "19000101"),
        ("FID_INPUT_DATE_2", "99991231"),
        ("FID_PERIOD_DIV_CODE", "D"),
        ("FID_ORG_ADJ_PRC", "0"),
    ];
    let path = format!("{QUOTES}/inquire-daily-itemchartprice");
    let reply = client.get(&path, "FHKST03010100", &query).await;
    let rows = reply.body["output2"].as_array().unwrap();
    assert_eq!(rows.len(), 100);
    assert_eq!(
        (&rows[0]["stck_clpr"], &rows[1]["stck_clpr"]),
        (&json!("191200"), &json!("190100"))
    );
    let number = |row: &Value, key: &str| row[key].as_str().unwrap().parse::<i64>().unwrap();
    for (at, row) in rows.iter().enumerate() {
        let prices = ["stck_oprc", "stck_clpr"].map(|key| number(row, key));
        assert!(
            prices
                .iter()
                .all(|price| *price <= number(row, "stck_hgpr"))
        );
        assert!(
            prices
                .iter()
                .all(|price| *price >= number(row, "stck_lwpr"))
        );
        if let Some(before) = rows.get(at + 1) {
            assert!(number(row, "stck_bsop_date") > number(before, "stck_bsop_date"));
            assert_eq!(
                number(row, "prdy_vrss"),
                number(row, "stck_clpr") - number(before, "stck_clpr")
            );
        }
    }
    let again = client.get(&path, "FHKST03010100", &query).await;
    assert_eq!(again.text, reply.text);
    client.sim.stop().await;
}

#[tokio::test]
async fn the_calendar_pages_on_by_its_key() {
    let mut config = quiet();
    config.clock.mode = turnstile_exchange_sim::ClockMode::Schedule;
    let client = Client::start(config).await;
    let path = format!("{QUOTES}/chk-holiday");
    let query = [
        ("BASS_DT", "20261224"),
        ("CTX_AREA_NK", ""),
        ("CTX_AREA_FK", ""),
    ];
    let reply = client.get(&path, "CTCA0903R", &query).await;
    let rows = reply.body["output"].as_array().unwrap();
    let open: Vec<_> = rows[..4]
        .iter()
        .map(|row| row["opnd_yn"].as_str().unwrap())
        .collect();
    assert_eq!(open, ["Y", "N", "N", "N"]);
    assert_eq!(rows[1]["wday_dvsn_cd"], "06");
    assert_eq!(reply.tr_cont, "M");
    let next_key = reply.body["ctx_area_nk"].as_str().unwrap();
    let query = [
        ("BASS_DT", "20261224"),
        ("CTX_AREA_NK", next_key),
        ("CTX_AREA_FK", ""),
    ];
    let next = client.get_page(&path, "CTCA0903R", &query, "N").await;
    assert_eq!(rows.last().unwrap()["bass_dt"], "20270116");
    assert_eq!(next.body["output"][0]["bass_dt"], "20270117");
    client.sim.stop().await;
}

#[tokio::test]
async fn an_announced_day_is_told_and_closes_a_market_with_hours() {
    for (mode, session) in [
        (turnstile_exchange_sim::ClockMode::Schedule, "closed"),
        (turnstile_exchange_sim::ClockMode::AlwaysOpen, "regular"),
    ] {
        let mut config = quiet();
        config.environment = turnstile_exchange_sim::Environment::Paper;
        config.clock.calendar_on_paper = true;
        config.clock.mode = mode;
        config.clock.start = Some("2026-12-07T10:00:00".parse().unwrap());
        let client = Client::start(config).await;
        let path = format!("{QUOTES}/chk-holiday");
        let query = [("BASS_DT", "20261207")];
        let is_open = async || {
            let reply = client.get(&path, "CTCA0903R", &query).await;
            reply.body["output"][0]["opnd_yn"].clone()
        };
        assert_eq!(is_open().await, "Y");
        let day = json!({"date": "2026-12-07", "is_open": false});
        client.control("/holidays", &day).await;
        assert_eq!(is_open().await, "N");
        assert_eq!(client.look("/session").await["session"], session);
        let day = json!({"date": "2026-12-07", "is_open": true});
        client.control("/holidays", &day).await;
        assert_eq!(is_open().await, "Y");
        client.sim.stop().await;
    }
}

#[tokio::test]
async fn a_listing_is_told_as_the_control_port_has_it() {
    let client = Client::start(quiet()).await;
    let path = format!("{QUOTES}/search-stock-info");
    let query = [("PRDT_TYPE_CD", "300"), ("PDNO", "005930")];
    let told = async || {
        let reply = client.get(&path, "CTPF1002R", &query).await;
        assert_eq!(reply.body["rt_cd"], "0", "{}", reply.text);
        reply.body["output"].clone()
    };
    let before = told().await;
    for (key, value) in [
        ("pdno", "000000005930"),
        ("tr_stop_yn", "N"),
        ("admn_item_yn", "N"),
        ("cptt_trad_tr_psbl_yn", "Y"),
        ("nxt_tr_stop_yn", "N"),
        ("scts_mket_lstg_abol_dt", ""),
        ("lstg_stqt", "5919637922"),
        ("prdt_abrv_name", "삼성전자"),
    ] {
        assert_eq!(before[key], value, "{key}");
    }
    let change = json!({"symbol": "005930", "suspended": true, "managed": true,
        "delisted": "2026-12-30"});
    client.control("/stocks", &change).await;
    let after = told().await;
    assert_eq!(
        (&after["tr_stop_yn"], &after["admn_item_yn"]),
        (&json!("Y"), &json!("Y"))
    );
    assert_eq!(after["scts_mket_lstg_abol_dt"], "20261230");
    let query = [
        ("FID_COND_MRKT_DIV_CODE", "J"),
        ("FID_INPUT_ISCD", "005930"),
    ];
    let price = client
        .get(&format!("{QUOTES}/inquire-price"), "FHKST01010100", &query)
        .await;
    assert_eq!(price.body["output"]["temp_stop_yn"], "Y");
    let query = [("PRDT_TYPE_CD", "300"), ("PDNO", "999999")];
    let unknown = client.get(&path, "CTPF1002R", &query).await;
    assert_eq!(unknown.body["rt_cd"], "1");
    client.sim.stop().await;
}
