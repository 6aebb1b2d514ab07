//! A private PostgreSQL and Redis on Unix sockets, for one test.

use std::fs;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, User, geteuid};
use secrecy::SecretString;
use tempfile::TempDir;
use tokio_postgres::{Client, NoTls};
use turnstile_connectors::postgres::{Postgres, PostgresConfig, migrate};
use turnstile_connectors::redis::{Cache, RedisConfig};

/// Patience with everything that the tests wait for.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(10);

/// A process and the folder of its socket and data; both go with it.
struct Server {
    dir: TempDir,
    process: Option<Child>,
}

/// A PostgreSQL cluster of its own.
pub(crate) struct PostgresServer(Server);

/// A Redis of its own.
pub(crate) struct RedisServer(Server);

/// Returns once `check` is true; panics where it stays false.
pub(crate) async fn eventually(what: &str, mut check: impl AsyncFnMut() -> bool) {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while !check().await {
        assert!(tokio::time::Instant::now() < deadline, "never came: {what}");
        tokio::time::sleep(POLL).await;
    }
}

impl Server {
    fn prepare() -> Self {
        let dir = tempfile::Builder::new().prefix("tss").tempdir_in("/tmp");
        let server = Self {
            dir: dir.unwrap(),
            process: None,
        };
        give(server.dir.path());
        server
    }

    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        if let Some(user) = account() {
            command.uid(user.uid.as_raw()).gid(user.gid.as_raw());
        }
        command
            .current_dir(self.dir.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command
    }

    fn signal(&self, signal: Signal) {
        let process = self.process.as_ref().expect("a running server");
        kill(Pid::from_raw(process.id().cast_signed()), signal).unwrap();
    }

    fn end(&mut self, signal: Signal) {
        if self.process.is_some() {
            self.signal(signal);
        }
        if let Some(mut process) = self.process.take() {
            process.wait().unwrap();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(process) = &mut self.process {
            // For PostgreSQL SIGQUIT ends the children too; a stopped process needs SIGCONT first.
            for signal in [Signal::SIGCONT, Signal::SIGQUIT] {
                let _ = kill(Pid::from_raw(process.id().cast_signed()), signal);
            }
            drop(process.wait());
        }
    }
}

/// Gives a file or folder to the account of the servers.
pub(crate) fn give(path: &Path) {
    if let Some(user) = account() {
        let (uid, gid) = (user.uid.as_raw(), user.gid.as_raw());
        chown(path, Some(uid), Some(gid)).unwrap();
    }
}

/// PostgreSQL refuses to run as root: root takes the account that its package brings.
fn account() -> Option<User> {
    let user = || User::from_name("postgres").unwrap().expect("an account");
    geteuid().is_root().then(user)
}

impl PostgresServer {
    /// Starts a server without any table.
    pub(crate) async fn start_empty() -> Self {
        let mut server = Self(Server::prepare());
        let made = server
            .0
            .command(&Self::programs().join("initdb"))
            .args(["--no-sync", "--auth=trust", "--username=postgres"])
            .args(["--encoding=UTF8", "--locale=C", "-D", "data"])
            .status()
            .unwrap();
        assert!(made.success(), "initdb failed");
        server.resume().await;
        server
    }

    /// Starts a server with every migration applied.
    pub(crate) async fn start() -> Self {
        let server = Self::start_empty().await;
        migrate(&server.config()).await.unwrap();
        server
    }

    fn programs() -> PathBuf {
        let mut found: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
            .expect("PostgreSQL is installed under /usr/lib/postgresql")
            .map(|entry| entry.unwrap().path().join("bin"))
            .filter(|path| path.join("postgres").exists())
            .collect();
        found.sort();
        found.pop().expect("a PostgreSQL server")
    }

    /// Kills the server as a crash would. Files that it wrote stay.
    pub(crate) fn crash(&mut self) {
        self.0.end(Signal::SIGQUIT);
    }

    /// Starts the server again.
    pub(crate) async fn resume(&mut self) {
        let config = self.config();
        self.resume_with(&["listen_addresses=".to_owned()], &config)
            .await;
    }

