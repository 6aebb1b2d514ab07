//! Configuration of the broker connection: what a file says, checked into what the rest uses.

mod keys;
mod sections;

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use self::keys::{KeyConfig, MoreKey};
pub use self::sections::{RateConfig, Reconnect, Retry, StreamTuning, Timeouts};
use super::limiter::Rate;
use super::order::Account;

/// Host of the broker's production REST server.
const PRODUCTION_HOST: &str = "openapi.koreainvestment.com";
/// Host of the broker's paper REST server.
const PAPER_HOST: &str = "openapivts.koreainvestment.com";
/// Calls per second: 18 are allowed in production and 1 on paper since 2026-04-20 (KIS Open API,
/// 3.2). 15 leaves room for a burst of 3 within any one second.
const PRODUCTION_PER_SECOND: u32 = 15;
/// See [`PRODUCTION_PER_SECOND`].
const PAPER_PER_SECOND: u32 = 1;
/// Calls at once in production: with 15 a second, at most 18 in any second.
const PRODUCTION_BURST: u32 = 3;
/// Calls at once on paper, where the second call of a second is refused.
const PAPER_BURST: u32 = 1;

/// Which of the broker's two worlds: they differ in hosts, keys, accounts, tokens and TR ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Environment {
    /// 모의투자: invented money.
    Paper,
    /// Real money.
    Production,
}

/// The broker connection as a configuration file has it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct KisConfig {
    /// Paper or production; there is no default.
    pub environment: Option<Environment>,
    /// REST address; absent means the broker's own for the environment.
    pub rest_url: Option<String>,
    /// WebSocket address, `ws://`; absent means the broker's own for the environment.
    pub ws_url: Option<String>,
    /// Path on the WebSocket server.
    pub ws_path: String,
    /// App key.
    pub app_key: SecretString,
    /// App secret.
    pub app_secret: SecretString,
    /// Further app keys of the same person, for quotes: each brings a WebSocket session and calls of
    /// its own.
    pub more_keys: Vec<KeyConfig>,
    /// Account, `12345678-01`.
    pub account: SecretString,
    /// HTS login id, under which execution notices are sent.
    pub hts_id: String,
    /// File that keeps the access token across restarts and processes.
    pub token_cache: PathBuf,
    /// Registrations that a WebSocket session may hold, notices included; 0 lifts it (load tests).
    pub registrations_max: usize,
    /// Speed of REST calls.
    pub rate: RateConfig,
    /// How long to wait for what.
    pub timeouts: Timeouts,
    /// Repetition of REST calls.
    pub retry: Retry,
    /// Return to the WebSocket after a loss.
    pub reconnect: Reconnect,
    /// The running WebSocket session.
    pub stream: StreamTuning,
}

impl Default for KisConfig {
    fn default() -> Self {
        Self {
            environment: None,
            rest_url: None,
            ws_url: None,
            ws_path: "/tryitout".to_owned(),
            app_key: SecretString::default(),
            app_secret: SecretString::default(),
            more_keys: Vec::new(),
            account: SecretString::default(),
            hts_id: String::new(),
            token_cache: PathBuf::new(),
            registrations_max: 41, // Measured against the broker; the 42nd is refused.
            rate: RateConfig::default(),
            timeouts: Timeouts::default(),
            retry: Retry::default(),
            reconnect: Reconnect::default(),
            stream: StreamTuning::default(),
        }
    }
}

/// Everything that is wrong with a configuration, one line each, with the path of its key.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{}", .0.join("; "))]
pub struct ConfigFaults(pub Vec<String>);

/// The checked configuration. Its `Debug` shows no secret.
#[derive(Clone, Debug)]
pub struct KisSettings {
    /// Paper or production.
    pub environment: Environment,
    /// REST address without a trailing slash.
    pub rest_url: String,
    /// WebSocket address with its path.
    pub ws_url: String,
    /// App key.
    pub app_key: SecretString,
    /// App secret.
    pub app_secret: SecretString,
    /// Further app keys, for quotes.
    pub more_keys: Vec<MoreKey>,
    /// Account.
    pub account: Account,
    /// HTS login id.
    pub hts_id: String,
    /// File that keeps the access token.
    pub token_cache: PathBuf,
    /// Registrations of a session; `usize::MAX` where the limit is lifted.
    pub registrations_max: usize,
    /// Speed of REST calls.
    pub rate: Rate,
    /// How long to wait for what.
    pub timeouts: Timeouts,
    /// Repetition of REST calls.
    pub retry: Retry,
    /// Return to the WebSocket.
    pub reconnect: Reconnect,
    /// The running WebSocket session.
    pub stream: StreamTuning,
}

