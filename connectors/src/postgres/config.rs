//! How PostgreSQL is reached.

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::address::Address;

/// Section `[postgres]` of the configuration.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PostgresConfig {
    /// Connection string, as URL or as key-value pairs, of one host or several (`DATABASE_URL`).
    pub url: SecretString,
    /// Pooled connections at most.
    pub pool_max: usize,
    /// Pooled connections at most while Redis is isolated and every read comes here.
    pub pool_max_isolated: usize,
    /// Pooled connections opened at start.
    pub pool_min: usize,
    /// Age at which a pooled connection is replaced.
    #[serde(with = "humantime_serde")]
    pub lifetime: Duration,
    /// Idle time after which a pooled connection is closed.
    #[serde(with = "humantime_serde")]
    pub idle: Duration,
    /// Time to connect to one host, and to wait for a pooled connection, at most.
    #[serde(with = "humantime_serde")]
    pub connect_timeout: Duration,
    /// Time of one statement at most.
    #[serde(with = "humantime_serde")]
    pub statement_timeout: Duration,
}

impl Default for PostgresConfig {
    /// The pool is that of `spec/data-flow.md`, section 5.
    fn default() -> Self {
        Self {
            url: SecretString::from(""),
            pool_max: 25,
            pool_max_isolated: 40,
            pool_min: 5,
            lifetime: Duration::from_secs(3_600),
            idle: Duration::from_secs(1_800),
            connect_timeout: Duration::from_secs(5),
            statement_timeout: Duration::from_secs(30),
        }
    }
}

impl PostgresConfig {
    /// Returns the password, decoded; none where there is none or the connection string cannot be read.
    pub fn password(&self) -> Option<String> {
        Address::parse(self.url.expose_secret()).ok()?.password()
    }

    /// Returns every fault, with the path of its key.
    pub fn validate(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if self.url.expose_secret().is_empty() {
            faults.push("postgres.url: connection string expected (or DATABASE_URL)".to_owned());
        } else {
            let address = Address::parse(self.url.expose_secret());
            let usable = address.and_then(|address| address.tls.connector());
            faults.extend(usable.err().map(|fault| format!("postgres.url: {fault}")));
        }
        if self.pool_max == 0 {
            faults.push("postgres.pool_max: at least 1 expected, was 0".to_owned());
        }
        if self.pool_max_isolated < self.pool_max {
            let (wide, max) = (self.pool_max_isolated, self.pool_max);
            faults.push(format!(
                "postgres.pool_max_isolated: at least pool_max ({max}) expected, was {wide}"
            ));
        }
        if self.pool_min > self.pool_max {
            let (min, max) = (self.pool_min, self.pool_max);
            faults.push(format!(
                "postgres.pool_min: at most pool_max ({max}) expected, was {min}"
            ));
        }
        for (key, value) in [
            ("connect_timeout", self.connect_timeout),
            ("statement_timeout", self.statement_timeout),
        ] {
            if value.is_zero() {
                faults.push(format!("postgres.{key}: time above zero expected"));
            }
        }
        faults
    }
}