    /// Starts the server again with these settings, and waits until it is reached by `config`.
    pub(crate) async fn resume_with(&mut self, settings: &[String], config: &PostgresConfig) {
        let mut command = self.0.command(&Self::programs().join("postgres"));
        command.args(["-D", "data", "-k"]).arg(self.dir());
        command.args(["-c", "fsync=off", "-c", "shared_buffers=16MB"]);
        for setting in settings {
            command.args(["-c", setting]);
        }
        self.0.process = Some(command.spawn().unwrap());
        eventually("PostgreSQL", async || {
            Postgres::connect(config).await.is_ok()
        })
        .await;
    }

    /// Folder of the socket.
    pub(crate) fn dir(&self) -> &Path {
        self.0.dir.path()
    }

    pub(crate) fn config(&self) -> PostgresConfig {
        Self::config_at(self.dir())
    }

    /// Configuration for a server whose socket is in `dir`.
    pub(crate) fn config_at(dir: &Path) -> PostgresConfig {
        let url = format!("host={} user=postgres dbname=postgres", dir.display());
        PostgresConfig {
            url: SecretString::from(url),
            pool_min: 1,
            ..PostgresConfig::default()
        }
    }

    pub(crate) async fn connect(&self) -> Postgres {
        Postgres::connect(&self.config()).await.unwrap()
    }

    /// Returns a connection that the code under test knows nothing of.
    pub(crate) async fn client(&self) -> Client {
        let url = format!(
            "host={} user=postgres dbname=postgres",
            self.dir().display()
        );
        let (client, connection) = tokio_postgres::connect(&url, NoTls).await.unwrap();
        drop(turnstile_connectors::task::spawn(
            "test connection",
            connection,
        ));
        client
    }
}

impl RedisServer {
    pub(crate) async fn start() -> Self {
        let mut server = Self(Server::prepare());
        server.resume().await;
        server
    }

    /// Starts a server with these settings beside its socket.
    pub(crate) async fn start_with(settings: &[(&str, String)]) -> Self {
        let mut server = Self(Server::prepare());
        server.launch(settings).await;
        server
    }

    /// Starts the server again, empty.
    pub(crate) async fn resume(&mut self) {
        self.launch(&[]).await;
    }

    async fn launch(&mut self, settings: &[(&str, String)]) {
        let mut command = self.0.command(Path::new("redis-server"));
        command.args(["--port", "0", "--save", "", "--appendonly", "no"]);
        command.args(["--unixsocket", "redis.sock"]);
        for (name, value) in settings {
            command.args([name, value.as_str()]);
        }
        self.0.process = Some(command.spawn().unwrap());
        let cache = self.cache();
        eventually("Redis", async || cache.ping().await).await;
    }

    /// Kills the server; what it held is gone.
    pub(crate) fn crash(&mut self) {
        self.0.end(Signal::SIGKILL);
    }

    /// Lets the server hang: it accepts and does not answer.
    pub(crate) fn freeze(&self) {
        self.0.signal(Signal::SIGSTOP);
    }

    /// Ends [`Self::freeze`].
    pub(crate) fn thaw(&self) {
        self.0.signal(Signal::SIGCONT);
    }

    pub(crate) fn cache(&self) -> Cache {
        self.cache_open_for(Duration::from_millis(50))
    }

    /// Returns a cache that leaves Redis alone for so long after faults.
    pub(crate) fn cache_open_for(&self, breaker_open: Duration) -> Cache {
        let config = RedisConfig {
            breaker_open,
            ..self.config()
        };
        Cache::new(&config).unwrap()
    }

    /// Returns how it is reached.
    pub(crate) fn config(&self) -> RedisConfig {
        let url = format!("redis+unix://{}/redis.sock", self.0.dir.path().display());
        RedisConfig {
            url: Some(SecretString::from(url)),
            // A machine that works on several tests at once is slow by itself.
            slow_call: Duration::from_millis(250),
            ..RedisConfig::default()
        }
    }

    /// Returns a connection that the code under test knows nothing of.
    pub(crate) async fn client(&self) -> redis::aio::MultiplexedConnection {
        let url = format!("redis+unix://{}/redis.sock", self.0.dir.path().display());
        let client = redis::Client::open(url).unwrap();
        client.get_multiplexed_async_connection().await.unwrap()
    }
}
