//! Changing requests: who may, and what happens.

use serde_json::json;

use crate::servers::eventually;
use crate::world::{World, answer};

const CONTROL: &str = "/api/v1/exit/control";

#[tokio::test(flavor = "multi_thread")]
async fn a_mode_is_set_kept_in_history_and_seen_at_once() {
    let world = World::start().await;
    for (path, scope, mode) in [
        (CONTROL, "exit", "EMERGENCY_FLATTEN"),
        ("/api/v1/reentry/control", "reentry", "PAUSE_ENTRY"),
    ] {
        let key = format!("config:{scope}_control");
        assert_eq!(world.data(path).await["mode"], "RUNNING");
        assert!(
            world.redis.ask(&["GET", &key]).contains("RUNNING"),
            "cached by the read"
        );
        assert!(world.redis.ask(&["TTL", &key]).parse::<u32>().unwrap() <= 600);
        let change = json!({ "mode": mode, "reason": "drill", "updated_by": "kim" });
        let (status, body) = world.post(path, &change).await;
        assert_eq!(status, 200, "{body}");
        assert_eq!(body["data"]["mode"], mode);
        assert_eq!(body["data"]["reason"], "drill");
        assert_eq!(body["data"]["updated_by"], "kim");
        assert_eq!(world.data(path).await, body["data"], "not the cached mode");
        let history = format!(
            "SELECT string_agg(mode || ' by ' || updated_by, ', ' ORDER BY id)
             FROM trade.control_history WHERE scope = '{scope}'"
        );
        let history = world.value(&history).await.unwrap();
        assert_eq!(history, format!("RUNNING by migration, {mode} by kim"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mode_set_behind_the_server_is_seen() {
    let world = World::start().await;
    assert_eq!(world.data(CONTROL).await["mode"], "RUNNING");
    world
        .sql("UPDATE trade.exit_control SET mode = 'PAUSE_ALL', updated_by = 'psql'")
        .await;
    eventually("the new mode", async || {
        (world.data(CONTROL).await["mode"] == "PAUSE_ALL").then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn foreign_pages_and_forms_cannot_change_anything() {
    let world = World::start().await;
    let host = world.bff.local_addr();
    let change = json!({ "mode": "PAUSE_ALL", "updated_by": "kim" });
    let post = || world.http.post(world.url(CONTROL));
    for origin in [
        "https://evil.example",
        "null",
        "http://127.0.0.1",
        "http://localhost:1",
    ] {
        let (status, body) = answer(post().json(&change).header("origin", origin)).await;
        assert_eq!(
            (status.as_u16(), &body["error"]["code"]),
            (403, &json!("FORBIDDEN_ORIGIN"))
        );
    }
    let rebound = post().json(&change).header("host", "evil.example");
    let (status, _) = answer(rebound.header("origin", "http://evil.example")).await;
    assert_eq!(status, 403);
    for content_type in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/jsonp",
    ] {
        let request = post()
            .body(change.to_string())
            .header("content-type", content_type);
        let (status, body) = answer(request).await;
        assert_eq!(status, 415);
        assert_eq!(body["error"]["code"], "UNSUPPORTED_MEDIA_TYPE");
    }
    let (status, _) = answer(post().body(change.to_string())).await;
    assert_eq!(status, 415, "without a content type");
    assert_eq!(world.data(CONTROL).await["mode"], "RUNNING");
    let own = post()
        .json(&change)
        .header("origin", format!("http://{host}"));
    assert_eq!(answer(own).await.0, 200);
}
