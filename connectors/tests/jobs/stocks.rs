//! The stock master: order, budget, restart, partial answers.

use std::sync::Arc;
use std::time::Duration;

use jiff::civil::{Date, date, time};
use serde_json::{Value, json};
use tokio::sync::Mutex;
use turnstile_connectors::jobs::Job;
use turnstile_connectors::kis::KisClient;
use turnstile_connectors::masters::{StockBudget, StockMaster, Symbols};

use crate::broker::Broker;
use crate::rig::Rig;

const DAY: Date = date(2026, 12, 1);
const LISTED: &str = "INSERT INTO market.stocks (symbol, name, market, instrument_type) VALUES
    ('000001', '000001', 'UNKNOWN', 'UNKNOWN'), ('000002', 'Two', 'KOSDAQ', 'STOCK'),
    ('000003', 'Three', 'KOSPI', 'STOCK'), ('000009', 'Nine', 'KOSPI', 'STOCK');
    INSERT INTO strategy.watchlist (symbol) VALUES ('000009');";

fn listed() -> Value {
    json!({"tr_stop_yn": "N", "admn_item_yn": "N", "cptt_trad_tr_psbl_yn": "Y",
        "nxt_tr_stop_yn": "N", "mket_id_cd": "KSQ", "scty_grp_id_cd": "ST",
        "prdt_abrv_name": "Told", "lstg_stqt": "1000"})
}

async fn start() -> (Rig, Broker, KisClient, tempfile::TempDir) {
    let rig = Rig::start(DAY.at(7, 50, 0, 0)).await;
    rig.sql(LISTED).await;
    let broker = Broker::default();
    let (client, folder) = broker.start().await;
    for symbol in ["000001", "000002", "000003", "000009"] {
        broker.stock(symbol, listed());
    }
    (rig, broker, client, folder)
}

fn jobs(rig: &Rig, client: &KisClient, per_day: u32) -> Vec<Arc<dyn Job>> {
    let turn = Arc::new(Mutex::default());
    let budget = StockBudget {
        per_day,
        spacing: Duration::ZERO,
    };
    [
        Symbols::All(time(7, 40, 0, 0)),
        Symbols::Followed(Duration::from_secs(60)),
    ]
    .map(|symbols| -> Arc<dyn Job> {
        Arc::new(StockMaster {
            postgres: rig.postgres.clone(),
            client: client.clone(),
            budget,
            symbols,
            turn: turn.clone(),
        })
    })
    .into()
}

const ROWS: &str = "SELECT string_agg(concat_ws(' ', symbol, name, market, instrument_type, status,
        is_tradable, is_managed, is_nxt_tradable, listed_shares), '; ' ORDER BY symbol)
    FROM market.stocks WHERE symbol < '000003'";

