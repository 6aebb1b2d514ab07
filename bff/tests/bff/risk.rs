//! Risk: limits, the emergency stop, reports and refusals.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::world::{World, answer};

const LIMITS: &str = "/api/v1/risk/limits";
const STOP: &str = "/api/v1/risk/emergency-stop";

async fn put(world: &World, path: &str, body: &Value) -> (StatusCode, Value) {
    answer(world.http.put(world.url(path)).json(body)).await
}

/// What history keeps after the migration, as `KIND OP by: reason`.
async fn edits(world: &World) -> String {
    let query = "SELECT string_agg(format('%s %s by %s: %s', kind, op, edited_by, reason), ', ' ORDER BY id)
        FROM system.risk_edits WHERE edited_by <> 'migration'";
    world.value(query).await.unwrap_or_default()
}

fn limits(profile: &str, version: i32) -> Value {
    json!({
        "profile": profile, "positions_max": 8, "single_max_pct": 7.5, "sector_max_pct": 25,
        "market_max_pct": 100, "daily_loss_max_pct": 1, "total_loss_max_pct": 4,
        "reason": "thin market", "updated_by": "kim", "version": version,
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_of_a_profile_are_set_from_the_version_that_was_read() {
    let world = World::start().await;
    let first = world.data(LIMITS).await;
    let of = |name: &str| first["limits"][name].clone();
    assert_eq!(
        (&first["profile"], &first["version"]),
        (&json!("DEFAULT"), &json!(1))
    );
    let defaults = [
        ("positions_max", 15),
        ("single_max_pct", 15),
        ("sector_max_pct", 40),
        ("market_max_pct", 100),
        ("daily_loss_max_pct", 3),
        ("total_loss_max_pct", 10),
    ];
    for (name, value) in defaults {
        assert_eq!(of(name), json!(value), "{name}");
    }

    let (status, body) = put(&world, LIMITS, &limits("CONSERVATIVE", 1)).await;
    assert_eq!(status, 200, "{body}");
    let now = &body["data"];
    assert_eq!(
        (
            &now["profile"],
            &now["version"],
            &now["limits"]["single_max_pct"]
        ),
        (&json!("CONSERVATIVE"), &json!(2), &json!(7.5))
    );
    let history = "PROFILE UPDATE by kim: thin market, LIMITS UPDATE by kim: thin market, \
        LIMITS INSERT by kim: thin market";
    assert_eq!(edits(&world).await, history);
    let (status, body) = put(&world, LIMITS, &limits("DEFAULT", 1)).await;
    assert_eq!(
        (status.as_u16(), &body["error"]["details"]),
        (409, &json!({ "version": 2 }))
    );
    assert_eq!(edits(&world).await, history);
    // Limits of one profile never overlap, and one that is left out is a fault.
    let (status, body) = put(&world, LIMITS, &limits("CONSERVATIVE", 2)).await;
    assert_eq!(status, 200, "{body}");
    let (status, body) = put(&world, LIMITS, &json!({ "version": 3 })).await;
    assert_eq!(status, 400);
    for name in [
        "profile",
        "positions_max",
        "single_max_pct",
        "sector_max_pct",
        "market_max_pct",
        "daily_loss_max_pct",
        "total_loss_max_pct",
        "reason",
        "updated_by",
    ] {
        assert!(!body["error"]["fields"][name].is_null(), "{name}: {body}");
    }
    for (name, value) in [
        ("positions_max", json!(2_147_483_648_i64)),
        ("version", json!(2_147_483_648_i64)),
        ("single_max_pct", json!(0)),
        ("single_max_pct", json!(100.1)),
        ("single_max_pct", json!("15")),
        ("single_max_pct", json!(1.00001)),
        ("positions_max", json!(-1)),
        ("active_to", json!("2020-01-01T00:00:00+09:00")),
    ] {
        let mut change = limits("DEFAULT", 3);
        change[name] = value.clone();
        let (status, body) = put(&world, LIMITS, &change).await;
        assert_eq!(status, 400, "{name} {value}: {body}");
        assert!(!body["error"]["fields"][name].is_null(), "{body}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_profile_without_limits_says_so() {
    let world = World::start().await;
    world
        .sql("UPDATE system.risk_limits SET active_to = now() WHERE profile = 'DEFAULT'")
        .await;
    assert_eq!(world.data(LIMITS).await["limits"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_needs_a_reason_and_only_its_end_a_version() {
    let world = World::start().await;
    assert_eq!(world.data(STOP).await["is_enabled"], false);
    let stop = json!({ "is_enabled": true, "reason": "news", "updated_by": "kim" });
    let (status, body) = put(&world, STOP, &stop).await;
    assert_eq!(status, 200, "{body}");
    assert_eq!(
        (&body["data"]["is_enabled"], &body["data"]["version"]),
        (&json!(true), &json!(2))
    );
    let lift = |version: Option<i32>| json!({ "is_enabled": false, "reason": "calm", "updated_by": "lee", "version": version });
    let (status, body) = put(&world, STOP, &lift(None)).await;
    assert_eq!(status, 400, "{body}");
    let (status, body) = put(&world, STOP, &lift(Some(1))).await;
    assert_eq!(
        (status.as_u16(), &body["error"]["details"]),
        (409, &json!({ "version": 2 }))
    );
    let (status, body) = put(&world, STOP, &lift(Some(2))).await;
    assert_eq!(status, 200, "{body}");
    assert_eq!(world.data(STOP).await["is_enabled"], false);
    let history = "STOP UPDATE by kim: news, STOP UPDATE by lee: calm";
    assert_eq!(edits(&world).await, history);
    let (status, body) = put(&world, STOP, &json!({})).await;
    assert_eq!(status, 400);
    for name in ["is_enabled", "reason", "updated_by"] {
        assert!(!body["error"]["fields"][name].is_null(), "{name}: {body}");
    }
    // A stop can be set although its row is gone.
    world.sql("DELETE FROM system.emergency_stop").await;
    assert_eq!(world.get(STOP).await.0, 404);
    let (status, body) = put(&world, STOP, &stop).await;
    assert_eq!(status, 200, "{body}");
}

#[tokio::test(flavor = "multi_thread")]
async fn reports_and_refusals_are_shown() {
    let world = World::start().await;
    assert_eq!(world.get("/api/v1/risk/report").await.0, 404);
    world
        .sql(
            r#"INSERT INTO system.risk_reports (level, is_stopped, positions, equity, largest_symbol,
                 largest_weight, sector_weights, market_weights, day_result, month_result, usages,
                 highest_usage, daily_buffer_pct, unrealized_result, total_result, total_result_pct)
             VALUES ('ORANGE', false, 3, 120000000, '005930', 13.5, '{"Chips": 20.25}', '{"KOSPI": 20.25}',
                 -500000, 0, '{"SINGLE_WEIGHT": 90}', 90, 86.12, -1200000, -1200000, -1);
             WITH judged AS (INSERT INTO system.risk_checks (judged_us, action_key, symbol, intent_type,
                 qty, price, is_approved, results)
                 VALUES (1, 'MANUAL:1', '005930', 'ENTRY', 10, 70000, false,
                     '[{"check": "EMERGENCY_STOP", "passed": true}]') RETURNING id)
             INSERT INTO system.risk_violations (check_id, action_key, symbol, intent_type, check_type,
                 current_value, limit_value, message)
             SELECT id, 'MANUAL:1', '005930', 'ENTRY', 'SINGLE_WEIGHT', 15000001, 15000000, 'too heavy'
             FROM judged"#,
        )
        .await;
    let report = world.data("/api/v1/risk/report").await;
    assert_eq!(
        (
            &report["level"],
            &report["largest_weight"],
            &report["sector_weights"]
        ),
        (&json!("ORANGE"), &json!(13.5), &json!({ "Chips": 20.25 }))
    );
    assert_eq!(
        (
            &report["unrealized_result"],
            &report["total_result"],
            &report["total_result_pct"]
        ),
        (&json!(-1_200_000), &json!(-1_200_000), &json!(-1))
    );
    let violations = world.data("/api/v1/risk/violations").await;
    assert_eq!(violations.as_array().map(Vec::len), Some(1));
    let one = &violations[0];
    assert_eq!(
        (&one["check_type"], &one["current_value"], &one["qty"]),
        (&json!("SINGLE_WEIGHT"), &json!(15_000_001), &json!(10))
    );
    assert_eq!(one["results"][0]["check"], "EMERGENCY_STOP");
}
