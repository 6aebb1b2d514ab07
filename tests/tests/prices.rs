//! Best prices with their age, and slots of the stream that follow the distance to a trigger.

use std::collections::BTreeSet;

use nix::sys::signal::Signal;
use serde_json::{Value, json};
use turnstile_tests::{Stock, System, eventually};

const SYMBOLS: [&str; 4] = ["000100", "000200", "000300", "000400"];

fn stocks<const N: usize>(symbols: [&str; N]) -> [Stock<'_>; N] {
    symbols.map(|symbol| Stock {
        symbol,
        close: 100_000,
        held: 100,
    })
}

fn rules() -> Value {
    json!({"hard_stop": {"pnl": -0.07}, "sl2": {"pnl": -0.05}})
}

/// What `market.best_prices` says of a symbol.
async fn best(system: &System, symbol: &str) -> Option<String> {
    let query = "SELECT max(concat_ws(' ', source, price::bigint, stale_reason))
        FROM market.best_prices WHERE symbol = $1";
    system.one(query, &[&symbol]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_price_grows_old_by_the_clock_and_says_why() {
    let system = System::start(&stocks([SYMBOLS[0]]), "").await;
    system.exit_rules(rules()).await;
    let stream = system.stream("[quotes]\nrest = false\n").await;
    system.trade(SYMBOLS[0], 100_000).await;
    eventually("the stream's price", async || {
        best(&system, SYMBOLS[0]).await.as_deref() == Some("KIS_WS 100000")
    })
    .await;
    // Nothing arrives any more.
    eventually("stale by the clock", async || {
        best(&system, SYMBOLS[0]).await.as_deref() == Some("KIS_WS 100000 WS_TIMEOUT")
    })
    .await;
    let since = "SELECT count(*) FROM market.best_prices WHERE is_stale AND fresh_until < now()
        AND fresh_until = received_ts + interval '2 seconds'";
    assert_eq!(system.one::<i64>(since, &[]).await, 1);
    // Naver is asked once broker and stream are silent: it confirms the price, and is the best.
    eventually("Naver's price", async || {
        best(&system, SYMBOLS[0]).await.as_deref() == Some("NAVER 100000")
    })
    .await;
    system.trade(SYMBOLS[0], 100_100).await;
    eventually("the stream's price again", async || {
        best(&system, SYMBOLS[0]).await.as_deref() == Some("KIS_WS 100100")
    })
    .await;
    stream.stop().await;
    system.stop().await;
}

/// Symbols that the broker streams to its only session.
async fn streamed(system: &System) -> BTreeSet<String> {
    let status = system.get("/status").await;
    let sessions = status["sessions"].as_array().cloned().unwrap_or_default();
    let keys = sessions
        .iter()
        .filter_map(|session| session["registrations"].as_array())
        .flatten();
    let keys = keys.filter_map(|key| key["tr_key"].as_str().or_else(|| key.as_str()));
    keys.filter_map(|key| SYMBOLS.iter().find(|symbol| key.contains(**symbol)))
        .map(|symbol| (*symbol).to_owned())
        .collect()
}

async fn streams(system: &System, expected: [&str; 2]) {
    let expected = BTreeSet::from(expected.map(str::to_owned));
    eventually("slots where they belong", async || {
        streamed(system).await == expected
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn slots_move_to_the_held_symbols_that_are_nearest_to_a_trigger() {
    let mut system = System::start(&stocks(SYMBOLS), "").await;
    system.registrations = 3; // One of them is for the execution notice.
    system.exit_rules(rules()).await;
    let stream = system.start_stream("");
    streams(&system, ["000100", "000200"]).await;
    for symbol in SYMBOLS {
        system.trade(symbol, 100_000).await;
    }
    // Two have no slot: the broker is asked about them.
    let asked = "SELECT count(DISTINCT symbol) FROM market.prices
        WHERE source = 'KIS_REST' AND symbol IN ('000300', '000400')";
    system.counts(asked, 2).await;
    // All are as far from their stops: nothing moves. Then one is clearly nearer.
    assert_eq!(streamed(&system).await.len(), 2);
    system.trade("000400", 96_000).await;
    streams(&system, ["000100", "000400"]).await;
    system.trade("000300", 95_500).await;
    streams(&system, ["000300", "000400"]).await;
    // A little nearer is not clearly nearer.
    system.trade("000100", 98_000).await;
    let seen = "SELECT count(*) FROM market.prices WHERE symbol = '000100' AND last_price = 98000";
    system.counts(seen, 1).await;
    streams(&system, ["000300", "000400"]).await;
    let moved = "SELECT count(*) FROM system.engine_events WHERE kind = 'wishes'";
    assert_eq!(
        system.one::<i64>(moved, &[]).await,
        1,
        "wishes did not change"
    );
    // Without a slot it is watched all the same.
    system.trade("000200", 94_000).await;
    let sold = "SELECT count(*) FROM trade.exit_events WHERE symbol = '000200'";
    system.counts(sold, 1).await;
    stream.stop().await;
    system.stop().await;
}

/// Bars of one minute that differ from what the stored prices say, either way.
const WRONG_BARS: &str = "WITH made AS (
        SELECT DISTINCT symbol, date_trunc('minute', ts) AS minute,
            first_value(last_price) OVER minutes AS open, max(last_price) OVER minutes AS high,
            min(last_price) OVER minutes AS low, last_value(last_price) OVER minutes AS close,
            sum(volume) OVER minutes AS volume, count(*) OVER minutes AS ticks
        FROM market.prices WHERE session <> 'EXPECTED'
        WINDOW minutes AS (PARTITION BY symbol, date_trunc('minute', ts) ORDER BY logical_us
            ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
    ), kept AS (
        SELECT symbol, minute, open, high, low, close, volume::numeric, ticks FROM market.minute_bars
    )
    SELECT (SELECT count(*) FROM (TABLE made EXCEPT TABLE kept) missing)
        + (SELECT count(*) FROM (TABLE kept EXCEPT TABLE made) wrong)";

const TRADED: &str = "SELECT count(*) FROM market.prices WHERE session <> 'EXPECTED'";

async fn bars_hold(system: &System, prices: i64) {
    system.counts(TRADED, prices).await;
    let counted = "SELECT coalesce(sum(ticks), 0)::bigint FROM market.minute_bars";
    system.counts(counted, prices).await;
    assert_eq!(system.one::<i64>(WRONG_BARS, &[]).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_price_counts_once_in_its_bar_across_a_kill() {
    let system = System::start(&stocks([SYMBOLS[0], SYMBOLS[1]]), "").await;
    let settings = "minute_bars = \"100ms\"\n[quotes]\nrest = false\n";
    let stream = system.stream(settings).await;
    for won in [100_000, 101_000, 99_000, 100_500] {
        system.trade(SYMBOLS[0], won).await;
        system.trade(SYMBOLS[1], won + 500).await;
    }
    bars_hold(&system, 8).await;
    stream.signal(Signal::SIGKILL);
    assert!(!stream.ended().await, "killed");
    let stream = system.stream(settings).await;
    for won in [98_000, 102_000] {
        system.trade(SYMBOLS[0], won).await;
    }
    bars_hold(&system, 10).await;
    let day = "SELECT count(*) FROM (SELECT max(high) AS high, min(low) AS low
            FROM market.minute_bars WHERE symbol = $1) day WHERE high = 102000 AND low = 98000";
    assert_eq!(system.one::<i64>(day, &[&SYMBOLS[0]]).await, 1);
    stream.stop().await;
    // Prices without bars are made good once it is configured again; what an auction is expected to come
    // to, stored beside them, is in none.
    let without = system.stream("[quotes]\nrest = false\n").await;
    system.trade(SYMBOLS[1], 99_500).await;
    system.counts(TRADED, 11).await;
    without.stop().await;
    let expected = "INSERT INTO market.prices (trade_date, logical_us, symbol, ts, recv_ts, source,
            last_price, volume, session)
        SELECT trade_date, logical_us - 1, symbol, ts, recv_ts, source, 150000, 7, 'EXPECTED'
        FROM market.prices ORDER BY trade_date DESC, logical_us DESC LIMIT 1";
    system.execute(expected, &[]).await;
    let stream = system.stream(settings).await;
    bars_hold(&system, 11).await;
    stream.stop().await;
    system.stop().await;
}
