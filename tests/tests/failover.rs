//! A primary that is lost and a standby that takes over.

use std::time::Duration;

use tokio::time::Instant;
use turnstile_tests::{Replicas, Stock, System, Ticker, connect, eventually};

#[tokio::test]
async fn what_was_committed_is_on_the_promoted_standby_and_on_the_next_one() {
    let mut replicas = Replicas::start().await;
    let client = connect(replicas.url()).await;
    let committed = "CREATE TABLE t (n integer); INSERT INTO t SELECT generate_series(1, 1000)";
    client.batch_execute(committed).await.expect("committed");
    for round in 0..2 {
        replicas.kill_primary();
        replicas.promote().await;
        let client = connect(replicas.url()).await;
        let count = client.query_one("SELECT count(*) FROM t", &[]).await;
        let count: i64 = count.expect("it answers").get(0);
        assert_eq!(count, 1000 + round);
        replicas.rejoin().await;
        let more = client.execute("INSERT INTO t VALUES (0)", &[]).await;
        more.expect("committed");
    }
}

const SYMBOL: &str = "005930";
const OTHER: &str = "000660";

/// The primary is killed with prices moving and an order in flight; the engine goes on on the promoted
/// standby: no price and no order is lost or doubled.
#[tokio::test(flavor = "multi_thread")]
async fn an_engine_goes_on_on_the_promoted_standby() {
    let held = [SYMBOL, OTHER].map(|symbol| Stock {
        symbol,
        close: 100_000,
        held: 100,
    });
    let moving: Vec<String> = (0..5)
        .map(|number| format!("{:06}", 220_010 + 10 * number))
        .collect();
    let quiet = moving.iter().map(|symbol| Stock {
        symbol,
        close: 100_000,
        held: 0,
    });
    let stocks: Vec<Stock<'_>> = held.into_iter().chain(quiet).collect();
    let mut system = System::start_replicated(&stocks, "").await;
    system
        .exit_rules(serde_json::json!({"sl2": {"pnl": -0.05}}))
        .await;
    let mut stream = system.stream("").await;
    let ticker = Ticker::start(&system, &moving, 200);
    tokio::time::sleep(Duration::from_secs(1)).await;
    system
        .post("/faults", serde_json::json!({"delay_ms": 500}))
        .await;
    system.trade(SYMBOL, 94_000).await;
    eventually("an order is in flight", async || {
        system.orders_sent().await == 1
    })
    .await;

    let replicas = system.replicas.as_mut().expect("a standby");
    replicas.kill_primary();
    tokio::time::sleep(Duration::from_secs(2)).await;
    let replicas = system.replicas.as_mut().expect("a standby");
    replicas.promote().await;
    let promoted = Instant::now();
    system
        .post("/faults", serde_json::json!({"clear": true}))
        .await;
    eventually("an engine lives again", async || {
        stream.log().matches("the engine lives").count() == 2
    })
    .await;
    println!(
        "an engine {:.2} s after the promotion",
        promoted.elapsed().as_secs_f64()
    );
    system.reconnect().await;
    system.trade(OTHER, 94_000).await;
    system
        .counts("SELECT count(*) FROM trade.exit_events", 2)
        .await;
    println!(
        "another position sold {:.2} s after the promotion",
        promoted.elapsed().as_secs_f64()
    );
    assert!(!stream.has_ended());
    let told = ticker.stop().await;
    let mut faults = Vec::new();
    let until = Instant::now() + Duration::from_secs(10);
    while Instant::now() < until {
        // The last ones are on their way.
        faults = told.faults(&system, 0, true).await;
        if faults.is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(faults.is_empty(), "{faults:?}\n{}", stream.log());
    println!("{} prices, each stored once", told.count());
    assert_eq!(system.orders_sent().await, 2, "one order for each stop");
    let sold: i64 = system
        .one("SELECT sum(qty)::bigint FROM trade.executions", &[])
        .await;
    assert_eq!(sold, 200);
    stream.stop().await;
    system.stop().await;
}
