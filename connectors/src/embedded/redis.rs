//! The private Redis: a cache without persistence, reachable over a unix socket only.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use nix::sys::signal::Signal;
use nix::unistd::Pid;
use redis::RedisError;
use tokio::time::{Instant, sleep, timeout};
use tracing::{info, warn};

use super::account::Account;
use super::home::{Home, write_if_changed};
use super::host::Host;
use super::process::{self, ServerProcess};
use super::{EmbeddedConfig, EmbeddedError, encode};

/// Redis starts in milliseconds: there is nothing to load.
const START_PATIENCE: Duration = Duration::from_secs(20);

/// A running server that does not answer for so long is stopped.
const ANSWER_PATIENCE: Duration = Duration::from_secs(3);

/// How often a starting server is asked.
const POLL: Duration = Duration::from_millis(10);

/// SIGTERM is Redis' SHUTDOWN; nothing is saved because no save points are set.
const END: [(Signal, Duration); 2] = [
    (Signal::SIGTERM, Duration::from_secs(10)),
    (Signal::SIGKILL, Duration::from_secs(10)),
];

/// The private Redis of one data folder.
#[derive(Debug)]
pub struct RedisServer {
    host: Host,
    account: Account,
    setsid: PathBuf,
    program: PathBuf,
    settings: String,
    config: PathBuf,
    log: PathBuf,
    /// Where the identity of the process is kept for the next start.
    record: PathBuf,
    socket: PathBuf,
    url: String,
    process: Option<ServerProcess>,
}

impl RedisServer {
    /// Finds the program; does not start the server yet.
    pub(super) fn prepare(
        config: &EmbeddedConfig,
        home: &Home,
        host: &Host,
    ) -> Result<Self, EmbeddedError> {
        let program = host.program(
            &["redis-server", "valkey-server"],
            "apt-get install --no-install-recommends redis-server",
        )?;
        let socket = home.sockets.join("redis.sock");
        let quoted = socket
            .to_string_lossy()
            .replace('\\', "\\\\")
            .replace('"', "\\\"");
        let memory = config.redis_memory_mb;
        Ok(Self {
            host: host.clone(),
            account: home.account.clone(),
            setsid: host.setsid()?,
            program,
            settings: format!(
                "# Written by Turnstile at each start; changes here are lost.
# Only the socket, in a folder that is private to the account.
port 0
unixsocket \"{quoted}\"
unixsocketperm 700
# A cache: the truth is in PostgreSQL.
save \"\"
appendonly no
maxmemory {memory}mb
maxmemory-policy allkeys-lru
"
            ),
            config: home.folder.join("redis.conf"),
            log: home.folder.join("redis.log"),
            record: home.folder.join("redis.process"),
            url: format!("redis+unix://{}", encode(socket.as_os_str(), b"/")),
            socket,
            process: None,
        })
    }

    /// The address for clients, a `REDIS_URL` over the socket.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Process id of the server while it runs.
    #[must_use]
    pub fn pid(&self) -> Option<i32> {
        self.process.as_ref().map(|process| process.pid().as_raw())
    }

    /// Starts the server, or adopts the one that a Turnstile which was killed has left, with what
    /// it holds. Returns once it answers. A server that runs already is left as it is.
    ///
    /// # Errors
    ///
    /// When the server does not come up; the error has the last lines of its log.
    pub async fn start(&mut self) -> Result<(), EmbeddedError> {
        let changed = write_if_changed(&self.config, &self.settings)?;
        if let Some(mut running) = self.running() {
            let answers = self
                .await_answer(&mut running, ANSWER_PATIENCE)
                .await
                .is_ok();
            if answers && !changed {
                info!(pid = %running.pid(), "adopted the running Redis");
                self.process = Some(running);
                return Ok(());
            }
            warn!(pid = %running.pid(), answers, changed, "restarting the running Redis");
            // It holds nothing that would have to be saved.
            let steps = if answers { &END[..] } else { &END[1..] };
            running.end(steps).await?;
        }
        let _absent = fs::remove_file(&self.socket);
        let mut command = self.account.command(&self.setsid, &self.host);
        command.arg(&self.program).arg(&self.config);
        let mut process = ServerProcess::launch("Redis", command, &self.log, Signal::SIGTERM)?;
        write_if_changed(&self.record, process.identity())?;
        self.await_answer(&mut process, START_PATIENCE).await?;
        info!(pid = %process.pid(), "Redis is ready");
        self.process = Some(process);
        Ok(())
    }

    /// Stops the server in good order. What it held is gone.
    ///
    /// # Errors
    ///
    /// When it has not ended even after being killed.
    pub async fn stop(&mut self) -> Result<(), EmbeddedError> {
        self.forbid_adoption();
        self.end(&END).await
    }

    /// Kills the server as a crash would (SIGKILL).
    ///
    /// # Errors
    ///
    /// When it has not ended.
    pub async fn kill(&mut self) -> Result<(), EmbeddedError> {
        self.end(&END[1..]).await
    }

    /// Makes the next start end this server rather than adopt it, should it still run then: Redis
    /// goes on answering for up to 0.1 s after it was told to end.
    fn forbid_adoption(&self) {
        if self.process.is_some() {
            let _absent = fs::remove_file(&self.config);
        }
    }

    async fn end(&mut self, steps: &[(Signal, Duration)]) -> Result<(), EmbeddedError> {
        let Some(process) = &mut self.process else {
            return Ok(());
        };
        process.end(steps).await?;
        self.process = None;
        let _absent = fs::remove_file(&self.record);
        Ok(())
    }

    /// Returns the server of an earlier start, if it is still the process that was recorded.
    fn running(&mut self) -> Option<ServerProcess> {
        if let Some(mut process) = self.process.take()
            && process.is_alive()
        {
            return Some(process);
        }
        let record = fs::read_to_string(&self.record).ok()?;
        let pid = Pid::from_raw(record.split_once(' ')?.0.parse().ok()?);
        let running = process::identity(pid).is_some_and(|identity| identity == record);
        if running {
            ServerProcess::adopt("Redis", pid, Signal::SIGTERM)
        } else {
            None
        }
    }

    /// Waits until the server answers on its socket, and with its own process id.
    async fn await_answer(
        &self,
        process: &mut ServerProcess,
        patience: Duration,
    ) -> Result<(), EmbeddedError> {
        let begin = Instant::now();
        while process.is_alive() {
            if let Ok(Ok(pid)) = timeout(ANSWER_PATIENCE, self.ask_pid()).await
                && pid == Some(process.pid().as_raw())
            {
                return Ok(());
            }
            if begin.elapsed() > patience {
                let waited = begin.elapsed();
                return Err(EmbeddedError::Late {
                    server: "Redis",
                    what: "answer",
                    waited,
                });
            }
            sleep(POLL).await;
        }
        Err(EmbeddedError::Ended {
            server: "Redis",
            log: process::log_tail(&self.log),
        })
    }

    async fn ask_pid(&self) -> Result<Option<i32>, RedisError> {
        let client = redis::Client::open(self.url.as_str())?;
        let mut connection = client.get_multiplexed_async_connection().await?;
        let info: String = redis::cmd("INFO")
            .arg("server")
            .query_async(&mut connection)
            .await?;
        let line = info
            .lines()
            .find_map(|line| line.strip_prefix("process_id:"));
        Ok(line.and_then(|pid| pid.trim().parse().ok()))
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.forbid_adoption();
    }
}
