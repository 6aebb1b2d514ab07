//! Keys, tokens and call limits (KIS Open API, authentication and rate limits).
//!
//! Tokens, approval keys and limits live in real time, whatever the simulated clock says: a client
//! compares their ends with its own clock.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::civil::DateTime;
use tokio::time::Instant;
use uuid::Uuid;

use crate::{
    clock::{real_us, seoul},
    config::{Environment, SimConfig},
};

/// Life of a token and of an approval key.
const LIFE: Duration = Duration::from_secs(24 * 3600);
/// A token younger than this is handed out again.
const SAME_TOKEN_FOR: Duration = Duration::from_secs(6 * 3600);
const MINUTE: Duration = Duration::from_secs(60);
const SECOND: Duration = Duration::from_secs(1);
/// Tokens and approval keys that are remembered per application key; the oldest go.
const REMEMBERED: usize = 64;

#[derive(Debug)]
pub(crate) struct Auth {
    keys: Vec<(String, String)>,
    calls_per_second: u32,
    tokens_per_minute: u32,
    clients: BTreeMap<usize, Client>,
    approvals: VecDeque<(String, usize, Instant)>,
}

#[derive(Debug, Default)]
struct Client {
    tokens: VecDeque<Token>,
    issued: VecDeque<Instant>,
    calls: VecDeque<Instant>,
}

#[derive(Clone, Debug)]
struct Token {
    text: String,
    issued: Instant,
    state: TokenState,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TokenState {
    Valid,
    Expired,
    Revoked,
}

/// A token as it is handed out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Grant {
    pub(crate) text: String,
    pub(crate) expires_in: u64,
    /// Seoul time of its end.
    pub(crate) expires_at: DateTime,
}

/// Why the gateway does not let a call through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Denial {
    AppKeyMissing,
    AppKeyInvalid,
    SecretMissing,
    SecretInvalid,
    TokenInvalid,
    TokenExpired,
    TokenTooOften,
    TooManyCalls,
}

impl Auth {
    pub(crate) fn new(config: &SimConfig) -> Self {
        let by_environment = match config.environment {
            Environment::Production => 18,
            Environment::Paper => 1,
        };
        Self {
            keys: config
                .accounts
                .iter()
                .map(|account| (account.app_key.clone(), account.app_secret.clone()))
                .collect(),
            calls_per_second: config.limits.rest_per_second.unwrap_or(by_environment),
            tokens_per_minute: config.limits.token_per_minute,
            clients: BTreeMap::new(),
            approvals: VecDeque::new(),
        }
    }

    /// Returns the account of an application key with its secret.
    ///
    /// # Errors
    /// A key or secret that is missing or wrong.
    pub(crate) fn account(&self, key: Option<&str>, secret: Option<&str>) -> Result<usize, Denial> {
        let key = key
            .filter(|key| !key.is_empty())
            .ok_or(Denial::AppKeyMissing)?;
        let account = self.keys.iter().position(|(known, _)| known == key);
        let account = account.ok_or(Denial::AppKeyInvalid)?;
        let secret = secret
            .filter(|secret| !secret.is_empty())
            .ok_or(Denial::SecretMissing)?;
        if self.keys[account].1 == secret {
            Ok(account)
        } else {
            Err(Denial::SecretInvalid)
        }
    }

    /// Issues a token, within six hours the same one.
    ///
    /// # Errors
    /// More issues in a minute than the limit.
    pub(crate) fn issue(&mut self, account: usize, now: Instant) -> Result<Grant, Denial> {
        let app_key = self.keys[account].0.clone();
        let client = self.clients.entry(account).or_default();
        if !is_within(&mut client.issued, self.tokens_per_minute, MINUTE, now) {
            return Err(Denial::TokenTooOften);
        }
        let is_fresh = |token: &&Token| {
            token.state == TokenState::Valid && now.duration_since(token.issued) < SAME_TOKEN_FOR
        };
        let token = if let Some(token) = client.tokens.back().filter(is_fresh) {
            token.clone()
        } else {
            let token = Token {
                text: token_text(&app_key),
                issued: now,
                state: TokenState::Valid,
            };
            remember(&mut client.tokens, token.clone());
            token
        };
        let left = LIFE
            .saturating_sub(now.duration_since(token.issued))
            .as_secs();
        let left_us = i64::try_from(left * 1_000_000).unwrap_or(0);
        Ok(Grant {
            text: token.text,
            expires_in: left,
            expires_at: seoul(real_us() + left_us),
        })
    }

    /// Makes a token invalid and returns whether it was known.
    pub(crate) fn revoke(&mut self, account: usize, text: &str) -> bool {
        let client = self.clients.entry(account).or_default();
        let found = client.tokens.iter_mut().find(|token| token.text == text);
        found
            .map(|token| token.state = TokenState::Revoked)
            .is_some()
    }

    /// Lets every token expire at once.
    pub(crate) fn expire_tokens(&mut self) {
        for token in self
            .clients
            .values_mut()
            .flat_map(|client| &mut client.tokens)
        {
            token.state = TokenState::Expired;
        }
    }