#[tokio::test(flavor = "multi_thread")]
async fn followed_stocks_come_first_and_the_rest_within_the_budget_over_days() {
    let (mut rig, broker, client, _folder) = start().await;
    rig.run(jobs(&rig, &client, 2)).await;
    rig.until_runs("stocks", "2026-12-01 DONE").await;
    assert_eq!(broker.asked(), ["000009", "000001"], "two a day");
    // The next day the one that was not asked for longest; a followed one costs the others their place.
    rig.at(date(2026, 12, 2).at(7, 50, 0, 0));
    rig.until_runs("stocks", "2026-12-01 DONE, 2026-12-02 DONE")
        .await;
    assert_eq!(broker.asked(), ["000009", "000002"]);
    assert_eq!(
        rig.text(ROWS).await,
        "000001 Told KOSDAQ STOCK ACTIVE t f t 1000; 000002 Two KOSDAQ STOCK ACTIVE t f t 1000"
    );
    assert_eq!(
        rig.text("SELECT count(*)::text FROM system.logs").await,
        "0"
    );
    // In session what comes to be followed is asked beside the budget, and nothing twice.
    rig.sql("INSERT INTO strategy.watchlist (symbol) VALUES ('000003')")
        .await;
    rig.at(date(2026, 12, 2).at(10, 0, 30, 0));
    rig.until_runs("stocks followed", "2026-12-02 10:00:00 DONE")
        .await;
    rig.run(jobs(&rig, &client, 2)).await;
    rig.at(date(2026, 12, 2).at(10, 5, 0, 0));
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert_eq!(broker.asked(), ["000003"]);
    assert_eq!(
        rig.runs("stocks followed").await,
        "2026-12-02 10:00:00 DONE"
    );
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_run_goes_on_where_it_was_and_nothing_is_asked_twice() {
    let (mut rig, broker, client, _folder) = start().await;
    broker.refuse(Some("EGW00002"));
    rig.run(jobs(&rig, &client, 100)).await;
    let failed = "2026-12-01 FAILED";
    let deadline = tokio::time::Instant::now() + Duration::from_secs(60);
    while !rig.runs("stocks").await.starts_with(failed) {
        assert!(tokio::time::Instant::now() < deadline);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    rig.stop().await;
    let untouched = "SELECT count(*)::text FROM market.stocks WHERE checked_on IS NULL AND
        status = 'ACTIVE' AND is_nxt_tradable IS NULL";
    assert_eq!(rig.text(untouched).await, "4", "a failure changes nothing");
    rig.sql(
        "UPDATE market.stocks SET checked_on = '2026-12-01' WHERE symbol IN ('000009', '000001')",
    )
    .await;
    broker.refuse(None);
    broker.asked();
    rig.run(jobs(&rig, &client, 100)).await;
    let deadline = tokio::time::Instant::now() + Duration::from_secs(60);
    while !rig.runs("stocks").await.ends_with("DONE") {
        assert!(tokio::time::Instant::now() < deadline);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(broker.asked(), ["000002", "000003"]);
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partial_refused_or_unusable_answer_clears_nothing() {
    let (mut rig, broker, client, _folder) = start().await;
    rig.sql(
        "INSERT INTO trade.positions (position_id, account_id, symbol, qty, original_qty, avg_price,
             entry_ts)
         VALUES (gen_random_uuid(), '50123456-01', '000002', 1, 1, 1000, now())",
    )
    .await;
    let mut suspended = listed();
    suspended["tr_stop_yn"] = json!("Y");
    broker.stock("000002", suspended);
    rig.run(jobs(&rig, &client, 100)).await;
    rig.until_runs("stocks", "2026-12-01 DONE").await;
    let row =
        "SELECT concat_ws(' ', status, is_tradable, is_managed, is_nxt_tradable, listed_shares)
        FROM market.stocks WHERE symbol = '000002'";
    assert_eq!(rig.text(row).await, "SUSPENDED f f t 1000");
    let told = "SELECT string_agg(level || ' ' || event || ' ' || message, '; ' ORDER BY id)
        FROM system.logs";
    let expected = "WARNING STOCK_CHANGED 000002: ACTIVE to SUSPENDED";
    assert_eq!(rig.text(told).await, expected);
    let updated = "SELECT updated_ts::text FROM market.stocks WHERE symbol = '000002'";
    let since = rig.text(updated).await;

    broker.stock("000002", json!({"cptt_trad_tr_psbl_yn": "Y"}));
    broker.stock("000001", json!({"prdt_abrv_name": "no flags"}));
    broker.stock("000003", json!({"pdno": "000000000777", "tr_stop_yn": "Y"}));
    rig.at(date(2026, 12, 2).at(7, 50, 0, 0));
    rig.until_runs("stocks", "2026-12-01 DONE, 2026-12-02 DONE")
        .await;
    assert_eq!(rig.text(row).await, "SUSPENDED f f t 1000");
    assert_eq!(
        rig.text(updated).await,
        since,
        "not written without a change"
    );
    assert_eq!(rig.text(told).await, expected);
    let others = "SELECT string_agg(concat_ws(' ', symbol, status, is_tradable, checked_on), '; '
        ORDER BY symbol) FROM market.stocks WHERE symbol IN ('000001', '000003')";
    assert_eq!(
        rig.text(others).await,
        "000001 ACTIVE t 2026-12-02; 000003 ACTIVE t 2026-12-02"
    );

    // A held stock whose listing has ended matters most.
    let mut gone = listed();
    gone["scts_mket_lstg_dt"] = json!("20000104");
    gone["scts_mket_lstg_abol_dt"] = json!("20261203");
    broker.stock("000002", gone);
    rig.at(date(2026, 12, 3).at(7, 50, 0, 0));
    rig.until_runs(
        "stocks",
        "2026-12-01 DONE, 2026-12-02 DONE, 2026-12-03 DONE",
    )
    .await;
    assert_eq!(rig.text(row).await, "DELISTED f f t 1000");
    let critical = "SELECT message FROM system.logs WHERE level = 'CRITICAL'";
    assert_eq!(
        rig.text(critical).await,
        "000002: SUSPENDED to DELISTED, the listing ends on 2026-12-03"
    );
    rig.stop().await;
}

/// An absent broker is no answer, however few are asked; three bad listings are no absent broker.
#[tokio::test(flavor = "multi_thread")]
async fn one_without_an_answer_is_asked_again_and_bad_ones_hold_up_nobody() {
    let (mut rig, broker, client, _folder) = start().await;
    for symbol in ["000001", "000002", "000003"] {
        broker.stock(symbol, json!({"prdt_abrv_name": "no flags"}));
    }
    rig.run(jobs(&rig, &client, 100)).await;
    rig.until_runs("stocks", "2026-12-01 DONE").await;
    rig.sql(
        "UPDATE market.stocks SET checked_on = NULL WHERE symbol = '000001';
         INSERT INTO strategy.watchlist (symbol) VALUES ('000001')",
    )
    .await;
    broker.refuse(Some("EGW00002"));
    rig.at(DAY.at(10, 0, 30, 0));
    let failed = "SELECT count(*)::text FROM system.job_runs
        WHERE job = 'stocks followed' AND status = 'FAILED'";
    let deadline = tokio::time::Instant::now() + Duration::from_secs(60);
    while rig.text(failed).await == "0" {
        assert!(tokio::time::Instant::now() < deadline);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    broker.refuse(None);
    let asked = "SELECT count(*)::text FROM market.stocks WHERE checked_on = '2026-12-01'";
    while rig.text(asked).await != "4" {
        assert!(tokio::time::Instant::now() < deadline);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    rig.stop().await;
}
