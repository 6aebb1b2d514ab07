//! What the account allows: limits, what they are parts of, and who gets the last room.

use serde_json::json;
use turnstile_tests::System;

use super::{SYMBOL, api, begin, has_history, history, stock, stopped_out};

const OTHER: &str = "000660";

async fn set_limits(system: &System, what: &str) {
    let set = format!("UPDATE trade.reentry_limits SET {what}, updated_by = 'test'");
    system.execute(&set, &[]).await;
}

#[tokio::test]
async fn of_two_that_may_buy_at_one_moment_the_second_finds_no_room() {
    let stocks = [stock(SYMBOL, 100), stock(OTHER, 100)];
    let system = begin(&stocks, 1, 9, Some("NEUTRAL")).await;
    set_limits(&system, "positions_max = 1").await;
    let stream = system.stream("[engine]\nworkers = 2\n").await;
    system.mode("reentry", "PAUSE_ENTRY").await;
    for symbol in [SYMBOL, OTHER] {
        system.trade(symbol, 94_900).await;
    }
    let watching = "SELECT count(*) FROM trade.reentry_candidates WHERE state = 'WATCH'";
    system.counts(watching, 2).await;
    for symbol in [SYMBOL, OTHER] {
        system.trade(symbol, 97_000).await;
    }
    let paused = "SELECT count(*) FROM trade.reentry_history WHERE gate = 'CONTROL'";
    system.counts(paused, 2).await;
    system.mode("reentry", "RUNNING").await;
    for symbol in [SYMBOL, OTHER] {
        system.trade(symbol, 97_100).await;
    }
    let entered = "SELECT count(*) FROM trade.reentry_history WHERE status = 'ENTERED'";
    system.counts(entered, 1).await;
    let full = "SELECT count(*) FROM trade.reentry_history
        WHERE gate = 'G3' AND reason = 'as many positions as are allowed'";
    system.counts(full, 1).await;
    let buys = "SELECT count(*) FROM trade.orders WHERE side = 'BUY'";
    assert_eq!(system.one::<i64>(buys, &[]).await, 1);

    // What is bought by hand is under way until it is filled, and then held.
    set_limits(&system, "positions_max = 2").await;
    for symbol in [SYMBOL, OTHER] {
        system.trade(symbol, 97_200).await;
    }
    system.counts(entered, 2).await;
    stream.stop().await;
    system.stop().await;
}

#[tokio::test]
async fn percents_are_of_what_the_broker_says_the_account_is_worth() {
    let system = begin(&[stock(SYMBOL, 100)], 1, 9, Some("NEUTRAL")).await;
    let stream = system.stream("").await;
    let equity = "SELECT count(*) FROM trade.account_equity WHERE equity > 0";
    system.counts(equity, 1).await;
    // Less than what sixty shares cost.
    set_limits(&system, "exposure_max_pct = 0.0001").await;
    stopped_out(&system, "NEUTRAL").await;
    system.trade(SYMBOL, 97_000).await;
    has_history(
        &system,
        &["COOLDOWN/NEUTRAL", "WATCH/NEUTRAL", "BLOCKED/G3/NEUTRAL"],
    )
    .await;
    // The loss of the stop is more than this part; exposure comes first.
    set_limits(
        &system,
        "exposure_max_pct = 100, daily_loss_max_pct = 0.0001",
    )
    .await;
    system.trade(SYMBOL, 97_100).await;
    system
        .counts(
            "SELECT count(*) FROM trade.reentry_history WHERE gate = 'G4'",
            1,
        )
        .await;
    set_limits(&system, "daily_loss_max_pct = 3").await;
    system.trade(SYMBOL, 97_200).await;
    let entered = "SELECT count(*) FROM trade.reentry_history WHERE status = 'ENTERED'";
    system.counts(entered, 1).await;
    stream.stop().await;
    system.stop().await;
}

#[tokio::test]
async fn without_limits_nothing_is_bought_until_the_operator_sets_some() {
    let system = begin(&[stock(SYMBOL, 100)], 1, 9, Some("NEUTRAL")).await;
    let api = api(&system).await;
    let stream = system.stream("").await;
    stopped_out(&system, "NEUTRAL").await;
    system
        .execute("DELETE FROM trade.reentry_limits", &[])
        .await;
    let missing = ["COOLDOWN/NEUTRAL", "WATCH/NEUTRAL", "BLOCKED/G0/NEUTRAL"];
    has_history(&system, &missing).await;
    system.trade(SYMBOL, 97_000).await;
    let limits = json!({
        "entry_regimes": ["NEUTRAL"], "positions_max": 15, "exposure_max": null,
        "exposure_max_pct": null, "daily_loss_max": null, "daily_loss_max_pct": 3,
        "reason": "back again", "updated_by": "kim",
    });
    let (status, body) = api.put("/reentry/limits", &limits).await;
    assert_eq!(status, 200, "{body}");
    system.trade(SYMBOL, 97_100).await;
    let entered = "SELECT count(*) FROM trade.reentry_history WHERE status = 'ENTERED'";
    system.counts(entered, 1).await;
    assert_eq!(history(&system).await[3], "WATCH/NEUTRAL");
    api.stop().await;
    stream.stop().await;
    system.stop().await;
}
