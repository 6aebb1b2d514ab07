//! What the exits say beside decisions, and what the operator asks of them.

use std::time::Duration;

use serde_json::{Value, json};
use turnstile_tests::{Api, Stock, System, eventually};

const SYMBOL: &str = "005930";

async fn start() -> System {
    let stock = Stock {
        symbol: SYMBOL,
        close: 100_000,
        held: 100,
    };
    System::start(&[stock], "").await
}

/// Waits until a query gives `expected`.
async fn expect(system: &System, query: &str, expected: &str) {
    let mut was = String::new();
    for _ in 0..TRIES {
        was = system
            .one::<Option<String>>(query, &[])
            .await
            .unwrap_or_default();
        if was == expected {
            return;
        }
        tokio::time::sleep(PAUSE).await;
    }
    panic!("{query}: expected {expected:?}, was {was:?}");
}

/// Patience with everything that the tests wait for.
const TRIES: u32 = 600;
const PAUSE: Duration = Duration::from_millis(100);

/// Nobody asks for what does not trade.
const STREAM_ONLY: &str = "[quotes]\nrest = false\n";

const LEVELS: &str =
    "SELECT string_agg(reason || ' ' || side || ' ' || level, ', ' ORDER BY reason)
    FROM trade.exit_levels";

#[tokio::test]
async fn levels_and_verdicts_follow_the_price_until_the_close() {
    let system = start().await;
    system
        .exit_rules(json!({"sl2": {"pnl": -0.05}, "trail": {"pct": 0.03, "qty": 0.5}}))
        .await;
    system
        .execute(
            "UPDATE trade.position_state SET phase = 'TRAILING_ACTIVE'",
            &[],
        )
        .await;
    let settings = format!("{STREAM_ONLY}[exits]\nsignals_every = \"200ms\"\n");
    let stream = system.stream(&settings).await;
    expect(&system, LEVELS, "SL2 BELOW 95000.0000").await;
    system.trade(SYMBOL, 101_000).await; // Bid 100,900.
    expect(
        &system,
        LEVELS,
        "SL2 BELOW 95000.0000, TRAIL BELOW 97873.0000",
    )
    .await;
    system.trade(SYMBOL, 103_000).await; // Bid 102,900.
    expect(
        &system,
        LEVELS,
        "SL2 BELOW 95000.0000, TRAIL BELOW 99813.0000",
    )
    .await;
    let marks = "SELECT string_agg(DISTINCT hwm_price::text || ' ' || profile_level, ', ')
        FROM trade.exit_levels WHERE since <= now()";
    expect(&system, marks, "102900.0000 DEFAULT").await;

    let verdicts = "SELECT string_agg(concat_ws(' ', rule_name, price, distance, is_triggered, pnl_pct,
            distance = round((price - level) / price, 12)), ', ' ORDER BY distance)
        FROM trade.exit_signals
        WHERE evaluated_ts = (SELECT max(evaluated_ts) FROM trade.exit_signals WHERE level = 99813)";
    expect(
        &system,
        verdicts,
        "TRAIL 102900.0000 0.030000000000 f 2.900000 t, SL2 102900.0000 0.076773566569 f 2.900000 t",
    )
    .await;

    system.trade(SYMBOL, 94_000).await;
    system
        .counts("SELECT count(*) FROM trade.exit_events", 1)
        .await;
    expect(&system, LEVELS, "").await;
    stream.stop().await;
    system.stop().await;
}

#[tokio::test]
async fn a_hit_under_pause_is_recorded_and_a_stale_price_told_once() {
    let system = start().await;
    system.exit_rules(json!({"sl2": {"pnl": -0.05}})).await;
    system.mode("exit", "PAUSE_ALL").await;
    system.post("/faults", json!({"naver_down": true})).await;
    let stream = system.stream(STREAM_ONLY).await;
    // A plan that changes has its hits told anew: volatility and last close come a little after the start.
    let entered = "SELECT count(*) FROM system.engine_events
        WHERE payload::text LIKE '%market.symbol_context%'";
    eventually("the plan stands", async || {
        system.one::<i64>(entered, &[]).await >= 1
    })
    .await;
    for won in [99_000, 94_000, 93_900] {
        system.trade(SYMBOL, won).await;
    }
    let withheld = "SELECT string_agg(concat_ws(' ', reason, why, price, level), ', ')
        FROM trade.exit_withheld";
    expect(&system, withheld, "SL2 MODE 94000.0000 95000.0000").await;

    // Ten seconds without a trade, by the clock of the engine.
    let events = "SELECT string_agg(event || ' ' || level, ', ' ORDER BY id) FROM system.logs
        WHERE symbol = '005930' AND event LIKE 'price_%'";
    expect(&system, events, "price_stale WARNING").await;
    system.trade(SYMBOL, 94_000).await;
    expect(&system, events, "price_stale WARNING, price_fresh INFO").await;
    let journal = "SELECT string_agg(payload->0->>'is_stale', ' ' ORDER BY logical_us)
        FROM system.engine_events WHERE kind = 'freshness' AND payload->0->>'seen_us' IS NOT NULL";
    let verdicts: String = system.one(journal, &[]).await;
    assert!(verdicts.ends_with("true false"), "{verdicts}");

    // What was held back is decided at the next tick once it may be.
    system.mode("exit", "RUNNING").await;
    system.trade(SYMBOL, 94_000).await;
    system
        .counts("SELECT count(*) FROM trade.exit_events", 1)
        .await;
    assert_eq!(system.orders_sent().await, 1);
    stream.stop().await;
    system.stop().await;
}

