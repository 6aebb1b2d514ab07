//! The jobs of the stream job, and the calendar that they keep.

use std::sync::Arc;

use anyhow::Context;
use tokio::sync::{Mutex, Notify};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use turnstile_connectors::execution::{ExecutionConfig, SharedCalendar, wall_clock_us};
use turnstile_connectors::jobs::{Job, Scheduler, SchedulerParts};
use turnstile_connectors::kis::KisClient;
use turnstile_connectors::masters::{
    BrokerDays, CalendarKeeper, ConfiguredDays, Fundamentals, StockBudget, StockMaster, Symbols,
    read_told,
};
use turnstile_connectors::picks::{PickParts, PickRouter};
use turnstile_connectors::postgres::Postgres;
use turnstile_connectors::redis::Cache;
use turnstile_connectors::stored_day::ReplayJob;
use turnstile_connectors::strategy::{DailyStrategy, MorningUniverse, Rebalance, RunRequests};
use turnstile_connectors::task;

use super::account_id;
use super::desk::Desk;
use crate::config::Config;

/// Returns the calendar of the configuration with the days that are stored.
pub(super) async fn calendar(
    config: &ExecutionConfig,
    postgres: &Postgres,
) -> anyhow::Result<SharedCalendar> {
    let calendar = SharedCalendar::from(config.calendar());
    let told = read_told(postgres).await;
    calendar.tell(told.context("the calendar cannot be read")?);
    Ok(calendar)
}

/// Starts the scheduler with every job, the keeper of the calendar, whoever runs the strategy when the
/// operator asks, and whoever decides on picks.
pub(super) fn start(
    config: &Config,
    postgres: &Postgres,
    cache: &Cache,
    client: &KisClient,
    desk: &Desk,
    stop: &CancellationToken,
) -> Vec<JoinHandle<()>> {
    let (config, strategy, picks) = (&config.jobs, &config.strategy, &config.picks);
    let stored = Arc::new(Notify::new());
    let keeper = CalendarKeeper {
        postgres: postgres.clone(),
        calendar: desk.calendar.clone(),
        stored: stored.clone(),
    };
    let mut jobs: Vec<Arc<dyn Job>> = vec![Arc::new(ConfiguredDays {
        postgres: postgres.clone(),
        calendar: desk.calendar.clone(),
    })];
    if config.calendar {
        jobs.push(Arc::new(BrokerDays {
            postgres: postgres.clone(),
            client: client.clone(),
            at: config.calendar_at,
            days: config.calendar_days,
            stored,
        }));
    }
    if config.stocks {
        let turn = Arc::new(Mutex::default());
        let usual = StockBudget::of(client.settings().environment);
        let budget = StockBudget {
            per_day: config.stocks_per_day.unwrap_or(usual.per_day),
            spacing: config.stocks_spacing.unwrap_or(usual.spacing),
        };
        for symbols in [
            Symbols::All(config.stocks_at),
            Symbols::Followed(config.stocks_followed_every),
        ] {
            jobs.push(Arc::new(StockMaster {
                postgres: postgres.clone(),
                client: client.clone(),
                budget,
                symbols,
                turn: turn.clone(),
            }));
        }
    }
    if config.fundamentals {
        let usual = Fundamentals::budget_of(client.settings().environment);
        jobs.push(Arc::new(Fundamentals {
            postgres: postgres.clone(),
            client: client.clone(),
            budget: StockBudget {
                per_day: config.fundamentals_per_day.unwrap_or(usual.per_day),
                spacing: config.fundamentals_spacing.unwrap_or(usual.spacing),
            },
            at: config.fundamentals_at,
        }));
    }
    if config.replay {
        jobs.push(Arc::new(ReplayJob::new(
            postgres.clone(),
            desk.alarms.clone(),
            config.replay_at,
            wall_clock_us,
        )));
    }
    if strategy.daily {
        let turn = Arc::new(Mutex::default());
        jobs.push(Arc::new(MorningUniverse {
            postgres: postgres.clone(),
            calendar: desk.calendar.clone(),
            config: strategy.clone(),
            turn: turn.clone(),
        }));
        jobs.push(Arc::new(DailyStrategy {
            postgres: postgres.clone(),
            cache: cache.clone(),
            config: strategy.clone(),
            turn,
        }));
    }
    if strategy.rebalance.enabled {
        jobs.push(Arc::new(Rebalance {
            postgres: postgres.clone(),
            session: desk.session.clone(),
            calendar: desk.calendar.clone(),
            config: strategy.clone(),
            account: account_id(client.settings()),
        }));
    }
    let requests = RunRequests {
        postgres: postgres.clone(),
        config: strategy.clone(),
    };
    let scheduler = Scheduler::new(SchedulerParts {
        postgres: postgres.clone(),
        session: desk.session.clone(),
        alarms: desk.alarms.clone(),
        account: account_id(client.settings()),
        retry_min: config.retry_min,
        retry_max: config.retry_max,
        alarm_after: config.alarm_after.get(),
        now_us: wall_clock_us,
    });
    let mut tasks = vec![
        task::spawn("calendar", keeper.run(stop.clone())),
        task::spawn("jobs", scheduler.run(jobs, stop.clone())),
        task::spawn("strategy requests", requests.run(stop.clone())),
    ];
    if picks.enabled {
        let router = PickRouter::new(PickParts {
            postgres: postgres.clone(),
            session: desk.session.clone(),
            alarms: desk.alarms.clone(),
            config: picks.clone(),
            account: account_id(client.settings()),
        });
        tasks.push(task::spawn("picks", router.run(stop.clone())));
    }
    tasks
}
