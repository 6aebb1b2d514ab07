//! Faults, the control port, the call log and the state file.

use std::time::Duration;

use serde_json::{Value, json};
use turnstile_exchange_sim::SimConfig;

use crate::client::{Client, quiet};

#[tokio::test]
async fn an_order_can_be_executed_without_an_answer() {
    let client = Client::start(quiet()).await;
    let mut session = client.notices("H0STCNI0").await;
    client
        .control("/faults", &json!({ "accept_then_silent": 1 }))
        .await;
    tokio::select! {
        reply = client.order("TTTC0012U", &[]) => panic!("answered: {}", reply.text),
        () = async {
            assert_eq!(session.notice().await[13], "1");
            assert_eq!(session.notice().await[13], "2");
        } => {}
    }
    client.accepted("TTTC0012U", &[("ORD_QTY", "1")]).await;
    let log = client.look("/log").await;
    let orders: Vec<_> = log["calls"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|call| call["path"].as_str().unwrap().ends_with("order-cash"))
        .map(|call| {
            (
                call["body"]["ORD_QTY"].clone(),
                call["outcome"]["is_answered"].clone(),
            )
        })
        .collect();
    assert_eq!(
        orders,
        [(json!("10"), json!(false)), (json!("1"), json!(true))]
    );
    let token = &log["calls"][0];
    assert_eq!(token["body"], json!({ "grant_type": "client_credentials" }));
    let after = client.look("/log?after=2").await;
    assert_eq!(after["calls"][0]["seq"], 3);
    client.sim.stop().await;
}

#[tokio::test]
async fn an_executed_order_can_be_answered_with_a_code_or_with_half_a_body() {
    let client = Client::start(quiet()).await;
    let fault = json!({ "code": "EGW00301", "count": 1 });
    for (fault, status, code) in [
        (json!({ "accept_then_5xx": fault }), 500, "EGW00301"),
        (json!({ "accept_then_5xx": 1 }), 500, "EGW00302"),
        (json!({ "accept_then_garbage": 1 }), 200, ""),
    ] {
        client.control("/faults", &fault).await;
        let reply = client.order("TTTC0012U", &[("ORD_QTY", "1")]).await;
        assert_eq!(reply.status, status, "{}", reply.text);
        let said = reply.body["msg_cd"].as_str().unwrap_or_default();
        assert_eq!(said, code, "{}", reply.text);
    }
    client.accepted("TTTC0012U", &[("ORD_QTY", "1")]).await;
    let orders = client.look("/orders").await;
    assert_eq!(orders["orders"].as_array().unwrap().len(), 4);
    let faults = client.look("/faults").await;
    assert_eq!(faults["accept_then_5xx"], Value::Null);
    assert_eq!(faults["accept_then_garbage"], 0);
    // The log has the number also where the client has not.
    let log = client.look("/log").await;
    let calls = log["calls"].as_array().unwrap().iter();
    let numbers = calls.filter(|call| call["outcome"]["odno"].is_string());
    assert_eq!(numbers.count(), 4);
    client.sim.stop().await;
}

#[tokio::test]
async fn a_storm_of_the_rate_limit_executes_nothing() {
    let client = Client::start(quiet()).await;
    client
        .control("/faults", &json!({ "rate_limit_next": 2 }))
        .await;
    for _ in 0..2 {
        let reply = client.order("TTTC0012U", &[]).await;
        assert_eq!(
            (reply.status, &reply.body["msg_cd"]),
            (500, &json!("EGW00201"))
        );
    }
    assert_eq!(client.look("/orders").await["orders"], json!([]));
    client.accepted("TTTC0012U", &[]).await;
    client.sim.stop().await;
}

#[tokio::test]
async fn rest_calls_fail_late_or_are_refused_on_demand() {
    let client = Client::start(quiet()).await;
    client
        .control(
            "/faults",
            &json!({ "next_n_http_5xx": 1, "reject_next": "APBK1943" }),
        )
        .await;
    assert_eq!(client.order("TTTC0012U", &[]).await.status, 503);
    assert_eq!(
        client.order("TTTC0012U", &[]).await.body["msg_cd"],
        "APBK1943"
    );
    let mut session = client.notices("H0STCNI0").await;
    let fault = json!({ "reject_next": { "by_notice": true, "count": 1 }, "delay_ms": 200 });
    client.control("/faults", &fault).await;
    let start = tokio::time::Instant::now();
    client.accepted("TTTC0012U", &[]).await;
    assert!(start.elapsed() >= Duration::from_millis(200));
    assert_eq!(session.notice().await[12], "1");
    let faults = client.control("/faults", &json!({ "clear": true })).await;
    assert_eq!(
        (&faults["delay_ms"], &faults["reject_next"]),
        (&json!(0), &Value::Null)
    );
    client.sim.stop().await;
}

