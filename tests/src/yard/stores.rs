//! How a yard holds up, cuts off and restarts the stores of its engine.

use std::time::Duration;

use redis::aio::MultiplexedConnection;

use super::{Held, Yard, ids};
use crate::System;
use crate::system::connect;

impl Yard {
    /// Takes a lock that lets no one write to a table.
    ///
    /// # Panics
    /// If the database refuses.
    pub async fn hold(&self, table: &str) {
        self.lock(table, "SHARE ROW EXCLUSIVE").await;
    }

    /// Takes a lock that lets no one write to a table, nor read it.
    ///
    /// # Panics
    /// If the database refuses.
    pub async fn shut(&self, table: &str) {
        self.lock(table, "ACCESS EXCLUSIVE").await;
    }

    async fn lock(&self, table: &str, mode: &str) {
        let statement = format!("BEGIN; LOCK TABLE {table} IN {mode} MODE");
        let held = self.holder.batch_execute(&statement).await;
        held.unwrap_or_else(|error| panic!("{table}: {error}"));
    }

    /// Lets go of the table, if one is held.
    ///
    /// # Panics
    /// If the database refuses.
    pub async fn release(&self) {
        let released = self.holder.batch_execute("ROLLBACK").await;
        released.expect("released");
    }

    /// Returns how many statements like `pattern` wait for the table.
    pub async fn blocked(&self, table: &str, pattern: &str) -> usize {
        let query =
            "SELECT count(DISTINCT a.pid) FROM pg_locks l JOIN pg_stat_activity a USING (pid)
            WHERE NOT l.granted AND l.relation = $1::text::regclass AND a.query LIKE $2";
        let count: i64 = self.system.one(query, &[&table, &pattern]).await;
        usize::try_from(count).unwrap_or_default()
    }

    /// Ends every session that waits for a lock on a table, so that what it was at never happens.
    pub async fn terminate_blocked(&self) {
        let query = "SELECT count(pg_terminate_backend(a.pid))
            FROM (SELECT DISTINCT pid FROM pg_locks WHERE NOT granted AND locktype = 'relation') a";
        self.system.one::<i64>(query, &[]).await;
    }

    /// Ends the database sessions of the engine.
    ///
    /// # Panics
    /// If the database refuses.
    pub async fn cut_sessions(&self) {
        let holder = self.holder.query_one("SELECT pg_backend_pid()", &[]).await;
        let holder: i32 = holder.expect("it answers").get(0);
        let query = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid() AND pid <> $1";
        self.system.one::<i64>(query, &[&holder]).await;
    }

    /// Stops PostgreSQL and starts it again after `pause`.
    ///
    /// # Panics
    /// If it does not come up.
    pub async fn restart_postgres(&mut self, pause: Duration) {
        let postgres = self.system.servers.postgres().expect("PostgreSQL runs");
        postgres.stop().await.expect("PostgreSQL stops");
        tokio::time::sleep(pause).await;
        postgres.start().await.expect("PostgreSQL starts");
        let url = self.system.database_url();
        self.holder = connect(&url).await;
        self.system.db = connect(&url).await;
    }

    /// Kills the primary and makes its standby the primary.
    ///
    /// # Panics
    /// If there is no standby, or it does not take over.
    pub async fn fail_over(&mut self) {
        self.system.fail_over().await;
        self.holder = connect(&self.system.database_url()).await;
    }

    /// Stops Redis and starts it again after `pause`.
    ///
    /// # Panics
    /// If it does not come up.
    pub async fn restart_redis(&mut self, pause: Duration) {
        let redis = self.system.servers.redis().expect("Redis runs");
        redis.stop().await.expect("Redis stops");
        tokio::time::sleep(pause).await;
        redis.start().await.expect("Redis starts");
        self.redis = redis_connection(&self.system).await;
    }

    /// Stops writes to Redis for at most two seconds.
    ///
    /// # Panics
    /// If Redis refuses.
    pub async fn pause_redis(&mut self) {
        let mut pause = redis::cmd("CLIENT");
        pause.arg("PAUSE").arg(2_000).arg("WRITE");
        let paused = pause.exec_async(&mut self.redis).await;
        paused.expect("Redis pauses");
    }

    /// Lets writes to Redis go on.
    ///
    /// # Panics
    /// If Redis refuses.
    pub async fn resume_redis(&mut self) {
        let mut resume = redis::cmd("CLIENT");
        let resumed = resume.arg("UNPAUSE").exec_async(&mut self.redis).await;
        resumed.expect("Redis goes on");
    }

    /// Cuts the connections of the engine to Redis.
    ///
    /// # Panics
    /// If Redis refuses.
    pub async fn cut_redis(&mut self) {
        let mut cut = redis::cmd("CLIENT");
        cut.arg(&["KILL", "TYPE", "normal", "SKIPME", "yes"]);
        let cut = cut.exec_async(&mut self.redis).await;
        cut.expect("Redis cuts");
    }

    /// Returns what the cache has of these positions, which nobody has read since they changed, and of
    /// prices that are not the last ones.
    ///
    /// # Panics
    /// If a store refuses.
    pub async fn stale(&mut self, held: &[Held]) -> Vec<String> {
        let mut stale = Vec::new();
        let left = self.cached(held).await;
        if left > 0 {
            stale.push(format!("{left} positions of before are cached"));
        }
        let rows = self
            .system
            .query(
                "SELECT symbol, max(logical_us) FROM market.prices GROUP BY symbol",
                &[],
            )
            .await;
        for row in rows {
            let (symbol, last_us): (String, i64) = (row.get(0), row.get(1));
            let mut get = redis::cmd("GET");
            let found = get.arg(format!("price:{symbol}"));
            let found: Option<String> = found
                .query_async(&mut self.redis)
                .await
                .expect("Redis answers");
            let Some(text) = found else { continue };
            let price: serde_json::Value = serde_json::from_str(&text).expect("JSON");
            if price["logical_us"].as_i64() != Some(last_us) {
                stale.push(format!("{symbol}: {text} cached, {last_us} is the last"));
            }
        }
        stale
    }

    /// Puts the positions into the cache, as a reader of the API does.
    ///
    /// # Panics
    /// If Redis refuses.
    pub async fn cache(&mut self, held: &[Held]) {
        let query = "SELECT 'position:' || position_id, to_jsonb(p)::text FROM trade.positions p
            WHERE position_id = ANY($1::text[]::uuid[])";
        for row in self.system.query(query, &[&ids(held)]).await {
            let (key, value): (String, String) = (row.get(0), row.get(1));
            let mut set = redis::cmd("SET");
            set.arg(key).arg(value);
            let set = set.arg("EX").arg(60).exec_async(&mut self.redis).await;
            set.expect("Redis takes it");
        }
    }

    /// Returns how many of the positions are in the cache.
    ///
    /// # Panics
    /// If Redis refuses.
    pub async fn cached(&mut self, held: &[Held]) -> usize {
        let mut exists = redis::cmd("EXISTS");
        for held in held {
            exists.arg(format!("position:{}", held.id));
        }
        let found = exists.query_async(&mut self.redis).await;
        found.expect("Redis answers")
    }
}

pub(super) async fn redis_connection(system: &System) -> MultiplexedConnection {
    let client = redis::Client::open(system.servers.redis_url().expect("Redis runs"));
    let client = client.expect("an address");
    let connection = client.get_multiplexed_async_connection().await;
    connection.expect("Redis answers")
}
