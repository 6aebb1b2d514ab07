//! A recorded day as a feed of the engine.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;
use turnstile_dataflows::engine::{Change, Event, Feed, Timed};
use turnstile_dataflows::exit::{ExitRule, SymbolContext};
use turnstile_dataflows::model::{
    ExitMode, LogicalTime, PositionId, PositionState, ProfileId, ReentryMode, Symbol, Tick,
};
use turnstile_dataflows::reentry::ReentryLimits;

use super::control::{ControlRow, regime_from_now};
use super::error::RecordedError;
use super::house::House;
use super::positions::RecordedPosition;
use super::reentry::RecordedReentry;
use super::table::Skipped;
use super::ticks::Ticks;

/// By how much the times of the engine run ahead of the recorded ones: a whole day.
///
/// Rules stand before the first event, and the engine knows no time before its first microsecond;
/// so a day recorded at the very beginning of 1970 needs room before it. No rule can tell: slots of
/// three seconds and the time of day in Seoul divide a day, and everything else is a difference.
const AHEAD_US: u64 = 86_400_000_000;
/// When rules, ATR and the first mode come into force.
const BEFORE_ALL: LogicalTime = LogicalTime::from_micros(1);

/// Returns the recorded time of an engine's time.
pub fn recorded_time(time: LogicalTime) -> LogicalTime {
    LogicalTime::from_micros(time.micros_since(LogicalTime::from_micros(AHEAD_US)))
}

/// Everything that was recorded.
pub struct Day {
    /// Profiles by name.
    pub rules: BTreeMap<ProfileId, ExitRule>,
    /// ATR and previous close by symbol.
    pub contexts: BTreeMap<Symbol, SymbolContext>,
    /// Positions, in any order.
    pub positions: Vec<RecordedPosition>,
    /// Control modes, by time.
    pub control: Vec<ControlRow>,
    /// Ticks, of which none was read yet.
    pub ticks: Ticks,
    /// Re-entry rules, where re-entries are played as well, and the house that fills decisions.
    pub reentry: Option<(RecordedReentry, Arc<Mutex<House>>)>,
}

/// What came of a feed.
#[derive(Debug, Default)]
pub struct DayReport {
    /// Ticks read.
    pub ticks: u64,
    /// Lines of the tick file that were left out.
    pub skipped: Skipped,
    /// Why the feed ended early.
    pub error: Option<RecordedError>,
}

/// Gives the events of a day in one order, each at a logical time of its own: that of its record,
/// or the next microsecond where the event before has that one.
///
/// Of one recorded time come control rows first, as they stand in their file, then positions by
/// id, then ticks as they stand in theirs. A position enters when it was opened, but not before the
/// first tick of the file.
pub struct DayFeed {
    before_all: Option<Vec<Change>>,
    control: VecDeque<ControlRow>,
    /// With the recorded time of the entry.
    positions: VecDeque<(LogicalTime, RecordedPosition)>,
    ticks: Ticks,
    next_tick: Option<Tick>,
    strategy: Arc<str>,
    /// Last logical time that was given.
    last: LogicalTime,
    stop: CancellationToken,
    report: Arc<Mutex<DayReport>>,
    house: Option<Arc<Mutex<House>>>,
}

impl Day {
    /// Returns the feed of the day, and where it reports when it is over. It ends early when `stop`
    /// is cancelled.
    ///
    /// # Errors
    /// A malformed first tick, or a file that cannot be read.
    pub fn into_feed(
        mut self,
        stop: CancellationToken,
    ) -> Result<(DayFeed, Arc<Mutex<DayReport>>), RecordedError> {
        let next_tick = self.ticks.read()?;
        let first_tick = next_tick.map_or(LogicalTime::default(), |tick| tick.time);
        let mut positions: Vec<(LogicalTime, RecordedPosition)> = self
            .positions
            .into_iter()
            .map(|position| (position.entry.max(first_tick), position))
            .collect();
        positions.sort_by(|(a_time, a), (b_time, b)| (a_time, &a.id).cmp(&(b_time, &b.id)));
        let rules = self.rules.into_iter();
        let mut before_all = vec![Change::ExitMode(ExitMode::Running)];
        before_all.extend(rules.map(|(id, rule)| Change::ExitRule(id, Some(rule))));
        let contexts = self.contexts.into_iter();
        before_all.extend(contexts.map(|(symbol, context)| Change::Context(symbol, context)));
        let house = self.reentry.map(|(reentry, house)| {
            before_all.push(Change::ReentryMode(ReentryMode::Running));
            before_all.push(Change::ReentryLimits(Some(ReentryLimits::default())));
            before_all.extend(reentry.regime.map(regime_from_now));
            let rules = reentry.rules.into_iter();
            before_all.extend(rules.map(|rule| Change::ReentryRule(rule.id.clone(), Some(rule))));
            house
        });
        let report = Arc::new(Mutex::new(DayReport::default()));
        let feed = DayFeed {
            before_all: Some(before_all),
            control: self.control.into(),
            positions: positions.into(),
            ticks: self.ticks,
            next_tick,
            strategy: RecordedPosition::strategy(),
            last: BEFORE_ALL,
            stop,
            report: report.clone(),
            house,
        };
        Ok((feed, report))
    }
}

