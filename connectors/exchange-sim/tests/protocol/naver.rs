//! Naver's prices, and the faults that part the two counterparts.

use std::{collections::BTreeSet, time::Duration};

use jiff::civil::date;
use serde_json::{Value, json};
use turnstile_exchange_sim::{
    ClockConfig, ClockMode, GeneratorConfig, LimitsConfig, PathConfig, SimConfig,
};

use crate::client::{Client, PATIENCE, quiet};

const SAMPLE: &str = include_str!("../../test_data/naver-polling.json");

/// Asks without any key and returns status and body.
async fn ask(client: &Client, codes: &str) -> (u16, Value) {
    let url = client.sim.rest_url();
    let url = format!("{url}/api/realtime/domestic/stock/{codes}");
    let response = client.http.get(url).send().await.unwrap();
    let status = response.status().as_u16();
    let text = response.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap_or(Value::Null))
}

/// Returns the row of the only code.
async fn row(client: &Client, code: &str) -> Value {
    let (status, mut body) = ask(client, code).await;
    assert_eq!((status, body["datas"].as_array().unwrap().len()), (200, 1));
    body["datas"][0].take()
}

fn keys(object: &Value) -> BTreeSet<&str> {
    let fields = object.as_object().unwrap();
    fields.keys().map(String::as_str).collect()
}

fn at(hour: i8, minute: i8) -> SimConfig {
    SimConfig {
        clock: ClockConfig {
            mode: ClockMode::Schedule,
            start: Some(date(2026, 11, 16).at(hour, minute, 0, 0)),
            ..ClockConfig::default()
        },
        ..quiet()
    }
}

#[tokio::test]
async fn rows_have_the_names_and_forms_of_the_sample() {
    let client = Client::start(at(9, 33)).await;
    client.print("005930", 191_200).await;
    client.print("247540", 1_000).await;
    let (status, body) = ask(&client, "005930,999999,000660").await;
    assert_eq!(status, 200);
    let sample: Value = serde_json::from_str(SAMPLE).unwrap();
    let sample = &sample["body"];
    assert_eq!(keys(&body), keys(sample));
    assert_eq!(body["pollingInterval"], 7_000);
    assert_eq!(body["time"].as_str().unwrap()[..12], *"202611160933");
    let rows = body["datas"].as_array().unwrap();
    let codes: Vec<_> = rows.iter().map(|row| &row["itemCode"]).collect();
    assert_eq!(codes, ["000660", "005930"], "the unknown code is left out");
    let (row, model) = (&rows[1], &sample["datas"][0]);
    assert_eq!(keys(row), keys(model));
    for same in [
        "itemCode",
        "stockName",
        "stockExchangeType",
        "closePrice",
        "closePriceRaw",
        "compareToPreviousClosePrice",
        "compareToPreviousClosePriceRaw",
        "compareToPreviousPrice",
        "fluctuationsRatio",
        "fluctuationsRatioRaw",
        "tradeStopType",
        "marketStatus",
        "isinCode",
        "symbolCode",
        "currencyType",
        "stockEndUrl",
    ] {
        assert_eq!(row[same], model[same], "{same}");
    }
    assert_eq!(row["accumulatedTradingVolume"], "5");
    assert_eq!(row["accumulatedTradingValue"], "0백만");
    assert_eq!(row["accumulatedTradingValueRaw"], "956000");
    let traded = row["localTradedAt"].as_str().unwrap();
    assert!(traded.starts_with("2026-11-16T09:33:"), "{traded}");
    assert!(traded.ends_with("+09:00"), "{traded}");
    let untraded = &rows[0];
    assert_eq!(untraded["localTradedAt"], "2026-11-13T15:30:00+09:00");
    assert_eq!(untraded["openPrice"], "-");
    assert_eq!(untraded["compareToPreviousPrice"]["name"], "UNCHANGED");
    client.sim.stop().await;
}

#[tokio::test]
async fn a_fall_has_its_sign_and_a_limit_its_name() {
    let client = Client::start(quiet()).await;
    client.print("005930", 188_400).await;
    let falling = row(&client, "005930").await;
    assert_eq!(falling["compareToPreviousClosePrice"], "-1,700");
    assert_eq!(falling["compareToPreviousClosePriceRaw"], "-1700");
    assert_eq!(falling["fluctuationsRatio"], "-0.89");
    assert_eq!(falling["compareToPreviousPrice"]["code"], "5");
    client.print("005930", 133_100).await;
    let limit = row(&client, "005930").await;
    let direction = &limit["compareToPreviousPrice"];
    assert_eq!(
        (&direction["code"], &direction["name"]),
        (&json!("4"), &json!("LOWER_LIMIT"))
    );
    client.sim.stop().await;
}

