//! The wiring: rows in, what each stage says out.
//!
//! ```text
//! bars ─────────> figures ─┬─> statistics ─> universe ─> members ─┐
//!                          ├─> sessions ─> flows ─────────────────┤
//! fundamentals, disclosures┴──────────────────────────────────────┴─> judged ─> selection
//! ```
//!
//! Keeps every bar, fundamental, flow and disclosure once, by symbol, and what each window says of
//! its symbol.

use std::cmp::Reverse;
use std::rc::Rc;

use serde::{Deserialize, Serialize};
use turnstile_dataflows::Rows;
use turnstile_dataflows::model::Symbol;

use crate::bar::DayBar;
use crate::evaluation::{self, FactorRows, FundamentalFactors};
use crate::factors::{DisclosureKind, FLOWS, event, flow, quality, value};
use crate::figures::{BARS, BarFigures, SESSIONS};
use crate::limits::ScreenLimits;
use crate::selection::{self, Selection};
use crate::tell::{Symbols, tell};
use crate::universe::{self, Universe, UniverseInputs};
use crate::window::{self, Entry, EntryTrace, known};
use crate::work::WorkCount;
use crate::{
    Day, Evaluation, Flow, Fundamental, Listing, ListingStatus, Portfolio, Ranking, Score,
    Settings, Signal, UniverseRow, Wanted,
};

/// What comes in.
pub(crate) struct Inputs<'s> {
    pub(crate) day: Rows<'s, Day>,
    pub(crate) settings: Rows<'s, Settings>,
    pub(crate) listings: Rows<'s, (Symbol, Listing)>,
    pub(crate) wanted: Rows<'s, (Symbol, Wanted)>,
    pub(crate) popular: Rows<'s, (Symbol, u32)>,
    pub(crate) bars: Rows<'s, (Symbol, Entry<Day, DayBar>)>,
    pub(crate) fundamentals: Rows<'s, (Symbol, Entry<Day, Fundamental>)>,
    pub(crate) flows: Rows<'s, (Symbol, Entry<Moment, Flow>)>,
    /// As often as there are disclosures of a kind on a day.
    pub(crate) disclosures: Rows<'s, (Symbol, Entry<Day, DisclosureKind>)>,
}

/// What goes out.
pub(crate) struct Outputs<'s> {
    pub(crate) universe: Rows<'s, UniverseRow>,
    pub(crate) evaluations: Rows<'s, Evaluation>,
    pub(crate) signals: Rows<'s, Signal>,
    pub(crate) rankings: Rows<'s, Ranking>,
    pub(crate) portfolio: Rows<'s, Portfolio>,
}

/// What is kept of the inputs that have many rows.
pub(crate) struct Traces {
    pub(crate) bars: EntryTrace<Day, DayBar>,
    pub(crate) fundamentals: EntryTrace<Day, Fundamental>,
    pub(crate) flows: EntryTrace<Moment, Flow>,
}

/// The day and the sessions before it, the newest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct Moment {
    day: Day,
    before: [Option<Day>; SESSIONS],
}

/// What a moment is made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
enum Point {
    Day(Day),
    /// Somebody traded on it; the newest first.
    Traded(Reverse<Day>),
}

/// Renders the strategy.
pub(crate) fn render<'s>(inputs: Inputs<'s>, work: &Rc<WorkCount>) -> (Outputs<'s>, Traces) {
    let listings = inputs
        .listings
        .filter(|(_symbol, row)| row.status != ListingStatus::Delisted);
    let listed: Symbols<'s> = listings
        .clone()
        .map(|(symbol, _row)| ((), symbol))
        .arrange_by_key_named("strategy: listed symbols");
    let days = tell(&listed, inputs.day.clone());

    let (figures, bars) = bar_figures(days.clone(), inputs.bars, work.clone());
    let (fundamentals, fundamental_trace) =
        fundamental_factors(days.clone(), inputs.fundamentals, work.clone());
    let moments = tell(&listed, moments(inputs.day, &figures));
    let (flows, flow_trace) = flow_scores(moments, inputs.flows, work.clone());
    let events = event_scores(days, inputs.disclosures, work.clone());

    let limits = inputs.settings.clone().map(|row| ScreenLimits::from(&row));
    let Universe {
        rows: universe,
        members,
        publication,
    } = universe::render(UniverseInputs {
        limits: tell(&listed, limits),
        statistics: figures
            .clone()
            .map(|(symbol, row)| (symbol, row.statistics)),
        listings,
        wanted: inputs.wanted,
        popular: inputs.popular,
        settings: inputs.settings.clone(),
    });
    let factors = FactorRows {
        bars: figures.map(|(symbol, row)| (symbol, row.factors)),
        fundamentals,
        flows,
        events,
    };
    let judged = evaluation::render(members, publication.clone(), factors, work.clone());
    let Selection {
        signals,
        rankings,
        portfolio,
    } = selection::render(judged.clone(), publication, inputs.settings);
    let outputs = Outputs {
        universe,
        evaluations: judged.map(|judged| judged.evaluation),
        signals,
        rankings,
        portfolio,
    };
    let traces = Traces {
        bars,
        fundamentals: fundamental_trace,
        flows: flow_trace,
    };
    (outputs, traces)
}

