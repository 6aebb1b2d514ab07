//! The flows of the design through the real processes: a price on the wire becomes a stored tick,
//! a sell order, a fill, an exit event and a re-entry.

use serde_json::{Value, json};
use turnstile_tests::{Stock, System};

const SYMBOL: &str = "005930";

fn one_position() -> [Stock<'static>; 1] {
    [Stock {
        symbol: SYMBOL,
        close: 100_000,
        held: 100,
    }]
}

fn rules() -> Value {
    json!({"sl2": {"pnl": -0.05}, "sl1": {"pnl": -0.03, "qty": 0.5},
           "tp1": {"pnl": 0.07, "qty": 0.1, "floor": 0.006}})
}

#[tokio::test]
async fn a_price_becomes_a_sale_an_exit_event_and_a_reentry() {
    let system = System::start(&one_position(), "").await;
    system.exit_rules(rules()).await;
    system.reentry_rule("SL", 1, "0.01", 1).await;
    let stream = system.stream("").await;

    system.trade(SYMBOL, 99_000).await;
    system.trade(SYMBOL, 97_000).await;
    system
        .counts(
            "SELECT count(*) FROM trade.orders_now WHERE reason_code = 'SL1' AND status = 'FILLED'",
            1,
        )
        .await;
    system.trade(SYMBOL, 94_900).await;
    system
        .counts("SELECT count(*) FROM trade.exit_events", 1)
        .await;

    let orders = system
        .query(
            "SELECT reason_code, qty, level::text, action_key, phase, filled_qty FROM trade.orders_now
             ORDER BY decided_us",
            &[],
        )
        .await;
    assert_eq!(orders.len(), 2);
    let said: Vec<(String, i64, String)> = orders
        .iter()
        .map(|row| (row.get(0), row.get(1), row.get(2)))
        .collect();
    assert_eq!(said[0], ("SL1".into(), 50, "97000.0000".into()));
    assert_eq!(said[1], ("SL2".into(), 50, "95000.0000".into()));
    assert!(orders[1].get::<_, String>(3).ends_with(":1:OPEN:SL2:1"));

    let position = &system
        .query("SELECT status, qty, closed_ts IS NOT NULL, phase FROM trade.positions JOIN trade.position_state USING (position_id)", &[])
        .await[0];
    assert_eq!(position.get::<_, &str>(0), "CLOSED");
    assert_eq!(position.get::<_, i64>(1), 0);
    assert!(position.get::<_, bool>(2));
    assert_eq!(position.get::<_, &str>(3), "EXITED");
    let exit = &system
        .query(
            "SELECT exit_qty, exit_reason_code, source, realized_pnl < 0 FROM trade.exit_events",
            &[],
        )
        .await[0];
    assert_eq!(
        (exit.get::<_, i64>(0), exit.get::<_, &str>(1)),
        (100, "SL2")
    );
    assert_eq!(
        (exit.get::<_, &str>(2), exit.get::<_, bool>(3)),
        ("AUTO_EXIT", true)
    );

    // Bought back after cooldown and rebound, 60 % of the original quantity, into a new position.
    system
        .counts(
            "SELECT count(*) FROM trade.reentry_candidates WHERE state = 'WATCH'",
            1,
        )
        .await;
    system.trade(SYMBOL, 98_000).await;
    system
        .counts(
            "SELECT count(*) FROM trade.reentry_history WHERE status = 'ENTERED'",
            1,
        )
        .await;
    let entered = &system
        .query(
            "SELECT qty, original_qty, status, cycle FROM trade.positions WHERE status <> 'CLOSED'",
            &[],
        )
        .await[0];
    assert_eq!(
        (entered.get::<_, i64>(0), entered.get::<_, i64>(1)),
        (60, 60)
    );

    // Stopped out again: the day's one re-entry is used up.
    system.trade(SYMBOL, 92_000).await;
    system
        .counts("SELECT count(*) FROM trade.exit_events", 2)
        .await;
    system
        .counts(
            "SELECT count(*) FROM trade.reentry_history WHERE status = 'BLOCKED'",
            1,
        )
        .await;
    let blocked = &system
        .query(
            "SELECT gate, reason FROM trade.reentry_history WHERE status = 'BLOCKED'",
            &[],
        )
        .await[0];
    assert_eq!(blocked.get::<_, &str>(0), "G2");
    assert!(
        blocked.get::<_, &str>(1).contains("at most 1"),
        "{}",
        blocked.get::<_, &str>(1)
    );
    stream.stop().await;
    system.stop().await;
}

