//! A running engine, and how far its outputs have come.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::SyncSender;
use std::thread;
use std::time::Duration;

use anyhow::{Context, ensure};
use turnstile_dataflows::engine::{Engine, EngineConfig, Event, OutputBatch, Timed};
use turnstile_dataflows::model::LogicalTime;

use crate::input::{Input, OPEN_US, load_events};

/// How often somebody who waits looks again.
const LOOK: Duration = Duration::from_micros(200);
/// Events of the clock after a load, so that traces compact.
const SETTLE_EVENTS: u64 = 64;

/// An engine behind its channel.
#[derive(Debug)]
pub(crate) struct Running {
    engine: Engine,
    sender: SyncSender<Timed>,
    through: Arc<AtomicU64>,
    last: LogicalTime,
}

impl Running {
    /// Starts an engine whose outputs go to `sink`, on a thread of the engine.
    ///
    /// # Errors
    /// If it cannot be started.
    pub(crate) fn start(
        config: EngineConfig,
        mut sink: impl FnMut(OutputBatch) + Send + 'static,
    ) -> anyhow::Result<Self> {
        let through: Arc<AtomicU64> = Arc::default();
        let reached = through.clone();
        let (engine, sender) = Engine::start(config, move |batch| {
            let through = batch.through.micros();
            sink(batch);
            reached.store(through, Ordering::Release);
        })?;
        Ok(Self {
            engine,
            sender,
            through,
            last: LogicalTime::default(),
        })
    }

    /// Loads `input` and its opening, and waits until all of it is reflected. Takes the positions
    /// out of it.
    ///
    /// # Errors
    /// If the engine ends.
    pub(crate) fn load(&mut self, input: &mut Input) -> anyhow::Result<()> {
        let before_us = u64::try_from(2 + input.positions.len())?;
        let mut now_us = OPEN_US - before_us;
        for changes in load_events(input)? {
            now_us += 1;
            let time = LogicalTime::from_micros(now_us);
            self.send(time, Event::Changes(changes))?;
            self.wait()?; // One event at a time: a large load does not stand in the channel.
        }
        for tick in input.opening() {
            self.send(tick.time, Event::Tick(*tick))?;
        }
        for _ in 0..SETTLE_EVENTS {
            self.send(self.last.plus_micros(1), Event::Clock)?;
            self.wait()?;
        }
        Ok(())
    }

    /// Hands one event to the engine; waits while its channel is full.
    ///
    /// # Errors
    /// If the engine has ended.
    pub(crate) fn send(&mut self, time: LogicalTime, event: Event) -> anyhow::Result<()> {
        self.last = time;
        let sent = self.sender.send(Timed { time, event });
        sent.context("the engine has ended")
    }

    /// Returns the time of the last event sent through here.
    pub(crate) fn last(&self) -> LogicalTime {
        self.last
    }

    /// Waits until everything sent is reflected.
    ///
    /// # Errors
    /// If the engine has ended.
    pub(crate) fn wait(&self) -> anyhow::Result<()> {
        while self.through.load(Ordering::Acquire) < self.last.micros() {
            ensure!(!self.engine.is_finished(), "the engine has ended");
            thread::sleep(LOOK);
        }
        Ok(())
    }

    /// Returns the sender, for a thread that sends on its own.
    pub(crate) fn sender(&self) -> SyncSender<Timed> {
        self.sender.clone()
    }

    /// Ends the engine once everything sent is with the sink. Other senders must be gone.
    ///
    /// # Errors
    /// If a worker failed.
    pub(crate) fn stop(self) -> anyhow::Result<()> {
        drop(self.sender);
        self.engine.join().context("the engine failed")
    }
}