#[tokio::test]
async fn the_operator_sells_what_no_rule_may() {
    let system = start().await;
    system.exit_rules(json!({"sl2": {"pnl": -0.05}})).await;
    system
        .execute("UPDATE trade.positions SET exit_mode = 'MANUAL_ONLY'", &[])
        .await;
    let stream = system.stream("").await;
    let (program, url) = system.bff().await;
    let api = Api::new(program, url);
    let id: String = system
        .one("SELECT position_id::text FROM trade.positions", &[])
        .await;
    let path = format!("/positions/{id}/sell");
    let sell =
        |qty: i64, key: &str| json!({"qty": qty, "asked_by": "test", "idempotency_key": key});
    let orders =
        "SELECT string_agg(concat_ws(' ', reason_code, qty, status), ', ' ORDER BY decided_us)
        FROM trade.orders_now";

    system.trade(SYMBOL, 90_000).await; // Ten percent down, and no rule sells.
    let (status, body) = api.post(&path, &sell(30, "a")).await;
    assert_eq!(
        (status, &body["data"]["state"]),
        (200, &json!("ASKED")),
        "{body}"
    );
    expect(&system, orders, "MANUAL 30 FILLED").await;
    let again = api.post(&path, &sell(30, "a")).await.1;
    assert_eq!(again["data"]["state"], "ORDERED", "{again}");
    assert_ne!(again["data"]["order_id"], Value::Null);
    let held = "SELECT concat_ws(' ', qty, status, phase) FROM trade.positions
        JOIN trade.position_state USING (position_id)";
    expect(&system, held, "70 OPEN OPEN").await;

    system
        .execute("UPDATE trade.positions SET exit_mode = 'DISABLED'", &[])
        .await;
    assert_eq!(api.post(&path, &sell(1, "b")).await.0, 409);
    // Also a row that nobody checked is left alone by the engine.
    system
        .execute(
            "INSERT INTO trade.manual_exits (request_id, position_id, symbol, qty, asked_by)
             SELECT gen_random_uuid(), position_id, symbol, 1, 'test' FROM trade.positions",
            &[],
        )
        .await;
    system.trade(SYMBOL, 90_000).await;
    system
        .counts(
            "SELECT count(*) FROM market.prices WHERE last_price = 90000",
            2,
        )
        .await;
    expect(&system, orders, "MANUAL 30 FILLED").await;

    // The rest, with the permission back and the unchecked row withdrawn.
    system
        .execute(
            "UPDATE trade.manual_exits SET state = 'WITHDRAWN' WHERE state = 'ASKED'",
            &[],
        )
        .await;
    system
        .execute("UPDATE trade.positions SET exit_mode = 'ENABLED'", &[])
        .await;
    system.trade(SYMBOL, 90_000).await;
    system
        .counts("SELECT count(*) FROM trade.exit_events", 1)
        .await;
    expect(&system, orders, "MANUAL 30 FILLED, SL2 70 FILLED").await;
    api.stop().await;
    stream.stop().await;
    system.stop().await;
}

/// Each change makes another rule the most specific one: what the API resolves is what the engine then
/// says of the position.
#[tokio::test]
async fn the_api_resolves_rules_as_the_engine_does() {
    let system = start().await;
    let rules = json!({"sl2": {"pnl": -0.05}});
    system.exit_rules(rules.clone()).await;
    let stream = system.stream(STREAM_ONLY).await;
    let (program, url) = system.bff().await;
    let api = Api::new(program, url);
    let id: String = system
        .one("SELECT position_id::text FROM trade.positions", &[])
        .await;
    let path = format!("/exit-rules/resolve?position_id={id}");
    let add = async |id: &str, scope: &str, key: Option<&str>| {
        let add =
            "INSERT INTO trade.exit_rules (rule_id, scope, scope_key, name, rules, created_by)
            VALUES ($1, $2, $3, $1, $4, 'test')";
        system.execute(add, &[&id, &scope, &key, &rules]).await;
    };
    let expect = async |rule: &str, level: &str| {
        let serving = json!([rule, level]);
        let of = |serving: &Value| json!([serving["rule_id"], serving["level"]]);
        eventually(rule, async || {
            let (status, body) = api.get(&path).await;
            assert_eq!(status, 200, "{body}");
            let (now, told) = (&body["data"]["rule"], &body["data"]["told"]);
            assert_eq!(of(now), serving, "{body}");
            now == told
        })
        .await;
    };
    expect("default", "DEFAULT").await;
    add("of-manual", "STRATEGY", Some("MANUAL")).await;
    expect("of-manual", "STRATEGY").await;
    add("of-symbol", "SYMBOL", Some(SYMBOL)).await;
    expect("of-symbol", "SYMBOL").await;
    add("own", "POSITION", None).await;
    expect("of-symbol", "SYMBOL").await;
    let name = "UPDATE trade.positions SET exit_profile_id = 'own'";
    system.execute(name, &[]).await;
    expect("own", "POSITION").await;
    let later = "UPDATE trade.exit_rules SET effective_from = '2999-01-01' WHERE rule_id = 'own'";
    system.execute(later, &[]).await;
    expect("of-symbol", "SYMBOL").await;
    let off = "UPDATE trade.exit_rules SET is_active = false WHERE rule_id = 'of-symbol'";
    system.execute(off, &[]).await;
    expect("of-manual", "STRATEGY").await;
    api.stop().await;
    stream.stop().await;
    system.stop().await;
}
