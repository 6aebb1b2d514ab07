//! Who may do what: tokens, roles, and what the audit keeps.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::{Method, RequestBuilder, StatusCode};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use tokio_tungstenite::connect_async;
use turnstile_bff::access::{NewToken, Role, create, list, revoke};
use turnstile_bff::{BffConfig, openapi_json};

use crate::fixture;
use crate::servers::eventually;
use crate::world::{Socket, World, answer};

pub(crate) const CONTROL: &str = "/api/v1/exit/control";
pub(crate) const SESSION: &str = "/api/v1/session";
/// A portfolio of the rows of the strategy.
const DRAFT: &str = "aaaaaaa5-0000-4000-8000-000000000004";
const STOP: &str = "/api/v1/risk/emergency-stop";

pub(crate) async fn token(world: &World, name: &str, role: Role) -> String {
    let new = NewToken {
        name: name.to_owned(),
        role,
        expires: None,
        created_by: "test".to_owned(),
        reason: None,
    };
    let text = create(&world.db, &new).await.unwrap();
    let text = text.expose_secret().to_owned();
    // Wrong tokens are counted, so not as often as may be.
    let ask = || world.http.get(world.url(SESSION)).bearer_auth(&text).send();
    for _ in 0..50 {
        if ask().await.unwrap().status() == 200 {
            return text;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    panic!("the token {name} is not known");
}

/// A world without a limit of requests, and a token of each role.
pub(crate) async fn guarded() -> (World, [String; 3]) {
    let config = BffConfig {
        requests_per_second: 0,
        ..BffConfig::default()
    };
    let world = World::start_with(config).await;
    let mut tokens = [const { String::new() }; 3];
    for (text, role) in tokens.iter_mut().zip(Role::ALL) {
        *text = token(&world, &role.name().to_lowercase(), role).await;
    }
    (world, tokens)
}

pub(crate) fn code(body: &Value) -> &str {
    body["error"]["code"].as_str().unwrap_or_default()
}

/// Returns each operation of the API: method, path as described, role as described.
fn operations() -> Vec<(Method, String, Option<Role>)> {
    let described: Value = serde_json::from_str(&openapi_json().unwrap()).unwrap();
    let mut found = Vec::new();
    for (path, item) in described["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            let role = operation["x-role"].as_str();
            found.push((method, path.clone(), role.map(|role| role.parse().unwrap())));
        }
    }
    found
}

/// As [`answer`]; of a stream, which does not end, the status alone.
async fn answer_or_stream(request: RequestBuilder) -> (StatusCode, Value) {
    let response = request.send().await.unwrap();
    let status = response.status();
    if response.headers()["content-type"] == "text/event-stream" {
        return (status, Value::Null);
    }
    (status, response.json().await.unwrap_or_default())
}

fn with_values(path: &str) -> String {
    let symbol = path.contains("{symbol}").then_some("005930");
    let value = symbol.unwrap_or("77777777-7777-4777-8777-777777777777");
    let path = path.replace("{id}", value).replace("{symbol}", value);
    path.replace("{category}", "watch")
        .replace("{key}", "alarms.price_lag")
}

#[tokio::test(flavor = "multi_thread")]
async fn each_operation_is_open_to_its_role_and_those_above() {
    let (world, tokens) = guarded().await;
    let mut matrix = String::new();
    for (method, path, role) in operations() {
        let ask = |token: Option<&String>| {
            let request = world
                .http
                .request(method.clone(), world.url(&with_values(&path)));
            let request = match method {
                Method::GET => request,
                _ => request.json(&json!({})),
            };
            match token {
                None => request,
                Some(token) => request.bearer_auth(token),
            }
        };
        let mut line = format!("{method:<4} {path:<46}");
        for token in [None].into_iter().chain(tokens.iter().map(Some)) {
            let (status, body) = answer_or_stream(ask(token)).await;
            let outcome = match (status.as_u16(), code(&body)) {
                (401, "UNAUTHORIZED") => "401",
                (403, "FORBIDDEN_ROLE") => "403",
                (401 | 403 | 429 | 500.., _) => panic!("{method} {path}: {status} {body}"),
                _ => "may",
            };
            line.push_str(&format!(" {outcome}"));
        }
        let expected = match role {
            None => "may may may may",
            Some(Role::Viewer) => "401 may may may",
            Some(Role::Trader) => "401 403 may may",
            Some(Role::Admin) => "401 403 403 may",
        };
        // The one open operation that refuses by itself: a sign-in without a token.
        assert!(line.ends_with(expected), "{line}: {expected} expected");
        matrix.push_str(&line);
        matrix.push('\n');
    }
    insta::assert_snapshot!("matrix", matrix);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_wrong_over_or_revoked_is_none() {
    let (world, [viewer, ..]) = guarded().await;
    let ask = |value: String| {
        let request = world.http.get(world.url(CONTROL));
        answer(request.header("authorization", value))
    };
    assert_eq!(ask(format!("Bearer {viewer}")).await.0, 200);
    let changed = format!("Bearer {}A", &viewer[..viewer.len() - 1]);
    for wrong in [
        changed,
        viewer.clone(),
        format!("Basic {viewer}"),
        "Bearer ".to_owned(),
    ] {
        let (status, body) = ask(wrong.clone()).await;
        assert_eq!(
            (status.as_u16(), code(&body)),
            (401, "UNAUTHORIZED"),
            "{wrong}"
        );
        assert!(!body.to_string().contains(&viewer));
    }
    let over = NewToken {
        name: "over".to_owned(),
        role: Role::Admin,
        expires: Some(Timestamp::now() + Duration::from_millis(100)),
        created_by: "test".to_owned(),
        reason: None,
    };
    let over = create(&world.db, &over).await.unwrap();
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    let over = format!("Bearer {}", over.expose_secret());
    assert_eq!(ask(over).await.0, 401);

    revoke(&world.db, "viewer", "kim", Some("lost"))
        .await
        .unwrap();
    eventually("the token is refused", async || {
        (ask(format!("Bearer {viewer}")).await.0 == 401).then_some(())
    })
    .await;
    let again = revoke(&world.db, "viewer", "kim", None).await;
    assert!(again.unwrap_err().to_string().contains("viewer"));
    let listed = list(&world.db).await.unwrap();
    let revoked = listed.iter().find(|token| token.name == "viewer").unwrap();
    assert!(revoked.revoked.is_some());
    // Nothing that was stored has the secret.
    let secret = viewer.split_once('.').unwrap().1;
    let stored = world
        .value(
            "SELECT string_agg(t::text, '') FROM (
                 SELECT to_jsonb(a)::text FROM system.api_tokens a
                 UNION ALL SELECT to_jsonb(a)::text FROM system.audit_log a) AS t",
        )
        .await
        .unwrap();
    assert!(stored.contains("\"viewer\"") || stored.contains("viewer"));
    assert!(!stored.contains(secret));
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_gets_in_again_without_a_token_where_the_last_was_revoked() {
    let world = World::start().await;
    assert_eq!(world.data(SESSION).await["name"], "this machine");
    assert_eq!(world.data(SESSION).await["has_token"], false);
    token(&world, "only", Role::Admin).await;
    revoke(&world.db, "only", "kim", None).await.unwrap();
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    assert_eq!(world.get(CONTROL).await.0, 401);
    assert_eq!(world.get("/health").await.0, 200);
    assert_eq!(world.get("/health/ready").await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_tokens_only_this_machine_is_answered() {
    let world = World::start().await;
    let ask = || world.http.get(world.url(CONTROL));
    assert_eq!(answer(ask()).await.0, 200);
    for (name, value) in [
        ("host", "desk.example"),
        ("x-forwarded-for", "192.0.2.1"),
        ("forwarded", "for=192.0.2.1"),
    ] {
        let (status, body) = answer(ask().header(name, value)).await;
        assert_eq!(
            (status.as_u16(), code(&body)),
            (401, "UNAUTHORIZED"),
            "{name}"
        );
        assert!(
            body.to_string().contains("turnstile token create"),
            "{body}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trader_stops_and_only_an_admin_lets_go_on() {
    let (world, [viewer, trader, admin]) = guarded().await;
    let put = |token: &str, body: Value| {
        answer(
            world
                .http
                .put(world.url(STOP))
                .bearer_auth(token)
                .json(&body),
        )
    };
    let stop = json!({ "is_enabled": true, "reason": "news" });
    assert_eq!(put(&viewer, stop.clone()).await.0, 403);
    let (status, body) = put(&trader, stop).await;
    assert_eq!(status, 200, "{body}");
    let lift = json!({
        "is_enabled": false, "reason": "over", "version": body["data"]["version"],
    });
    let (status, body) = put(&trader, lift.clone()).await;
    assert_eq!((status.as_u16(), code(&body)), (403, "FORBIDDEN_ROLE"));
    let (status, body) = put(&admin, lift).await;
    assert_eq!(
        (status.as_u16(), &body["data"]["updated_by"]),
        (200, &json!("admin"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_audit_says_who_changed_what_and_why_however_it_was_changed() {
    let (world, [viewer, trader, admin]) = guarded().await;
    world.sql(fixture::ROWS).await;
    let change = json!({ "mode": "PAUSE_ALL", "reason": "drill", "updated_by": "kim" });
    let post = world.http.post(world.url(CONTROL)).bearer_auth(&trader);
    let post = post.header("x-request-id", "drill-1").json(&change);
    assert_eq!(answer(post).await.0, 200);
    world
        .sql("UPDATE trade.exit_control SET mode = 'RUNNING', reason = 'psql', updated_by = 'lee'")
        .await;
    world
        .sql("UPDATE trade.exit_control SET updated_ts = now()")
        .await;
    world
        .sql("DELETE FROM trade.exit_rules WHERE rule_id = 'nothing has it'")
        .await;
    let ask = |token: &str, query: &str| {
        let request = world.http.get(world.url(&format!("/api/v1/audit{query}")));
        answer(request.bearer_auth(token))
    };
    for token in [&viewer, &trader] {
        assert_eq!(ask(token, "").await.0, 403);
    }
    let (status, body) = ask(&admin, "?table=trade.exit_control").await;
    assert_eq!(status, 200, "{body}");
    let entries = body["data"].as_array().unwrap();
    assert_eq!(entries.len(), 2, "what changes nothing is not told: {body}");
    let of = |entry: &Value, keys: [&str; 5]| keys.map(|key| entry[key].clone());
    let keys = ["actor", "on_behalf_of", "reason", "request_id", "op"];
    assert_eq!(
        of(&entries[1], keys),
        [
            json!("trader"),
            json!("kim"),
            json!("drill"),
            json!("drill-1"),
            json!("UPDATE")
        ]
    );
    assert_eq!(entries[1]["was"]["mode"], "RUNNING");
    assert_eq!(entries[1]["now"]["mode"], "PAUSE_ALL");
    let role = world.value("SELECT session_user::text").await.unwrap();
    assert_eq!(
        of(&entries[0], keys),
        [
            json!(role),
            json!("lee"),
            json!("psql"),
            Value::Null,
            json!("UPDATE")
        ]
    );
    // A new row, and an actor of whom nothing is left on the connection.
    let (_, body) = ask(&admin, "?table=trade.positions&limit=1").await;
    let newest = &body["data"][0];
    assert_eq!(newest["actor"], json!(role));
    assert_eq!(
        (&newest["op"], &newest["was"]),
        (&json!("INSERT"), &Value::Null)
    );
    assert!(body["pagination"]["next_cursor"].is_string());
    let (_, body) = ask(&admin, "?actor=trader").await;
    assert_eq!(body["data"].as_array().unwrap().len(), 1);

    // A change that is made elsewhere than in this crate says who acts, too.
    world.sql(include_str!("../api/strategy.sql")).await;
    world.sql(include_str!("draft.sql")).await;
    let activate = format!("/api/v1/portfolios/{DRAFT}/activate");
    let activate = world.http.post(world.url(&activate)).bearer_auth(&trader);
    assert_eq!(answer(activate.json(&json!({}))).await.0, 200);
    let (_, body) = ask(&admin, "?table=strategy.portfolios&actor=trader").await;
    let statuses = |key: &str| {
        let entries = body["data"].as_array().unwrap().iter();
        let statuses = entries.map(|entry| entry[key]["status"].clone());
        Value::from(statuses.collect::<Vec<_>>())
    };
    assert_eq!(statuses("was"), json!(["DRAFT", "ACTIVE"]), "{body}");
    assert_eq!(statuses("now"), json!(["ACTIVE", "ARCHIVED"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn live_data_needs_a_token_and_ends_with_it() {
    let (world, [viewer, ..]) = guarded().await;
    let refused = connect_async(world.socket_request(None)).await;
    assert!(refused.unwrap_err().to_string().contains("401"));
    let mut request = world.socket_request(None);
    let bearer = format!("Bearer {viewer}").parse().unwrap();
    request.headers_mut().insert("authorization", bearer);
    let (stream, _) = connect_async(request).await.unwrap();
    let mut socket = Socket(stream);
    socket.hear("hello").await;
    revoke(&world.db, "viewer", "kim", None).await.unwrap();
    assert_eq!(
        socket.hear_end().await,
        (1008, "the token is revoked or over".to_owned())
    );
}
