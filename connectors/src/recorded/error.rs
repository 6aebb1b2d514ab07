//! What may be wrong with a recorded day.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

/// Why a recorded day cannot be read, or its decisions not be written.
#[derive(Debug, Error)]
pub enum RecordedError {
    /// The content of a file is wrong. Never empty.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Malformed(Vec<Fault>),
    /// A file cannot be read.
    #[error("{} cannot be read", .file.display())]
    Read {
        /// The file.
        file: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A file cannot be written.
    #[error("{} cannot be written", .file.display())]
    Write {
        /// The file.
        file: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

/// What is wrong at one place of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The file.
    pub file: PathBuf,
    /// Line of the file, from one; for a row of several lines the first.
    pub line: u64,
    /// Name of the column; in a rules file the path of the key. None where the line as a whole is
    /// wrong.
    pub column: Option<String>,
    /// What is wrong, with the value and what was expected.
    pub reason: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: line {}", self.file.display(), self.line)?;
        if let Some(column) = &self.column {
            write!(f, ", column {column}")?;
        }
        write!(f, ": {}", self.reason)
    }
}

impl From<Fault> for RecordedError {
    fn from(fault: Fault) -> Self {
        Self::Malformed(vec![fault])
    }
}

/// What is wrong with one field of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FieldFault {
    /// Name of the column.
    pub(super) column: &'static str,
    /// What is wrong.
    pub(super) reason: String,
}

impl FieldFault {
    /// Returns the fault at its place.
    pub(super) fn at(self, file: &Path, line: u64) -> Fault {
        Fault {
            file: file.to_owned(),
            line,
            column: Some(self.column.to_owned()),
            reason: self.reason,
        }
    }
}

/// Returns what names the column of a fault.
pub(super) fn of_column(column: &'static str) -> impl Fn(String) -> FieldFault {
    move |reason| FieldFault { column, reason }
}