    /// Checks the token of a call.
    ///
    /// # Errors
    /// A token that is not known, revoked or expired.
    pub(crate) fn check(
        &self,
        account: usize,
        authorization: Option<&str>,
        now: Instant,
    ) -> Result<(), Denial> {
        let text = authorization.and_then(|value| value.strip_prefix("Bearer "));
        let tokens = self.clients.get(&account).map(|client| &client.tokens);
        let token = tokens
            .and_then(|tokens| {
                tokens
                    .iter()
                    .find(|token| Some(token.text.as_str()) == text)
            })
            .ok_or(Denial::TokenInvalid)?;
        match token.state {
            TokenState::Revoked => Err(Denial::TokenInvalid),
            TokenState::Expired => Err(Denial::TokenExpired),
            TokenState::Valid if now.duration_since(token.issued) >= LIFE => {
                Err(Denial::TokenExpired)
            }
            TokenState::Valid => Ok(()),
        }
    }

    /// Counts a call against the limit of its application key.
    ///
    /// # Errors
    /// More calls in a second than the limit; the call is not counted then.
    pub(crate) fn count_call(&mut self, account: usize, now: Instant) -> Result<(), Denial> {
        let client = self.clients.entry(account).or_default();
        if is_within(&mut client.calls, self.calls_per_second, SECOND, now) {
            Ok(())
        } else {
            Err(Denial::TooManyCalls)
        }
    }

    /// Issues a key for WebSocket sessions.
    pub(crate) fn approve(&mut self, account: usize, now: Instant) -> String {
        let key = Uuid::new_v4().to_string();
        remember(&mut self.approvals, (key.clone(), account, now));
        key
    }

    /// Returns the account of an approval key that is not older than a day.
    pub(crate) fn account_of_approval(&self, key: &str) -> Option<usize> {
        let now = Instant::now();
        self.approvals
            .iter()
            .find(|(known, _, issued)| known == key && now.duration_since(*issued) < LIFE)
            .map(|(_, account, _)| *account)
    }
}

/// Counts one event and returns whether it keeps to `most` in any `window`; 0 is no limit.
fn is_within(events: &mut VecDeque<Instant>, most: u32, window: Duration, now: Instant) -> bool {
    if most == 0 {
        return true;
    }
    while events
        .front()
        .is_some_and(|at| now.duration_since(*at) >= window)
    {
        events.pop_front();
    }
    let is_within = events.len() < usize::try_from(most).unwrap_or(usize::MAX);
    if is_within {
        events.push_back(now);
    }
    is_within
}

fn remember<T>(list: &mut VecDeque<T>, entry: T) {
    if list.len() == REMEMBERED {
        list.pop_front();
    }
    list.push_back(entry);
}

/// Returns a token in the form of the broker's: a JWT whose `jti` is the application key.
fn token_text(app_key: &str) -> String {
    let issued = real_us() / 1_000_000;
    let header = URL_SAFE_NO_PAD.encode(r#"{"typ":"JWT","alg":"HS512"}"#);
    let claims = serde_json::json!({
        "sub": "token",
        "aud": Uuid::new_v4().to_string(),
        "iss": "unogw",
        "exp": issued + 86_400,
        "iat": issued,
        "jti": app_key,
    });
    let claims = URL_SAFE_NO_PAD.encode(claims.to_string());
    let signature =
        URL_SAFE_NO_PAD.encode([Uuid::new_v4().into_bytes(), Uuid::new_v4().into_bytes()].concat());
    format!("{header}.{claims}.{signature}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn auth() -> Auth {
        Auth::new(&SimConfig::default())
    }

    #[test]
    fn the_same_token_is_issued_for_six_hours_and_once_a_minute() {
        let (mut auth, start) = (auth(), Instant::now());
        let first = auth.issue(0, start).unwrap();
        assert_eq!(first.expires_in, 86_400);
        assert!(first.text.len() <= 350, "{}", first.text.len());
        assert_eq!(
            auth.issue(0, start + Duration::from_secs(59)),
            Err(Denial::TokenTooOften)
        );
        let second = auth.issue(0, start + Duration::from_secs(60)).unwrap();
        assert_eq!((&second.text, second.expires_in), (&first.text, 86_340));
        let third = auth
            .issue(0, start + Duration::from_secs(6 * 3600))
            .unwrap();
        assert_ne!(third.text, first.text);
    }

    #[test]
    fn tokens_end_after_a_day_or_when_revoked() {
        let (mut auth, start) = (auth(), Instant::now());
        let bearer = format!("Bearer {}", auth.issue(0, start).unwrap().text);
        let check = |auth: &Auth, after| auth.check(0, Some(&bearer), start + after);
        assert_eq!(check(&auth, LIFE - SECOND), Ok(()));
        assert_eq!(check(&auth, LIFE), Err(Denial::TokenExpired));
        auth.expire_tokens();
        assert_eq!(check(&auth, SECOND), Err(Denial::TokenExpired));
        assert!(auth.revoke(0, bearer.strip_prefix("Bearer ").unwrap()));
        assert_eq!(check(&auth, SECOND), Err(Denial::TokenInvalid));
        assert_eq!(auth.check(0, None, start), Err(Denial::TokenInvalid));
    }

    #[test]
    fn calls_beyond_the_limit_are_refused_and_not_counted() {
        let (mut auth, start) = (auth(), Instant::now());
        for _ in 0..18 {
            assert_eq!(auth.count_call(0, start), Ok(()));
        }
        assert_eq!(auth.count_call(0, start), Err(Denial::TooManyCalls));
        assert_eq!(auth.count_call(0, start + SECOND), Ok(()));
    }
}
