//! Bars of days and minutes.

use serde_json::{Value, json};

use crate::fixture::ROWS;
use crate::world::World;

const PATH: &str = "/api/v1/stocks/005930/bars";

async fn of(world: &World, query: &str, key: &str) -> Value {
    let bars = world.data(&format!("{PATH}{query}")).await;
    bars.as_array()
        .unwrap()
        .iter()
        .map(|bar| bar[key].clone())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn days_are_the_newest_in_their_order_without_those_of_a_halt() {
    let world = World::start().await;
    world.sql(ROWS).await;
    assert_eq!(world.data(PATH).await, json!([]));
    world
        .sql(
            "INSERT INTO market.daily_bars (symbol, trade_date, open, high, low, close, volume, value, source)
             SELECT '005930', '2025-01-01'::date + n, 100 + n, 120.5 + n, 90 + n, 110 + n, 1000 + n, 1, 'IMPORT'
             FROM generate_series(0, 299) n;
             UPDATE market.daily_bars SET open = 0, high = 0, low = 0, volume = 0
             WHERE trade_date = '2025-10-20'",
        )
        .await;
    let all = of(&world, "", "date").await;
    let all = all.as_array().unwrap();
    assert_eq!(all.len(), 250);
    assert_eq!(
        (&all[0], &all[249]),
        (&json!("2025-02-19"), &json!("2025-10-27"))
    );
    assert!(!all.contains(&json!("2025-10-20")));
    let last = &world.data(&format!("{PATH}?limit=1")).await[0];
    let expected = json!({
        "time": "2025-10-27T00:00:00+09:00", "date": "2025-10-27", "open": 399, "high": 419.5, "low": 389,
        "close": 409, "volume": 1299,
    });
    assert_eq!(last, &expected);
    assert_eq!(
        of(&world, "?from=2025-10-18&to=2025-10-22&limit=3", "date").await,
        json!(["2025-10-19", "2025-10-21", "2025-10-22"])
    );
    assert_eq!(
        of(&world, "?limit=1000", "date")
            .await
            .as_array()
            .unwrap()
            .len(),
        299
    );
    for (query, field) in [
        ("?interval=hour", "interval"),
        ("?from=tomorrow", "from"),
        ("?from=0000-01-01", "from"),
        ("?from=2025-10-22&to=2025-10-21", "to"),
        ("?limit=1001", "limit"),
        ("?limit=0", "limit"),
        ("?cursor=1", "cursor"),
    ] {
        let (status, body) = world.get(&format!("{PATH}{query}")).await;
        assert_eq!(status, 400, "{query}: {body}");
        assert!(
            body["error"]["fields"][field].is_string(),
            "{query}: {body}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_minute_has_what_is_stored_of_it_and_what_has_come_since() {
    let world = World::start().await;
    world.sql(ROWS).await;
    // The first minute is stored whole, the second in part; an auction and another symbol do not count.
    world
        .sql(
            "SELECT market.ensure_prices_partition((now() AT TIME ZONE 'Asia/Seoul')::date);
             INSERT INTO market.minute_bars (symbol, minute, open, high, low, close, volume, ticks) VALUES
                 ('005930', '2026-11-24 10:00+09', 100, 120, 90, 110, 50, 5),
                 ('005930', '2026-11-24 10:01+09', 110, 115, 105, 112, 20, 2);
             INSERT INTO system.sink_progress (sink, durable_us)
             VALUES ('minute_bars', (extract(epoch FROM now()) * 1000000)::bigint);
             INSERT INTO market.prices (trade_date, logical_us, symbol, ts, recv_ts, source, last_price, volume,
                 session)
             SELECT (now() AT TIME ZONE 'Asia/Seoul')::date, (extract(epoch FROM now()) * 1000000)::bigint + n,
                 symbol, ts::timestamptz, now(), 'KIS_WS', price, 5, session
             FROM (VALUES
                 (0, '005930', '2026-11-24 10:01:10+09', 1, 'REGULAR'),
                 (1, '005930', '2026-11-24 10:01:50+09', 116, 'REGULAR'),
                 (2, '005930', '2026-11-24 10:01:55+09', 999, 'EXPECTED'),
                 (3, '000660', '2026-11-24 10:01:56+09', 1, 'REGULAR'),
                 (4, '005930', '2026-11-24 10:02:00+09', 117.5, 'REGULAR'),
                 (5, '005930', '2026-11-24 10:02:59+09', 101, 'REGULAR')) AS tick (n, symbol, ts, price, session)",
        )
        .await;
    let minutes = "?interval=minute";
    for (key, expected) in [
        (
            "time",
            json!([
                "2026-11-24T10:00:00+09:00",
                "2026-11-24T10:01:00+09:00",
                "2026-11-24T10:02:00+09:00"
            ]),
        ),
        ("date", json!(["2026-11-24", "2026-11-24", "2026-11-24"])),
        ("open", json!([100, 110, 117.5])),
        ("high", json!([120, 116, 117.5])),
        ("low", json!([90, 105, 101])),
        ("close", json!([110, 116, 101])),
        ("volume", json!([50, 25, 10])),
    ] {
        assert_eq!(of(&world, minutes, key).await, expected, "{key}");
    }
    assert_eq!(
        of(&world, "?interval=minute&limit=2", "open").await,
        json!([110, 117.5])
    );
    assert_eq!(
        of(&world, "?interval=minute&to=2026-11-23", "open").await,
        json!([])
    );
    let day = "?interval=minute&from=2026-11-24&to=2026-11-24";
    assert_eq!(of(&world, day, "open").await.as_array().unwrap().len(), 3);
    assert_eq!(
        of(&world, "?interval=minute&from=2026-11-25", "open").await,
        json!([])
    );
}
