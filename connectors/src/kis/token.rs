//! The access token: one for all calls, processes and restarts.
//!
//! 1. At most one request is in flight; while one is, others keep the old token if it is valid.
//! 2. The broker returns the same token for 6 h and issues at most one a minute; every issue sends
//!    the customer a message. So a token is renewed 5 minutes before 6 h have passed since it was
//!    last asked for, and never by an order while the old one is valid.
//! 3. After EGW00133 nothing is asked for 65 s.
//! 4. A token that the broker refused is never used again, from memory or from the file.

mod cache;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::civil::DateTime;
use metrics::counter;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value, json};
use tokio::sync::Semaphore;
use tracing::{debug, info, warn};

use self::cache::Cache;
use super::Clock;
use super::classify::{Verdict, classify};
use super::config::KisSettings;
use super::error::{KisError, TransientCause};
use super::http::Http;
use super::limiter::Lane;
use super::metrics::TOKENS;
use crate::seoul::SEOUL;

const PLACE: &str = "tokenP";
/// Age at which a new token is asked for: the broker returns the same one for 6 h.
const RENEW_AFTER: Duration = Duration::from_secs(6 * 3_600 - 5 * 60);
/// Pause after "once per minute": a minute and a little for the two clocks.
const HOLD: Duration = Duration::from_secs(65);
/// A token that expires sooner is not used for a new call.
const EXPIRY_MARGIN: Duration = Duration::from_secs(60);
/// Validity of a token whose answer does not say it (KIS Open API, 2.1).
const VALIDITY_S: u64 = 86_400;

/// An access token with its times, in microseconds since the Unix epoch.
#[derive(Clone, Debug)]
pub(super) struct Token {
    pub(super) value: SecretString,
    asked_us: u64,
    expires_us: u64,
}

impl Token {
    fn is_valid(&self, now_us: u64) -> bool {
        self.expires_us > now_us.saturating_add(micros(EXPIRY_MARGIN))
    }

    fn is_due(&self, now_us: u64) -> bool {
        now_us.saturating_sub(self.asked_us) >= micros(RENEW_AFTER)
    }

    fn is_same(&self, other: &Self) -> bool {
        self.value.expose_secret() == other.value.expose_secret()
    }
}

/// Keeps the token.
pub(super) struct Tokens {
    clock: Clock,
    cache: Cache,
    /// Held by whoever asks for a token.
    gate: Semaphore,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    current: Option<Token>,
    refused: Option<Token>,
    held_until_us: u64,
}

impl Tokens {
    pub(super) fn new(settings: &KisSettings, clock: Clock) -> Self {
        Self {
            clock,
            cache: Cache::new(settings),
            gate: Semaphore::new(1),
            state: Mutex::default(),
        }
    }

    /// Returns a valid token, renewing it where that is due and `lane` is not the orders'.
    pub(super) async fn get(
        &self,
        http: &Http,
        settings: &KisSettings,
        lane: Lane,
    ) -> Result<Token, KisError> {
        let now = (self.clock)();
        let Some(current) = self.valid(now) else {
            let _permit = self.permit().await?;
            return match self.valid((self.clock)()) {
                Some(token) => Ok(token), // Whoever held the gate has asked.
                None => self.renew(http, settings).await,
            };
        };
        if lane == Lane::Order || !current.is_due(now) || self.state().held_until_us > now {
            return Ok(current);
        }
        let Ok(_permit) = self.gate.try_acquire() else {
            return Ok(current); // Somebody renews it.
        };
        match self.renew(http, settings).await {
            Ok(token) => Ok(token),
            Err(error) => {
                warn!(%error, "access token not renewed, keeping the valid one");
                self.state().held_until_us = (self.clock)().saturating_add(micros(HOLD));
                Ok(current)
            }
        }
    }

    /// Takes note that the broker does not accept `token` any more.
    pub(super) fn refuse(&self, token: &Token) {
        let mut state = self.state();
        if state.current.as_ref().is_some_and(|it| it.is_same(token)) {
            state.current = None;
        }
        state.refused = Some(token.clone());
    }

    fn valid(&self, now_us: u64) -> Option<Token> {
        let state = self.state();
        state
            .current
            .as_ref()
            .filter(|it| it.is_valid(now_us))
            .cloned()
    }

