//! A look for old days, and what is done to each.

use std::path::{Path, PathBuf};

use futures_util::TryStreamExt;
use jiff::civil::Date;
use metrics::{counter, gauge, histogram};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_postgres::Client;
use tracing::{info, warn};

use super::days::{Hold, hold_of, holds, old_days};
use super::detach::{Detached, detach};
use super::error::RetentionError;
use super::file::{
    Digested, Draft, digest, draft, file_name, read_lines, remove_drafts, table_name, take_chunks,
    write_sidecar,
};
use super::lines::{Content, Lines};
use super::metrics as names;
use super::record::{Archive, archives};
use super::{LOCK, RetentionConfig};
use crate::postgres::{AdvisoryLock, Postgres};
use crate::recorded::OnRead;

/// Bytes of lines that are compressed at one go, and how many such portions wait.
const CHUNK: usize = 64 * 1_024;
const CHUNKS: usize = 16;

/// Values are written as everywhere: ISO dates, UTC. Copying a day takes its time.
const SESSION: &str = "SET statement_timeout = 0; SET datestyle = 'ISO'; SET timezone = 'UTC'";

/// Archives old days of prices.
#[derive(Clone, Debug)]
pub struct Retention {
    postgres: Postgres,
    days: u32,
    folder: PathBuf,
    has_bars: bool,
}

/// What came of a look.
#[derive(Clone, Debug, Default)]
pub struct Looked {
    /// What was archived and detached.
    pub archived: Vec<Archive>,
    /// Days that stay, each with what needs it.
    pub held: Vec<(Date, Hold)>,
    /// Whether every old day was looked at.
    pub is_whole: bool,
    /// The day that could not be detached, since `market.prices` is in use. The next look goes on there.
    pub busy: Option<Date>,
}

/// Whether what was begun may go on: outside of the session, for example.
pub type MayGoOn<'m> = &'m (dyn Fn() -> bool + Send + Sync);

impl Retention {
    /// Returns what archives by `config`. `has_bars` says whether bars of one minute are made of prices.
    pub fn new(postgres: Postgres, config: &RetentionConfig, has_bars: bool) -> Self {
        Self {
            postgres,
            days: config.days,
            folder: config.folder().to_owned(),
            has_bars,
        }
    }

    /// Archives every old day that nothing needs, the oldest first, as long as `may_go_on`. `now_us` is
    /// the wall clock, microseconds.
    ///
    /// # Errors
    /// What failed; days that were not archived whole stay attached.
    pub async fn look(
        &self,
        now_us: u64,
        may_go_on: MayGoOn<'_>,
    ) -> Result<Looked, RetentionError> {
        let lock = AdvisoryLock::try_take(&self.postgres, LOCK).await?;
        let looked = self.look_locked(now_us, may_go_on).await;
        lock.release().await;
        looked
    }

    async fn look_locked(
        &self,
        now_us: u64,
        may_go_on: MayGoOn<'_>,
    ) -> Result<Looked, RetentionError> {
        let client = open(&self.postgres).await?;
        let folder = self.folder.clone();
        in_background(move || remove_drafts(&folder)).await?;
        let mut looked = Looked::default();
        let all = holds(&client).await?;
        for old in old_days(&client, self.days, now_us).await? {
            if !may_go_on() {
                return Ok(looked);
            }
            let day = old.day;
            if !old.is_free {
                continue;
            }
            if let Some(hold) = hold_of(&client, &all, day, self.has_bars).await? {
                looked.held.push((day, hold));
                continue;
            }
            let begun = Instant::now();
            let archive = self.make(&client, day, may_go_on).await?;
            if !may_go_on() {
                return Ok(looked); // The file is there for the next time.
            }
            match detach(&self.postgres, &archive, self.has_bars).await? {
                Detached::Done => {
                    counter!(names::DAYS).increment(1);
                    counter!(names::ROWS).increment(archive.rows().unsigned_abs());
                    histogram!(names::SECONDS).record(begun.elapsed().as_secs_f64());
                    let (file, rows, bytes) = (&archive.file, archive.rows(), archive.bytes());
                    info!(%day, file, rows, bytes, table = archive.table, "prices archived and detached");
                    looked.archived.push(archive);
                }
                Detached::Held(hold) => looked.held.push((day, hold)),
                Detached::Busy => {
                    counter!(names::BUSY).increment(1);
                    looked.busy = Some(day);
                    return Ok(looked);
                }
                Detached::Changed => {
                    warn!(%day, file = archive.file, "prices came while the day was archived");
                }
            }
        }
        let held = u32::try_from(looked.held.len()).unwrap_or(u32::MAX);
        gauge!(names::HELD).set(f64::from(held));
        looked.is_whole = true;
        Ok(looked)
    }

