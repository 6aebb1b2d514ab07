//! A run: input, dataflow, snapshots.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::civil::Date;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tracing::{info, warn};
use turnstile_strategy::{Day, Market, Settings, Snapshot, Stage};
use uuid::Uuid;

use super::day::date_of;
use super::feed::{Feed, Input};
use super::load::{days, load};
use super::runs::{DayRun, Desk, Open, RunState, Trigger, result};
use super::{StrategyError, names, store};
use crate::postgres::{Postgres, write_log};

/// Names of the stages around the dataflow.
const LOAD: &str = "LOAD";
const FEED: &str = "FEED";
const STORE: &str = "STORE";
/// What the dataflow has said and nobody has stored yet: it may be one day ahead.
const SAID_MAX: usize = 8;

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Which strategy.
    pub strategy_id: String,
    /// Who set it off.
    pub trigger: Trigger,
    /// Who asks.
    pub asked_by: String,
    /// For which days.
    pub days: Days,
    /// Which stages are stored.
    pub scope: Scope,
    /// Whether a day is run again though a run of the same input is stored.
    pub again: bool,
}

/// Stages that a run stores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// All of them.
    All,
    /// The universe alone.
    Universe,
}

/// Days of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Days {
    /// The last session that has bars.
    Last,
    /// This one.
    One(Date),
    /// The sessions from one date to another, both inclusive, in one dataflow.
    Span(Date, Date),
}

/// How far a run is.
#[derive(Clone, Debug)]
pub enum Told {
    /// So many days are to be run.
    Days(usize),
    /// So many rows were read.
    Loaded {
        /// Rows.
        rows: usize,
        /// How long it took.
        took: Duration,
    },
    /// A stage of a day is over.
    Stage {
        /// The day.
        as_of: Date,
        /// FEED, UNIVERSE, FACTORS, SIGNALS, RANKINGS, PORTFOLIO or STORE.
        stage: &'static str,
        /// How long it took.
        took: Duration,
    },
    /// A day is over.
    Day(DayRun),
}

/// What the thread of the dataflow says.
enum Said {
    Known(Day, Uuid),
    Fed(Day, String, Vec<(Market, Day)>, Duration),
    Reached(&'static str, Duration),
    Settled(Box<Snapshot>),
}

/// Runs a strategy, and stores what it says. Returns one result for each day, in order.
///
/// # Errors
/// [`StrategyError::Busy`] while another one runs; a fault of the database or of a row. Days that were
/// stored before stay.
pub async fn run(
    postgres: &Postgres,
    settings: &Settings,
    asked: &Asked,
    tell: &(dyn Fn(Told) + Send + Sync),
) -> Result<Vec<DayRun>, StrategyError> {
    let mut desk = Desk::open(postgres).await?;
    let done = run_at(&mut desk, settings, asked, tell).await;
    desk.close().await;
    done
}

async fn run_at(
    desk: &mut Desk,
    settings: &Settings,
    asked: &Asked,
    tell: &(dyn Fn(Told) + Send + Sync),
) -> Result<Vec<DayRun>, StrategyError> {
    let days = days(&desk.client, asked.days).await?;
    tell(Told::Days(days.len()));
    let (Some(&first), Some(&last)) = (days.first(), days.last()) else {
        return Ok(Vec::new());
    };
    let known = match asked.again {
        true => BTreeMap::new(),
        false => desk.known(asked, first, last).await?,
    };
    let began = Instant::now();
    let input = match load(&mut desk.client, first, last).await {
        Ok(input) => input,
        Err(error) => {
            let reason = error.to_string();
            note(desk.failed_before(asked, first, LOAD, &reason).await);
            return Err(error);
        }
    };
    let (rows, took) = (input.len(), began.elapsed());
    let strategy = &asked.strategy_id;
    info!(
        rows,
        ?took,
        strategy,
        days = days.len(),
        "input of the strategy read"
    );
    tell(Told::Loaded { rows, took });

    let (sender, said) = mpsc::channel(SAID_MAX);
    let settings = settings.clone();
    let thread = tokio::task::spawn_blocking(move || {
        compute(&input, &settings, &days, &known, &sender);
    });
    let mut follower = Follower {
        desk,
        asked,
        tell,
        load: Some(took),
        open: None,
        done: Vec::new(),
    };
    let followed = follower.follow(said).await;
    let followed = match (followed, thread.await) {
        (Ok(()), Err(_panic)) => {
            let day = follower.open.as_ref().map_or(first, |run| run.day);
            Err(StrategyError::Dataflow(day))
        }
        (followed, _) => followed,
    };
    if let (Err(error), Some(run)) = (&followed, &follower.open) {
        note(follower.desk.failed(run, &error.to_string()).await);
    }
    followed.map(|()| follower.done)
}

/// The next run notes what cannot be noted now.
fn note(noted: Result<(), StrategyError>) {
    if let Err(error) = noted {
        warn!(%error, "the failure of a run is not noted");
    }
}

/// Computes the days, one after the other, in one dataflow; ends early where nobody listens.
fn compute(
    input: &Input,
    settings: &Settings,
    days: &[Day],
    known: &BTreeMap<(Day, String), Uuid>,
    said: &mpsc::Sender<Said>,
) {
    let say = |what| said.blocking_send(what).is_ok();
    turnstile_strategy::with(|session| {
        let mut feed = Feed::new(input, settings);
        for &day in days {
            let began = Instant::now();
            let digest = feed.move_to(day, &mut |change| session.apply(change));
            if let Some(run) = known.get(&(day, digest.clone())) {
                if !say(Said::Known(day, *run)) {
                    return;
                }
                continue;
            }
            let outdated = feed.outdated_lists(day);
            if !say(Said::Fed(day, digest, outdated, began.elapsed())) {
                return;
            }
            let mut lap = Instant::now();
            session.settle_with(|stage| {
                let took = lap.elapsed();
                lap += took;
                // Whether anybody listens is seen below.
                say(Said::Reached(names::stage(stage), took));
            });
            if !say(Said::Settled(Box::new(session.snapshot().clone()))) {
                return;
            }
        }
    });
}

/// Stores what the dataflow says.
struct Follower<'a> {
    desk: &'a mut Desk,
    asked: &'a Asked,
    tell: &'a (dyn Fn(Told) + Send + Sync),
    /// How long the input took to read; told of the first day.
    load: Option<Duration>,
    open: Option<Open>,
    done: Vec<DayRun>,
}

