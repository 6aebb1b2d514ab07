//! How Redis is reached.

use std::path::PathBuf;
use std::time::Duration;

use redis::{Client, RedisError, RedisResult, TlsCertificates};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

/// Section `[redis]` of the configuration.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RedisConfig {
    /// `redis://…`, encrypted `rediss://…`, or `redis+unix:///path` (`REDIS_URL`). None: everything is
    /// read from PostgreSQL.
    pub url: Option<SecretString>,
    /// File of the authorities (PEM) that may sign the certificate of a `rediss://…`. None: those of the
    /// system.
    pub tls_root: Option<PathBuf>,
    /// Time of one call at most; a slower answer is a miss.
    #[serde(with = "humantime_serde")]
    pub call_timeout: Duration,
    /// An answer that took longer is used, and counts as a fault: a slow Redis is isolated like one that is
    /// away.
    #[serde(with = "humantime_serde")]
    pub slow_call: Duration,
    /// Most connections.
    pub pool_max: usize,
    /// Connections that stay open.
    pub pool_min: usize,
    /// How long a call waits for one of the connections at most. Where Redis is found to be away, nobody
    /// waits any longer.
    #[serde(with = "humantime_serde")]
    pub pool_wait: Duration,
    /// Faults in a row that open the circuit breaker.
    pub breaker_faults: u32,
    /// How long the breaker stays open before one call tries again.
    #[serde(with = "humantime_serde")]
    pub breaker_open: Duration,
}

impl Default for RedisConfig {
    fn default() -> Self {
        Self {
            url: None,
            tls_root: None,
            call_timeout: Duration::from_millis(250),
            slow_call: Duration::from_millis(50),
            pool_max: 10,
            pool_min: 5,
            pool_wait: Duration::from_secs(30),
            breaker_faults: 3,
            breaker_open: Duration::from_secs(1),
        }
    }
}

impl RedisConfig {
    /// Returns a client of the address; none where there is none. It does not connect yet.
    ///
    /// # Errors
    /// If the address is malformed or the file of authorities cannot be used.
    pub(super) fn client(&self) -> RedisResult<Option<Client>> {
        let Some(url) = &self.url else {
            return Ok(None);
        };
        crate::tls::install_provider();
        let url = url.expose_secret();
        let Some(file) = &self.tls_root else {
            return Client::open(url).map(Some);
        };
        let certificates = TlsCertificates {
            client_tls: None,
            root_cert: Some(std::fs::read(file).map_err(RedisError::from)?),
        };
        Client::build_with_tls(url, certificates).map(Some)
    }

    /// Returns the password, decoded; none where there is none or the address cannot be read.
    pub fn password(&self) -> Option<String> {
        let client = Client::open(self.url.as_ref()?.expose_secret()).ok()?;
        let settings = client.get_connection_info().redis_settings();
        settings.password().map(str::to_owned)
    }

    /// Returns every fault, with the path of its key.
    pub fn validate(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if let Some(url) = &self.url
            && let Err(error) = Client::open(url.expose_secret())
        {
            faults.push(format!("redis.url: {error}"));
        } else if let (Some(file), Err(error)) = (&self.tls_root, self.client()) {
            faults.push(format!("redis.tls_root: {}: {error}", file.display()));
        }
        if self.call_timeout.is_zero() {
            faults.push("redis.call_timeout: time above zero expected".to_owned());
        }
        if self.slow_call.is_zero() {
            faults.push("redis.slow_call: time above zero expected".to_owned());
        }
        if self.pool_max == 0 || self.pool_min > self.pool_max {
            let (min, max) = (self.pool_min, self.pool_max);
            faults.push(format!(
                "redis.pool_max: at least 1 and redis.pool_min expected, was {max} with pool_min {min}"
            ));
        }
        if self.pool_wait.is_zero() {
            faults.push("redis.pool_wait: time above zero expected".to_owned());
        }
        if self.breaker_faults == 0 {
            faults.push("redis.breaker_faults: at least 1 expected, was 0".to_owned());
        }
        faults
    }
}
