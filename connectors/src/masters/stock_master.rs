//! The jobs that ask the broker for the state of listings (search-stock-info).
//!
//! What is followed is asked first, then every other known stock at a bounded pace and up to a bounded
//! number a day. A stock that was asked for a day is not asked again for it, also after a restart.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use jiff::civil::{Date, Time};
use tokio::sync::Mutex;
use tracing::{debug, warn};
use turnstile_dataflows::model::Symbol;

use super::stocks::{self, Unasked};
use crate::jobs::{Counts, Days, Job, JobError, JobFuture, Outcome, Schedule};
use crate::kis::{Environment, KisClient, KisError, Lane};
use crate::postgres::Postgres;

/// Symbols that are taken from the database at one go: what comes to be followed waits for no more.
const PORTION: i64 = 20;
/// Questions in a row without an answer after which the broker counts as away.
const UNANSWERED_MAX: usize = 3;

/// How much may be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StockBudget {
    /// Symbols a day at most; what is followed counts, and is asked beyond that, too.
    pub per_day: u32,
    /// Shortest pause between two of them.
    pub spacing: Duration,
}

impl StockBudget {
    /// Returns what an environment bears. Paper has one call a second for everything.
    pub fn of(environment: Environment) -> Self {
        match environment {
            Environment::Production => Self {
                per_day: 5_000, // More than are listed.
                spacing: Duration::from_millis(200),
            },
            Environment::Paper => Self {
                per_day: 300,
                spacing: Duration::from_secs(3),
            },
        }
    }
}

/// Which symbols a job asks, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Symbols {
    /// All, each trading day from this time on.
    All(Time),
    /// Those that came to be followed; looked for this often in session.
    Followed(Duration),
}

/// Whether the broker tells of listings at all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Offer {
    /// As far as is known.
    #[default]
    Offered,
    /// Not on paper.
    Refused,
}

/// One of the jobs.
pub struct StockMaster {
    /// Where to.
    pub postgres: Postgres,
    /// Whom to ask.
    pub client: KisClient,
    /// How much.
    pub budget: StockBudget,
    /// What.
    pub symbols: Symbols,
    /// Held by the one that asks, so that nothing is asked twice. Whether the broker has said that it
    /// offers this here.
    pub turn: Arc<Mutex<Offer>>,
}

impl Job for StockMaster {
    fn name(&self) -> &'static str {
        match self.symbols {
            Symbols::All(_) => "stocks",
            Symbols::Followed(_) => "stocks followed",
        }
    }

    fn schedule(&self) -> Schedule {
        match self.symbols {
            Symbols::All(at) => Schedule::Daily {
                at,
                on: Days::Trading,
            },
            Symbols::Followed(every) => Schedule::InSession { every },
        }
    }

    fn has_work(&self, day: Date) -> JobFuture<'_, bool> {
        async move {
            if self.asks_all() {
                return Ok(true);
            }
            // The other job takes what is followed first, and is the one that tries again.
            if !matches!(self.turn.try_lock().as_deref(), Ok(Offer::Offered)) {
                return Ok(false);
            }
            let next = stocks::next(&self.postgres, day, &[], true, 1).await?;
            Ok(!next.is_empty())
        }
        .boxed()
    }

    fn run<'j>(&'j self, day: Date, counts: &'j Counts) -> JobFuture<'j, Outcome> {
        async move {
            let mut offer = self.turn.lock().await;
            *offer = Offer::Offered;
            match self.ask(day, counts).await {
                Ok(()) => Ok(Outcome::Done),
                Err(JobError::Broker(error)) if error.is_not_on_paper() => {
                    *offer = Offer::Refused;
                    Ok(Outcome::Skipped(
                        "the broker tells nothing of listings on paper".to_owned(),
                    ))
                }
                Err(error) => Err(error),
            }
        }
        .boxed()
    }
}

impl StockMaster {
    fn asks_all(&self) -> bool {
        matches!(self.symbols, Symbols::All(_))
    }

    async fn ask(&self, day: Date, counts: &Counts) -> Result<(), JobError> {
        let mut unanswered: Vec<Symbol> = Vec::new();
        let (mut in_a_row, mut is_answered, mut last) = (0, false, None);
        loop {
            let without: Vec<String> = unanswered.iter().map(Symbol::to_string).collect();
            let next = self.next(day, &without).await?;
            if next.is_empty() {
                return match last {
                    Some(error) if !is_answered => Err(JobError::Broker(error)),
                    _ => self.give_up_on(&unanswered, day).await,
                };
            }
            for Unasked { symbol, .. } in next {
                match self.ask_one(symbol, day, counts).await {
                    Ok(()) => (in_a_row, is_answered) = (0, true),
                    Err(JobError::Broker(error @ KisError::Transient { .. })) => {
                        debug!(%symbol, %error, "no state of the listing");
                        unanswered.push(symbol);
                        in_a_row += 1;
                        if in_a_row >= UNANSWERED_MAX {
                            return Err(error.into());
                        }
                        last = Some(error);
                    }
                    Err(error) => return Err(error),
                }
                tokio::time::sleep(self.budget.spacing).await;
            }
        }
    }

    /// Returns the next symbols to ask, as far as they may be asked today.
    async fn next(&self, day: Date, without: &[String]) -> Result<Vec<Unasked>, JobError> {
        let only_followed = !self.asks_all();
        let next = stocks::next(&self.postgres, day, without, only_followed, PORTION).await?;
        let mut room = i64::from(self.budget.per_day) - stocks::asked(&self.postgres, day).await?;
        let may_ask = |unasked: &Unasked| {
            let is_in_budget = room > 0;
            room -= 1;
            unasked.is_followed || is_in_budget
        };
        Ok(next.into_iter().filter(may_ask).collect())
    }

    async fn ask_one(&self, symbol: Symbol, day: Date, counts: &Counts) -> Result<(), JobError> {
        match self.client.stock_info(symbol, Lane::Tier2).await {
            Ok(Some(told)) => {
                counts.fetched(1);
                let has_changed = stocks::store(&self.postgres, &told, day).await?;
                counts.changed(usize::from(has_changed));
                Ok(())
            }
            Ok(None) => {
                warn!(%symbol, "no usable state of the listing today");
                stocks::note_asked(&self.postgres, symbol, day).await
            }
            Err(error @ KisError::Rejected { .. }) => {
                debug!(%symbol, %error, "the broker tells nothing of the listing");
                stocks::note_asked(&self.postgres, symbol, day).await
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Leaves symbols alone until tomorrow of which nothing came, though of others something did.
    async fn give_up_on(&self, unanswered: &[Symbol], day: Date) -> Result<(), JobError> {
        for symbol in unanswered {
            warn!(%symbol, "no answer about the listing today");
            stocks::note_asked(&self.postgres, *symbol, day).await?;
        }
        Ok(())
    }
}
