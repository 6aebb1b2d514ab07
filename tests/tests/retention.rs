//! Retention in the running system: old prices leave for archives while new ones come in.

use std::fs;

use nix::sys::signal::Signal;
use serde_json::json;
use turnstile_tests::{Program, Stock, System, eventually};

const SYMBOL: &str = "000100";
const ROWS: i64 = 20_000;
const DAYS: [&str; 3] = ["2025-01-06", "2025-01-07", "2025-01-08"];

/// What trading has written and nobody may touch.
const TRADE: &str = "SELECT md5(concat_ws(',',
        (SELECT string_agg(t::text, ',' ORDER BY position_id) FROM trade.positions t),
        (SELECT string_agg(t::text, ',' ORDER BY position_id) FROM trade.position_state t),
        (SELECT string_agg(t::text, ',' ORDER BY rule_id) FROM trade.exit_rules t),
        (SELECT count(*) FROM trade.orders), (SELECT count(*) FROM trade.order_events),
        (SELECT count(*) FROM trade.executions), (SELECT count(*) FROM trade.exit_events)))";

const ARCHIVES: &str = "SELECT count(*) FROM system.archives";

/// A system in which 100 shares are held since now.
async fn held() -> System {
    let stock = Stock {
        symbol: SYMBOL,
        close: 100_000,
        held: 100,
    };
    let system = System::start(&[stock], "").await;
    let rules = json!({"hard_stop": {"pnl": -0.07}});
    system.exit_rules(rules).await;
    system
}

async fn old_day(system: &System, day: &str) {
    let ensure = "SELECT market.ensure_prices_partition($1::text::date)";
    system.execute(ensure, &[&day]).await;
    let insert = "INSERT INTO market.prices (trade_date, logical_us, symbol, ts, recv_ts, source,
            last_price, volume, session)
        SELECT $1::text::date, trade.micros(at) + n, '000200', at, at, 'KIS_WS', 50000 + n, n, 'REGULAR'
        FROM generate_series(1, $2::bigint) n,
            LATERAL (SELECT ($1 || ' 09:00+09')::timestamptz AS at) t";
    system.execute(insert, &[&day, &ROWS]).await;
}

async fn digest(system: &System, day: &str) -> String {
    let query =
        "SELECT count(*) || ' ' || coalesce(md5(string_agg(p::text, ',' ORDER BY logical_us)), '')
        FROM market.prices p WHERE trade_date = $1::text::date";
    system.one(query, &[&day]).await
}

fn settings(system: &System) -> String {
    let folder = system.folder().join("archive");
    let folder = folder.display();
    format!(
        "[retention]\ndays = 7\nlook = \"50ms\"\nfolder = \"{folder}\"\n[quotes]\nrest = false\n"
    )
}

async fn archive(system: &System, arguments: &[&str]) -> (bool, String) {
    let config = system.config_file(&settings(system));
    let all = [&["--config", &config, "archive"], arguments].concat();
    let log = system.folder().join("archive.log");
    Program::start(&all, &system.environment(), &log)
        .output()
        .await
}

