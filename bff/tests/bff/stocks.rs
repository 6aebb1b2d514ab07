//! Stocks: lists, filters and searches.

use serde_json::{Value, json};

use crate::fixture::ROWS;
use crate::world::World;

/// Names with what LIKE would take for something else, and with both cases.
const STOCKS: &str =
    "INSERT INTO market.stocks (symbol, name, market, is_tradable, market_cap, listing_date) VALUES
    ('100001', 'Alpha', 'KOSPI', true, 400000000000000, '1975-06-11'),
    ('100002', 'alphabet', 'KOSDAQ', true, NULL, NULL),
    ('100003', 'The Alpha', 'KONEX', false, NULL, NULL),
    ('100004', '100% pure', 'KOSDAQ', true, NULL, NULL),
    ('100005', 'under_score', 'KOSDAQ', true, NULL, NULL),
    ('100006', 'back\\slash', 'KOSDAQ', true, NULL, NULL),
    ('0100A1', '100001', 'KOSPI', true, NULL, NULL),
    ('alpha', 'Code of the others'' name', 'KOSPI', true, NULL, NULL)";

async fn symbols(world: &World, path: &str) -> Vec<String> {
    let rows = world.data(path).await;
    let rows = rows.as_array().unwrap().iter();
    rows.map(|row| row["symbol"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stock_has_what_is_known_of_it_and_its_newest_price() {
    let world = World::start().await;
    world.sql(ROWS).await;
    world.sql(STOCKS).await;
    let samsung = world.data("/api/v1/stocks/005930").await;
    let of = |keys: &[&str]| -> Value { keys.iter().map(|key| samsung[key].clone()).collect() };
    assert_eq!(
        of(&["name", "market", "instrument_type", "status", "is_tradable"]),
        json!(["삼성전자", "KOSPI", "STOCK", "ACTIVE", true])
    );
    assert_eq!(
        of(&["last_price", "change_price", "change_rate", "price_ts"]),
        json!([70_100, 0, 0, "2026-11-24T15:00:01+09:00"])
    );
    let alpha = world.data("/api/v1/stocks/100001").await;
    for key in [
        "last_price",
        "change_price",
        "change_rate",
        "price_ts",
        "checked_on",
    ] {
        assert_eq!(alpha[key], Value::Null, "{key}: {alpha}");
    }
    assert_eq!(alpha["listing_date"], "1975-06-11");
    assert_eq!(alpha["market_cap"], 400_000_000_000_000_i64);
    assert_eq!(world.get("/api/v1/stocks/999999").await.0, 404);
    assert_eq!(world.get("/api/v1/stocks/99-999").await.0, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_is_narrowed_and_goes_on_by_symbol() {
    let world = World::start().await;
    world.sql(STOCKS).await;
    let list = "/api/v1/stocks";
    let all = [
        "0100A1", "100001", "100002", "100003", "100004", "100005", "100006", "alpha",
    ];
    assert_eq!(symbols(&world, list).await, all);
    for (query, expected) in [
        ("market=all", &all[..]),
        ("market=KONEX", &["100003"]),
        ("market=KOSPI&search=ALPHA", &["100001", "alpha"]),
        ("is_tradable=false", &["100003"]),
        ("is_tradable=true&search=00003", &[]),
        ("search=0100A", &["0100A1"]),
        ("search=%25", &["100004"]),
        ("search=_", &["100005"]),
        ("search=%5C", &["100006"]),
        ("search=nothing", &[]),
        ("search=", &all[..]),
    ] {
        assert_eq!(
            symbols(&world, &format!("{list}?{query}")).await,
            expected,
            "{query}"
        );
    }
    let (mut paged, mut cursor) = (Vec::new(), String::new());
    loop {
        let path = format!("{list}?limit=3{cursor}");
        paged.extend(symbols(&world, &path).await);
        match world.get(&path).await.1["pagination"]["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(paged, all);
    for (query, field) in [
        ("market=NASDAQ", "market"),
        ("is_tradable=yes", "is_tradable"),
        ("limit=0", "limit"),
        ("page=1", "page"),
    ] {
        let (status, body) = world.get(&format!("{list}?{query}")).await;
        assert_eq!(status, 400, "{query}: {body}");
        assert!(
            body["error"]["fields"][field].is_string(),
            "{query}: {body}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_best_match_comes_first() {
    let world = World::start().await;
    world.sql(STOCKS).await;
    let search = "/api/v1/stocks/search";
    for (query, expected) in [
        // Its code, its name, their beginnings, parts of them.
        ("q=Alpha", &["alpha", "100001", "100002", "100003"][..]),
        ("q=ALPHA&limit=2", &["alpha", "100001"]),
        ("q=%20alphab%20", &["100002"]),
        ("q=100001", &["100001", "0100A1"]),
        ("q=0%25", &["100004"]),
        ("q=r_s", &["100005"]),
        ("q=k%5Cs", &["100006"]),
        ("q=__", &[]),
        ("q=none", &[]),
    ] {
        assert_eq!(
            symbols(&world, &format!("{search}?{query}")).await,
            expected,
            "{query}"
        );
    }
    for (query, field) in [
        ("", "q"),
        ("?q=", "q"),
        ("?q=%20", "q"),
        ("?q=a%00", "q"),
        (&format!("?q={}", "a".repeat(101)), "q"),
        ("?q=a&limit=101", "limit"),
        ("?q=a&cursor=1", "cursor"),
    ] {
        let (status, body) = world.get(&format!("{search}{query}")).await;
        assert_eq!(status, 400, "{query}: {body}");
        assert!(
            body["error"]["fields"][field].is_string(),
            "{query}: {body}"
        );
    }
}
