//! Several app keys through the running system: their sessions stream as one, each symbol with one of
//! them, and what a session cannot take the others do.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use turnstile_connectors::kis::{KisClient, KisConfig, KisStream, KisStreamParts};
use turnstile_tests::{Program, Stock, System, eventually};

const SYMBOLS: [&str; 6] = ["000010", "000020", "000030", "000040", "000050", "000060"];
const CLOSE: i64 = 100_000;
const SECOND_KEY: &str = "PSsimulated0000000000000000000000002";
const SECOND_SECRET: &str = "another-secret";
/// The broker gives an app key with each account.
const SECOND_ACCOUNT: &str = "[[accounts]]\ncano = \"50123457\"\nhts_id = \"demo0002\"\n\
    app_key = \"PSsimulated0000000000000000000000002\"\napp_secret = \"another-secret\"\n";
const TWO_KEYS: &str = "[kis.reconnect]\nin_use_pause = \"300ms\"\n\
    [kis.stream]\nrequest_spacing = \"5ms\"\n\
    [[kis.more_keys]]\napp_key = \"PSsimulated0000000000000000000000002\"\n\
    app_secret = \"another-secret\"\n";
const STREAMED: &str = "SELECT count(*) FROM market.prices WHERE source = 'KIS_WS'";
const TWICE: &str = "SELECT count(*) FROM (SELECT symbol, acml_volume FROM market.prices
    WHERE source = 'KIS_WS' GROUP BY 1, 2 HAVING count(*) > 1) twice";

/// Starts the exchange, where a session takes four registrations, with `accounts` beside the first, and
/// six positions.
async fn market(accounts: &str) -> System {
    let stocks = SYMBOLS.map(|symbol| Stock {
        symbol,
        close: CLOSE,
        held: 100,
    });
    let mut system = System::start(&stocks, accounts).await;
    system.registrations = 4;
    system.exit_rules(json!({"sl2": {"pnl": -0.05}})).await;
    system
}

/// Returns the symbols that each session of the broker streams, the larger set first.
async fn sessions(system: &System) -> Vec<BTreeSet<String>> {
    let status = system.get("/status").await;
    let symbols = |session: &Value| {
        let registrations = session["registrations"].to_string();
        let symbols = SYMBOLS.iter().filter(|it| registrations.contains(**it));
        symbols.map(ToString::to_string).collect::<BTreeSet<_>>()
    };
    let sessions = status["sessions"].as_array().expect("a list");
    let mut sessions: Vec<_> = sessions.iter().map(symbols).collect();
    sessions.sort_by_key(|symbols| std::cmp::Reverse(symbols.len()));
    sessions
}

async fn streams(system: &System, counts: &[usize]) {
    eventually(&format!("{counts:?} symbols are streamed"), async || {
        let sessions = sessions(system).await;
        sessions.iter().map(BTreeSet::len).collect::<Vec<_>>() == counts
    })
    .await;
}

/// Lets every symbol trade once and waits until the streams have brought each once.
async fn each_comes_once(system: &System, won: i64, streamed: i64) {
    let before: i64 = system.one(STREAMED, &[]).await;
    for symbol in SYMBOLS {
        system.trade(symbol, won).await;
    }
    system.counts(STREAMED, before + streamed).await;
    assert_eq!(system.one::<i64>(TWICE, &[]).await, 0);
    assert_eq!(system.one::<i64>(STREAMED, &[]).await, before + streamed);
}

async fn stop(stream: Program, system: System) {
    stream.stop().await;
    system.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_keys_stream_what_one_could_not() {
    let system = market(SECOND_ACCOUNT).await;
    let stream = system.start_stream(TWO_KEYS);
    // Three beside the notices, and the others with the second key.
    streams(&system, &[3, 3]).await;
    let both = sessions(&system).await;
    assert!(both[0].is_disjoint(&both[1]), "{both:?}");
    each_comes_once(&system, 99_900, 6).await;
    // One of the second session falls through its stop.
    let sold = both[1].first().expect("three");
    system.trade(sold, 94_000).await;
    system
        .counts("SELECT count(*) FROM trade.exit_events", 1)
        .await;
    stop(stream, system).await;
}

/// The second key is in use elsewhere when the engine starts, and is free later.
#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_is_away_is_done_without_until_it_opens() {
    let system = market(SECOND_ACCOUNT).await;
    let rival = CancellationToken::new();
    let held = rival_session(&system, &rival).await;
    streams(&system, &[0]).await;

    let stream = system.start_stream(TWO_KEYS);
    streams(&system, &[3, 0]).await;
    let log = || stream.log();
    eventually("the key is in use", async || log().contains("OPSP8996")).await;
    each_comes_once(&system, 99_900, 3).await;
    // The price of each of the others is asked for.
    let asked = "SELECT count(DISTINCT symbol) FROM market.prices WHERE source = 'KIS_REST'";
    system.counts(asked, 3).await;
    // The engine knows by now that there are fewer slots.
    let told = "SELECT count(*) FROM system.engine_events
        WHERE kind = 'wishes' AND payload::text LIKE '%\"slots\": 3%'";
    system.counts(told, 1).await;

    rival.cancel();
    drop(held);
    streams(&system, &[3, 3]).await;
    each_comes_once(&system, 99_800, 6).await;
    stop(stream, system).await;
}

/// Neither its session nor its calls work; the first key does without.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_the_broker_does_not_know_costs_its_slots_and_no_price() {
    let system = market("").await;
    let stream = system.start_stream(TWO_KEYS);
    streams(&system, &[3]).await;
    each_comes_once(&system, 99_900, 3).await;
    let asked = "SELECT count(DISTINCT symbol) FROM market.prices WHERE source = 'KIS_REST'";
    system.counts(asked, 3).await;
    let log = stream.log();
    assert!(log.contains("no session, trying again"), "{log}");
    stop(stream, system).await;
}

/// Opens a session under the second key, as another program of the customer would.
async fn rival_session(system: &System, stop: &CancellationToken) -> KisStreamParts {
    let text = std::fs::read_to_string(system.config_file("")).expect("configuration");
    let file: toml::Table = text.parse().expect("a table");
    let mut config: KisConfig = file["kis"].clone().try_into().expect("a section");
    config.app_key = SECOND_KEY.into();
    config.app_secret = SECOND_SECRET.into();
    config.hts_id = "demo0002".to_owned();
    config.token_cache = system.folder().join("rival.json");
    let clock = Arc::new(turnstile_connectors::execution::wall_clock_us);
    let client = KisClient::new(config.validate().expect("valid"), clock.clone()).expect("client");
    let parts = KisStream::start(&[client], clock, BTreeSet::new(), stop.clone());
    eventually("the rival has registered", async || {
        system.registrations().await > 0
    })
    .await;
    parts
}
