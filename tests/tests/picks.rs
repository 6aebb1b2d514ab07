//! From picks of other programs to guarded positions, in the running system.

use std::time::Duration;

use serde_json::{Value, json};
use turnstile_tests::{Api, Stock, System, clear_of_midnight, eventually};

const FIRST: &str = "005930";
const OTHER: &str = "000660";
const PRICE: i64 = 100_000;

const PICKS: &str = "[execution]\nsettle_delay = \"1s\"\npoll_idle = \"1s\"\nholdings_open = \"1s\"\n\
    [picks]\nenabled = true\nsweep = \"1s\"\n";

fn stock(symbol: &str) -> Stock<'_> {
    Stock {
        symbol,
        close: PRICE,
        held: 0,
    }
}

fn run(producer: i64, run_id: &str, symbol: &str) -> Value {
    json!({"producer_id": producer, "run_id": run_id, "asof": jiff::Timestamp::now().to_string(),
        "sent_by": "test", "picks": [{"symbol": symbol, "side": "LONG", "score": 0.8,
        "confidence": "HIGH", "rank": 1, "reasons": ["a disclosure"]}]})
}

async fn send(api: &Api, body: &Value) -> Value {
    let (status, answer) = api.post("/picks", body).await;
    assert_eq!(status, 200, "{answer}");
    answer["data"].clone()
}

/// Trades at one price until `query` counts as many: a price is fresh for seconds only.
async fn trade_until(system: &System, symbol: &str, query: &str, count: i64) {
    eventually(query, async || {
        system.trade(symbol, PRICE).await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        system.one::<i64>(query, &[]).await >= count
    })
    .await;
}

fn held(symbol: &str, gate: &str) -> String {
    format!("SELECT count(*) FROM trade.pick_holds WHERE symbol = '{symbol}' AND gate = '{gate}'")
}

fn position(symbol: &str) -> String {
    format!(
        "SELECT count(*) FROM trade.positions p JOIN trade.orders_now o ON o.symbol = p.symbol
         JOIN trade.pick_decisions d ON d.action_key = o.action_key
         WHERE p.symbol = '{symbol}' AND p.strategy_id = 'picks' AND p.status = 'OPEN' AND p.qty = 29
            AND o.status = 'FILLED' AND o.side = 'BUY' AND o.reason_code = 'PICK'
            AND d.decision = 'PLACED' AND d.qty = 29
            AND o.action_key LIKE 'ENTRY:' || to_char(d.day, 'YYYYMMDD') || ':{symbol}:300_:%'"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pick_becomes_a_guarded_position_once_a_day() {
    clear_of_midnight().await;
    let system = System::start(&[stock(FIRST), stock(OTHER)], "").await;
    // Nobody watches it: that it is picked has to be enough for a price.
    system
        .execute(
            "DELETE FROM strategy.watchlist WHERE symbol = $1",
            &[&FIRST],
        )
        .await;
    system
        .exit_rules(json!({"sl1": {"pnl": -0.05, "qty": 1.0}}))
        .await;
    let stream = system.stream(PICKS).await;
    let (program, url) = system.bff().await;
    let api = Api::new(program, url);
    let told = "SELECT count(*) FROM trade.account_equity WHERE equity = 100000000";
    system.counts(told, 1).await;

    // Without a price it is held.
    let body = run(3000, "morning", FIRST);
    let stored = send(&api, &body).await;
    assert_eq!(stored["producer"], "ranking");
    system.counts(&held(FIRST, "PRICE"), 1).await;
    let (status, answer) = api.get("/pick_decisions?which=held").await;
    let hold = &answer["data"][0];
    assert_eq!(
        (status, &hold["symbol"], &hold["decision"]),
        (200, &json!(FIRST), &json!("HELD")),
        "{answer}"
    );

    // With one it is bought for 3 % of 100 million: 29 shares at 100,500 at most.
    let placed = "SELECT count(*) FROM trade.pick_decisions WHERE decision = 'PLACED'";
    trade_until(&system, FIRST, placed, 1).await;
    trade_until(&system, FIRST, &position(FIRST), 1).await;
    let (status, answer) = api.get("/pick_decisions").await;
    let decision = &answer["data"][0];
    assert_eq!(
        (status, &decision["request_state"], &decision["limit_price"]),
        (200, &json!("ORDERED"), &json!(100_500)),
        "{answer}"
    );
    assert_eq!(decision["producers"][0]["run_id"], "morning");

    // The same run again, and one of a producer that would lead: nothing new.
    assert_eq!(send(&api, &body).await["id"], stored["id"]);
    send(&api, &run(3002, "news", FIRST)).await;
    for _ in 0..10 {
        system.trade(FIRST, PRICE).await;
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    let once = "SELECT (SELECT count(*) FROM trade.pick_decisions) * 100
        + (SELECT count(*) FROM trade.manual_entries) * 10
        + (SELECT count(*) FROM trade.orders WHERE side = 'BUY')";
    assert_eq!(system.one::<i64>(once, &[]).await, 111);

    // The position is guarded: it has levels, and where it falls it is sold.
    let guarded = "SELECT count(DISTINCT position_id) FROM trade.exit_levels
        JOIN trade.positions p USING (position_id) WHERE p.strategy_id = 'picks' AND p.status = 'OPEN'";
    system.counts(guarded, 1).await;
    system.trade(FIRST, PRICE * 94 / 100).await;
    let stopped = "SELECT count(*) FROM trade.exit_events
        WHERE symbol = '005930' AND exit_reason_code = 'SL1' AND exit_qty = 29";
    system.counts(stopped, 1).await;

    // Sold, and decided all the same: also after a restart nothing is bought again that day.
    stream.stop().await;
    let stream = system.stream(PICKS).await;
    for _ in 0..10 {
        system.trade(FIRST, PRICE * 94 / 100).await;
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    assert_eq!(system.one::<i64>(once, &[]).await, 111);
    api.stop().await;
    stream.stop().await;
    system.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_closed_or_stopped_holds_a_pick_until_it_is_over() {
    // 2026-11-22 is a Sunday.
    let clock = "[clock]\nmode = \"schedule\"\nstart = \"2026-11-22T03:00:00\"\n";
    let system = System::start(&[stock(FIRST)], clock).await;
    system
        .exit_rules(json!({"sl1": {"pnl": -0.05, "qty": 1.0}}))
        .await;
    let stream = system.stream(PICKS).await;
    let (program, url) = system.bff().await;
    let api = Api::new(program, url);
    send(&api, &run(3002, "a", FIRST)).await;
    trade_until(&system, FIRST, &held(FIRST, "SESSION"), 1).await;

    system.mode("exit", "PAUSE_ALL").await;
    system
        .post("/clock", json!({"start": "2026-11-23T10:00:00"}))
        .await;
    trade_until(&system, FIRST, &held(FIRST, "CONTROL"), 1).await;
    let decided = "SELECT (SELECT count(*) FROM trade.pick_decisions)
        + (SELECT count(*) FROM trade.manual_entries)";
    assert_eq!(system.one::<i64>(decided, &[]).await, 0);

    system.mode("exit", "RUNNING").await;
    trade_until(&system, FIRST, &position(FIRST), 1).await;
    api.stop().await;
    stream.stop().await;
    system.stop().await;
}
