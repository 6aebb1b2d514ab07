//! The replay of one day: pages in, decisions out, compared as they come.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{join, try_join};
use jiff::Timestamp;
use jiff::civil::Date;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_postgres::Client;
use tokio_util::sync::CancellationToken;
use turnstile_dataflows::engine::{self, EngineConfig, EngineError, OutputBatch, Timed};
use turnstile_dataflows::exit::Fills;
use turnstile_dataflows::model::LogicalTime;

use super::compare::{Comparison, Difference};
use super::decision::Made;
use super::entries::Entries;
use super::error::StoredDayError;
use super::feed::PageFeed;
use super::merge::Merge;
use super::prices::Ticks;
use super::runs::{Span, check_archives, length_us, spans};
use super::{live, times_of};
use crate::postgres::Postgres;
use crate::recorded::RecordedError;
use crate::seoul::seoul_date;

/// Events that are handed to the engine together.
const EVENTS: usize = 8_192;
/// Such portions that wait.
const PORTIONS: usize = 2;
/// Decisions that wait, and that are compared together.
const DECISIONS: usize = 256;
/// Events that the engine works on at one go.
const BATCH: usize = 1_024;

/// How much of the machine a replay takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// As much as it needs.
    Full,
    /// Half of a core at most: it rests as long as it has worked.
    Half,
}

/// Who is told while a replay goes on.
pub trait Watch: Send {
    /// Hears of a decision of the day, in order of their times within a run.
    ///
    /// # Errors
    /// Ends the replay.
    fn decided(&mut self, _made: &Made) -> Result<(), RecordedError> {
        Ok(())
    }

    /// Returns what hears how much was read, as it goes on: parts of all of it in millionths, and ticks.
    fn progress(&self) -> Arc<dyn Fn(u64, u64) + Send + Sync> {
        Arc::new(|_millionths, _ticks| {})
    }
}

/// What came of a replay.
#[derive(Clone, Debug)]
pub struct Replayed {
    /// The day in Seoul.
    pub day: Date,
    /// When it began.
    pub begun: Timestamp,
    /// Whether the day was over by then.
    pub is_over: bool,
    /// Ticks that were played, from the load on that the day builds on.
    pub ticks: u64,
    /// Entries of the journal that were.
    pub events: u64,
    /// Decisions that were compared.
    pub decisions: u64,
    /// Stored decisions of the day that were not: no run has proven them.
    pub unproven: u64,
    /// Differences.
    pub differences: u64,
    /// The first 10,000 of them.
    pub kept: Vec<Difference>,
}

/// Plays `day` through an engine with so many `workers`, and compares what is decided with what is stored.
///
/// # Errors
/// A day that no engine has recorded, whose prices are archived, or that cannot be read; a cancelled
/// `stop`; what `watch` says.
pub async fn replay(
    postgres: &Postgres,
    day: Date,
    (workers, pace): (usize, Pace),
    watch: &mut impl Watch,
    stop: &CancellationToken,
) -> Result<Replayed, StoredDayError> {
    let begun = Timestamp::now();
    let (begin_us, end_us) = times_of(day)?;
    // One of its own: a pool that serves the live engine is not to wait for it.
    let client = postgres.connect_alone().await?;
    let spans = spans(&client, day).await?;
    let first = spans.first().ok_or(StoredDayError::NotRecorded(day))?;
    let first_day = seoul_date(LogicalTime::from_micros(first.begun_us));
    check_archives(&client, first_day, day).await?;
    let mut play = Play {
        client: &client,
        comparison: Comparison::new(spans.clone()),
        day_us: (begin_us, end_us),
        workers,
        pace,
        stop,
        length_us: length_us(&spans),
        done_us: 0,
        ticks: 0,
        events: 0,
    };
    for span in spans {
        play.run(span, watch).await?;
    }
    let mut comparison = play.comparison;
    let (ticks, events) = (play.ticks, play.events);
    live::take_stored(&client, &mut comparison, (begin_us, end_us)).await?;
    let begun_us = u64::try_from(begun.as_microsecond()).unwrap_or_default();
    Ok(Replayed {
        day,
        begun,
        is_over: begun_us >= end_us,
        ticks,
        events,
        decisions: comparison.decisions,
        unproven: comparison.unproven,
        differences: comparison.count,
        kept: comparison.kept,
    })
}

/// A replay that is under way.
struct Play<'p> {
    client: &'p Client,
    comparison: Comparison,
    /// The times of the day, the last one exclusive.
    day_us: (u64, u64),
    workers: usize,
    pace: Pace,
    stop: &'p CancellationToken,
    length_us: u64,
    /// How much of it is behind.
    done_us: u64,
    ticks: u64,
    events: u64,
}

