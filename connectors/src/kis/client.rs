//! The broker over REST: one client for all calls of an app key.
//!
//! ```text
//! method ─> retry (queries: transient; orders: throttled only) ─> turn ─> token ─> exchange
//!                                                                          └─ refused: renew once
//! ```
//!
//! 1. Every attempt takes a turn at the one limiter.
//! 2. An order is sent again only where the broker proved that it executed nothing. Dropping the
//!    future of an order after its first poll leaves its outcome unknown.
//! 3. Lists are read to the end, or say that they are not complete.

mod account;
mod calendar;
mod daily_orders;
mod figures;
mod orders;
mod pages;
mod quotes;
mod row;
mod stock_info;

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};
use metrics::{counter, histogram};
use secrecy::ExposeSecret;
use serde_json::{Map, Value, json};
use tokio::time::Instant;
use tracing::warn;

pub use self::account::{AccountSummary, Balance, BuyingPower, Holding};
pub use self::calendar::{Calendar, CalendarDay};
pub use self::daily_orders::{DailyOrder, DailyOrders, DailyOrdersFilter};
pub use self::figures::CompanyFigures;
pub use self::quotes::{DailyBar, DailyBars, PriceAdjustment, PriceSnapshot};
pub use self::stock_info::{Listing, StockInfo};

use super::Clock;
use super::classify::{Verdict, classify};
use super::config::{KisSettings, Retry};
use super::error::{KisError, Malformed, TransientCause};
use super::fault_log::FaultLog;
use super::http::Http;
use super::limiter::Lane;
use super::metrics::{CALL_LATENCY, CALLS, ERRORS};
use super::token::Tokens;
use super::tr::Tr;

/// The broker over REST. Clones share token, limiter and connections.
#[derive(Clone)]
pub struct KisClient {
    inner: Arc<Inner>,
}

struct Inner {
    settings: KisSettings,
    http: Http,
    tokens: Tokens,
    clock: Clock,
    faults: Mutex<FaultLog>,
    /// Calls in a row that nobody answered.
    unanswered: AtomicU32,
    /// When the broker last answered anything, microseconds since the Unix epoch.
    heard_us: AtomicU64,
    /// When a session of this key last said something, likewise.
    stream_heard_us: AtomicU64,
    calls: AtomicU64,
    throttled: AtomicU64,
    faulty: AtomicU64,
}

/// Calls of an app key since the start, repetitions included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CallCounts {
    /// All of them.
    pub calls: u64,
    /// Those that were refused for the limit of calls a second.
    pub throttled: u64,
    /// Those that the broker answered with a fault of its own.
    pub faulty: u64,
}

/// One operation with its fields.
struct Request {
    tr: Tr,
    lane: Lane,
    fields: Vec<(&'static str, String)>,
    next_page: bool,
}

/// A successful answer.
struct Reply {
    body: Map<String, Value>,
    /// Whether the broker says that more pages follow.
    has_more: bool,
}

impl KisClient {
    /// Returns a client; nothing is sent yet.
    ///
    /// # Errors
    /// [`KisError::Configuration`] if the HTTP client cannot be built.
    pub fn new(settings: KisSettings, clock: Clock) -> Result<Self, KisError> {
        Ok(Self {
            inner: Arc::new(Inner {
                http: Http::new(&settings)?,
                tokens: Tokens::new(&settings, Arc::clone(&clock)),
                settings,
                clock,
                faults: Mutex::default(),
                unanswered: AtomicU32::new(0),
                heard_us: AtomicU64::new(0),
                stream_heard_us: AtomicU64::new(0),
                calls: AtomicU64::new(0),
                throttled: AtomicU64::new(0),
                faulty: AtomicU64::new(0),
            }),
        })
    }

    /// Returns the checked configuration.
    pub fn settings(&self) -> &KisSettings {
        &self.inner.settings
    }

    /// Returns how many calls in a row, of any kind, the broker has not answered. A refusal is an
    /// answer; what waits for its turn here is no call yet.
    pub fn unanswered(&self) -> u32 {
        self.inner.unanswered.load(Ordering::Relaxed)
    }

    /// Returns when the broker last answered a call, microseconds since the Unix epoch.
    pub fn heard_us(&self) -> u64 {
        self.inner.heard_us.load(Ordering::Relaxed)
    }