impl KisConfig {
    /// Returns the checked configuration.
    ///
    /// # Errors
    /// All faults at once, each with its key path below `kis`.
    pub fn validate(self) -> Result<KisSettings, ConfigFaults> {
        let mut faults = Vec::new();
        let environment = self.environment.unwrap_or_else(|| {
            faults.push("kis.environment: must be paper or production, was not set".to_owned());
            Environment::Paper
        });
        let rest_url = self.rest_address(environment, &mut faults);
        let ws_url = self.ws_address(environment, &mut faults);
        for (key, value) in [
            ("app_key", self.app_key.expose_secret()),
            ("app_secret", self.app_secret.expose_secret()),
            ("hts_id", self.hts_id.as_str()),
        ] {
            keys::check_text(key, value, &mut faults);
        }
        let account = match self.account.expose_secret().parse::<Account>() {
            Ok(account) => Some(account),
            Err(error) => {
                faults.push(format!("kis.account: {error}"));
                None
            }
        };
        if self.token_cache.as_os_str().is_empty() {
            faults.push("kis.token_cache: must be a file path, was empty".to_owned());
        }
        let more_keys = self.further_keys(&mut faults);
        self.check_durations(&mut faults);
        let rate = self.rate(environment, &mut faults);
        match (account, faults.is_empty()) {
            (Some(account), true) => Ok(KisSettings {
                environment,
                rest_url,
                ws_url,
                app_key: self.app_key,
                app_secret: self.app_secret,
                more_keys,
                account,
                hts_id: self.hts_id,
                token_cache: self.token_cache,
                registrations_max: match self.registrations_max {
                    0 => usize::MAX,
                    max => max,
                },
                rate,
                timeouts: self.timeouts,
                retry: self.retry,
                reconnect: self.reconnect,
                stream: self.stream,
            }),
            _ => Err(ConfigFaults(faults)),
        }
    }

    /// Returns the REST address; a host of the other environment is a fault.
    fn rest_address(&self, environment: Environment, faults: &mut Vec<String>) -> String {
        let (default, foreign) = match environment {
            Environment::Production => (format!("https://{PRODUCTION_HOST}:9443"), PAPER_HOST),
            Environment::Paper => (format!("https://{PAPER_HOST}:29443"), PRODUCTION_HOST),
        };
        let text = self.rest_url.clone().unwrap_or(default);
        match Url::parse(&text) {
            Ok(url) if url.host_str() == Some(foreign) => faults.push(format!(
                "kis.rest_url: {foreign} does not belong to the environment {environment:?}"
            )),
            Ok(url) => match (url.scheme(), environment) {
                ("https", _) | ("http", Environment::Paper) => {}
                ("http", Environment::Production) => {
                    faults.push("kis.rest_url: must be https in production, was http".to_owned())
                }
                (scheme, _) => {
                    faults.push(format!("kis.rest_url: must be http or https, was {scheme}"));
                }
            },
            Err(error) => faults.push(format!("kis.rest_url: {error}, was {text:?}")),
        }
        text.trim_end_matches('/').to_owned()
    }

    /// Returns the WebSocket address with its path. The broker's is plain `ws`, without TLS.
    fn ws_address(&self, environment: Environment, faults: &mut Vec<String>) -> String {
        let default = match environment {
            Environment::Production => "ws://ops.koreainvestment.com:21000",
            Environment::Paper => "ws://ops.koreainvestment.com:31000",
        };
        let text = self.ws_url.as_deref().unwrap_or(default);
        match Url::parse(text) {
            Ok(url) if url.scheme() == "ws" => {}
            Ok(url) => faults.push(format!("kis.ws_url: must be ws, was {}", url.scheme())),
            Err(error) => faults.push(format!("kis.ws_url: {error}, was {text:?}")),
        }
        if !self.ws_path.starts_with('/') {
            let path = &self.ws_path;
            faults.push(format!("kis.ws_path: must start with /, was {path:?}"));
        }
        format!("{}{}", text.trim_end_matches('/'), self.ws_path)
    }

    fn check_durations(&self, faults: &mut Vec<String>) {
        for (key, value) in [
            ("timeouts.connect", self.timeouts.connect),
            ("timeouts.query", self.timeouts.query),
            ("timeouts.order", self.timeouts.order),
            ("timeouts.token", self.timeouts.token),
            ("retry.query_pause", self.retry.query_pause),
            (
                "retry.throttled_order_pause",
                self.retry.throttled_order_pause,
            ),
            ("reconnect.pause_min", self.reconnect.pause_min),
            ("reconnect.in_use_pause", self.reconnect.in_use_pause),
            ("stream.answer_timeout", self.stream.answer_timeout),
            ("stream.refused_pause", self.stream.refused_pause),
            ("stream.ping_every", self.stream.ping_every),
            ("stream.message_deadline", self.stream.message_deadline),
            ("stream.write_deadline", self.stream.write_deadline),
        ] {
            if value.is_zero() {
                faults.push(format!("kis.{key}: must be longer than zero"));
            }
        }
        if self.reconnect.pause_max < self.reconnect.pause_min {
            faults.push("kis.reconnect.pause_max: must not be below pause_min".to_owned());
        }
        if self.stream.read_deadline <= self.stream.ping_every {
            faults.push("kis.stream.read_deadline: must be longer than ping_every".to_owned());
        }
        if self.stream.events_max == 0 {
            faults.push("kis.stream.events_max: must be more than 0".to_owned());
        }
    }

    fn rate(&self, environment: Environment, faults: &mut Vec<String>) -> Rate {
        let (per_second, burst) = match environment {
            Environment::Production => (PRODUCTION_PER_SECOND, PRODUCTION_BURST),
            Environment::Paper => (PAPER_PER_SECOND, PAPER_BURST),
        };
        if self.rate.queue_max == 0 {
            faults.push("kis.rate.queue_max: must be more than 0".to_owned());
        }
        Rate {
            interval: match self.rate.per_second.unwrap_or(per_second) {
                0 => Duration::ZERO,
                calls => Duration::from_secs(1) / calls,
            },
            burst: self.rate.burst.map_or(burst, NonZeroU32::get),
            queue_max: self.rate.queue_max,
        }
    }
}
