//! The engine: worker threads that take events in logical time and hand out what follows.
//!
//! ```text
//! feed of events ─> inputs of worker 0 ─> dataflows on all workers ─> outputs by time ─> sink
//! ```
//!
//! Worker 0 drains the feed, gives every event its own logical time, flushes once, and steps until
//! the probe has passed the last one. So a batch is whatever had gathered; results do not depend on
//! it. Inputs and traces advance with every batch, the clock's included, so they compact also when
//! nothing trades.

mod event;
mod feed;
mod inputs;
mod positions;
mod reentries;
mod said;
mod views;

use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use thiserror::Error;
use timely::worker::Worker;

pub use event::{Change, Event, Timed};
pub use feed::{Feed, Idle};

use crate::exit::{ExitOutput, Fills, Work, WorkCount};
use crate::model::{LogicalTime, PositionId};
use crate::price::BestPrice;
use crate::reentry::ReentryVerdict;
use crate::slots::Slot;
use feed::ChannelFeed;
use inputs::Inputs;
use said::Said;

/// Changed rows after which a batch is worked on although more events wait: what a flush holds in
/// buffers stays allocated, so a load of millions of rows goes in by parts.
const ROWS_MAX: usize = 8_192;

/// How the engine runs.
#[derive(Clone, Debug)]
pub struct EngineConfig {
    /// Worker threads, at least one.
    pub workers: usize,
    /// Events that may wait; a full channel pushes back on the sequencer.
    pub channel: usize,
    /// Events drained at one go at most, so that outputs are not held back for long under load.
    pub batch: usize,
    /// How long a drain waits, once, for one more event before it is worked on.
    pub linger: Duration,
    /// What a worker does while no event waits.
    pub idle: Idle,
    /// Where fills come from.
    pub fills: Fills,
    /// Whether the views beside decisions are kept: best prices, and who has a slot.
    pub views: bool,
}

impl Default for EngineConfig {
    fn default() -> Self {
        Self {
            workers: 1,
            channel: 65_536,
            batch: 4_096,
            linger: Duration::ZERO,
            idle: Idle::Park,
            fills: Fills::Reported,
            views: true,
        }
    }
}

/// Something the dataflows say.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Output {
    /// What the exits say.
    Exit(ExitOutput),
    /// A change of a re-entry candidate.
    Reentry(Box<ReentryVerdict>),
    /// A live position has no rule.
    Unruled(PositionId),
    /// A preview was answered: all its hits are in the same batch.
    Previewed(Arc<str>),
    /// The best price of a symbol, as it stands from now on.
    Price(BestPrice),
    /// A symbol has got a slot of the stream, or has lost it.
    Slot(Slot, bool),
}

/// Everything said up to a logical time.
#[derive(Debug)]
pub struct OutputBatch {
    /// All events up to and including this time are reflected.
    pub through: LogicalTime,
    /// By time, then by what they say.
    pub outputs: Vec<(LogicalTime, Output)>,
    /// What it took.
    pub work: Work,
}

/// Why the engine could not run.
#[derive(Debug, Error)]
pub enum EngineError {
    /// The threads could not be started.
    #[error("worker threads could not be started: {0}")]
    Start(String),
    /// A worker panicked.
    #[error("a worker thread failed: {0}")]
    Worker(String),
    /// An event came that is not later than the one before.
    #[error("event at {event} is not later than {last}")]
    TimeFell {
        /// Time of the event.
        event: LogicalTime,
        /// Time of the event before.
        last: LogicalTime,
    },
}

/// The running engine.
#[derive(Debug)]
pub struct Engine {
    thread: JoinHandle<Result<(), EngineError>>,
}

