//! The jobs that ask the broker for the state of listings (search-stock-info).
//!
//! What is followed is asked first, then every other known stock at a bounded pace and up to a bounded
//! number a day. A stock that was asked for a day is not asked again for it, also after a restart.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use jiff::civil::{Date, Time};
use tokio::sync::Mutex;
use turnstile_dataflows::model::Symbol;

use super::inquiry::{Inquiry, PORTION, StockBudget, Unasked, ask_all};
use super::stocks;
use crate::jobs::{Counts, Days, Job, JobError, JobFuture, Outcome, Schedule};
use crate::kis::{Environment, KisClient, KisError, Lane, StockInfo};
use crate::postgres::Postgres;

impl StockBudget {
    /// Returns what an environment bears of [`StockMaster`]. Paper has one call a second for everything.
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
            match ask_all(self, self.budget, day, counts).await {
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
}

impl Inquiry for StockMaster {
    type Told = StockInfo;
    const ABOUT: &'static str = "state of the listing";

    async fn next(&self, day: Date, without: &[String]) -> Result<Vec<Unasked>, JobError> {
        let only_followed = !self.asks_all();
        stocks::next(&self.postgres, day, without, only_followed, PORTION).await
    }

    async fn asked(&self, day: Date) -> Result<i64, JobError> {
        stocks::asked(&self.postgres, day).await
    }

    async fn fetch(&self, symbol: Symbol) -> Result<Option<StockInfo>, KisError> {
        self.client.stock_info(symbol, Lane::Tier2).await
    }

    async fn store(&self, told: &StockInfo, day: Date) -> Result<bool, JobError> {
        stocks::store(&self.postgres, told, day).await
    }

    async fn note_asked(&self, symbol: Symbol, day: Date) -> Result<(), JobError> {
        stocks::note_asked(&self.postgres, symbol, day).await
    }
}
