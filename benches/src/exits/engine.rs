//! The engine as a contestant: positions loaded, then ticks from a prepared vector.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, ensure};
use turnstile_dataflows::engine::{self, Change, Event, Feed, Output, OutputBatch, Timed};
use turnstile_dataflows::exit::{ExitOutput, Fills};
use turnstile_dataflows::model::{LogicalTime, Tick};

use super::Outcome;
use super::decided::Decided;
use crate::clock::{Stopwatch, Took};
use crate::input::{Input, OPEN_US, load_events};
use crate::process;
use crate::setting::Setting;

/// Events of the clock between the load and the ticks, so that traces compact.
const SETTLE_EVENTS: usize = 64;

/// What sink and feed tell the measurement.
#[derive(Debug, Default)]
struct Seen {
    through: LogicalTime,
    examined: u64,
    decisions: Vec<Decided>,
    fault: Option<anyhow::Error>,
}

/// What was seen when the measured ticks began, and when they ended.
struct Mark {
    took: Option<Took>,
    through: LogicalTime,
    examined: u64,
    resident: u64,
}

/// Runs the engine over `input`.
///
/// # Errors
/// If the engine fails, or says something that cannot be.
pub(crate) fn run(input: Input, setting: Setting) -> anyhow::Result<Outcome> {
    let before = process::resident_bytes()?;
    let positions = input.positions.len();
    let seen: Arc<Mutex<Seen>> = Arc::default();
    let (marks, marked) = channel();
    let measured = input.measured().len();
    let last = input.ticks.last().context("the input has ticks")?.time;
    let feed = InputFeed::new(input, seen.clone(), marks)?;
    let loaded = feed.loaded_through();
    let config = setting.config(Fills::Immediate);
    let sink_seen = seen.clone();
    engine::run(&config, feed, move |batch| {
        let mut seen = sink_seen.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(fault) = seen.take_in(batch) {
            seen.fault.get_or_insert(fault);
        }
    })?;
    let [start, end] = two(&marked)?;
    let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(fault) = seen.fault.take() {
        return Err(fault);
    }
    ensure!(start.through == loaded, "the load was not reflected");
    ensure!(end.through == last, "the last tick was not reflected");
    let bytes = start.resident.saturating_sub(before);
    Ok(Outcome {
        ticks: measured,
        took: end.took.context("the ticks were not timed")?,
        through_us: last.micros(),
        levels_examined: Some(end.examined - start.examined),
        bytes_per_position: Some(bytes / u64::try_from(positions.max(1))?),
        decisions: std::mem::take(&mut seen.decisions),
    })
}

impl Seen {
    fn take_in(&mut self, batch: OutputBatch) -> anyhow::Result<()> {
        self.through = batch.through;
        let work = batch.work;
        self.examined += work.levels_examined.saturating_sub(work.levels_reached);
        for (_time, output) in batch.outputs {
            match output {
                Output::Exit(ExitOutput::Decision(decision)) => {
                    self.decisions.push(Decided::of(&decision)?);
                }
                Output::Exit(ExitOutput::Freshness(_)) | Output::Price(_) => {}
                other => anyhow::bail!("the engine said {other:?}"),
            }
        }
        Ok(())
    }
}

fn two(marked: &Receiver<Mark>) -> anyhow::Result<[Mark; 2]> {
    let start = marked.try_recv().context("the ticks did not begin")?;
    let end = marked.try_recv().context("the ticks did not end")?;
    Ok([start, end])
}

/// Gives out the load one event at a time, then the measured ticks as fast as they are taken. The
/// engine asks for more only when the sink has what came of the events before.
struct InputFeed {
    load: Box<dyn Iterator<Item = Vec<Change>> + Send>,
    /// The opening, and the clock after it.
    opening: VecDeque<Timed>,
    ticks: Vec<Tick>,
    next: usize,
    now_us: u64,
    seen: Arc<Mutex<Seen>>,
    marks: Sender<Mark>,
    /// Runs since the ticks began; all calls come from the thread of the one worker that feeds.
    watch: Option<Stopwatch>,
    stage: Stage,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Load,
    Ticks,
    Over,
}

impl InputFeed {
    fn new(mut input: Input, seen: Arc<Mutex<Seen>>, marks: Sender<Mark>) -> anyhow::Result<Self> {
        let load_events_max = u64::try_from(2 + input.positions.len())?;
        let load = load_events(&mut input)?;
        let mut opening: VecDeque<Timed> = input
            .opening()
            .iter()
            .map(|tick| Timed {
                time: tick.time,
                event: Event::Tick(*tick),
            })
            .collect();
        let after = opening.back().context("the input has symbols")?.time;
        opening.extend((1..).take(SETTLE_EVENTS).map(|index| Timed {
            time: after.plus_micros(index),
            event: Event::Clock,
        }));
        Ok(Self {
            load: Box::new(load),
            opening,
            next: input.opening,
            ticks: input.ticks,
            now_us: OPEN_US - load_events_max,
            seen,
            marks,
            watch: None,
            stage: Stage::Load,
        })
    }

    /// Returns the time of the last event before the measured ticks.
    fn loaded_through(&self) -> LogicalTime {
        self.opening
            .back()
            .map(|timed| timed.time)
            .unwrap_or_default()
    }

    /// Notes what was seen.
    fn mark(&self, took: Option<Took>, resident: u64) {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let mark = Mark {
            took,
            through: seen.through,
            examined: seen.examined,
            resident,
        };
        // The other end outlives the engine.
        let _ = self.marks.send(mark);
    }

    /// Appends what belongs to the load, and returns whether there was something.
    fn load(&mut self, max: usize, events: &mut Vec<Timed>) -> bool {
        if let Some(changes) = self.load.next() {
            self.now_us += 1;
            events.push(Timed {
                time: LogicalTime::from_micros(self.now_us),
                event: Event::Changes(changes),
            });
            return true;
        }
        let is_tick = |timed: &Timed| matches!(timed.event, Event::Tick(_));
        while events.len() < max && self.opening.front().is_some_and(is_tick) {
            events.extend(self.opening.pop_front());
        }
        if events.is_empty() {
            events.extend(self.opening.pop_front());
        }
        !events.is_empty()
    }
}

impl Feed for InputFeed {
    fn next(&mut self, max: usize, events: &mut Vec<Timed>) -> bool {
        if self.stage == Stage::Load {
            if self.load(max, events) {
                return true;
            }
            self.mark(None, process::resident_bytes().unwrap_or(0));
            self.watch = Stopwatch::start().ok();
            self.stage = Stage::Ticks;
        }
        let to = self.ticks.len().min(self.next + max);
        events.extend(self.ticks[self.next..to].iter().map(|tick| Timed {
            time: tick.time,
            event: Event::Tick(*tick),
        }));
        self.next = to;
        if self.stage == Stage::Ticks && events.is_empty() {
            let took = self.watch.and_then(|watch| watch.took().ok());
            self.mark(took, 0);
            self.stage = Stage::Over;
        }
        self.stage == Stage::Ticks
    }
}
