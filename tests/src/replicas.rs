//! A primary and a standby that follows it, for failovers.
//!
//! ```text
//!   a (primary) ──stream──► b (standby)        url(): a,b and target_session_attrs=read-write
//!   kill_primary()          promote()          rejoin(): a follows b
//! ```
//!
//! 1. A commit is answered once the standby has it: what was told to be committed is there after a
//!    failover. With the standby gone commits wait.
//! 2. The new primary has no standby at first and waits for none; [`Replicas::rejoin`] gives it one.
//! 3. The one that was killed or frozen is not started again as a primary: two of them would both
//!    take writes. Who runs servers has to see to that, too.

mod server;

use tokio_postgres::Client;

use crate::eventually;
use server::Server;

/// The role of the application and the database that it owns.
const APPLICATION: &str = "turnstile";

/// Two servers of one database.
pub struct Replicas {
    /// In the order of the hosts in the address.
    servers: [Server; 2],
    /// Which one is the primary, or was the last.
    primary: usize,
    url: String,
}

impl Replicas {
    /// Starts a primary with an empty database and a standby that follows it.
    ///
    /// # Panics
    /// If PostgreSQL is not installed or does not start.
    pub async fn start() -> Self {
        let mut primary = Server::create();
        primary.start().await;
        let client = primary.client(server::SUPERUSER).await;
        for statement in [
            format!("CREATE ROLE {APPLICATION} LOGIN"),
            format!("CREATE DATABASE {APPLICATION} OWNER {APPLICATION}"),
        ] {
            client.batch_execute(&statement).await.expect(&statement);
        }
        let mut standby = Server::follow(&primary);
        standby.start().await;
        let servers = [primary, standby];
        let replicas = Self {
            url: url(&servers),
            servers,
            primary: 0,
        };
        replicas.synchronize().await;
        replicas
    }

    /// Returns the `DATABASE_URL` of the application, with both hosts.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns a connection of the superuser to the primary.
    ///
    /// # Panics
    /// If it is gone.
    pub async fn client(&self) -> Client {
        self.servers[self.primary].client(APPLICATION).await
    }

    /// Returns a connection of the superuser to the standby, which reads only.
    ///
    /// # Panics
    /// If it is gone.
    pub async fn standby(&self) -> Client {
        self.servers[1 - self.primary].client(APPLICATION).await
    }

    /// Kills the primary as the loss of its machine would.
    ///
    /// # Panics
    /// If it does not run.
    pub fn kill_primary(&mut self) {
        self.servers[self.primary].kill();
    }

    /// Stops the primary where it is: it takes connections and answers nothing.
    pub fn freeze_primary(&self) {
        self.servers[self.primary].freeze();
    }

    /// Lets a frozen primary go on that was not replaced.
    pub fn thaw_primary(&self) {
        self.servers[self.primary].thaw();
    }

    /// Kills the standby. Commits wait from then on.
    ///
    /// # Panics
    /// If it does not run.
    pub fn kill_standby(&mut self) {
        self.servers[1 - self.primary].kill();
    }

    /// Starts a standby again that was killed. With the primary gone it has what it had.
    ///
    /// # Panics
    /// If it does not come up.
    pub async fn start_standby(&mut self) {
        self.servers[1 - self.primary].start().await;
    }

    /// Makes the standby the primary, and returns once it takes writes.
    ///
    /// # Panics
    /// If it does not.
    pub async fn promote(&mut self) {
        let client = self.standby().await;
        let promoted = client.query_one("SELECT pg_promote(true, 60)", &[]).await;
        let promoted: bool = promoted.expect("it answers").get(0);
        assert!(promoted, "the standby was not promoted");
        self.primary = 1 - self.primary;
    }

    /// Makes the one that was killed or frozen a standby of the primary, with a new copy of its data.
    ///
    /// # Panics
    /// If it does not come up.
    pub async fn rejoin(&mut self) {
        let [first, second] = &mut self.servers;
        let (primary, old) = match self.primary {
            0 => (first, second),
            _ => (second, first),
        };
        if old.is_running() {
            old.kill();
        }
        old.rejoin(primary);
        old.start().await;
        self.synchronize().await;
    }

    /// Waits until the standby follows, and lets commits wait for it from then on.
    async fn synchronize(&self) {
        let client = self.client().await;
        let follows = "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'";
        eventually("the standby follows", async || {
            let count = client.query_one(follows, &[]).await;
            count.expect("it answers").get::<_, i64>(0) == 1
        })
        .await;
        for statement in [
            "ALTER SYSTEM SET synchronous_standby_names = '*'",
            "SELECT pg_reload_conf()",
        ] {
            client.batch_execute(statement).await.expect(statement);
        }
        let is_synchronous = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'";
        eventually("commits wait for the standby", async || {
            let count = client.query_one(is_synchronous, &[]).await;
            count.expect("it answers").get::<_, i64>(0) == 1
        })
        .await;
    }
}

fn url(servers: &[Server; 2]) -> String {
    let hosts = servers.each_ref().map(|server| {
        let folder = server.folder().display().to_string();
        folder.replace('/', "%2F")
    });
    let hosts = hosts.join(",");
    format!("postgresql://{APPLICATION}@{hosts}/{APPLICATION}?target_session_attrs=read-write")
}
