//! The one writer of `market.prices`: gathers rows into batches and commits them, whatever happens.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use metrics::{counter, histogram};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use tokio_postgres::Client;
use tracing::{error, info, warn};
use turnstile_dataflows::model::Symbol;

use super::batch::{self, Statements};
use super::publish::Publisher;
use super::{Overflow, PriceRow, PriceSinkConfig, Wanted};
use crate::postgres::metrics as names;
use crate::postgres::{Postgres, PostgresError};

/// Batches that somebody waits for begin at most so often: under load one carries several ticks.
const SPACING: Duration = Duration::from_millis(2);
/// Batches that share a commit at most, where so many rows wait.
const WAITING_BATCHES: usize = 16;
const RETRY_MIN: Duration = Duration::from_millis(50);
const RETRY_MAX: Duration = Duration::from_secs(5);

pub(super) struct Writer {
    pub(super) config: PriceSinkConfig,
    pub(super) postgres: Postgres,
    pub(super) session: Option<Session>,
    pub(super) durable: watch::Sender<u64>,
    pub(super) wanted: Arc<Wanted>,
    pub(super) publisher: Publisher,
    /// Days whose partition exists.
    pub(super) days: BTreeSet<u64>,
    /// Symbols with a row in `market.stocks`.
    pub(super) symbols: BTreeSet<Symbol>,
    /// Logical time of the newest row taken; what is not later was taken before.
    pub(super) taken_us: u64,
    /// When the last batch began.
    pub(super) begun: Instant,
    pub(super) overflow: Option<Overflow>,
}

/// A connection of the writer's own, and what it has had parsed there.
pub(super) struct Session {
    pub(super) client: Client,
    statements: Statements,
}

impl Session {
    pub(super) async fn open(postgres: &Postgres) -> Result<Self, PostgresError> {
        let client = postgres.connect_alone().await?;
        let statements = Statements::prepare(&client).await?;
        Ok(Self { client, statements })
    }
}

impl Writer {
    pub(super) async fn run(mut self, mut rows: mpsc::Receiver<PriceRow>) {
        let mut batch = Vec::with_capacity(self.config.batch_rows);
        while rows.recv_many(&mut batch, self.config.batch_rows).await > 0 {
            self.gather(&mut rows, &mut batch).await;
            self.take_waiting(&mut rows, &mut batch);
            self.begun = Instant::now();
            self.drop_repeated(&mut batch);
            self.write_all(&batch).await;
            batch.clear();
        }
        self.publisher.stop().await;
    }

    /// Adds rows until the batch is full, the linger is over, or somebody waits.
    async fn gather(&self, rows: &mut mpsc::Receiver<PriceRow>, batch: &mut Vec<PriceRow>) {
        let mut until = Instant::now() + self.config.linger;
        let ready = self.begun + SPACING;
        while batch.len() < self.config.batch_rows {
            let last_us = batch.last().map_or(0, |row| row.logical_us);
            let wanted_us = self.wanted.through_us.load(Ordering::Relaxed);
            if wanted_us > *self.durable.borrow() && wanted_us <= last_us {
                if Instant::now() >= ready {
                    return;
                }
                until = until.min(ready);
            }
            let room = self.config.batch_rows - batch.len();
            tokio::select! {
                biased;
                received = rows.recv_many(batch, room) => if received == 0 { return },
                () = self.wanted.asked.notified() => {}
                () = tokio::time::sleep_until(until) => return,
            }
        }
    }

    /// Adds what has gathered by now beyond a full batch: where the sink is behind, one commit carries
    /// more.
    fn take_waiting(&self, rows: &mut mpsc::Receiver<PriceRow>, batch: &mut Vec<PriceRow>) {
        let most = self.config.batch_rows.saturating_mul(WAITING_BATCHES);
        while batch.len() < most {
            let Ok(row) = rows.try_recv() else { return };
            batch.push(row);
        }
    }

    /// Drops rows that are not later than the ones before: a source that starts again after a crash
    /// sends some that are in the database already.
    fn drop_repeated(&mut self, batch: &mut Vec<PriceRow>) {
        let before = batch.len();
        let taken_us = &mut self.taken_us;
        batch.retain(|row| {
            let is_new = row.logical_us > *taken_us;
            *taken_us = row.logical_us.max(*taken_us);
            is_new
        });
        let repeated = before - batch.len();
        if repeated > 0 {
            counter!(names::REPEATED_ROWS).increment(u64::try_from(repeated).unwrap_or_default());
            info!(repeated, through_us = *taken_us, "repeated ticks left out");
        }
    }

