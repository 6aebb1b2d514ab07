//! The job that makes positions of the portfolio in force: sells first, then buys from the cash that
//! the broker confirms.
//!
//! ```text
//! portfolio, positions, prices, equity ─> plan ─> strategy.rebalances, _lines ─┬─> trade.manual_exits
//!                    keeper: dataflow ─┘  (once a portfolio)                   └─ cash ─> trade.manual_entries
//! ```
//!
//! What is traded is computed by the dataflow `rebalance`. While prices are missing, each look tells it
//! all rows anew, and it works on what differs.
//!
//! Sales and purchases are requests like those of the operator: the engine decides the sale, so that it
//! shares its locks of quantities with every exit, and each purchase passes the risk gate. Everything has
//! the key `REBAL:{portfolio}:{symbol}:{side}`, so that it happens once, whoever dies in between.

mod keeper;
mod plan;
mod store;

use std::sync::Arc;
use std::time::Duration;

use crate::postgres::Transaction;
use futures_util::FutureExt;
use jiff::ToSpan;
use jiff::civil::{Date, Weekday};
use tokio::time::Instant;
use tracing::info;
use turnstile_strategy::rebalance::{Order, afford};
use uuid::Uuid;

use self::keeper::Keeper;
use super::{RebalanceDays, StrategyConfig};
use crate::execution::{SessionSource, SharedCalendar};
use crate::jobs::{Counts, Job, JobError, JobFuture, Outcome, Schedule};
use crate::postgres::Postgres;

/// How often it is looked whether there is a portfolio to trade.
const EVERY: Duration = Duration::from_secs(10);
/// How often it is looked whether prices are there or sales are over.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How long names without a fresh price are waited for: they have just begun to be followed, or the
/// session has.
const PRICES_WAIT: Duration = Duration::from_secs(60);

/// The job.
pub struct Rebalance {
    /// Where from, and where to.
    pub postgres: Postgres,
    /// Whether the exchange is open.
    pub session: Arc<dyn SessionSource>,
    /// The days on which it opens.
    pub calendar: SharedCalendar,
    /// What is configured.
    pub config: StrategyConfig,
    /// The account, `12345678-01`.
    pub account: String,
}

impl Job for Rebalance {
    fn name(&self) -> &'static str {
        "rebalance"
    }

    /// The portfolio may be put in force, and the market or the account be ready, at any time.
    fn schedule(&self) -> Schedule {
        Schedule::InSession { every: EVERY }
    }

    fn has_work(&self, day: Date) -> JobFuture<'_, bool> {
        async move {
            let market = self.session.market();
            let client = self.postgres.client().await?;
            if store::selling(&client, &self.config.strategy_id)
                .await?
                .is_some()
            {
                return Ok(true); // A run after the close ends it.
            }
            let is_day = match self.config.rebalance.on {
                RebalanceDays::EveryDay => true,
                RebalanceDays::FirstOfWeek => self.is_first_of_week(day),
            };
            let is_time = is_day && market.is_open() && market.time >= self.config.rebalance.at;
            Ok(is_time
                && store::held_back(&client).await?.is_none()
                && self.next(&client).await?.is_some())
        }
        .boxed()
    }

    fn run<'j>(&'j self, day: Date, counts: &'j Counts) -> JobFuture<'j, Outcome> {
        async move {
            let client = self.postgres.client().await?;
            let begun = store::selling(&client, &self.config.strategy_id).await?;
            let portfolio = match begun {
                Some((portfolio, began)) if began != day => {
                    drop(client);
                    self.give_up(portfolio).await?;
                    return Ok(Outcome::Done);
                }
                Some((portfolio, _today)) => portfolio,
                None => {
                    let Some(portfolio) = self.next(&client).await? else {
                        return Ok(Outcome::Done);
                    };
                    drop(client);
                    let Some(lines) = self.begin(portfolio, day).await? else {
                        let reason = "the portfolio is in force no more, or trading is held back";
                        return Ok(Outcome::Skipped(reason.to_owned()));
                    };
                    counts.changed(lines);
                    portfolio
                }
            };
            let reason = self.wait_for_cash(portfolio).await?;
            counts.changed(self.buy(portfolio, reason).await?);
            Ok(Outcome::Done)
        }
        .boxed()
    }
}

impl Rebalance {
    /// Returns whether every day of the week before `day` was closed.
    fn is_first_of_week(&self, day: Date) -> bool {
        let since_monday = i64::from(day.weekday().since(Weekday::Monday));
        (1..=since_monday).all(|back| {
            let before = day.saturating_sub(back.days());
            !self.calendar.now().is_trading_day(before)
        })
    }

    /// Returns the portfolio in force, unless it has had its turn.
    async fn next(
        &self,
        client: &crate::postgres::PostgresClient,
    ) -> Result<Option<Uuid>, JobError> {
        store::unserved(client, &self.config.strategy_id).await
    }

