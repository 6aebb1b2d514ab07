//! Sources in trouble through the running system: too few calls for all prices, a broker that refuses
//! them, and no price from anywhere (domain 2.4).

use std::collections::BTreeMap;

use serde_json::json;
use turnstile_tests::{Stock, System, eventually};

const CLOSE: i64 = 100_000;
const NO_STREAM: &str = "[kis.stream]\nrequest_spacing = \"5ms\"\n";

fn codes(count: usize) -> Vec<String> {
    (1..=count)
        .map(|number| format!("{:06}", number * 10))
        .collect()
}

/// Starts the exchange with so many symbols, the first `held` of them held, each traded once.
async fn market(symbols: &[String], held: usize) -> System {
    let stocks: Vec<Stock<'_>> = symbols
        .iter()
        .enumerate()
        .map(|(number, symbol)| Stock {
            symbol,
            close: CLOSE,
            held: if number < held { 100 } else { 0 },
        })
        .collect();
    let system = System::start(&stocks, "").await;
    system.exit_rules(json!({"sl2": {"pnl": -0.05}})).await;
    system
}

async fn trade_all(system: &System, symbols: &[String], won: i64) {
    for symbol in symbols {
        system.trade(symbol, won).await;
    }
}

/// Returns how often each symbol's price was asked for.
async fn asked(system: &System) -> BTreeMap<String, usize> {
    let log = system.get("/log").await;
    let mut asked = BTreeMap::new();
    for call in log["calls"].as_array().or(log.as_array()).expect("calls") {
        if call["tr_id"] == "FHKST01010100"
            && let Some(symbol) = call["body"]["FID_INPUT_ISCD"].as_str()
        {
            *asked.entry(symbol.to_owned()).or_default() += 1;
        }
    }
    asked
}

/// Twelve held symbols that are silent want four calls a second, and there are four in all: what is
/// watched has its turn all the same.
#[tokio::test(flavor = "multi_thread")]
async fn where_calls_do_not_suffice_the_tiers_stretch_and_none_starves() {
    let symbols = codes(18);
    let mut system = market(&symbols, 12).await;
    system.rate = 4;
    system.post("/faults", json!({"stop_quotes": true})).await;
    let stream = system.start_stream(NO_STREAM);
    eventually(
        "every symbol is asked for, held ones more often",
        async || {
            let asked = asked(&system).await;
            let of = |symbol: &String| asked.get(symbol).copied().unwrap_or_default();
            let held: usize = symbols[..12].iter().map(of).sum();
            let watched: usize = symbols[12..].iter().map(of).sum();
            symbols.iter().all(|symbol| of(symbol) > 0) && held > 2 * watched
        },
    )
    .await;
    stream.stop().await;
    system.stop().await;
}

/// The lower half of what is watched is given to Naver while the broker throttles, long before it would
/// be otherwise.
#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_throttles_is_asked_less_and_naver_stands_in_for_the_lower_half() {
    let symbols = codes(6);
    let system = market(&symbols, 2).await;
    let settings = "[quotes]\nheld_after = \"1s\"\nwatched_after = \"10m\"\nmarket_after = \"10m\"\n\
        [kis.retry]\nquery_pause = \"10ms\"\n[kis.stream]\nrequest_spacing = \"5ms\"\n";
    let stream = system.start_stream(settings);
    system.registered(1).await;
    trade_all(&system, &symbols, CLOSE).await;
    system.counts("SELECT count(*) FROM market.prices", 6).await;
    system
        .post("/faults", json!({"rate_limit_next": 1_000_000}))
        .await;
    let of_naver = async |symbols: &[String]| {
        let query = "SELECT count(DISTINCT payload->>'symbol') FROM system.engine_events
            WHERE kind = 'confirmed' AND payload->>'source' = 'NAVER'
            AND payload->>'symbol' = ANY($1)";
        system.one::<i64>(query, &[&symbols]).await
    };
    // Watched with one score, the later codes are the lower half.
    eventually("Naver stands in for the lower half", async || {
        system.trade(&symbols[2], CLOSE).await; // The stream goes on.
        of_naver(&symbols[4..]).await == 2
    })
    .await;
    assert_eq!(
        of_naver(&symbols[2..4]).await,
        0,
        "the upper half is the broker's"
    );
    let log = stream.log();
    let told = log.matches("the broker has trouble with its calls").count();
    assert_eq!(told, 1, "once");
    system.post("/faults", json!({"rate_limit_next": 0})).await;
    stream.stop().await;
    system.stop().await;
}

/// Stream, broker and Naver all away: nothing is judged on what was, one alarm says so, and all goes on
/// by itself.
#[tokio::test(flavor = "multi_thread")]
async fn no_price_from_anywhere_is_an_emergency_that_ends_by_itself() {
    let symbols = codes(2);
    let system = market(&symbols, 2).await;
    let settings = "[quotes]\nemergency_look = \"1s\"\n";
    let stream = system.stream(settings).await;
    trade_all(&system, &symbols, CLOSE).await;
    system.counts("SELECT count(*) FROM market.prices", 2).await;
    let told = |event: &str| format!("SELECT count(*) FROM system.logs WHERE event = '{event}'");

    let away = |is_away: bool| json!({"kis_down": is_away, "naver_down": is_away});
    system.post("/faults", away(true)).await;
    trade_all(&system, &symbols, 94_000).await;
    system.counts(&told("PRICES_EMERGENCY"), 1).await;
    system.counts(&told("price_stale"), 2).await;
    let ended = "SELECT count(*) FROM trade.exit_events";
    assert_eq!(system.one::<i64>(ended, &[]).await, 0);

    system.post("/faults", away(false)).await;
    system.counts(&told("PRICES_BACK"), 1).await;
    system.counts(ended, 2).await;
    let alarms: i64 = system.one(&told("PRICES_EMERGENCY"), &[]).await;
    assert_eq!(alarms, 1, "once");
    stream.stop().await;
    system.stop().await;
}