#[tokio::test]
async fn notices_can_be_doubled_swapped_and_lost() {
    let client = Client::start(quiet()).await;
    let mut session = client.notices("H0STCNI0").await;
    let kinds = |notice: Vec<String>| notice[13].clone();
    client
        .control("/faults", &json!({ "duplicate_notices": true }))
        .await;
    client.accepted("TTTC0012U", &[("ORD_QTY", "1")]).await;
    for kind in ["1", "1", "2", "2"] {
        assert_eq!(kinds(session.notice().await), kind);
    }
    let swap = json!({ "duplicate_notices": false, "reorder_notices": true });
    client.control("/faults", &swap).await;
    client.accepted("TTTC0012U", &[("ORD_QTY", "1")]).await;
    for kind in ["2", "1"] {
        assert_eq!(kinds(session.notice().await), kind);
    }
    let lose = json!({ "reorder_notices": false, "suppress_notices": true });
    client.control("/faults", &lose).await;
    let lost = client
        .accepted("TTTC0012U", &[("ORD_QTY", "1"), ("ORD_UNPR", "180000")])
        .await;
    client
        .control("/faults", &json!({ "suppress_notices": false }))
        .await;
    let next = client
        .accepted("TTTC0012U", &[("ORD_QTY", "1"), ("ORD_UNPR", "180000")])
        .await;
    let seen = session.notice().await;
    assert_ne!(seen[2], lost);
    assert_eq!(seen[2], next);
    client.sim.stop().await;
}

#[tokio::test]
async fn some_notices_are_lost_and_some_come_late_in_order() {
    let client = Client::start(quiet()).await;
    let mut session = client.notices("H0STCNI0").await;
    client
        .control("/faults", &json!({ "lose_notices": 1 }))
        .await;
    client.accepted("TTTC0012U", &[("ORD_QTY", "1")]).await;
    assert_eq!(session.notice().await[13], "2", "the receipt is lost");

    client
        .control("/faults", &json!({ "delay_notices_ms": 300 }))
        .await;
    let start = tokio::time::Instant::now();
    let late = client.accepted("TTTC0012U", &[("ORD_QTY", "1")]).await;
    for kind in ["1", "2"] {
        let notice = session.notice().await;
        assert_eq!((&notice[2], notice[13].as_str()), (&late, kind));
        assert!(start.elapsed() >= Duration::from_millis(300), "too early");
    }
    client.sim.stop().await;
}

#[tokio::test]
async fn orders_are_filled_in_pieces_over_time() {
    let client = Client::start(quiet()).await;
    let mut session = client.notices("H0STCNI0").await;
    let pieces = json!({ "fill_in_pieces": { "shares": 4, "every_ms": 60 } });
    client.control("/faults", &pieces).await;
    let start = tokio::time::Instant::now();
    client
        .accepted("TTTC0011U", &[("ORD_DVSN", "01"), ("ORD_UNPR", "0")])
        .await;
    assert_eq!(session.notice().await[13], "1");
    for shares in ["0000000004", "0000000004", "0000000002"] {
        let notice = session.notice().await;
        assert_eq!((notice[13].as_str(), notice[9].as_str()), ("2", shares));
    }
    assert!(start.elapsed() >= Duration::from_millis(120));
    let faults = client
        .control("/faults", &json!({ "fill_in_pieces": 0 }))
        .await;
    assert_eq!(faults["fill_in_pieces"], Value::Null);
    client.accepted("TTTC0012U", &[]).await;
    assert_eq!(session.notice().await[13], "1");
    assert_eq!(session.notice().await[9], "0000000010");
    client.sim.stop().await;
}

#[tokio::test]
async fn lines_break_fall_silent_and_carry_nonsense() {
    let client = Client::start(quiet()).await;
    let mut session = client.connect().await;
    session.subscribe("H0STCNT0", "005930").await;
    client
        .control("/faults", &json!({ "stop_quotes": true }))
        .await;
    client.print("005930", 191_000).await;
    client
        .control("/faults", &json!({ "send_raw": "0|H0STCNT0|001|broken" }))
        .await;
    assert_eq!(session.text().await.unwrap(), "0|H0STCNT0|001|broken");
    client
        .control("/faults", &json!({ "stop_quotes": false }))
        .await;
    client.print("005930", 191_200).await;
    let record = &session.trades().await[0];
    // The lost trade shows in the cumulative volume.
    assert_eq!((record[12].as_str(), record[13].as_str()), ("5", "10"));
    client
        .control("/faults", &json!({ "drop_connections": true }))
        .await;
    assert_eq!(session.text().await, None);
    client.sim.stop().await;
}