    /// Computes what is traded for `portfolio`, stores it and asks to sell. Returns how many lines that
    /// are; none where it may not be traded any more.
    async fn begin(&self, portfolio: Uuid, day: Date) -> Result<Option<usize>, JobError> {
        let keeper = Keeper::start();
        let begun = self.begin_with(&keeper, portfolio, day).await;
        keeper.end().await;
        begun
    }

    async fn begin_with(
        &self,
        keeper: &Keeper,
        portfolio: Uuid,
        day: Date,
    ) -> Result<Option<usize>, JobError> {
        let (since, strategy) = (Instant::now(), &self.config.strategy_id);
        loop {
            let mut client = self.postgres.client().await?;
            let tx = client.transaction().await?;
            let is_in_force = store::is_in_force(&tx, portfolio).await?;
            if !is_in_force || store::held_back(&tx).await?.is_some() {
                return Ok(None);
            }
            let above = self.config.rebalance.limit_above;
            let plan = plan::load(&tx, portfolio, strategy, &self.account, above, keeper).await?;
            let (missing, names) = (plan.without_price(), plan.names.len());
            if missing == 0 || since.elapsed() >= PRICES_WAIT {
                if missing * 2 > names {
                    let reason = format!("{missing} of {names} names have no fresh price");
                    return Err(JobError::Answer(reason));
                }
                let lines = store::begin(&tx, &plan, portfolio, day, &self.account).await?;
                tx.commit().await?;
                info!(%portfolio, lines, missing, "a rebalance begins");
                return Ok(Some(lines));
            }
            drop(tx);
            drop(client);
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Ends a rebalance that another day has left: its prices and its cash are no longer so.
    async fn give_up(&self, portfolio: Uuid) -> Result<(), JobError> {
        let mut client = self.postgres.client().await?;
        let tx = client.transaction().await?;
        store::finish(&tx, portfolio, Some("its day is over"), None).await?;
        tx.commit().await?;
        info!(%portfolio, "a rebalance of another day is ended");
        Ok(())
    }

    /// Waits until nothing of `portfolio` is being sold and the broker has told the cash after it.
    /// Returns why it waits no longer, where sales are still under way.
    async fn wait_for_cash(&self, portfolio: Uuid) -> Result<Option<String>, JobError> {
        loop {
            let client = self.postgres.client().await?;
            let sales = store::sales(&client, portfolio, &self.account).await?;
            drop(client);
            let is_late = sales.since > self.config.rebalance.sell_wait;
            if sales.open == 0 && sales.is_cash_told {
                return Ok(None);
            }
            if is_late && sales.is_cash_known {
                return Ok(Some(format!("{} sales were not over in time", sales.open)));
            }
            if !self.session.market().is_open() {
                return Ok(Some(
                    "the exchange has closed before the sales were over".to_owned(),
                ));
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Asks to buy what the confirmed cash allows, each name once its price is fresh, and ends the
    /// rebalance. What holds trading back is waited for. Returns how many purchases.
    async fn buy(&self, portfolio: Uuid, reason: Option<String>) -> Result<usize, JobError> {
        let (mut since, mut asked) = (Instant::now(), 0);
        loop {
            let mut client = self.postgres.client().await?;
            let tx = client.transaction().await?;
            let halt = self.halt(&tx, portfolio).await?;
            let mut is_waiting = false;
            if halt.is_none() && store::held_back(&tx).await?.is_some() {
                (since, is_waiting) = (Instant::now(), true);
            } else if halt.is_none() {
                let above = self.config.rebalance.limit_above;
                let is_patient = since.elapsed() < PRICES_WAIT;
                let mut wishes = plan::wishes(&tx, portfolio, above).await?;
                // Those whose price is waited for keep their part of the cash.
                wishes.retain(|wish| is_patient || wish.is_fresh);
                let cash = plan::cash(&tx, &self.account).await?;
                let orders: Vec<Order> = wishes.iter().map(|wish| wish.order).collect();
                let affordable = afford(cash, &orders).into_iter().zip(&wishes);
                let (now, later): (Vec<_>, Vec<_>) =
                    affordable.partition(|(_, wish)| wish.is_fresh);
                let now: Vec<Order> = now.into_iter().map(|(order, _wish)| order).collect();
                store::ask(&tx, portfolio, &self.config.strategy_id, &now).await?;
                asked += now.len();
                is_waiting = !later.is_empty();
            }
            if !is_waiting {
                store::finish(&tx, portfolio, halt, reason.as_deref()).await?;
                tx.commit().await?;
                info!(%portfolio, purchases = asked, halt, reason, "a rebalance has asked for its purchases");
                return Ok(asked);
            }
            tx.commit().await?;
            drop(client);
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Returns why nothing is bought for `portfolio` any more.
    async fn halt(
        &self,
        tx: &Transaction<'_>,
        portfolio: Uuid,
    ) -> Result<Option<&'static str>, JobError> {
        Ok(if !store::is_in_force(tx, portfolio).await? {
            Some("another portfolio is in force")
        } else if !self.session.market().is_open() {
            Some("the exchange has closed")
        } else {
            None
        })
    }
}
