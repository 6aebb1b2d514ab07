//! Exit rules, previews, levels and manual exits.

use std::time::Duration;

use serde_json::{Value, json};
use turnstile_bff::BffConfig;

use crate::fixture::{CLOSED, LIVE, ROWS};
use crate::servers::eventually;
use crate::world::{World, answer};

const RULES: &str = "/api/v1/exit-rules";

async fn put(world: &World, id: &str, body: &Value) -> (u16, Value) {
    let request = world.http.put(world.url(&format!("{RULES}/{id}")));
    let (status, body) = answer(request.json(body)).await;
    (status.as_u16(), body)
}

fn rule(pnl: f64) -> Value {
    json!({ "scope": "DEFAULT", "updated_by": "kim", "rules": { "sl1": { "pnl": pnl, "qty": 0.5 } } })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_is_saved_against_the_version_it_was_made_from() {
    let world = World::start().await;
    let (status, body) = put(&world, "base", &rule(-0.03)).await;
    assert_eq!(status, 200, "{body}");
    let saved = &body["data"];
    assert_eq!(
        (&saved["version"], &saved["name"]),
        (&json!(1), &json!("base"))
    );
    assert_eq!(
        saved["rules"],
        json!({ "sl1": { "pnl": -0.03, "qty": 0.5 } })
    );
    assert_eq!(world.data(&format!("{RULES}/base")).await, *saved);

    // A second new rule of that id, and a change of a version that is not there any more.
    let (status, body) = put(&world, "base", &rule(-0.04)).await;
    assert_eq!(
        (
            status,
            &body["error"]["code"],
            &body["error"]["details"]["version"]
        ),
        (409, &json!("CONFLICT"), &json!(1))
    );
    let mut change = rule(-0.04);
    change["version"] = json!(1);
    change["effective_from"] = json!("2026-11-24");
    let (status, body) = put(&world, "base", &change).await;
    assert_eq!(
        (status, &body["data"]["version"]),
        (200, &json!(2)),
        "{body}"
    );
    assert_eq!(body["data"]["effective_from"], "2026-11-24");
    assert_eq!(put(&world, "base", &change).await.0, 409);
    assert_eq!(put(&world, "gone", &change).await.0, 404);

    // There is one active rule for each scope.
    let (status, body) = put(&world, "other", &rule(-0.04)).await;
    assert_eq!(
        (status, &body["error"]["details"]["rule_id"]),
        (409, &json!("base")),
        "{body}"
    );
    let off = json!({ "scope": "DEFAULT", "updated_by": "kim", "rules": {}, "is_active": false });
    assert_eq!(put(&world, "other", &off).await.0, 200);
    let list = world.get(&format!("{RULES}?limit=1")).await.1;
    assert_eq!(list["data"][0]["rule_id"], "base");
    let next = list["pagination"]["next_cursor"].as_str().unwrap();
    let rest = world.data(&format!("{RULES}?cursor={next}")).await;
    assert_eq!(rest[0]["rule_id"], "other");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_faulty_key_of_a_rule_is_named() {
    let world = World::start().await;
    let preview = format!("{RULES}/preview");
    for (body, fields) in [
        (
            json!({ "scope": "DEFAULT", "rules": { "sl1": { "pnl": 0.03, "qt": 1 }, "custom": [{}] } }),
            &[
                "updated_by",
                "rules.sl1.pnl",
                "rules.sl1.qt",
                "rules.custom[0].id",
            ][..],
        ),
        (
            json!({ "scope": "DEFAULT", "updated_by": "kim" }),
            &["rules"],
        ),
        (
            json!({ "scope": "DEFAULT", "updated_by": "kim", "rules": [] }),
            &["rules"],
        ),
        (
            json!({ "scope": "ALL", "updated_by": "kim", "rules": {} }),
            &["scope"],
        ),
        (
            json!({ "scope": "SYMBOL", "updated_by": "kim", "rules": {} }),
            &["scope_key"],
        ),
        (
            json!({ "scope": "SYMBOL", "scope_key": "../x", "updated_by": "kim", "rules": {} }),
            &["scope_key"],
        ),
        (
            json!({ "scope": "DEFAULT", "scope_key": "005930", "updated_by": "kim", "rules": {} }),
            &["scope_key"],
        ),
        (
            json!({ "scope": "DEFAULT", "updated_by": "kim", "rules": {}, "is_active": 1,
                    "effective_from": "tomorrow", "version": 0, "force": true }),
            &["is_active", "effective_from", "version", "force"],
        ),
    ] {
        let (status, answer) = put(&world, "base", &body).await;
        assert_eq!(status, 400, "{body}: {answer}");
        for field in fields {
            let fault = &answer["error"]["fields"][*field];
            assert!(fault.is_string(), "{field} of {body}: {answer}");
        }
    }
    for (body, field) in [
        (json!({ "rules": {}, "asked_by": "kim" }), "scope"),
        (
            json!({ "scope": "POSITION", "rules": {}, "asked_by": "kim" }),
            "scope",
        ),
        (
            json!({ "scope": "DEFAULT", "rules": { "tp1": { "pnl": 7 } }, "asked_by": "kim" }),
            "rules.tp1.pnl",
        ),
    ] {
        let (status, answer) = world.post(&preview, &body).await;
        assert_eq!(status, 400, "{body}: {answer}");
        assert!(answer["error"]["fields"][field].is_string(), "{answer}");
    }
    let count = world
        .value("SELECT count(*)::text FROM trade.rule_previews")
        .await;
    assert_eq!(count.as_deref(), Some("0"));
}

/// Answers the next preview as the engine would.
async fn answer_preview(world: &World) -> String {
    let asked = "SELECT request_id::text || ' ' || rule_id || ' ' || scope || ' ' || rules::text
        FROM trade.rule_previews WHERE answered_us IS NULL UNION ALL SELECT NULL ORDER BY 1 NULLS LAST LIMIT 1";
    let asked = eventually("a question", async || world.value(asked).await).await;
    let request = asked.split(' ').next().unwrap();
    world
        .sql(&format!(
            "BEGIN;
             INSERT INTO trade.rule_preview_hits VALUES
                 ('{request}', '{LIVE}', '005930', 'SL1', NULL, 45, 70000, 70100.5);
             UPDATE trade.rule_previews SET answered_us = 1, answered_ts = now()
                 WHERE request_id = '{request}';
             COMMIT"
        ))
        .await;
    asked
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preview_is_asked_of_the_engine() {
    let world = World::start().await;
    world.sql(ROWS).await;
    let question = json!({ "scope": "DEFAULT", "rules": { "sl1": { "pnl": -0.01, "qty": 0.5 } }, "asked_by": "kim" });
    let path = format!("{RULES}/preview");
    let (answered, asked) = tokio::join!(world.post(&path, &question), answer_preview(&world));
    assert!(
        asked.contains(" preview-") && asked.contains(" DEFAULT "),
        "{asked}"
    );
    let (status, body) = answered;
    assert_eq!(status, 200, "{body}");
    assert_eq!(body["data"]["count"], 1);
    assert_eq!(
        body["data"]["positions"],
        json!([{ "position_id": LIVE, "symbol": "005930", "reason": "SL1", "rule_id": null, "qty": 45,
                 "price": 70_000, "level": 70_100.5 }])
    );

    // A standing rule is replaced: the one that is named, or that of the scope.
    assert_eq!(put(&world, "base", &rule(-0.03)).await.0, 200);
    let (answered, asked) = tokio::join!(world.post(&path, &question), answer_preview(&world));
    assert!(asked.contains(" base DEFAULT "), "{asked}");
    assert_eq!(answered.1["data"]["rule_id"], "base");
    let named = json!({ "rule_id": "tight", "rules": {}, "asked_by": "kim" });
    let (answered, asked) = tokio::join!(world.post(&path, &named), answer_preview(&world));
    assert!(asked.contains(" tight POSITION {}"), "{asked}");
    assert_eq!(answered.0, 200);
    let unknown = json!({ "rule_id": "unknown", "rules": {}, "asked_by": "kim" });
    assert_eq!(world.post(&path, &unknown).await.0, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preview_without_an_engine_says_so_and_leaves_nothing() {
    let config = BffConfig {
        preview_timeout: Duration::from_millis(50),
        ..BffConfig::default()
    };
    let world = World::start_with(config).await;
    let question = json!({ "scope": "DEFAULT", "rules": {}, "asked_by": "kim" });
    let (status, body) = world.post(&format!("{RULES}/preview"), &question).await;
    assert_eq!(
        (status.as_u16(), &body["error"]["code"]),
        (504, &json!("ENGINE_SILENT"))
    );
    let count = world
        .value("SELECT count(*)::text FROM trade.rule_previews")
        .await;
    assert_eq!(count.as_deref(), Some("0"));
}

#[tokio::test(flavor = "multi_thread")]
async fn levels_come_with_their_distance_and_the_profile_in_force() {
    let world = World::start().await;
    world.sql(ROWS).await;
    let path = format!("/api/v1/positions/{LIVE}/levels");
    let data = world.data(&path).await;
    // The engine has told nothing: what the stored rules come to.
    let profile = &data["profile"];
    assert_eq!(
        (
            &profile["rule_id"],
            &profile["level"],
            &profile["is_in_force"]
        ),
        (&json!("tight"), &json!("POSITION"), &json!(false))
    );
    assert_eq!(
        (&data["levels"], &data["price"]),
        (&json!([]), &json!(70_000))
    );

    assert_eq!(put(&world, "base", &rule(-0.03)).await.0, 200);
    world
        .sql(&format!(
            "INSERT INTO trade.exit_levels (position_id, symbol, reason, rule_id, side, level,
                 profile_id, profile_version, profile_level, hwm_price, since) VALUES
                 ('{LIVE}', '005930', 'SL1', NULL, 'BELOW', 63000, 'base', 7, 'DEFAULT', 71000,
                  '2026-11-24 10:00+09'),
                 ('{LIVE}', '005930', 'CUSTOM_PROFIT', 'up', 'ABOVE', 71400, 'base', 7, 'DEFAULT',
                  71000, '2026-11-24 10:00+09')"
        ))
        .await;
    let data = world.data(&path).await;
    assert_eq!(
        data["profile"],
        json!({ "rule_id": "base", "version": 7, "level": "DEFAULT", "is_in_force": true,
                "stored_version": 1, "name": "base",
                "rules": { "sl1": { "pnl": -0.03, "qty": 0.5 } } })
    );
    assert_eq!(data["hwm"], 71_000);
    let since = "2026-11-24T10:00:00+09:00";
    assert_eq!(
        data["levels"],
        json!([
            { "reason": "CUSTOM_PROFIT", "rule_id": "up", "side": "ABOVE", "level": 71_400,
              "distance": 0.02, "since": since },
            { "reason": "SL1", "rule_id": null, "side": "BELOW", "level": 63_000, "distance": 0.1,
              "since": since },
        ])
    );
    let closed = world
        .data(&format!("/api/v1/positions/{CLOSED}/levels"))
        .await;
    assert_eq!(
        (&closed["profile"], &closed["levels"]),
        (&Value::Null, &json!([]))
    );
    let none = "00000000-0000-4000-8000-000000000000";
    assert_eq!(
        world
            .get(&format!("/api/v1/positions/{none}/levels"))
            .await
            .0,
        404
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manual_exit_is_one_request_for_one_key() {
    let world = World::start().await;
    world.sql(ROWS).await;
    let path = format!("/api/v1/positions/{LIVE}/sell");
    let sell = |qty: i64, key: &str| json!({ "qty": qty, "reason": "news", "asked_by": "kim", "idempotency_key": key });
    let (status, body) = world.post(&path, &sell(30, "a")).await;
    assert_eq!(status, 200, "{body}");
    let asked = &body["data"];
    assert_eq!(
        (&asked["state"], &asked["qty"], &asked["symbol"]),
        (&json!("ASKED"), &json!(30), &json!("005930"))
    );
    let again = world.post(&path, &sell(30, "a")).await;
    assert_eq!((again.0.as_u16(), &again.1["data"]), (200, asked));
    assert_eq!(world.post(&path, &sell(31, "a")).await.0, 409);
    let (status, body) = world.post(&path, &sell(91, "b")).await;
    assert_eq!(
        (status.as_u16(), &body["error"]["details"]),
        (409, &json!({ "held": 90 }))
    );
    for (body, field) in [
        (sell(0, "c"), "qty"),
        (
            json!({ "qty": 1.5, "asked_by": "kim", "idempotency_key": "c" }),
            "qty",
        ),
        (json!({ "qty": 1, "asked_by": "kim" }), "idempotency_key"),
        (json!({ "qty": 1, "idempotency_key": "c" }), "asked_by"),
    ] {
        let (status, answer) = world.post(&path, &body).await;
        assert_eq!(status, 400, "{answer}");
        assert!(answer["error"]["fields"][field].is_string(), "{answer}");
    }
    let closed = format!("/api/v1/positions/{CLOSED}/sell");
    assert_eq!(world.post(&closed, &sell(1, "d")).await.0, 409);
    let none = "00000000-0000-4000-8000-000000000000";
    let none = format!("/api/v1/positions/{none}/sell");
    assert_eq!(world.post(&none, &sell(1, "d")).await.0, 404);

    world
        .sql("UPDATE trade.positions SET exit_mode = 'DISABLED' WHERE status = 'OPEN'")
        .await;
    let (status, body) = world.post(&path, &sell(1, "e")).await;
    assert_eq!(
        (status.as_u16(), &body["error"]["details"]),
        (409, &json!({ "exit_mode": "DISABLED" }))
    );
    // The first request went with the permission.
    let first = world.post(&path, &sell(30, "a")).await.1;
    assert_eq!(first["data"]["state"], "REFUSED", "{first}");
}