#[tokio::test]
async fn the_status_is_that_of_the_clock() {
    let client = Client::start(at(8, 40)).await;
    for (time, status, interval) in [
        ("08:40", "PREOPEN", 70_000),
        ("15:25", "OPEN", 7_000),
        ("15:40", "CLOSE", 70_000),
        ("17:00", "CLOSE", 70_000),
    ] {
        let start = json!({ "start": format!("2026-11-16T{time}:00") });
        client.control("/clock", &start).await;
        let (_, body) = ask(&client, "005930").await;
        let shown = &body["datas"][0]["marketStatus"];
        assert_eq!(
            (shown, &body["pollingInterval"]),
            (&json!(status), &json!(interval))
        );
    }
    client.sim.stop().await;
}

#[tokio::test]
async fn a_halted_issue_says_so() {
    let config = SimConfig {
        path: PathConfig::Generator(GeneratorConfig {
            ticks_per_second: 500,
            halt_chance_ppm: 1_000_000,
            ..GeneratorConfig::default()
        }),
        ..quiet()
    };
    let client = Client::start(config).await;
    let halted =
        async { while row(&client, "005930").await["tradeStopType"]["name"] != "HALTED" {} };
    tokio::time::timeout(PATIENCE, halted).await.unwrap();
    client.sim.stop().await;
}

#[tokio::test]
async fn prices_need_no_key_count_to_no_limit_and_are_not_logged() {
    let limits = LimitsConfig {
        rest_per_second: Some(1),
        ..quiet().limits
    };
    let client = Client::start(SimConfig { limits, ..quiet() }).await;
    for _ in 0..5 {
        assert_eq!(ask(&client, "005930").await.0, 200);
    }
    let log = client.look("/log").await;
    let paths: Vec<_> = log["calls"].as_array().unwrap().iter().collect();
    assert_eq!(paths.len(), 1, "only the token: {log}");
    client.sim.stop().await;
}

#[tokio::test]
async fn naver_can_be_down_or_refuse_while_the_broker_goes_on() {
    let client = Client::start(quiet()).await;
    for (fault, status) in [("naver_down", 503), ("naver_blocked", 403)] {
        client.control("/faults", &json!({ fault: true })).await;
        assert_eq!(ask(&client, "005930").await.0, status);
        client.accepted("TTTC0012U", &[("ORD_QTY", "1")]).await;
        let faults = client.control("/faults", &json!({ fault: false })).await;
        assert_eq!(faults[fault], false);
        assert_eq!(ask(&client, "005930").await.0, 200);
    }
    client
        .control("/faults", &json!({ "naver_delay_ms": 300 }))
        .await;
    let began = tokio::time::Instant::now();
    assert_eq!(ask(&client, "005930").await.0, 200);
    assert!(began.elapsed() >= Duration::from_millis(300));
    client.sim.stop().await;
}

#[tokio::test]
async fn a_broker_that_is_down_executes_nothing_and_has_no_sessions() {
    let client = Client::start(quiet()).await;
    let mut session = client.connect().await;
    session.subscribe("H0STCNT0", "005930").await;
    let down = json!({ "kis_down": true, "next_n_http_5xx": 1 });
    client.control("/faults", &down).await;
    assert_eq!(session.text().await, None);
    let url = format!("{}/tryitout", client.sim.ws_url());
    assert!(tokio_tungstenite::connect_async(url).await.is_err());
    for _ in 0..2 {
        assert_eq!(client.order("TTTC0012U", &[]).await.status, 503);
    }
    let token = json!({ "grant_type": "client_credentials" });
    assert_eq!(client.post("/oauth2/tokenP", "", &token).await.status, 503);
    assert_eq!(client.look("/orders").await["orders"], json!([]));
    // The market goes on, and the other counterpart shows it.
    client.print("005930", 191_200).await;
    assert_eq!(row(&client, "005930").await["closePrice"], "191,200");

    let up = client
        .control("/faults", &json!({ "kis_down": false }))
        .await;
    assert_eq!(up["next_n_http_5xx"], 1, "the other fault was not used up");
    client.control("/faults", &json!({ "clear": true })).await;
    client.accepted("TTTC0012U", &[]).await;
    let mut session = client.connect().await;
    let ack = session.subscribe("H0STCNT0", "005930").await;
    assert_eq!(ack["body"]["msg_cd"], "OPSP0000", "{ack}");
    client.sim.stop().await;
}
