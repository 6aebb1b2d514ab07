//! What can go wrong with the private servers.

use std::path::{Path, PathBuf};
use std::time::Duration;

/// Why the private servers could not be started, adopted or stopped.
#[derive(Debug, thiserror::Error)]
pub enum EmbeddedError {
    /// A program is not installed where Turnstile looks for it.
    #[error(
        "{program} not found in {searched}; install it with `scripts/install`, or by hand: {install}"
    )]
    Missing {
        /// What is missing, with the version wanted.
        program: &'static str,
        /// The folders searched, separated by commas.
        searched: String,
        /// A command that installs it on Debian and Ubuntu.
        install: &'static str,
    },
    /// The existing cluster needs another major version of PostgreSQL.
    #[error("the cluster in {} is of PostgreSQL {needed}, but only {found} is installed", folder.display())]
    Version {
        /// The folder of the cluster.
        folder: PathBuf,
        /// Major version that wrote the cluster.
        needed: u32,
        /// Versions found, separated by commas.
        found: String,
    },
    /// Root has no ordinary account to run the servers with.
    #[error("servers do not run as root, and neither account postgres nor nobody exists")]
    NoAccount,
    /// Another Turnstile runs on the folder.
    #[error("{} is in use by another Turnstile, process {owner}; stop it or choose another folder", folder.display())]
    InUse {
        /// The folder that is locked.
        folder: PathBuf,
        /// Its process id, as written in the lock file.
        owner: String,
    },
    /// No folder can hold the data.
    #[error("no folder for the data: account {account} can use none of {tried}")]
    NoFolder {
        /// Account of the servers.
        account: String,
        /// The folders tried with what stood in the way, separated by commas.
        tried: String,
    },
    /// The folder holds a database which the account of the servers does not reach.
    #[error(
        "{} holds a database, but account {account} cannot use it: {reason}; \
         make the folders above it passable (chmod o+x) or give it back to its account",
        folder.display()
    )]
    Unreachable {
        /// The folder of the data.
        folder: PathBuf,
        /// Account of the servers.
        account: String,
        /// What stood in the way.
        reason: String,
    },
    /// A PostgreSQL that somebody else started may be running on the cluster.
    #[error("process {pid} may be a PostgreSQL on {} started by somebody else; stop it first", folder.display())]
    Foreign {
        /// The folder of the cluster.
        folder: PathBuf,
        /// The process in `postmaster.pid`.
        pid: i32,
    },
    /// A file or folder could not be read, made or changed.
    #[error("cannot {action} {}", path.display())]
    File {
        /// What was attempted.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// The answer of the operating system.
        source: std::io::Error,
    },
    /// A program could not be run or failed.
    #[error("{program} failed: {reason}")]
    Program {
        /// The program.
        program: String,
        /// Its exit status and last words.
        reason: String,
    },
    /// A server ended while it was expected to come up.
    #[error("{server} ended while starting: {log}")]
    Ended {
        /// The server.
        server: &'static str,
        /// The last lines of its log.
        log: String,
    },
    /// A server did not answer, or did not end, in time.
    #[error("{server} did not {what} within {waited:?}")]
    Late {
        /// The server.
        server: &'static str,
        /// What was awaited: to answer or to end.
        what: &'static str,
        /// How long it was awaited.
        waited: Duration,
    },
    /// PostgreSQL refused the preparation of the role or the database.
    #[error("cannot prepare the database")]
    Prepare(#[source] tokio_postgres::Error),
}

impl EmbeddedError {
    /// Returns a closure for `map_err` that says what was done to which path.
    pub(super) fn file(
        action: &'static str,
        path: &Path,
    ) -> impl FnOnce(std::io::Error) -> EmbeddedError + use<> {
        let path = path.to_path_buf();
        move |source| EmbeddedError::File {
            action,
            path,
            source,
        }
    }
}
