//! Settings of the BFF.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

/// Settings of the BFF as they are written in the configuration file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BffConfig {
    /// Address to listen on. Port 0 takes a free one; [`crate::Bff::local_addr`] tells which.
    pub listen: SocketAddr,
    /// Folder of the web app's static export, served at `/`. Absent: no web app.
    pub web_dir: Option<PathBuf>,
    /// Requests a second that one token may make, twice as many at once; 0: no limit.
    pub requests_per_second: u32,
    /// Wrong tokens that one address may send in a minute; 0: no limit.
    pub wrong_tokens_per_minute: u32,
    /// How long a browser stays signed in.
    #[serde(with = "humantime_serde")]
    pub session_life: Duration,
    /// Whether the session's cookie goes over TLS only. Absent: unless `listen` is a loopback address.
    pub session_secure: Option<bool>,
    /// Longest time one request may take.
    #[serde(with = "humantime_serde")]
    pub request_timeout: Duration,
    /// How long a preview waits for the engine; less than `request_timeout`.
    #[serde(with = "humantime_serde")]
    pub preview_timeout: Duration,
    /// Largest request body in bytes.
    pub body_limit: usize,
    /// Largest number of WebSocket clients and streams together; further ones get 503.
    pub ws_clients_max: usize,
    /// How long a client may take nothing of what it is sent before it is disconnected.
    #[serde(with = "humantime_serde")]
    pub ws_send_timeout: Duration,
    /// How long a graceful stop waits for requests in flight.
    #[serde(with = "humantime_serde")]
    pub stop_deadline: Duration,
}

impl Default for BffConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8099)),
            web_dir: None,
            requests_per_second: 100,
            wrong_tokens_per_minute: 60,
            session_life: Duration::from_secs(12 * 60 * 60),
            session_secure: None,
            request_timeout: Duration::from_secs(10),
            preview_timeout: Duration::from_secs(5),
            // The largest body is a batch of 100 symbols: about 1.3 kB.
            body_limit: 64 * 1024,
            ws_clients_max: 256,
            ws_send_timeout: Duration::from_secs(5),
            stop_deadline: Duration::from_secs(10),
        }
    }
}

/// One setting that cannot be used, with its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigFault {
    /// Key of the setting within the BFF's section.
    pub key: &'static str,
    /// What is wrong and what is expected.
    pub message: String,
}

impl fmt::Display for ConfigFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "bff.{}: {}", self.key, self.message)
    }
}

impl BffConfig {
    /// Returns whether the session's cookie goes over TLS only.
    pub(crate) fn is_session_secure(&self) -> bool {
        let default = !self.listen.ip().is_loopback();
        self.session_secure.unwrap_or(default)
    }

    /// Checks the settings and reports every fault.
    ///
    /// # Errors
    /// All settings that cannot be used.
    pub fn validate(&self) -> Result<(), Vec<ConfigFault>> {
        let mut faults = Vec::new();
        let mut fault = |key, message| faults.push(ConfigFault { key, message });
        for (key, value) in [
            ("request_timeout", self.request_timeout),
            ("preview_timeout", self.preview_timeout),
            ("ws_send_timeout", self.ws_send_timeout),
            ("stop_deadline", self.stop_deadline),
            ("session_life", self.session_life),
        ] {
            if value.is_zero() {
                fault(key, "must be longer than 0s".to_owned());
            }
        }
        if !self.request_timeout.is_zero() && self.preview_timeout >= self.request_timeout {
            fault(
                "preview_timeout",
                "must be less than request_timeout".to_owned(),
            );
        }
        for (key, value) in [
            ("body_limit", self.body_limit),
            ("ws_clients_max", self.ws_clients_max),
        ] {
            if value == 0 {
                fault(key, "must be at least 1, was 0".to_owned());
            }
        }
        if faults.is_empty() {
            Ok(())
        } else {
            Err(faults)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn default_settings_are_valid_and_listen_on_loopback() {
        let config = BffConfig::default();
        assert_eq!(config.validate(), Ok(()));
        assert!(config.listen.ip().is_loopback());
    }

    #[test]
    fn every_fault_is_reported_at_once() {
        let config = BffConfig {
            request_timeout: Duration::ZERO,
            body_limit: 0,
            ws_clients_max: 0,
            ..BffConfig::default()
        };
        let keys: Vec<_> = config
            .validate()
            .unwrap_err()
            .iter()
            .map(|fault| fault.key)
            .collect();
        assert_eq!(keys, ["request_timeout", "body_limit", "ws_clients_max"]);
    }
}
