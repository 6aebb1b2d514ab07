//! Sessions: how a browser signs in, who it is then, and how it signs out.

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use tracing::{error, info};
use utoipa::ToSchema;

use crate::access::keyring::SignInError;
use crate::access::sessions::COOKIE;
use crate::access::{self, Principal, Role, guard};
use crate::envelope::Success;
use crate::error::{ApiError, Code, Failure};
use crate::extract::{Body, NoParams};
use crate::state::AppState;

/// Longest text that is looked at as a token, in characters.
const TOKEN_LENGTH_MAX: usize = 200;

/// Who asks.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Session {
    /// Name of the token; "this machine" while there is none.
    name: String,
    role: Role,
    /// Whether a token was used. False: no token exists, and this machine may do everything.
    has_token: bool,
    /// What changing requests of this session repeat as the header x-csrf-token; absent where the
    /// token itself is sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    csrf_token: Option<String>,
}

/// A token to sign in with.
#[derive(Debug, ToSchema)]
pub(crate) struct SignIn {
    /// As "turnstile token create" has shown it.
    #[schema(value_type = String)]
    #[expect(
        dead_code,
        reason = "describes the body; the token itself is taken as a secret"
    )]
    pub(crate) token: String,
}

/// A session that has ended.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SignedOut {
    has_ended: bool,
}

/// Who asks, and what changing requests of the session repeat.
#[utoipa::path(
    get, path = "/api/v1/session", tag = "session",
    responses(
        (status = 200, body = Success<Session>),
        (status = "4XX", body = Failure),
        (status = "5XX", body = Failure),
    ),
)]
pub(crate) async fn one(_: NoParams) -> Result<Success<Session>, ApiError> {
    let principal = access::current().ok_or_else(nobody)?;
    Ok(Success::one(session(principal)))
}

/// Signs a browser in: the answer sets a cookie that no script can read.
#[utoipa::path(
    post, path = "/api/v1/session", tag = "session",
    request_body = SignIn,
    responses(
        (status = 200, body = Success<Session>),
        (status = "4XX", body = Failure),
        (status = "5XX", body = Failure),
    ),
)]
pub(crate) async fn begin(
    State(state): State<AppState>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    _: NoParams,
    mut body: Body,
) -> Result<Response, ApiError> {
    let token = SecretString::from(body.required_text("token", TOKEN_LENGTH_MAX));
    body.finish()?;
    let (life, is_secure) = (state.sessions.life, state.sessions.is_secure);
    let begun = state
        .keys
        .sign_in(&state.db, token.expose_secret(), life)
        .await;
    let begun = match begun {
        Ok(begun) => begun,
        Err(SignInError::Unknown) => {
            state.guard.failed_sign_in(peer.ip())?;
            return Err(ApiError::new(
                Code::Unauthorized,
                "the token is wrong, revoked or over",
            ));
        }
        Err(SignInError::Failed(error)) => return Err(error.into()),
        Err(SignInError::Random(error)) => {
            error!(%error, "no session: no random bytes");
            return Err(ApiError::new(
                Code::Internal,
                "the request failed, the log has the cause",
            ));
        }
    };
    info!(name = begun.principal.name, "signed in");
    let value = begun.secret.expose_secret();
    let cookie = set_cookie(value, life.as_secs(), is_secure)?;
    let answer = Success::one(session(begun.principal));
    Ok(([(header::SET_COOKIE, cookie)], answer).into_response())
}

/// Ends the session of the cookie.
#[utoipa::path(
    post, path = "/api/v1/session/end", tag = "session",
    responses(
        (status = 200, body = Success<SignedOut>),
        (status = "4XX", body = Failure),
        (status = "5XX", body = Failure),
    ),
)]
pub(crate) async fn end(
    State(state): State<AppState>,
    _: NoParams,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    body.finish()?;
    let given = guard::cookie(&headers).map(|value| SecretString::from(value.to_owned()));
    let has_ended = given.is_some();
    if let Some(secret) = given {
        state.keys.sign_out(&state.db, &secret).await?;
    }
    let cookie = set_cookie("", 0, state.sessions.is_secure)?;
    let answer = Success::one(SignedOut { has_ended });
    Ok(([(header::SET_COOKIE, cookie)], answer).into_response())
}

fn session(principal: Principal) -> Session {
    Session {
        has_token: principal.has_token(),
        name: principal.name,
        role: principal.role,
        csrf_token: principal.csrf,
    }
}

/// Makes a cookie that no script reads and no foreign page sends.
fn set_cookie(value: &str, seconds: u64, is_secure: bool) -> Result<HeaderValue, ApiError> {
    let secure = if is_secure { "; Secure" } else { "" };
    let text =
        format!("{COOKIE}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}");
    HeaderValue::try_from(text).map_err(|_not_a_header| nobody())
}

fn nobody() -> ApiError {
    ApiError::new(Code::Unauthorized, "nobody is signed in")
}
