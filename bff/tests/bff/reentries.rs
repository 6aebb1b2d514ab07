//! What the operator does to re-entries: limits, windows, blacklist, regime, and ends of candidates.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::world::{World, answer};

const CANDIDATE: &str = "55555555-5555-4555-8555-555555555555";
const ENDED: &str = "66666666-6666-4666-8666-666666666666";

async fn put(world: &World, path: &str, body: &Value) -> (StatusCode, Value) {
    answer(world.http.put(world.url(path)).json(body)).await
}

/// What history keeps, as `KIND key by: reason`, with a mark where a row was removed.
async fn edits(world: &World) -> String {
    let query = "SELECT string_agg(format('%s %s%s by %s: %s', kind, key,
            CASE WHEN content IS NULL THEN ' removed' ELSE '' END, edited_by, reason), ', ' ORDER BY id)
        FROM trade.reentry_edits";
    world.value(query).await.unwrap()
}

fn limits(version: Option<i32>) -> Value {
    json!({
        "entry_regimes": ["RISK_ON", "NEUTRAL"], "positions_max": 10, "exposure_max": 50_000_000,
        "exposure_max_pct": 80, "daily_loss_max": null, "daily_loss_max_pct": 2.5,
        "reason": "carefully", "updated_by": "kim", "version": version,
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_are_changed_from_the_version_that_was_read_and_never_by_leaving_one_out() {
    let world = World::start().await;
    let path = "/api/v1/reentry/limits";
    let first = world.data(path).await;
    assert_eq!(
        (
            &first["positions_max"],
            &first["daily_loss_max_pct"],
            &first["version"]
        ),
        (&json!(15), &json!(3), &json!(1))
    );
    assert_eq!(first["equity"], Value::Null);
    world
        .sql("INSERT INTO trade.account_equity VALUES ('50123456-01', 120000000, now())")
        .await;
    let (status, body) = put(&world, path, &limits(Some(1))).await;
    assert_eq!(status, 200, "{body}");
    let now = &body["data"];
    assert_eq!(
        (
            &now["entry_regimes"],
            &now["exposure_max_pct"],
            &now["daily_loss_max_pct"]
        ),
        (&json!(["RISK_ON", "NEUTRAL"]), &json!(80), &json!(2.5))
    );
    assert_eq!(
        (&now["version"], &now["equity"]),
        (&json!(2), &json!(120_000_000))
    );
    let (status, body) = put(&world, path, &limits(Some(1))).await;
    assert_eq!(
        (status.as_u16(), &body["error"]["details"]),
        (409, &json!({ "version": 2 }))
    );
    let (status, _) = put(&world, path, &limits(None)).await;
    assert_eq!(status, 409, "they are there");
    assert_eq!(edits(&world).await, "LIMITS 1 by kim: carefully");

    let (status, body) = put(&world, path, &json!({ "version": 2 })).await;
    assert_eq!(status, 400);
    for name in [
        "entry_regimes",
        "positions_max",
        "exposure_max",
        "exposure_max_pct",
        "daily_loss_max",
        "daily_loss_max_pct",
        "reason",
        "updated_by",
    ] {
        assert!(body["error"]["fields"][name].is_string(), "{name}: {body}");
    }
    for (name, wrong) in [
        ("entry_regimes", json!([])),
        ("entry_regimes", json!(["CALM"])),
        ("positions_max", json!(-1)),
        ("positions_max", json!(1.5)),
        ("positions_max", json!(2_147_483_648_i64)),
        ("version", json!(2_147_483_648_i64)),
        ("exposure_max", json!(-1)),
        ("exposure_max", json!(900_000_000_000_001_i64)),
        ("exposure_max_pct", json!(0)),
        ("exposure_max_pct", json!(100.1)),
        ("daily_loss_max", json!("5")),
        ("daily_loss_max_pct", json!(0.00001)),
    ] {
        let mut change = limits(Some(2));
        change[name] = wrong;
        let (status, body) = put(&world, path, &change).await;
        assert_eq!(status, 400, "{change}");
        assert!(body["error"]["fields"][name].is_string(), "{name}: {body}");
    }

    world.sql("DELETE FROM trade.reentry_limits").await;
    assert_eq!(world.get(path).await.0, 404);
    assert_eq!(put(&world, path, &limits(Some(2))).await.0, 404);
    let (status, body) = put(&world, path, &limits(None)).await;
    assert_eq!(
        (status.as_u16(), &body["data"]["version"]),
        (200, &json!(1))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn windows_are_added_changed_and_removed_with_who_and_why() {
    let world = World::start().await;
    let path = "/api/v1/reentry/windows";
    let ids = async || {
        let all = world.data(path).await;
        let all = all.as_array().unwrap().iter();
        all.map(|row| row["window_id"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(ids().await, ["closing", "opening"]);
    let lunch = format!("{path}/lunch");
    let change = |until: &str| json!({ "from_time": "12:00", "until_time": until, "reason": "thin", "updated_by": "kim" });
    let (status, body) = put(&world, &lunch, &change("13:00:30")).await;
    assert_eq!(status, 200, "{body}");
    assert_eq!(
        (
            &body["data"]["from_time"],
            &body["data"]["until_time"],
            &body["data"]["is_active"]
        ),
        (&json!("12:00:00"), &json!("13:00:30"), &json!(true))
    );
    assert_eq!(put(&world, &lunch, &change("12:30")).await.0, 200);
    assert_eq!(ids().await, ["closing", "lunch", "opening"]);
    for (until, name) in [
        ("12:00", "until_time"),
        ("noon", "until_time"),
        ("12:00:00.5", "until_time"),
    ] {
        let (status, body) = put(&world, &lunch, &change(until)).await;
        assert_eq!(status, 400, "{until}");
        assert!(body["error"]["fields"][name].is_string(), "{body}");
    }
    let asked = json!({ "asked_by": "lee", "reason": "no more" });
    let (status, body) = world.post(&format!("{lunch}/remove"), &asked).await;
    assert_eq!(
        (status.as_u16(), &body["data"]["until_time"]),
        (200, &json!("12:30:00"))
    );
    assert_eq!(world.post(&format!("{lunch}/remove"), &asked).await.0, 404);
    assert_eq!(ids().await, ["closing", "opening"]);
    assert_eq!(
        edits(&world).await,
        "WINDOW lunch by kim: thin, WINDOW lunch by kim: thin, WINDOW lunch removed by lee: no more"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn symbols_are_blacklisted_for_a_while_and_taken_off_again() {
    let world = World::start().await;
    let path = "/api/v1/reentry/blacklist";
    assert_eq!(world.data(path).await, json!([]));
    let one = format!("{path}/005930");
    let change = json!({ "reason": "whipsaw", "until_ts": "2026-12-01T00:00:00+09:00", "updated_by": "kim" });
    let (status, body) = put(&world, &one, &change).await;
    assert_eq!(status, 200, "{body}");
    assert_eq!(body["data"]["until_ts"], "2026-12-01T00:00:00+09:00");
    assert_eq!(world.data(path).await[0]["symbol"], "005930");
    let (status, body) = put(&world, &one, &json!({ "until_ts": "soon" })).await;
    assert_eq!(status, 400);
    for name in ["reason", "until_ts", "updated_by"] {
        assert!(body["error"]["fields"][name].is_string(), "{name}: {body}");
    }
    assert_eq!(put(&world, &format!("{path}/?"), &change).await.0, 404);
    let asked = json!({ "asked_by": "lee", "reason": "calm" });
    assert_eq!(world.post(&format!("{one}/remove"), &asked).await.0, 200);
    assert_eq!(world.post(&format!("{one}/remove"), &asked).await.0, 404);
    assert_eq!(
        edits(&world).await,
        "BLACKLIST 005930 by kim: whipsaw, BLACKLIST 005930 removed by lee: calm"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operators_regime_is_set_and_lifted_beside_what_producers_say() {
    let world = World::start().await;
    let path = "/api/v1/reentry/regime";
    world
        .sql(
            "INSERT INTO market.regime_snapshots (asof_ts, regime, source)
             VALUES (now(), 'NEUTRAL', 'TEST')",
        )
        .await;
    let change = json!({ "regime": "PANIC", "reason": "news", "updated_by": "kim" });
    let (status, body) = put(&world, path, &change).await;
    assert_eq!(status, 200, "{body}");
    assert_eq!(
        (&body["data"]["regime"], &body["data"]["snapshot"]),
        (&json!("PANIC"), &json!("NEUTRAL"))
    );
    let forgotten = json!({ "reason": "over", "updated_by": "lee" });
    assert_eq!(put(&world, path, &forgotten).await.0, 400);
    let lifted = json!({ "regime": null, "reason": "over", "updated_by": "lee" });
    let (status, body) = put(&world, path, &lifted).await;
    assert_eq!(
        (status.as_u16(), &body["data"]["regime"]),
        (200, &Value::Null)
    );
    assert_eq!(world.data(path).await, body["data"]);
    let wrong = json!({ "regime": null, "until_ts": "2026-12-01T00:00:00Z", "updated_by": "lee" });
    assert_eq!(put(&world, path, &wrong).await.0, 400);
    let wrong = json!({ "regime": "CALM", "updated_by": "lee" });
    assert_eq!(put(&world, path, &wrong).await.0, 400);
    assert_eq!(
        edits(&world).await,
        "REGIME 1 by kim: news, REGIME 1 by lee: over"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_candidate_is_asked_to_expire_once_and_only_while_it_lives() {
    let world = World::start().await;
    let candidate = |id: &str, state: &str| {
        format!(
            "INSERT INTO trade.positions (position_id, account_id, symbol, qty, original_qty,
                 avg_price, entry_ts, status, closed_ts)
             VALUES ('{id}', '50123456-01', '005930', 0, 10, 70000, now(), 'CLOSED', now());
             INSERT INTO trade.exit_events (exit_event_id, position_id, account_id, symbol, exit_ts,
                 exit_qty, exit_avg_price, exit_reason_code, realized_pnl, realized_pnl_pct,
                 original_qty, source)
             VALUES ('{id}', '{id}', '50123456-01', '005930', now(), 10, 66000, 'SL2', -40000, -5.7, 10,
                 'AUTO_EXIT');
             INSERT INTO trade.reentry_candidates (candidate_id, exit_event_id, symbol,
                 origin_position_id, exit_reason_code, exit_ts, exit_price, original_qty, state)
             VALUES ('{id}', '{id}', '005930', '{id}', 'SL2', now(), 66000, 10, '{state}');"
        )
    };
    let rows = format!(
        "INSERT INTO market.stocks (symbol, name, market) VALUES ('005930', 'Samsung', 'KOSPI'); {} {}",
        candidate(CANDIDATE, "WATCH"),
        candidate(ENDED, "BLOCKED")
    );
    world.sql(&rows).await;
    let path = |id: &str| format!("/api/v1/reentry/candidates/{id}/force-expire");
    let asked = json!({ "asked_by": "kim", "reason": "no more" });
    let (status, body) = world.post(&path(CANDIDATE), &asked).await;
    assert_eq!(status, 200, "{body}");
    assert_eq!(
        (&body["data"]["asked_by"], &body["data"]["state"]),
        (&json!("kim"), &json!("WATCH"))
    );
    let other = json!({ "asked_by": "lee" });
    let again = world.post(&path(CANDIDATE), &other).await;
    assert_eq!((again.0.as_u16(), &again.1["data"]), (200, &body["data"]));
    let (status, body) = world.post(&path(ENDED), &asked).await;
    assert_eq!(
        (status.as_u16(), &body["error"]["details"]),
        (409, &json!({ "state": "BLOCKED" }))
    );
    let none = "00000000-0000-4000-8000-000000000000";
    assert_eq!(world.post(&path(none), &asked).await.0, 404);
    assert_eq!(world.post(&path(CANDIDATE), &json!({})).await.0, 400);
}