impl Play<'_> {
    /// Plays a run of an engine, and compares what it decides on the day.
    async fn run(&mut self, span: Span, watch: &mut impl Watch) -> Result<(), StoredDayError> {
        let (portions, taken) = mpsc::channel(PORTIONS);
        let (decided, decisions) = mpsc::channel(DECISIONS);
        let (workers, day_us) = (self.workers, self.day_us);
        let engine = tokio::task::spawn_blocking(move || play(workers, taken, decided, day_us));
        let reader = Reader {
            client: self.client,
            span,
            pace: self.pace,
            stop: self.stop,
            done_us: self.done_us,
            length_us: self.length_us,
            ticks_before: self.ticks,
            tell: watch.progress(),
        };
        let comparing = compare(self.client, &mut self.comparison, decisions, watch);
        // Where one fails, what it held is dropped: the engine comes to its end.
        let both = try_join(reader.read(portions), comparing);
        let (both, ended) = join(both, engine).await;
        let ((ticks, events), ()) = both?;
        ended.map_err(|error| EngineError::Worker(error.to_string()))??;
        self.ticks += ticks;
        self.events += events;
        self.done_us += span.through_us - span.begun_us;
        Ok(())
    }
}

/// Runs an engine over everything that comes, on this thread and its workers.
fn play(
    workers: usize,
    taken: mpsc::Receiver<Vec<Timed>>,
    decided: mpsc::Sender<Made>,
    (begin_us, end_us): (u64, u64),
) -> Result<(), EngineError> {
    let config = EngineConfig {
        workers,
        batch: BATCH,
        fills: Fills::Reported,
        views: false,
        ..EngineConfig::default()
    };
    let sink = move |batch: OutputBatch| {
        let made = batch.outputs.into_iter().filter_map(|(_time, output)| {
            let made = Made::of(output)?;
            (begin_us..end_us)
                .contains(&made.time().micros())
                .then_some(made)
        });
        // Where nobody listens any more, somebody has failed and says so.
        made.for_each(|made| drop(decided.blocking_send(made)));
    };
    engine::run(&config, PageFeed::new(taken), sink)
}

/// Compares decisions as they come.
async fn compare(
    client: &Client,
    comparison: &mut Comparison,
    mut decisions: mpsc::Receiver<Made>,
    watch: &mut impl Watch,
) -> Result<(), StoredDayError> {
    let mut made = Vec::with_capacity(DECISIONS);
    while decisions.recv_many(&mut made, DECISIONS).await > 0 {
        for one in &made {
            watch.decided(one)?;
        }
        live::judge(client, comparison, &made).await?;
        made.clear();
    }
    Ok(())
}

/// Reads one run.
struct Reader<'p> {
    client: &'p Client,
    span: Span,
    pace: Pace,
    stop: &'p CancellationToken,
    done_us: u64,
    length_us: u64,
    ticks_before: u64,
    tell: Arc<dyn Fn(u64, u64) + Send + Sync>,
}

impl Reader<'_> {
    /// Hands out everything in order of time. Returns how many ticks and entries there were.
    async fn read(self, portions: mpsc::Sender<Vec<Timed>>) -> Result<(u64, u64), StoredDayError> {
        let mut ticks = Ticks::open(self.client, self.span).await?;
        let mut entries = Entries::open(self.client, self.span).await?;
        let mut merge = Merge::new(self.span.begun_us, self.span.through_us);
        let mut goes_on = true;
        while goes_on {
            if self.stop.is_cancelled() {
                return Err(StoredDayError::Stopped);
            }
            let since = Instant::now();
            let mut portion = Vec::with_capacity(EVENTS);
            while goes_on && portion.len() < EVENTS {
                ticks.fill().await?;
                entries.fill().await?;
                let left = EVENTS - portion.len();
                goes_on = merge.give(&mut ticks.queue, &mut entries.queue, left, &mut portion);
            }
            self.tell_progress(portion.last(), ticks.read);
            // The engine has ended, and says why.
            if portions.send(portion).await.is_err() {
                break;
            }
            if self.pace == Pace::Half {
                self.rest(since.elapsed()).await;
            }
        }
        Ok((ticks.read, entries.read))
    }

    fn tell_progress(&self, last: Option<&Timed>, ticks: u64) {
        let last_us = last.map_or(self.span.through_us, |last| last.time.micros());
        let done_us = self.done_us + last_us.saturating_sub(self.span.begun_us);
        let millionths = u128::from(done_us) * 1_000_000 / u128::from(self.length_us);
        let millionths = u64::try_from(millionths).unwrap_or(u64::MAX);
        (self.tell)(millionths, self.ticks_before + ticks);
    }

    async fn rest(&self, worked: Duration) {
        // Whoever stops is heard before the next portion.
        tokio::select! {
            () = self.stop.cancelled() => {}
            () = tokio::time::sleep(worked) => {}
        }
    }
}
