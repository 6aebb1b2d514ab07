//! The stores under a moving market: Redis never holds a price that PostgreSQL lacks, also when
//! Redis goes away and comes back; every trade of a recorded day is stored once and in order.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::{Value, json};
use turnstile_tests::{Stock, System, data, eventually};

const CODES: [&str; 3] = ["005930", "000660", "000270"];

fn moving_market() -> String {
    "[path]\nkind = \"generator\"\nticks_per_second = 300\nseed = 3\n".to_owned()
}

fn stocks() -> [Stock<'static>; 3] {
    CODES.map(|symbol| Stock {
        symbol,
        close: 100_000,
        held: 0,
    })
}

async fn redis_prices(system: &System) -> Vec<Value> {
    let client = redis::Client::open(system.servers.redis_url().unwrap()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let keys: Vec<String> = CODES.map(|code| format!("price:{code}")).to_vec();
    let values: Vec<Option<String>> = redis::cmd("MGET")
        .arg(&keys)
        .query_async(&mut connection)
        .await
        .unwrap();
    for key in &keys {
        let ttl: i64 = redis::cmd("TTL")
            .arg(key)
            .query_async(&mut connection)
            .await
            .unwrap();
        assert!(ttl == -2 || (0..=60).contains(&ttl), "{key} lives {ttl} s");
    }
    values
        .into_iter()
        .flatten()
        .map(|text| serde_json::from_str(&text).unwrap())
        .collect()
}

async fn assert_stored(system: &System, price: &Value) {
    let (symbol, logical_us) = (
        price["symbol"].as_str().unwrap(),
        price["logical_us"].as_i64().unwrap(),
    );
    let stored: Option<String> = system
        .query(
            "SELECT trim_scale(last_price)::text FROM market.prices WHERE symbol = $1 AND logical_us = $2",
            &[&symbol, &logical_us],
        )
        .await
        .first()
        .map(|row| row.get(0));
    assert_eq!(
        stored,
        Some(price["price"].to_string()),
        "{symbol} at {logical_us}"
    );
}

#[tokio::test]
async fn redis_never_holds_a_price_that_postgresql_lacks() {
    let mut system = System::start(&stocks(), &moving_market()).await;
    let stream = system.stream("").await;
    let mut seen = 0;
    eventually("two hundred looks", async || {
        for price in redis_prices(&system).await {
            assert_stored(&system, &price).await;
            seen += 1;
        }
        seen >= 200
    })
    .await;
    // Without Redis everything goes on; with Redis the cache fills again.
    system.servers.redis().unwrap().stop().await.unwrap();
    let before: i64 = system.one("SELECT count(*) FROM market.prices", &[]).await;
    system
        .counts("SELECT count(*) FROM market.prices", before + 300)
        .await;
    system.servers.redis().unwrap().start().await.unwrap();
    eventually("the cache fills again", async || {
        let prices = redis_prices(&system).await;
        for price in &prices {
            assert_stored(&system, price).await;
        }
        prices.len() == CODES.len()
    })
    .await;
    stream.stop().await;
    system.stop().await;
}

fn recorded(file: &PathBuf) -> BTreeMap<String, Vec<(String, i64)>> {
    let opened = flate2::read::MultiGzDecoder::new(std::fs::File::open(file).unwrap());
    let mut reader = csv::Reader::from_reader(opened);
    let mut by_symbol: BTreeMap<String, Vec<(String, i64)>> = BTreeMap::new();
    for row in reader.records() {
        let row = row.unwrap();
        let price = row[2].to_owned();
        let price = if price.contains('.') {
            price.trim_end_matches('0').trim_end_matches('.').to_owned()
        } else {
            price
        };
        by_symbol
            .entry(row[1].to_owned())
            .or_default()
            .push((price, row[3].parse().unwrap()));
    }
    by_symbol
}

#[tokio::test]
async fn every_trade_of_the_recorded_day_is_stored_once_and_in_order() {
    let Some(file) = data("ticks-2013-10-07.csv.gz") else {
        return;
    };
    let day = recorded(&file);
    let total: usize = day.values().map(Vec::len).sum();
    assert_eq!(total, 388_417);
    let path = format!(
        "paused = true\n[path]\nkind = \"ticks\"\nfile = \"{}\"\nspeed = \"0\"\n",
        file.display()
    );
    let stocks: Vec<Stock<'_>> = day
        .keys()
        .map(|symbol| Stock {
            symbol,
            close: 100,
            held: 0,
        })
        .collect();
    let system = System::start(&stocks, &path).await;
    let stream = system.stream("").await;
    system.post("/resume", json!({})).await;
    for _ in 0..4 {
        // A minute each at most; the whole day takes about one on a quiet machine.
        let stored = async || {
            system
                .one::<i64>("SELECT count(*) FROM market.prices", &[])
                .await
        };
        let before = stored().await;
        if usize::try_from(before).unwrap() == total {
            break;
        }
        eventually("the day goes on", async || {
            stored().await >= (before + 100_000).min(388_417)
        })
        .await;
    }
    for (symbol, trades) in &day {
        let rows = system
            .query(
                "SELECT trim_scale(last_price)::text, volume FROM market.prices
                 WHERE symbol = $1 ORDER BY logical_us",
                &[symbol],
            )
            .await;
        let stored: Vec<(String, i64)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
        assert!(
            stored == *trades,
            "{symbol}: {} stored, {} recorded",
            stored.len(),
            trades.len()
        );
    }
    stream.stop().await;
    system.stop().await;
}