#[tokio::test]
async fn the_row_and_its_price_are_committed_before_the_broker_hears_of_the_order() {
    let system = System::start(&one_position(), "").await;
    system.exit_rules(rules()).await;
    let stream = system.stream("").await;
    system.trade(SYMBOL, 94_000).await;
    system
        .counts("SELECT count(*) FROM trade.exit_events", 1)
        .await;

    let log = system.get("/log").await;
    let calls = log["calls"].as_array().unwrap();
    let posts: Vec<&Value> = calls
        .iter()
        .filter(|call| call["path"].as_str().unwrap().ends_with("/order-cash"))
        .collect();
    assert_eq!(posts.len(), 1, "sent exactly once");
    let post_us = posts[0]["at_us"].as_i64().unwrap();
    assert_eq!(posts[0]["body"]["ORD_QTY"], "100");

    let epoch_us = |column: &str, condition: &str| {
        format!(
            "SELECT (extract(epoch FROM e.ts) * 1000000)::bigint FROM trade.order_events e
             WHERE {condition} ORDER BY e.event_id LIMIT 1 -- {column}"
        )
    };
    let row_us: i64 = system
        .one(
            "SELECT (extract(epoch FROM created_ts) * 1000000)::bigint FROM trade.orders",
            &[],
        )
        .await;
    let sending_us: i64 = system
        .one(&epoch_us("sending", "e.status = 'SENDING'"), &[])
        .await;
    let submitted_us: i64 = system
        .one(&epoch_us("submitted", "e.status = 'SUBMITTED'"), &[])
        .await;
    assert!(
        row_us < sending_us && sending_us < post_us && post_us < submitted_us,
        "row {row_us}, SENDING {sending_us}, POST {post_us}, SUBMITTED {submitted_us}"
    );
    let statuses: Vec<String> = system
        .query(
            "SELECT status FROM trade.order_events ORDER BY event_id",
            &[],
        )
        .await
        .iter()
        .map(|row| row.get(0))
        .collect();
    assert_eq!(statuses[..3], ["NEW", "SENDING", "SUBMITTED"]);
    assert_eq!(statuses.last().unwrap(), "FILLED");
    // The tick of the decision is stored under its logical time, and copied into the explanation.
    let stored: i64 = system
        .one(
            "SELECT count(*) FROM trade.orders o JOIN market.prices p ON p.logical_us = o.tick_us
             WHERE (o.explanation->>'tick')::bigint = o.tick_us AND o.price = coalesce(nullif(p.bid, 0), p.last_price)",
            &[],
        )
        .await;
    assert_eq!(stored, 1);
    stream.stop().await;
    system.stop().await;
}

#[tokio::test]
async fn insert_only_tables_refuse_changes_in_the_running_system() {
    let system = System::start(&one_position(), "").await;
    system.exit_rules(rules()).await;
    let stream = system.stream("").await;
    system.trade(SYMBOL, 94_000).await;
    system
        .counts("SELECT count(*) FROM trade.exit_events", 1)
        .await;
    for table in [
        "market.prices",
        "trade.orders",
        "trade.order_events",
        "trade.executions",
        "trade.exit_events",
        "trade.sale_results",
        "trade.exit_signals",
        "trade.exit_withheld",
        "trade.reentry_history",
        "system.logs",
        "system.engine_events",
        "trade.control_history",
    ] {
        for statement in [
            format!("UPDATE {table} SET ctid = ctid WHERE false"),
            format!("DELETE FROM {table}"),
            format!("TRUNCATE {table} CASCADE"),
        ] {
            let statement = statement.replace(
                "SET ctid = ctid",
                match table {
                    "market.prices" => "SET volume = volume",
                    "trade.orders" | "trade.executions" | "trade.sale_results" => "SET qty = qty",
                    "trade.order_events" => "SET message = message",
                    "trade.exit_events" => "SET exit_qty = exit_qty",
                    "trade.reentry_history" | "trade.control_history" | "trade.exit_withheld" => {
                        "SET reason = reason"
                    }
                    "trade.exit_signals" => "SET price = price",
                    "system.logs" => "SET message = message",
                    _ => "SET kind = kind",
                },
            );
            let error = system
                .db
                .execute(&statement, &[])
                .await
                .expect_err(&statement);
            let answer = error
                .as_db_error()
                .expect("the server refuses")
                .message()
                .to_owned();
            assert!(answer.contains("insert-only"), "{statement}: {answer}");
        }
    }
    stream.stop().await;
    system.stop().await;
}

#[tokio::test]
async fn a_take_profit_moves_the_phase_and_sets_the_floor() {
    let system = System::start(&one_position(), "").await;
    system.exit_rules(rules()).await;
    let stream = system.stream("").await;
    system.trade(SYMBOL, 107_200).await;
    system
        .counts(
            "SELECT count(*) FROM trade.position_state WHERE phase = 'TP1_DONE'",
            1,
        )
        .await;
    let state = &system
        .query(
            "SELECT stop_floor_price::text, qty, status FROM trade.position_state
             JOIN trade.positions USING (position_id)",
            &[],
        )
        .await[0];
    assert_eq!(state.get::<_, &str>(0), "100600.0000");
    assert_eq!(
        (state.get::<_, i64>(1), state.get::<_, &str>(2)),
        (90, "OPEN")
    );
    stream.stop().await;
    system.stop().await;
}

#[tokio::test]
async fn a_closed_market_decides_and_sends_nothing_until_it_opens() {
    // 2026-11-22 is a Sunday.
    let clock = "[clock]\nmode = \"schedule\"\nstart = \"2026-11-22T03:00:00\"\n";
    let system = System::start(&one_position(), clock).await;
    system.exit_rules(rules()).await;
    let stream = system.stream("").await;
    system.trade(SYMBOL, 94_000).await;
    system
        .counts(
            "SELECT count(*) FROM trade.orders_now WHERE status = 'NEW'",
            1,
        )
        .await;
    system.counts("SELECT count(*) FROM system.logs WHERE message LIKE '%session%' OR event LIKE '%held%'", 1).await;
    assert_eq!(system.orders_sent().await, 0, "nothing leaves on a Sunday");
    system
        .post("/clock", json!({"start": "2026-11-23T10:00:00"}))
        .await;
    system.trade(SYMBOL, 94_000).await;
    system
        .counts("SELECT count(*) FROM trade.exit_events", 1)
        .await;
    assert_eq!(system.orders_sent().await, 1);
    stream.stop().await;
    system.stop().await;
}
