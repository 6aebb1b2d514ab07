//! Where the stores of a system are, and a failover of its database.

use nix::sys::signal::Signal;
use turnstile_connectors::embedded::EmbeddedServers;

use super::{System, connect};
use crate::Replicas;
use crate::processes::signal_family;

impl System {
    /// Signals PostgreSQL and its sessions.
    ///
    /// # Panics
    /// If it does not run.
    pub fn signal_postgres(&mut self, signal: Signal) {
        let postgres = self.servers.postgres().expect("PostgreSQL runs");
        let pid = postgres.pid().and_then(|pid| u32::try_from(pid).ok());
        signal_family(pid.expect("it has a process"), signal);
    }

    /// Returns the environment that points at the servers.
    pub fn environment(&self) -> Vec<(&str, &str)> {
        self.environment_at(None)
    }

    pub(super) fn environment_at<'a>(
        &'a self,
        database: Option<&'a str>,
    ) -> Vec<(&'a str, &'a str)> {
        let replicas = self.replicas.as_ref().map(Replicas::url);
        let owner = replicas.or(self.servers.database_url());
        let urls = [
            ("DATABASE_URL", database.or(owner)),
            ("REDIS_URL", self.servers.redis_url()),
        ];
        urls.into_iter()
            .filter_map(|(name, url)| Some((name, url?)))
            .collect()
    }

    /// Returns the address of the database, with the standby where there is one.
    ///
    /// # Panics
    /// If there is no database.
    pub fn database_url(&self) -> String {
        database_url(&self.servers, self.replicas.as_ref())
    }

    /// Kills the primary, makes its standby the primary, and connects the test to it.
    ///
    /// # Panics
    /// If there is no standby, or it does not take over.
    pub async fn fail_over(&mut self) {
        let replicas = self.replicas.as_mut().expect("a standby");
        replicas.kill_primary();
        replicas.promote().await;
        self.db = connect(&self.database_url()).await;
    }
}

pub(super) fn database_url(servers: &EmbeddedServers, replicas: Option<&Replicas>) -> String {
    let url = replicas.map(Replicas::url).or(servers.database_url());
    url.expect("PostgreSQL runs").to_owned()
}