#[tokio::test]
async fn frames_are_cut_short_and_registrations_refused_on_demand() {
    let client = Client::start(quiet()).await;
    let mut session = client.connect().await;
    session.subscribe("H0STCNT0", "005930").await;
    let faults = json!({ "truncate_frames": 1, "registrations_max": 1 });
    client.control("/faults", &faults).await;
    client.print("005930", 191_000).await;
    let short = session.text().await.unwrap();
    assert!(short.starts_with("0|H0STCNT0|001|005930^"), "{short}");
    assert!(short.matches('^').count() < 45, "{short}");
    let sent = client.look("/status").await["records_sent"].clone();
    assert_eq!(sent, json!(0), "half a record is none");
    client.print("005930", 191_000).await;
    assert_eq!(session.trades().await.len(), 1);

    let refused = session.subscribe("H0STCNT0", "000660").await;
    assert_eq!(refused["body"]["msg_cd"], "OPSP0008");
    client
        .control("/faults", &json!({ "registrations_max": 0 }))
        .await;
    let taken = session.subscribe("H0STCNT0", "000660").await;
    assert_eq!(taken["body"]["msg_cd"], "OPSP0000");
    client.sim.stop().await;
}

#[tokio::test]
async fn a_muted_session_keeps_its_key_and_a_frozen_one_does_not() {
    let client = Client::start(quiet()).await;
    let mut muted = client.connect().await;
    muted.subscribe("H0STCNT0", "005930").await;
    client
        .control("/faults", &json!({ "mute_connections": true }))
        .await;
    client.print("005930", 191_000).await;
    let mut second = client.connect().await;
    second.request("1", "H0STCNT0", "005930").await;
    let refused = second.ack().await;
    assert_eq!(refused["body"]["msg_cd"], "OPSP8996");
    client
        .control("/faults", &json!({ "freeze_connections": true }))
        .await;
    let forgotten = async { while client.look("/status").await["sessions"] != json!([]) {} };
    tokio::time::timeout(crate::client::PATIENCE, forgotten)
        .await
        .unwrap();
    let mut third = client.connect().await;
    assert_eq!(
        third.subscribe("H0STCNT0", "005930").await["body"]["msg_cd"],
        "OPSP0000"
    );
    let silent = tokio::time::timeout(Duration::from_millis(100), muted.text());
    assert!(silent.await.is_err(), "neither told anything nor cut");
    client.sim.stop().await;
}

#[tokio::test]
async fn the_control_port_refuses_what_it_does_not_know() {
    let client = Client::start(quiet()).await;
    for (path, body, status, reason) in [
        (
            "/faults",
            json!({ "drop_conections": true }),
            422,
            "drop_conections",
        ),
        (
            "/price",
            json!({ "symbol": "999999", "price": 1 }),
            404,
            "not traded here",
        ),
        (
            "/price",
            json!({ "symbol": "005930", "price": 0 }),
            422,
            "must be positive",
        ),
        (
            "/price",
            json!({ "symbol": "005930", "price": -5 }),
            422,
            "-5",
        ),
        (
            "/script",
            json!({ "symbol": "005930", "points": [{ "after_ms": 1, "price": 0 }] }),
            422,
            "positive",
        ),
        ("/clock", json!({ "speed": 0 }), 422, "speed"),
    ] {
        let url = format!("{}{path}", client.sim.control_url());
        let response = client.http.post(url).json(&body).send().await.unwrap();
        assert_eq!(response.status().as_u16(), status, "{path} {body}");
        let error: Value = response.json().await.unwrap();
        assert!(error["error"].as_str().unwrap().contains(reason), "{error}");
    }
    client.sim.stop().await;
}

#[tokio::test]
async fn a_restarted_simulator_remembers() {
    let folder = tempfile::tempdir().unwrap();
    let state_file = Some(folder.path().join("state.json"));
    let config = SimConfig {
        state_file,
        ..quiet()
    };
    let client = Client::start(config.clone()).await;
    let mut session = client.notices("H0STCNI0").await;
    client.print("005930", 191_000).await;
    client
        .accepted("TTTC0012U", &[("ORD_UNPR", "191000"), ("ORD_QTY", "3")])
        .await;
    session.notice().await;
    session.notice().await;
    let waiting = client
        .accepted("TTTC0012U", &[("ORD_UNPR", "180000"), ("ORD_QTY", "2")])
        .await;
    client.until_working(&waiting).await;
    let before = (client.look("/holdings").await, client.look("/orders").await);
    client.sim.stop().await;

    let client = Client::start(config.clone()).await;
    let after = (client.look("/holdings").await, client.look("/orders").await);
    assert_eq!(after.0, before.0);
    assert_eq!(after.1["orders"].as_array().unwrap().len(), 2);
    let mut session = client.notices("H0STCNI0").await;
    client.print("005930", 179_900).await;
    let fill = session.notice().await;
    assert_eq!((&fill[2], fill[13].as_str()), (&waiting, "2"));
    let next = client.accepted("TTTC0012U", &[("ORD_QTY", "1")]).await;
    assert_eq!(next, "0000100003");
    client.sim.stop().await;

    std::fs::write(folder.path().join("state.json"), "{").unwrap();
    let error = turnstile_exchange_sim::Simulator::start(config)
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains("state.json cannot be read"),
        "{error}"
    );
}
