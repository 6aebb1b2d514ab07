//! Standing invariants in the running system: nothing is broken in health, and each of the five is seen
//! where it is broken on purpose: as a row, an alarm and a metric, until it is made good.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use redis::AsyncCommands;
use serde_json::json;
use turnstile_tests::{ACCOUNT, Api, Program, Stock, System, connect, eventually};

const KINDS: [&str; 5] = ["OVERSELL", "BREACH", "ORDER", "HOLDINGS", "CACHE"];

/// A system with 100 shares of each of `symbols` at 100,000, which sells everything at 5 % below.
async fn start(symbols: &[&str]) -> System {
    let stocks: Vec<Stock<'_>> = symbols
        .iter()
        .map(|symbol| Stock {
            symbol,
            close: 100_000,
            held: 100,
        })
        .collect();
    let system = System::start(&stocks, "").await;
    system.exit_rules(json!({"sl2": {"pnl": -0.05}})).await;
    system
}

/// A stream job that waits for little, and where it shows its metrics.
async fn stream(system: &System) -> (Program, String) {
    // Port 0 is not told; a listener that is dropped has had a free one.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = free.local_addr().unwrap();
    drop(free);
    let settings = format!(
        "metrics_listen = \"{listen}\"\n\
         [invariants]\nbreach_grace = \"1s\"\nholdings_grace = \"1s\"\nsample_every = \"100ms\"\n\
         [execution]\nsettle_delay = \"1s\"\npoll_idle = \"1s\"\nholdings_open = \"1s\"\n"
    );
    let stream = system.stream(&settings).await;
    (stream, format!("http://{listen}/metrics"))
}

/// Waits until the metrics show `count` broken invariants of a kind.
async fn shows(metrics: &str, kind: &str, count: usize) {
    let line = format!("invariants_broken{{kind=\"{kind}\"}} {count}");
    eventually(&line, async || {
        let text = reqwest::get(metrics).await.unwrap().text().await.unwrap();
        text.lines().any(|shown| shown == line)
    })
    .await;
}

/// Waits until exactly these stand, as kind and key.
async fn stand(system: &System, expected: &[String]) {
    let query = "SELECT kind || ' ' || key FROM system.invariants_broken ORDER BY kind, key";
    let what = format!("broken: {expected:?}");
    eventually(&what, async || {
        let rows = system.query(query, &[]).await;
        let rows: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
        rows == expected
    })
    .await;
}

/// Waits until one stands, with its alarm and its metric, and no other.
async fn seen(system: &System, metrics: &str, kind: &str, key: &str) {
    stand(system, &[format!("{kind} {key}")]).await;
    let told = format!(
        "SELECT count(*) FROM system.logs WHERE event = 'INVARIANT_{kind}' AND level = 'CRITICAL'
             AND context ->> 'key' = '{key}'"
    );
    system.counts(&told, 1).await;
    shows(metrics, kind, 1).await;
}

/// Waits until nothing stands any more, and all of a kind has its end.
async fn over(system: &System, metrics: &str, kind: &str) {
    stand(system, &[]).await;
    shows(metrics, kind, 0).await;
}

/// Sells what is held of a symbol, by its stop.
async fn sell(system: &System, symbol: &str) -> String {
    system.trade(symbol, 100_000).await;
    system.trade(symbol, 94_000).await;
    let closed = format!(
        "SELECT count(*) FROM trade.positions WHERE symbol = '{symbol}' AND status = 'CLOSED'"
    );
    system.counts(&closed, 1).await;
    let query = "SELECT position_id::text FROM trade.positions WHERE symbol = $1";
    system.one(query, &[&symbol]).await
}

/// Writes the row of an order that the engine has not decided. Returns its identity.
async fn place(system: &System, action_key: &str) -> String {
    let insert = "INSERT INTO trade.orders (order_id, action_key, account_id, symbol, side, intent_type,
            qty, order_type, reason_code, price, level, decided_us, explanation)
        VALUES (gen_random_uuid(), $2, $1, '005930', 'BUY', 'ENTRY', 1, 'MKT', 'MANUAL', 1, 1, 1, '{}')
        RETURNING order_id::text";
    system.one(insert, &[&ACCOUNT, &action_key]).await
}

