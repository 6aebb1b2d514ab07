//! Alarms: lists, and who has taken note.

use serde_json::{Value, json};

use crate::world::World;

const OPEN: &str = "11111111-1111-4111-8111-111111111111";
const OVER: &str = "22222222-2222-4222-8222-222222222222";
const MILD: &str = "33333333-3333-4333-8333-333333333333";

pub(crate) const ROWS: &str = "INSERT INTO system.alarms
    (id, key, name, level, instance, subject, message, value, threshold, raised_ts, last_ts, cleared_ts)
    VALUES
    ('11111111-1111-4111-8111-111111111111', 'db_query_time@bff', 'db_query_time', 'CRITICAL', 'bff', NULL,
     'slow', 0.75, 0.5, '2026-11-24 14:00:00+09', '2026-11-24 14:01:00+09', NULL),
    ('22222222-2222-4222-8222-222222222222', 'postgres_unreachable@bff', 'postgres_unreachable', 'P0', 'bff',
     NULL, 'away', NULL, NULL, '2026-11-24 13:00:00+09', '2026-11-24 13:00:00+09', '2026-11-24 13:05:00+09'),
    ('33333333-3333-4333-8333-333333333333', 'event:price_stale:005930', 'price_stale', 'WARNING', 'stream',
     '005930', 'stale', NULL, NULL, '2026-11-24 15:00:00+09', '2026-11-24 15:00:00+09', NULL);
    INSERT INTO system.alarm_deliveries (alarm_id, turn, channel, ts, attempts, fault) VALUES
    ('11111111-1111-4111-8111-111111111111', 'RAISED', 'webhook', '2026-11-24 14:00:01+09', 2, NULL),
    ('11111111-1111-4111-8111-111111111111', 'RAISED', 'telegram', '2026-11-24 14:00:02+09', 1, 'answered 403');";

async fn ids(world: &World, query: &str) -> Vec<Value> {
    let alarms = world.data(&format!("/api/v1/alarms{query}")).await;
    let alarms = alarms.as_array().unwrap().iter();
    alarms.map(|alarm| alarm["id"].clone()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn alarms_are_listed_by_state_and_level() {
    let world = World::start().await;
    world.sql(ROWS).await;
    for (query, expected) in [
        ("", vec![MILD, OPEN]),
        ("?state=cleared", vec![OVER]),
        ("?state=all", vec![MILD, OPEN, OVER]),
        ("?state=all&level=CRITICAL", vec![OPEN, OVER]),
        ("?level=P0", vec![]),
        ("?state=all&limit=1", vec![MILD]),
    ] {
        assert_eq!(ids(&world, query).await, expected, "{query}");
    }
    let (_, body) = world.get("/api/v1/alarms?state=all&limit=2").await;
    let next = body["pagination"]["next_cursor"].as_str().unwrap();
    let rest = ids(&world, &format!("?state=all&cursor={next}")).await;
    assert_eq!(rest, [OVER]);
    let alarm = &body["data"][1];
    assert_eq!(
        (&alarm["value"], &alarm["threshold"]),
        (&json!(0.75), &json!(0.5))
    );
    assert_eq!(alarm["deliveries"].as_array().unwrap().len(), 2);
    assert_eq!(alarm["deliveries"][1]["fault"], "answered 403");
    let (status, body) = world.get("/api/v1/alarms?level=LOUD&state=x").await;
    assert_eq!(status, 400);
    for name in ["level", "state"] {
        assert!(body["error"]["fields"][name].is_string(), "{name}: {body}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alarm_is_acknowledged_once_while_it_stands() {
    let world = World::start().await;
    world.sql(ROWS).await;
    let mut socket = world.socket().await;
    socket.hear("hello").await;
    let path = |id: &str| format!("/api/v1/alarms/{id}/acknowledge");
    let by = |who: &str| json!({ "by": who, "reason": "looking" });
    let (status, body) = world.post(&path(OPEN), &by("kim")).await;
    assert_eq!(status, 200, "{body}");
    assert_eq!(body["data"]["acknowledged_by"], "kim");
    let changed = socket.hear("changed").await;
    assert_eq!(changed["tables"], json!(["system.alarms"]));
    let (status, body) = world.post(&path(OPEN), &by("lee")).await;
    assert_eq!(
        (status.as_u16(), &body["data"]["acknowledged_by"]),
        (200, &json!("kim"))
    );
    assert_eq!(world.post(&path(OVER), &by("kim")).await.0, 409);
    let none = "00000000-0000-4000-8000-000000000000";
    assert_eq!(world.post(&path(none), &by("kim")).await.0, 404);
    let (status, body) = world.post(&path(MILD), &json!({})).await;
    assert_eq!(status, 400);
    assert!(body["error"]["fields"]["by"].is_string(), "{body}");
    // What becomes of an alarm by itself is no action.
    world
        .sql("UPDATE system.alarms SET repeats = repeats + 1, last_ts = now()")
        .await;
    let audited = "SELECT string_agg(actor || ' ' || on_behalf_of || ' ' || reason, ', ')
        FROM system.audit_log WHERE table_name = 'system.alarms' AND op = 'UPDATE'";
    let audited = world.value(audited).await;
    assert_eq!(audited.as_deref(), Some("this machine kim looking"));
}