    /// Returns an archive of what the partition of `day` holds, read back and found right.
    async fn make(
        &self,
        client: &Client,
        day: Date,
        may_go_on: MayGoOn<'_>,
    ) -> Result<Archive, RetentionError> {
        let columns = columns(client).await?;
        let earlier = archives(client, Some(day)).await?;
        let part = free_part(client, day, &earlier).await?;
        let copying = Copying {
            client,
            day,
            columns: &columns,
            may_go_on,
        };
        let (file, content, digested) = self.file_of(&copying, &earlier, part).await?;
        Ok(Archive {
            day,
            part,
            table: table_name(day, part),
            file,
            columns,
            archived: String::new(),
            has_table: true,
            kept_until: None,
            content,
            digested,
        })
    }

    /// Returns a file with what the partition holds: one that is there already, such as that of a day
    /// that was put back or what a killed run has left, else a new one under a name that is free.
    async fn file_of(
        &self,
        copying: &Copying<'_>,
        earlier: &[Archive],
        part: i32,
    ) -> Result<(String, Content, Digested), RetentionError> {
        let recorded = earlier.iter().rev().map(|archive| archive.file.clone());
        let new = (part..).map(|part| file_name(&table_name(copying.day, part)));
        let mut content = None;
        for file in recorded.chain(new) {
            let path = self.folder.join(&file);
            let record = earlier.iter().find(|archive| archive.file == file);
            if !path.exists() {
                if record.is_some() {
                    continue;
                }
                let (content, digested) = self.write(copying, &path).await?;
                return Ok((file, content, digested));
            }
            let content = match &content {
                Some(content) => content,
                None => content.insert(copying.content().await?),
            };
            if record.is_some_and(|record| record.content != *content) {
                continue;
            }
            let written = record.map(|record| record.digested.clone());
            match check(&path, copying.lines(), content, written).await {
                Ok(digested) => return Ok((file, content.clone(), digested)),
                Err(RetentionError::Damaged { .. }) => {
                    warn!(
                        file,
                        "a file is there that is not the archive of its day; left as it is"
                    );
                }
                Err(error) => return Err(error),
            }
        }
        unreachable!("names of new files do not end")
    }

    /// Writes what the partition holds to `path`, and reads it back.
    async fn write(
        &self,
        copying: &Copying<'_>,
        path: &Path,
    ) -> Result<(Content, Digested), RetentionError> {
        let (folder, day, lines) = (self.folder.clone(), copying.day, copying.lines());
        let draft: Draft = copying
            .copy(move |chunks| draft(&folder, day, lines, chunks))
            .await?;
        let content = draft.content.clone();
        let to = path.to_owned();
        let written = in_background(move || draft.place(&to)).await?;
        let read = check(path, copying.lines(), &content, Some(written)).await?;
        Ok((content, read))
    }
}

/// The partition of a day, on its way out.
struct Copying<'c> {
    client: &'c Client,
    day: Date,
    columns: &'c [String],
    may_go_on: MayGoOn<'c>,
}

