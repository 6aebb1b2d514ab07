//! The job that asks the broker for the figures of companies (inquire-price).
//!
//! Asked is what is followed, then what is traded most: more than the universe of the strategy takes.
//! The broker tells PER, PBR, EPS and BPS; PSR, ROE and debt come by import alone.

use std::time::Duration;

use futures_util::FutureExt;
use jiff::civil::{Date, Time};
use turnstile_dataflows::model::Symbol;

use super::figures;
use super::inquiry::{Inquiry, PORTION, StockBudget, Unasked, ask_all};
use crate::jobs::{Counts, Days, Job, JobError, JobFuture, Outcome, Schedule};
use crate::kis::{CompanyFigures, Environment, KisClient, KisError, Lane};
use crate::postgres::Postgres;

/// The job.
pub struct Fundamentals {
    /// Where to.
    pub postgres: Postgres,
    /// Whom to ask.
    pub client: KisClient,
    /// How much.
    pub budget: StockBudget,
    /// When, each trading day.
    pub at: Time,
}

impl Fundamentals {
    /// Returns the budget that an environment bears. Paper has one call a second for everything.
    pub fn budget_of(environment: Environment) -> StockBudget {
        match environment {
            Environment::Production => StockBudget {
                per_day: 2_000,
                spacing: Duration::from_millis(200),
            },
            Environment::Paper => StockBudget {
                per_day: 300,
                spacing: Duration::from_secs(3),
            },
        }
    }
}

impl Job for Fundamentals {
    fn name(&self) -> &'static str {
        "fundamentals"
    }

    fn schedule(&self) -> Schedule {
        Schedule::Daily {
            at: self.at,
            on: Days::Trading,
        }
    }

    fn run<'j>(&'j self, day: Date, counts: &'j Counts) -> JobFuture<'j, Outcome> {
        async move {
            ask_all(self, self.budget, day, counts).await?;
            Ok(Outcome::Done)
        }
        .boxed()
    }
}

impl Inquiry for Fundamentals {
    type Told = CompanyFigures;
    const ABOUT: &'static str = "figures of the company";

    async fn next(&self, day: Date, without: &[String]) -> Result<Vec<Unasked>, JobError> {
        figures::next(&self.postgres, day, without, PORTION).await
    }

    async fn asked(&self, day: Date) -> Result<i64, JobError> {
        figures::asked(&self.postgres, day).await
    }

    async fn fetch(&self, symbol: Symbol) -> Result<Option<CompanyFigures>, KisError> {
        self.client.figures(symbol, Lane::Tier2).await
    }

    async fn store(&self, told: &CompanyFigures, day: Date) -> Result<bool, JobError> {
        figures::store(&self.postgres, told, day).await
    }

    async fn note_asked(&self, symbol: Symbol, day: Date) -> Result<(), JobError> {
        figures::note_asked(&self.postgres, symbol, day).await
    }
}