/// Which file the next event is from; in the order of one recorded time.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Source {
    Control,
    Position,
    Tick,
}

impl DayFeed {
    /// Returns the recorded time of the next event and its file.
    fn head(&self) -> Option<(LogicalTime, Source)> {
        let control = self.control.front().map(|row| (row.time, Source::Control));
        let position = self.positions.front();
        let position = position.map(|(time, _row)| (*time, Source::Position));
        let tick = self.next_tick.map(|tick| (tick.time, Source::Tick));
        [control, position, tick].into_iter().flatten().min()
    }

    /// Returns the next event with its logical time.
    fn take(&mut self) -> Result<Option<Timed>, RecordedError> {
        if let Some(changes) = self.house.as_ref().and_then(|house| lock(house).next()) {
            self.last = self.last.plus_micros(1);
            return Ok(Some(Timed {
                time: self.last,
                event: Event::Changes(changes),
            }));
        }
        let Some((recorded, source)) = self.head() else {
            return Ok(None);
        };
        let time = ahead(recorded).max(self.last.plus_micros(1));
        let event = match source {
            Source::Control => {
                let row = self.control.pop_front();
                Event::Changes(row.map(|row| row.mode.to_change()).into_iter().collect())
            }
            Source::Position => {
                let entered = self.positions.pop_front();
                let row = entered.map(|(_time, row)| self.enter(&row));
                Event::Changes(row.into_iter().flatten().collect())
            }
            Source::Tick => {
                let Some(mut tick) = self.next_tick.take() else {
                    return Ok(None);
                };
                self.next_tick = self.ticks.read()?;
                tick.time = time;
                Event::Tick(tick)
            }
        };
        self.last = time;
        Ok(Some(Timed { time, event }))
    }

    fn enter(&self, row: &RecordedPosition) -> [Change; 2] {
        let position = row.to_position(ahead(row.entry), &self.strategy);
        let id: PositionId = row.id.clone();
        if let Some(house) = &self.house {
            lock(house).enter(&position);
        }
        [
            Change::PositionState(id, PositionState::default()),
            Change::Position(position),
        ]
    }

    /// Reports how it went, and returns that nothing more comes.
    fn over(&self, error: Option<RecordedError>) -> bool {
        *self.report.lock().unwrap_or_else(PoisonError::into_inner) = DayReport {
            ticks: self.ticks.count(),
            skipped: self.ticks.skipped(),
            error,
        };
        false
    }
}

fn lock(house: &Mutex<House>) -> MutexGuard<'_, House> {
    house.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns the engine's time of a recorded time.
fn ahead(time: LogicalTime) -> LogicalTime {
    time.plus_micros(AHEAD_US)
}

impl Feed for DayFeed {
    fn next(&mut self, max: usize, events: &mut Vec<Timed>) -> bool {
        if let Some(changes) = self.before_all.take() {
            events.push(Timed {
                time: BEFORE_ALL,
                event: Event::Changes(changes),
            });
            if self.house.is_some() {
                return true;
            }
        }
        if self.stop.is_cancelled() {
            return self.over(None);
        }
        // What follows from an event comes before the next one.
        let max = if self.house.is_some() { 1 } else { max };
        while events.len() < max {
            match self.take() {
                Ok(Some(timed)) => events.push(timed),
                Ok(None) => return self.over(None),
                Err(error) => return self.over(Some(error)),
            }
        }
        true
    }
}

#[cfg(test)]
mod tests;
