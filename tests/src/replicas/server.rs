//! One PostgreSQL on a socket in a folder of its own.

use std::fs;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, User, geteuid};
use tempfile::TempDir;
use tokio_postgres::{Client, Config, NoTls};

use crate::eventually;

/// The role that may do everything.
pub(super) const SUPERUSER: &str = "postgres";
/// Longest wait for an answer of a server that is being started.
const ANSWER_MAX: Duration = Duration::from_secs(2);

/// A server, its data and its socket. All go with it.
pub(super) struct Server {
    folder: TempDir,
    process: Option<Child>,
}

impl Server {
    /// Returns a server with a new cluster, which does not run yet.
    pub(super) fn create() -> Self {
        let server = Self::without_data();
        let mut initdb = server.command("initdb");
        initdb.args(["--no-sync", "--auth=trust", "--username", SUPERUSER]);
        initdb.args(["--encoding=UTF8", "--locale=C", "-D", "data"]);
        run(initdb);
        server
    }

    /// Returns a server that follows `primary`, which does not run yet.
    pub(super) fn follow(primary: &Self) -> Self {
        let server = Self::without_data();
        server.copy(primary);
        server
    }

    /// Throws the data away and follows `primary`. It does not run.
    pub(super) fn rejoin(&self, primary: &Self) {
        fs::remove_dir_all(self.folder.path().join("data")).expect("the data can be removed");
        self.copy(primary);
    }

    fn without_data() -> Self {
        let folder = tempfile::Builder::new().prefix("tsr").tempdir_in("/tmp");
        let folder = folder.expect("a folder");
        if let Some(user) = account() {
            let (uid, gid) = (user.uid.as_raw(), user.gid.as_raw());
            chown(folder.path(), Some(uid), Some(gid)).expect("a folder of the account");
        }
        Self {
            folder,
            process: None,
        }
    }

    /// Copies the data of `primary`, with what makes a standby of the copy.
    fn copy(&self, primary: &Self) {
        let mut backup = self.command("pg_basebackup");
        backup.arg("-h").arg(primary.folder());
        backup.args(["-U", SUPERUSER, "-D", "data"]);
        backup.args(["--wal-method=stream", "--checkpoint=fast", "--no-sync"]);
        run(backup.arg("--write-recovery-conf"));
    }

    /// Folder of the socket.
    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Starts it and waits until it answers, as a primary or a standby.
    pub(super) async fn start(&mut self) {
        let mut command = self.command("postgres");
        command.args(["-D", "data", "-k"]).arg(self.folder());
        command.args(["-c", "listen_addresses=", "-c", "fsync=off"]);
        command.args(["-c", "shared_buffers=16MB", "-c", "jit=off"]);
        self.process = Some(command.spawn().expect("PostgreSQL is installed"));
        eventually("PostgreSQL answers", async || {
            let answer = tokio::time::timeout(ANSWER_MAX, self.try_client("postgres"));
            matches!(answer.await, Ok(Ok(_)))
        })
        .await;
    }

    /// Kills it and everything that serves its clients.
    pub(super) fn kill(&mut self) {
        self.signal(Signal::SIGKILL);
        let mut process = self.process.take().expect("it runs");
        process.wait().expect("it is a child");
    }

    /// Stops it where it is: it accepts connections and answers none.
    pub(super) fn freeze(&self) {
        self.signal(Signal::SIGSTOP);
    }

    /// Lets it go on.
    pub(super) fn thaw(&self) {
        self.signal(Signal::SIGCONT);
    }

    pub(super) fn is_running(&self) -> bool {
        self.process.is_some()
    }

    /// Returns a connection of the superuser.
    pub(super) async fn client(&self, database: &str) -> Client {
        self.try_client(database).await.expect("PostgreSQL answers")
    }

    async fn try_client(&self, database: &str) -> Result<Client, tokio_postgres::Error> {
        let mut config = Config::new();
        config.host_path(self.folder()).user(SUPERUSER);
        let (client, connection) = config.dbname(database).connect(NoTls).await?;
        drop(turnstile_connectors::task::spawn(
            "test connection",
            async move { drop(connection.await) },
        ));
        Ok(client)
    }

    /// Signals the server, and its children: each has a session of its own.
    fn signal(&self, signal: Signal) {
        let Some(process) = &self.process else {
            return;
        };
        let server = process.id();
        // The parent first, so that it does not replace what ends.
        for pid in std::iter::once(server).chain(children(server)) {
            // A child may have ended just now.
            _ = kill(Pid::from_raw(pid.cast_signed()), signal);
        }
    }

    /// Returns a program of PostgreSQL, to be run in the folder by the account of the server.
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(programs().join(program));
        if let Some(user) = account() {
            command.uid(user.uid.as_raw()).gid(user.gid.as_raw());
        }
        command
            .current_dir(self.folder())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.signal(Signal::SIGCONT);
        self.signal(Signal::SIGKILL);
        if let Some(process) = &mut self.process {
            drop(process.wait());
        }
    }
}

fn run(mut command: impl std::borrow::BorrowMut<Command>) {
    let command = command.borrow_mut();
    let status = command.status().expect("PostgreSQL is installed");
    assert!(status.success(), "{command:?}: {status}");
}

/// Returns the processes whose parent is `parent`.
fn children(parent: u32) -> Vec<u32> {
    let entries = fs::read_dir("/proc").expect("a list of processes");
    let ids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    let parent = parent.to_string();
    let is_child = |pid: &u32| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        // Behind the name, which stands in parentheses: state and parent.
        let rest = stat.rsplit_once(')').map(|(_name, rest)| rest);
        rest.and_then(|rest| rest.split_whitespace().nth(1)) == Some(parent.as_str())
    };
    ids.filter(is_child).collect()
}

/// PostgreSQL refuses to run as root: root takes the account that its package brings.
fn account() -> Option<User> {
    let user = || {
        let user = User::from_name("postgres").expect("a list of accounts");
        user.expect("an account postgres")
    };
    geteuid().is_root().then(user)
}

/// Folder of the programs of the newest PostgreSQL.
fn programs() -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql").expect("PostgreSQL is installed");
    let folders = versions.filter_map(|entry| Some(entry.ok()?.path().join("bin")));
    let newest = folders.filter(|folder| folder.join("postgres").exists());
    newest.max().expect("PostgreSQL is installed")
}
