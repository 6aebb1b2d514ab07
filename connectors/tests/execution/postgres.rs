//! A private PostgreSQL on a Unix socket, migrated.

use std::fs;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, User, geteuid};
use tempfile::TempDir;
use turnstile_connectors::postgres::{Postgres, PostgresConfig, migrate};

/// A running server; stopped when dropped.
pub(crate) struct Server {
    dir: TempDir,
    server: Option<Child>,
}

/// Returns the newest folder of server programs.
fn programs() -> PathBuf {
    let mut found: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .expect("PostgreSQL is installed under /usr/lib/postgresql")
        .map(|entry| entry.unwrap().path().join("bin"))
        .filter(|path| path.join("postgres").exists())
        .collect();
    found.sort();
    found.pop().expect("a PostgreSQL server")
}

/// PostgreSQL refuses to run as root: root takes the account that its package brings.
fn program(name: &str) -> Command {
    let mut command = Command::new(programs().join(name));
    if geteuid().is_root() {
        let user = User::from_name("postgres")
            .unwrap()
            .expect("account postgres");
        command.uid(user.uid.as_raw()).gid(user.gid.as_raw());
    }
    command
        .current_dir("/")
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

impl Server {
    /// Starts a server with every migration applied.
    pub(crate) async fn start() -> Self {
        let dir = tempfile::Builder::new()
            .prefix("tsx")
            .tempdir_in("/tmp")
            .unwrap();
        if geteuid().is_root() {
            let user = User::from_name("postgres")
                .unwrap()
                .expect("account postgres");
            chown(dir.path(), Some(user.uid.as_raw()), Some(user.gid.as_raw())).unwrap();
        }
        let made = program("initdb")
            .args([
                "--no-sync",
                "--auth=trust",
                "--username=postgres",
                "--encoding=UTF8",
                "-D",
            ])
            .arg(dir.path().join("data"))
            .status()
            .unwrap();
        assert!(made.success(), "initdb failed");
        let mut server = Self { dir, server: None };
        server.resume();
        for _ in 0..200 {
            if migrate(&server.config()).await.is_ok() {
                return server;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("PostgreSQL does not take the migrations");
    }

    /// Starts the server again after [`Self::halt`].
    pub(crate) fn resume(&mut self) {
        let server = program("postgres")
            .arg("-D")
            .arg(self.dir.path().join("data"))
            .arg("-k")
            .arg(self.dir.path())
            .args([
                "-c",
                "listen_addresses=",
                "-c",
                "fsync=off",
                "-c",
                "shared_buffers=16MB",
                // A connection that a test began and dropped must not hold up the end for a minute.
                "-c",
                "authentication_timeout=5s",
            ])
            .spawn()
            .unwrap();
        self.server = Some(server);
    }

    /// Ends the server at once, as a power cut would.
    pub(crate) fn halt(&mut self) {
        if let Some(mut server) = self.server.take() {
            let pid = Pid::from_raw(i32::try_from(server.id()).unwrap());
            kill(pid, Signal::SIGQUIT).unwrap();
            server.wait().unwrap();
        }
    }

    /// Returns connections to the server.
    pub(crate) async fn connect(&self) -> Postgres {
        Postgres::connect(&self.config()).await.unwrap()
    }

    fn config(&self) -> PostgresConfig {
        let url = format!(
            "host={} user=postgres dbname=postgres",
            self.dir.path().display()
        );
        PostgresConfig {
            url: url.into(),
            pool_max: 16,
            pool_min: 1,
            ..PostgresConfig::default()
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.halt();
    }
}
