//! The pool of connections.

use std::time::Duration;

use deadpool::managed::TimeoutType;
use deadpool_postgres::{
    Hook, HookError, Manager, ManagerConfig, Pool, PoolError, QueueMode, RecyclingMethod, Runtime,
};
use metrics::{gauge, histogram};
use secrecy::ExposeSecret;
use tokio::time::Instant;
use tokio_postgres::{Client, Config};

use super::address::Address;
use super::connector::{Connection, Connector};
use super::lifeline::Lifeline;
use super::metrics as names;
use super::{PostgresClient, PostgresConfig, PostgresError};

/// Silence after which a TCP connection is probed, and how.
const PROBE_AFTER: Duration = Duration::from_secs(10);
const PROBE_EVERY: Duration = Duration::from_secs(5);
const PROBES: u32 = 3;

/// The server is to notice as soon that a process has vanished from the network: its lock stands in the way
/// of the next one.
const WATCHED: &str = "-c tcp_keepalives_idle=5 -c tcp_keepalives_interval=5 \
    -c tcp_keepalives_count=2 -c tcp_user_timeout=15000";

/// What pooled connections run looks rows up by key, again and again. The server plans such a
/// statement once, perhaps while its tables are still empty, and the plan must not be to read them
/// whole when they have grown. Plans without a way by key look dear then, and are not worth compiling.
const BY_KEY: &str = "-c plan_cache_mode=force_generic_plan -c enable_seqscan=off -c jit=off";

/// Their transactions do not notify; see `bell`.
const QUIET: &str = "-c turnstile.bell=off";

/// The pool of connections to one database.
#[derive(Clone)]
pub struct Postgres {
    pool: Pool,
    quiet: Pool,
    connector: Connector,
    size_min: usize,
    size_usual: usize,
    size_wide: usize,
    idle: Duration,
    lifetime: Duration,
}

impl std::fmt::Debug for Postgres {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Postgres")
            .field("place", &self.connector.place())
            .finish_non_exhaustive()
    }
}

impl Postgres {
    /// Opens the pool and proves that a server answers.
    ///
    /// # Errors
    /// If the connection string is malformed, or no host of it will do.
    pub async fn connect(config: &PostgresConfig) -> Result<Self, PostgresError> {
        let connector = connector(config)?;
        let by_key = connector.with_options(BY_KEY);
        let postgres = Self {
            quiet: pool(by_key.with_options(QUIET), config)?,
            pool: pool(by_key, config)?,
            connector,
            size_min: config.pool_min,
            size_usual: config.pool_max,
            size_wide: config.pool_max_isolated,
            idle: config.idle,
            lifetime: config.lifetime,
        };
        // The driver's own error names the reason; the pool's would hide it.
        drop(postgres.connect_alone().await?);
        // Held together, so that each is a connection of its own.
        let opening = (0..config.pool_min).map(|_| postgres.client());
        futures_util::future::try_join_all(opening).await?;
        Ok(postgres)
    }

