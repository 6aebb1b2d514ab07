//! Managed issues and cautions: which of the exchange's listing and the broker counts.

use std::sync::Arc;
use std::time::Duration;

use jiff::civil::{Date, date, time};
use rust_decimal::Decimal;
use serde_json::json;
use tokio::sync::Mutex;
use turnstile_connectors::bars::{BarSource, store};
use turnstile_connectors::jobs::Job;
use turnstile_connectors::masters::{Fundamentals, StockBudget, StockMaster, Symbols};
use turnstile_connectors::recorded::{DailyRow, Designation, Listing};

use crate::broker::Broker;
use crate::rig::Rig;

const DAY: Date = date(2026, 12, 1);
const BUDGET: StockBudget = StockBudget {
    per_day: 100,
    spacing: Duration::ZERO,
};
const FLAGS: &str = "SELECT concat_ws(' ', is_managed, managed_on, is_caution, caution_on,
    caution_source) FROM market.stocks WHERE symbol = '000001'";

/// Imports the bar of a day, with what the department says.
async fn import(rig: &Rig, day: Date, is_managed: Option<bool>, is_caution: Option<bool>) {
    let price = Decimal::from(1_000);
    let row = DailyRow {
        date: day,
        symbol: "000001".parse().unwrap(),
        listing: Some(Listing {
            name: "One".to_owned(),
            market: "KOSDAQ",
            segment: None,
            designation: Designation {
                is_managed,
                is_caution,
            },
        }),
        open: price,
        high: price,
        low: price,
        close: price,
        volume: 1,
        value: price,
        market_cap: None,
        shares: None,
    };
    let client = rig.postgres.client().await.unwrap();
    store(&**client, &[row], BarSource::Import).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_word_for_the_later_day_counts_and_a_department_takes_no_warning_back() {
    let mut rig = Rig::start(DAY.at(15, 45, 0, 0)).await;
    let broker = Broker::default();
    let (client, _folder) = broker.start().await;
    let jobs: Vec<Arc<dyn Job>> = vec![
        Arc::new(Fundamentals {
            postgres: rig.postgres.clone(),
            client: client.clone(),
            budget: BUDGET,
            at: time(15, 40, 0, 0),
        }),
        Arc::new(StockMaster {
            postgres: rig.postgres.clone(),
            client,
            budget: BUDGET,
            symbols: Symbols::All(time(7, 40, 0, 0)),
            turn: Arc::new(Mutex::default()),
        }),
    ];
    let told = |is_managed: &str, warning: &str| {
        json!({"tr_stop_yn": "N", "admn_item_yn": is_managed, "invt_caful_yn": "N",
            "mrkt_warn_cls_code": warning})
    };
    let yesterday = DAY.yesterday().unwrap();
    import(&rig, yesterday, Some(true), Some(false)).await;
    assert_eq!(rig.text(FLAGS).await, "t 2026-11-30 f 2026-11-30 IMPORT");
    import(&rig, yesterday, Some(false), Some(true)).await;
    let listed = "f 2026-11-30 t 2026-11-30 IMPORT";
    assert_eq!(rig.text(FLAGS).await, listed);
    // What is older says nothing, whoever tells it.
    import(&rig, date(2026, 11, 27), Some(true), Some(false)).await;
    assert_eq!(rig.text(FLAGS).await, listed);

    // The broker is asked a day later: it takes the listing's word back, and warns itself.
    broker.stock("000001", told("Y", "02"));
    rig.run(jobs).await;
    rig.until_runs("fundamentals", "2026-12-01 DONE").await;
    rig.until_runs("stocks", "2026-12-01 DONE").await;
    let warned = "t 2026-12-01 t 2026-12-01 KIS_REST";
    assert_eq!(rig.text(FLAGS).await, warned);
    // The listing of that evening knows departments alone.
    import(&rig, DAY, Some(false), Some(false)).await;
    assert_eq!(rig.text(FLAGS).await, "f 2026-12-01 t 2026-12-01 KIS_REST");

    broker.stock("000001", told("N", "00"));
    rig.at(date(2026, 12, 2).at(15, 45, 0, 0));
    let twice = "2026-12-01 DONE, 2026-12-02 DONE";
    rig.until_runs("fundamentals", twice).await;
    rig.until_runs("stocks", twice).await;
    assert_eq!(rig.text(FLAGS).await, "f 2026-12-02 f 2026-12-02 KIS_REST");
    rig.stop().await;
}
