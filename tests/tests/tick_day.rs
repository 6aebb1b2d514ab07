//! A recorded day at full speed through the running system: each of its ticks is in the database once
//! and in order, although the stream job is killed in the middle and the exchange sends what was on
//! its way again.

use std::fmt::Write as _;
use std::io::Read;
use std::path::Path;

use nix::sys::signal::Signal;
use rust_decimal::Decimal;
use serde_json::json;
use tokio::time::Instant;
use turnstile_tests::{Stock, System, data, eventually};

const STORED: &str = "SELECT count(*) FROM market.prices";
const SESSIONS: &str = "SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'";

/// One line of the file, and what the database must hold of it.
struct Line {
    text: String,
    symbol: String,
    price: Decimal,
    volume: i64,
}

fn read(file: &Path) -> Vec<Line> {
    let mut text = String::new();
    flate2::read::MultiGzDecoder::new(std::fs::File::open(file).expect("file"))
        .read_to_string(&mut text)
        .expect("text");
    let line = |text: &str| {
        let fields: Vec<&str> = text.split(',').collect();
        Line {
            text: text.to_owned(),
            symbol: fields[1].to_owned(),
            price: fields[2].parse().expect("price"),
            volume: fields[3].parse().expect("volume"),
        }
    };
    text.lines().skip(1).map(line).collect()
}

fn write(file: &Path, lines: &[Line]) {
    let mut text = "ts,symbol,price,volume\n".to_owned();
    for line in lines {
        writeln!(text, "{}", line.text).expect("text");
    }
    std::fs::write(file, text).expect("written");
}

/// Says that the database holds `lines`, no more, in their order.
async fn assert_stored(system: &System, lines: &[Line]) {
    let rows = system
        .query(
            "SELECT symbol, last_price, volume, logical_us FROM market.prices ORDER BY logical_us",
            &[],
        )
        .await;
    assert_eq!(rows.len(), lines.len());
    for (at, (row, line)) in rows.iter().zip(lines).enumerate() {
        let found: (&str, Decimal, i64) = (row.get(0), row.get(1), row.get(2));
        let sent = (line.symbol.as_str(), line.price, line.volume);
        assert_eq!(found, sent, "tick {at}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_at_full_speed_is_stored_once_and_in_order_across_a_kill() {
    let Some(file) = data("ticks-2013-10-07.csv.gz") else {
        return;
    };
    let lines = read(&file);
    assert_eq!(lines.len(), 388_417);
    let mut symbols: Vec<&str> = lines.iter().map(|line| line.symbol.as_str()).collect();
    symbols.sort_unstable();
    symbols.dedup();
    let stocks: Vec<Stock<'_>> = symbols
        .iter()
        .map(|symbol| Stock {
            symbol,
            close: 100,
            held: 0,
        })
        .collect();
    let folder = tempfile::tempdir().expect("folder");
    let ticks = folder.path().join("ticks.csv");
    write(&ticks, &lines);
    let path = format!(
        "paused = true\n[path]\nkind = \"ticks\"\nfile = \"{}\"\nspeed = 0\n",
        ticks.display()
    );
    let mut system = System::start(&stocks, &path).await;

    let stream = system.stream("[quotes]\nrest = false\n").await;
    let began = Instant::now();
    system.post("/resume", json!({})).await;
    let some = i64::try_from(lines.len() * 2 / 5).expect("a count");
    system.counts(STORED, some).await;
    stream.signal(Signal::SIGKILL);
    assert!(!stream.ended().await, "killed");
    // What the dead process had sent to PostgreSQL is committed or gone.
    eventually("its sessions end", async || {
        system.one::<i64>(SESSIONS, &[]).await == 0
    })
    .await;
    let stored: i64 = system.one(STORED, &[]).await;
    let stored = usize::try_from(stored).expect("a count");
    assert!(stored < lines.len(), "killed in the middle");
    let first = began.elapsed();
    assert_stored(&system, &lines[..stored]).await;

    // The exchange sends again from the first tick that is not there.
    write(&ticks, &lines[stored..]);
    system.restart_simulator().await;
    let stream = system.stream("[quotes]\nrest = false\n").await;
    let began = Instant::now();
    system.post("/resume", json!({})).await;
    let all = i64::try_from(lines.len()).expect("a count");
    system.counts(STORED, all).await;
    let took = first + began.elapsed();
    assert_stored(&system, &lines).await;
    println!(
        "{all} ticks in {:.1} s, killed after {stored}",
        took.as_secs_f64()
    );
    stream.stop().await;
    let progress = "SELECT max(logical_us) = (SELECT durable_us FROM system.sink_progress
        WHERE sink = 'prices') FROM market.prices";
    assert!(system.one::<bool>(progress, &[]).await);
    system.stop().await;
}
