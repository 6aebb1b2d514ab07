//! The stream job: from the broker's wire to the broker's order desk.
//!
//! ```text
//! KIS ─ trades ─┐                          ┌─> price sink ─> PostgreSQL ─> Redis
//! change feed ──┼─> sequencer ─> engine ───┴─> order sink ─> executor ─> KIS
//! clock ────────┘               │                              fills <── notices
//!                               └─> levels, withheld hits, previews, alarms
//! ```
//!
//! Start: lock, load, settle what was left open with the broker, only then take ticks. Stop: the
//! sources first, then everything downstream drains in order.

mod active;
mod alarms;
mod best_prices;
mod days;
mod desk;
mod follow;
mod health;
mod house;
mod jobs;
mod journal;
mod minutes;
mod outage;
mod outputs;
mod price_rows;
mod proof;
mod quotes;
mod records;
mod regime;
mod retention;
mod risk;
mod sequencer;
mod staleness;
mod subscriptions;
mod unprotected;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::{error, info};
use turnstile_connectors::execution::{PriceProgress, SessionKind, wall_clock_us};
use turnstile_connectors::kis::{
    Clock, KisClient, KisError, KisSettings, KisStream, KisStreamParts,
};
use turnstile_connectors::monitoring::metrics::WS_CONNECTED;
use turnstile_connectors::monitoring::{EngineProgress, Monitor, Watched};
use turnstile_connectors::naver::NaverClient;
use turnstile_connectors::postgres::{ChangeFeed, Postgres, PriceSink};
use turnstile_connectors::redis::Cache;
use turnstile_connectors::retention::Retention;
use turnstile_connectors::rows::RowReader;
use turnstile_connectors::stored_day::{EngineRun, seoul_date};
use turnstile_connectors::{rows, task};
use turnstile_dataflows::engine::{Engine, EngineConfig, Event, Timed};
use turnstile_dataflows::price::Board;

use crate::config::Config;
use active::{account_id, guard_lock, take_lock};
use best_prices::BestPrices;
use days::Days;
use desk::Desk;
use house::keep_house;
use minutes::keep_minutes;
use outage::Outage;
use outputs::Outputs;
use proof::{Evaluated, Proof};
pub(crate) use quotes::QuotesConfig;
use quotes::{Quotes, Seen};
use records::Records;
use regime::Regimes;
use retention::OldPrices;
use sequencer::{Sequencer, Stamp};
use staleness::Staleness;
use subscriptions::{Subscriptions, apply_slots};
use unprotected::{Beat, Gap};

/// Prices that were asked for and wait.
const QUOTES_MAX: usize = 256;
/// Symbols whose price fell to another source and wait.
const FALLEN_MAX: usize = 1_024;
/// Differences of wishes that wait.
const WISHES_MAX: usize = 16;

/// A running stream job.
pub(crate) struct Stream {
    sources: CancellationToken,
    downstream: CancellationToken,
    subscribed: watch::Receiver<bool>,
    finished: JoinHandle<()>,
    lost: watch::Receiver<bool>,
}

