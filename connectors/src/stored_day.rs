//! A stored day, played through the engine again: what was decided then has to come out now.
//!
//! ```text
//! market.prices ────────┐ pages                      ┌─ decisions ─┐
//! system.engine_events ─┴─> merge ─> engine (its own ┘             ├─> comparison ─> system.replay_runs
//!                                    threads)        trade.orders ─┘                 replay_differences
//! ```
//!
//! **What is played.** Each run of an engine that reaches into the day, from its load on, in order of
//! logical time: an engine that has run for a week is played for a week. A run is played up to
//! `through_us` of `system.engine_runs`: up to there all its inputs and all its decisions are stored, which
//! the engine proves once a second. Levels, best prices and slots are left out, since no decision depends
//! on them. Clock seconds decide nothing either (what happens by time alone happens at exactly its own
//! time), so the replay makes its own.
//!
//! **What is compared.** Exits and purchases of re-entries that were decided on the day, by action key:
//! time, tick, reason, rule, phase, cycle, attempt, quantity, price, level, what is cancelled, and the whole
//! explanation. A purchase that the risk gate refused is compared with that refusal, by candidate and time.
//! What stands on one side alone, or differs in a field, is a difference.
//!
//! **What is no difference.** A stored decision beyond `through_us` of its run: its process died, or lost
//! the database, before it had proven more. It is counted as unproven. And a decision that was made again
//! in a later run: an action key becomes one order, the first one. A run that ends in order proves
//! everything.
//!
//! The program that replays has to decide as the one did that ran: after an update that changes rules of
//! decision, days from before it may differ.

mod compare;
mod decision;
mod entries;
mod error;
mod feed;
mod job;
mod live;
mod merge;
pub mod metrics;
mod prices;
mod record;
mod replay;
mod runs;

use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::seoul::SEOUL;

pub use compare::{Difference, Kind};
pub use decision::Made;
pub use error::StoredDayError;
pub use job::ReplayJob;
pub use record::record;
pub use replay::{Pace, Replayed, Watch, replay};
pub use runs::EngineRun;

const DAY_US: u64 = 86_400_000_000;

/// The times of a day in Seoul, the last one exclusive, microseconds since the epoch.
fn times_of(day: Date) -> Result<(u64, u64), StoredDayError> {
    let begin = day.to_zoned(TimeZone::fixed(SEOUL)).ok();
    let begin = begin.and_then(|begin| u64::try_from(begin.timestamp().as_microsecond()).ok());
    let begin = begin.ok_or(StoredDayError::NotRecorded(day))?;
    Ok((begin, begin + DAY_US))
}

#[cfg(test)]
mod tests {
    use turnstile_dataflows::model::LogicalTime;

    use super::*;
    use crate::seoul::seoul_date;

    #[test]
    fn a_day_begins_and_ends_at_midnight_in_seoul() {
        let day: Date = "2026-11-27".parse().unwrap();
        let (begin, end) = times_of(day).unwrap();
        let date = |us| seoul_date(LogicalTime::from_micros(us));
        assert_eq!([date(begin), date(end - 1)], [day; 2]);
        assert_eq!(date(begin - 1), "2026-11-26".parse().unwrap());
        assert_eq!(date(end), "2026-11-28".parse().unwrap());
    }
}
