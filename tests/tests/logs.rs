//! The log of the running system: it names the order in every line about one, and shows no secret.

use serde_json::json;
use turnstile_tests::{ACCOUNT, Program, Stock, System, eventually};

/// A way to write the log, and an issue to be sold then: what is refused is tried again, and sold.
const ROUNDS: [(&str, &[&str]); 2] = [
    ("005930", &["stream"]),
    ("000660", &["--log-json", "stream"]),
];

/// An order that the broker refuses is told of, at the most talkative level.
#[tokio::test(flavor = "multi_thread")]
async fn lines_name_their_order_and_show_neither_keys_nor_the_account() {
    let stocks = ROUNDS.map(|(symbol, _)| Stock {
        symbol,
        close: 100_000,
        held: 10,
    });
    let system = System::start(&stocks, "").await;
    system.exit_rules(json!({"sl2": {"pnl": -0.05}})).await;
    let config = system.config_file("");
    for (round, (symbol, arguments)) in (1..).zip(ROUNDS) {
        system
            .post("/faults", json!({"reject_next": "APBK1943"}))
            .await;
        let mut environment = system.environment();
        environment.push((
            "RUST_LOG",
            "turnstile=trace,turnstile_connectors=trace,info",
        ));
        let log = system.folder().join("talkative.log");
        let all = [&["--config", &config][..], arguments].concat();
        let stream = Program::start(&all, &environment, &log);
        eventually("an order is refused", async || {
            system.trade(symbol, 90_000).await;
            stream.log().contains("order rejected")
        })
        .await;
        let refused = "SELECT count(*) FROM trade.orders_now WHERE status = 'REJECTED'";
        system.counts(refused, round).await;
        let order = "SELECT o.order_id::text, o.action_key
            FROM trade.orders o JOIN trade.orders_now n USING (order_id)
            WHERE n.status = 'REJECTED' ORDER BY o.decided_us DESC LIMIT 1";
        let order = &system.query(order, &[]).await[0];
        let [id, key]: [String; 2] = [order.get(0), order.get(1)];
        let text = stream.log();
        let line = text.lines().find(|line| line.contains("order rejected"));
        let line = line.expect("it is in the log");
        assert!(line.contains(&id) && line.contains(&key), "{line}");
        let digits = ACCOUNT.split('-').next().expect("digits");
        for secret in [digits, "PSsimulated", "simulated-secret", "Bearer ey"] {
            let shown = text.lines().find(|line| line.contains(secret));
            assert_eq!(shown, None, "{secret} is in the log");
        }
        stream.stop().await;
    }
    system.stop().await;
}
