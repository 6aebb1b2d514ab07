//! Files of rows: the recorded days that `turnstile replay` reads and writes, and what `turnstile
//! import` reads.
//!
//! ```text
//! ticks (streamed) ──┐
//! positions, control ┴─ DayFeed: one order, one logical time each ─> engine ─> DecisionFile
//! rules, ATR ─────────── in force before the first event
//! ```
//!
//! With re-entry rules the feed gives one event at a time and first what follows from the last one
//! ([`House`]): the day is the same for every batch.
//!
//! 1. A row is read by a pure function of its fields; what it may not hold is a [`Fault`] with file,
//!    line, column and reason.
//! 2. The first fault ends everything, or is counted and its line left out ([`OnFault`]).
//! 3. Tick files and files to import are never held whole; everything else is.
//! 4. Nothing appears under the name of the output before all of it is there.

mod atr;
mod bars;
mod control;
mod day;
mod decisions;
mod disclosures;
mod error;
mod fields;
mod file;
mod flows;
mod fundamentals;
mod house;
mod positions;
mod rankings;
mod reentry;
mod row_file;
mod rules;
mod sectors;
mod table;
mod ticks;

pub use atr::read_contexts;
pub use bars::{DailyRow, Designation, Listing};
pub use control::{ControlMode, ControlRow, read_control};
pub use day::{Day, DayFeed, DayReport, recorded_time};
pub use decisions::DecisionFile;
pub use disclosures::DisclosureRow;
pub use error::{Fault, RecordedError};
pub use file::OnRead;
pub use flows::FlowRow;
pub use fundamentals::FundamentalRow;
pub use house::{Bought, House};
pub use positions::{RecordedPosition, read_positions};
pub use rankings::RankingRow;
pub use reentry::{RecordedReentry, read_reentry};
pub use row_file::{FileRow, Opening, RowFile};
pub use rules::read_rules;
pub use sectors::SectorRow;
pub use table::{OnFault, Skipped};
pub use ticks::Ticks;
