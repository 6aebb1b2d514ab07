//! Signing in and out, and how often somebody may try.

use std::time::Duration;

use reqwest::{RequestBuilder, Response};
use serde_json::{Value, json};
use turnstile_bff::BffConfig;
use turnstile_bff::access::{Role, revoke};

use crate::access::{CONTROL, SESSION, code, guarded, token};
use crate::servers::eventually;
use crate::world::{World, answer};

fn cookie_of(response: &Response) -> String {
    let cookie = response.headers()["set-cookie"].to_str().unwrap();
    for part in ["; Path=/", "; HttpOnly", "; SameSite=Strict", "; Max-Age="] {
        assert!(cookie.contains(part), "{cookie}");
    }
    cookie.split(';').next().unwrap().to_owned()
}

async fn ask_in(world: &World, token: &str) -> Response {
    let request = world.http.post(world.url(SESSION));
    let response = request.json(&json!({ "token": token })).send().await;
    response.unwrap()
}

async fn sign_in(world: &World, token: &str) -> (String, String) {
    let response = ask_in(world, token).await;
    assert_eq!(response.status(), 200);
    let cookie = cookie_of(&response);
    let body: Value = response.json().await.unwrap();
    let csrf = body["data"]["csrf_token"].as_str().unwrap().to_owned();
    (cookie, csrf)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_signs_in_acts_with_the_value_of_its_page_and_signs_out() {
    let (world, [_, trader, _]) = guarded().await;
    let (cookie, csrf) = sign_in(&world, &trader).await;
    let with = |request: RequestBuilder| request.header("cookie", format!("theme=dark; {cookie}"));
    let (status, body) = answer(with(world.http.get(world.url(SESSION)))).await;
    assert_eq!(status, 200);
    assert_eq!(
        body["data"],
        json!({ "name": "trader", "role": "TRADER", "has_token": true, "csrf_token": csrf })
    );
    let change = json!({ "mode": "PAUSE_ALL", "reason": "drill" });
    let post = || with(world.http.post(world.url(CONTROL))).json(&change);
    let wrong = format!("{}x", &csrf[1..]);
    for request in [post(), post().header("x-csrf-token", wrong)] {
        let (status, body) = answer(request).await;
        assert_eq!((status.as_u16(), code(&body)), (403, "FORBIDDEN_ORIGIN"));
    }
    let (status, body) = answer(post().header("x-csrf-token", &csrf)).await;
    assert_eq!(status, 200, "{body}");
    assert_eq!(body["data"]["updated_by"], "trader", "named by its token");
    // Another session of the same token has another value.
    let (_, other) = sign_in(&world, &trader).await;
    assert_ne!(other, csrf);
    assert_eq!(answer(post().header("x-csrf-token", other)).await.0, 403);

    let out = with(world.http.post(world.url("/api/v1/session/end"))).json(&json!({}));
    let out = out.header("x-csrf-token", &csrf).send().await.unwrap();
    assert_eq!(out.status(), 200);
    assert!(
        out.headers()["set-cookie"]
            .to_str()
            .unwrap()
            .contains("Max-Age=0")
    );
    assert_eq!(
        answer(with(world.http.get(world.url(SESSION)))).await.0,
        401
    );
    let sessions = "SELECT count(*)::text FROM system.api_sessions WHERE ended_ts IS NOT NULL";
    assert_eq!(world.value(sessions).await.unwrap(), "1");
    // What is stored of a session does not open one.
    let stored = "SELECT encode(secret_sha256, 'hex') FROM system.api_sessions LIMIT 1";
    let stored = world.value(stored).await.unwrap();
    let forged = format!("turnstile_session={stored}");
    let forged = world.http.get(world.url(SESSION)).header("cookie", forged);
    assert_eq!(answer(forged).await.0, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_ends_with_its_token_and_over_tls_where_it_must() {
    let config = BffConfig {
        session_secure: Some(true),
        session_life: Duration::from_secs(2),
        ..BffConfig::default()
    };
    let world = World::start_with(config).await;
    let token = token(&world, "desk", Role::Viewer).await;
    let response = ask_in(&world, &token).await;
    let set = response.headers()["set-cookie"].to_str().unwrap();
    assert!(set.ends_with("; Secure"), "{set}");
    let cookie = cookie_of(&response);
    let ask = || answer(world.http.get(world.url(SESSION)).header("cookie", &cookie));
    assert_eq!(ask().await.0, 200);
    eventually("the session is over", async || {
        (ask().await.0 == 401).then_some(())
    })
    .await;
    let (cookie, _) = sign_in(&world, &token).await;
    revoke(&world.db, "desk", "kim", None).await.unwrap();
    let ask = || answer(world.http.get(world.url(SESSION)).header("cookie", &cookie));
    eventually("the session ends", async || {
        (ask().await.0 == 401).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn trying_tokens_is_slowed_down_and_one_client_does_not_starve_another() {
    let config = BffConfig {
        requests_per_second: 5,
        ..BffConfig::default()
    };
    let world = World::start_with(config).await;
    let (one, other) = (
        token(&world, "one", Role::Viewer).await,
        token(&world, "other", Role::Viewer).await,
    );
    let ask = |token: &str| world.http.get(world.url(CONTROL)).bearer_auth(token).send();
    let mut refused = None;
    for _ in 0..40 {
        let response = ask(&one).await.unwrap();
        if response.status() == 429 {
            refused = Some(response);
            break;
        }
        assert_eq!(response.status(), 200);
    }
    let refused = refused.expect("a request is refused");
    assert_eq!(refused.headers()["retry-after"], "1");
    let body: Value = refused.json().await.unwrap();
    assert_eq!(code(&body), "TOO_MANY_REQUESTS");
    assert!(body["error"]["details"]["retry_after_ms"].as_u64().unwrap() <= 200);
    assert_eq!(ask(&other).await.unwrap().status(), 200);
    let mut statuses = Vec::new();
    for _ in 0..100 {
        let guess = ask_in(&world, "turnstile_a.b").await;
        statuses.push(guess.status().as_u16());
    }
    assert_eq!(statuses[0], 401);
    assert_eq!(*statuses.last().unwrap(), 429);
    // Who has the right token is let in all the same.
    sign_in(&world, &other).await;
}