impl Copying<'_> {
    fn lines(&self) -> Lines {
        Lines::of(self.day, self.columns)
    }

    async fn content(&self) -> Result<Content, RetentionError> {
        let (day, lines) = (self.day, self.lines());
        self.copy(move |chunks| take_chunks(day, lines, chunks, |_chunk| Ok(())))
            .await
    }

    /// Gives the lines of the partition to `take`, which runs beside; little of them is in memory.
    async fn copy<T: Send + 'static>(
        &self,
        take: impl FnOnce(mpsc::Receiver<Vec<u8>>) -> Result<T, RetentionError> + Send + 'static,
    ) -> Result<T, RetentionError> {
        let (sender, chunks) = mpsc::channel(CHUNKS);
        let taking = tokio::task::spawn_blocking(move || take(chunks));
        let fed = self.feed(sender).await;
        let taken = joined(taking).await;
        // What was taken of a feed that broke off is not whole.
        fed?;
        taken
    }

    async fn feed(&self, sender: mpsc::Sender<Vec<u8>>) -> Result<(), RetentionError> {
        let (columns, day) = (self.columns.join(", "), self.day.to_string());
        let row = self
            .client
            .query_one(
                "SELECT partition::text FROM market.prices_partitions WHERE day = $1::text::date",
                &[&day],
            )
            .await?;
        let partition: &str = row.try_get(0)?;
        let copy = format!(
            "COPY (SELECT {columns} FROM {partition} ORDER BY trade_date, logical_us)
             TO STDOUT WITH (FORMAT csv, HEADER)"
        );
        let mut rows = std::pin::pin!(self.client.copy_out(&copy).await?);
        let mut chunk = Vec::with_capacity(CHUNK);
        while let Some(row) = rows.try_next().await? {
            chunk.extend_from_slice(&row);
            if chunk.len() < CHUNK {
                continue;
            }
            if !(self.may_go_on)() {
                return Err(RetentionError::Interrupted);
            }
            if sender.send(std::mem::take(&mut chunk)).await.is_err() {
                return Ok(()); // The one who takes says why.
            }
        }
        drop(sender.send(chunk).await);
        Ok(())
    }
}

/// Returns length and digest of a file that has `content`, those of `written` where they are known, and
/// makes sure of its sidecar.
async fn check(
    path: &Path,
    lines: Lines,
    content: &Content,
    written: Option<Digested>,
) -> Result<Digested, RetentionError> {
    let (path, expected) = (path.to_owned(), content.clone());
    in_background(move || {
        let mut silent: OnRead = Box::new(|_len| {});
        let digested = digest(&path, &mut silent)?;
        let found = read_lines(&path, lines, &mut silent, |_line| Ok(()))?;
        let written = written.unwrap_or_else(|| digested.clone());
        if (&found, &digested) != (&expected, &written) {
            let reason =
                format!("{expected:?} in {written:?} expected, was {found:?} in {digested:?}");
            return Err(RetentionError::Damaged { path, reason });
        }
        write_sidecar(&path, &digested.sha256)?;
        Ok(digested)
    })
    .await
}

/// Returns a connection on which long work may be done.
pub(super) async fn open(postgres: &Postgres) -> Result<Client, RetentionError> {
    let client = postgres.connect_alone().await?;
    client.batch_execute(SESSION).await?;
    Ok(client)
}

/// Returns the columns of `market.prices`, as they are written in statements and headers.
async fn columns(client: &Client) -> Result<Vec<String>, RetentionError> {
    let rows = client
        .query(
            "SELECT quote_ident(attname) FROM pg_attribute
             WHERE attrelid = 'market.prices'::regclass AND attnum > 0 AND NOT attisdropped
             ORDER BY attnum",
            &[],
        )
        .await?;
    let names = rows.iter().map(|row| row.try_get(0));
    Ok(names.collect::<Result<_, _>>()?)
}

/// Returns the first number whose name no table has but the partition itself.
async fn free_part(client: &Client, day: Date, earlier: &[Archive]) -> Result<i32, RetentionError> {
    let free = client
        .prepare(
            "SELECT to_regclass('archive.' || $1) IS NULL AND NOT EXISTS (
                 SELECT FROM pg_class c WHERE c.oid = to_regclass('market.' || $1)
                 AND c.oid NOT IN (SELECT partition FROM market.prices_partitions
                     WHERE day = $2::text::date))",
        )
        .await?;
    let mut part = earlier.last().map_or(1, |archive| archive.part + 1);
    loop {
        let name = table_name(day, part);
        let row = client.query_one(&free, &[&name, &day.to_string()]).await?;
        if row.try_get(0)? {
            return Ok(part);
        }
        part += 1;
    }
}

/// Runs what blocks beside the tasks.
pub(super) async fn in_background<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, RetentionError> + Send + 'static,
) -> Result<T, RetentionError> {
    joined(tokio::task::spawn_blocking(work)).await
}

pub(super) async fn joined<T>(
    work: tokio::task::JoinHandle<Result<T, RetentionError>>,
) -> Result<T, RetentionError> {
    match work.await {
        Ok(done) => done,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}
