//! What the resources return.

use serde_json::{Value, json};

use crate::fixture::{CLOSED, LIVE, ORDER, ROWS};
use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn every_resource_returns_its_rows() {
    let world = World::start().await;
    world.sql(ROWS).await;
    let paths = [
        "/api/v1/prices/005930".to_owned(),
        "/api/v1/prices/000660".to_owned(),
        "/api/v1/positions".to_owned(),
        "/api/v1/positions?status=closed".to_owned(),
        format!("/api/v1/positions/{LIVE}"),
        "/api/v1/orders".to_owned(),
        format!("/api/v1/orders/{ORDER}"),
        "/api/v1/executions".to_owned(),
        "/api/v1/exit-events".to_owned(),
        "/api/v1/reentry/history".to_owned(),
        "/api/v1/reentry/candidates".to_owned(),
        "/api/v1/logs".to_owned(),
        "/api/v1/jobs".to_owned(),
        "/api/v1/calendar?from=2026-12-24&to=2026-12-31".to_owned(),
    ];
    let mut answers = serde_json::Map::new();
    for path in paths {
        let (status, mut body) = world.get(&path).await;
        assert_eq!(status, 200, "{path}: {body}");
        let meta = body.as_object_mut().unwrap().remove("meta").unwrap();
        assert!(
            meta["timestamp"].as_str().unwrap().ends_with("+09:00"),
            "{meta}"
        );
        assert_eq!(meta["request_id"].as_str().unwrap().len(), 36, "{meta}");
        answers.insert(path, body);
    }
    insta::assert_json_snapshot!(answers);
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_keep_every_digit() {
    let world = World::start().await;
    world.sql(ROWS).await;
    world
        .sql(
            "INSERT INTO market.prices (trade_date, logical_us, symbol, ts, recv_ts, source,
                 last_price, volume, session)
             VALUES ('2026-11-24', 1795500000000004, '005930', now(), now(), 'KIS_WS',
                 1234567890123456.7891, 9007199254740993, 'REGULAR')",
        )
        .await;
    // Twice: from PostgreSQL, then from the cache.
    for _ in 0..2 {
        let response = world
            .http
            .get(world.url("/api/v1/prices/005930"))
            .send()
            .await
            .unwrap();
        let text = response.text().await.unwrap();
        assert!(text.contains(r#""price":1234567890123456.7891,"#), "{text}");
        assert!(text.contains(r#""volume":9007199254740993,"#), "{text}");
    }
    let response = world
        .http
        .get(world.url(&format!("/api/v1/orders/{ORDER}")))
        .send()
        .await;
    let text = response.unwrap().text().await.unwrap();
    assert!(text.contains("194000.25"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn batch_returns_known_symbols_once() {
    let world = World::start().await;
    world.sql(ROWS).await;
    let symbols = json!({ "symbols": ["005930", "0001A0", "000660", "005930"] });
    let (status, body) = world.post("/api/v1/prices/batch", &symbols).await;
    assert_eq!(status, 200, "{body}");
    let found: Vec<_> = body["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|p| &p["symbol"])
        .collect();
    assert_eq!(found, ["000660", "005930"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_go_on_where_the_last_one_ended() {
    let world = World::start().await;
    world.sql(ROWS).await;
    // Equal times, so that the id decides.
    world
        .sql(
            "INSERT INTO trade.orders (order_id, action_key, account_id, symbol, side, intent_type, qty,
                 order_type, reason_code, price, level, decided_us, explanation, created_ts)
             SELECT gen_random_uuid(), 'k' || n, 'A', '005930', 'BUY', 'ENTRY', n, 'MKT', 'REENTRY',
                 1, 1, n, '{}', '2026-11-24 15:00:00+09' FROM generate_series(1, 9) n;
             INSERT INTO system.logs (level, module, event, message)
             SELECT 'INFO', 'test', 'n', n::text FROM generate_series(1, 9) n;
             INSERT INTO system.job_runs (account_id, job, run_key, status)
             SELECT 'A', 'stocks', n::text, 'RUNNING' FROM generate_series(1, 9) n;",
        )
        .await;
    for (list, id, total) in [
        ("orders", "order_id", 10),
        ("logs", "id", 11),
        ("jobs", "run_id", 12),
        ("positions?status=all", "position_id", 2),
    ] {
        let join = if list.contains('?') { '&' } else { '?' };
        let all = world.data(&format!("/api/v1/{list}{join}limit=100")).await;
        let all: Vec<Value> = all
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row[id].clone())
            .collect();
        assert_eq!(all.len(), total, "{list}");
        let mut paged = Vec::new();
        let mut cursor = String::new();
        loop {
            let (_, body) = world
                .get(&format!("/api/v1/{list}{join}limit=2{cursor}"))
                .await;
            assert_eq!(body["pagination"]["limit"], 2);
            paged.extend(
                body["data"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|row| row[id].clone()),
            );
            match body["pagination"]["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        assert_eq!(paged, all, "{list}");
    }
    let positions = world.data("/api/v1/positions?status=all").await;
    assert_eq!(
        [&positions[0]["position_id"], &positions[1]["position_id"]],
        [LIVE, CLOSED]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn list_of_orders_reads_the_events_of_its_page_only() {
    let world = World::start().await;
    world.sql(ROWS).await;
    world
        .sql(
            "INSERT INTO trade.orders (order_id, action_key, account_id, symbol, side, intent_type, qty,
                 order_type, reason_code, price, level, decided_us, explanation, created_ts)
             SELECT gen_random_uuid(), 'k' || n, 'A', '005930', 'BUY', 'ENTRY', n, 'MKT', 'REENTRY',
                 1, 1, n, '{}', '2026-11-24 15:00:00+09'::timestamptz - n * interval '1 second'
             FROM generate_series(1, 20000) n;
             INSERT INTO trade.order_events (order_id, status)
             SELECT order_id, status FROM trade.orders, unnest(ARRAY['NEW', 'SENDING', 'SUBMITTED']) status;
             ANALYZE;",
        )
        .await;
    let read = "SELECT (seq_tup_read + idx_tup_fetch)::text FROM pg_stat_user_tables
                WHERE relid = 'trade.order_events'::regclass";
    let before: i64 = settled(&world, read).await;
    let orders = world.data("/api/v1/orders?limit=20").await;
    assert_eq!(orders.as_array().unwrap().len(), 20);
    let after: i64 = settled(&world, read).await;
    assert!(
        after - before < 1_000,
        "read {} events for 20 orders",
        after - before
    );
}

/// Returns a statistic once it no longer moves: connections report theirs when idle.
async fn settled(world: &World, query: &str) -> i64 {
    let mut last = -1;
    crate::servers::eventually("statistics settle", async || {
        tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
        world.sql("SELECT pg_stat_force_next_flush()").await;
        let now = world.value(query).await.unwrap().parse().unwrap();
        (std::mem::replace(&mut last, now) == now).then_some(now)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn invariants_that_are_broken_are_listed_and_those_that_were() {
    let world = World::start().await;
    let healthy = world.data("/api/v1/invariants").await;
    assert_eq!(healthy, json!([]));
    world
        .sql(
            "INSERT INTO system.invariant_violations (kind, key, symbol, position_id, detail, since, until)
             VALUES ('ORDER', 'k', NULL, NULL, 'one', '2026-11-24 10:00+09', '2026-11-24 10:01+09'),
                 ('OVERSELL', '11111111-1111-4111-8111-111111111111', '005930',
                     '11111111-1111-4111-8111-111111111111', 'two', '2026-11-24 10:02+09', NULL)",
        )
        .await;
    let details = async |query: &str| -> Vec<String> {
        let rows = world.data(&format!("/api/v1/invariants{query}")).await;
        let rows = rows.as_array().unwrap().clone().into_iter();
        rows.map(|row| row["detail"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(details("").await, ["two"]);
    assert_eq!(details("?state=over").await, ["one"]);
    assert_eq!(details("?state=all").await, ["two", "one"]);
    let (_, page) = world.get("/api/v1/invariants?state=all&limit=1").await;
    let cursor = page["pagination"]["next_cursor"].as_str().unwrap();
    assert_eq!(
        details(&format!("?state=all&cursor={cursor}")).await,
        ["one"]
    );
    let broken = &page["data"][0];
    assert_eq!(broken["since"], "2026-11-24T10:02:00+09:00");
    assert_eq!(broken["until"], Value::Null);
    assert_eq!(broken["symbol"], "005930");
    let (status, _) = world.get("/api/v1/invariants?state=x").await;
    assert_eq!(status, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn best_prices_grow_stale_by_the_clock() {
    let world = World::start().await;
    world
        .sql(
            "INSERT INTO market.best_prices (symbol, price, source, received_ts, session, fresh_until,
                 stale_reason, apart_source, apart_price, apart_level, logical_us)
             VALUES
                 ('000270', 90000, 'KIS_REST', now() - interval '1 hour', 'REGULAR',
                     now() - interval '50 minutes', 'REST_TIMEOUT', 'NAVER', 91000, 'HIGH', 1),
                 ('000660', 200000, 'KIS_WS', now() - interval '1 hour', 'REGULAR',
                     now() - interval '50 minutes', NULL, NULL, NULL, NULL, 2),
                 ('005930', 71000.5, 'KIS_WS', now(), 'REGULAR', now() + interval '1 hour',
                     NULL, NULL, NULL, NULL, 3)",
        )
        .await;
    let (status, body) = world.get("/api/v1/best-prices").await;
    assert_eq!(status, 200, "{body}");
    let of = |key: &str| -> Vec<Value> {
        let rows = body["data"].as_array().unwrap().iter();
        rows.map(|row| row[key].clone()).collect()
    };
    assert_eq!(
        Value::from(of("symbol")),
        json!(["000270", "000660", "005930"])
    );
    assert_eq!(Value::from(of("is_stale")), json!([true, true, false]));
    let reasons = json!(["REST_TIMEOUT", "ENGINE_AWAY", null]);
    assert_eq!(Value::from(of("stale_reason")), reasons);
    assert_eq!(Value::from(of("apart_level")), json!(["HIGH", null, null]));
    assert!(of("age_ms")[1].as_i64().unwrap() >= 3_600_000, "{body}");
    let (status, one) = world.get("/api/v1/best-prices/005930").await;
    assert_eq!(status, 200, "{one}");
    assert_eq!(one["data"]["price"].to_string(), "71000.5");
    assert_eq!(one["data"]["source"], "KIS_WS");
}
