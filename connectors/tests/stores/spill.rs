//! What is kept on disk while PostgreSQL is away, and stored when it is back.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::civil::time;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use turnstile_connectors::execution::{Notice, NoticeEvent, Side};
use turnstile_connectors::postgres::{Overflow, Postgres, PriceRow, PriceSink, PriceSinkConfig};
use turnstile_connectors::spill::{Kept, Restored, Spill, SpillConfig, restore};

use crate::prices::no_cache;
use crate::servers::{PostgresServer, eventually};
use crate::ticks::{START_US, count, flushed, stored, tick};

const SYMBOLS: u64 = 5;

fn spill(home: &TempDir) -> Arc<Spill> {
    let config = SpillConfig {
        folder: home.path().join("spill"),
        ..SpillConfig::default()
    };
    Arc::new(Spill::open(&config).unwrap())
}

fn ticks(numbers: std::ops::Range<u64>) -> Vec<PriceRow> {
    numbers.map(|number| tick(number, SYMBOLS)).collect()
}

fn judged(numbers: std::ops::Range<u64>) -> Vec<Kept> {
    ticks(numbers)
        .into_iter()
        .map(Box::new)
        .map(Kept::Tick)
        .collect()
}

fn unjudged(numbers: std::ops::Range<u64>) -> Vec<Kept> {
    let rows = ticks(numbers).into_iter().map(Box::new);
    rows.map(Kept::Unjudged).collect()
}

fn notice(number: &str) -> Kept {
    Kept::Notice(Notice {
        received_us: START_US,
        number: number.to_owned(),
        original: None,
        symbol: "005930".parse().unwrap(),
        side: Side::Sell,
        order_qty: 10.try_into().unwrap(),
        time: time(9, 0, 0, 0),
        event: NoticeEvent::Accepted,
    })
}

fn files(folder: &Path, end: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .filter(|path| path.extension().is_some_and(|found| found == end))
        .collect()
}

async fn restored(spill: &Spill, postgres: &Postgres) -> Restored {
    let mut restored = Restored::default();
    restore(spill, postgres, &mut restored).await.unwrap();
    restored
}

fn all(numbers: std::ops::Range<u64>) -> Vec<u64> {
    numbers.map(|number| START_US + number).collect()
}

#[tokio::test]
async fn what_is_kept_is_stored_once_across_midnight_however_often_it_is_restored() {
    let server = PostgresServer::start().await;
    let (postgres, client) = (server.connect().await, server.client().await);
    let (home, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let spill_here = spill(&home);
    spill_here.keep(&judged(0..12_000)).unwrap();
    spill_here.keep(&[notice("1"), notice("2")]).unwrap();
    spill_here.keep(&unjudged(12_000..25_000)).unwrap();
    // As after a crash between the last commit and the removal of the file.
    let [file] = &files(spill_here.folder(), "spill")[..] else {
        panic!("one file");
    };
    std::fs::create_dir(other.path().join("spill")).unwrap();
    let copy = other.path().join("spill").join(file.file_name().unwrap());
    std::fs::copy(file, copy).unwrap();

    let found = restored(&spill_here, &postgres).await;
    assert_eq!((found.ticks, found.new_ticks), (25_000, 25_000));
    assert_eq!((found.unjudged, found.damaged), (13_000, 0));
    assert_eq!(found.last_us, START_US + 24_999);
    let numbers = found.notices.iter().map(|notice| notice.number.as_str());
    assert_eq!(numbers.collect::<Vec<_>>(), ["1", "2"]);
    assert_eq!(stored(&client).await, all(0..25_000));
    assert_eq!(spill_here.bytes(), 0);

    let again = restored(&spill(&other), &postgres).await;
    assert_eq!((again.ticks, again.new_ticks), (25_000, 0));
    assert_eq!(stored(&client).await, all(0..25_000));
    let noted = "SELECT count(*) FROM system.engine_events WHERE kind = 'unjudged'
        AND payload->>'through_us' = (SELECT max(logical_us)::text FROM market.prices)";
    assert_eq!(count(&client, noted).await, 1);
}

#[tokio::test]
async fn a_damaged_line_costs_itself_and_a_torn_one_is_none() {
    let server = PostgresServer::start().await;
    let (postgres, client) = (server.connect().await, server.client().await);
    let home = tempfile::tempdir().unwrap();
    let spill = spill(&home);
    spill.keep(&judged(0..10)).unwrap();
    let [file] = &files(spill.folder(), "spill")[..] else {
        panic!("one file");
    };
    let mut text = std::fs::read(file).unwrap();
    // A digit of the fourth tick, and the end of the last one.
    let third = text
        .iter()
        .enumerate()
        .filter(|(_, byte)| **byte == b'\n')
        .nth(2)
        .unwrap()
        .0;
    text[third + 40] ^= 1;
    text.truncate(text.len() - 20);
    std::fs::write(file, &text).unwrap();

    let found = restored(&spill, &postgres).await;
    assert_eq!((found.ticks, found.damaged), (8, 1));
    assert_eq!(stored(&client).await.len(), 8);
    assert_eq!(files(spill.folder(), "spill").len(), 0);
    assert_eq!(files(spill.folder(), "damaged").len(), 1);
    let found = restored(&spill, &postgres).await;
    assert_eq!((found.ticks, found.damaged), (0, 0));
}

#[tokio::test]
async fn what_the_database_refuses_does_not_hold_up_the_rest() {
    let server = PostgresServer::start().await;
    let (postgres, client) = (server.connect().await, server.client().await);
    let home = tempfile::tempdir().unwrap();
    let spill = spill(&home);
    let mut kept = judged(0..10);
    if let Kept::Tick(row) = &mut kept[4] {
        // More digits than the column has.
        row.change_rate = Some("1000000000".parse().unwrap());
    }
    spill.keep(&kept).unwrap();
    let found = restored(&spill, &postgres).await;
    assert_eq!((found.ticks, found.new_ticks), (10, 9));
    let told = "SELECT count(*) FROM system.logs WHERE event = 'tick_refused'";
    assert_eq!(count(&client, told).await, 1);
}

/// The sink gives up a server that stands still, keeps what it has, and nothing is lost or doubled.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sink_that_gives_up_the_database_keeps_what_is_not_stored() {
    let mut server = PostgresServer::start().await;
    let home = tempfile::tempdir().unwrap();
    let (spill, abandon) = (spill(&home), CancellationToken::new());
    let keeper = spill.clone();
    let overflow = Overflow {
        abandon: abandon.clone(),
        keep: Arc::new(move |rows| {
            let kept: Vec<_> = rows.iter().cloned().map(Box::new).map(Kept::Tick).collect();
            keeper.keep(&kept).is_ok()
        }),
    };
    let postgres = server.connect().await;
    let config = PriceSinkConfig::default();
    let started = PriceSink::start(config, &postgres, no_cache(), Some(overflow)).await;
    let (sink, prices) = started.unwrap();
    for row in ticks(0..3_000) {
        assert!(prices.send(row).await);
    }
    flushed(&prices, START_US + 1_000).await;
    server.crash();
    for row in ticks(3_000..6_000) {
        assert!(prices.send(row).await);
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(spill.bytes(), 0, "not before the database is given up");
    abandon.cancel();
    drop(prices);
    sink.join().await;
    assert!(spill.bytes() > 0);

    server.resume().await;
    let client = server.client().await;
    let found = restored(&spill, &server.connect().await).await;
    assert!(found.ticks >= 3_000, "{found:?}");
    eventually("all of it is there", async || {
        stored(&client).await == all(0..6_000)
    })
    .await;
}
