//! Tokens of the API, from the command line to the audit.

use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use turnstile_tests::{Program, System, eventually};

async fn token(system: &System, arguments: &[&str]) -> (bool, String) {
    let arguments = [&["token"], arguments].concat();
    let log = system.folder().join("token.log");
    Program::start(&arguments, &system.environment(), &log)
        .output()
        .await
}

/// The token that `token create` printed, which is a line of its own.
fn printed(said: &str) -> String {
    let line = said.lines().find(|line| line.starts_with("turnstile_"));
    line.unwrap_or_else(|| panic!("no token: {said}"))
        .to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_the_command_line_opens_the_api_until_it_is_revoked_and_signs_the_audit() {
    let system = System::start_without_positions(&[], "").await;
    let (program, url) = system.bff().await;
    let http = Client::new();
    let control = format!("{url}/api/v1/exit/control");
    let get = async |token: Option<&str>| {
        let request = http.get(&control);
        let request = match token {
            Some(token) => request.bearer_auth(token),
            None => request,
        };
        request.send().await.unwrap().status()
    };
    assert_eq!(
        get(None).await,
        StatusCode::OK,
        "this machine, while there is no token"
    );
    let (is_done, said) = token(&system, &["list"]).await;
    assert!(is_done && said.contains("this machine only"), "{said}");

    let (is_done, said) = token(&system, &["create", "eyes", "--role", "viewer"]).await;
    assert!(is_done, "{said}");
    let eyes = printed(&said);
    let made = [
        "create",
        "desk",
        "--role",
        "trader",
        "--expires",
        "90d",
        "--by",
        "kim",
    ];
    let (is_done, said) = token(&system, &made).await;
    assert!(is_done, "{said}");
    let desk = printed(&said);
    for (arguments, told) in [
        (
            &["create", "desk", "--role", "admin"][..],
            "there is a token \"desk\" already",
        ),
        (
            &["create", "x", "--role", "root"][..],
            "one of viewer, trader, admin expected",
        ),
        (
            &["create", "x", "--role", "admin", "--expires", "0s"][..],
            "--expires",
        ),
        (&["revoke", "nobody"][..], "no token \"nobody\""),
    ] {
        let (is_done, said) = token(&system, arguments).await;
        assert!(!is_done && said.contains(told), "{arguments:?}: {said}");
    }
    eventually("the API wants a token", async || get(None).await == 401).await;
    assert_eq!(get(Some(&eyes)).await, StatusCode::OK);
    let set = async |token: &str| {
        let pause = json!({"mode": "PAUSE_PROFIT", "reason": "drill"});
        let request = http.post(&control).bearer_auth(token).json(&pause);
        request.send().await.unwrap()
    };
    assert_eq!(set(&eyes).await.status(), StatusCode::FORBIDDEN);
    let answer = set(&desk).await;
    assert_eq!(answer.status(), StatusCode::OK);
    let answer: Value = answer.json().await.unwrap();
    assert_eq!(answer["data"]["updated_by"], "desk");
    let audited =
        "SELECT actor || ' ' || on_behalf_of || ' ' || reason || ' ' || (was->>'mode') || ' ' ||
            (now->>'mode')
        FROM system.audit_log WHERE table_name = 'trade.exit_control'";
    let audited: String = system.one(audited, &[]).await;
    assert_eq!(audited, "desk desk drill RUNNING PAUSE_PROFIT");

    let (is_done, said) = token(
        &system,
        &["revoke", "desk", "--by", "kim", "--reason", "lost"],
    )
    .await;
    assert!(is_done, "{said}");
    eventually("the token is refused", async || {
        get(Some(&desk)).await == 401
    })
    .await;
    let (_, said) = token(&system, &["list"]).await;
    let line = |name: &str| {
        said.lines()
            .find(|line| line.starts_with(name))
            .unwrap()
            .to_owned()
    };
    assert!(
        line("desk").contains("trader") && line("desk").contains("revoked"),
        "{said}"
    );
    assert!(
        line("eyes").contains("viewer") && line("eyes").contains("in force"),
        "{said}"
    );
    let revoked: String = system
        .one(
            "SELECT on_behalf_of || ' ' || reason FROM system.audit_log
             WHERE table_name = 'system.api_tokens' AND op = 'UPDATE'
                 AND now->>'revoked_ts' IS NOT NULL",
            &[],
        )
        .await;
    assert_eq!(revoked, "kim lost");
    program.stop().await;
    system.stop().await;
}
