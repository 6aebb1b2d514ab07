//! Tokens and keys (KIS Open API, authentication).

use serde_json::json;
use tokio::time::Instant;
use uuid::Uuid;

use super::{
    answer::{Answer, gateway_error},
    call::Call,
    denial_text,
};
use crate::{auth::Denial, shared::Shared};

/// The gateway's answer to a call that it does not let through.
pub(super) fn denied(denial: Denial) -> Answer {
    let (code, text) = denial_text(denial);
    gateway_error(code, text)
}

/// The answer of the authentication services, which have a form of their own.
fn refused(code: &str, text: &str) -> Answer {
    let body = format!(
        r#"{{"error_description":{},"error_code":{}}}"#,
        json!(text),
        json!(code)
    );
    Answer {
        status: 403,
        body,
        msg_cd: code.to_owned(),
        ..Answer::default()
    }
}

fn refuse(denial: Denial) -> Answer {
    let (code, text) = denial_text(denial);
    refused(code, text)
}

fn check_grant(call: &Call) -> Result<(), Answer> {
    match call.field("grant_type") {
        Some("client_credentials") => Ok(()),
        _ => Err(refused("EGW00116", "유효하지 않은 grant_type 입니다.")),
    }
}

pub(super) fn token(shared: &Shared, call: &Call) -> Answer {
    if let Err(answer) = check_grant(call) {
        return answer;
    }
    let mut auth = shared.auth();
    let grant = auth
        .account(call.field("appkey"), call.field("appsecret"))
        .and_then(|account| auth.issue(account, Instant::now()));
    match grant {
        Ok(grant) => {
            let body = format!(
                r#"{{"access_token":"{}","access_token_token_expired":"{}","token_type":"Bearer","expires_in":{}}}"#,
                grant.text,
                grant.expires_at.strftime("%Y-%m-%d %H:%M:%S"),
                grant.expires_in
            );
            Answer {
                status: 200,
                body,
                ..Answer::default()
            }
        }
        Err(denial) => refuse(denial),
    }
}

pub(super) fn revoke(shared: &Shared, call: &Call) -> Answer {
    let mut auth = shared.auth();
    let account = match auth.account(call.field("appkey"), call.field("appsecret")) {
        Ok(account) => account,
        Err(denial) => return refuse(denial),
    };
    if auth.revoke(account, call.field("token").unwrap_or_default()) {
        Answer::plain(
            200,
            &json!({ "code": 200, "message": "접근토큰 폐기에 성공하였습니다" }),
        )
    } else {
        refuse(Denial::TokenInvalid)
    }
}

pub(super) fn approval(shared: &Shared, call: &Call) -> Answer {
    if let Err(answer) = check_grant(call) {
        return answer;
    }
    let mut auth = shared.auth();
    // The secret is called `secretkey` here and `appsecret` everywhere else.
    match auth.account(call.field("appkey"), call.field("secretkey")) {
        Ok(account) => {
            let key = auth.approve(account, Instant::now());
            Answer::plain(200, &json!({ "approval_key": key }))
        }
        Err(denial) => refuse(denial),
    }
}

/// Returns a hash of the body. It need not be sent with orders, and is not checked there.
pub(super) fn hash_key(shared: &Shared, call: &Call) -> Answer {
    if let Err(denial) = shared
        .auth()
        .account(call.header("appkey"), call.header("appsecret"))
    {
        return denied(denial);
    }
    let body = call.body().to_string();
    let hash = [b"a", b"b"].map(|part| {
        let space = Uuid::new_v5(&Uuid::NAMESPACE_OID, part);
        Uuid::new_v5(&space, body.as_bytes()).simple().to_string()
    });
    Answer::plain(200, &json!({ "BODY": call.body(), "HASH": hash.concat() }))
}
