//! What the operator asks by the API: an alarm at a price, and other limits.

use std::time::Duration;

use serde_json::json;
use turnstile_tests::{Api, Stock, System, Webhook, eventually};

use crate::rig::{a_while, episodes, monitoring, until};

const SYMBOL: &str = "005930";
const OTHER: &str = "000660";

async fn market() -> (System, Webhook) {
    let stock = |symbol| Stock {
        symbol,
        close: 100_000,
        held: 0,
    };
    let system = System::start(&[stock(SYMBOL), stock(OTHER)], "").await;
    (system, Webhook::start().await)
}

/// A symbol that nobody has followed is put on the watchlist with a price to wait for: the engine
/// subscribes to it, the alarm stands from the exact price on, and ends when the price is back.
#[tokio::test(flavor = "multi_thread")]
async fn a_price_that_is_waited_for_raises_an_alarm_and_clears_it() {
    let (system, webhook) = market().await;
    let gone = "DELETE FROM strategy.watchlist WHERE symbol = $1";
    assert_eq!(system.execute(gone, &[&SYMBOL]).await, 1);
    let stream = system.stream(&monitoring(&webhook, "")).await;
    let (bff, url) = system.bff().await;
    let api = Api::new(bff, url);
    let wish = json!({ "symbol": SYMBOL, "category": "candidate", "alert_price": 101_000,
        "alert_condition": "ABOVE", "updated_by": "kim" });
    let (status, body) = api.post("/watchlist", &wish).await;
    assert_eq!(status, 200, "{body}");
    system.registered(1).await;

    let alarm = "watch_price";
    let trade = async |won: i64| {
        system.trade(SYMBOL, won).await;
        a_while().await;
    };
    // One step of the tick grid short of it.
    let best = "SELECT count(*) FROM market.best_prices WHERE symbol = '005930' AND price = 100900";
    eventually("the price is there", async || {
        trade(100_900).await;
        system.one::<i64>(best, &[]).await == 1
    })
    .await;
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    assert_eq!(episodes(&system, alarm).await, (0, 0));
    let course = ["RAISED WARNING", "CLEARED WARNING"];
    until(&webhook, alarm, &course[..1], async || trade(101_000).await).await;
    let told = webhook.wait(alarm, &course[..1]).await;
    assert_eq!(
        (told.about.as_deref(), told.text.as_str()),
        (Some(SYMBOL), "the price 101000 is at or above 101000")
    );
    until(&webhook, alarm, &course, async || trade(100_900).await).await;
    assert_eq!(webhook.about(alarm).len(), 2);

    // The other way round: what is below already, until nobody waits for it any more.
    let change = json!({ "alert_price": 100_900, "alert_condition": "BELOW", "version": 1,
        "updated_by": "kim" });
    let path = format!("/watchlist/candidate/{SYMBOL}");
    let (status, body) = api.put(&path, &change).await;
    assert_eq!(status, 200, "{body}");
    eventually("it stands again", async || {
        trade(100_900).await;
        episodes(&system, alarm).await == (2, 1)
    })
    .await;
    let removal = json!({ "asked_by": "kim" });
    let (status, body) = api.post(&format!("{path}/remove"), &removal).await;
    assert_eq!(status, 200, "{body}");
    eventually("it is over", async || {
        episodes(&system, alarm).await == (2, 0)
    })
    .await;
    // The other symbol, and the execution notice.
    eventually("nobody follows it", async || {
        system.registrations().await == 2
    })
    .await;
    api.stop().await;
    stream.stop().await;
    system.stop().await;
}

/// One engine is one too many where the limit says so.
#[tokio::test(flavor = "multi_thread")]
async fn a_limit_that_is_set_by_the_api_counts_at_once_and_put_back_no_more() {
    let (system, webhook) = market().await;
    let stream = system.stream(&monitoring(&webhook, "")).await;
    let (bff, url) = system.bff().await;
    let api = Api::new(bff, url);
    let set = async |critical: i64, version: i64| {
        let change = json!({ "value": { "critical": critical }, "version": version, "reason": "a drill",
            "updated_by": "kim" });
        let (status, body) = api.put("/config/alarms.duplicate_engine", &change).await;
        assert_eq!(status, 200, "{body}");
    };
    let alarm = "duplicate_engine";
    let course = ["RAISED CRITICAL", "CLEARED CRITICAL"];
    system
        .counts("SELECT count(*) FROM system.engine_beats", 1)
        .await;
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    assert_eq!(episodes(&system, alarm).await, (0, 0));
    set(0, 0).await;
    until(&webhook, alarm, &course[..1], a_while).await;
    let told = webhook.wait(alarm, &course[..1]).await;
    assert_eq!(told.text, "engines that are active is 1, above 0");
    set(1, 1).await;
    until(&webhook, alarm, &course, a_while).await;
    // A row that says nothing leaves the limit of the table in force.
    set(0, 2).await;
    eventually("it stands again", async || {
        episodes(&system, alarm).await == (2, 1)
    })
    .await;
    let faulty = "UPDATE system.config SET value = '{\"critical\": \"0\"}', version = version + 1
        WHERE key = 'alarms.duplicate_engine'";
    system.execute(faulty, &[]).await;
    eventually("it is over", async || {
        episodes(&system, alarm).await == (2, 0)
    })
    .await;
    api.stop().await;
    stream.stop().await;
    system.stop().await;
}
