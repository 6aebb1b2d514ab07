//! What the server refuses, and how it says so.

use serde_json::{Value, json};

use crate::fixture::ROWS;
use crate::world::{World, answer};

#[tokio::test(flavor = "multi_thread")]
async fn every_bad_parameter_is_named() {
    let world = World::start().await;
    let none = "00000000-0000-4000-8000-000000000000";
    for (path, status, code, field) in [
        ("/api/v1/orders?limit=0", 400, "INVALID_PARAMETER", "limit"),
        (
            "/api/v1/orders?limit=101",
            400,
            "INVALID_PARAMETER",
            "limit",
        ),
        (
            "/api/v1/orders?limit=ten",
            400,
            "INVALID_PARAMETER",
            "limit",
        ),
        ("/api/v1/orders?limit=", 400, "INVALID_PARAMETER", "limit"),
        (
            "/api/v1/orders?limit=1&limit=2",
            400,
            "INVALID_PARAMETER",
            "limit",
        ),
        (
            "/api/v1/orders?cursor=x",
            400,
            "INVALID_PARAMETER",
            "cursor",
        ),
        ("/api/v1/orders?page=2", 400, "INVALID_PARAMETER", "page"),
        (
            "/api/v1/executions?limit=-1",
            400,
            "INVALID_PARAMETER",
            "limit",
        ),
        ("/api/v1/exit-events?x=1", 400, "INVALID_PARAMETER", "x"),
        (
            "/api/v1/reentry/history?cursor=a.b",
            400,
            "INVALID_PARAMETER",
            "cursor",
        ),
        (
            "/api/v1/reentry/candidates?limit=1e2",
            400,
            "INVALID_PARAMETER",
            "limit",
        ),
        ("/api/v1/jobs?name=x", 400, "INVALID_PARAMETER", "name"),
        (
            "/api/v1/calendar?from=tomorrow",
            400,
            "INVALID_PARAMETER",
            "from",
        ),
        (
            "/api/v1/calendar?from=0000-12-31",
            400,
            "INVALID_PARAMETER",
            "from",
        ),
        (
            "/api/v1/calendar?from=2026-12-02&to=2026-12-01",
            400,
            "INVALID_PARAMETER",
            "to",
        ),
        (
            "/api/v1/calendar?from=2026-01-01&to=2027-01-03",
            400,
            "INVALID_PARAMETER",
            "to",
        ),
        ("/api/v1/logs?level=p0", 400, "INVALID_PARAMETER", "level"),
        (
            "/api/v1/positions?status=open",
            400,
            "INVALID_PARAMETER",
            "status",
        ),
        ("/api/v1/positions/1", 400, "INVALID_PARAMETER", "id"),
        ("/api/v1/orders/x", 400, "INVALID_PARAMETER", "id"),
        ("/api/v1/prices/00-930", 400, "INVALID_PARAMETER", "symbol"),
        ("/api/v1/prices/%ff", 400, "INVALID_PARAMETER", "path"),
        ("/api/v1/prices/005930?x=1", 400, "INVALID_PARAMETER", "x"),
        ("/api/v1/exit/control?x=1", 400, "INVALID_PARAMETER", "x"),
        ("/health?x=1", 400, "INVALID_PARAMETER", "x"),
        ("/api/v1/prices/005930", 404, "NOT_FOUND", ""),
        ("/api/v1/best-prices/005930", 404, "NOT_FOUND", ""),
        (
            "/api/v1/best-prices/00-930",
            400,
            "INVALID_PARAMETER",
            "symbol",
        ),
        ("/api/v1/best-prices?x=1", 400, "INVALID_PARAMETER", "x"),
        (&format!("/api/v1/positions/{none}"), 404, "NOT_FOUND", ""),
        (&format!("/api/v1/orders/{none}"), 404, "NOT_FOUND", ""),
        ("/api/v1/nothing", 404, "NOT_FOUND", ""),
        ("/api", 404, "NOT_FOUND", ""),
        ("/nothing", 404, "NOT_FOUND", ""),
    ] {
        let (given, body) = world.get(path).await;
        assert_eq!(
            (given.as_u16(), &body["error"]["code"]),
            (status, &json!(code)),
            "{path} {body}"
        );
        assert_envelope(&body);
        if !field.is_empty() {
            assert!(body["error"]["fields"][field].is_string(), "{path}: {body}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_bad_body_is_named() {
    let world = World::start().await;
    let control = "/api/v1/exit/control";
    let batch = "/api/v1/prices/batch";
    let many: Vec<_> = (0..101).map(|n| format!("{n:06}")).collect();
    for (path, body, field) in [
        (control, json!({ "mode": "RUNNING" }), "updated_by"),
        (
            control,
            json!({ "mode": "RUNNING", "updated_by": " " }),
            "updated_by",
        ),
        (
            control,
            json!({ "mode": "RUNNING", "updated_by": "x".repeat(65) }),
            "updated_by",
        ),
        (
            control,
            json!({ "mode": "RUNNING", "updated_by": "a\0b" }),
            "updated_by",
        ),
        (control, json!({ "updated_by": "kim" }), "mode"),
        (
            control,
            json!({ "mode": "running", "updated_by": "kim" }),
            "mode",
        ),
        (
            control,
            json!({ "mode": "PAUSE_ENTRY", "updated_by": "kim" }),
            "mode",
        ),
        (control, json!({ "mode": 1, "updated_by": "kim" }), "mode"),
        (
            control,
            json!({ "mode": "RUNNING", "updated_by": "kim", "reason": 5 }),
            "reason",
        ),
        (
            control,
            json!({ "mode": "RUNNING", "updated_by": "kim", "force": true }),
            "force",
        ),
        (
            "/api/v1/reentry/control",
            json!({ "mode": "PAUSE_PROFIT", "updated_by": "k" }),
            "mode",
        ),
        (batch, json!({}), "symbols"),
        (batch, json!({ "symbols": [] }), "symbols"),
        (batch, json!({ "symbols": "005930" }), "symbols"),
        (batch, json!({ "symbols": [5930] }), "symbols"),
        (batch, json!({ "symbols": ["../etc"] }), "symbols"),
        (batch, json!({ "symbols": many }), "symbols"),
        (batch, json!({ "symbols": ["005930"], "more": 1 }), "more"),
    ] {
        let (status, answer) = world.post(path, &body).await;
        assert_eq!(status, 400, "{body}: {answer}");
        assert_eq!(answer["error"]["code"], "INVALID_BODY", "{body}: {answer}");
        assert!(
            answer["error"]["fields"][field].is_string(),
            "{body}: {answer}"
        );
        assert_envelope(&answer);
    }
    for text in ["", "{", "[]", "null", "\"RUNNING\"", "\u{feff}{}"] {
        let request = world.http.post(world.url(control)).body(text);
        let (status, answer) = answer(request.header("content-type", "application/json")).await;
        assert_eq!(
            (status.as_u16(), &answer["error"]["code"]),
            (400, &json!("INVALID_BODY"))
        );
    }
    let large = json!({ "mode": "RUNNING", "updated_by": "k", "reason": "x".repeat(70_000) });
    let (status, answer) = world.post(control, &large).await;
    assert_eq!(
        (status.as_u16(), &answer["error"]["code"]),
        (413, &json!("BODY_TOO_LARGE"))
    );
    assert_eq!(
        world.data(control).await["updated_by"],
        "migration",
        "nothing was changed"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_methods_are_refused_in_the_envelope() {
    let world = World::start().await;
    for path in [
        "/api/v1/executions",
        "/api/v1/positions",
        "/health",
        "/api/openapi.json",
    ] {
        let (status, body) = world.post(path, &json!({})).await;
        assert_eq!(
            (status.as_u16(), &body["error"]["code"]),
            (405, &json!("METHOD_NOT_ALLOWED"))
        );
        assert_envelope(&body);
    }
    let (status, body) = answer(world.http.get(world.url("/ws"))).await;
    assert_eq!(
        (status.as_u16(), &body["error"]["code"]),
        (426, &json!("UPGRADE_REQUIRED"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn request_id_goes_round() {
    let world = World::start().await;
    world.sql(ROWS).await;
    for path in ["/api/v1/orders", "/api/v1/nothing", "/health", "/metrics"] {
        let request = world
            .http
            .get(world.url(path))
            .header("x-request-id", "desk-1.A_b");
        let response = request.send().await.unwrap();
        assert_eq!(response.headers()["x-request-id"], "desk-1.A_b");
        let body: Value = response.json().await.unwrap_or_default();
        let place = if body["error"].is_object() {
            "/error/request_id"
        } else {
            "/meta/request_id"
        };
        assert!(
            path == "/metrics" || body.pointer(place).unwrap() == "desk-1.A_b",
            "{body}"
        );
    }
    for bad in ["a b", "", "<script>", &"x".repeat(65)] {
        let request = world
            .http
            .get(world.url("/health"))
            .header("x-request-id", bad);
        let response = request.send().await.unwrap();
        assert_eq!(
            response.headers()["x-request-id"].len(),
            36,
            "{bad} is replaced"
        );
    }
}

fn assert_envelope(body: &Value) {
    let error = body["error"].as_object().unwrap();
    assert_eq!(body.as_object().unwrap().len(), 1, "{body}");
    for key in ["code", "message", "request_id", "timestamp"] {
        assert!(
            error[key].as_str().is_some_and(|text| !text.is_empty()),
            "{key}: {body}"
        );
    }
    for key in error.keys() {
        let known = [
            "code",
            "message",
            "request_id",
            "timestamp",
            "details",
            "fields",
        ];
        assert!(known.contains(&key.as_str()), "{key}: {body}");
    }
}
