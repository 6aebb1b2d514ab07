//! What can go wrong with what is kept on disk.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::postgres::PostgresError;

/// Something could not be kept, or not be had back.
#[derive(Debug, Error)]
pub enum SpillError {
    /// A file or the folder.
    #[error("{} cannot be {done}: {source}", path.display())]
    File {
        /// Which one.
        path: PathBuf,
        /// What was to be done with it.
        done: &'static str,
        /// Why not.
        source: io::Error,
    },
    /// The limit is reached.
    #[error("{} holds {bytes} bytes, spill.bytes_max is {bytes_max}", folder.display())]
    Full {
        /// Folder of the files.
        folder: PathBuf,
        /// What they hold.
        bytes: u64,
        /// The limit.
        bytes_max: u64,
    },
    /// The database does not take it now.
    #[error(transparent)]
    Postgres(#[from] PostgresError),
}

impl SpillError {
    pub(super) fn file(path: &Path, done: &'static str, source: io::Error) -> Self {
        Self::File {
            path: path.to_owned(),
            done,
            source,
        }
    }
}
