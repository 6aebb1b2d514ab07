//! Orders from acceptance to fill, cancel and rejection.

use std::time::Duration;

use jiff::civil::date;
use serde_json::{Value, json};
use turnstile_exchange_sim::{ClockConfig, ClockMode, Environment, FillConfig, SimConfig};

use crate::client::{Client, Session, quiet};

const RVSECNCL: &str = "/uapi/domestic-stock/v1/trading/order-rvsecncl";

fn samples() -> Value {
    serde_json::from_str(include_str!("../../test_data/order-cash.json")).unwrap()
}

/// Fields of a notice that tests look at: number, original, class, quantity, price, refused, fill,
/// state, ordered quantity, order price.
async fn seen(session: &mut Session) -> Vec<String> {
    let notice = session.notice().await;
    assert_eq!(notice.len(), 26, "{notice:?}");
    [2, 3, 5, 9, 10, 12, 13, 14, 16, 25]
        .map(|at| notice[at].clone())
        .to_vec()
}

async fn amend(client: &Client, number: &str, class: &str, changes: &[(&str, &str)]) -> Value {
    let mut body = json!({
        "CANO": client.account.cano, "ACNT_PRDT_CD": "01", "KRX_FWDG_ORD_ORGNO": "91252",
        "ORGN_ODNO": number, "ORD_DVSN": "00", "RVSE_CNCL_DVSN_CD": class, "ORD_QTY": "0",
        "ORD_UNPR": "0", "QTY_ALL_ORD_YN": "Y", "EXCG_ID_DVSN_CD": "KRX",
    });
    for (key, value) in changes {
        body[*key] = json!(value);
    }
    client.post(RVSECNCL, "TTTC0013U", &body).await.body
}

