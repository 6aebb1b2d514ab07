//! Purchases that the operator asks for, from the API to the position.

use serde_json::{Value, json};
use turnstile_tests::{Api, Stock, System};

const SYMBOL: &str = "005930";

#[tokio::test(flavor = "multi_thread")]
async fn a_purchase_by_hand_is_one_order_within_the_limits_of_the_day() {
    let stock = Stock {
        symbol: SYMBOL,
        close: 50_000,
        held: 0,
    };
    let system = System::start(&[stock], "").await;
    system
        .execute(
            "INSERT INTO market.symbol_context (symbol, trade_date, prev_close)
             VALUES ($1, (now() AT TIME ZONE 'Asia/Seoul')::date, 50000)",
            &[&SYMBOL],
        )
        .await;
    let stream = system.stream("").await;
    let (program, url) = system.bff().await;
    let api = Api::new(program, url);
    let ask = async |key: &str, qty: i64, limit: Value| {
        let asked = json!({"symbol": SYMBOL, "side": "BUY", "qty": qty, "limit_price": limit,
            "reason": "earnings", "asked_by": "kim", "idempotency_key": key});
        api.post("/orders", &asked).await
    };

    // Nobody knows a price yet.
    let (status, answer) = ask("early", 1, Value::Null).await;
    assert_eq!((status, &answer["data"]["state"]), (200, &json!("ASKED")));
    let refused = "SELECT count(*) FROM trade.manual_entries WHERE state = 'REFUSED'";
    system.counts(refused, 1).await;
    system
        .execute(
            "INSERT INTO strategy.watchlist (symbol) VALUES ($1) ON CONFLICT DO NOTHING",
            &[&SYMBOL],
        )
        .await;
    system.registered(1).await;
    system.trade(SYMBOL, 50_000).await;
    system.counts("SELECT count(*) FROM market.prices", 1).await;

    assert_eq!(ask("a", 10, Value::Null).await.0, 200);
    assert_eq!(ask("a", 10, Value::Null).await.0, 200, "the same request");
    assert_eq!(ask("a", 11, Value::Null).await.0, 409, "another one");
    let held = "SELECT count(*) FROM trade.positions
        WHERE qty = 10 AND strategy_id = 'MANUAL' AND status = 'OPEN'";
    system.counts(held, 1).await;
    assert_eq!(system.orders_sent().await, 1);

    // 65,000 is the upper limit of the day.
    assert_eq!(ask("b", 5, json!(65_100)).await.0, 200);
    let rejected = "SELECT count(*) FROM trade.order_events WHERE code = 'PRICE_LIMIT'";
    system.counts(rejected, 1).await;
    assert_eq!(system.orders_sent().await, 1, "it never left");
    assert_eq!(ask("c", 5, json!(65_000)).await.0, 200);
    let grown = "SELECT count(*) FROM trade.positions WHERE qty = 15 AND status = 'OPEN'";
    system.counts(grown, 1).await;
    assert_eq!(system.orders_sent().await, 2);

    let (status, answer) = ask("c", 5, json!(65_000)).await;
    assert_eq!((status, &answer["data"]["state"]), (200, &json!("ORDERED")));
    assert!(answer["data"]["order_id"].is_string(), "{answer}");
    api.stop().await;
    stream.stop().await;
    system.stop().await;
}
