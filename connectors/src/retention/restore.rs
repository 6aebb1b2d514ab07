//! Archives back into `market.prices`, and whether they are what was recorded.

use std::collections::BTreeSet;
use std::io::Cursor;
use std::path::Path;

use futures_util::SinkExt;
use jiff::civil::Date;
use tokio::sync::mpsc;
use tokio_postgres::{CopyInSink, Transaction};
use tracing::info;

use super::LOCK;
use super::archive::{in_background, joined, open};
use super::error::RetentionError;
use super::file::{digest, read_lines};
use super::lines::Content;
use super::record::{Archive, archives};
use crate::postgres::{AdvisoryLock, Postgres, PostgresError};
use crate::recorded::OnRead;

/// Bytes that go to the server at one go, and how many such portions wait.
const CHUNK: usize = 64 * 1_024;
const CHUNKS: usize = 16;

/// The longest time that was asked for counts.
const RECORD: &str = "WITH asked AS (
        INSERT INTO system.archive_restores (day, rows_added, kept_until)
        VALUES ($1::text::date, $2, (now() AT TIME ZONE 'Asia/Seoul')::date + $3::integer)
        RETURNING kept_until)
    SELECT greatest(kept_until, (SELECT max(kept_until) FROM system.archive_restores
        WHERE day = $1::text::date))::text
    FROM asked";

/// What was put back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// Prices that the day has now.
    pub rows: i64,
    /// How many of them were not in the table before.
    pub added: i64,
    /// Through which day they stay there, as the server writes it.
    pub kept_until: String,
}

/// Compares an archive with its row of `system.archives`. `on_read` is told of the file twice.
///
/// # Errors
/// [`RetentionError::Damaged`], or a file that cannot be read.
pub async fn verify(
    folder: &Path,
    archive: &Archive,
    mut on_read: OnRead,
) -> Result<(), RetentionError> {
    let (path, archive) = (folder.join(&archive.file), archive.clone());
    in_background(move || {
        let digested = digest(&path, &mut on_read)?;
        let read = read_lines(&path, archive.lines(), &mut on_read, |_line| Ok(()));
        if digested != archive.digested {
            let (expected, found) = (&archive.digested, &digested);
            let lines = match read {
                Ok(_) => "its lines can be read, but are not those that were written".to_owned(),
                Err(RetentionError::Damaged { reason, .. }) => reason,
                Err(error) => return Err(error),
            };
            let reason = format!(
                "SHA-256 {} ({} bytes) expected, was {} ({} bytes); {lines}",
                expected.sha256, expected.bytes, found.sha256, found.bytes
            );
            return Err(RetentionError::Damaged { path, reason });
        }
        same_content(&path, &archive, &read?)
    })
    .await
}

fn same_content(path: &Path, archive: &Archive, found: &Content) -> Result<(), RetentionError> {
    let expected = &archive.content;
    if found == expected {
        return Ok(());
    }
    Err(RetentionError::Damaged {
        path: path.to_owned(),
        reason: format!("{expected:?} expected, was {found:?}"),
    })
}

/// Puts all archives of `day` back into `market.prices`, where the day stays attached for `keep` days.
/// Each is verified first; what is in the table already is left as it is, so twice is as once. All of it
/// or nothing is put back.
///
/// # Errors
/// A damaged archive, another row in the place of one, or what the database says.
pub async fn restore(
    postgres: &Postgres,
    folder: &Path,
    day: Date,
    keep: u16,
    mut on_read: impl FnMut(&Archive) -> OnRead,
) -> Result<Restored, RetentionError> {
    let lock = match AdvisoryLock::try_take(postgres, LOCK).await {
        Err(PostgresError::Locked(_)) => {
            info!("prices are being archived; this goes on when that has ended");
            AdvisoryLock::wait(postgres, LOCK).await?
        }
        taken => taken?,
    };
    let restored = restore_locked(postgres, folder, day, keep, &mut on_read).await;
    lock.release().await;
    restored
}

