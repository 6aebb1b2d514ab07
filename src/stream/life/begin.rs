//! The start of an engine: load, settle what was left open with the broker, only then take ticks.

use std::collections::BTreeSet;
use std::sync::Arc;

use anyhow::Context;
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;
use tracing::info;
use turnstile_connectors::execution::{Permit, PriceProgress, SessionKind};
use turnstile_connectors::invariants::InvariantFeed;
use turnstile_connectors::monitoring::metrics::WS_CONNECTED;
use turnstile_connectors::monitoring::{EngineProgress, Monitor, Watched};
use turnstile_connectors::naver::NaverClient;
use turnstile_connectors::postgres::{AdvisoryLock, ChangeFeed, Postgres, PriceSink};
use turnstile_connectors::redis::Cache;
use turnstile_connectors::retention::Retention;
use turnstile_connectors::rows::RowReader;
use turnstile_connectors::seoul::seoul_date;
use turnstile_connectors::spill::{Restored, Spill};
use turnstile_connectors::stored_day::EngineRun;
use turnstile_connectors::{rows, task};
use turnstile_dataflows::engine::{Engine, EngineConfig};
use turnstile_dataflows::price::Board;

use super::super::active::guard_lock;
use super::super::best_prices::BestPrices;
use super::super::clock::ClockWatch;
use super::super::days::Days;
use super::super::desk::{Desk, DeskParts};
use super::super::house::keep_house;
use super::super::journal::{self, Journal};
use super::super::minutes::keep_minutes;
use super::super::outage::Outage;
use super::super::outputs::Outputs;
use super::super::proof::{Evaluated, Proof};
use super::super::quotes::{Quotes, Seen};
use super::super::records::Records;
use super::super::regime::Regimes;
use super::super::remains;
use super::super::retention::OldPrices;
use super::super::sequencer::{End, Sequencer, Stamp};
use super::super::staleness::Staleness;
use super::super::subscriptions::{Subscriptions, apply_slots};
use super::super::unprotected::{Beat, Gap};
use super::super::wire::{Line, Wire};
use super::super::{alarms, health, invariants, jobs, risk};
use super::end::Running;
use super::{Life, Loss};
use crate::config::Config;

/// Prices that were asked for and wait.
const QUOTES_MAX: usize = 256;
/// Symbols whose price fell to another source and wait.
const FALLEN_MAX: usize = 1_024;
/// Differences of wishes that wait.
const WISHES_MAX: usize = 16;
/// What an engine begins with.
pub(in crate::stream) struct Begin<'b> {
    pub(in crate::stream) config: &'b Config,
    pub(in crate::stream) monitor: Option<&'b Monitor>,
    pub(in crate::stream) account: &'b str,
    /// The database, in which this process holds the lock of the account.
    pub(in crate::stream) postgres: Postgres,
    pub(in crate::stream) lock: Arc<AdvisoryLock>,
    pub(in crate::stream) wire: &'b mut Wire,
    pub(in crate::stream) spill: &'b Arc<Spill>,
    /// What was kept while there was no engine.
    pub(in crate::stream) restored: Restored,
    /// Logical times up to this one are given out, microseconds.
    pub(in crate::stream) stamped_us: u64,
}

