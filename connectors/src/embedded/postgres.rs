//! The private PostgreSQL: one cluster, reachable over a unix socket only.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use nix::sys::signal::Signal;
use nix::unistd::Pid;
use tokio::time::{Instant, sleep, timeout};
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, NoTls};
use tracing::{info, warn};

use super::cluster::{self, SUPERUSER};
use super::home::{Home, write_if_changed};
use super::host::{Host, PostgresPrograms};
use super::process::{self, ServerProcess};
use super::{EmbeddedConfig, EmbeddedError, encode};
use crate::task;

/// Fills eight files of the write-ahead log with next to nothing; the checkpoint that follows keeps them
/// for use again (`min_wal_size`). A commit that has to make a new file waits for 16 MB of zeros, and so
/// does every commit behind it: on the first day of a new cluster that would be once in a second or two
/// of heavy trading.
const LAY_OUT_LOG: &str = "DO $$ BEGIN
        FOR n IN 1..8 LOOP
            PERFORM pg_logical_emit_message(false, 'turnstile', '');
            PERFORM pg_switch_wal();
        END LOOP;
    END $$";

/// The role of the application and the database that it owns.
const APPLICATION: &str = "turnstile";

/// Replaying the log after a crash may take this long: `max_wal_size` bounds it to 2 GB.
const START_PATIENCE: Duration = Duration::from_secs(180);

/// A running server that refuses or ignores connections for so long is stopped.
const ANSWER_PATIENCE: Duration = Duration::from_secs(5);

/// How often a starting server is asked.
const POLL: Duration = Duration::from_millis(25);

/// Fast, then immediate shutdown, then the end. A fast one writes out all that is in memory.
const END: [(Signal, Duration); 3] = [
    (Signal::SIGINT, Duration::from_secs(60)),
    (Signal::SIGQUIT, Duration::from_secs(10)),
    (Signal::SIGKILL, Duration::from_secs(10)),
];

/// How to stop a server that does not answer: the log is replayed at the next start.
const END_UNHEALTHY: [(Signal, Duration); 2] = [
    (Signal::SIGQUIT, Duration::from_secs(5)),
    (Signal::SIGKILL, Duration::from_secs(10)),
];

/// The children of a killed server end by themselves as soon as they notice.
const LEFTOVERS_PATIENCE: Duration = Duration::from_secs(10);

/// The private PostgreSQL of one data folder.
#[derive(Debug)]
pub struct PostgresServer {
    host: Host,
    setsid: PathBuf,
    programs: PostgresPrograms,
    command: CommandParts,
    /// Title by which the children of the server are recognised, `cluster_name`.
    title: String,
    settings: String,
    sockets: PathBuf,
    url: String,
    process: Option<ServerProcess>,
}

/// What the command line of the server is made of.
#[derive(Debug)]
struct CommandParts {
    account: super::account::Account,
    cluster: PathBuf,
    config: PathBuf,
    log: PathBuf,
}

impl PostgresServer {
    /// Makes the cluster if it is missing; does not start the server yet.
    pub(super) async fn prepare(
        config: &EmbeddedConfig,
        home: &Home,
        host: &Host,
    ) -> Result<Self, EmbeddedError> {
        let programs = host.postgres(cluster::version(home), &cluster::folder(home))?;
        let setsid = host.setsid()?;
        cluster::ensure(home, &programs, host).await?;
        let title = format!("turnstile-{}", home.hash);
        Ok(Self {
            host: host.clone(),
            setsid,
            programs,
            command: CommandParts {
                account: home.account.clone(),
                cluster: cluster::folder(home),
                config: home.folder.join("postgres.conf"),
                log: home.folder.join("postgres.log"),
            },
            settings: settings(config, home, &title),
            title,
            url: format!(
                "postgresql://{APPLICATION}@{}/{APPLICATION}",
                encode(home.sockets.as_os_str(), b"")
            ),
            sockets: home.sockets.clone(),
            process: None,
        })
    }

    /// The address for clients: a `DATABASE_URL` of the application's role over the socket.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Process id of the server (the postmaster) while it runs.
    #[must_use]
    pub fn pid(&self) -> Option<i32> {
        self.process.as_ref().map(|process| process.pid().as_raw())
    }

