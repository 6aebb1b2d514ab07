//! Connections to Redis: a few, each for one call at a time.
//!
//! 1. A connection that did not answer in time, or broke, is not used again.
//! 2. Where one breaks, Redis has most likely begun anew, and the others that were made before it are
//!    broken too: none of them has to fail in a call to be found out.
//! 3. Nothing is sent to find out whether a connection is good: that would double each call.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use deadpool::managed::{Manager, Metrics, Object, Pool, PoolError, RecycleError, RecycleResult};
use deadpool::{Runtime, managed};
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, RedisError, RedisResult};

use super::RedisConfig;

/// The connections of one cache. Cheap to clone.
#[derive(Clone)]
pub(super) struct Connections {
    pool: Pool<Maker>,
    size_min: usize,
    /// Whether somebody opens connections up to the least number.
    is_filling: Arc<AtomicBool>,
}

/// A connection that is lent for one call.
pub(super) type Lent = Object<Maker>;

/// How many connections there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolSize {
    /// Open ones.
    pub open: usize,
    /// Most that may be open.
    pub max: usize,
}

impl Connections {
    /// Returns connections to `client`; none is made yet.
    ///
    /// # Errors
    /// Never: the pool has what its time limits need.
    pub(super) fn new(client: Client, config: &RedisConfig) -> RedisResult<Self> {
        let limits = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(config.call_timeout))
            .set_response_timeout(Some(config.call_timeout));
        let maker = Maker {
            client,
            limits,
            generation: AtomicU64::new(0),
        };
        let pool = Pool::builder(maker)
            .max_size(config.pool_max)
            .wait_timeout(Some(config.pool_wait))
            .create_timeout(Some(config.call_timeout))
            .runtime(Runtime::Tokio1)
            .build();
        Ok(Self {
            pool: pool.map_err(|_| failed("the pool has no timer"))?,
            size_min: config.pool_min,
            is_filling: Arc::default(),
        })
    }

    /// Lends a connection; waits for one where all are lent.
    ///
    /// # Errors
    /// If Redis is not there, or none came free in time.
    pub(super) async fn lend(&self) -> RedisResult<Lent> {
        let lent = self.pool.get().await.map_err(|error| match error {
            PoolError::Backend(error) => error,
            PoolError::Timeout(managed::TimeoutType::Wait) => failed("no connection came free"),
            PoolError::Timeout(_) => failed("no connection in time"),
            PoolError::Closed | PoolError::NoRuntimeSpecified | PoolError::PostCreateHook(_) => {
                failed("the pool is of no use")
            }
        })?;
        // The first call brings the others along.
        if self.pool.status().size < self.size_min && !self.is_filling.swap(true, Ordering::AcqRel)
        {
            let (connections, is_filling) = (self.clone(), self.is_filling.clone());
            drop(crate::task::spawn("redis pool", async move {
                fill(connections).await;
                is_filling.store(false, Ordering::Release);
            }));
        }
        Ok(lent)
    }

    /// Takes a connection out of use that did not answer in time.
    pub(super) fn discard(lent: Lent) {
        drop(Object::take(lent));
    }

    /// Takes a connection out of use that broke, and with it those that were made before it broke.
    pub(super) fn discard_all(&self, lent: Lent) {
        let broken = Object::take(lent).generation;
        let generation = &self.pool.manager().generation;
        // Of those that broke together only the first begins another generation.
        _ = generation.compare_exchange(broken, broken + 1, Ordering::AcqRel, Ordering::Acquire);
    }

    /// Returns how many connections there are.
    pub(super) fn size(&self) -> PoolSize {
        let status = self.pool.status();
        PoolSize {
            open: status.size,
            max: status.max_size,
        }
    }
}

/// Opens connections up to the least number. Each is held until the last is open, or one would be lent
/// twice.
async fn fill(connections: Connections) {
    let mut held = Vec::new();
    while connections.pool.status().size < connections.size_min
        && let Ok(connection) = connections.pool.get().await
    {
        held.push(connection);
    }
    drop(held);
}

fn failed(reason: &'static str) -> RedisError {
    RedisError::from((redis::ErrorKind::Io, reason))
}

/// What makes connections.
#[derive(Debug)]
pub(super) struct Maker {
    client: Client,
    limits: AsyncConnectionConfig,
    /// Connections of an earlier generation are broken.
    generation: AtomicU64,
}

/// One connection.
pub(super) struct Connection {
    /// Where calls go.
    pub(super) inner: MultiplexedConnection,
    generation: u64,
}

impl Manager for Maker {
    type Type = Connection;
    type Error = RedisError;

    async fn create(&self) -> RedisResult<Connection> {
        let generation = self.generation.load(Ordering::Acquire);
        let inner = self
            .client
            .get_multiplexed_async_connection_with_config(&self.limits)
            .await?;
        Ok(Connection { inner, generation })
    }

    async fn recycle(
        &self,
        connection: &mut Connection,
        _: &Metrics,
    ) -> RecycleResult<Self::Error> {
        if connection.generation == self.generation.load(Ordering::Acquire) {
            return Ok(());
        }
        Err(RecycleError::message("of an earlier life of Redis"))
    }
}
