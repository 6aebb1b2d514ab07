//! Another terminal of the account, holdings that change by themselves, and the ledger that is left.

use serde_json::{Value, json};
use turnstile_exchange_sim::SimConfig;

use crate::client::{Client, quiet};

const TRADING: &str = "/uapi/domestic-stock/v1/trading";

/// Returns status and body of a call of the control port that may be refused.
async fn try_control(client: &Client, path: &str, body: &Value) -> (u16, Value) {
    let url = format!("{}{path}", client.sim.control_url());
    let response = client.http.post(url).json(body).send().await.unwrap();
    let status = response.status().as_u16();
    (status, response.json().await.unwrap())
}

async fn held(client: &Client, symbol: &str) -> Value {
    let books = client.look("/holdings").await;
    let mut holdings = books["accounts"][0]["holdings"].as_array().unwrap().iter();
    holdings
        .find(|holding| holding["symbol"] == symbol)
        .unwrap()
        .clone()
}

#[tokio::test]
async fn an_order_of_another_terminal_goes_the_way_of_all_orders() {
    let client = Client::start(quiet()).await;
    let mut session = client.notices("H0STCNI0").await;
    let sale = json!({ "symbol": "005930", "side": "sell", "qty": 3 });
    let sold = client.control("/orders", &sale).await["number"].clone();
    for kind in ["1", "2"] {
        let notice = session.notice().await;
        assert_eq!(
            (json!(notice[2]), notice[13].as_str()),
            (sold.clone(), kind)
        );
    }
    assert_eq!(held(&client, "005930").await["quantity"], 7);

    let purchase = json!({ "symbol": "005930", "side": "buy", "qty": 2, "price": 180_000 });
    let bought = client.control("/orders", &purchase).await["number"].clone();
    let number = bought.as_str().unwrap();
    client.until_working(number).await;
    assert_eq!(session.notice().await[13], "1");
    let cancel = client
        .control("/orders/cancel", &json!({ "number": number }))
        .await;
    assert_ne!(cancel["number"], bought);
    let confirmed = session.notice().await;
    assert_eq!(
        (confirmed[3].as_str(), confirmed[5].as_str()),
        (number, "2")
    );

    // The account's list has them, and the ledger says where they came from.
    let date = client.look("/session").await["date"]
        .as_str()
        .unwrap()
        .replace('-', "");
    let query = [
        ("CANO", "50123456"),
        ("ACNT_PRDT_CD", "01"),
        ("INQR_STRT_DT", date.as_str()),
        ("INQR_END_DT", date.as_str()),
        ("SLL_BUY_DVSN_CD", "00"),
        ("CCLD_DVSN", "00"),
    ];
    let path = format!("{TRADING}/inquire-daily-ccld");
    let list = client.get(&path, "TTTC0081R", &query).await;
    let rows = list.body["output1"].as_array().unwrap();
    assert!(
        rows.iter()
            .any(|row| row["odno"] == sold && row["tot_ccld_qty"] == "3")
    );
    let by_rest = client.accepted("TTTC0012U", &[("ORD_QTY", "1")]).await;
    let ledger = client.look("/orders").await;
    for order in ledger["orders"].as_array().unwrap() {
        assert_eq!(
            order["is_manual"],
            order["odno"] != json!(by_rest),
            "{order}"
        );
    }

    for (path, body, reason) in [
        (
            "/orders",
            json!({ "symbol": "005930", "side": "sell", "qty": 500 }),
            "APBK0400",
        ),
        (
            "/orders/cancel",
            json!({ "number": "0000000001" }),
            "APBK0344",
        ),
        (
            "/orders",
            json!({ "symbol": "005930", "side": "short", "qty": 1 }),
            "short",
        ),
    ] {
        let (status, error) = try_control(&client, path, &body).await;
        assert_eq!(status, 422, "{error}");
        assert!(error["error"].as_str().unwrap().contains(reason), "{error}");
    }
    client.sim.stop().await;
}