async fn trades(system: &System, prices: &[i64]) {
    let count = "SELECT count(*) FROM market.prices WHERE symbol = '000100'";
    for price in prices {
        let before: i64 = system.one(count, &[]).await;
        system.trade(SYMBOL, *price).await;
        system.counts(count, before + 1).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn old_prices_leave_while_others_come_also_across_a_kill() {
    let system = held().await;
    for day in DAYS {
        old_day(&system, day).await;
    }
    let (before, trade) = (
        digest(&system, DAYS[1]).await,
        system.one::<String>(TRADE, &[]).await,
    );
    let stream = system.stream(&settings(&system)).await;
    system.counts(ARCHIVES, 1).await;
    stream.signal(Signal::SIGKILL);
    assert!(!stream.ended().await, "killed");

    let stream = system.stream(&settings(&system)).await;
    trades(&system, &[100_000, 99_000, 100_500]).await;
    system.counts(ARCHIVES, 3).await;
    for day in DAYS {
        assert_eq!(digest(&system, day).await, "0 ", "{day}");
    }
    trades(&system, &[101_000]).await;
    let (is_ok, output) = archive(&system, &["verify"]).await;
    assert!(
        is_ok && output.contains("all 3 archives are as recorded"),
        "{output}"
    );
    let (is_ok, output) = archive(&system, &["list"]).await;
    assert!(
        is_ok && output.contains("archive.prices_20250107"),
        "{output}"
    );

    // Back it comes, and stays although the job looks again and again.
    let (is_ok, output) = archive(&system, &["restore", DAYS[1]]).await;
    assert!(
        is_ok && output.contains("20000 of them were not there"),
        "{output}"
    );
    let (is_ok, output) = archive(&system, &["restore", DAYS[1], "--keep", "3"]).await;
    assert!(
        is_ok && output.contains("0 of them were not there"),
        "{output}"
    );
    trades(&system, &[100_000, 100_500]).await;
    assert_eq!(digest(&system, DAYS[1]).await, before);
    assert_eq!(system.one::<i64>(ARCHIVES, &[]).await, 3);

    let file = system.folder().join("archive/prices_20250106.csv.gz");
    let mut bytes = fs::read(&file).expect("the archive");
    bytes.truncate(bytes.len() / 2);
    fs::write(&file, bytes).expect("damaged");
    let (is_ok, output) = archive(&system, &["verify"]).await;
    assert!(
        !is_ok && output.contains("1 of 3 archives cannot be relied on"),
        "{output}"
    );
    let (is_ok, output) = archive(&system, &["restore", DAYS[0]]).await;
    assert!(!is_ok && output.contains("breaks after line "), "{output}");
    assert_eq!(system.one::<String>(TRADE, &[]).await, trade);
    stream.stop().await;
    system.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_goes_alarms_once_and_prices_stay() {
    let system = held().await;
    let stream = system.stream(&settings(&system)).await;
    let folder = system.folder().join("archive");
    fs::remove_dir(&folder).expect("it is empty");
    old_day(&system, DAYS[0]).await;
    let failed =
        "SELECT count(*) FROM system.logs WHERE event = 'ARCHIVE_FAILED' AND level = 'CRITICAL'";
    system.counts(failed, 1).await;
    // The job looks twenty times a second.
    trades(&system, &[100_000, 99_900, 99_800, 99_700, 99_600, 99_500]).await;
    assert!(digest(&system, DAYS[0]).await.starts_with("20000 "));
    fs::create_dir(&folder).expect("folder");
    let resumed = "SELECT count(*) FROM system.logs WHERE event = 'ARCHIVE_RESUMED'";
    system.counts(resumed, 1).await;
    system.counts(ARCHIVES, 1).await;
    assert_eq!(system.one::<i64>(failed, &[]).await, 1);
    stream.stop().await;
    system.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_says_which_position_keeps_old_prices() {
    let system = held().await;
    system
        .execute(
            "UPDATE trade.positions SET entry_ts = '2025-01-07 10:00+09'",
            &[],
        )
        .await;
    for day in DAYS {
        old_day(&system, day).await;
    }
    let stream = system.stream(&settings(&system)).await;
    system.counts(ARCHIVES, 1).await;
    eventually("the position in the log", async || {
        stream
            .log()
            .contains("old prices stay attached: they are needed")
    })
    .await;
    let id: String = system
        .one("SELECT position_id::text FROM trade.positions", &[])
        .await;
    let log = stream.log();
    let told = format!("position {id} of {SYMBOL} needs prices since 2025-01-07");
    assert!(log.contains(&told), "{log}");
    assert!(digest(&system, DAYS[1]).await.starts_with("20000 "));
    stream.stop().await;
    system.stop().await;
}
