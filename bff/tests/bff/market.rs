//! What is stored of the market: rankings, coverage and gaps, and what is measured.

use serde_json::{Value, json};

use crate::fixture::ROWS;
use crate::world::World;

const RANKINGS: &str = "/api/v1/market/rankings";
/// Bars of two days of four shares and a fund; the last share is halted, the one before was split.
const BARS: &str = "
    INSERT INTO market.stocks (symbol, name, market, instrument_type, status) VALUES
        ('100001', 'up', 'KOSPI', 'STOCK', 'ACTIVE'), ('100002', 'down', 'KOSDAQ', 'STOCK', 'ACTIVE'),
        ('100003', 'split', 'KOSPI', 'STOCK', 'ACTIVE'), ('100004', 'halted', 'KOSPI', 'STOCK', 'ACTIVE'),
        ('100005', 'fund', 'KOSPI', 'ETF', 'ACTIVE'), ('100006', 'gone', 'KOSPI', 'STOCK', 'DELISTED');
    INSERT INTO market.daily_bars (symbol, trade_date, open, high, low, close, volume, value, market_cap, source)
    SELECT symbol, day::date, open, high, 1, close, volume, volume * 10, cap, 'IMPORT' FROM (VALUES
        ('100001', '2026-11-23', 100, 200, 100, 5, 1000), ('100001', '2026-11-24', 100, 120, 112.5, 50, 1125),
        ('100002', '2026-11-23', 100, 100, 100, 5, 900), ('100002', '2026-11-24', 100, 100, 90, 70, 800),
        ('100003', '2026-11-23', 100, 100, 100, 5, NULL), ('100003', '2026-11-24', 500, 500, 500, 60, NULL),
        ('100004', '2026-11-24', 0, 0, 100, 0, 7000), ('100005', '2026-11-24', 1, 1, 1, 999, 9999),
        ('100006', '2026-11-24', 1, 1, 1, 999, 9999)) AS b (symbol, day, open, high, close, volume, cap);
    INSERT INTO market.investor_flows (symbol, trade_date, foreign_net, institution_net, source) VALUES
        ('100001', '2026-11-23', 10, -5, 'IMPORT'), ('100002', '2026-11-23', 30, 7, 'IMPORT'),
        ('100003', '2026-11-23', -1, NULL, 'IMPORT'), ('100001', '2026-11-22', 99, 99, 'IMPORT');
    INSERT INTO market.stock_rankings (category, market, rank, symbol, collected_on, source) VALUES
        ('POPULAR', 'KOSPI', 1, '100003', '2026-11-24', 'IMPORT'),
        ('POPULAR', 'KOSPI', 2, '100001', '2026-11-24', 'IMPORT'),
        ('POPULAR', 'KOSDAQ', 1, '100002', '2026-11-23', 'IMPORT'),
        ('POPULAR', 'KOSPI', 1, '100004', '2026-11-20', 'IMPORT')";

