//! The job that stores the universe of a morning: who would be in it as the listings stand, before the day
//! trades.

use std::sync::Arc;

use futures_util::FutureExt;
use jiff::civil::Date;
use tokio::sync::Mutex;

use super::StrategyConfig;
use super::job::{has_listings, run_day};
use super::run::Scope;
use crate::execution::SharedCalendar;
use crate::jobs::{Counts, Days, Job, JobFuture, Outcome, Schedule};
use crate::postgres::Postgres;

/// The job. It stores the first stage alone, of the last session before the day: listings, holdings and
/// watchlist are those of the morning. Where nothing has changed since that session's own run there is
/// nothing to store.
pub struct MorningUniverse {
    /// Where from, and where to.
    pub postgres: Postgres,
    /// The days on which the exchange opens.
    pub calendar: SharedCalendar,
    /// What is configured.
    pub config: StrategyConfig,
    /// Whose turn it is: one run of a strategy at a time.
    pub turn: Arc<Mutex<()>>,
}

impl Job for MorningUniverse {
    fn name(&self) -> &'static str {
        "universe"
    }

    /// A morning that is over is not made up for: nobody knows any more how the listings stood.
    fn schedule(&self) -> Schedule {
        Schedule::Daily {
            at: self.config.universe_at,
            on: Days::Trading,
        }
    }

    fn has_work(&self, _day: Date) -> JobFuture<'_, bool> {
        has_listings(&self.postgres, &self.config).boxed()
    }

    fn run<'j>(&'j self, day: Date, counts: &'j Counts) -> JobFuture<'j, Outcome> {
        async move {
            let _turn = self.turn.lock().await;
            let session = self.calendar.now().trading_day_before(day);
            let (postgres, config) = (&self.postgres, &self.config);
            let done = run_day(postgres, config, session, Scope::Universe, &|_told| {}).await?;
            if !done.is_known {
                let rows = done.counts.get("candidates").copied().unwrap_or_default();
                counts.changed(usize::try_from(rows).unwrap_or_default());
            }
            Ok(Outcome::Done)
        }
        .boxed()
    }
}