impl Engine {
    /// Starts the workers. `sink` gets every batch on a thread of the engine, in order; where it
    /// blocks, the engine waits. The engine ends when the sender is dropped, after everything sent
    /// has been handed to the sink.
    ///
    /// # Errors
    /// If the thread cannot be started.
    pub fn start(
        config: EngineConfig,
        sink: impl FnMut(OutputBatch) + Send + 'static,
    ) -> Result<(Self, SyncSender<Timed>), EngineError> {
        let (sender, receiver) = sync_channel(config.channel.max(1));
        let feed = ChannelFeed::new(receiver, config.idle, config.linger);
        let thread = std::thread::Builder::new()
            .name("engine".to_owned())
            .spawn(move || run(&config, feed, sink))
            .map_err(|error| EngineError::Start(error.to_string()))?;
        Ok((Self { thread }, sender))
    }

    /// Returns whether the engine has ended.
    pub fn is_finished(&self) -> bool {
        self.thread.is_finished()
    }

    /// Waits for the end. Drop the sender first.
    ///
    /// # Errors
    /// If a worker failed.
    pub fn join(self) -> Result<(), EngineError> {
        let panicked = |_| Err(EngineError::Worker("the engine thread panicked".to_owned()));
        self.thread.join().unwrap_or_else(panicked)
    }
}

/// The part of worker 0: where events come from and outputs go.
struct Ends<F, S> {
    feed: F,
    sink: S,
}

/// Runs the dataflows over all events of `feed` and returns when it is over. `sink` gets every
/// batch in order, on a thread of the engine.
///
/// # Errors
/// If a worker fails, or an event is not later than the one before.
pub fn run<F, S>(config: &EngineConfig, feed: F, sink: S) -> Result<(), EngineError>
where
    F: Feed,
    S: FnMut(OutputBatch) + Send + 'static,
{
    let timely = if config.workers > 1 {
        timely::Config::process(config.workers)
    } else {
        timely::Config::thread()
    };
    let (batch, fills, views) = (config.batch.max(1), config.fills, config.views);
    let ends = Mutex::new(Some(Ends { feed, sink }));
    let failure = Arc::new(Mutex::new(None));
    let reported = failure.clone();
    let said: Said = Arc::default();
    let count: Arc<WorkCount> = Arc::default();
    let workers = timely::execute(timely, move |worker| {
        let inputs = inputs::build(worker, fills, views, &said, &count);
        // The others only work on what worker 0 feeds; their inputs close here.
        if worker.index() != 0 {
            return;
        }
        let ends = ends.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(ends) = ends
            && let Err(error) = drive(worker, inputs, ends, batch, &said, &count)
        {
            *failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
        }
    })
    .map_err(EngineError::Start)?;
    for result in workers.join() {
        result.map_err(EngineError::Worker)?;
    }
    reported
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .take()
        .map_or(Ok(()), Err)
}

fn drive<F: Feed, S: FnMut(OutputBatch)>(
    worker: &mut Worker,
    mut inputs: Inputs,
    mut ends: Ends<F, S>,
    batch: usize,
    said: &Said,
    count: &WorkCount,
) -> Result<(), EngineError> {
    let mut last = LogicalTime::default();
    let mut events = Vec::with_capacity(batch.min(65_536));
    loop {
        let is_open = ends.feed.next(batch, &mut events);
        if events.is_empty() {
            if is_open {
                continue;
            }
            return Ok(());
        }
        let mut rows = 0;
        let mut left = events.len();
        for timed in events.drain(..) {
            if timed.time <= last {
                return Err(EngineError::TimeFell {
                    event: timed.time,
                    last,
                });
            }
            last = timed.time;
            left -= 1;
            rows += inputs.apply(timed);
            if rows < ROWS_MAX && left > 0 {
                continue;
            }
            rows = 0;
            inputs.flush_through(last);
            // A short wait at most: what other workers send wakes this one.
            worker.step_or_park_while(Some(Duration::from_millis(1)), || inputs.is_behind(last));
            let mut outputs =
                std::mem::take(&mut *said.lock().unwrap_or_else(PoisonError::into_inner));
            outputs.sort();
            (ends.sink)(OutputBatch {
                through: last,
                outputs,
                work: count.take(),
            });
        }
        if !is_open {
            return Ok(());
        }
    }
}
