//! What the tests of the private servers share: folders, connections, and a second process.

use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader};
use std::num::NonZeroU32;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};

use nix::unistd::User;
use tempfile::TempDir;
use tokio_postgres::{Client, NoTls};
use turnstile_connectors::embedded::{EmbeddedConfig, EmbeddedServers};
use turnstile_connectors::task;

/// Names what the executable of this test is to do when a test starts it once more.
pub(crate) const ROLE: &str = "EMBEDDED_TEST_ROLE";
/// The data folder for it.
pub(crate) const FOLDER: &str = "EMBEDDED_TEST_FOLDER";

/// A folder that every account can enter, as a project's folder usually is.
pub(crate) fn open_folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
    folder
}

pub(crate) fn config(folder: &Path) -> EmbeddedConfig {
    EmbeddedConfig {
        data_dir: folder.join(".turnstile"),
        shared_buffers_mb: NonZeroU32::new(16).unwrap(),
        ..EmbeddedConfig::default()
    }
}

pub(crate) async fn start(folder: &Path) -> EmbeddedServers {
    EmbeddedServers::start(config(folder))
        .await
        .unwrap_or_else(|error| panic!("{error:?}"))
}

/// Connects as an application does that knows nothing but the address.
pub(crate) async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    let _handle = task::spawn("test connection", connection);
    client
}

pub(crate) async fn cache(servers: &EmbeddedServers) -> redis::aio::MultiplexedConnection {
    let client = redis::Client::open(servers.redis_url().unwrap()).unwrap();
    client.get_multiplexed_async_connection().await.unwrap()
}

pub(crate) async fn assert_both_answer(servers: &EmbeddedServers) {
    let client = connect(servers.database_url().unwrap()).await;
    let user: String = client
        .query_one("SELECT current_user::text", &[])
        .await
        .unwrap()
        .get(0);
    assert_eq!(user, "turnstile");
    let mut cache = cache(servers).await;
    let pong: String = redis::cmd("PING").query_async(&mut cache).await.unwrap();
    assert_eq!(pong, "PONG");
}

pub(crate) fn pids(servers: &mut EmbeddedServers) -> (i32, i32) {
    let postgres = servers.postgres().unwrap().pid().unwrap();
    (postgres, servers.redis().unwrap().pid().unwrap())
}

/// Whether a process runs; a zombie that nobody has reaped does not.
pub(crate) fn runs(pid: i32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ")
        .is_some_and(|(_, state)| !state.starts_with('Z'))
}

/// Returns the live processes whose command line or title contains `text`.
pub(crate) fn processes_with(text: &str) -> Vec<String> {
    fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .filter_map(|entry| fs::read_to_string(entry.path().join("cmdline")).ok())
        .filter(|line| line.contains(text))
        .collect()
}

/// Returns the folder of the sockets.
pub(crate) fn sockets(servers: &EmbeddedServers) -> PathBuf {
    let url = servers.redis_url().unwrap();
    let socket = Path::new(url.strip_prefix("redis+unix://").unwrap());
    socket.parent().unwrap().to_path_buf()
}

pub(crate) async fn stop(mut servers: EmbeddedServers) {
    let (postgres, redis) = pids(&mut servers);
    let data = servers.data_dir().to_path_buf();
    let sockets = sockets(&servers);
    let title = format!(
        "postgres: {}: ",
        sockets.file_name().unwrap().to_str().unwrap()
    );
    assert!(
        !processes_with(&title).is_empty(),
        "children of the server are found by {title}"
    );
    servers.stop().await.unwrap();
    assert!(!runs(postgres) && !runs(redis));
    assert_eq!(processes_with(&title), Vec::<String>::new());
    assert_eq!(processes_with(data.to_str().unwrap()), Vec::<String>::new());
    assert!(!sockets.exists());
}

/// This executable, started once more in a `role`; its servers end with its standard input.
pub(crate) struct Helper {
    pub(crate) process: Child,
    input: ChildStdin,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
}

impl Helper {
    pub(crate) fn start(executable: &Path, role: &str, folder: &Path, user: Option<&User>) -> Self {
        let mut command = Command::new(executable);
        command
            .args(["--exact", "helper", "--nocapture"])
            .current_dir("/");
        command
            .env(ROLE, role)
            .env(FOLDER, folder)
            .env("XDG_STATE_HOME", folder.join("state"));
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        if let Some(user) = user {
            command.uid(user.uid.as_raw()).gid(user.gid.as_raw());
        }
        let mut process = command.spawn().unwrap();
        let input = process.stdin.take().unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        Self {
            process,
            input,
            lines,
        }
    }

    /// Closes the input of the helper and waits until it has ended well.
    pub(crate) fn finish(self) {
        let Self {
            mut process, input, ..
        } = self;
        drop(input);
        assert!(process.wait().unwrap().success());
    }

    /// Ends the helper as a crash would.
    pub(crate) fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// Returns what the helper says after `READY`.
    pub(crate) fn ready(&mut self) -> Vec<String> {
        let line = self
            .lines
            .by_ref()
            .map(Result::unwrap)
            .find(|line| line.contains("READY "));
        let line = line.expect("the helper failed, see its output above");
        let words = line.split_once("READY ").unwrap().1;
        words.split(' ').map(str::to_owned).collect()
    }
}

pub(crate) fn this_executable() -> PathBuf {
    std::env::current_exe().unwrap()
}
