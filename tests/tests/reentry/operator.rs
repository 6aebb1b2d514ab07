//! What the operator asks by the API, in the running engine.

use super::{SYMBOL, api, begin, stock, stopped_out};
use serde_json::json;

#[tokio::test]
async fn a_window_holds_entries_and_its_removal_lets_them_go_on() {
    let system = begin(&[stock(SYMBOL, 100)], 1, 9, Some("NEUTRAL")).await;
    let api = api(&system).await;
    let stream = system.stream("").await;
    stopped_out(&system, "NEUTRAL").await;
    let all_day = json!({
        "from_time": "00:00", "until_time": "23:59:59", "reason": "drill", "updated_by": "kim",
    });
    let (status, body) = api.put("/reentry/windows/drill", &all_day).await;
    assert_eq!(status, 200, "{body}");
    let told = "SELECT count(*) FROM system.engine_events WHERE payload::text LIKE '%drill%'";
    system.counts(told, 1).await;
    system.trade(SYMBOL, 97_000).await;
    let held = "SELECT count(*) FROM trade.reentry_history
        WHERE gate = 'CONTROL' AND reason = 'entries pause from 00:00:00 to 23:59:59'";
    system.counts(held, 1).await;
    let asked = json!({ "asked_by": "kim", "reason": "over" });
    let (status, body) = api.post("/reentry/windows/drill/remove", &asked).await;
    assert_eq!(status, 200, "{body}");
    system.trade(SYMBOL, 97_100).await;
    let entered = "SELECT count(*) FROM trade.reentry_history WHERE status = 'ENTERED'";
    system.counts(entered, 1).await;
    api.stop().await;
    stream.stop().await;
    system.stop().await;
}

#[tokio::test]
async fn a_candidate_that_is_asked_to_expire_does_and_a_blacklisted_symbol_makes_none() {
    let other = "000660";
    let stocks = [stock(SYMBOL, 100), stock(other, 100)];
    let system = begin(&stocks, 1, 9, Some("NEUTRAL")).await;
    let api = api(&system).await;
    let stream = system.stream("").await;
    stopped_out(&system, "NEUTRAL").await;
    let (_status, body) = api.get("/reentry/candidates").await;
    let id = body["data"][0]["candidate_id"].as_str().expect("an id");
    let asked = json!({ "asked_by": "kim", "reason": "no more of it" });
    let path = format!("/reentry/candidates/{id}/force-expire");
    let (status, body) = api.post(&path, &asked).await;
    assert_eq!((status, &body["data"]["asked_by"]), (200, &json!("kim")));
    let expired = "SELECT count(*) FROM trade.reentry_history
        WHERE status = 'EXPIRED' AND reason = 'asked by kim'";
    system.counts(expired, 1).await;
    // The same request again finds the first, and how it came out.
    let (status, body) = api.post(&path, &asked).await;
    assert_eq!((status, &body["data"]["state"]), (200, &json!("EXPIRED")));

    let row = json!({ "reason": "whipsaw", "updated_by": "kim" });
    let (status, body) = api.put(&format!("/reentry/blacklist/{other}"), &row).await;
    assert_eq!(status, 200, "{body}");
    let told = "SELECT count(*) FROM system.engine_events WHERE payload::text LIKE '%whipsaw%'";
    system.counts(told, 1).await;
    system.trade(other, 94_900).await;
    let blocked = "SELECT count(*) FROM trade.reentry_history
        WHERE gate = 'G2' AND reason = 'the symbol is blacklisted'";
    system.counts(blocked, 1).await;
    let edits = "SELECT count(*) FROM trade.reentry_edits WHERE edited_by = 'kim'";
    system.counts(edits, 1).await;
    api.stop().await;
    stream.stop().await;
    system.stop().await;
}
