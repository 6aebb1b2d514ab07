//! Figures of companies: whom it asks, when a row is written, whose columns it leaves alone.

use std::sync::Arc;
use std::time::Duration;

use jiff::civil::{Date, date, time};
use serde_json::{Value, json};
use turnstile_connectors::jobs::Job;
use turnstile_connectors::kis::KisClient;
use turnstile_connectors::masters::{Fundamentals, StockBudget};

use crate::broker::Broker;
use crate::rig::Rig;

const DAY: Date = date(2026, 12, 1);
/// 000009 is watched, 000004 an ETF; of the others 000002 is traded more than 000001, and 000003 not.
const LISTED: &str = "INSERT INTO market.stocks (symbol, name, market, instrument_type, sector,
        sector_source) VALUES
    ('000001', 'One', 'KOSPI', 'STOCK', NULL, NULL),
    ('000002', 'Two', 'KOSDAQ', 'STOCK', '화학', 'IMPORT'),
    ('000003', 'Three', 'KOSPI', 'STOCK', NULL, NULL),
    ('000004', 'Four', 'KOSPI', 'ETF', NULL, NULL),
    ('000009', 'Nine', 'KOSPI', 'STOCK', NULL, NULL);
    INSERT INTO strategy.watchlist (symbol) VALUES ('000009');
    INSERT INTO market.daily_bars (symbol, trade_date, open, high, low, close, volume, value, source)
    SELECT symbol, day, 100, 100, 100, 100, 1, value, 'IMPORT'
    FROM (VALUES ('000001', 5, date '2026-11-30'), ('000002', 7, '2026-11-30'),
        ('000004', 9, '2026-11-30'), ('000003', 9, '2026-11-27')) b (symbol, value, day);";
const FIGURES: &str =
    "SELECT string_agg(concat_ws(' ', symbol, report_date, per, pbr, roe, eps, bps,
        source), '; ' ORDER BY symbol, report_date) FROM market.fundamentals";

fn figures(per: &str) -> Value {
    json!({"per": per, "pbr": "1.26", "eps": "15841.00", "bps": "0", "bstp_kor_isnm": "전기·전자",
        "invt_caful_yn": "N", "mrkt_warn_cls_code": "00"})
}

async fn start() -> (Rig, Broker, KisClient, tempfile::TempDir) {
    let rig = Rig::start(DAY.at(15, 45, 0, 0)).await;
    rig.sql(LISTED).await;
    let broker = Broker::default();
    let (client, folder) = broker.start().await;
    for symbol in ["000001", "000002", "000003", "000004", "000009"] {
        broker.stock(symbol, figures("12.07"));
    }
    (rig, broker, client, folder)
}

fn job(rig: &Rig, client: &KisClient, per_day: u32) -> Vec<Arc<dyn Job>> {
    vec![Arc::new(Fundamentals {
        postgres: rig.postgres.clone(),
        client: client.clone(),
        budget: StockBudget {
            per_day,
            spacing: Duration::ZERO,
        },
        at: time(15, 40, 0, 0),
    })]
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_followed_and_traded_most_is_asked_once_a_day_within_the_budget() {
    let (mut rig, broker, client, _folder) = start().await;
    rig.run(job(&rig, &client, 2)).await;
    rig.until_runs("fundamentals", "2026-12-01 DONE").await;
    assert_eq!(broker.asked(), ["000009", "000002"], "two a day, no ETF");
    rig.at(date(2026, 12, 2).at(15, 45, 0, 0));
    rig.until_runs("fundamentals", "2026-12-01 DONE, 2026-12-02 DONE")
        .await;
    assert_eq!(broker.asked(), ["000009", "000001"], "the longest unasked");
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_is_written_where_a_figure_is_another_and_an_imported_sector_stays() {
    let (mut rig, broker, client, _folder) = start().await;
    rig.sql(
        "INSERT INTO market.fundamentals (symbol, report_date, per, pbr, roe, eps, source)
         VALUES ('000001', '2026-11-14', 12.07, 1.26, 0.15, 15841, 'IMPORT')",
    )
    .await;
    broker.stock("000009", json!({"per": "many", "pbr": "1"}));
    let mut warned = figures("-3.5");
    warned["mrkt_warn_cls_code"] = json!("02");
    broker.stock("000002", warned);
    rig.run(job(&rig, &client, 100)).await;
    rig.until_runs("fundamentals", "2026-12-01 DONE").await;
    // Of 000001 nothing is new; of 000009 nothing can be used.
    let imported = "000001 2026-11-14 12.070000 1.260000 0.150000 15841.0000 IMPORT";
    let second = "000002 2026-12-01 -3.500000 1.260000 15841.0000 KIS_REST";
    assert_eq!(rig.text(FIGURES).await, format!("{imported}; {second}"));
    let stocks = "SELECT string_agg(concat_ws(' ', symbol, sector, sector_source, is_caution,
        quoted_on), '; ' ORDER BY symbol) FROM market.stocks WHERE quoted_on IS NOT NULL";
    assert_eq!(
        rig.text(stocks).await,
        "000001 전기·전자 KIS_REST f 2026-12-01; 000002 화학 IMPORT t 2026-12-01; \
         000009 f 2026-12-01"
    );
    // The next day only what has changed; what is not said stays.
    broker.stock("000001", figures("12.08"));
    broker.stock("000002", json!({"per": "-3.5"}));
    rig.at(date(2026, 12, 2).at(15, 45, 0, 0));
    rig.until_runs("fundamentals", "2026-12-01 DONE, 2026-12-02 DONE")
        .await;
    let first = "000001 2026-12-02 12.080000 1.260000 15841.0000 KIS_REST";
    assert_eq!(
        rig.text(FIGURES).await,
        format!("{imported}; {first}; {second}")
    );
    let caution = "SELECT is_caution::text FROM market.stocks WHERE symbol = '000002'";
    assert_eq!(rig.text(caution).await, "true");
    let changed = "SELECT string_agg(fetched || ' ' || changed, ', ' ORDER BY run_id)
        FROM system.job_runs";
    assert_eq!(rig.text(changed).await, "2 2, 2 1");
    rig.stop().await;
}
