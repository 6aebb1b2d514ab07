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
