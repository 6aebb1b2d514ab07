//! Bad input: one clear line that names place and reason, counted, and nothing stops that need not.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;

use serde_json::json;
use turnstile_tests::{Program, Stock, System, eventually};

const SYMBOL: &str = "005930";

fn one_position() -> [Stock<'static>; 1] {
    [Stock {
        symbol: SYMBOL,
        close: 100_000,
        held: 10,
    }]
}

async fn fails(arguments: &[&str], environment: &[(&str, &str)], folder: &Path) -> String {
    let log = folder.join("failing.log");
    let program = Program::start(arguments, environment, &log);
    assert!(!program.ended().await, "it should have failed");
    std::fs::read_to_string(log).unwrap()
}

#[tokio::test]
async fn an_unknown_key_is_named_with_its_file_and_line() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("turnstile.toml");
    std::fs::write(&file, "[prices]\nbatch_rowz = 5\n").unwrap();
    let said = fails(
        &["--config", &file.display().to_string(), "migrate"],
        &[],
        folder.path(),
    )
    .await;
    for part in ["turnstile.toml", "batch_rowz", "line 2"] {
        assert!(said.contains(part), "{part} in {said}");
    }
}

#[tokio::test]
async fn every_fault_of_a_configuration_is_told_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("turnstile.toml");
    std::fs::write(&file, "[engine]\nworkers = 0\n[prices]\nbatch_rows = 0\n").unwrap();
    let said = fails(
        &["--config", &file.display().to_string(), "stream"],
        &[],
        folder.path(),
    )
    .await;
    for key in [
        "engine.workers",
        "prices.batch_rows",
        "postgres.url",
        "kis.environment",
        "kis.account",
    ] {
        assert!(said.contains(key), "{key} in {said}");
    }
}

#[tokio::test]
async fn an_unreachable_database_is_one_line_without_the_password() {
    let folder = tempfile::tempdir().unwrap();
    let url = "postgresql://user:secret@127.0.0.1:1/nowhere";
    let said = fails(&["migrate"], &[("DATABASE_URL", url)], folder.path()).await;
    let lines: Vec<&str> = said.lines().filter(|line| !line.is_empty()).collect();
    assert_eq!(lines.len(), 1, "{said}");
    assert!(
        lines[0].contains("127.0.0.1:1/nowhere") && lines[0].contains("refused"),
        "{said}"
    );
    assert!(!said.contains("secret"), "{said}");
}

#[tokio::test]
async fn a_malformed_frame_is_reported_counted_and_skipped() {
    let system = System::start(&one_position(), "").await;
    system.exit_rules(json!({"sl2": {"pnl": -0.05}})).await;
    let stream = system.stream("metrics_listen = \"127.0.0.1:0\"\n").await;
    system
        .post(
            "/faults",
            json!({"send_raw": "0|H0STCNT0|002|005930^093354^abc"}),
        )
        .await;
    eventually("the frame is reported", async || {
        stream.log().contains("skipped")
    })
    .await;
    // The connection goes on: the next price still sells.
    system.trade(SYMBOL, 94_000).await;
    system
        .counts("SELECT count(*) FROM trade.exit_events", 1)
        .await;
    stream.stop().await;
    system.stop().await;
}

#[tokio::test]
async fn an_unknown_symbol_gets_a_placeholder_and_an_alarm() {
    let stocks = [
        Stock {
            symbol: SYMBOL,
            close: 100_000,
            held: 10,
        },
        Stock {
            symbol: "999999",
            close: 5_000,
            held: 0,
        },
    ];
    let system = System::start(&stocks, "").await;
    system
        .execute("DELETE FROM market.stocks WHERE symbol = '999999'", &[])
        .await;
    let stream = system.stream("").await;
    system.trade("999999", 5_000).await;
    system
        .counts(
            "SELECT count(*) FROM market.prices WHERE symbol = '999999'",
            1,
        )
        .await;
    system
        .counts(
            "SELECT count(*) FROM system.logs WHERE event = 'unknown_symbol' AND symbol = '999999'",
            1,
        )
        .await;
    let market: String = system
        .one(
            "SELECT market FROM market.stocks WHERE symbol = '999999'",
            &[],
        )
        .await;
    assert_eq!(market, "UNKNOWN");
    stream.stop().await;
    system.stop().await;
}

#[tokio::test]
async fn a_rejected_order_is_stored_with_its_code_and_tried_again() {
    let system = System::start(&one_position(), "").await;
    system.exit_rules(json!({"sl2": {"pnl": -0.05}})).await;
    let stream = system.stream("").await;
    system
        .post("/faults", json!({"reject_next": "APBK1943"}))
        .await;
    system.trade(SYMBOL, 94_000).await;
    system.counts("SELECT count(*) FROM trade.order_events WHERE status = 'REJECTED' AND code = 'APBK1943'", 1).await;
    eventually("the second attempt fills", async || {
        system.trade(SYMBOL, 94_000).await;
        system
            .one::<i64>("SELECT count(*) FROM trade.exit_events", &[])
            .await
            == 1
    })
    .await;
    let attempts: Vec<i32> = system
        .query("SELECT attempt FROM trade.orders ORDER BY decided_us", &[])
        .await
        .iter()
        .map(|row| row.get(0))
        .collect();
    assert_eq!(attempts, [1, 2]);
    stream.stop().await;
    system.stop().await;
}

#[tokio::test]
async fn a_malformed_rule_keeps_the_one_before_in_force() {
    let system = System::start(&one_position(), "").await;
    system.exit_rules(json!({"sl2": {"pnl": -0.05}})).await;
    let stream = system.stream("").await;
    system.exit_rules(json!({"sl2": {"pnl": 0.05}})).await;
    system.counts("SELECT count(*) FROM system.logs WHERE event = 'row_not_readable' AND message LIKE '%sl2.pnl%'", 1).await;
    system.trade(SYMBOL, 94_000).await;
    system
        .counts("SELECT count(*) FROM trade.exit_events", 1)
        .await;
    stream.stop().await;
    system.stop().await;
}