impl Life {
    /// Starts an engine.
    pub(in crate::stream) async fn begin(
        begin: Begin<'_>,
        stop: &CancellationToken,
    ) -> anyhow::Result<Self> {
        let Begin {
            config,
            monitor,
            account,
            postgres,
            lock,
            wire,
            spill,
            restored,
            stamped_us,
        } = begin;
        // Whatever has been started ends where a later part does not come up.
        let (sources, downstream) = (CancellationToken::new(), CancellationToken::new());
        let ends = [&sources, &downstream].map(|token| token.clone().drop_guard());
        let abandon = CancellationToken::new();
        let permit = watch::Sender::new(Permit::All);
        let cache = Cache::new(&config.redis).context("redis.url")?;
        let starting = health::show_start();
        // Nothing is connected yet.
        if wire.events().is_none() {
            metrics::gauge!(WS_CONNECTED).set(0.0);
        }
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
        let last_beat = Beat::last(snapshot.client(), account).await?;
        drop(snapshot);
        let overflow = remains::overflow(spill, &abandon);
        let sink_config = config.prices.clone();
        let (sink, prices) =
            PriceSink::start(sink_config, &postgres, cache.clone(), Some(overflow)).await?;
        // Prices that were only kept were judged by nobody.
        let judged_us = last_us.max(*prices.durable().borrow());
        let begun_us = judged_us.max(restored.last_us).max(stamped_us);
        let gap = Gap::since(last_beat, judged_us, loaded.positions.len());
        let clock = wire.clock.clone();
        let mut stamp = Stamp::after(begun_us, clock.clone());
        let begun = stamp.now();
        let run = EngineRun::begin(&postgres, account, begun.micros()).await?;

        let client = wire.client()?.clone();
        let is_down = watch::Sender::new(false);
        let waker = prices.clone();
        let progress = PriceProgress::new(prices.durable(), begun_us, move |through_us| {
            waker.want(through_us)
        });
        let (invariant_feed, invariant_events) = InvariantFeed::new();
        let desk = Desk::start(DeskParts {
            config,
            postgres: &postgres,
            cache: &cache,
            invariants: &invariant_feed,
            client: &client,
            progress,
            is_broker_down: is_down.subscribe(),
            events: monitor.map(Monitor::events),
            permit: permit.subscribe(),
            unstored: remains::unstored(spill),
            kept: &restored.notices,
            stop: downstream.clone(),
        });
        let desk = desk.await?;
        if let Some(told) = alarms::restored(&restored) {
            desk.alarms.raise(told);
        }
        let (journal, journal_task) =
            Journal::start(&postgres, abandon.clone(), downstream.clone());
        let invariants = invariants::start(
            &config.invariants,
            (&postgres, &cache),
            (invariant_feed.clone(), invariant_events),
            &desk.alarms,
            &downstream,
        )?;
        let (tellers, records) = Records::start(&config.exits, &postgres, &downstream);
        let (fallen_sender, fallen) = mpsc::channel(FALLEN_MAX);
        let (distrust, naver_off_until) = watch::channel(0);
        let (slots_sender, given) = watch::channel(BTreeSet::new());
        let pause = config.naver.distrust_pause;
        let (evaluated, handed_out) = (EngineProgress::default(), Evaluated::default());
        let proof = Proof {
            run,
            evaluated: handed_out.clone(),
            orders: desk.stored.clone(),
            journal: journal.reach(),
            prices: prices.reach(),
        };
        let seen = Seen::default();
        let mut outputs = Outputs {
            evaluated: evaluated.clone(),
            handed: handed_out,
            orders: desk.outputs.clone(),
            alarms: desk.alarms.clone(),
            journal: journal.clone(),
            levels: tellers.levels,
            withheld: tellers.withheld,
            invariants: invariant_feed.clone(),
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

        let registrations_max = client.settings().registrations_max;
        // One registration is for the execution notice.
        let slots_max = (registrations_max.saturating_mul(wire.clients.len())).saturating_sub(1);
        let (wish_sender, wishes) = mpsc::channel(WISHES_MAX);
        let mut subscriptions = Subscriptions::new(postgres.clone(), slots_max, wish_sender);
        let wanted = subscriptions.begin().await?;
        info!(symbols = wanted.len(), "subscribing");
        let (quote_sender, asked_quotes) = mpsc::channel(QUOTES_MAX);
        let naver = match config.naver.enabled {
            true => Some(NaverClient::new(config.naver.clone(), clock.clone())?),
            false => None,
        };
        let Line {
            slots: set_slots,
            events: broker_events,
            standing,
            is_new,
        } = wire.take(&wanted)?;
        // Those of a stream that was open before are on, as far as they are.
        let awaited = if is_new { wanted } else { BTreeSet::new() };
        let (subscribed_sender, subscribed) = watch::channel(awaited.is_empty());
        let quotes = Quotes {
            config: config.quotes.clone(),
            postgres: postgres.clone(),
            clients: wire.clients.clone(),
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
        let slots = apply_slots(set_slots, given.clone(), sources.clone());
        let slots = task::spawn("slots", slots);
        let (risk_feed, risk_desk) = risk::start(&desk.gate)?;
        let sequencer = Sequencer {
            stamp,
            abandon: abandon.clone(),
            left: None,
            clock_watch: ClockWatch::default(),
            gap,
            events,
            prices: prices.clone(),
            journal,
            risk: risk_feed,
            invariants: invariant_feed,
            reader: RowReader::default(),
            day: seoul_date(begun).to_string(),
            alarms: desk.alarms.clone(),
            notices: desk.notices.clone(),
            poll: desk.poll.clone(),
            subscriptions: changed,
            levels_slice: config.exits.levels_slice,
            levels_quota: config.exits.levels_quota(),
            awaited,
            subscribed: subscribed_sender,
            standing,
            open: 0,
            is_current: false,
            registrations_max,
            seen,
            board: Board::default(),
            session: desk.session.clone(),
            fallen,
            wishes,
            given,
            slots_max,
            slots: slots_max,
        };
        let (lost_sender, lost) = watch::channel(None);
        let (ended, stopped) = (lost_sender.clone(), sources.clone());
        let (hand, handed) = oneshot::channel();
        let sequencing = task::spawn("sequencer", async move {
            let over = sequencer.run(loaded, feed, broker_events, asked_quotes, stopped);
            let over = over.await;
            ended.send_if_modified(|lost| {
                let loss = match over.end {
                    End::Stopped => None,
                    End::FeedLost => Some(Loss::Feed),
                    End::Broken => Some(Loss::Broken),
                };
                // The lock is lost first: the rest follows from it.
                *lost = lost.or(loss);
                loss.is_some()
            });
            // Whoever stops the job in order asks for nothing.
            drop(hand.send(over));
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
        let place = account.to_owned();
        let watched = health::start(&postgres, &desk, place, evaluated, monitor, &sources);
        let proving = task::spawn("proof", proof.run(sources.clone()));
        let house = keep_house(postgres.clone(), sources.clone());
        let housekeeping = task::spawn("housekeeping", house);
        let release = CancellationToken::new();
        let guard = guard_lock(lock, lost_sender, release.clone());
        let guard = task::spawn("lock guard", guard);

        let running = Running {
            sources: vec![
                sequencing,
                follow,
                slots,
                days,
                regimes,
                quotes,
                outage,
                housekeeping,
            ],
            others: (jobs.into_iter().chain(minutes).chain(retention))
                .chain(watched)
                .collect(),
            risk: risk_desk,
            engine,
            journal: journal_task,
            prices,
            desk,
            records,
            invariants,
            sink,
            proving,
            release: release.clone(),
            guard,
        };
        let finished = running.end_after(sources.clone(), downstream.clone());
        let finished = task::spawn("stream end", finished);
        ends.into_iter().for_each(|guard| drop(guard.disarm()));
        Ok(Self {
            postgres,
            sources,
            downstream,
            abandon,
            permit,
            release,
            subscribed,
            handed,
            finished,
            lost,
        })
    }
}