async fn restore_locked(
    postgres: &Postgres,
    folder: &Path,
    day: Date,
    keep: u16,
    on_read: &mut impl FnMut(&Archive) -> OnRead,
) -> Result<Restored, RetentionError> {
    let mut client = open(postgres).await?;
    let mut archives = archives(&client, Some(day)).await?;
    if archives.is_empty() {
        return Err(RetentionError::NoArchive(day));
    }
    // Of several with the same prices the last counts: it stands for one that is damaged or gone.
    archives.reverse();
    let mut contents = BTreeSet::new();
    archives.retain(|archive| contents.insert(archive.content.sha256.clone()));
    for archive in &archives {
        verify(folder, archive, on_read(archive)).await?;
    }
    // Of its own: whoever needs another day at midnight does not wait for the rest.
    let ensure = "SELECT market.ensure_prices_partition($1::text::date)";
    client.execute(ensure, &[&day.to_string()]).await?;
    let transaction = client.transaction().await?;
    transaction
        .batch_execute("CREATE TEMPORARY TABLE restored (LIKE market.prices) ON COMMIT DROP")
        .await?;
    let mut added = 0;
    for archive in &archives {
        stage(&transaction, folder, archive).await?;
        added += put_back(&transaction, archive).await?;
    }
    let row = transaction
        .query_one(RECORD, &[&day.to_string(), &added, &i32::from(keep)])
        .await?;
    let kept_until = row.try_get(0)?;
    let all = "SELECT count(*) FROM market.prices WHERE trade_date = $1::text::date";
    let rows = transaction.query_one(all, &[&day.to_string()]).await?;
    let rows = rows.try_get(0)?;
    transaction.commit().await?;
    Ok(Restored {
        rows,
        added,
        kept_until,
    })
}

/// Copies the lines of an archive into the temporary table.
async fn stage(
    transaction: &Transaction<'_>,
    folder: &Path,
    archive: &Archive,
) -> Result<(), RetentionError> {
    transaction.batch_execute("TRUNCATE restored").await?;
    let columns = archive.columns.join(", ");
    let copy = format!("COPY restored ({columns}) FROM STDIN WITH (FORMAT csv, HEADER)");
    let sink: CopyInSink<Cursor<Vec<u8>>> = transaction.copy_in(&copy).await?;
    let mut sink = std::pin::pin!(sink);
    let (sender, mut chunks) = mpsc::channel(CHUNKS);
    let (path, read) = (folder.join(&archive.file), archive.clone());
    let reading = tokio::task::spawn_blocking(move || {
        let mut chunk = Vec::with_capacity(CHUNK);
        let mut silent: OnRead = Box::new(|_len| {});
        let content = read_lines(&path, read.lines(), &mut silent, |line| {
            chunk.extend_from_slice(line);
            if chunk.len() >= CHUNK {
                // Where nobody takes it any more, the server has said why.
                drop(sender.blocking_send(std::mem::take(&mut chunk)));
            }
            Ok(())
        })?;
        drop(sender.blocking_send(chunk));
        // The file was verified, and read again since.
        same_content(&path, &read, &content)
    });
    while let Some(chunk) = chunks.recv().await {
        sink.send(Cursor::new(chunk)).await?;
    }
    joined(reading).await?;
    sink.finish().await?;
    transaction.batch_execute("ANALYZE restored").await?;
    Ok(())
}

/// Adds what is not in the table. Returns how many rows.
async fn put_back(transaction: &Transaction<'_>, archive: &Archive) -> Result<i64, RetentionError> {
    let columns = archive.columns.join(", ");
    let insert = format!(
        "INSERT INTO market.prices ({columns}) SELECT {columns} FROM restored ON CONFLICT DO NOTHING"
    );
    let added = transaction.execute(&insert, &[]).await?;
    let side = |table: &str| {
        let columns = archive.columns.iter().map(|name| format!("{table}.{name}"));
        columns.collect::<Vec<_>>().join(", ")
    };
    let (found, expected) = (side("p"), side("r"));
    let differs = format!(
        "SELECT r.logical_us FROM restored r LEFT JOIN market.prices p
             ON p.trade_date = $1::text::date AND p.logical_us = r.logical_us
         WHERE ({found}) IS DISTINCT FROM ({expected}) ORDER BY r.logical_us LIMIT 1"
    );
    let day = archive.day;
    if let Some(row) = transaction.query_opt(&differs, &[&day.to_string()]).await? {
        return Err(RetentionError::Differs {
            day,
            logical_us: row.try_get(0)?,
            file: archive.file.clone(),
        });
    }
    Ok(i64::try_from(added).unwrap_or(i64::MAX))
}