impl Stream {
    /// Starts the job. Waits as a standby while another engine of the account is active.
    pub(crate) async fn start(
        config: &Config,
        monitor: Option<&Monitor>,
        stop: &CancellationToken,
    ) -> anyhow::Result<Self> {
        let postgres = Postgres::connect(&config.postgres).await?;
        let cache = Cache::new(&config.redis).context("redis.url")?;
        let settings = config.kis.clone().validate()?;
        let clock: Clock = Arc::new(wall_clock_us);
        let account = account_id(&settings);
        let lock = take_lock(&postgres, &account, stop).await?;
        let starting = health::show_start();
        // Nothing is connected yet.
        metrics::gauge!(WS_CONNECTED).set(0.0);
        if let Some(monitor) = monitor {
            monitor.watch(Watched {
                part: "stream",
                postgres: postgres.clone(),
            });
        }

        let (feed, snapshot) = ChangeFeed::open(&postgres).await?;
        let loaded = rows::load(snapshot.client())
            .await
            .context("the state cannot be loaded")?;
        let last_us = journal::last_logical_us(snapshot.client()).await?;
        let last_beat = Beat::last(snapshot.client(), &account).await?;
        drop(snapshot);
        let (sink, prices) =
            PriceSink::start(config.prices.clone(), &postgres, cache.clone()).await?;
        let begun_us = last_us.max(*prices.durable().borrow());
        let gap = Gap::since(last_beat, begun_us, loaded.positions.len());
        let mut stamp = Stamp::after(begun_us, clock.clone());
        let begun = stamp.now();
        let run = EngineRun::begin(&postgres, &account, begun.micros()).await?;

        let clients = clients(&settings, &clock)?;
        let client = clients.first().context("no app key")?.clone();
        let downstream = CancellationToken::new();
        let is_down = watch::Sender::new(false);
        let waker = prices.clone();
        let progress = PriceProgress::new(prices.durable(), begun_us, move |through_us| {
            waker.want(through_us)
        });
        let desk = Desk::start(
            config,
            (&postgres, &cache),
            &client,
            progress,
            is_down.subscribe(),
            monitor.map(Monitor::events),
            downstream.clone(),
        )
        .await?;
        let (journal, journal_task) = journal::Journal::start(&postgres, downstream.clone());
        let (tellers, records) = Records::start(&config.exits, &postgres, &downstream);
        let (fallen_sender, fallen) = mpsc::channel(FALLEN_MAX);
        let (distrust, naver_off_until) = watch::channel(0);
        let (slots_sender, given) = watch::channel(BTreeSet::new());
        let pause = config.naver.distrust_pause;
        let (evaluated, handed) = (EngineProgress::default(), Evaluated::default());
        let proof = Proof {
            run,
            evaluated: handed.clone(),
            orders: desk.stored.clone(),
            journal: journal.reach(),
            prices: prices.reach(),
        };
        let seen = Seen::default();
        let mut outputs = Outputs {
            evaluated: evaluated.clone(),
            handed,
            orders: desk.outputs.clone(),
            alarms: desk.alarms.clone(),
            journal: journal.clone(),
            levels: tellers.levels,
            withheld: tellers.withheld,
            answers: tellers.answers,
            staleness: Staleness::new(seen.clone()),
            prices: BestPrices::new(tellers.prices, fallen_sender, distrust, pause),
            slots: slots_sender,
        };
        let (engine, events) = Engine::start(EngineConfig::from(&config.engine), move |batch| {
            outputs.hand_out(batch);
        })?;
        desk.wait_until_ready(stop).await?;
        drop(starting);

        let sources = CancellationToken::new();
        // One registration is for the execution notice.
        let slots_max =
            (settings.registrations_max.saturating_mul(clients.len())).saturating_sub(1);
        let (wish_sender, wishes) = mpsc::channel(WISHES_MAX);
        let mut subscriptions = Subscriptions::new(postgres.clone(), slots_max, wish_sender);
        let wanted = subscriptions.begin().await?;
        info!(symbols = wanted.len(), "subscribing");
        let (subscribed_sender, subscribed) = watch::channel(wanted.is_empty());
        let (quote_sender, asked_quotes) = mpsc::channel(QUOTES_MAX);
        let naver = match config.naver.enabled {
            true => Some(NaverClient::new(config.naver.clone(), clock.clone())?),
            false => None,
        };
        let KisStreamParts {
            stream,
            events: broker_events,
            standing,
            task: stream_task,
        } = KisStream::start(&clients, clock.clone(), wanted.clone(), sources.clone());
        let quotes = Quotes {
            config: config.quotes.clone(),
            postgres: postgres.clone(),
            clients,
            naver,
            seen: seen.clone(),
            clock: clock.clone(),
            session: desk.session.clone(),
            alarms: desk.alarms.clone(),
            standing: standing.clone(),
            is_down: is_down.subscribe(),
            naver_off_until,
            quotes: quote_sender,
        };
        let quotes = task::spawn("quotes", quotes.run(sources.clone()));
        let regime_clock = clock.clone();
        let outage = Outage {
            postgres: postgres.clone(),
            client: client.clone(),
            alarms: desk.alarms.clone(),
            poll: desk.poll.clone(),
            session: desk.session.clone(),
            clock,
            standing: standing.clone(),
            is_down,
        };
        let outage = task::spawn("outage", outage.run(sources.clone()));
        let changed = subscriptions.changed();
        let follow = task::spawn("subscriptions", subscriptions.run(sources.clone()));
        let slots = apply_slots(stream, given.clone(), sources.clone());
        let slots = task::spawn("slots", slots);
        let (risk_feed, risk_desk) = risk::start(&desk.gate)?;
        let sequencer = Sequencer {
            stamp,
            gap,
            events,
            prices: prices.clone(),
            journal,
            risk: risk_feed,
            reader: RowReader::default(),
            day: seoul_date(begun).to_string(),
            alarms: desk.alarms.clone(),
            notices: desk.notices.clone(),
            poll: desk.poll.clone(),
            subscriptions: changed,
            levels_slice: config.exits.levels_slice,
            levels_quota: config.exits.levels_quota(),
            awaited: wanted,
            subscribed: subscribed_sender,
            standing,
            open: 0,
            is_current: false,
            registrations_max: settings.registrations_max,
            seen,
            board: Board::default(),
            session: desk.session.clone(),
            fallen,
            wishes,
            given,
            slots_max,
            slots: slots_max,
        };
        let (lost_sender, lost) = watch::channel(false);
        let (ended, stopped) = (lost_sender.clone(), sources.clone());
        let sequencing = task::spawn("sequencer", async move {
            sequencer
                .run(loaded, feed, broker_events, asked_quotes, stopped.clone())
                .await;
            if !stopped.is_cancelled() {
                ended.send_replace(true);
            }
        });
        let days = Days {
            postgres: postgres.clone(),
            client: client.clone(),
            session: desk.session.clone(),
            calendar: desk.calendar.clone(),
            has_closed_days: config.execution.session == SessionKind::Krx,
        };
        let days = task::spawn("days", days.run(sources.clone()));
        let regimes = Regimes {
            postgres: postgres.clone(),
            session: desk.session.clone(),
            calendar: desk.calendar.clone(),
            clock: regime_clock,
        };
        let regimes = task::spawn("regime", regimes.run(sources.clone()));
        let jobs = jobs::start(config, &postgres, &cache, &client, &desk, &sources);
        let minutes = config.stream.minute_bars.map(|every| {
            let job = keep_minutes(postgres.clone(), every, sources.clone());
            task::spawn("minute bars", job)
        });
        let retention = config.retention.is_on().then(|| {
            let has_bars = config.stream.minute_bars.is_some();
            let old = OldPrices {
                retention: Retention::new(postgres.clone(), &config.retention, has_bars),
                look: config.retention.look,
                session: desk.session.clone(),
                waits_for_close: config.execution.session == SessionKind::Krx,
                alarms: desk.alarms.clone(),
            };
            task::spawn("retention", old.run(sources.clone()))
        });
        let watched = health::start(&postgres, &desk, account, evaluated, monitor, &sources);
        let proving = task::spawn("proof", proof.run(sources.clone()));
        let housekeeping = task::spawn("housekeeping", keep_house(postgres, sources.clone()));
        let guard = task::spawn("lock guard", guard_lock(lock, lost_sender, sources.clone()));

        let (stop_downstream, stop_sources) = (downstream.clone(), sources.clone());
        let finished = task::spawn("stream end", async move {
            stop_sources.cancelled().await;
            for ended in [
                sequencing.await,
                stream_task.await,
                follow.await,
                slots.await,
                days.await,
                regimes.await,
                quotes.await,
                outage.await,
                housekeeping.await,
            ] {
                report(ended);
            }
            for ended in jobs
                .into_iter()
                .chain(minutes)
                .chain(retention)
                .chain(watched)
            {
                report(ended.await);
            }
            // The sequencer has dropped the engine's sender: the engine hands out the rest. The feed
            // of the risk desk is dropped with it.
            let risk_end = tokio::task::spawn_blocking(move || risk_desk.join()).await;
            if !matches!(risk_end, Ok(Ok(()))) {
                error!("the risk desk failed");
            }
            let engine_end = tokio::task::spawn_blocking(move || engine.join()).await;
            match engine_end {
                Ok(Ok(())) => {}
                Ok(Err(error)) => error!(%error, "engine failed"),
                Err(error) => error!(%error, "engine thread failed"),
            }
            report(journal_task.await);
            drop(prices);
            desk.drain(&stop_downstream).await;
            records.join().await;
            sink.join().await;
            match proving.await {
                Ok(proof) => proof.end().await,
                Err(error) => report(Err(error)),
            }
            report(guard.await);
        });
        Ok(Self {
            sources,
            downstream,
            subscribed,
            finished,
            lost,
        })
    }

