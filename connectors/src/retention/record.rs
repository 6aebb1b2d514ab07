//! Rows of `system.archives`.

use jiff::civil::Date;
use tokio_postgres::{GenericClient, Row};

use super::days::date;
use super::error::RetentionError;
use super::file::Digested;
use super::lines::{Content, Lines};

const ARCHIVES: &str =
    "SELECT a.day::text, a.part, a.table_name, a.file, a.columns, a.rows, a.first_us,
        a.last_us, a.file_bytes, a.file_sha256, a.content_sha256, a.archived_ts::text,
        to_regclass('archive.' || a.table_name) IS NOT NULL,
        (SELECT max(r.kept_until)::text FROM system.archive_restores r
            WHERE r.day = a.day AND r.restored_ts > a.archived_ts)
    FROM system.archives a WHERE $1::text IS NULL OR a.day = $1::text::date ORDER BY a.day, a.part";

const INSERT: &str =
    "INSERT INTO system.archives (day, part, table_name, file, columns, rows, first_us,
        last_us, file_bytes, file_sha256, content_sha256)
    VALUES ($1::text::date, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";

/// A partition that was archived, as `system.archives` has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Archive {
    /// The day of its prices, in Seoul.
    pub day: Date,
    /// Which archive of the day, from 1 on.
    pub part: i32,
    /// Name of the detached table, in schema `archive`.
    pub table: String,
    /// Name of the file.
    pub file: String,
    /// Columns of the file.
    pub columns: Vec<String>,
    /// When it was made, as the server writes it.
    pub archived: String,
    /// Whether the detached table is still there.
    pub has_table: bool,
    /// Through which day it stays attached, where it was put back since.
    pub kept_until: Option<Date>,
    pub(super) content: Content,
    pub(super) digested: Digested,
}

impl Archive {
    /// Returns how many prices it has.
    pub fn rows(&self) -> i64 {
        self.content.rows
    }

    /// Returns the length of the file, bytes.
    pub fn bytes(&self) -> i64 {
        self.digested.bytes
    }

    /// Returns the logical times of its first and last price.
    pub fn span(&self) -> Option<(i64, i64)> {
        self.content.span
    }

    /// Returns whether it has the same prices as `other`: one can be put back in the place of the other.
    pub fn has_prices_of(&self, other: &Self) -> bool {
        (self.day, &self.content) == (other.day, &other.content)
    }

    pub(super) fn lines(&self) -> Lines {
        Lines::of(self.day, &self.columns)
    }

    fn read(row: &Row) -> Result<Self, RetentionError> {
        let first: Option<i64> = row.try_get(6)?;
        let kept_until: Option<&str> = row.try_get(13)?;
        Ok(Self {
            day: date(row.try_get(0)?),
            part: row.try_get(1)?,
            table: row.try_get(2)?,
            file: row.try_get(3)?,
            columns: row.try_get(4)?,
            archived: row.try_get(11)?,
            has_table: row.try_get(12)?,
            kept_until: kept_until.map(date),
            content: Content {
                rows: row.try_get(5)?,
                span: first.zip(row.try_get(7)?),
                sha256: row.try_get(10)?,
            },
            digested: Digested {
                bytes: row.try_get(8)?,
                sha256: row.try_get(9)?,
            },
        })
    }

    /// Writes the row.
    pub(super) async fn insert(&self, client: &impl GenericClient) -> Result<(), RetentionError> {
        let (first, last) = self.content.span.unzip();
        client
            .execute(
                INSERT,
                &[
                    &self.day.to_string(),
                    &self.part,
                    &self.table,
                    &self.file,
                    &self.columns,
                    &self.content.rows,
                    &first,
                    &last,
                    &self.digested.bytes,
                    &self.digested.sha256,
                    &self.content.sha256,
                ],
            )
            .await?;
        Ok(())
    }
}

/// Returns the archives of `day`, or all, in order.
///
/// # Errors
/// What the database says.
pub async fn archives(
    client: &impl GenericClient,
    day: Option<Date>,
) -> Result<Vec<Archive>, RetentionError> {
    let day = day.map(|day| day.to_string());
    let rows = client.query(ARCHIVES, &[&day]).await?;
    rows.iter().map(Archive::read).collect()
}