    /// Returns when the stream of this key last said something, microseconds since the Unix epoch.
    pub fn stream_heard_us(&self) -> u64 {
        self.inner.stream_heard_us.load(Ordering::Relaxed)
    }

    pub(super) fn note_stream_heard(&self, now_us: u64) {
        self.inner.stream_heard_us.store(now_us, Ordering::Relaxed);
    }

    /// Returns how long a call in `lane` would wait for its turn now, unless more urgent ones come.
    pub fn backlog(&self, lane: Lane) -> Duration {
        self.inner.http.backlog(lane)
    }

    /// Returns how many calls of `lane` have had their turn so far.
    pub fn turns(&self, lane: Lane) -> u64 {
        self.inner.http.turns(lane)
    }

    /// Returns what became of the calls so far.
    pub fn counts(&self) -> CallCounts {
        CallCounts {
            calls: self.inner.calls.load(Ordering::Relaxed),
            throttled: self.inner.throttled.load(Ordering::Relaxed),
            faulty: self.inner.faulty.load(Ordering::Relaxed),
        }
    }

    /// Returns a key for one WebSocket connection (KIS Open API, 2.3).
    ///
    /// # Errors
    /// As for a query. Not repeated here: the connection has a pause of its own.
    pub async fn approval_key(&self) -> Result<String, KisError> {
        const PLACE: &str = "Approval";
        let Inner { settings, http, .. } = &*self.inner;
        http.turn(PLACE, Lane::Query).await?;
        let request = http.post("/oauth2/Approval").json(&json!({
            "grant_type": "client_credentials",
            "appkey": settings.app_key.expose_secret(),
            "secretkey": settings.app_secret.expose_secret(), // Here it is not called appsecret.
        }));
        let answer = http
            .exchange(PLACE, false, request, settings.timeouts.token)
            .await?;
        if let Ok(Value::Object(body)) = serde_json::from_slice(&answer.body)
            && let Some(key) = body.get("approval_key").and_then(Value::as_str)
            && !key.is_empty()
        {
            return Ok(key.to_owned());
        }
        match classify(PLACE, false, answer.status, &answer.body) {
            Verdict::Failure(error) => Err(error),
            Verdict::TokenRefused(_) | Verdict::Success(_) => Err(super::classify::unusable(
                PLACE,
                false,
                "the answer holds no approval_key".to_owned(),
            )),
        }
    }

    /// Sends a query, repeating it while its failure is transient.
    async fn query(&self, request: &Request) -> Result<Reply, KisError> {
        let Retry {
            queries_max,
            query_pause,
            pause_max,
            ..
        } = self.inner.settings.retry;
        (|| self.call(request))
            .retry(pauses(query_pause, pause_max, queries_max))
            .when(KisError::is_transient)
            .await
    }

    /// Sends an order, repeating it only where it was refused for the per-second limit.
    async fn order(&self, request: &Request) -> Result<Reply, KisError> {
        let Retry {
            throttled_orders_max,
            throttled_order_pause,
            pause_max,
            ..
        } = self.inner.settings.retry;
        (|| self.call(request))
            .retry(pauses(
                throttled_order_pause,
                pause_max,
                throttled_orders_max,
            ))
            .when(KisError::is_throttled)
            .await
    }

    /// Sends a request, with one renewal of the token where the broker refuses it.
    async fn call(&self, request: &Request) -> Result<Reply, KisError> {
        let done = self.call_with_token(request).await;
        let is_answered = match &done {
            Ok(_) => Some(true),
            Err(error) if error.is_answer() => Some(true),
            // It never left.
            Err(KisError::Transient {
                cause: TransientCause::QueueFull { .. },
                ..
            }) => None,
            Err(_) => Some(false),
        };
        match is_answered {
            Some(true) => {
                self.inner.unanswered.store(0, Ordering::Relaxed);
                let now_us = (self.inner.clock)();
                self.inner.heard_us.store(now_us, Ordering::Relaxed);
            }
            Some(false) => {
                self.inner.unanswered.fetch_add(1, Ordering::Relaxed);
            }
            None => {}
        }
        done
    }

