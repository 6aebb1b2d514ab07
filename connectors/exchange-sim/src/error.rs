//! Why the simulator does not start.

use std::{net::SocketAddr, path::PathBuf};

use thiserror::Error;

use crate::config::ConfigFaults;

/// Why the simulator does not start.
#[derive(Debug, Error)]
pub enum SimError {
    /// Settings that cannot be used.
    #[error("settings cannot be used: {0}")]
    Config(#[from] ConfigFaults),
    /// An address that cannot be listened on.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// A tick file that cannot be read.
    #[error("tick file {} cannot be read", file.display())]
    TickFile {
        /// The file.
        file: PathBuf,
        /// What the system or the reader said.
        #[source]
        source: std::io::Error,
    },
    /// A row of a tick file that cannot be used.
    #[error("tick file {}, row {row}: {reason}", file.display())]
    TickRow {
        /// The file.
        file: PathBuf,
        /// Number of the row, the first below the header being 1.
        row: u64,
        /// What was found and what was expected.
        reason: String,
    },
    /// A state file that cannot be read. It is left alone.
    #[error("state file {} cannot be read: {reason}", file.display())]
    StateFile {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A task of the simulator that ended unexpectedly.
    #[error("a task of the simulator ended unexpectedly")]
    Task(#[source] tokio::task::JoinError),
}
