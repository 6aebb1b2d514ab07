//! A server process: started in a session of its own, found again after a crash, ended in steps.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};
use tracing::warn;

use super::EmbeddedError;

/// How often the state of a process is looked up while it is awaited.
const POLL: Duration = Duration::from_millis(20);

/// How much of the end of a log goes into an error.
const LOG_TAIL_BYTES: u64 = 1_500;

/// A running server. Dropping it asks the server to end, without waiting.
#[derive(Debug)]
pub(super) struct ServerProcess {
    server: &'static str,
    pid: Pid,
    /// Tells this process from a later one with the same id.
    identity: String,
    /// Absent when the process was adopted.
    child: Option<Child>,
    /// The signal that makes the server end in good order.
    farewell: Signal,
}

impl ServerProcess {
    /// Starts `command`, which is `setsid` with the server and its arguments, with its output
    /// in `log`, which is made anew. `setsid` makes the session and becomes the server.
    pub(super) fn launch(
        server: &'static str,
        mut command: Command,
        log: &Path,
        farewell: Signal,
    ) -> Result<Self, EmbeddedError> {
        let output = OpenOptions::new()
            .create(true)
            .write(true)
            .truncate(true)
            .mode(0o644)
            .custom_flags(OFlag::O_NOFOLLOW.bits())
            .open(log)
            .map_err(EmbeddedError::file("open", log))?;
        let errors = output
            .try_clone()
            .map_err(EmbeddedError::file("open", log))?;
        let child = command
            .stdout(Stdio::from(output))
            .stderr(Stdio::from(errors))
            .spawn();
        let child = child.map_err(|error| EmbeddedError::Program {
            program: server.to_owned(),
            reason: error.to_string(),
        })?;
        let pid = child
            .id()
            .and_then(|id| i32::try_from(id).ok())
            .map(Pid::from_raw);
        let pid = pid.expect("a child that was not awaited has an id");
        let identity = identity(pid).unwrap_or_default();
        Ok(Self {
            server,
            pid,
            identity,
            child: Some(child),
            farewell,
        })
    }

    /// Takes over the process `pid`, unless it has ended.
    pub(super) fn adopt(server: &'static str, pid: Pid, farewell: Signal) -> Option<Self> {
        let identity = identity(pid)?;
        Some(Self {
            server,
            pid,
            identity,
            child: None,
            farewell,
        })
    }

    pub(super) fn pid(&self) -> Pid {
        self.pid
    }

    /// What tells this process from a later one with the same id.
    pub(super) fn identity(&self) -> &str {
        &self.identity
    }

    /// Whether the process still runs. Reaps it if it was a child and has ended.
    pub(super) fn is_alive(&mut self) -> bool {
        match &mut self.child {
            Some(child) => matches!(child.try_wait(), Ok(None)),
            None => identity(self.pid).is_some_and(|identity| identity == self.identity),
        }
    }

    /// Ends the process: sends each signal of `steps` and waits as long as the step says.
    pub(super) async fn end(&mut self, steps: &[(Signal, Duration)]) -> Result<(), EmbeddedError> {
        for (signal, patience) in steps {
            if !self.is_alive() {
                return Ok(());
            }
            self.signal(*signal);
            if timeout(*patience, self.ended()).await.is_ok() {
                return Ok(());
            }
            warn!(server = self.server, pid = %self.pid, %signal, ?patience, "server has not ended");
        }
        let waited = steps.iter().map(|(_, patience)| *patience).sum();
        Err(EmbeddedError::Late {
            server: self.server,
            what: "end",
            waited,
        })
    }

    async fn ended(&mut self) {
        if let Some(child) = &mut self.child {
            let _status: std::io::Result<ExitStatus> = child.wait().await;
            return;
        }
        while self.is_alive() {
            sleep(POLL).await;
        }
    }

    fn signal(&self, signal: Signal) {
        match kill(self.pid, signal) {
            // It ended just now.
            Ok(()) | Err(Errno::ESRCH) => {}
            Err(error) => warn!(server = self.server, pid = %self.pid, %error, "cannot signal"),
        }
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        if self.is_alive() {
            self.signal(self.farewell);
        }
    }
}

/// Returns what tells a live process from a later one with the same id (id, start in clock ticks
/// since boot, boot), or nothing if it has ended. A zombie has ended.
pub(super) fn identity(pid: Pid) -> Option<String> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let start = start_if_alive(&stat)?;
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    Some(format!("{pid} {start} {}", boot.trim()))
}

/// Returns the start of a process by its `/proc/<pid>/stat`: field 22, the state is field 3 and
/// the name before it stands in parentheses (proc_pid_stat(5)).
fn start_if_alive(stat: &str) -> Option<&str> {
    let (_name, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_ascii_whitespace();
    if matches!(fields.next()?, "Z" | "X" | "x") {
        return None;
    }
    fields.nth(18)
}

/// Returns the words of the command line of a process; none if it has ended.
pub(super) fn command_line(pid: Pid) -> Vec<Vec<u8>> {
    let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    line.split(|byte| *byte == 0)
        .filter(|word| !word.is_empty())
        .map(<[u8]>::to_vec)
        .collect()
}

/// Returns the live processes whose title begins with `title`.
pub(super) fn titled(title: &str) -> Vec<Pid> {
    let Ok(entries) = std::fs::read_dir("/proc") else {
        return Vec::new();
    };
    entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .map(Pid::from_raw)
        .filter(|pid| {
            command_line(*pid)
                .first()
                .is_some_and(|l| l.starts_with(title.as_bytes()))
        })
        .filter(|pid| identity(*pid).is_some())
        .collect()
}

/// Returns the last lines of a log, for an error message.
pub(super) fn log_tail(log: &Path) -> String {
    let read = || -> std::io::Result<String> {
        let mut file = File::open(log)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(LOG_TAIL_BYTES)))?;
        let mut bytes = Vec::new();
        file.take(LOG_TAIL_BYTES).read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).trim().to_owned())
    };
    read().unwrap_or_else(|error| format!("{} cannot be read: {error}", log.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn start_is_read_behind_any_name() {
        let tail = "S 1 2 3 0 -1 4194304 1 0 0 0 0 0 0 0 20 0 1 0 8241 1 2";
        assert_eq!(
            start_if_alive(&format!("77 (redis) S 9 (x) {tail}")),
            Some("8241")
        );
        assert_eq!(
            start_if_alive(&format!("77 (redis) {}", tail.replacen('S', "Z", 1))),
            None
        );
        assert_eq!(start_if_alive(""), None);
    }

    #[test]
    fn own_process_is_alive_and_zero_is_not() {
        let own = Pid::this();
        assert!(identity(own).is_some_and(|text| text.starts_with(&format!("{own} "))));
        assert_eq!(identity(Pid::from_raw(i32::MAX)), None);
    }
}
