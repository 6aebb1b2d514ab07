//! The calls: spaced, bounded in time and size, repeated only where the source reports a fault of
//! its own.

use std::error::Error;
use std::iter;
use std::slice::Chunks;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};
use metrics::{counter, histogram};
use reqwest::header::{ACCEPT, REFERER, USER_AGENT};
use reqwest::{Client, redirect, retry};
use tokio::time::Instant;
use turnstile_dataflows::model::Symbol;

use super::config::NaverConfig;
use super::error::{NaverError, UnavailableCause};
use super::metrics::{CALL_LATENCY, CALLS, ROWS_REFUSED};
use super::parse;
use super::quote::{FaultReason, NaverAnswer, RowFault};
use crate::kis::Clock;

const PATH: &str = "/api/realtime/domestic/stock";
/// The source is made for its own pages, and turns away what does not look like one.
const AGENT: &str = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) \
                     Chrome/141.0.0.0 Safari/537.36";
const PAGE: &str = "https://finance.naver.com/";
/// Longest answer that is read. A row is about 3 kB, so 100 rows take a third.
const ANSWER_BYTES_MAX: usize = 1 << 20;
/// Repetitions after a status of 500 or above (domain, 2.4).
const REPETITIONS_MAX: usize = 2;
/// Pause before the first repetition; it doubles, with jitter.
const REPETITION_PAUSE: Duration = Duration::from_millis(500);

/// The source of reference prices. Clones share connections and spacing.
#[derive(Clone)]
pub struct NaverClient {
    inner: Arc<Inner>,
}

struct Inner {
    config: NaverConfig,
    http: Client,
    clock: Clock,
    /// Earliest start of the next call.
    next_call: Mutex<Instant>,
}

impl NaverClient {
    /// Returns a client for a configuration without faults; nothing is sent yet.
    ///
    /// # Errors
    /// [`NaverError::Unavailable`] if the HTTP client cannot be built.
    pub fn new(config: NaverConfig, clock: Clock) -> Result<Self, NaverError> {
        crate::tls::install_provider();
        let http = Client::builder()
            .retry(retry::never())
            .redirect(redirect::Policy::none())
            .no_proxy()
            .http1_only()
            .timeout(config.timeout)
            .build()
            .map_err(|error| broken(&error))?;
        Ok(Self {
            inner: Arc::new(Inner {
                config,
                http,
                clock,
                next_call: Mutex::new(Instant::now()),
            }),
        })
    }

    /// Returns the configuration.
    pub fn config(&self) -> &NaverConfig {
        &self.inner.config
    }

    /// Returns `symbols` in groups, each for one call.
    pub fn groups<'a>(&self, symbols: &'a [Symbol]) -> Chunks<'a, Symbol> {
        symbols.chunks(self.per_call())
    }

    fn per_call(&self) -> usize {
        self.inner.config.symbols_per_call.max(1)
    }

    /// Asks for the prices of `symbols` in one call. Those beyond what a call asks for are left
    /// out and said to be so; none at all makes no call.
    ///
    /// # Errors
    /// If there is no answer as a whole, after the repetitions. What is wrong with single rows is
    /// in the answer.
    pub async fn quotes(&self, symbols: &[Symbol]) -> Result<NaverAnswer, NaverError> {
        let (asked, left_out) = symbols.split_at(symbols.len().min(self.per_call()));
        if asked.is_empty() {
            return Ok(NaverAnswer {
                received_us: (self.inner.clock)(),
                ..NaverAnswer::default()
            });
        }
        let pauses = ExponentialBuilder::new()
            .with_min_delay(REPETITION_PAUSE)
            .with_max_times(REPETITIONS_MAX)
            .with_jitter();
        let mut answer = (|| self.attempt(asked))
            .retry(pauses)
            .when(NaverError::is_server_fault)
            .await?;
        answer.faults.extend(left_out.iter().map(|symbol| RowFault {
            symbol: Some(*symbol),
            field: "datas".to_owned(),
            reason: FaultReason::LeftOut,
        }));
        for fault in &answer.faults {
            counter!(ROWS_REFUSED, "reason" => fault.reason.label()).increment(1);
        }
        Ok(answer)
    }

    /// Makes one call in its turn.
    async fn attempt(&self, asked: &[Symbol]) -> Result<NaverAnswer, NaverError> {
        self.turn().await;
        let since = Instant::now();
        let exchanged = self.exchange(asked).await;
        histogram!(CALL_LATENCY).record(since.elapsed());
        let answer = exchanged.and_then(|body| parse::answer(&body, asked, (self.inner.clock)()));
        let result = answer.as_ref().map_or_else(NaverError::class, |_| "ok");
        counter!(CALLS, "result" => result).increment(1);
        answer
    }

    /// Waits for the turn of a call. A turn that is not used, since its future was dropped, passes.
    async fn turn(&self) {
        let at = {
            let next_call = &self.inner.next_call;
            let mut next = next_call.lock().unwrap_or_else(PoisonError::into_inner);
            let at = Instant::now().max(*next);
            *next = at + self.inner.config.spacing;
            at
        };
        tokio::time::sleep_until(at).await;
    }

    /// Sends the call and returns the body of its answer.
    async fn exchange(&self, asked: &[Symbol]) -> Result<Vec<u8>, NaverError> {
        let Inner { config, http, .. } = &*self.inner;
        let codes: Vec<String> = asked.iter().map(Symbol::to_string).collect();
        let url = config.url.trim_end_matches('/');
        let lost = |error: reqwest::Error| {
            if error.is_timeout() {
                NaverError::TimedOut {
                    after: config.timeout,
                }
            } else {
                broken(&error.without_url())
            }
        };
        let mut response = http
            .get(format!("{url}{PATH}/{}", codes.join(",")))
            .header(USER_AGENT, AGENT)
            .header(REFERER, PAGE)
            .header(ACCEPT, "application/json")
            .send()
            .await
            .map_err(lost)?;
        match response.status().as_u16() {
            200 => {}
            status @ (403 | 429) => return Err(NaverError::Blocked { status }),
            status @ 500.. => {
                return Err(NaverError::Unavailable(UnavailableCause::Status(status)));
            }
            status => {
                return Err(NaverError::Malformed {
                    place: "status",
                    reason: format!("200 expected, was {status}"),
                });
            }
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(lost)? {
            if body.len() + chunk.len() > ANSWER_BYTES_MAX {
                return Err(NaverError::Malformed {
                    place: "body",
                    reason: format!("at most {ANSWER_BYTES_MAX} bytes expected, were more"),
                });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }
}

/// Returns the error of a connection that was not made or broke, with its causes.
fn broken(error: &(dyn Error + 'static)) -> NaverError {
    let chain = iter::successors(Some(error), |&error| error.source());
    let texts: Vec<String> = chain.map(ToString::to_string).collect();
    NaverError::Unavailable(UnavailableCause::Transport(texts.join(": ")))
}
