//! WebSocket sessions: registrations, limits, keep-alive, frames.

use std::time::Duration;

use futures_util::SinkExt;
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;
use turnstile_exchange_sim::{
    AccountConfig, CompanyConfig, GeneratorConfig, KeepAliveConfig, Market, PathConfig, Price,
    ScriptPoint, SimConfig, StockConfig, Symbol,
};

use crate::client::{Client, quiet};

#[tokio::test]
async fn trades_reach_only_those_who_registered_them() {
    let client = Client::start(quiet()).await;
    let mut session = client.connect().await;
    let ack = session.subscribe("H0STCNT0", "005930").await;
    assert_eq!(
        ack["header"],
        json!({ "tr_id": "H0STCNT0", "tr_key": "005930", "encrypt": "N" })
    );
    assert_eq!(ack["body"]["msg1"], "SUBSCRIBE SUCCESS");
    assert_eq!((session.key.len(), session.iv.len()), (32, 16));
    client.print("000660", 950_000).await;
    client.print("005930", 191_200).await;
    let records = session.trades().await;
    assert_eq!(records.len(), 1);
    let record = &records[0];
    assert_eq!(record.len(), 47);
    assert_eq!(
        [0, 2, 3, 4, 5].map(|at| record[at].as_str()),
        ["005930", "191200", "2", "1100", "0.58"]
    );
    assert_eq!(
        [10, 11, 12, 13].map(|at| record[at].as_str()),
        ["191200", "191100", "5", "5"]
    );
    client.print("005930", 191_100).await;
    let record = &session.trades().await[0];
    assert_eq!(
        [2, 12, 13, 14].map(|at| record[at].as_str()),
        ["191100", "5", "10", "1911500"]
    );
    assert_eq!(
        [7, 8, 9, 21].map(|at| record[at].as_str()),
        ["191200", "191200", "191100", "5"]
    );

    session.request("2", "H0STCNT0", "005930").await;
    assert_eq!(session.ack().await["body"]["msg_cd"], "OPSP0001");
    client.print("005930", 191_000).await;
    session.request("2", "H0STCNT0", "005930").await;
    let next = session.text().await.unwrap();
    assert!(next.contains("OPSP0003"), "{next}");
    client.sim.stop().await;
}

#[tokio::test]
async fn the_42nd_registration_is_refused_notices_included() {
    let stocks = (0..50)
        .map(|at| StockConfig {
            symbol: Symbol::new(&format!("{at:06}")).unwrap(),
            name: format!("종목{at}"),
            market: Market::Kospi,
            prev_close: Price::from_won(10_000),
            prev_volume: 1_000,
            listed_shares: 1_000,
            company: CompanyConfig::default(),
            script: Vec::new(),
        })
        .collect();
    let mut config = SimConfig { stocks, ..quiet() };
    config.accounts[0].holdings.clear();
    let client = Client::start(config).await;
    let mut session = client.notices("H0STCNI0").await;
    for at in 0..40 {
        let ack = session.subscribe("H0STCNT0", &format!("{at:06}")).await;
        assert_eq!(ack["body"]["msg_cd"], "OPSP0000", "{at}");
    }
    let ack = session.subscribe("H0STCNT0", "000041").await;
    let expected = json!({
        "header": { "tr_id": "H0STCNT0", "tr_key": "000041", "encrypt": "N" },
        "body": { "rt_cd": "1", "msg_cd": "OPSP0008", "msg1": "MAX SUBSCRIBE OVER" },
    });
    assert_eq!(ack, expected);
    let ack = session.subscribe("H0STCNT0", "000001").await;
    assert_eq!(
        (&ack["body"]["rt_cd"], &ack["body"]["msg_cd"]),
        (&json!("1"), &json!("OPSP0002"))
    );
    let status = client.look("/status").await;
    assert_eq!(
        status["sessions"][0]["registrations"]
            .as_array()
            .unwrap()
            .len(),
        41
    );
    client.sim.stop().await;
}

#[tokio::test]
async fn wrong_registrations_have_their_codes() {
    let client = Client::start(quiet()).await;
    let mut session = client.connect().await;
    for (tr_id, tr_key, code) in [
        ("H0STCNT0", "999999", "OPSP8992"),
        ("H0STCNI9", "demo0001", "OPSP8991"),
        ("H0STCNI0", "5012345601", "OPSP8992"),
    ] {
        let ack = session.subscribe(tr_id, tr_key).await;
        assert_eq!(ack["body"]["msg_cd"], code, "{tr_id} {tr_key}");
    }
    session.send("{").await;
    assert_eq!(session.ack().await["body"]["msg_cd"], "OPSP9999");
    session.approval = "unknown".to_owned();
    let ack = session.subscribe("H0STCNT0", "005930").await;
    assert_eq!(ack["body"]["msg1"], "invalid approval : NOT FOUND");
    client.sim.stop().await;
}

