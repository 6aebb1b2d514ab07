//! PostgreSQL away for a while: what the broker streams is kept on disk and stored once, also by a process
//! that is killed and started again meanwhile; engines go on by themselves, also on a promoted standby.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use nix::sys::signal::Signal;
use rust_decimal::Decimal;
use serde_json::json;
use tokio::time::Instant;
use turnstile_tests::{Stock, System, Ticker, Webhook, eventually};

const SYMBOL: &str = "005930";
const OTHER: &str = "000660";
const RULES: &str = r#"{"sl2": {"pnl": -0.05}}"#;
const AWAY: &str = "the engine has ended";
/// Ticks that come while PostgreSQL is away.
const TICKS: usize = 500_000;
/// Fills that come while PostgreSQL is away, of one share each.
const FILLS: i64 = 1_000;
const SPILL_MAX: Duration = Duration::from_secs(240);

fn stock(symbol: &str, held: i64) -> Stock<'_> {
    Stock {
        symbol,
        close: 100_000,
        held,
    }
}

async fn stop_postgres(system: &mut System) {
    let postgres = system.servers.postgres().expect("PostgreSQL runs");
    postgres.stop().await.expect("it stops");
}

async fn start_postgres(system: &mut System) {
    let postgres = system.servers.postgres().expect("PostgreSQL runs");
    postgres.start().await.expect("it starts");
    system.reconnect().await;
}

/// Returns the files in which something is kept.
fn files(system: &System) -> Vec<String> {
    let folder = system.folder().join(".turnstile/spill");
    let Ok(files) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let files = files.map(|file| file.expect("entry").path());
    let files = files.filter(|file: &PathBuf| file.extension().is_some_and(|end| end == "spill"));
    files
        .map(|file| std::fs::read_to_string(file).unwrap_or_default())
        .collect()
}

