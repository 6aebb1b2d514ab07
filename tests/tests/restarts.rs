//! Stops, restarts and a second engine: nothing lost, nothing done twice.

use nix::sys::signal::Signal;
use serde_json::{Value, json};
use turnstile_tests::{ACCOUNT, Program, Stock, System, eventually};

const SYMBOL: &str = "005930";

fn one_position() -> [Stock<'static>; 1] {
    [Stock {
        symbol: SYMBOL,
        close: 100_000,
        held: 100,
    }]
}

fn rules() -> Value {
    json!({"sl2": {"pnl": -0.05}, "sl1": {"pnl": -0.03, "qty": 0.5}})
}

#[tokio::test]
async fn a_second_start_goes_on_from_what_is_stored() {
    let system = System::start(&one_position(), "").await;
    system.exit_rules(rules()).await;
    let stream = system.stream("").await;
    system.trade(SYMBOL, 97_000).await;
    system
        .counts(
            "SELECT count(*) FROM trade.orders_now WHERE status = 'FILLED'",
            1,
        )
        .await;
    stream.stop().await;
    let last_us: i64 = system
        .one("SELECT max(logical_us) FROM market.prices", &[])
        .await;

    // As an engine leaves it that stood still for a while before it was killed.
    let beat =
        "INSERT INTO system.engine_beats (engine_id, account_id, instance, beat_ts, evaluated_ts)
        VALUES (gen_random_uuid(), $1, 'killed', now(), now() - interval '100 seconds')";
    system.execute(beat, &[&ACCOUNT]).await;

    let stream = system.stream("").await;
    system.trade(SYMBOL, 96_900).await; // SL1 is used up; nothing is sold twice.
    system.trade(SYMBOL, 95_000).await;
    system
        .counts("SELECT count(*) FROM trade.exit_events", 1)
        .await;
    assert_eq!(system.orders_sent().await, 2);
    let later: i64 = system
        .one(
            "SELECT count(*) FROM market.prices WHERE logical_us > $1",
            &[&last_us],
        )
        .await;
    assert!(later >= 2, "logical times go on after the restart");
    let unprotected: i64 = system
        .one(
            "SELECT substring(message FROM '^1 positions were not judged for (\\d+) s$')::bigint
             FROM system.logs WHERE event = 'POSITIONS_UNPROTECTED'",
            &[],
        )
        .await;
    assert!((100..160).contains(&unprotected), "{unprotected} s");
    stream.stop().await;
    system.stop().await;
}

#[tokio::test]
async fn a_killed_engine_sends_no_order_twice() {
    let system = System::start(&one_position(), "").await;
    system.exit_rules(rules()).await;
    let stream = system.stream("").await;
    // The broker takes the order and does not answer; the engine dies in between.
    system
        .post("/faults", json!({"accept_then_silent": 1}))
        .await;
    system.trade(SYMBOL, 94_000).await;
    eventually("the order is at the broker", async || {
        system.orders_sent().await == 1
    })
    .await;
    stream.signal(Signal::SIGKILL);
    assert!(!stream.ended().await);

    let stream = system.stream("").await;
    system
        .counts("SELECT count(*) FROM trade.exit_events", 1)
        .await;
    assert_eq!(
        system.orders_sent().await,
        1,
        "looked up and adopted, not sent again"
    );
    let sold: i64 = system
        .one("SELECT sum(qty)::bigint FROM trade.executions", &[])
        .await;
    assert_eq!(sold, 100);
    stream.stop().await;
    system.stop().await;
}

/// Starts a second engine beside the active one.
async fn standby(system: &System) -> Program {
    let second = system.start_stream_logged("# second\n", "second.log");
    eventually("the second waits", async || {
        second.log().contains("standby")
    })
    .await;
    second
}

#[tokio::test]
async fn a_second_engine_waits_and_takes_over() {
    let system = System::start(&one_position(), "").await;
    system.exit_rules(rules()).await;
    let first = system.stream("").await;
    let second = standby(&system).await;
    first.stop().await;
    eventually("the second takes over", async || {
        second.log().contains("taking over")
    })
    .await;
    system.registered(1).await;
    system.trade(SYMBOL, 94_000).await;
    system
        .counts("SELECT count(*) FROM trade.exit_events", 1)
        .await;
    assert_eq!(system.orders_sent().await, 1);
    second.stop().await;
    system.stop().await;
}

/// The active engine is killed while a stop of its is on the way and prices go on. What the standby
/// does first with them is measured from the kill.
#[tokio::test]
async fn a_standby_decides_within_seconds_of_the_kill_and_doubles_no_order() {
    const OTHER: &str = "000660";
    let stocks = [
        Stock {
            symbol: SYMBOL,
            close: 100_000,
            held: 100,
        },
        Stock {
            symbol: OTHER,
            close: 100_000,
            held: 100,
        },
    ];
    let system = System::start(&stocks, "").await;
    system.exit_rules(rules()).await;
    let first = system.stream("").await;
    let second = standby(&system).await;
    let (late, cut) = (json!({"delay_ms": 300}), json!({"delay_ms": 0}));
    system.post("/faults", late).await;
    system.trade(SYMBOL, 94_000).await;
    eventually("the stop is on the way", async || {
        system.orders_sent().await == 1
    })
    .await;
    first.signal(Signal::SIGKILL);
    let killed = tokio::time::Instant::now();
    system.post("/faults", cut).await;
    let decided = "SELECT count(*) FROM trade.orders WHERE symbol = '000660'";
    while system.one::<i64>(decided, &[]).await == 0 {
        system.trade(OTHER, 94_000).await;
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        assert!(killed.elapsed().as_secs() < 60, "{}", second.log());
    }
    println!(
        "first decision {:.2} s after the kill",
        killed.elapsed().as_secs_f64()
    );
    system
        .counts("SELECT count(*) FROM trade.exit_events", 2)
        .await;
    assert_eq!(system.orders_sent().await, 2, "one order for each stop");
    second.stop().await;
    system.stop().await;
}

#[tokio::test]
async fn a_lost_broker_connection_comes_back_by_itself() {
    let system = System::start(&one_position(), "").await;
    system.exit_rules(rules()).await;
    let stream = system.stream("").await;
    system
        .post("/faults", json!({"drop_connections": true}))
        .await;
    eventually("the loss is noticed", async || {
        stream.log().contains("broker stream lost")
    })
    .await;
    eventually("prices come again", async || {
        system.trade(SYMBOL, 94_000).await;
        system
            .one::<i64>("SELECT count(*) FROM trade.exit_events", &[])
            .await
            == 1
    })
    .await;
    stream.stop().await;
    system.stop().await;
}
