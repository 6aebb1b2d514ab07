//! The daily strategy: what is stored is shown, and what is asked is stored.

use serde_json::{Value, json};
use turnstile_bff::BffConfig;

use crate::world::World;

const DRAFT: &str = "aaaaaaa5-0000-4000-8000-000000000002";
const ACTIVE: &str = "aaaaaaa5-0000-4000-8000-000000000001";
const FITTING: &str = "aaaaaaa5-0000-4000-8000-000000000004";
const SIGNALS: &str = "aaaaaaa3-0000-4000-8000-000000000002";

/// Two days of a strategy: the portfolio of the first is in force, that of the second a draft.
const ROWS: &str = include_str!("../api/strategy.sql");

#[tokio::test(flavor = "multi_thread")]
async fn what_the_strategy_says_is_shown() {
    let world = World::start().await;
    world.sql(ROWS).await;
    let mut answers = serde_json::Map::new();
    for path in [
        "/api/v1/strategy/runs?limit=2".to_owned(),
        "/api/v1/universe/latest".to_owned(),
        "/api/v1/universe/latest?which=excluded".to_owned(),
        "/api/v1/signals/latest".to_owned(),
        "/api/v1/signals/factors/005930".to_owned(),
        "/api/v1/signals/factors/035720?strategy_id=daily".to_owned(),
        "/api/v1/rankings/latest".to_owned(),
        "/api/v1/portfolios?limit=1".to_owned(),
        "/api/v1/portfolios/latest".to_owned(),
        "/api/v1/portfolios/active".to_owned(),
        format!("/api/v1/portfolios/compare?from_id={ACTIVE}&to_id={DRAFT}"),
    ] {
        let (status, mut body) = world.get(&path).await;
        assert_eq!(status, 200, "{path}: {body}");
        body.as_object_mut().unwrap().remove("meta");
        answers.insert(path, body);
    }
    insta::assert_json_snapshot!(answers);

    let latest = world.data("/api/v1/signals/latest").await;
    let same = world
        .data(&format!("/api/v1/signals/snapshots/{SIGNALS}"))
        .await;
    assert_eq!(latest, same);
    let all = world.data("/api/v1/universe/latest?which=all").await;
    assert_eq!(all["symbols"].as_array().unwrap().len(), 3);
    let selected = world
        .data("/api/v1/rankings/latest?selected_only=true")
        .await;
    assert_eq!(selected["rows"].as_array().unwrap().len(), 1);
    let draft = world.data(&format!("/api/v1/portfolios/{DRAFT}")).await;
    assert_eq!(draft, world.data("/api/v1/portfolios/latest").await);
    let text = world
        .http
        .get(world.url("/api/v1/signals/factors/005930"))
        .send();
    let text = text.await.unwrap().text().await.unwrap();
    assert!(
        text.contains("0.1234567891") && text.contains("72.5000000001"),
        "{text}"
    );

    let (_, body) = world.get("/api/v1/strategy/runs?limit=2").await;
    let cursor = body["pagination"]["next_cursor"]
        .as_str()
        .unwrap()
        .to_owned();
    let (_, body) = world
        .get(&format!("/api/v1/strategy/runs?limit=2&cursor={cursor}"))
        .await;
    assert_eq!(body["data"].as_array().unwrap().len(), 1);
    assert!(body["pagination"]["next_cursor"].is_null(), "{body}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_names_no_strategy_means_the_configured_one() {
    let strategy = "weekly".parse().unwrap();
    let world = World::start_for(strategy, BffConfig::default()).await;
    world.sql(&ROWS.replace("'daily'", "'weekly'")).await;
    for path in [
        "universe/latest",
        "signals/latest",
        "signals/factors/005930",
        "rankings/latest",
        "portfolios/latest",
        "portfolios/active",
    ] {
        let path = format!("/api/v1/{path}");
        let meant = world.data(&path).await;
        assert_eq!(meant["strategy_id"], "weekly", "{path}");
        let (status, body) = world.get(&format!("{path}?strategy_id=daily")).await;
        assert_eq!(status, 404, "{path}: {body}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_or_cannot_be_asked_is_named() {
    let world = World::start().await;
    let none = "00000000-0000-4000-8000-000000000000";
    for (path, status, field) in [
        ("universe/latest", 404, ""),
        ("signals/latest", 404, ""),
        (&*format!("signals/snapshots/{none}"), 404, ""),
        ("signals/factors/005930", 404, ""),
        ("rankings/latest", 404, ""),
        ("portfolios/latest", 404, ""),
        ("portfolios/active", 404, ""),
        (&*format!("portfolios/{none}"), 404, ""),
        (
            &*format!("portfolios/compare?from_id={none}&to_id={none}"),
            404,
            "",
        ),
        (&*format!("portfolios/compare?from_id={none}"), 400, "to_id"),
        ("portfolios/compare?from_id=x&to_id=y", 400, "from_id"),
        ("portfolios/x", 400, "id"),
        ("portfolios?page=1", 400, "page"),
        ("universe/latest?which=some", 400, "which"),
        ("universe/latest?strategy_id=a%20b", 400, "strategy_id"),
        ("signals/latest?strategy_id=%00", 400, "strategy_id"),
        ("rankings/latest?selected_only=yes", 400, "selected_only"),
        ("strategy/runs?cursor=x", 400, "cursor"),
    ] {
        let (given, body) = world.get(&format!("/api/v1/{path}")).await;
        assert_eq!(given.as_u16(), status, "{path}: {body}");
        if !field.is_empty() {
            assert!(body["error"]["fields"][field].is_string(), "{path}: {body}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_activation_is_seen_at_once_and_only_a_draft_can_be_activated() {
    let world = World::start().await;
    world.sql(ROWS).await;
    // Twice, so that the second comes from the cache.
    for _ in 0..2 {
        let active = world.data("/api/v1/portfolios/active").await;
        assert_eq!(active["portfolio_id"], ACTIVE);
    }
    let activate = |id: &str| format!("/api/v1/portfolios/{id}/activate");
    let asked = json!({ "asked_by": "kim", "reason": "monday" });
    // Two names are too few.
    let (status, body) = world.post(&activate(DRAFT), &asked).await;
    assert_eq!(
        (status.as_u16(), &body["error"]["details"]["bounds"]),
        (409, &json!(["5 to 20 names expected, was 2"])),
        "{body}"
    );
    world.sql(include_str!("draft.sql")).await;
    let (status, body) = world.post(&activate(FITTING), &asked).await;
    assert_eq!(status, 200, "{body}");
    let told = ["status", "activated_by", "activation_reason", "version"]
        .map(|key| body["data"][key].clone());
    assert_eq!(
        told,
        [json!("ACTIVE"), json!("kim"), json!("monday"), json!(2)]
    );
    assert_eq!(
        world.data("/api/v1/portfolios/active").await["portfolio_id"],
        FITTING
    );
    let before = world.data(&format!("/api/v1/portfolios/{ACTIVE}")).await;
    assert_eq!(before["status"], "ARCHIVED");

    for (id, status) in [(FITTING, "ACTIVE"), (ACTIVE, "ARCHIVED")] {
        let (given, body) = world.post(&activate(id), &asked).await;
        assert_eq!(
            (given.as_u16(), &body["error"]["details"]["status"]),
            (409, &json!(status)),
            "{body}"
        );
    }
    let none = "00000000-0000-4000-8000-000000000000";
    assert_eq!(world.post(&activate(none), &asked).await.0, 404);
    let (status, body) = world
        .post(&activate(DRAFT), &json!({ "reason": "x" }))
        .await;
    assert_eq!(status, 400, "{body}");
    assert!(body["error"]["fields"]["asked_by"].is_string(), "{body}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_asked_once_for_one_key() {
    let world = World::start().await;
    let path = "/api/v1/strategy/runs";
    let asked = |as_of: Value, key: &str| json!({ "as_of": as_of, "asked_by": "kim", "idempotency_key": key });
    let (status, body) = world.post(path, &asked(json!("2026-02-20"), "a")).await;
    assert_eq!(status, 200, "{body}");
    assert_eq!(
        (&body["data"]["state"], &body["data"]["as_of"]),
        (&json!("ASKED"), &json!("2026-02-20"))
    );
    let again = world.post(path, &asked(json!("2026-02-20"), "a")).await;
    assert_eq!((again.0.as_u16(), &again.1["data"]), (200, &body["data"]));
    assert_eq!(
        world.post(path, &asked(json!("2026-02-19"), "a")).await.0,
        409
    );
    let (status, body) = world.post(path, &asked(Value::Null, "b")).await;
    assert_eq!(
        (status.as_u16(), &body["data"]["as_of"]),
        (200, &Value::Null),
        "{body}"
    );
    for (as_of, key) in [
        (json!("yesterday"), "c"),
        (json!("2999-01-01"), "d"),
        (json!(3), "e"),
    ] {
        let (status, body) = world.post(path, &asked(as_of, key)).await;
        assert_eq!(status, 400, "{body}");
        assert!(body["error"]["fields"]["as_of"].is_string(), "{body}");
    }
    let count = world
        .value("SELECT count(*)::text FROM strategy.run_requests")
        .await;
    assert_eq!(count.as_deref(), Some("2"));
}
