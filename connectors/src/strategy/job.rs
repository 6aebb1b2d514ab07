//! The job that runs the strategy each trading day.

use std::sync::Arc;

use futures_util::FutureExt;
use jiff::civil::Date;
use serde_json::json;
use tokio::sync::Mutex;
use tracing::{info, warn};

use super::activate::activate_newer;
use super::run::{Asked, Days, Scope, Told, run};
use super::runs::{DayRun, RunState, SCHEDULER, Trigger};
use super::{ActivateError, StrategyConfig, StrategyError};
use crate::jobs::{Counts, Job, JobError, JobFuture, Outcome, Schedule};
use crate::postgres::{LogLevel, LogRow, Postgres, write_log};
use crate::redis::Cache;

/// Listings that could make a universe: with fewer there is no strategy here.
const LISTED: &str = "SELECT count(*) FROM market.stocks
    WHERE status <> 'DELISTED' AND market IN ('KOSPI', 'KOSDAQ')";

/// How many issues were traded on a day, as far as bars are stored.
const TRADED: &str = "SELECT count(*) FROM market.daily_bars
    WHERE trade_date = $1::text::date AND volume > 0";

/// Whether something was traded after the day of a portfolio, as far as bars are stored.
const IS_PAST: &str = "SELECT EXISTS (SELECT FROM strategy.portfolios p
    JOIN market.daily_bars b ON b.trade_date > p.as_of AND b.volume > 0
    WHERE p.portfolio_id = $1)";

/// The job. A day that was refused counts as failed, and is tried again: bars may come late. One that was
/// missed waits for its bars without a word.
pub struct DailyStrategy {
    /// Where from, and where to.
    pub postgres: Postgres,
    /// Where the portfolio in force is cached.
    pub cache: Cache,
    /// What is configured.
    pub config: StrategyConfig,
    /// Whose turn it is: one run of a strategy at a time.
    pub turn: Arc<Mutex<()>>,
}

impl Job for DailyStrategy {
    fn name(&self) -> &'static str {
        "strategy"
    }

    fn schedule(&self) -> Schedule {
        Schedule::TradingDays {
            at: self.config.at,
            last: self.config.catch_up.get(),
        }
    }

    fn has_work(&self, _day: Date) -> JobFuture<'_, bool> {
        has_listings(&self.postgres, &self.config).boxed()
    }

    fn has_missed_work(&self, day: Date) -> JobFuture<'_, bool> {
        async move {
            let client = self.postgres.client().await?;
            let day = day.to_string();
            let traded: i64 = client.query_one(TRADED, &[&day]).await?.try_get(0)?;
            drop(client);
            let listed = listed(&self.postgres).await?;
            // Of what is followed the broker tells bars by itself; they alone are no market.
            Ok(is_market(listed, &self.config) && traded * 2 >= listed)
        }
        .boxed()
    }

    fn run<'j>(&'j self, day: Date, counts: &'j Counts) -> JobFuture<'j, Outcome> {
        async move {
            let _turn = self.turn.lock().await;
            let tell = |told| {
                if let Told::Loaded { rows, .. } = told {
                    counts.fetched(rows);
                }
            };
            let done = run_day(&self.postgres, &self.config, day, Scope::All, &tell).await?;
            for rows in ["candidates", "evaluated", "buy", "sell", "ranked", "names"] {
                let rows = done.counts.get(rows).copied().unwrap_or_default();
                counts.changed(usize::try_from(rows).unwrap_or_default());
            }
            self.put_in_force(&done).await?;
            Ok(Outcome::Done)
        }
        .boxed()
    }
}

impl DailyStrategy {
    /// Activates the portfolio of a run where that is configured, unless somebody has, a newer one is in
    /// force, or bars of another session are stored: nobody is to trade what was right some days ago, and a
    /// week that is made up for is not to be traded day by day.
    async fn put_in_force(&self, done: &DayRun) -> Result<(), JobError> {
        let Some(portfolio) = done.portfolio.filter(|_| self.config.auto_activate) else {
            return Ok(());
        };
        let client = self.postgres.client().await?;
        let is_past: bool = client.query_one(IS_PAST, &[&portfolio]).await?.try_get(0)?;
        drop(client);
        if is_past {
            info!(%portfolio, "the portfolio is not activated: a session has traded since its day");
            return Ok(());
        }
        let why = Some("strategy.auto_activate");
        match activate_newer(&self.postgres, &self.cache, portfolio, SCHEDULER, why).await {
            Ok(Some(_)) => Ok(()),
            Ok(None) => {
                info!(%portfolio, "the portfolio is not activated: a newer one is in force");
                Ok(())
            }
            Err(ActivateError::Store(error)) => Err(error.into()),
            // Somebody has put it in force before.
            Err(error @ (ActivateError::Unknown(_) | ActivateError::NotDraft { .. })) => {
                info!(%error, "the portfolio is not activated");
                Ok(())
            }
            // Of other settings than those of now; asked again, it would be refused again.
            Err(error @ ActivateError::BeyondBounds { .. }) => {
                warn!(%error, "the portfolio is not activated");
                let client = self.postgres.client().await?;
                let row = LogRow {
                    level: LogLevel::Warning,
                    module: "strategy",
                    event: "PORTFOLIO_BEYOND_BOUNDS",
                    symbol: None,
                    position_id: None,
                    message: error.to_string(),
                    context: json!({ "portfolio_id": portfolio }),
                };
                Ok(write_log(&**client, &row).await?)
            }
        }
    }
}

/// Returns whether enough issues are listed for a universe.
pub(super) async fn has_listings(
    postgres: &Postgres,
    config: &StrategyConfig,
) -> Result<bool, JobError> {
    Ok(is_market(listed(postgres).await?, config))
}

async fn listed(postgres: &Postgres) -> Result<i64, JobError> {
    let client = postgres.client().await?;
    Ok(client.query_one(LISTED, &[]).await?.try_get(0)?)
}

fn is_market(listed: i64, config: &StrategyConfig) -> bool {
    listed >= i64::from(config.limits.universe_min)
}

/// Runs one day for the scheduler. One that is refused has failed.
pub(super) async fn run_day(
    postgres: &Postgres,
    config: &StrategyConfig,
    day: Date,
    scope: Scope,
    tell: &(dyn Fn(Told) + Send + Sync),
) -> Result<DayRun, JobError> {
    let asked = Asked {
        strategy_id: config.strategy_id.clone(),
        trigger: Trigger::Schedule,
        asked_by: SCHEDULER.to_owned(),
        days: Days::One(day),
        scope,
        again: false,
    };
    let days = run(postgres, &config.limits, &asked, tell).await;
    let Some(done) = days.map_err(fault)?.pop() else {
        return Err(JobError::Answer("no day was run".to_owned()));
    };
    match done.state {
        RunState::Refused => Err(JobError::Answer(done.reason.unwrap_or_default())),
        RunState::Done => Ok(done),
    }
}

fn fault(error: StrategyError) -> JobError {
    match error {
        StrategyError::Store(error) => JobError::Store(error),
        other => JobError::Answer(other.to_string()),
    }
}
