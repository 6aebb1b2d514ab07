//! Private PostgreSQL and Redis servers on Unix sockets in a short temporary folder.

use std::fs;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use turnstile_connectors::postgres::{Postgres, PostgresConfig, migrate};
use turnstile_connectors::redis::{Cache, RedisConfig};

const START_DEADLINE: Duration = Duration::from_secs(30);

/// Waits until `ready` returns something.
pub(crate) async fn eventually<T>(what: &str, mut ready: impl AsyncFnMut() -> Option<T>) -> T {
    let waiting = async {
        loop {
            if let Some(value) = ready().await {
                return value;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(START_DEADLINE, waiting)
        .await
        .unwrap_or_else(|_| panic!("never: {what}"))
}

/// A PostgreSQL cluster that dies with this value.
pub(crate) struct PostgresServer {
    child: Child,
    folder: PathBuf,
}

impl PostgresServer {
    /// Creates a cluster below `folder` and migrates it.
    pub(crate) async fn start(folder: &TempDir) -> Self {
        let folder = folder.path().join("pg");
        fs::create_dir(&folder).unwrap();
        let owner = unprivileged();
        if let Some((uid, gid)) = owner {
            chown(&folder, Some(uid), Some(gid)).unwrap();
        }
        let data = folder.join("data");
        let mut init = command(&binary("initdb"), owner, &folder);
        init.args([
            "--no-sync",
            "-A",
            "trust",
            "-U",
            "postgres",
            "-E",
            "UTF8",
            "--locale=C",
            "-D",
        ]);
        assert!(init.arg(&data).status().unwrap().success(), "initdb failed");
        let child = spawn(&folder, owner);
        let server = Self { child, folder };
        eventually("PostgreSQL answers", async || {
            Postgres::connect(&server.config()).await.ok()
        })
        .await;
        migrate(&server.config()).await.unwrap();
        server
    }

    /// Returns how to reach it.
    pub(crate) fn config(&self) -> PostgresConfig {
        let url = format!(
            "host={} user=postgres dbname=postgres",
            self.folder.display()
        );
        PostgresConfig {
            url: url.into(),
            pool_min: 1,
            connect_timeout: Duration::from_secs(2),
            ..PostgresConfig::default()
        }
    }

    /// Stops it at once, as a crash would.
    pub(crate) fn stop(&mut self) {
        stop(&mut self.child, "-QUIT");
    }

    /// Starts it again on the same data.
    pub(crate) fn restart(&mut self) {
        self.child = spawn(&self.folder, unprivileged());
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A Redis server that dies with this value.
pub(crate) struct RedisServer {
    child: Child,
    /// Those that were frozen when another took their place: whoever is connected to one still waits.
    frozen: Vec<Child>,
    socket: PathBuf,
}

impl RedisServer {
    /// Starts an empty server below `folder`.
    pub(crate) async fn start(folder: &TempDir) -> Self {
        let socket = folder.path().join("redis.sock");
        let server = Self {
            child: spawn_redis(&socket),
            frozen: Vec::new(),
            socket,
        };
        server.wait().await;
        server
    }

    /// Returns a cache on it.
    pub(crate) fn cache(&self) -> Cache {
        let url = format!("redis+unix://{}", self.socket.display());
        let config = RedisConfig {
            url: Some(url.into()),
            breaker_open: Duration::from_millis(200),
            // A machine that works on several tests at once is slow by itself.
            slow_call: Duration::from_millis(250),
            ..RedisConfig::default()
        };
        Cache::new(&config).unwrap()
    }

    /// Runs a command and returns what it prints.
    pub(crate) fn ask(&self, command: &[&str]) -> String {
        let mut cli = Command::new("redis-cli");
        let output = cli
            .arg("-s")
            .arg(&self.socket)
            .args(command)
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// Stops it at once.
    pub(crate) fn stop(&mut self) {
        stop(&mut self.child, "-KILL");
    }

    /// Freezes it: connections stand, nothing answers.
    pub(crate) fn freeze(&self) {
        signal(&self.child, "-STOP");
    }

    /// Starts it again, empty.
    pub(crate) async fn restart(&mut self) {
        let mut before = std::mem::replace(&mut self.child, spawn_redis(&self.socket));
        if matches!(before.try_wait(), Ok(None)) {
            self.frozen.push(before);
        }
        self.wait().await;
    }

    async fn wait(&self) {
        eventually("Redis answers", async || {
            (self.ask(&["PING"]) == "PONG").then_some(())
        })
        .await;
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.stop();
        for server in &mut self.frozen {
            stop(server, "-KILL");
        }
    }
}

fn spawn(folder: &Path, owner: Option<(u32, u32)>) -> Child {
    let mut server = command(&binary("postgres"), owner, folder);
    server
        .arg("-D")
        .arg(folder.join("data"))
        .arg("-k")
        .arg(folder);
    server.args(["-c", "listen_addresses=", "-c", "fsync=off"]);
    server.spawn().unwrap()
}

fn spawn_redis(socket: &Path) -> Child {
    let _ = fs::remove_file(socket);
    Command::new("redis-server")
        .args([
            "--port",
            "0",
            "--save",
            "",
            "--appendonly",
            "no",
            "--unixsocket",
        ])
        .arg(socket)
        .current_dir(socket.parent().unwrap())
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

fn command(program: &Path, owner: Option<(u32, u32)>, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .current_dir(folder)
        .env("TZ", "UTC")
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    if let Some((uid, gid)) = owner {
        command.uid(uid).gid(gid);
    }
    command
}

/// Returns the account that PostgreSQL runs under when this test runs as root, which it refuses.
fn unprivileged() -> Option<(u32, u32)> {
    let output = Command::new("id").arg("-u").output().unwrap();
    if output.stdout.trim_ascii() != b"0" {
        return None;
    }
    let accounts = fs::read_to_string("/etc/passwd").unwrap();
    let find = |name: &str| {
        let line = accounts
            .lines()
            .find(|line| line.split(':').next() == Some(name))?;
        let mut fields = line.split(':').skip(2).map(|field| field.parse().unwrap());
        Some((fields.next()?, fields.next()?))
    };
    find("postgres").or_else(|| find("nobody"))
}

fn binary(name: &str) -> PathBuf {
    let installed = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten();
    let mut found: Vec<PathBuf> = installed
        .map(|version| version.path().join("bin").join(name))
        .filter(|path| path.is_file())
        .collect();
    found.sort();
    found.pop().unwrap_or_else(|| PathBuf::from(name))
}

fn signal(child: &Child, signal: &str) {
    let _ = Command::new("kill")
        .arg(signal)
        .arg(child.id().to_string())
        .status();
}

fn stop(child: &mut Child, how: &str) {
    if let Ok(None) = child.try_wait() {
        signal(child, how);
        let _ = child.wait();
    }
}
