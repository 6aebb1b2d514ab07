//! The log of the running system: it names the order in every line about one, and shows no secret.

use serde_json::json;
use turnstile_tests::{ACCOUNT, Program, Stock, System, eventually};

const SYMBOL: &str = "005930";

/// An order that the broker refuses is told of, at the most talkative level.
#[tokio::test(flavor = "multi_thread")]
async fn lines_name_their_order_and_show_neither_keys_nor_the_account() {
    let stock = Stock {
        symbol: SYMBOL,
        close: 100_000,
        held: 10,
    };
    let system = System::start(&[stock], "").await;
    system.exit_rules(json!({"sl2": {"pnl": -0.05}})).await;
    let config = system.config_file("");
    for arguments in [&["stream"][..], &["--log-json", "stream"]] {
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
        system.registered(1).await;
        let before: i64 = system.one("SELECT count(*) FROM trade.orders", &[]).await;
        eventually("an order is refused", async || {
            system.trade(SYMBOL, 90_000).await;
            stream.log().contains("order rejected")
        })
        .await;
        let order =
            "SELECT order_id::text, action_key FROM trade.orders ORDER BY decided_us DESC LIMIT 1";
        let order = &system.query(order, &[]).await[0];
        let [id, key]: [String; 2] = [order.get(0), order.get(1)];
        let text = stream.log();
        let line = text.lines().find(|line| line.contains("order rejected"));
        let line = line.expect("it is in the log");
        assert!(line.contains(&id) && line.contains(&key), "{line}");
        assert!(
            system
                .one::<i64>("SELECT count(*) FROM trade.orders", &[])
                .await
                > before
        );
        let digits = ACCOUNT.split('-').next().expect("digits");
        for secret in [digits, "PSsimulated", "simulated-secret", "Bearer ey"] {
            let shown = text.lines().find(|line| line.contains(secret));
            assert_eq!(shown, None, "{secret} is in the log");
        }
        stream.stop().await;
    }
    system.stop().await;
}