    /// Returns a connection, waiting for one to come free.
    ///
    /// # Errors
    /// If none comes free in time or no server can be reached.
    pub async fn client(&self) -> Result<PostgresClient, PostgresError> {
        let began = Instant::now();
        let client = self.lend(&self.pool).await?;
        histogram!(names::POOL_WAIT_SECONDS).record(began.elapsed().as_secs_f64());
        #[expect(
            clippy::as_conversions,
            clippy::cast_precision_loss,
            reason = "a gauge is a float"
        )]
        gauge!(names::POOL_IN_USE).set(self.in_use() as f64);
        Ok(client)
    }

    /// Returns a connection whose transactions do not notify followers of changes; see
    /// [`Bell`](super::Bell).
    ///
    /// # Errors
    /// As [`Self::client`].
    pub async fn quiet_client(&self) -> Result<PostgresClient, PostgresError> {
        self.lend(&self.quiet).await
    }

    async fn lend(&self, pool: &Pool) -> Result<PostgresClient, PostgresError> {
        let object = pool.get().await.map_err(|error| match error {
            // The pool knows of one host only.
            PoolError::Backend(_) | PoolError::Timeout(TimeoutType::Create) => {
                self.connector.last_failure()
            }
            other => PostgresError::Pool(other.to_string()),
        })?;
        Ok(PostgresClient::new(object, self.connector.clone()))
    }

    /// Returns how many pooled connections are handed out.
    pub fn in_use(&self) -> usize {
        let status = self.pool.status();
        status.size.saturating_sub(status.available)
    }

    /// Returns how many connections the pool may hold.
    pub fn size_max(&self) -> usize {
        self.pool.status().max_size
    }

    /// Lets the pool hold more connections, or as many as usual. Returns whether that is a change.
    pub fn widen(&self, is_wide: bool) -> bool {
        let size = if is_wide {
            self.size_wide
        } else {
            self.size_usual
        };
        let is_change = size != self.size_max();
        if is_change {
            self.pool.resize(size);
        }
        is_change
    }

    /// Returns what part of each pool is handed out, by name.
    #[expect(
        clippy::as_conversions,
        clippy::cast_precision_loss,
        clippy::float_arithmetic,
        reason = "a gauge is a float, and connections are few"
    )]
    pub fn uses(&self) -> [(&'static str, f64); 2] {
        [("main", &self.pool), ("quiet", &self.quiet)].map(|(name, pool)| {
            let status = pool.status();
            let in_use = status.size.saturating_sub(status.available);
            (name, in_use as f64 / status.max_size.max(1) as f64)
        })
    }

    /// Opens a connection of its own, outside the pool: for listeners, locks and bulk writes. Its
    /// driver task ends with the connection.
    ///
    /// # Errors
    /// If no server can be reached.
    pub async fn connect_alone(&self) -> Result<Client, PostgresError> {
        let (client, connection) = self.connect_raw().await?;
        drop(self.lifeline().drive(connection));
        Ok(client)
    }

    /// Ends every connection at once but those of locks, with the statements that wait for an answer.
    /// Whoever needs one gets a new one.
    pub fn cut(&self) {
        self.lifeline().cut();
    }

    pub(super) fn lifeline(&self) -> &Lifeline {
        self.connector.lifeline()
    }

    pub(super) async fn connect_raw(&self) -> Result<(Client, Connection), PostgresError> {
        self.connector.open().await
    }

    /// Closes pooled connections that are too old, and those too long idle beyond the least number.
    /// Called from time to time.
    pub fn retire_connections(&self) {
        for (pool, size_min) in [(&self.pool, self.size_min), (&self.quiet, self.size_min)] {
            let mut spare = pool.status().size.saturating_sub(size_min);
            pool.retain(|_, metrics| {
                let is_idle = spare > 0 && metrics.last_used() >= self.idle;
                let is_kept = !is_idle && metrics.age() < self.lifetime;
                spare = spare.saturating_sub(usize::from(!is_kept));
                is_kept
            });
        }
    }
}

/// Returns a pool of the connections that `connector` makes.
fn pool(connector: Connector, config: &PostgresConfig) -> Result<Pool, PostgresError> {
    let manager_config = ManagerConfig {
        recycling_method: RecyclingMethod::Fast,
    };
    let (known, create_timeout) = (connector.clone(), connector.patience());
    let is_current = Hook::sync_fn(move |_, metrics| {
        if known.is_current(metrics.created) {
            Ok(())
        } else {
            Err(HookError::message("it leads to another server"))
        }
    });
    // The connector has the settings of each host.
    let manager = Manager::from_connect(Config::new(), connector, manager_config);
    Pool::builder(manager)
        .max_size(config.pool_max)
        // The one used last knows its statements and has its pages at hand.
        .queue_mode(QueueMode::Lifo)
        .runtime(Runtime::Tokio1)
        .wait_timeout(Some(config.connect_timeout))
        .create_timeout(Some(create_timeout))
        .recycle_timeout(Some(config.connect_timeout))
        .pre_recycle(is_current)
        .build()
        .map_err(|error| PostgresError::Pool(error.to_string()))
}

fn connector(config: &PostgresConfig) -> Result<Connector, PostgresError> {
    let address = Address::parse(config.url.expose_secret());
    let mut address = address.map_err(PostgresError::Config)?;
    let statement_ms = config.statement_timeout.as_millis();
    address.each(|host| {
        host.connect_timeout(config.connect_timeout);
        host.application_name("turnstile");
        let given = host.get_options().unwrap_or_default().to_owned();
        host.options(format!(
            "{given} -c statement_timeout={statement_ms} -c timezone=UTC {WATCHED}"
        ));
        // A server that vanished from the network is noticed within half a minute.
        host.keepalives_idle(PROBE_AFTER);
        host.keepalives_interval(PROBE_EVERY);
        host.keepalives_retries(PROBES);
        host.tcp_user_timeout(PROBE_AFTER + PROBE_EVERY * PROBES);
    });
    Connector::new(address, config.connect_timeout)
}

/// Returns an error with its causes.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