#[tokio::test]
async fn an_application_key_has_one_session() {
    let second = AccountConfig {
        app_key: "PSother".to_owned(),
        cano: "50999999".to_owned(),
        hts_id: "demo0002".to_owned(),
        ..AccountConfig::default()
    };
    let mut config = quiet();
    config.accounts.push(second);
    let mut client = Client::start(config.clone()).await;
    let mut first = client.connect().await;
    first.subscribe("H0STCNT0", "005930").await;
    let mut rival = client.connect().await;
    let ack = rival.subscribe("H0STCNT0", "005930").await;
    let expected = json!({
        "header": { "tr_id": "(null)", "tr_key": "", "encrypt": "N" },
        "body": { "rt_cd": "9", "msg_cd": "OPSP8996", "msg1": "ALREADY IN USE appkey" },
    });
    assert_eq!(ack, expected);
    assert_eq!(rival.text().await, None);
    client.account = config.accounts[1].clone();
    let mut other = client.connect().await;
    assert_eq!(
        other.subscribe("H0STCNT0", "005930").await["body"]["rt_cd"],
        "0"
    );
    drop(first);
    client.account = config.accounts[0].clone();
    let free = async {
        loop {
            let mut again = client.connect().await;
            if again.subscribe("H0STCNT0", "005930").await["body"]["rt_cd"] == "0" {
                return;
            }
        }
    };
    tokio::time::timeout(crate::client::PATIENCE, free)
        .await
        .unwrap();
    client.sim.stop().await;
}

#[tokio::test]
async fn silence_is_cut_and_both_answers_keep_the_line() {
    let keep_alive = KeepAliveConfig {
        period: Duration::from_millis(50),
        timeout: Duration::from_secs(2),
    };
    let client = Client::start(SimConfig {
        keep_alive,
        ..quiet()
    })
    .await;
    let mut session = client.connect().await;
    for round in 0..20 {
        let ping = session
            .text()
            .await
            .expect("the line holds while it is answered");
        assert!(
            ping.starts_with(r#"{"header":{"tr_id":"PINGPONG","datetime":"20"#),
            "{ping}"
        );
        if round % 2 == 0 {
            session.send(ping).await;
        } else {
            session
                .stream
                .send(Message::Pong(ping.into()))
                .await
                .unwrap();
        }
    }
    let silent = async { while session.text().await.is_some() {} };
    tokio::time::timeout(crate::client::PATIENCE, silent)
        .await
        .unwrap();
    client.sim.stop().await;
}

#[tokio::test]
async fn generated_records_are_consistent_and_share_frames() {
    let generator = GeneratorConfig {
        ticks_per_second: 2_000,
        ..GeneratorConfig::default()
    };
    let mut config = SimConfig {
        path: PathConfig::Generator(generator),
        ..quiet()
    };
    config.stocks.truncate(3);
    let client = Client::start(config).await;
    let mut session = client.connect().await;
    session.subscribe("H0STCNT0", "005930").await;
    let (mut before, mut records, mut shared) = (None::<i64>, 0, 0);
    while records < 500 {
        let frame = session.trades().await;
        assert!(frame.len() <= 4);
        shared += usize::from(frame.len() > 1);
        for record in frame {
            let number = |at: usize| record[at].parse::<i64>().unwrap();
            let (price, volume, total) = (number(2), number(12), number(13));
            if let Some(before) = before {
                assert_eq!(before + volume, total);
            }
            before = Some(total);
            assert!(number(9) <= price && price <= number(8));
            assert!(number(11) <= price && price <= number(10) && number(11) < number(10));
            assert_eq!(number(4), price - 190_100);
            assert!(number(19) + number(20) == total);
            records += 1;
        }
    }
    assert!(shared > 0, "no frame had several records");
    client.sim.stop().await;
}

#[tokio::test]
async fn scripts_lead_the_price_to_their_points() {
    let mut config = quiet();
    let point = |ms, won| ScriptPoint {
        after: Duration::from_millis(ms),
        price: Price::from_won(won),
    };
    config.stocks[0].script = vec![point(0, 190_500), point(30, 180_000)];
    config.paused = true;
    config.field_width = 46;
    config.records_per_frame_max = 1;
    let client = Client::start(config).await;
    let mut session = client.connect().await;
    session.subscribe("H0STCNT0", "005930").await;
    client.control("/resume", &json!({})).await;
    let first = &session.trades().await[0];
    assert_eq!((first[2].as_str(), first.len()), ("190500", 46));
    assert_eq!(session.trades().await[0][2], "180000");
    let points = json!([{ "after_ms": 5, "price": 171_000 }, { "after_ms": 9, "price": 170_900 }]);
    client
        .control("/script", &json!({ "symbol": "005930", "points": points }))
        .await;
    assert_eq!(session.trades().await[0][2], "171000");
    assert_eq!(session.trades().await[0][2], "170900");
    client.sim.stop().await;
}