    async fn permit(&self) -> Result<tokio::sync::SemaphorePermit<'_>, KisError> {
        // The gate is never closed.
        self.gate
            .acquire()
            .await
            .map_err(|error| no_token(error.to_string()))
    }

    /// Takes a newer token from the file, or asks for one. The caller holds the gate.
    async fn renew(&self, http: &Http, settings: &KisSettings) -> Result<Token, KisError> {
        let now = (self.clock)();
        let cached = self.cache.load().await.filter(|it| self.is_usable(it, now));
        if let Some(token) = &cached
            && !token.is_due(now)
        {
            debug!("access token taken from the cache file");
            return Ok(self.keep(token.clone()));
        }
        let held_until = self.state().held_until_us;
        let asked = if held_until > now {
            let left = Duration::from_micros(held_until - now);
            Err(no_token(format!("the next may be asked for in {left:?}")))
        } else {
            self.ask(http, settings).await
        };
        match (asked, cached) {
            (Ok(token), _) => {
                self.cache.store(&token).await;
                Ok(self.keep(token))
            }
            (Err(error), Some(token)) => {
                warn!(%error, "access token not renewed, using the valid one of the cache file");
                Ok(self.keep(token))
            }
            (Err(error), None) => Err(error),
        }
    }

    fn is_usable(&self, token: &Token, now_us: u64) -> bool {
        let refused = self.state().refused.clone();
        token.is_valid(now_us) && !refused.is_some_and(|it| it.is_same(token))
    }

    fn keep(&self, token: Token) -> Token {
        self.state().current = Some(token.clone());
        token
    }

    /// Asks the broker for a token, once.
    async fn ask(&self, http: &Http, settings: &KisSettings) -> Result<Token, KisError> {
        let asked = self.ask_once(http, settings).await;
        let outcome = asked.as_ref().map_or_else(KisError::class, |_| "ok");
        counter!(TOKENS, "outcome" => outcome).increment(1);
        match &asked {
            Ok(_) => info!("access token issued"),
            Err(KisError::Transient {
                cause: TransientCause::NoToken(_),
                ..
            }) => self.state().held_until_us = (self.clock)().saturating_add(micros(HOLD)),
            Err(_) => {}
        }
        asked
    }

    async fn ask_once(&self, http: &Http, settings: &KisSettings) -> Result<Token, KisError> {
        http.turn(PLACE, Lane::Order).await?;
        let request = http.post("/oauth2/tokenP").json(&json!({
            "grant_type": "client_credentials",
            "appkey": settings.app_key.expose_secret(),
            "appsecret": settings.app_secret.expose_secret(),
        }));
        let asked_us = (self.clock)();
        let answer = http
            .exchange(PLACE, false, request, settings.timeouts.token)
            .await?;
        if let Ok(Value::Object(body)) = serde_json::from_slice(&answer.body)
            && let Some(token) = read_token(&body, asked_us)
        {
            return Ok(token);
        }
        match classify(PLACE, false, answer.status, &answer.body) {
            Verdict::Failure(error) => Err(error),
            Verdict::TokenRefused(code) => Err(no_token(code)),
            Verdict::Success(_) => Err(no_token("the answer holds no token".to_owned())),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A panic cannot leave the state half changed: every change is one assignment.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads the answer of tokenP.
fn read_token(body: &Map<String, Value>, asked_us: u64) -> Option<Token> {
    let value = body
        .get("access_token")?
        .as_str()
        .filter(|it| !it.is_empty())?;
    let seconds = body
        .get("expires_in")
        .and_then(Value::as_u64)
        .unwrap_or(VALIDITY_S);
    let latest_us = asked_us.saturating_add(micros(Duration::from_secs(seconds)));
    // The date tells the true end of a token that is issued a second time; a date outside of what
    // is possible comes from a clock that runs differently.
    let expires_us = body
        .get("access_token_token_expired")
        .and_then(Value::as_str)
        .and_then(seoul_micros)
        .filter(|until| (asked_us..latest_us).contains(until))
        .unwrap_or(latest_us);
    Some(Token {
        value: SecretString::from(value),
        asked_us,
        expires_us,
    })
}

/// Reads `YYYY-MM-DD HH:MM:SS` in Seoul as microseconds since the Unix epoch.
fn seoul_micros(text: &str) -> Option<u64> {
    let local: DateTime = text.trim().parse().ok()?;
    let instant = SEOUL.to_timestamp(local).ok()?;
    u64::try_from(instant.as_microsecond()).ok()
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

fn no_token(reason: String) -> KisError {
    KisError::Transient {
        place: PLACE,
        cause: TransientCause::NoToken(reason),
    }
}
