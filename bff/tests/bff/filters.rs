//! Lists that are narrowed, and what is shown of one position.

use serde_json::{Value, json};

use crate::fixture::{CLOSED, LIVE, ROWS};
use crate::world::World;

async fn keys(world: &World, path: &str, key: &str) -> Vec<String> {
    let rows = world.data(path).await;
    let rows = rows.as_array().unwrap().iter();
    let text = |value: &Value| {
        value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned)
    };
    rows.map(|row| text(&row[key])).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_are_narrowed_to_what_is_asked_for() {
    let world = World::start().await;
    world.sql(ROWS).await;
    world
        .sql(
            "INSERT INTO trade.orders (order_id, action_key, account_id, position_id, symbol, side,
                 intent_type, qty, order_type, reason_code, price, level, decided_us, explanation)
             VALUES ('33333333-3333-4333-8333-333333333334', 'live', 'A', '11111111-1111-4111-8111-111111111111',
                 '005930', 'SELL', 'EXIT_PARTIAL', 10, 'MKT', 'TP1', 1, 1, 1, '{}');
             INSERT INTO trade.executions (fill_id, order_id, exec_key, ts, qty, price, source)
             VALUES ('44444444-4444-4444-8444-444444444445', '33333333-3333-4333-8333-333333333334', 'POLL:10',
                 '2026-11-24 14:00:00+09', 10, 70000, 'POLL');
             INSERT INTO trade.exit_events (exit_event_id, position_id, account_id, symbol, exit_ts, exit_qty,
                 original_qty, exit_avg_price, exit_reason_code, source, realized_pnl, realized_pnl_pct)
             VALUES ('55555555-5555-4555-8555-555555555556', '11111111-1111-4111-8111-111111111111', 'A',
                 '005930', '2026-11-24 15:00:00+09', 100, 100, 70000, 'MANUAL', 'MANUAL', 1, 1)",
        )
        .await;
    for (path, key, expected) in [
        (
            format!("orders?position_id={CLOSED}"),
            "action_key",
            &["exit:22222222:SL1:1"][..],
        ),
        (
            format!("orders?position_id={LIVE}"),
            "action_key",
            &["live"],
        ),
        (
            "orders?symbol=000660".to_owned(),
            "action_key",
            &["exit:22222222:SL1:1"],
        ),
        (
            format!("orders?symbol=000660&position_id={LIVE}"),
            "action_key",
            &[],
        ),
        (
            "orders".to_owned(),
            "action_key",
            &["live", "exit:22222222:SL1:1"],
        ),
        (
            format!("executions?position_id={CLOSED}"),
            "source",
            &["NOTICE"],
        ),
        (
            format!("executions?position_id={LIVE}"),
            "source",
            &["POLL"],
        ),
        (
            format!("exit-events?position_id={CLOSED}"),
            "exit_reason_code",
            &["SL1"],
        ),
        (
            "exit-events".to_owned(),
            "exit_reason_code",
            &["MANUAL", "SL1"],
        ),
        ("logs?level=P0".to_owned(), "event", &["broker_down"]),
        ("logs?level=WARNING".to_owned(), "event", &[]),
        (
            "logs?event=exit_filled".to_owned(),
            "event",
            &["exit_filled"],
        ),
        (
            "logs?symbol=000660&level=INFO".to_owned(),
            "event",
            &["exit_filled"],
        ),
        ("logs?symbol=005930".to_owned(), "event", &[]),
        ("jobs?job=calendar".to_owned(), "status", &["DONE"]),
        ("jobs?job=stocks&limit=1".to_owned(), "status", &["RUNNING"]),
        ("jobs?job=none".to_owned(), "status", &[]),
    ] {
        let found = keys(&world, &format!("/api/v1/{path}"), key).await;
        assert_eq!(found, expected, "{path}");
    }
    for (path, field) in [
        ("orders?position_id=1", "position_id"),
        ("orders?symbol=..", "symbol"),
        ("executions?position_id=x", "position_id"),
        ("exit-events?position_id=", "position_id"),
        ("logs?level=LOUD", "level"),
        ("logs?event=a%00", "event"),
        ("jobs?job=a%00", "job"),
    ] {
        let (status, body) = world.get(&format!("/api/v1/{path}")).await;
        assert_eq!(status, 400, "{path}: {body}");
        assert!(body["error"]["fields"][field].is_string(), "{path}: {body}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn withheld_hits_of_a_position_go_on_where_a_page_ended() {
    let world = World::start().await;
    world.sql(ROWS).await;
    let path = format!("/api/v1/positions/{LIVE}/withheld");
    assert_eq!(world.data(&path).await, json!([]));
    // Two at one logical time, of which one is of a custom rule, and one of another position.
    world
        .sql(
            "INSERT INTO trade.exit_withheld (logical_us, position_id, symbol, reason, rule_id, why, price,
                 level) VALUES
                 (1795500000000001, '11111111-1111-4111-8111-111111111111', '005930', 'TP1', NULL, 'MODE', 70000, 69000.5),
                 (1795500000000002, '11111111-1111-4111-8111-111111111111', '005930', 'SL1', NULL, 'SEVERITY', 60000, 61000),
                 (1795500000000002, '11111111-1111-4111-8111-111111111111', '005930', 'CUSTOM_LOSS', 'c1', 'MODE', 60000, 62000),
                 (1795500000000003, '22222222-2222-4222-8222-222222222222', '000660', 'SL1', NULL, 'QUANTITY', 1, 1)",
        )
        .await;
    let all = keys(&world, &path, "reason").await;
    assert_eq!(all, ["SL1", "CUSTOM_LOSS", "TP1"]);
    let (mut paged, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = format!("{path}?limit=1{cursor}");
        paged.extend(keys(&world, &page, "reason").await);
        match world.get(&page).await.1["pagination"]["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(paged, all);
    let expected = json!({
        "ts": "2026-11-24T15:00:00.000001+09:00", "logical_us": 1_795_500_000_000_001_i64, "reason": "TP1",
        "rule_id": null, "why": "MODE", "price": 70_000, "level": 69_000.5,
    });
    assert_eq!(world.data(&path).await[2], expected);
    assert_eq!(world.get(&format!("{path}?cursor=x")).await.0, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn signals_of_a_position_are_those_of_its_last_evaluation() {
    let world = World::start().await;
    world.sql(ROWS).await;
    let path = format!("/api/v1/positions/{LIVE}/signals");
    let shown = world.data(&path).await;
    assert_eq!(shown["evaluated_ts"], Value::Null);
    assert_eq!(
        (&shown["symbol"], &shown["rules"]),
        (&json!("005930"), &json!([]))
    );
    world
        .sql(
            "SELECT trade.ensure_exit_signals_partition('2026-11-24');
             INSERT INTO trade.exit_signals (trade_date, evaluated_ts, position_id, symbol, rule_name, rule_id,
                 side, level, price, distance, is_triggered, pnl_pct, hwm, stop_floor)
             SELECT '2026-11-24', '2026-11-24 10:00+09'::timestamptz + n * interval '1 minute',
                 '11111111-1111-4111-8111-111111111111', '005930', rule, NULL, 'BELOW', level, 70000 + n,
                 (70000 - level) / 70000.0, level > 70000, 7.1, 71000, 65825
             FROM generate_series(0, 1) n, (VALUES ('SL1', 63000), ('FLOOR', 70500)) AS r (rule, level)",
        )
        .await;
    let shown = world.data(&path).await;
    assert_eq!(shown["evaluated_ts"], "2026-11-24T10:01:00+09:00");
    assert_eq!(shown["price"], 70_001);
    assert_eq!(shown["pnl_pct"], 7.1);
    let rules = shown["rules"].as_array().unwrap();
    let of = |key: &str| -> Value { rules.iter().map(|rule| rule[key].clone()).collect() };
    assert_eq!(of("reason"), json!(["FLOOR", "SL1"]));
    assert_eq!(of("is_triggered"), json!([true, false]));
    assert_eq!(of("distance")[1], 0.1);
    let unknown = "/api/v1/positions/99999999-9999-4999-8999-999999999999/signals";
    assert_eq!(world.get(unknown).await.0, 404);
}