    /// Returns once every symbol wanted at start is subscribed or refused.
    pub(crate) async fn subscribed(&mut self) {
        // An error means that the job has ended; whoever waits sees that elsewhere.
        drop(self.subscribed.wait_for(|subscribed| *subscribed).await);
    }

    /// Returns when the job cannot go on: another engine may take over.
    pub(crate) async fn lost(&mut self) {
        if self.lost.wait_for(|lost| *lost).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Stops the sources, drains everything, and returns.
    pub(crate) async fn stop(self) {
        self.sources.cancel();
        if let Err(error) = self.finished.await {
            error!(%error, "stream job did not end cleanly");
        }
        self.downstream.cancel();
    }
}

fn report(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended {
        error!(%error, "a task failed");
    }
}

/// Returns a client for each app key, that of the account first.
fn clients(settings: &KisSettings, clock: &Clock) -> Result<Vec<KisClient>, KisError> {
    let settings = settings.of_each_key().into_iter();
    settings
        .map(|settings| KisClient::new(settings, clock.clone()))
        .collect()
}

/// Sends an event to the engine, waiting while its channel is full.
async fn send_event(events: &std::sync::mpsc::SyncSender<Timed>, timed: Timed) -> bool {
    use std::sync::mpsc::TrySendError;
    let mut timed = timed;
    loop {
        match events.try_send(timed) {
            Ok(()) => return true,
            Err(TrySendError::Disconnected(_)) => return false,
            Err(TrySendError::Full(back)) => {
                timed = back;
                metrics::counter!("engine_channel_full_total").increment(1);
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
    }
}

/// Returns an event at its time.
fn timed(time: turnstile_dataflows::model::LogicalTime, event: Event) -> Timed {
    Timed { time, event }
}