    /// Starts the server, or adopts the one that a Turnstile which was killed has left. Returns
    /// once the application can connect. A server that runs already is left as it is.
    ///
    /// # Errors
    ///
    /// When the server does not come up; the error has the last lines of its log.
    pub async fn start(&mut self) -> Result<(), EmbeddedError> {
        let changed = write_if_changed(&self.command.config, &self.settings)?;
        if let Some(mut running) = self.running()? {
            let answers = self
                .await_answer(&mut running, ANSWER_PATIENCE)
                .await
                .is_ok();
            if answers && !changed {
                info!(pid = %running.pid(), "adopted the running PostgreSQL");
                self.process = Some(running);
                return self.ensure_database().await;
            }
            warn!(pid = %running.pid(), answers, changed, "restarting the running PostgreSQL");
            let steps = if answers { &END[..] } else { &END_UNHEALTHY };
            running.end(steps).await?;
        }
        self.end_leftovers().await?;
        self.remove_stale_files();
        let mut command = self.command.account.command(&self.setsid, &self.host);
        command
            .arg(&self.programs.postgres)
            .arg("-D")
            .arg(&self.command.cluster);
        command.arg("-c").arg({
            let mut setting = std::ffi::OsString::from("config_file=");
            setting.push(&self.command.config);
            setting
        });
        let log = &self.command.log;
        let mut process = ServerProcess::launch("PostgreSQL", command, log, Signal::SIGINT)?;
        self.await_answer(&mut process, START_PATIENCE).await?;
        info!(pid = %process.pid(), version = self.programs.version, "PostgreSQL is ready");
        self.process = Some(process);
        self.ensure_database().await
    }

    /// Stops the server in good order: open transactions are rolled back, all memory is written.
    ///
    /// # Errors
    ///
    /// When it has not ended even after being killed.
    pub async fn stop(&mut self) -> Result<(), EmbeddedError> {
        let Some(process) = &mut self.process else {
            return Ok(());
        };
        process.end(&END).await?;
        self.process = None;
        self.end_leftovers().await
    }

    /// Kills the server as a crash would (SIGKILL) and waits until its children are gone too.
    ///
    /// # Errors
    ///
    /// When it has not ended.
    pub async fn kill(&mut self) -> Result<(), EmbeddedError> {
        let Some(process) = &mut self.process else {
            return Ok(());
        };
        process.end(&END_UNHEALTHY[1..]).await?;
        self.process = None;
        self.end_leftovers().await
    }

    /// Returns the server that runs on the cluster, by its pid file, which outlives a crash and a
    /// restart of the machine: the process it names may be another one by now.
    fn running(&mut self) -> Result<Option<ServerProcess>, EmbeddedError> {
        if let Some(mut process) = self.process.take()
            && process.is_alive()
        {
            return Ok(Some(process));
        }
        let cluster = &self.command.cluster;
        let Ok(text) = fs::read_to_string(cluster.join("postmaster.pid")) else {
            return Ok(None);
        };
        let first = text.lines().next().unwrap_or_default().trim();
        let Some(pid) = first.parse().ok().filter(|pid| *pid > 1).map(Pid::from_raw) else {
            return Ok(None);
        };
        let line = process::command_line(pid);
        let of_cluster = line
            .windows(2)
            .any(|words| words[0] == b"-D" && words[1] == cluster.as_os_str().as_encoded_bytes());
        let works_there = fs::read_link(format!("/proc/{pid}/cwd"));
        let is_server = line
            .first()
            .is_some_and(|program| program.ends_with(b"/postgres") || program == b"postgres");
        if is_server && (of_cluster || works_there.as_ref().is_ok_and(|folder| folder == cluster)) {
            return Ok(ServerProcess::adopt("PostgreSQL", pid, Signal::SIGINT));
        }
        if is_server && works_there.is_err() && process::identity(pid).is_some() {
            return Err(EmbeddedError::Foreign {
                folder: cluster.clone(),
                pid: pid.as_raw(),
            });
        }
        Ok(None)
    }

    /// Waits for children of a server that was killed: a new one must not start beside them.
    async fn end_leftovers(&self) -> Result<(), EmbeddedError> {
        let title = format!("postgres: {}: ", self.title);
        let gone = async {
            while !process::titled(&title).is_empty() {
                sleep(POLL).await;
            }
        };
        if timeout(LEFTOVERS_PATIENCE, gone).await.is_ok() {
            return Ok(());
        }
        for pid in process::titled(&title) {
            if let Some(mut child) = ServerProcess::adopt("PostgreSQL", pid, Signal::SIGKILL) {
                child.end(&END_UNHEALTHY[1..]).await?;
            }
        }
        Ok(())
    }

