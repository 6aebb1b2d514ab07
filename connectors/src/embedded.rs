//! Private servers: a PostgreSQL cluster and a Redis that run for one data folder only.
//!
//! ```text
//! <data folder>/lock             held while a Turnstile lives; names its process
//!               postgres/        the cluster; postgres.conf, postgres.log beside it
//!               redis.conf, redis.log, redis.process
//! <temp>/turnstile-<hash>/       unix sockets of both, private to the account
//! ```
//!
//! 1. No server is reachable but over its socket, and the folder of the sockets is mode 0700.
//! 2. As root, the servers run as `postgres` or `nobody`; otherwise as the caller.
//! 3. Servers run in sessions of their own: Ctrl-C in the terminal does not reach them, and the
//!    one who started them stops them last.
//! 4. After the caller was killed the servers go on; the next start adopts them if they answer
//!    and their settings are the same, else it restarts them.
//! 5. One Turnstile a folder: the lock goes with the process that holds it.
//!
//! The setup reads and writes a few small files with blocking calls; it runs before anything that
//! would have to wait for it.

use std::ffi::OsStr;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use tracing::{info, warn};

mod account;
mod cluster;
mod error;
mod home;
mod host;
mod postgres;
mod process;
mod redis;

pub use error::EmbeddedError;
pub use postgres::PostgresServer;
pub use redis::RedisServer;

use home::Home;
use host::Host;

/// What private servers to run, where, and how large.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EmbeddedConfig {
    /// Folder of the data; made if missing. The account of the servers has to be able to enter
    /// it, else the data goes elsewhere, see [`EmbeddedServers::data_dir`].
    pub data_dir: PathBuf,
    /// Whether to run PostgreSQL.
    pub postgres: bool,
    /// Whether to run Redis.
    pub redis: bool,
    /// Most connections that PostgreSQL takes.
    pub max_connections: NonZeroU32,
    /// Memory that PostgreSQL keeps pages in, in MB.
    pub shared_buffers_mb: NonZeroU32,
    /// Memory that Redis fills before it drops what was used least recently, in MB.
    pub redis_memory_mb: NonZeroU32,
}

impl Default for EmbeddedConfig {
    fn default() -> Self {
        let megabytes = NonZeroU32::MIN.saturating_add(255);
        Self {
            data_dir: PathBuf::from(".turnstile"),
            postgres: true,
            redis: true,
            max_connections: NonZeroU32::MIN.saturating_add(99),
            shared_buffers_mb: megabytes,
            redis_memory_mb: megabytes,
        }
    }
}

/// The running private servers. Dropping them asks both to end without waiting for it;
/// [`stop`](Self::stop) waits.
#[derive(Debug)]
pub struct EmbeddedServers {
    postgres: Option<PostgresServer>,
    redis: Option<RedisServer>,
    // Released last: the servers have to be gone before somebody else may start them.
    home: Home,
}

impl EmbeddedServers {
    /// Starts the servers, or adopts those that a killed Turnstile has left. Returns once both
    /// answer, on an empty machine after 2 to 3 seconds.
    ///
    /// # Errors
    ///
    /// When a program is missing, another Turnstile runs on the folder, no folder can hold the
    /// data, or a server does not come up.
    pub async fn start(config: EmbeddedConfig) -> Result<Self, EmbeddedError> {
        let host = Host::from_environment();
        let home = Home::claim(&config.data_dir, &host).await?;
        info!(
            folder = %home.folder.display(), account = home.account.name,
            sockets = %home.sockets.display(), "starting the private servers"
        );
        let redis = match config.redis {
            true => Some(RedisServer::prepare(&config, &home, &host)?),
            false => None,
        };
        let postgres = match config.postgres {
            true => Some(PostgresServer::prepare(&config, &home, &host).await?),
            false => None,
        };
        let mut servers = Self {
            postgres,
            redis,
            home,
        };
        if let Err(error) = servers.start_each().await {
            if let Err(left) = servers.stop().await {
                warn!(error = %left, "a server stays behind a start that failed");
            }
            return Err(error);
        }
        Ok(servers)
    }

    async fn start_each(&mut self) -> Result<(), EmbeddedError> {
        if let Some(redis) = &mut self.redis {
            redis.start().await?;
        }
        if let Some(postgres) = &mut self.postgres {
            postgres.start().await?;
        }
        Ok(())
    }

    /// Address of the database for the application's role, if PostgreSQL was asked for.
    #[must_use]
    pub fn database_url(&self) -> Option<&str> {
        self.postgres.as_ref().map(PostgresServer::url)
    }

    /// Address of the cache, if Redis was asked for.
    #[must_use]
    pub fn redis_url(&self) -> Option<&str> {
        self.redis.as_ref().map(RedisServer::url)
    }

    /// Where the data really is: the folder asked for, or the one that stands in for it.
    #[must_use]
    pub fn data_dir(&self) -> &Path {
        &self.home.folder
    }

    /// PostgreSQL alone, to stop, kill and start it while the rest goes on.
    pub fn postgres(&mut self) -> Option<&mut PostgresServer> {
        self.postgres.as_mut()
    }

    /// Redis alone, to stop, kill and start it while the rest goes on.
    pub fn redis(&mut self) -> Option<&mut RedisServer> {
        self.redis.as_mut()
    }

    /// Stops both servers in good order and returns when no process of them is left.
    ///
    /// # Errors
    ///
    /// When one of them does not end; the other one is stopped nevertheless.
    pub async fn stop(mut self) -> Result<(), EmbeddedError> {
        let redis = match &mut self.redis {
            Some(redis) => redis.stop().await,
            None => Ok(()),
        };
        let postgres = match &mut self.postgres {
            Some(postgres) => postgres.stop().await,
            None => Ok(()),
        };
        redis.and(postgres)?;
        info!("the private servers have stopped");
        Ok(())
    }
}

/// Returns `text` with every byte that is not plain in a URL, nor in `plain`, percent-encoded.
fn encode(text: &OsStr, plain: &[u8]) -> String {
    text.as_encoded_bytes()
        .iter()
        .fold(String::new(), |mut url, byte| {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(byte) || plain.contains(byte) {
                url.push(char::from(*byte));
            } else {
                url.push_str(&format!("%{byte:02X}"));
            }
            url
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_encoded_for_urls() {
        let path = OsStr::new("/tmp/a b/ü%~");
        assert_eq!(encode(path, b""), "%2Ftmp%2Fa%20b%2F%C3%BC%25~");
        assert_eq!(encode(path, b"/"), "/tmp/a%20b/%C3%BC%25~");
    }

    #[test]
    fn config_is_read_from_toml_with_defaults() {
        let config: EmbeddedConfig = toml::from_str("redis = false").unwrap();
        assert_eq!(
            config,
            EmbeddedConfig {
                redis: false,
                ..EmbeddedConfig::default()
            }
        );
        assert_eq!(config.max_connections.get(), 100);
        assert_eq!(config.shared_buffers_mb.get(), 256);
        assert!(toml::from_str::<EmbeddedConfig>("port = 1").is_err());
    }
}