/// What bars say, in one pass over them.
fn bar_figures<'s>(
    days: Rows<'s, (Symbol, Day)>,
    rows: Rows<'s, (Symbol, Entry<Day, DayBar>)>,
    work: Rc<WorkCount>,
) -> (Rows<'s, (Symbol, BarFigures)>, EntryTrace<Day, DayBar>) {
    window::render("bars", days, rows, move |day, bars| {
        work.bars();
        Some(BarFigures::of(*day, &known(*day, bars, BARS)))
    })
}

/// Value and quality.
fn fundamental_factors<'s>(
    days: Rows<'s, (Symbol, Day)>,
    rows: Rows<'s, (Symbol, Entry<Day, Fundamental>)>,
    work: Rc<WorkCount>,
) -> (
    Rows<'s, (Symbol, FundamentalFactors)>,
    EntryTrace<Day, Fundamental>,
) {
    window::render("fundamentals", days, rows, move |day, rows| {
        work.fundamentals();
        let rows = known(*day, rows, usize::MAX);
        Some(FundamentalFactors {
            value: value(*day, &rows),
            quality: quality(*day, &rows),
        })
    })
}

/// Flow, of those who have one.
fn flow_scores<'s>(
    moments: Rows<'s, (Symbol, Moment)>,
    rows: Rows<'s, (Symbol, Entry<Moment, Flow>)>,
    work: Rc<WorkCount>,
) -> (Rows<'s, (Symbol, Score)>, EntryTrace<Moment, Flow>) {
    window::render("flows", moments, rows, move |moment, rows| {
        work.flows();
        let before: Vec<Day> = moment.before.iter().copied().flatten().collect();
        flow(moment.day, &before, &known(moment.day, rows, FLOWS))
    })
}

/// Event, of those who have one.
fn event_scores<'s>(
    days: Rows<'s, (Symbol, Day)>,
    rows: Rows<'s, (Symbol, Entry<Day, DisclosureKind>)>,
    work: Rc<WorkCount>,
) -> Rows<'s, (Symbol, Score)> {
    let (scores, _trace) = window::render("disclosures", days, rows, move |day, rows| {
        work.disclosures();
        let disclosures = rows.iter().filter_map(|(entry, count)| match entry {
            Entry::Head(_day) => None,
            Entry::Row(Reverse(of), kind) => Some((*of, *kind, i128::try_from(*count).ok()?)),
        });
        event(*day, disclosures)
    });
    scores
}

/// The day with the sessions before it: days on which any listed symbol traded.
fn moments<'s>(day: Rows<'s, Day>, figures: &Rows<'s, (Symbol, BarFigures)>) -> Rows<'s, Moment> {
    // The newest of all are among the newest of each.
    let traded = figures
        .clone()
        .flat_map(|(_symbol, row)| row.traded.into_iter().flatten())
        .distinct();
    day.map(|day| ((), Point::Day(day)))
        .concat(traded.map(|day| ((), Point::Traded(Reverse(day)))))
        .reduce_named(
            "strategy: sessions before the day",
            |(), instants, output| {
                let Some(((Point::Day(day), _count), traded)) = instants.split_first() else {
                    return;
                };
                let mut before = [None; SESSIONS];
                for (slot, (instant, _count)) in before.iter_mut().zip(traded) {
                    if let Point::Traded(Reverse(day)) = instant {
                        *slot = Some(*day);
                    }
                }
                output.push((Moment { day: *day, before }, 1));
            },
        )
        .map(|((), moment)| moment)
}