#[tokio::test(flavor = "multi_thread")]
async fn rankings_are_of_the_newest_day_of_what_they_rank() {
    let world = World::start().await;
    let empty = world.data(RANKINGS).await;
    assert_eq!(
        empty,
        json!({ "category": "volume", "market": "ALL", "as_of": null, "stocks": [] })
    );
    world.sql(BARS).await;
    for (query, as_of, ranked) in [
        (
            "",
            "2026-11-24",
            json!([["100002", 70], ["100003", 60], ["100001", 50]]),
        ),
        (
            "?market=KOSPI",
            "2026-11-24",
            json!([["100003", 60], ["100001", 50]]),
        ),
        ("?limit=1", "2026-11-24", json!([["100002", 70]])),
        (
            "?category=trading_value&limit=1",
            "2026-11-24",
            json!([["100002", 700]]),
        ),
        ("?category=gainers", "2026-11-24", json!([["100001", 12.5]])),
        ("?category=losers", "2026-11-24", json!([["100002", -10]])),
        (
            "?category=foreign_net_buy",
            "2026-11-23",
            json!([["100002", 30], ["100001", 10]]),
        ),
        (
            "?category=institution_net_buy",
            "2026-11-23",
            json!([["100002", 7]]),
        ),
        (
            "?category=high_52week",
            "2026-11-24",
            json!([["100003", 100], ["100002", 90], ["100001", 56.25]]),
        ),
        (
            "?category=market_cap",
            "2026-11-24",
            json!([["100001", 1125], ["100002", 800]]),
        ),
        (
            "?category=popular",
            "2026-11-24",
            json!([["100002", 1], ["100003", 1], ["100001", 2]]),
        ),
        (
            "?category=popular&market=KOSDAQ",
            "2026-11-23",
            json!([["100002", 1]]),
        ),
    ] {
        let ranking = world.data(&format!("{RANKINGS}{query}")).await;
        assert_eq!(ranking["as_of"], as_of, "{query}");
        let stocks = ranking["stocks"].as_array().unwrap();
        let shown: Value = stocks
            .iter()
            .map(|stock| json!([stock["symbol"], stock["value"]]))
            .collect();
        assert_eq!(shown, ranked, "{query}");
        let places = stocks.iter().map(|stock| stock["rank"].as_u64().unwrap());
        assert!(places.eq((1..).take(stocks.len())), "{query}");
    }
    let first = &world.data(&format!("{RANKINGS}?category=gainers")).await["stocks"][0];
    let expected = json!({
        "rank": 1, "symbol": "100001", "name": "up", "market": "KOSPI", "price": 112.5, "change_rate": 12.5,
        "volume": 50, "trading_value": 500, "value": 12.5,
    });
    assert_eq!(first, &expected);
    for (query, field) in [
        ("category=best", "category"),
        ("market=KONEX", "market"),
        ("limit=101", "limit"),
    ] {
        let (status, body) = world.get(&format!("{RANKINGS}?{query}")).await;
        assert_eq!(status, 400, "{query}: {body}");
        assert!(
            body["error"]["fields"][field].is_string(),
            "{query}: {body}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn coverage_tells_rows_symbols_and_days_of_each_collection() {
    let world = World::start().await;
    let names = |all: &Value| -> Value {
        let all = all.as_array().unwrap().iter();
        all.map(|one| one["collection"].clone()).collect()
    };
    let empty = world.data("/api/v1/data/coverage").await;
    let expected = json!([
        "daily_bars",
        "minute_bars",
        "prices",
        "investor_flows",
        "fundamentals",
        "disclosures",
        "stocks",
        "calendar",
        "stock_rankings"
    ]);
    assert_eq!(names(&empty), expected);
    assert!(
        empty
            .as_array()
            .unwrap()
            .iter()
            .all(|one| one["last_day"].is_null())
    );
    world.sql(ROWS).await;
    world.sql(BARS).await;
    world
        .sql(
            "INSERT INTO market.minute_bars (symbol, minute, open, high, low, close, volume, ticks) VALUES
                 ('005930', '2026-11-23 15:29+09', 1, 1, 1, 1, 1, 1), ('000660', '2026-11-24 09:00+09', 1, 1, 1, 1, 1, 1);
             INSERT INTO market.disclosures (receipt_no, symbol, disclosed_ts, title, source, created_ts) VALUES
                 ('1', '005930', '2026-11-24 00:30+09', 'x', 'IMPORT', '2026-11-24 01:00+09')",
        )
        .await;
    let all = world.data("/api/v1/data/coverage").await;
    for (place, expected) in [
        (0, json!([9, 6, "2026-11-23", "2026-11-24"])),
        (1, json!([2, 2, "2026-11-23", "2026-11-24"])),
        (2, json!([3, 2, "2026-11-24", "2026-11-24"])),
        (3, json!([4, 3, "2026-11-22", "2026-11-23"])),
        (4, json!([0, 0, null, null])),
        (5, json!([1, 1, "2026-11-24", "2026-11-24"])),
        (6, json!([9, 9, null, null])),
        (7, json!([6, null, "2026-12-24", "2026-12-28"])),
        (8, json!([4, 2, "2026-11-20", "2026-11-24"])),
    ] {
        let one = &all[place];
        let shown = json!([
            one["rows"],
            one["symbols"],
            one["first_day"],
            one["last_day"]
        ]);
        assert_eq!(shown, expected, "{one}");
        assert_eq!(one["is_estimate"], false);
    }
    assert_eq!(all[2]["updated_ts"], "2026-11-24T15:00:01.2+09:00");
    assert_eq!(all[5]["updated_ts"], "2026-11-24T01:00:00+09:00");
    assert!(all[0]["updated_ts"].is_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn gaps_are_days_of_sessions_between_two_bars() {
    let world = World::start().await;
    let gaps = "/api/v1/data/gaps";
    assert_eq!(world.data(gaps).await, json!([]));
    // Seven days, of which the fourth last is a holiday; weekends count as sessions of nobody.
    world
        .sql(
            "CREATE TABLE days AS SELECT row_number() OVER (ORDER BY day DESC) AS n, day FROM (
                 SELECT (now() AT TIME ZONE 'Asia/Seoul')::date - age AS day FROM generate_series(1, 14) age
             ) AS d WHERE extract(isodow FROM day) < 6;
             INSERT INTO market.calendar (day, source, is_open)
             SELECT day, 'OPERATOR', n <> 4 FROM days ON CONFLICT DO NOTHING;
             INSERT INTO market.stocks (symbol, name, market, status) VALUES
                 ('100001', 'holes', 'KOSPI', 'ACTIVE'), ('100002', 'whole', 'KOSPI', 'ACTIVE'),
                 ('100003', 'gone', 'KOSPI', 'DELISTED'), ('100004', 'none', 'KOSPI', 'ACTIVE');
             INSERT INTO market.daily_bars (symbol, trade_date, open, high, low, close, volume, value, source)
             SELECT symbol, day, 1, 1, 1, 1, 1, 1, 'IMPORT' FROM days, (VALUES
                 ('100001', ARRAY[2, 6]), ('100002', ARRAY[1, 2, 3, 5, 6]), ('100003', ARRAY[1, 6])) AS b (symbol, held)
             WHERE n = ANY(held)",
        )
        .await;
    let day = async |n: i32| -> Value {
        let day = world
            .value(&format!("SELECT day::text FROM days WHERE n = {n}"))
            .await;
        day.unwrap().into()
    };
    // Not the holiday, nor what is before the first bar or after the last one.
    let expected = json!([
        { "symbol": "100001", "name": "holes", "day": day(3).await },
        { "symbol": "100001", "name": "holes", "day": day(5).await },
    ]);
    assert_eq!(world.data(gaps).await, expected);
    let one = world.data(&format!("{gaps}?limit=1")).await;
    assert_eq!(one, json!([expected[0]]));
    assert_eq!(world.get(&format!("{gaps}?limit=1001")).await.0, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_newest_value_of_each_series_is_shown() {
    let world = World::start().await;
    world
        .sql(
            "INSERT INTO system.metrics (ts, instance, name, labels, value) VALUES
                 (now() - interval '2 minutes', 'stream', 'test_a', '{\"of\": \"x\"}', 1),
                 (now() - interval '1 minute', 'stream', 'test_a', '{\"of\": \"x\"}', 2.5),
                 (now() - interval '1 minute', 'stream', 'test_a', '{\"of\": \"y\"}', 3),
                 (now() - interval '1 minute', 'bff', 'test_a', '{\"of\": \"x\"}', 4),
                 (now() - interval '1 hour', 'stream', 'test_old', '{}', 5),
                 (now(), 'stream', 'test_b', '{}', 6)",
        )
        .await;
    let values = async |query: &str| -> Value {
        let all = world.data(&format!("/api/v1/metrics/latest{query}")).await;
        let all = all.as_array().unwrap().iter();
        all.map(|one| json!([one["name"], one["instance"], one["labels"], one["value"]]))
            .collect()
    };
    let expected = json!([
        ["test_a", "bff", { "of": "x" }, 4.0], ["test_a", "stream", { "of": "x" }, 2.5],
        ["test_a", "stream", { "of": "y" }, 3.0]
    ]);
    assert_eq!(values("?name=test_a").await, expected);
    assert_eq!(values("?name=test_").await.as_array().unwrap().len(), 4);
    assert_eq!(values("").await.as_array().unwrap().len(), 4);
    assert_eq!(values("?name=test_a_").await, json!([]));
    let (status, _) = world.get("/api/v1/metrics/latest?name=a%00").await;
    assert_eq!(status, 400);
}
