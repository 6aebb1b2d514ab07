//! The log of the running system: it names the order in every line about one, and shows no secret.

use serde_json::json;
use turnstile_tests::{ACCOUNT, Program, Stock, System, connect, eventually};

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

/// Passwords with what has to be encoded in addresses, as they are and as they are written there.
const DATABASE: [&str; 2] = ["datenbank/wort@1", "datenbank%2Fwort%401"];
const REDIS: [&str; 2] = ["redis/wort@1", "redis%2Fwort%401"];
const WEBHOOK: &str = "T0000/hook-wort-1";

/// Every store refuses or goes away, the broker refuses, nobody takes messages, at the most talkative
/// level.
#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_in_the_log_or_the_database_whatever_fails() {
    let stock = Stock {
        symbol: "005930",
        close: 100_000,
        held: 10,
    };
    let mut system = System::start(&[stock], "").await;
    system.exit_rules(json!({"sl2": {"pnl": -0.05}})).await;
    let webhook = format!("[monitoring.webhook]\nurl = \"http://127.0.0.1:1/{WEBHOOK}\"\n");
    let config = system.config_file(&webhook);
    let url = system.database_url();
    let with_password = format!("//turnstile:{}@%2Fnowhere,", DATABASE[1]);
    let database = url.replacen("//turnstile@", &with_password, 1);
    let redis = system.servers.redis_url().expect("Redis runs");
    let redis = format!("{redis}?pass={}", REDIS[1]);
    let environment = [
        ("DATABASE_URL", database.as_str()),
        ("REDIS_URL", &redis),
        (
            "RUST_LOG",
            "turnstile=trace,turnstile_connectors=trace,debug,h2=info,timely=info",
        ),
    ];
    let log = system.folder().join("failing.log");
    let start = || Program::start(&["--config", &config, "stream"], &environment, &log);

    let reject = json!({"reject_next": "APBK1943"});
    system.post("/faults", reject).await;
    let stream = start();
    eventually("an order is refused", async || {
        system.trade("005930", 90_000).await;
        stream.log().contains("order rejected")
    })
    .await;
    let postgres = system.servers.postgres().expect("PostgreSQL runs");
    postgres.stop().await.expect("it stops");
    eventually("it is told", async || {
        stream.log().contains("cannot be reached")
    })
    .await;
    let postgres = system.servers.postgres().expect("PostgreSQL runs");
    postgres.start().await.expect("it starts");
    let told = stream.log();
    drop(stream);
    // What an address that cannot be reached makes of a start.
    let nowhere = database.replace("turnstile-", "elsewhere-");
    let environment = [("DATABASE_URL", nowhere.as_str())];
    let failed = Program::start(&["--config", &config, "migrate"], &environment, &log);
    let (is_done, said) = failed.output().await;
    assert!(!is_done && said.contains("cannot be reached"), "{said}");

    let digits = ACCOUNT.split('-').next().expect("digits");
    let keys = [
        digits,
        "PSsimulated",
        "simulated-secret",
        "Bearer ey",
        WEBHOOK,
    ];
    let secrets = keys.iter().chain(&DATABASE).chain(&REDIS);
    let client = connect(&url).await;
    let tables = "SELECT c.oid::regclass::text FROM pg_class c
        JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition
            AND n.nspname IN ('market', 'trade', 'strategy', 'system')";
    let tables = client.query(tables, &[]).await.expect("tables");
    for secret in secrets {
        for text in [&told, &said] {
            let shown = text.lines().find(|line| line.contains(secret));
            assert_eq!(shown, None, "{secret} is in the log");
        }
        if *secret == digits {
            // Rows are of their account.
            continue;
        }
        for table in &tables {
            let table: &str = table.get(0);
            let query = format!("SELECT t::text FROM {table} t WHERE position($1 IN t::text) > 0");
            let rows = client.query(&query, &[secret]).await.expect("rows");
            let row = rows.first().map(|row| row.get::<_, String>(0));
            assert_eq!(row, None, "{secret} is in {table}");
        }
    }
    drop(client);
    system.stop().await;
}