    /// Removes pid files that no server stands behind. PostgreSQL itself would refuse to start
    /// when the id in them belongs to any other process of the account by now.
    fn remove_stale_files(&self) {
        for name in [".s.PGSQL.5432", ".s.PGSQL.5432.lock"] {
            let _absent = fs::remove_file(self.sockets.join(name));
        }
        let _absent = fs::remove_file(self.command.cluster.join("postmaster.pid"));
    }

    /// Waits until the server takes connections. One that says that it starts, stops or replays
    /// its log is given time up to [`START_PATIENCE`]; any other silence is borne for `patience`.
    async fn await_answer(
        &self,
        process: &mut ServerProcess,
        patience: Duration,
    ) -> Result<(), EmbeddedError> {
        let begin = Instant::now();
        let mut heard = begin;
        while process.is_alive() {
            match timeout(ANSWER_PATIENCE, self.connect_superuser("postgres")).await {
                Ok(Ok(_client)) => return Ok(()),
                Ok(Err(error)) if error.code() == Some(&SqlState::CANNOT_CONNECT_NOW) => {
                    heard = Instant::now();
                }
                Ok(Err(_)) | Err(_) => {}
            }
            if heard.elapsed() > patience || begin.elapsed() > START_PATIENCE {
                let waited = begin.elapsed();
                return Err(EmbeddedError::Late {
                    server: "PostgreSQL",
                    what: "answer",
                    waited,
                });
            }
            sleep(POLL).await;
        }
        // What came before the settings were read stands in the first, the rest in the second.
        let mut log = process::log_tail(&self.command.log);
        if let Some(newest) = cluster::logs(&self.command.cluster).last() {
            log = format!(
                "{log}
{}",
                process::log_tail(newest)
            );
        }
        Err(EmbeddedError::Ended {
            server: "PostgreSQL",
            log,
        })
    }

    /// Makes the role and the database of the application unless they are there.
    async fn ensure_database(&self) -> Result<(), EmbeddedError> {
        let prepare = async {
            let client = self.connect_superuser("postgres").await?;
            let role = "SELECT FROM pg_roles WHERE rolname = $1";
            if client.query_opt(role, &[&APPLICATION]).await?.is_none() {
                client
                    .batch_execute(&format!("CREATE ROLE {APPLICATION} LOGIN"))
                    .await?;
            }
            let database = "SELECT FROM pg_database WHERE datname = $1";
            if client.query_opt(database, &[&APPLICATION]).await?.is_none() {
                let create = format!("CREATE DATABASE {APPLICATION} OWNER {APPLICATION}");
                client.batch_execute(&create).await?;
                client.batch_execute(LAY_OUT_LOG).await?;
                client.batch_execute("CHECKPOINT").await?;
                info!("created the database");
            }
            Ok(())
        };
        prepare.await.map_err(EmbeddedError::Prepare)
    }

    async fn connect_superuser(&self, database: &str) -> Result<Client, tokio_postgres::Error> {
        let mut config = tokio_postgres::Config::new();
        config
            .host_path(&self.sockets)
            .user(SUPERUSER)
            .dbname(database);
        let (client, connection) = config.connect(NoTls).await?;
        // Ends when the client is dropped; what goes wrong there, the client's calls report.
        let _handle = task::spawn("embedded: preparing connection", connection);
        Ok(client)
    }
}

/// Returns the configuration of the server, sized for a trading log on a small machine.
fn settings(config: &EmbeddedConfig, home: &Home, title: &str) -> String {
    let sockets = home.sockets.to_string_lossy().replace('\'', "''");
    let (connections, buffers) = (config.max_connections, config.shared_buffers_mb);
    format!(
        "# Written by Turnstile at each start; changes here are lost.
cluster_name = '{title}'

# Only the socket, in a folder that is private to the account.
listen_addresses = ''
port = 5432
unix_socket_directories = '{sockets}'
unix_socket_permissions = 0700
max_connections = {connections}

# An order may leave for the broker only once its row survives a power failure.
fsync = on
synchronous_commit = on
full_page_writes = on
wal_compression = on
max_wal_size = 2GB
min_wal_size = 160MB

# The processors belong to the engine; parallel queries also need shared memory beyond what
# containers have.
shared_buffers = {buffers}MB
max_parallel_workers_per_gather = 0
max_parallel_maintenance_workers = 0
jit = off

timezone = 'UTC'
log_timezone = 'UTC'
datestyle = 'iso, ymd'
default_text_search_config = 'pg_catalog.simple'

logging_collector = on
log_directory = 'log'
log_filename = 'postgresql-%Y%m%d-%H%M%S.log'
log_rotation_age = 0
log_rotation_size = 10MB
log_line_prefix = '%m [%p] %u@%d '
"
    )
}
