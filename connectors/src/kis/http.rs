//! One HTTP exchange with the broker: sent at most once, bounded in time and size.

use std::error::Error;
use std::time::Duration;

use reqwest::{Client, RequestBuilder, redirect, retry};

use super::classify::unusable;
use super::config::KisSettings;
use super::error::{KisError, TransientCause};
use super::limiter::{Lane, LaneFull, Limiter};

/// Longest answer that is read; the largest page of the broker is below 200 kB.
const ANSWER_BYTES_MAX: usize = 8 << 20;
/// A pooled connection that idles longer is dropped: the broker closes it about then, and an order
/// lost on a dying connection has an unknown outcome.
const POOL_IDLE: Duration = Duration::from_secs(20);

/// The HTTP client of one app key with its limiter.
#[derive(Debug)]
pub(super) struct Http {
    client: Client,
    limiter: Limiter,
    rest_url: String,
}

/// An answer, its meaning not yet known.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// Header `tr_cont`: `F` or `M` where more pages follow.
    pub(super) tr_cont: String,
    pub(super) body: Vec<u8>,
}

impl Http {
    /// Returns a client that never repeats, redirects or goes through a proxy on its own.
    pub(super) fn new(settings: &KisSettings) -> Result<Self, KisError> {
        crate::tls::install_provider();
        let client = Client::builder()
            .retry(retry::never())
            .redirect(redirect::Policy::none())
            .no_proxy()
            .http1_only()
            .connect_timeout(settings.timeouts.connect)
            .pool_idle_timeout(POOL_IDLE)
            .build()
            .map_err(|error| local_fault("client", &error))?;
        Ok(Self {
            client,
            limiter: Limiter::new(settings.rate),
            rest_url: settings.rest_url.clone(),
        })
    }

    /// Waits for the turn of a call in `lane`.
    pub(super) async fn turn(&self, place: &'static str, lane: Lane) -> Result<(), KisError> {
        self.limiter
            .acquire(lane)
            .await
            .map_err(|LaneFull { lane, waiting }| KisError::Transient {
                place,
                cause: TransientCause::QueueFull { lane, waiting },
            })
    }

    /// Returns how long a call in `lane` would wait now.
    pub(super) fn backlog(&self, lane: Lane) -> Duration {
        self.limiter.backlog(lane)
    }

    /// Returns how many calls of `lane` were let through so far.
    pub(super) fn turns(&self, lane: Lane) -> u64 {
        self.limiter.turns(lane)
    }

    pub(super) fn get(&self, path: &str) -> RequestBuilder {
        self.client.get(format!("{}{path}", self.rest_url))
    }

    pub(super) fn post(&self, path: &str) -> RequestBuilder {
        self.client.post(format!("{}{path}", self.rest_url))
    }

    /// Sends `request` once. The caller has waited for its turn.
    ///
    /// # Errors
    /// `NotSent` where no connection was made; otherwise no usable answer, or, for an order, an
    /// unknown outcome.
    pub(super) async fn exchange(
        &self,
        place: &'static str,
        is_order: bool,
        request: RequestBuilder,
        timeout: Duration,
    ) -> Result<Answer, KisError> {
        let request = request
            .timeout(timeout)
            .build()
            .map_err(|error| local_fault(place, &error))?;
        let lost = |error: reqwest::Error| {
            if error.is_connect() {
                KisError::Transient {
                    place,
                    cause: TransientCause::NotSent(chain(&error.without_url())),
                }
            } else {
                unusable(place, is_order, chain(&error.without_url()))
            }
        };
        let mut response = self.client.execute(request).await.map_err(lost)?;
        let tr_cont = response
            .headers()
            .get("tr_cont")
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
            .trim()
            .to_owned();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(lost)? {
            if body.len() + chunk.len() > ANSWER_BYTES_MAX {
                let reason = format!("answer is longer than {ANSWER_BYTES_MAX} bytes");
                return Err(unusable(place, is_order, reason));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer {
            status: response.status().as_u16(),
            tr_cont,
            body,
        })
    }
}

/// Returns the error of a request that could not even be built.
fn local_fault(place: &'static str, error: &dyn Error) -> KisError {
    KisError::Configuration {
        place,
        code: "LOCAL".to_owned(),
        message: chain(error),
    }
}

/// Returns an error with its causes. The address is left out: queries carry the account number.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        text.push_str(": ");
        text.push_str(&next.to_string());
        cause = next.source();
    }
    text
}
