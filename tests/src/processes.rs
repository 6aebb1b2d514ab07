//! Processes of the program under test.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

const START_MAX: Duration = Duration::from_secs(60);
const STOP_MAX: Duration = Duration::from_secs(30);

/// Returns the path of the program: what `TURNSTILE_BIN` names, else what `cargo build` has put
/// beside the tests.
///
/// # Panics
/// If it is not there.
pub fn program() -> PathBuf {
    if let Some(path) = std::env::var_os("TURNSTILE_BIN") {
        return std::path::absolute(path).expect("TURNSTILE_BIN: a path");
    }
    let own = std::env::current_exe().expect("a running program has a path");
    // Tests lie in target/<profile>/deps, the benches in target/<profile>.
    let folders = own.ancestors().skip(1).take(2);
    let mut programs = folders.map(|folder| folder.join("turnstile"));
    programs
        .find(|path| path.exists())
        .expect("target/<profile>/turnstile: run cargo build first")
}

/// A running process of the program.
pub struct Program {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    log: PathBuf,
}

impl Program {
    /// Starts the program with `arguments`; its log goes to `log`.
    ///
    /// # Panics
    /// If it cannot be started.
    pub fn start(arguments: &[&str], environment: &[(&str, &str)], log: &Path) -> Self {
        let file = std::fs::File::create(log).expect("the log can be made");
        let mut child = Command::new(program())
            .args(arguments)
            .env_remove("DATABASE_URL")
            .env_remove("REDIS_URL")
            .env("RUST_LOG", "info")
            .envs(environment.iter().copied())
            .current_dir(log.parent().expect("the log lies in a folder"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(file)
            .kill_on_drop(true)
            .spawn()
            .expect("the program starts");
        let lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        Self {
            child,
            lines,
            log: log.to_owned(),
        }
    }

    /// Returns what follows `start` in the first line of the output that begins with it.
    ///
    /// # Panics
    /// If the program ends before, or says nothing for a minute.
    pub async fn says(&mut self, start: &str) -> String {
        let wait = async {
            while let Ok(Some(line)) = self.lines.next_line().await {
                if let Some(rest) = line.strip_prefix(start) {
                    return Some(rest.trim().to_owned());
                }
            }
            None
        };
        let said = tokio::time::timeout(START_MAX, wait).await;
        said.ok()
            .flatten()
            .unwrap_or_else(|| panic!("{start:?} not said:\n{}", self.log()))
    }

    /// Returns the number of the process, while it runs.
    pub fn id(&self) -> Option<u32> {
        self.child.id()
    }

    /// Returns whether it has ended by itself.
    ///
    /// # Panics
    /// If the system does not say.
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().expect("it is a child").is_some()
    }

    /// Returns the log so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Sends `signal`.
    ///
    /// # Panics
    /// If the process is gone.
    pub fn signal(&self, signal: Signal) {
        let pid = self
            .child
            .id()
            .and_then(|pid| i32::try_from(pid).ok())
            .expect("it runs");
        kill(Pid::from_raw(pid), signal).expect("it can be signalled");
    }

    /// Waits for the end and returns whether it was a success.
    ///
    /// # Panics
    /// If it does not end.
    pub async fn ended(mut self) -> bool {
        let ended = tokio::time::timeout(STOP_MAX, self.child.wait()).await;
        ended
            .unwrap_or_else(|_| panic!("did not end:\n{}", self.log()))
            .expect("waited")
            .success()
    }

    /// Waits for the end and returns whether it was a success, and what it said: its output, then its
    /// log.
    ///
    /// # Panics
    /// If it does not end.
    pub async fn output(self) -> (bool, String) {
        self.output_within(STOP_MAX).await
    }

    /// As [`Program::output`], for a program that may take as long as `limit`.
    ///
    /// # Panics
    /// If it does not end.
    pub async fn output_within(mut self, limit: Duration) -> (bool, String) {
        let mut said = String::new();
        let read = async {
            while let Ok(Some(line)) = self.lines.next_line().await {
                said.push_str(&line);
                said.push('\n');
            }
        };
        assert!(
            tokio::time::timeout(limit, read).await.is_ok(),
            "did not end:\n{}",
            self.log()
        );
        said.push_str(&self.log());
        (self.ended().await, said)
    }

    /// Stops the program as Ctrl-C does.
    ///
    /// # Panics
    /// If it does not end with success.
    pub async fn stop(self) {
        self.signal(Signal::SIGINT);
        let log = self.log.clone();
        let is_success = self.ended().await;
        assert!(
            is_success,
            "{}",
            std::fs::read_to_string(log).unwrap_or_default()
        );
    }
}

/// Signals a process and its children, which have sessions of their own. The parent comes first, so that
/// it does not replace what ends.
pub(crate) fn signal_family(parent: u32, signal: Signal) {
    for pid in std::iter::once(parent).chain(children(parent)) {
        // A child may have ended just now.
        _ = kill(Pid::from_raw(pid.cast_signed()), signal);
    }
}

/// Returns the processes whose parent is `parent`.
fn children(parent: u32) -> Vec<u32> {
    let entries = std::fs::read_dir("/proc").expect("a list of processes");
    let ids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    let parent = parent.to_string();
    let is_child = |pid: &u32| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        // Behind the name, which stands in parentheses: state and parent.
        let rest = stat.rsplit_once(')').map(|(_name, rest)| rest);
        rest.and_then(|rest| rest.split_whitespace().nth(1)) == Some(parent.as_str())
    };
    ids.filter(is_child).collect()
}