impl Follower<'_> {
    async fn follow(&mut self, mut said: mpsc::Receiver<Said>) -> Result<(), StrategyError> {
        while let Some(said) = said.recv().await {
            match said {
                Said::Known(day, run) => {
                    let run = result(&self.desk.client, run, true).await?;
                    info!(as_of = %date_of(day), run = %run.run_id, "a run of the same input is stored");
                    self.end(run);
                }
                Said::Fed(day, digest, outdated, took) => {
                    if self.asked.trigger == Trigger::Schedule && !outdated.is_empty() {
                        let told = store::outdated(self.asked, day, &outdated);
                        write_log(&self.desk.client, &told).await?;
                    }
                    let first = names::stage(Stage::ALL[0]);
                    let mut run = self.desk.begin(self.asked, day, &digest, first).await?;
                    if let Some(load) = self.load.take() {
                        run.took(LOAD, load);
                    }
                    self.open = Some(run);
                    self.stage(FEED, took);
                }
                Said::Reached(stage, took) => {
                    self.stage(stage, took);
                    if let Some(run) = &self.open {
                        self.desk.at_stage(run, stage_after(stage)).await?;
                    }
                }
                Said::Settled(snapshot) => {
                    let Some(mut run) = self.open.clone() else {
                        continue;
                    };
                    let began = Instant::now();
                    let client = &mut self.desk.client;
                    let state = store::store(client, self.asked, &mut run, &snapshot).await?;
                    let ended = result(&self.desk.client, run.run_id, false).await?;
                    self.stage(STORE, began.elapsed());
                    self.open = None;
                    let as_of = ended.as_of;
                    match (state, &ended.reason) {
                        (RunState::Refused, Some(reason)) => {
                            warn!(%as_of, reason, "strategy refused");
                        }
                        (_, reason) => {
                            info!(%as_of, counts = ?ended.counts, reason, "strategy done")
                        }
                    }
                    self.end(ended);
                }
            }
        }
        Ok(())
    }

    fn stage(&mut self, stage: &'static str, took: Duration) {
        if let Some(run) = &mut self.open {
            run.took(stage, took);
            let as_of = date_of(run.day);
            (self.tell)(Told::Stage { as_of, stage, took });
        }
    }

    fn end(&mut self, run: DayRun) {
        (self.tell)(Told::Day(run.clone()));
        self.done.push(run);
    }
}

/// Returns the stage that begins where another one ends.
fn stage_after(stage: &str) -> &'static str {
    let all = Stage::ALL.map(names::stage);
    let next = all.iter().skip_while(|name| **name != stage).nth(1);
    next.copied().unwrap_or(STORE)
}