/// Tells what became of an order.
async fn tell(system: &System, order: &str, status: &str) {
    let insert = "INSERT INTO trade.order_events (order_id, status, send_attempt)
        VALUES ($1::text::uuid, $2, 1)";
    system.execute(insert, &[&order, &status]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_broken_in_health_and_after_a_restart() {
    let system = start(&["005930", "000660"]).await;
    let (program, metrics) = stream(&system).await;
    sell(&system, "005930").await;
    for kind in KINDS {
        shows(&metrics, kind, 0).await;
    }
    // What the API caches is what is stored.
    let (bff, url) = system.bff().await;
    let api = Api::new(bff, url);
    let held = "SELECT position_id::text FROM trade.positions WHERE symbol = '000660'";
    let held: String = system.one(held, &[]).await;
    let position = format!("/positions/{held}");
    for path in [position.as_str(), "/exit/control", "/prices/005930"] {
        assert_eq!(api.get(path).await.0, 200, "{path}");
    }
    let compared = async || {
        let text = reqwest::get(&metrics).await.unwrap().text().await.unwrap();
        let name = "invariants_cache_keys_compared_total ";
        let count = text.lines().find_map(|line| line.strip_prefix(name));
        count.is_some_and(|count| count.parse::<u64>().unwrap() > 50)
    };
    eventually("the cache is compared", compared).await;
    program.stop().await;

    // Orders of an earlier run are accounted for by their rows; one that is not shows that they were
    // looked up.
    place(&system, "zz:1:OPEN:SL2:1").await;
    let (program, metrics) = stream(&system).await;
    seen(&system, &metrics, "ORDER", "zz:1:OPEN:SL2:1").await;
    let ever = "SELECT count(*) FROM system.invariant_violations";
    assert_eq!(system.one::<i64>(ever, &[]).await, 1);
    let (status, body) = api.get("/invariants").await;
    assert_eq!(status, 200, "{body}");
    assert_eq!(body["data"][0]["kind"], "ORDER");
    assert_eq!(body["data"][0]["until"], serde_json::Value::Null);
    let (_, body) = api.get("/invariants?state=over").await;
    assert_eq!(body["data"], json!([]));
    api.stop().await;
    program.stop().await;
    system.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fills_that_no_position_gave_are_seen_until_it_did() {
    let system = start(&["005930"]).await;
    let (program, metrics) = stream(&system).await;
    let position = sell(&system, "005930").await;
    system
        .execute(
            "INSERT INTO trade.order_events (order_id, status, send_attempt, filled_qty)
             SELECT order_id, 'FILLED', 1, 120 FROM trade.orders",
            &[],
        )
        .await;
    seen(&system, &metrics, "OVERSELL", &position).await;
    system
        .execute(
            "INSERT INTO trade.sale_results (sale_id, position_id, account_id, symbol, sold_ts, qty, price,
                 avg_price, costs, realized_pnl, order_id)
             SELECT gen_random_uuid(), p.position_id, p.account_id, p.symbol, now(), 20, 94000, 100000, 0,
                 -120000, o.order_id
             FROM trade.positions p JOIN trade.orders o USING (position_id)",
            &[],
        )
        .await;
    over(&system, &metrics, "OVERSELL").await;
    program.stop().await;
    system.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_breach_whose_order_cannot_be_stored_is_seen_until_it_is() {
    let system = start(&["005930"]).await;
    let (program, metrics) = stream(&system).await;
    let holder = connect(system.servers.database_url().unwrap()).await;
    let hold = "BEGIN; LOCK TABLE trade.orders IN SHARE ROW EXCLUSIVE MODE";
    holder.batch_execute(hold).await.unwrap();
    system.trade("005930", 100_000).await;
    system.trade("005930", 94_000).await;
    let position: String = system
        .one("SELECT position_id::text FROM trade.positions", &[])
        .await;
    let key = format!("{position}:1:OPEN:SL2:1");
    seen(&system, &metrics, "BREACH", &key).await;
    holder.batch_execute("ROLLBACK").await.unwrap();
    over(&system, &metrics, "BREACH").await;
    let sold = "SELECT count(*) FROM trade.exit_events WHERE exit_qty = 100";
    system.counts(sold, 1).await;
    drop(holder);
    program.stop().await;
    system.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_nobody_decided_is_seen_until_somebody_asked_for_it() {
    let system = start(&["005930"]).await;
    let (program, metrics) = stream(&system).await;
    let order = place(&system, "MANUAL:x").await;
    seen(&system, &metrics, "ORDER", "MANUAL:x").await;
    system
        .execute(
            "INSERT INTO trade.manual_entries (request_id, symbol, qty, asked_by, state, order_id)
             VALUES (gen_random_uuid(), '005930', 1, 'test', 'ORDERED', $1::text::uuid)",
            &[&order],
        )
        .await;
    over(&system, &metrics, "ORDER").await;
    program.stop().await;
    system.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_position_other_than_the_holding_is_seen_until_it_is_made_the_same() {
    let system = start(&["005930"]).await;
    let (program, metrics) = stream(&system).await;
    // While an order of the symbol is of unknown outcome nothing is made good.
    let order = place(&system, "BROKER:2026-01-01:1").await;
    tell(&system, &order, "UNKNOWN").await;
    system
        .execute("UPDATE trade.positions SET qty = 90", &[])
        .await;
    seen(&system, &metrics, "HOLDINGS", "005930").await;
    tell(&system, &order, "ERROR").await;
    over(&system, &metrics, "HOLDINGS").await;
    let held: i64 = system.one("SELECT qty FROM trade.positions", &[]).await;
    assert_eq!(held, 100, "positions are what the broker holds");
    program.stop().await;
    system.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cached_value_that_was_never_stored_is_seen_until_it_is_gone() {
    let system = start(&["005930"]).await;
    let (program, metrics) = stream(&system).await;
    let client = redis::Client::open(system.servers.redis_url().unwrap()).unwrap();
    let mut redis = client.get_multiplexed_async_connection().await.unwrap();
    let position: String = system
        .one("SELECT position_id::text FROM trade.positions", &[])
        .await;
    let position = format!("position:{position}");
    let newer = json!({"updated_ts": "2999-01-01T00:00:00+09:00", "qty": 1});
    let unheard = json!({"logical_us": 1, "price": 1}).to_string();
    let config = json!({"version": 7, "value": {"warning": 1}}).to_string();
    for (key, value) in [
        (position.as_str(), newer.to_string()),
        ("price:999999", unheard),
        ("config:alarms.db_query_time", config),
    ] {
        let _set: () = redis.set_ex(key, value, 600).await.unwrap();
        seen(&system, &metrics, "CACHE", key).await;
        let _deleted: i64 = redis.del(key).await.unwrap();
        over(&system, &metrics, "CACHE").await;
    }
    program.stop().await;
    system.stop().await;
}