    async fn call_with_token(&self, request: &Request) -> Result<Reply, KisError> {
        let place = request.tr.name();
        match self.attempt(request).await? {
            Attempt::Done(reply) => Ok(reply),
            Attempt::TokenRefused(code) => {
                warn!(place, code, "access token refused, renewing it");
                match self.attempt(request).await? {
                    Attempt::Done(reply) => Ok(reply),
                    Attempt::TokenRefused(code) => Err(KisError::Transient {
                        place,
                        cause: TransientCause::NoToken(code),
                    }),
                }
            }
        }
    }

    /// Sends a request once, in its turn.
    async fn attempt(&self, request: &Request) -> Result<Attempt, KisError> {
        let Inner {
            settings,
            http,
            tokens,
            ..
        } = &*self.inner;
        let (place, is_order) = (request.tr.name(), request.tr.is_order());
        let token = tokens.get(http, settings, request.lane).await?;
        http.turn(place, request.lane).await?;
        let builder = if is_order {
            let body: Map<String, Value> = request
                .fields
                .iter()
                .map(|(key, value)| ((*key).to_owned(), Value::from(value.as_str())))
                .collect();
            http.post(request.tr.path()).json(&body)
        } else {
            http.get(request.tr.path()).query(&request.fields)
        };
        let builder = builder
            .header("content-type", "application/json; charset=utf-8")
            .bearer_auth(token.value.expose_secret())
            .header("appkey", settings.app_key.expose_secret())
            .header("appsecret", settings.app_secret.expose_secret())
            .header("tr_id", request.tr.id(settings.environment))
            .header("custtype", "P")
            .header("tr_cont", if request.next_page { "N" } else { "" });
        let timeout = if is_order {
            settings.timeouts.order
        } else {
            settings.timeouts.query
        };
        let since = Instant::now();
        let exchanged = http.exchange(place, is_order, builder, timeout).await;
        histogram!(CALL_LATENCY, "operation" => place).record(since.elapsed());
        let done = exchanged.and_then(|answer| {
            let has_more = matches!(answer.tr_cont.as_str(), "F" | "M");
            match classify(place, is_order, answer.status, &answer.body) {
                Verdict::Success(body) => Ok(Attempt::Done(Reply { body, has_more })),
                Verdict::TokenRefused(code) => Ok(Attempt::TokenRefused(code)),
                Verdict::Failure(error) => Err(error),
            }
        });
        let outcome = match &done {
            Ok(Attempt::Done(_)) => "ok",
            Ok(Attempt::TokenRefused(_)) => {
                tokens.refuse(&token);
                "token_refused"
            }
            Err(error) => error.class(),
        };
        self.inner.calls.fetch_add(1, Ordering::Relaxed);
        let kind = match outcome {
            "throttled" => Some(&self.inner.throttled),
            "server" => Some(&self.inner.faulty),
            _ => None,
        };
        if let Some(kind) = kind {
            kind.fetch_add(1, Ordering::Relaxed);
        }
        counter!(CALLS, "operation" => place, "outcome" => outcome).increment(1);
        if outcome != "ok" {
            counter!(ERRORS, "class" => outcome).increment(1);
        }
        done
    }

    /// Counts a bad row or a list that broke off; says it now and then, since lists are polled.
    fn report(&self, fault: &Malformed) {
        let faults = &self.inner.faults;
        let mut faults = faults.lock().unwrap_or_else(PoisonError::into_inner);
        faults.take(fault);
    }

    /// Returns the fields that name the account.
    fn account_fields(&self) -> Vec<(&'static str, String)> {
        let account = &self.inner.settings.account;
        vec![
            ("CANO", account.cano().to_owned()),
            ("ACNT_PRDT_CD", account.product().to_owned()),
        ]
    }
}

/// What became of one attempt that was answered.
enum Attempt {
    Done(Reply),
    TokenRefused(String),
}

/// Returns the pauses between at most `max` repetitions.
fn pauses(first: Duration, longest: Duration, max: usize) -> ExponentialBuilder {
    ExponentialBuilder::new()
        .with_min_delay(first)
        .with_max_delay(longest.max(first))
        .with_max_times(max)
        .with_jitter()
}

/// Returns the error of an answer that lacks what the operation promises: read, so for a query it
/// may be asked again.
fn without_output(place: &'static str, fault: &Malformed) -> KisError {
    super::classify::unusable(place, false, fault.to_string())
}