    /// Writes the rows of `batch` in their order. Where the database refuses one of them, the batch
    /// is halved until that one stands alone; it goes to `system.logs`, the others to their table.
    async fn write_all(&mut self, batch: &[PriceRow]) {
        let mut parts = vec![batch];
        while let Some(part) = parts.pop() {
            let Err(refusal) = self.write_until_durable(part).await else {
                continue;
            };
            if let [row] = part {
                self.set_aside(row, &refusal).await;
            } else {
                let (earlier, later) = part.split_at(part.len() / 2);
                parts.extend([later, earlier]);
            }
        }
    }

    /// Retries without end: a lost tick cannot be had again. The channel fills meanwhile and pushes
    /// back on the sources.
    ///
    /// # Errors
    /// Only what the database says of a row, which it would say again.
    async fn write_until_durable(&mut self, rows: &[PriceRow]) -> Result<(), PostgresError> {
        let Some(last_us) = rows.last().map(|row| row.logical_us) else {
            return Ok(());
        };
        let began = Instant::now();
        let mut outage = Outage::default();
        loop {
            if self.is_kept_elsewhere(rows) {
                return Ok(());
            }
            let error = match self.write_unless_abandoned(rows).await {
                None => continue,
                Some(Ok(())) => break,
                Some(Err(error)) => error,
            };
            if error.refuses_data() {
                return Err(error);
            }
            if error.lacks_partition() {
                // That of an old day was detached since; it gets a new one.
                self.days.clear();
            }
            self.session = None;
            outage.wait(&error, rows.len()).await;
        }
        outage.end(rows.len());
        self.durable.send_replace(last_us);
        self.publisher.publish(rows);
        histogram!(names::COPY_SECONDS).record(began.elapsed().as_secs_f64());
        counter!(names::COPY_ROWS).increment(u64::try_from(rows.len()).unwrap_or_default());
        Ok(())
    }

    /// Hands rows over once the database is given up. They may be in it all the same: whoever stores them
    /// later finds out.
    fn is_kept_elsewhere(&self, rows: &[PriceRow]) -> bool {
        let overflow = self.overflow.as_ref();
        overflow.is_some_and(|there| there.abandon.is_cancelled() && (there.keep)(rows))
    }

    /// Writes rows. None where the database was given up meanwhile.
    async fn write_unless_abandoned(
        &mut self,
        rows: &[PriceRow],
    ) -> Option<Result<(), PostgresError>> {
        let abandon = self.overflow.as_ref().map(|there| there.abandon.clone());
        match abandon.filter(|abandon| !abandon.is_cancelled()) {
            Some(abandon) => abandon.run_until_cancelled(self.write(rows)).await,
            None => Some(self.write(rows).await),
        }
    }

    async fn write(&mut self, rows: &[PriceRow]) -> Result<(), PostgresError> {
        let durable_us = *self.durable.borrow();
        let (days, symbols) = (&mut self.days, &mut self.symbols);
        let Session { client, statements } = match &mut self.session {
            Some(session) => session,
            empty => empty.insert(Session::open(&self.postgres).await?),
        };
        batch::ensure_partitions(client, rows, days).await?;
        batch::ensure_symbols(client, rows, symbols).await?;
        batch::write(client, statements, rows, durable_us).await
    }

    /// Keeps a refused row in `system.logs`, and moves on.
    async fn set_aside(&mut self, row: &PriceRow, refusal: &PostgresError) {
        counter!(names::REFUSED_ROWS).increment(1);
        error!(symbol = %row.symbol, logical_us = row.logical_us, error = %refusal,
            "tick refused by the database; kept in system.logs");
        let mut outage = Outage::default();
        while let Err(error) = self.log_refused(row, refusal).await {
            self.session = None;
            outage.wait(&error, 1).await;
        }
        self.durable.send_replace(row.logical_us);
    }

    async fn log_refused(
        &mut self,
        row: &PriceRow,
        refusal: &PostgresError,
    ) -> Result<(), PostgresError> {
        let durable_us = *self.durable.borrow();
        let Session { client, statements } = match &mut self.session {
            Some(session) => session,
            empty => empty.insert(Session::open(&self.postgres).await?),
        };
        batch::log_refused(client, statements, row, refusal, durable_us).await
    }
}

/// A row of failures: pauses that grow, one line at the begin and one at the end.
#[derive(Default)]
struct Outage {
    pause: Option<Duration>,
}

impl Outage {
    async fn wait(&mut self, error: &PostgresError, rows: usize) {
        counter!(names::COPY_RETRIES).increment(1);
        let pause = self
            .pause
            .map_or(RETRY_MIN, |last| (last * 2).min(RETRY_MAX));
        match self.pause {
            Some(_) => {}
            // A partition that was detached is made anew.
            None if error.is_transient() || error.lacks_partition() => {
                warn!(%error, rows, "ticks not written, retrying")
            }
            None => error!(%error, rows, "ticks not written, retrying"),
        }
        self.pause = Some(pause);
        tokio::time::sleep(pause).await;
    }

    fn end(self, rows: usize) {
        if self.pause.is_some() {
            info!(rows, "ticks written again");
        }
    }
}