/// Returns how many lines of prices and of fills are kept.
fn kept(system: &System) -> (usize, usize) {
    let texts = files(system);
    let count = |kind: &str| texts.iter().map(|text| text.matches(kind).count()).sum();
    (count(r#"{"unjudged":"#), count(r#""event":{"Fill":"#))
}

#[tokio::test]
async fn an_engine_goes_on_by_itself_and_every_price_is_stored_once() {
    let mut system = System::start(&[stock(SYMBOL, 100), stock(OTHER, 50)], "").await;
    system
        .exit_rules(serde_json::from_str(RULES).expect("rules"))
        .await;
    let mut stream = system.stream("").await;
    system.trade(SYMBOL, 99_000).await;
    let stored = "SELECT count(*) FROM market.prices";
    system.counts(stored, 1).await;

    stop_postgres(&mut system).await;
    eventually("the engine ends", async || stream.log().contains(AWAY)).await;
    let away = Instant::now();
    for won in [98_900, 94_000, 98_800] {
        system.trade(SYMBOL, won).await;
    }
    eventually("they are kept", async || kept(&system) == (3, 0)).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    let away_for = away.elapsed();
    let began = Instant::now();
    start_postgres(&mut system).await;
    system.counts(stored, 4).await;
    eventually("an engine lives again", async || {
        stream.log().matches("the engine lives").count() == 2
    })
    .await;
    println!(
        "an engine {:.2} s after the return",
        began.elapsed().as_secs_f64()
    );
    assert!(!stream.has_ended());
    assert_eq!(kept(&system), (0, 0));
    // Nobody judged them, and it is on record that nobody did.
    let unjudged = "SELECT count(*) FROM market.prices p JOIN system.engine_events e
        ON p.logical_us BETWEEN e.logical_us AND (e.payload->>'through_us')::bigint
        WHERE e.kind = 'unjudged'";
    system.counts(unjudged, 3).await;
    let told = "SELECT count(*) FROM system.logs WHERE event = 'PRICES_RESTORED'
        AND context @> '{\"ticks\": 3, \"unjudged\": 3}'";
    system.counts(told, 1).await;
    let unprotected = "SELECT count(*) FROM system.logs WHERE event = 'POSITIONS_UNPROTECTED'
        AND (context->>'seconds')::integer >= $1";
    let away = i32::try_from(away_for.as_secs()).expect("seconds");
    eventually("it is told for how long nobody judged", async || {
        system.one::<i64>(unprotected, &[&away]).await == 1
    })
    .await;
    assert_eq!(system.orders_sent().await, 0);

    system.trade(OTHER, 94_000).await;
    system
        .counts("SELECT count(*) FROM trade.exit_events", 1)
        .await;
    system.trade(SYMBOL, 94_900).await;
    system
        .counts("SELECT count(*) FROM trade.exit_events", 2)
        .await;
    assert_eq!(system.orders_sent().await, 2);
    stream.stop().await;
    system.stop().await;
}

#[tokio::test]
async fn a_decision_that_could_not_be_stored_outlives_a_kill_and_is_made_anew() {
    let mut system = System::start(&[stock(SYMBOL, 100)], "").await;
    system
        .exit_rules(serde_json::from_str(RULES).expect("rules"))
        .await;
    let stream = system.stream("").await;
    system.trade(SYMBOL, 99_000).await;
    system.counts("SELECT count(*) FROM market.prices", 1).await;

    // It stands still, and dies: the engine judges until its lock does not answer, and nothing that it has
    // said since is ever read.
    system.signal_postgres(Signal::SIGSTOP);
    system.trade(SYMBOL, 94_000).await;
    eventually("the decision is kept", async || {
        files(&system).concat().contains(r#"{"decision":"#)
    })
    .await;
    stream.signal(Signal::SIGKILL);
    assert!(!stream.ended().await, "killed");
    system.signal_postgres(Signal::SIGKILL);
    let postgres = system.servers.postgres().expect("it was started");
    postgres.kill().await.expect("it is gone");
    start_postgres(&mut system).await;
    let stream = system.stream("").await;
    let recorded = "SELECT count(*) FROM trade.decisions_unstored d
        JOIN trade.positions p ON d.action_key LIKE p.position_id || ':1:OPEN:SL2:1'
        WHERE d.symbol = '005930' AND d.decision ->> 'reason' = 'SL2'";
    system.counts(recorded, 1).await;
    let told = "SELECT count(*) FROM system.logs WHERE event = 'PRICES_RESTORED'
        AND context @> '{\"decisions\": 1}'";
    system.counts(told, 1).await;
    // What still holds is decided anew, on the price of now.
    system.trade(SYMBOL, 93_900).await;
    system
        .counts("SELECT count(*) FROM trade.exit_events", 1)
        .await;
    assert_eq!(system.orders_sent().await, 1);
    stream.stop().await;
    system.stop().await;
}

#[tokio::test]
async fn a_stop_while_postgresql_is_away_ends_soon_and_loses_nothing() {
    let mut system = System::start(&[stock(SYMBOL, 100)], "").await;
    system
        .exit_rules(serde_json::from_str(RULES).expect("rules"))
        .await;
    let stream = system.stream("").await;
    stop_postgres(&mut system).await;
    eventually("the engine ends", async || stream.log().contains(AWAY)).await;
    system.trade(SYMBOL, 99_100).await;
    eventually("it is kept", async || kept(&system) == (1, 0)).await;
    stream.stop().await;
    start_postgres(&mut system).await;
    let stream = system.stream("").await;
    system.counts("SELECT count(*) FROM market.prices", 1).await;
    stream.stop().await;
    system.stop().await;
}

/// Writes a day of as many ticks: every price another one than the one before.
fn ticks(file: &std::path::Path, symbols: &[String]) -> Vec<(String, Decimal)> {
    let mut text = "ts,symbol,price,volume\n".to_owned();
    let mut all = Vec::with_capacity(TICKS);
    for number in 0..TICKS {
        let symbol = &symbols[number % symbols.len()];
        let won = 99_000 + 100 * (number / symbols.len() % 20);
        let ms = number / 2;
        let (second, ms) = (ms / 1_000, ms % 1_000);
        let (minute, second) = (second / 60, second % 60);
        writeln!(
            text,
            "2026-11-24T09:{minute:02}:{second:02}.{ms:03}+09:00,{symbol},{won},1"
        )
        .expect("text");
        all.push((symbol.clone(), Decimal::from(won)));
    }
    std::fs::write(file, text).expect("written");
    all
}

/// 500,000 ticks and 1,000 fills while PostgreSQL is away; the process is killed and started again before
/// it is back.
#[tokio::test(flavor = "multi_thread")]
async fn half_a_million_ticks_and_a_thousand_fills_outlive_a_kill_while_postgresql_is_away() {
    let symbols: Vec<String> = (0..20)
        .map(|number| format!("{:06}", 300_010 + 10 * number))
        .collect();
    let mut stocks: Vec<Stock<'_>> = symbols.iter().map(|symbol| stock(symbol, 0)).collect();
    stocks.push(stock(SYMBOL, FILLS));
    let folder = tempfile::tempdir().expect("folder");
    let file = folder.path().join("ticks.csv");
    let sent = ticks(&file, &symbols);
    let path = format!(
        "paused = true\n[path]\nkind = \"ticks\"\nfile = \"{}\"\nspeed = 0\n",
        file.display()
    );
    let mut system = System::start(&stocks, &path).await;
    system
        .exit_rules(serde_json::from_str(RULES).expect("rules"))
        .await;
    let stream = system.stream("[quotes]\nrest = false\n").await;
    let pieces = json!({"fill_in_pieces": {"shares": 1, "every_ms": 2}, "delay_notices_ms": 3_000});
    system.post("/faults", pieces).await;
    system.trade(SYMBOL, 94_000).await;
    system
        .counts(
            "SELECT count(*) FROM trade.orders_now WHERE status = 'SUBMITTED'",
            1,
        )
        .await;
    let before: i64 = system.one("SELECT count(*) FROM market.prices", &[]).await;

    stop_postgres(&mut system).await;
    eventually("the engine ends", async || stream.log().contains(AWAY)).await;
    let began = Instant::now();
    system.post("/resume", json!({})).await;
    let fills = usize::try_from(FILLS).expect("few");
    while kept(&system) != (TICKS, fills) {
        assert!(
            began.elapsed() < SPILL_MAX,
            "{:?} kept\n{}",
            kept(&system),
            stream.log()
        );
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    println!("kept within {:.1} s", began.elapsed().as_secs_f64());
    stream.signal(Signal::SIGKILL);
    assert!(!stream.ended().await, "killed");
    system.post("/faults", json!({"clear": true})).await;
    let stream = system.start_stream("[quotes]\nrest = false\n");
    eventually("it waits for PostgreSQL", async || {
        stream.log().contains("PostgreSQL is away")
    })
    .await;
    eventually("it listens meanwhile", async || {
        system.registrations().await > symbols.len()
    })
    .await;
    system.trade(SYMBOL, 93_900).await;
    eventually("a further price is kept", async || {
        kept(&system) == (TICKS + 1, fills)
    })
    .await;

    let began = Instant::now();
    start_postgres(&mut system).await;
    let all = before + i64::try_from(TICKS).expect("a count") + 1;
    system
        .counts_within("SELECT count(*) FROM market.prices", all, SPILL_MAX)
        .await;
    println!("stored within {:.1} s", began.elapsed().as_secs_f64());
    let rows = system
        .query(
            "SELECT symbol, last_price FROM market.prices WHERE symbol <> $1 ORDER BY logical_us",
            &[&SYMBOL],
        )
        .await;
    assert_eq!(rows.len(), TICKS);
    for (at, (row, (symbol, price))) in rows.iter().zip(&sent).enumerate() {
        let found: (&str, Decimal) = (row.get(0), row.get(1));
        assert_eq!(found, (symbol.as_str(), *price), "tick {at}");
    }
    system
        .counts("SELECT count(*) FROM trade.exit_events", 1)
        .await;
    let sold: i64 = system
        .one("SELECT sum(qty)::bigint FROM trade.executions", &[])
        .await;
    assert_eq!(sold, FILLS);
    // Two fills of one second, price and size give one notice to the letter: the list tells of the rest.
    let told = "SELECT count(*) FROM trade.executions WHERE source = 'NOTICE'";
    assert!(
        system.one::<i64>(told, &[]).await > 1,
        "no notice that was kept has counted"
    );
    assert_eq!(system.orders_sent().await, 1);
    stream.stop().await;
    system.stop().await;
}

/// The disk takes nothing more: somebody is told, nothing more is read, and what was kept is stored.
#[tokio::test(flavor = "multi_thread")]
async fn a_spill_that_is_full_is_told_and_what_it_has_is_stored() {
    const LIMIT: usize = 16 * 1_024 * 1_024;
    let symbols: Vec<String> = (0..20)
        .map(|number| format!("{:06}", 300_010 + 10 * number))
        .collect();
    let stocks: Vec<Stock<'_>> = symbols.iter().map(|symbol| stock(symbol, 0)).collect();
    let folder = tempfile::tempdir().expect("folder");
    let file = folder.path().join("ticks.csv");
    ticks(&file, &symbols);
    let path = format!(
        "paused = true\n[path]\nkind = \"ticks\"\nfile = \"{}\"\nspeed = 0\n",
        file.display()
    );
    let mut system = System::start(&stocks, &path).await;
    let webhook = Webhook::start().await;
    let settings = format!(
        "[quotes]\nrest = false\n[spill]\nbytes_max = {LIMIT}\n\
         [monitoring.webhook]\nurl = \"{}\"\n",
        webhook.url
    );
    let mut stream = system.stream(&settings).await;
    stop_postgres(&mut system).await;
    eventually("the engine ends", async || stream.log().contains(AWAY)).await;
    system.post("/resume", json!({})).await;
    eventually("somebody is told", async || {
        !webhook.about("SPILL_FULL").is_empty()
    })
    .await;
    let (few, _) = kept(&system);
    assert!(few < TICKS, "{few} kept");
    start_postgres(&mut system).await;
    let few = i64::try_from(few).expect("a count");
    system
        .counts("SELECT count(*) FROM market.prices", few)
        .await;
    eventually("an engine lives again", async || {
        stream.log().matches("the engine lives").count() == 2
    })
    .await;
    assert!(!stream.has_ended());
    let doubled: i64 = system
        .one(
            "SELECT count(*) FROM (SELECT FROM market.prices GROUP BY logical_us
                 HAVING count(*) > 1) d",
            &[],
        )
        .await;
    assert_eq!(doubled, 0);
    stream.stop().await;
    system.stop().await;
}

/// The primary is killed with prices moving and an order in flight; the engine goes on on the promoted
/// standby: no price and no order is lost or doubled.
#[tokio::test(flavor = "multi_thread")]
async fn an_engine_goes_on_on_the_promoted_standby() {
    let held = [SYMBOL, OTHER].map(|symbol| Stock {
        symbol,
        close: 100_000,
        held: 100,
    });
    let moving: Vec<String> = (0..5)
        .map(|number| format!("{:06}", 220_010 + 10 * number))
        .collect();
    let quiet = moving.iter().map(|symbol| Stock {
        symbol,
        close: 100_000,
        held: 0,
    });
    let stocks: Vec<Stock<'_>> = held.into_iter().chain(quiet).collect();
    let mut system = System::start_replicated(&stocks, "").await;
    system
        .exit_rules(serde_json::json!({"sl2": {"pnl": -0.05}}))
        .await;
    let mut stream = system.stream("").await;
    let ticker = Ticker::start(&system, &moving, 200);
    tokio::time::sleep(Duration::from_secs(1)).await;
    system
        .post("/faults", serde_json::json!({"delay_ms": 500}))
        .await;
    system.trade(SYMBOL, 94_000).await;
    eventually("an order is in flight", async || {
        system.orders_sent().await == 1
    })
    .await;

    let replicas = system.replicas.as_mut().expect("a standby");
    replicas.kill_primary();
    tokio::time::sleep(Duration::from_secs(2)).await;
    let replicas = system.replicas.as_mut().expect("a standby");
    replicas.promote().await;
    let promoted = Instant::now();
    system
        .post("/faults", serde_json::json!({"clear": true}))
        .await;
    eventually("an engine lives again", async || {
        stream.log().matches("the engine lives").count() == 2
    })
    .await;
    println!(
        "an engine {:.2} s after the promotion",
        promoted.elapsed().as_secs_f64()
    );
    system.reconnect().await;
    system.trade(OTHER, 94_000).await;
    system
        .counts("SELECT count(*) FROM trade.exit_events", 2)
        .await;
    println!(
        "another position sold {:.2} s after the promotion",
        promoted.elapsed().as_secs_f64()
    );
    assert!(!stream.has_ended());
    let told = ticker.stop().await;
    let mut faults = Vec::new();
    let until = Instant::now() + Duration::from_secs(10);
    while Instant::now() < until {
        // The last ones are on their way.
        faults = told.faults(&system, 0, true).await;
        if faults.is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(faults.is_empty(), "{faults:?}\n{}", stream.log());
    println!("{} prices, each stored once", told.count());
    assert_eq!(system.orders_sent().await, 2, "one order for each stop");
    let sold: i64 = system
        .one("SELECT sum(qty)::bigint FROM trade.executions", &[])
        .await;
    assert_eq!(sold, 200);
    stream.stop().await;
    system.stop().await;
}
