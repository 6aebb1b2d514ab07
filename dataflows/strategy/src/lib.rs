//! The daily strategy: from every listed stock to target weights, and from those to orders, as
//! differential collections.
//!
//! Like `turnstile-dataflows`, whose values it speaks, this crate decides and does nothing else: it knows
//! no clock, socket, SQL or thread. It stands beside that crate and not in it: it runs once a day, so it
//! is compiled beside the rest, and optimised less.
//!
//! What is decided, exactly, says `docs/strategy.md`. A changed bar, fundamental, flow, disclosure,
//! listing or setting changes what depends on it and nothing else, and so does a changed target, stake,
//! price or fund of a [`rebalance`]. The two are dataflows of their own: a portfolio is put in force
//! between them, and traded at prices of a later day.

mod alone;
mod bar;
pub mod bounds;
mod changes;
mod dataflow;
mod dated;
mod evaluation;
mod factors;
mod figure;
mod figures;
mod input;
mod judgement;
mod limits;
mod listing;
mod measure;
mod output;
mod portfolio;
mod ranking;
pub mod rebalance;
mod risk;
mod selection;
mod session;
mod settings;
mod signals;
mod snapshot;
mod tell;
mod universe;
mod window;
mod work;

pub use figure::{Day, Figure, Score, Weight};
pub use input::{Bar, Change, Disclosure, Flow, Fundamental, Wanted};
pub use listing::{Instrument, Listing, ListingStatus, UnknownName};
pub use output::{
    Evaluation, Exclusion, Factor, FactorScores, Holding, NoPortfolio, NotSelected, Portfolio,
    Ranking, RankingList, Signal, SignalKind, Tier, UniverseRow,
};
pub use session::{Session, with};
pub use settings::Settings;
pub use snapshot::{Snapshot, Stage};
pub use turnstile_dataflows::model::Market;
pub use work::Work;
