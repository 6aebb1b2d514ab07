//! Orders that wait for the operator, from the price to the fill, through stream job and BFF.

use serde_json::json;
use turnstile_tests::{Api, Stock, System};

const PENDING: &str = "SELECT count(*) FROM trade.orders_now WHERE status = 'PENDING_APPROVAL'";

#[tokio::test(flavor = "multi_thread")]
async fn a_take_profit_is_sent_once_the_operator_approves_it_and_not_where_he_cancels() {
    let stock = Stock {
        symbol: "005930",
        close: 50_000,
        held: 100,
    };
    let system = System::start(&[stock], "").await;
    let rules = json!({"tp1": {"pnl": 0.05, "qty": 0.1}, "tp2": {"pnl": 0.1, "qty": 0.2}});
    system.exit_rules(rules).await;
    let stream = system
        .stream("[execution]\napproval = \"profit_only\"\n")
        .await;
    let (program, url) = system.bff().await;
    let api = Api::new(program, url);
    let ask = |what: &'static str| {
        let (system, api) = (&system, &api);
        async move {
            let order: String = system
                .one(
                    "SELECT order_id::text FROM trade.orders_now WHERE status = 'PENDING_APPROVAL'",
                    &[],
                )
                .await;
            let asked = json!({"asked_by": "kim", "idempotency_key": what});
            let (status, answer) = api.post(&format!("/orders/{order}/{what}"), &asked).await;
            assert_eq!(status, 200, "{answer}");
        }
    };

    system.trade("005930", 53_000).await;
    system.counts(PENDING, 1).await;
    assert_eq!(system.orders_sent().await, 0, "nobody has approved it");
    ask("approve").await;
    let filled = "SELECT count(*) FROM trade.orders_now WHERE status = 'FILLED'";
    system.counts(filled, 1).await;
    assert_eq!(system.orders_sent().await, 1);

    system.trade("005930", 56_000).await;
    system.counts(PENDING, 1).await;
    ask("cancel").await;
    let cancelled = "SELECT count(*) FROM trade.order_events WHERE code = 'OPERATOR'";
    system.counts(cancelled, 1).await;
    assert_eq!(system.orders_sent().await, 1);
    api.stop().await;
    stream.stop().await;
    system.stop().await;
}