#[tokio::test]
async fn a_holding_can_vanish_and_appear_without_an_order() {
    let client = Client::start(quiet()).await;
    let set = |qty: i64| json!({ "symbol": "005930", "qty": qty });
    let answer = client.control("/holdings", &set(4)).await;
    assert_eq!(answer["before"], 10);
    let holding = held(&client, "005930").await;
    assert_eq!(
        (&holding["quantity"], &holding["sellable"]),
        (&json!(4), &json!(4))
    );
    assert_eq!(holding["sold_today"], 0);

    // What is in an open sale cannot vanish.
    let limit = [("ORD_QTY", "3"), ("ORD_UNPR", "200000")];
    let number = client.accepted("TTTC0011U", &limit).await;
    client.until_working(&number).await;
    let (status, error) = try_control(&client, "/holdings", &set(2)).await;
    assert_eq!(status, 409);
    assert!(
        error["error"].as_str().unwrap().contains("3 shares"),
        "{error}"
    );
    client
        .control("/orders/cancel", &json!({ "number": number }))
        .await;
    let gone = async { while try_control(&client, "/holdings", &set(0)).await.0 != 200 {} };
    tokio::time::timeout(crate::client::PATIENCE, gone)
        .await
        .unwrap();
    assert_eq!(held(&client, "005930").await["quantity"], 0);
    assert_eq!(
        client.order("TTTC0011U", &[]).await.body["msg_cd"],
        "APBK1234"
    );

    let other = json!({ "symbol": "000660", "qty": 5 });
    assert_eq!(client.control("/holdings", &other).await["before"], 0);
    assert_eq!(held(&client, "000660").await["quantity"], 5);
    let (status, _) = try_control(&client, "/holdings", &json!({ "symbol": "X", "qty": 1 })).await;
    assert_eq!(status, 404);
    client.sim.stop().await;
}

#[tokio::test]
async fn the_ledger_of_orders_outlives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let config = SimConfig {
        state_file: Some(folder.path().join("state.json")),
        ..quiet()
    };
    let client = Client::start(config.clone()).await;
    client
        .control(
            "/faults",
            &json!({ "fill_in_pieces": { "shares": 2, "every_ms": 600_000 } }),
        )
        .await;
    let partial = client
        .accepted("TTTC0011U", &[("ORD_DVSN", "01"), ("ORD_UNPR", "0")])
        .await;
    let by_hand = json!({ "symbol": "005930", "side": "buy", "qty": 1, "price": 150_000 });
    let by_hand = client.control("/orders", &by_hand).await["number"].clone();
    client.until_working(by_hand.as_str().unwrap()).await;
    // Number, side, ordered, filled, time and terminal of each order.
    let ledger = |orders: &Value| -> Vec<Vec<Value>> {
        let keys = ["odno", "side", "quantity", "filled", "at", "is_manual"];
        let orders = orders["orders"].as_array().unwrap().iter();
        orders
            .map(|order| keys.map(|key| order[key].clone()).to_vec())
            .collect()
    };
    let before = ledger(&client.look("/orders").await);
    assert_eq!(before.len(), 2);
    assert_eq!(
        before[0][..4],
        [json!(partial), json!("sell"), json!(10), json!(2)]
    );
    assert_eq!(before[1][5], true);
    client.sim.stop().await;

    // The rest of the order is filled at once: the fault is gone.
    let client = Client::start(config).await;
    let filled = async {
        loop {
            let orders = client.look("/orders").await;
            if orders["orders"][0]["filled"] == 10 {
                return orders;
            }
        }
    };
    let orders = tokio::time::timeout(crate::client::PATIENCE, filled)
        .await
        .unwrap();
    let mut after = ledger(&orders);
    after[0][3] = json!(2);
    assert_eq!(after, before);
    assert_eq!(held(&client, "005930").await["quantity"], 0);
    client.sim.stop().await;
}
