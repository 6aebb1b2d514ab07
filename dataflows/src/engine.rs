//! The engine: worker threads that take events in logical time and hand out what follows.
//!
//! ```text
//! events (bounded channel) ─> inputs of worker 0 ─> dataflows on all workers ─> outputs by time
//! ```
//!
//! Worker 0 drains the channel, gives every event its own logical time, flushes once, and steps
//! until the probe has passed the last one. So a batch is whatever had gathered; results do not
//! depend on it. Inputs and traces advance with every event, the clock's included, so they compact
//! also when nothing trades.

mod event;
mod inputs;

use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use thiserror::Error;
use timely::worker::Worker;

pub use event::{Change, Event, Timed};

use crate::exit::ExitOutput;
use crate::model::{LogicalTime, PositionId};
use crate::reentry::ReentryVerdict;
use inputs::Inputs;

/// Events drained at one go, so that outputs are not held back for long under load.
const DRAIN_MAX: usize = 4_096;

/// How the engine runs.
#[derive(Clone, Debug)]
pub struct EngineConfig {
    /// Worker threads, at least one.
    pub workers: usize,
    /// Events that may wait; a full channel pushes back on the sequencer.
    pub channel: usize,
    /// How long a waiting worker spins before it parks: latency against processor time.
    pub idle_spin: Duration,
}

impl Default for EngineConfig {
    fn default() -> Self {
        Self {
            workers: 1,
            channel: 65_536,
            idle_spin: Duration::ZERO,
        }
    }
}

/// Something the dataflows say.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Output {
    /// A decision to sell, or a position that cannot be judged.
    Exit(ExitOutput),
    /// A change of a re-entry candidate.
    Reentry(Box<ReentryVerdict>),
    /// A live position has no rule.
    Unruled(PositionId),
}

/// Everything said up to a logical time.
#[derive(Debug)]
pub struct OutputBatch {
    /// All events up to and including this time are reflected.
    pub through: LogicalTime,
    /// By time, then by what they say.
    pub outputs: Vec<(LogicalTime, Output)>,
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
        let thread = std::thread::Builder::new()
            .name("engine".to_owned())
            .spawn(move || run(&config, receiver, sink))
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

type Said = Arc<Mutex<Vec<(LogicalTime, Output)>>>;

/// The part of worker 0: where events come from and outputs go.
struct Ends<S> {
    events: Receiver<Timed>,
    sink: S,
}

fn run<S>(config: &EngineConfig, events: Receiver<Timed>, sink: S) -> Result<(), EngineError>
where
    S: FnMut(OutputBatch) + Send + 'static,
{
    let mut timely = if config.workers > 1 {
        timely::Config::process(config.workers)
    } else {
        timely::Config::thread()
    };
    timely.worker = timely.worker.idle_spin(config.idle_spin);
    let ends = Mutex::new(Some(Ends { events, sink }));
    let failure = Arc::new(Mutex::new(None));
    let reported = failure.clone();
    let said: Said = Arc::default();
    let workers = timely::execute(timely, move |worker| {
        let inputs = inputs::build(worker, &said);
        // The others only work on what worker 0 feeds; their inputs close here.
        if worker.index() != 0 {
            return;
        }
        let ends = ends.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(ends) = ends
            && let Err(error) = drive(worker, inputs, ends, &said)
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

fn drive<S: FnMut(OutputBatch)>(
    worker: &mut Worker,
    mut inputs: Inputs,
    mut ends: Ends<S>,
    said: &Said,
) -> Result<(), EngineError> {
    let mut last = LogicalTime::default();
    let mut is_open = true;
    while is_open {
        let Ok(first) = ends.events.recv() else { break };
        let mut next = Some(first);
        let mut drained = 0;
        while let Some(timed) = next.take() {
            if timed.time <= last {
                return Err(EngineError::TimeFell {
                    event: timed.time,
                    last,
                });
            }
            last = timed.time;
            inputs.apply(timed);
            drained += 1;
            if drained < DRAIN_MAX {
                match ends.events.try_recv() {
                    Ok(timed) => next = Some(timed),
                    Err(TryRecvError::Empty) => {}
                    Err(TryRecvError::Disconnected) => is_open = false,
                }
            }
        }
        inputs.flush_through(last);
        // A short wait at most: what other workers send wakes this one.
        worker.step_or_park_while(Some(Duration::from_millis(1)), || inputs.is_behind(last));
        let mut outputs = std::mem::take(&mut *said.lock().unwrap_or_else(PoisonError::into_inner));
        outputs.sort();
        (ends.sink)(OutputBatch {
            through: last,
            outputs,
        });
    }
    Ok(())
}
