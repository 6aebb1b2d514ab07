//! The import of one file: portion by portion, and on from where it broke off.

use std::io;
use std::path::{Path, PathBuf};

use tokio_postgres::{Client, Transaction};

use crate::postgres::{Postgres, PostgresError};
use crate::recorded::FileRow;

/// One statement, so that a file that is read again is never known as both done and under way.
const BEGIN: &str = "INSERT INTO system.imports AS i (sha256, kind, file) VALUES ($1, $2, $3)
    ON CONFLICT (sha256) DO UPDATE SET updated_ts = now(),
        rows_done = CASE WHEN i.is_done AND $4 THEN 0 ELSE i.rows_done END,
        is_done = i.is_done AND NOT $4
    RETURNING i.rows_done, i.is_done";

/// A row of a file that has a table.
pub trait ImportRow: FileRow + Send + Sync {
    /// What such files are of, in `system.imports`.
    const KIND: &'static str;

    /// Stores rows, all or none of them.
    fn store(
        transaction: &Transaction<'_>,
        rows: &[Self],
    ) -> impl Future<Output = Result<Stored, PostgresError>> + Send;
}

/// What came of rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stored {
    /// How many were new or different.
    pub changed: u64,
    /// Issues that nobody had told of.
    pub unknown_symbols: u64,
}

/// An import under way.
pub struct Import {
    client: Client,
    sha256: String,
}

/// How an import begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Begun {
    /// Rows of the file that are stored already, and not to be read again.
    pub rows_done: u64,
    /// Whether the whole file is stored, and left alone.
    pub is_done: bool,
}

impl Import {
    /// Begins the import of `file`, which is of `kind`, or goes on with it. A file is known again by its
    /// content. With `again` one that is stored as a whole begins at its first row; should that break off
    /// too, it goes on where it was like any other.
    ///
    /// # Errors
    /// A file that cannot be read, or what the database says.
    pub async fn begin(
        postgres: &Postgres,
        kind: &'static str,
        file: &Path,
        again: bool,
    ) -> Result<(Self, Begun), ImportError> {
        let digested = crate::digest::of_file(file, |_len| {});
        let (_bytes, sha256) = digested.map_err(|source| ImportError::Read {
            file: file.to_owned(),
            source,
        })?;
        let client = postgres.connect_alone().await?;
        let row = client
            .query_one(
                BEGIN,
                &[&sha256, &kind, &file.display().to_string(), &again],
            )
            .await
            .map_err(PostgresError::from)?;
        let rows: i64 = row.try_get(0).map_err(PostgresError::from)?;
        let begun = Begun {
            rows_done: u64::try_from(rows).unwrap_or_default(),
            is_done: row.try_get(1).map_err(PostgresError::from)?,
        };
        Ok((Self { client, sha256 }, begun))
    }

    /// Stores the rows that end with row `rows_done` of the file.
    ///
    /// # Errors
    /// What the database says; nothing of the portion is stored then.
    pub async fn store<R: ImportRow>(
        &mut self,
        rows: &[R],
        rows_done: u64,
    ) -> Result<Stored, PostgresError> {
        let transaction = self.client.transaction().await?;
        let stored = R::store(&transaction, rows).await?;
        let rows_done = i64::try_from(rows_done).unwrap_or(i64::MAX);
        transaction
            .execute(
                "UPDATE system.imports SET rows_done = $2, updated_ts = now() WHERE sha256 = $1",
                &[&self.sha256, &rows_done],
            )
            .await?;
        transaction.commit().await?;
        Ok(stored)
    }

    /// Notes that the whole file is stored.
    ///
    /// # Errors
    /// What the database says.
    pub async fn end(self) -> Result<(), PostgresError> {
        self.client
            .execute(
                "UPDATE system.imports SET is_done = true, updated_ts = now() WHERE sha256 = $1",
                &[&self.sha256],
            )
            .await?;
        Ok(())
    }
}

/// Why an import cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file cannot be read.
    #[error("{} cannot be read", .file.display())]
    Read {
        /// The file.
        file: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// What the database says.
    #[error(transparent)]
    Store(#[from] PostgresError),
}