#[tokio::test]
async fn a_purchase_goes_from_acceptance_through_partial_fills_to_cancel() {
    let fills = FillConfig {
        chunk_max: 4,
        latency: Duration::from_millis(1),
        ..FillConfig::default()
    };
    let client = Client::start(SimConfig { fills, ..quiet() }).await;
    client.print("005930", 191_200).await;
    let mut session = client.notices("H0STCNI0").await;
    let reply = client.order("TTTC0012U", &[("ORD_UNPR", "191100")]).await;
    let keys = |value: &Value| {
        value
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect::<Vec<_>>()
    };
    let sample = &samples()["responses"][0]["body"];
    assert_eq!(keys(&reply.body), keys(sample));
    assert_eq!(keys(&reply.body["output"]), keys(&sample["output"]));
    assert_eq!(reply.content_type, "application/json; charset=utf-8");
    assert!(reply.text.starts_with(r#"{"rt_cd":"0","msg_cd":"APBK0013","msg1":"주문 전송 완료 되었습니다.","output":{"KRX_FWDG_ORD_ORGNO":"91252","ODNO":"0000100001","ORD_TMD":""#), "{}", reply.text);

    let zeros = "0000000000";
    let number = "0000100001";
    let received = [
        number,
        zeros,
        "0",
        "0000000010",
        "000191100",
        "0",
        "1",
        "1",
        "000000010",
        "000000000",
    ];
    assert_eq!(seen(&mut session).await, received);
    client.until_working(number).await;
    // One trade at the limit, so one chunk of the waiting order; the rest follows on its own.
    client.print("005930", 191_100).await;
    for quantity in ["0000000004", "0000000004", "0000000002"] {
        let fill = [
            number,
            zeros,
            "0",
            quantity,
            "000191100",
            "0",
            "2",
            "2",
            "000000010",
            "000191100",
        ];
        assert_eq!(seen(&mut session).await, fill);
    }
    let second = client
        .accepted("TTTC0012U", &[("ORD_UNPR", "180000")])
        .await;
    assert_eq!(seen(&mut session).await[0], second);
    let answer = amend(&client, &second, "02", &[]).await;
    assert_eq!(answer["output"]["ODNO"], "0000100003");
    let cancelled = [
        "0000100003",
        "0000100002",
        "2",
        "0000000010",
        "000180000",
        "0",
        "1",
        "2",
        "000000010",
        "000000000",
    ];
    assert_eq!(seen(&mut session).await, cancelled);
    assert_eq!(amend(&client, &second, "02", &[]).await["rt_cd"], "1");
    let holdings = client.look("/holdings").await;
    assert_eq!(holdings["accounts"][0]["holdings"][0]["quantity"], 20);
    // 10,000,000 less 1,911,000 and 268 commission (0.0140527 %, cut).
    assert_eq!(holdings["accounts"][0]["settled"], 8_088_732);
    assert_eq!(holdings["accounts"][0]["free"], 8_088_732);
    client.sim.stop().await;
}

#[tokio::test]
async fn a_market_sale_gets_the_bid_and_pays_tax() {
    let client = Client::start(quiet()).await;
    client.print("005930", 191_200).await;
    let mut session = client.notices("H0STCNI0").await;
    client
        .accepted(
            "TTTC0011U",
            &[("ORD_DVSN", "01"), ("ORD_UNPR", "0"), ("SLL_TYPE", "01")],
        )
        .await;
    assert_eq!(seen(&mut session).await[4], "000000000");
    let fill = seen(&mut session).await;
    assert_eq!(
        (fill[3].as_str(), fill[4].as_str()),
        ("0000000010", "000191100")
    );
    let holdings = client.look("/holdings").await;
    // 1,911,000 less 268 commission and 3,822 tax.
    assert_eq!(holdings["accounts"][0]["settled"], 11_906_910);
    client.sim.stop().await;
}

#[tokio::test]
async fn a_replacement_moves_the_remainder_to_another_price() {
    let client = Client::start(quiet()).await;
    let mut session = client.notices("H0STCNI0").await;
    let number = client
        .accepted("TTTC0012U", &[("ORD_UNPR", "180000")])
        .await;
    seen(&mut session).await;
    let changes = [
        ("ORD_UNPR", "185000"),
        ("ORD_QTY", "4"),
        ("QTY_ALL_ORD_YN", "N"),
    ];
    let answer = amend(&client, &number, "01", &changes).await;
    let replaced = answer["output"]["ODNO"].as_str().unwrap().to_owned();
    let confirmed = seen(&mut session).await;
    client.until_working(&replaced).await;
    assert_eq!(
        confirmed[..5],
        [&replaced, &number, "1", "0000000004", "000185000"]
    );
    client.print("005930", 184_900).await;
    let fill = seen(&mut session).await;
    assert_eq!(
        (&fill[0], fill[3].as_str(), fill[4].as_str()),
        (&replaced, "0000000004", "000185000")
    );
    let orders = client.look("/orders").await;
    assert_eq!(orders["orders"][0]["remaining"], 6);
    assert_eq!(orders["orders"][1]["remaining"], 0);
    client.sim.stop().await;
}

#[tokio::test]
async fn what_cannot_trade_at_once_expires() {
    let client = Client::start(quiet()).await;
    let mut session = client.notices("H0STCNI0").await;
    for (code, condition) in [("11", "1"), ("12", "2")] {
        client
            .accepted("TTTC0012U", &[("ORD_DVSN", code), ("ORD_UNPR", "180000")])
            .await;
        assert_eq!(session.notice().await[7], condition);
        let expired = seen(&mut session).await;
        assert_eq!(expired[3..8], ["0000000010", "000180000", "0", "1", "3"]);
    }
    client
        .accepted("TTTC0012U", &[("ORD_DVSN", "12"), ("ORD_UNPR", "190100")])
        .await;
    seen(&mut session).await;
    assert_eq!(seen(&mut session).await[6], "2");
    client.sim.stop().await;
}

#[tokio::test]
async fn the_broker_refuses_with_its_codes() {
    let client = Client::start(quiet()).await;
    for (tr_id, changes, code) in [
        ("TTTC0012U", vec![("ORD_QTY", "100")], "APBK0919"),
        ("TTTC0011U", vec![("ORD_QTY", "11")], "APBK0400"),
        ("TTTC0011U", vec![("PDNO", "000660")], "APBK1234"),
        ("TTTC0012U", vec![("PDNO", "999999")], "MCA05918"),
        ("TTTC0012U", vec![("PDNO", "")], "MCA05918"),
        ("TTTC0012U", vec![("CANO", "50000000")], "OPSQ2000"),
        ("TTTC0012U", vec![("ORD_DVSN", "07")], "APBK9999"),
        ("TTTC0012U", vec![("ORD_QTY", "0")], "APBK9999"),
        ("TTTC0012U", vec![("ORD_DVSN", "41")], "APBK0918"),
    ] {
        let reply = client.order(tr_id, &changes).await;
        assert_eq!(reply.status, 200);
        assert_eq!(reply.body["rt_cd"], "1", "{changes:?}");
        assert_eq!(reply.body["msg_cd"], code, "{changes:?}");
    }
    for (at, changes) in [(1, vec![("ORD_QTY", "100")]), (2, vec![("ORD_QTY", "11")])] {
        let tr_id = ["", "TTTC0012U", "TTTC0011U"][at];
        assert_eq!(
            client.order(tr_id, &changes).await.body,
            samples()["responses"][at]["body"]
        );
    }
    assert_eq!(client.look("/orders").await["orders"], json!([]));
    client.sim.stop().await;
}

#[tokio::test]
async fn prices_off_the_grid_or_band_are_refused_by_notice() {
    let client = Client::start(quiet()).await;
    let mut session = client.notices("H0STCNI0").await;
    for price in ["250000", "190150", "133000"] {
        let number = client
            .accepted("TTTC0011U", &[("ORD_UNPR", price), ("ORD_QTY", "5")])
            .await;
        let refused = seen(&mut session).await;
        let price = format!("{price:0>9}");
        let expected = [
            &number,
            "0000000000",
            "0",
            "0000000005",
            &price,
            "1",
            "1",
            "1",
            "000000005",
            "000000000",
        ];
        assert_eq!(refused, expected);
    }
    client.sim.stop().await;
}

#[tokio::test]
async fn orders_follow_the_sessions_of_the_day() {
    let clock = ClockConfig {
        mode: ClockMode::Schedule,
        start: Some(date(2026, 11, 16).at(8, 0, 0, 0)),
        ..ClockConfig::default()
    };
    let client = Client::start(SimConfig { clock, ..quiet() }).await;
    let closed = client.order("TTTC0012U", &[]).await.body;
    assert_eq!(closed, samples()["responses"][3]["body"]);
    assert_eq!(client.look("/session").await["is_open"], false);

    let mut session = client.notices("H0STCNI0").await;
    client
        .control("/clock", &json!({ "start": "2026-11-16T08:50:00" }))
        .await;
    let auction = client
        .accepted("TTTC0012U", &[("ORD_UNPR", "191000"), ("ORD_QTY", "2")])
        .await;
    assert_eq!(seen(&mut session).await[0], auction);
    let at = client
        .control("/clock", &json!({ "start": "2026-11-16T09:00:00" }))
        .await;
    assert_eq!(
        (&at["session"], &at["is_open"]),
        (&json!("regular"), &json!(true))
    );
    // The opening trade: an order of the auction gets its price, not its own limit.
    client.print("005930", 190_500).await;
    let fill = seen(&mut session).await;
    assert_eq!((fill[4].as_str(), fill[6].as_str()), ("000190500", "2"));

    let day = client
        .accepted("TTTC0012U", &[("ORD_UNPR", "180000")])
        .await;
    client
        .control("/clock", &json!({ "start": "2026-11-16T15:40:00" }))
        .await;
    let orders = client.look("/orders").await;
    assert_eq!(
        (
            &orders["orders"][1]["odno"],
            &orders["orders"][1]["remaining"]
        ),
        (&json!(day), &json!(0))
    );
    let holdings = client.look("/holdings").await;
    assert_eq!(
        holdings["accounts"][0]["free"],
        holdings["accounts"][0]["settled"]
    );

    client
        .control("/clock", &json!({ "start": "2026-11-16T16:30:00" }))
        .await;
    assert_eq!(
        client.order("TTTC0012U", &[]).await.body["msg_cd"],
        "APBK3013"
    );
    client.accepted("TTTC0012U", &[("ORD_DVSN", "41")]).await;
    let fund = client.order(
        "TTTC0012U",
        &[
            ("ORD_DVSN", "41"),
            ("PDNO", "069500"),
            ("ORD_UNPR", "84000"),
        ],
    );
    assert_eq!(fund.await.body["msg_cd"], "APBK3013");
    client
        .control("/clock", &json!({ "start": "2026-11-21T10:00:00" }))
        .await;
    assert_eq!(client.look("/session").await["trading_day"], false);
    client.sim.stop().await;
}

#[tokio::test]
async fn paper_has_ids_of_its_own() {
    let config = SimConfig {
        environment: Environment::Paper,
        ..quiet()
    };
    let client = Client::start(config).await;
    let mut session = client.notices("H0STCNI9").await;
    client.accepted("VTTC0012U", &[]).await;
    client.accepted("VTTC0801U", &[("ORD_QTY", "1")]).await;
    assert_eq!(session.notice().await[4], "02");
    let reply = client.order("TTTC0012U", &[]).await;
    assert_eq!(
        (reply.status, &reply.body["msg_cd"]),
        (500, &json!("EGW00213"))
    );
    let path = "/uapi/domestic-stock/v1/quotations/chk-holiday";
    let reply = client
        .get(path, "CTCA0903R", &[("BASS_DT", "20261116")])
        .await;
    assert_eq!(reply.body["msg_cd"], "EGW00213");
    client.sim.stop().await;
}
