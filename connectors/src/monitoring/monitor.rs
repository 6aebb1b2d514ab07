//! The task that brings everything together, one in each process.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use metrics::{gauge, histogram};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use super::config::MonitoringConfig;
use super::delivery::{Delivered, Deliveries};
use super::engine::watch_engine;
use super::episodes::{Effect, Ends, Episodes, Raise};
use super::events::{Doing, EventSender, SystemEvent, follow_logs};
use super::exposition::samples;
use super::history::{History, Moment};
use super::limits::{self, SetLimits};
use super::look::Look;
use super::metrics as names;
use super::notice::{Notice, Turn};
use super::probe::Probe;
use super::store::{AlarmStore, AlarmWriter, Record};
use super::watched::{PriceAlerts, Turned, WatchedPrices};
use crate::postgres::{LogLevel, Postgres, PostgresConfig, PostgresError};
use crate::redis::Cache;

/// Results of deliveries that may wait.
const RESULTS: usize = 256;
/// How often Redis is asked for its memory.
const MEMORY_EVERY: Duration = Duration::from_secs(10);
/// Connections of monitoring itself, so that it does not depend on the pools that it watches.
const POOL_MAX: usize = 3;
const LEVELS: [LogLevel; 4] = [
    LogLevel::Info,
    LogLevel::Warning,
    LogLevel::Critical,
    LogLevel::P0,
];

/// Stores of one part of the process, to be looked at.
#[derive(Clone, Debug)]
pub struct Watched {
    /// Name of the part.
    pub part: &'static str,
    /// Its pools.
    pub postgres: Postgres,
}

/// What a monitor looks at.
pub struct MonitorParts {
    /// Settings.
    pub config: MonitoringConfig,
    /// What the process is: `stream`, `bff` or `run`.
    pub role: &'static str,
    /// The database.
    pub postgres: PostgresConfig,
    /// The cache, to ask for its memory.
    pub cache: Cache,
    /// Returns what the recorder has, as text.
    pub render: Arc<dyn Fn() -> String + Send + Sync>,
    /// Wall clock, microseconds.
    pub clock: fn() -> u64,
    /// Whether the engine runs in this process. One that runs in another is watched from here.
    pub has_engine: bool,
}

/// A running monitor. Without one, everything works and nobody is told.
pub struct Monitor {
    /// Name of the process in alarms.
    instance: String,
    events: EventSender,
    watched: watch::Sender<Vec<Watched>>,
    alerts: PriceAlerts,
    stop_probe: CancellationToken,
    probe: JoinHandle<()>,
    stop: CancellationToken,
    task: JoinHandle<()>,
    rest: Vec<JoinHandle<()>>,
}

impl Monitor {
    /// Starts to look. None where the settings say not to.
    ///
    /// # Errors
    /// If PostgreSQL cannot be reached, or the HTTP client not be built.
    pub async fn start(parts: MonitorParts) -> Result<Option<Self>, PostgresError> {
        let MonitorParts {
            config,
            role,
            postgres,
            cache,
            render,
            clock,
            has_engine,
        } = parts;
        if !config.enabled {
            return Ok(None);
        }
        names::begin(has_engine);
        let instance = config.instance.clone().unwrap_or_else(|| role.to_owned());
        let postgres = Postgres::connect(&PostgresConfig {
            pool_max: POOL_MAX,
            pool_min: 1,
            ..postgres
        })
        .await?;
        let stop = CancellationToken::new();
        let (results, delivered) = mpsc::channel(RESULTS);
        let deliveries = Deliveries::start(&config, &results, &stop)
            .map_err(|error| PostgresError::Config(error.without_url().to_string()))?;
        let (store, writer) = AlarmWriter::new(postgres.clone(), instance.clone());
        let mut episodes = Episodes::new(instance.clone(), config.quiet);
        for episode in writer.open().await? {
            episodes.adopt(episode);
        }
        let (events, told) = EventSender::new();
        let (away_sender, away) = watch::channel(None);
        let (watched, watching) = watch::channel(Vec::new());
        let (moments, kept) = mpsc::channel(1);
        let probe = Probe {
            postgres: postgres.clone(),
            every: config.probe_every,
            patience: config.probe_timeout,
            away: away_sender,
        };
        let history = History {
            postgres: postgres.clone(),
            instance: instance.clone(),
            days: config.history_days,
        };
        let stop_probe = CancellationToken::new();
        let probe = crate::task::spawn("postgres probe", probe.run(stop_probe.clone()));
        let mut rest: Vec<JoinHandle<()>> = vec![
            crate::task::spawn("alarm store", writer.run(stop.clone())),
            crate::task::spawn("metric history", history.run(kept, stop.clone())),
            crate::task::spawn("cache memory", show_memory(cache, stop.clone())),
        ];
        let (limits_sender, set_limits) = SetLimits::new(limits::read(&postgres).await?);
        let follow = limits::follow(postgres.clone(), limits_sender, stop.clone());
        rest.push(crate::task::spawn("alarm limits", follow));
        rest.push(match has_engine {
            true => {
                let follow = follow_logs(postgres, events.clone(), stop.clone());
                crate::task::spawn("log follower", follow)
            }
            false => crate::task::spawn("engine watchdog", watch_engine(postgres, stop.clone())),
        });
        let looks = config
            .rules()
            .into_iter()
            .map(|rule| Look::new(rule, &config, &instance, &episodes));
        let (alerts, prices) = WatchedPrices::new(&instance, config.clear_after, &episodes);
        let running = Running {
            looks: looks.collect(),
            set_limits,
            prices,
            episodes,
            store,
            deliveries,
            render,
            clock,
            watching,
            moments,
            is_away: false,
            began: Instant::now(),
            kept_at: None,
            config,
            instance: instance.clone(),
        };
        let task = crate::task::spawn("monitor", running.run(told, away, delivered, stop.clone()));
        info!(instance, "monitoring");
        Ok(Some(Self {
            instance,
            events,
            watched,
            alerts,
            stop_probe,
            probe,
            stop,
            task,
            rest,
        }))
    }

    /// Returns the name of the process in alarms.
    pub fn instance(&self) -> &str {
        &self.instance
    }

    /// Returns where events are told.
    pub fn events(&self) -> EventSender {
        self.events.clone()
    }

    /// Returns where prices that are waited for are told.
    pub fn alerts(&self) -> PriceAlerts {
        self.alerts.clone()
    }

    /// Looks at these stores from now on, in place of those that the part had before.
    pub fn watch(&self, watched: Watched) {
        self.watched.send_modify(|all| {
            all.retain(|other| other.part != watched.part);
            all.push(watched);
        });
    }

    /// Sends what is to be sent, and ends.
    pub async fn stop(self) {
        self.stop_probe.cancel();
        if let Err(error) = self.probe.await {
            error!(%error, "the probe of PostgreSQL failed");
        }
        self.stop.cancel();
        for task in std::iter::once(self.task).chain(self.rest) {
            if let Err(error) = task.await {
                error!(%error, "monitoring failed");
            }
        }
    }
}

/// What the task has.
struct Running {
    config: MonitoringConfig,
    instance: String,
    looks: Vec<Look>,
    set_limits: SetLimits,
    prices: WatchedPrices,
    episodes: Episodes,
    store: AlarmStore,
    deliveries: Deliveries,
    render: Arc<dyn Fn() -> String + Send + Sync>,
    clock: fn() -> u64,
    watching: watch::Receiver<Vec<Watched>>,
    moments: mpsc::Sender<Moment>,
    is_away: bool,
    began: Instant,
    kept_at: Option<Instant>,
}

impl Running {
    async fn run(
        mut self,
        mut events: mpsc::Receiver<SystemEvent>,
        mut away: watch::Receiver<Option<String>>,
        mut delivered: mpsc::Receiver<Delivered>,
        stop: CancellationToken,
    ) {
        let unreachable = format!("postgres_unreachable@{}", self.instance);
        self.is_away = self.episodes.open(&unreachable).is_some();
        away.mark_changed();
        let mut step = tokio::time::interval(self.config.look_every);
        step.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                Ok(()) = away.changed() => {
                    let reason = away.borrow_and_update().clone();
                    self.take_away(&unreachable, reason);
                }
                Some(event) = events.recv() => self.take_event(event),
                Some(delivered) = delivered.recv() => {
                    self.store.keep(Record::Delivered(delivered, self.now_us()));
                }
                _ = step.tick() => self.look(),
            }
        }
        // What was told right before the end is told all the same. The probe has ended with what it saw
        // last, so the channel is closed: it says no more whether that is new, but still what it is.
        let reason = away.borrow().clone();
        if reason.is_some() != self.is_away {
            self.take_away(&unreachable, reason);
        }
        while let Ok(event) = events.try_recv() {
            self.take_event(event);
        }
        let (store, clock) = (self.store, self.clock);
        let results = async {
            while let Some(delivered) = delivered.recv().await {
                let at_us = i64::try_from(clock()).unwrap_or(i64::MAX);
                store.keep(Record::Delivered(delivered, at_us));
            }
        };
        tokio::join!(self.deliveries.finish(), results);
    }

    fn now_us(&self) -> i64 {
        i64::try_from((self.clock)()).unwrap_or(i64::MAX)
    }

    fn take_away(&mut self, key: &str, reason: Option<String>) {
        let now_us = self.now_us();
        let was_away = std::mem::replace(&mut self.is_away, reason.is_some());
        let effects = match reason {
            Some(reason) => self.episodes.raise(
                now_us,
                Raise {
                    key: key.to_owned(),
                    name: "postgres_unreachable".to_owned(),
                    subject: None,
                    level: LogLevel::P0,
                    message: format!("PostgreSQL does not answer; nothing can be stored: {reason}"),
                    value: None,
                    limit: None,
                    ends: Ends::WhenCleared,
                },
            ),
            None if was_away => self.episodes.clear(now_us, key, "PostgreSQL answers again"),
            None => Vec::new(),
        };
        self.follow(effects);
    }

    fn take_event(&mut self, event: SystemEvent) {
        let now_us = self.now_us();
        let effects = match event.doing() {
            Some(Doing::Raise(raise)) => self.episodes.raise(now_us, raise),
            Some(Doing::Clear(key, message)) => self.episodes.clear(now_us, &key, &message),
            None => return,
        };
        self.follow(effects);
    }

    /// Looks at everything that is measured.
    fn look(&mut self) {
        let began = Instant::now();
        self.show_pools();
        self.set_limits.apply(&mut self.looks);
        let samples = samples(&(self.render)());
        let (now, now_us) = (self.began.elapsed(), self.now_us());
        let mut effects = Vec::new();
        for look in &mut self.looks {
            match look.look(now, &samples) {
                Some(Ok(raise)) => effects.extend(self.episodes.raise(now_us, raise)),
                Some(Err(message)) => {
                    effects.extend(self.episodes.clear(now_us, &look.key, &message));
                }
                None => {}
            }
        }
        for turned in self.prices.look(now) {
            effects.extend(match turned {
                Turned::Stands(raise) => self.episodes.raise(now_us, raise),
                Turned::Over(key, message) => self.episodes.clear(now_us, &key, &message),
            });
        }
        effects.extend(self.episodes.pass(now_us));
        self.follow(effects);
        for level in LEVELS {
            let open = u32::try_from(self.episodes.count(level)).unwrap_or(u32::MAX);
            gauge!(names::ALARMS_OPEN, "level" => level.name()).set(f64::from(open));
        }
        let is_due = |at: Instant| at.elapsed() >= self.config.history_every;
        if self.kept_at.is_none_or(is_due) {
            self.kept_at = Some(Instant::now());
            // A writer that is behind leaves this moment out.
            drop(self.moments.try_send((now_us, samples)));
        }
        histogram!(names::LOOK_SECONDS).record(began.elapsed().as_secs_f64());
    }

    fn show_pools(&self) {
        let mut uses: BTreeMap<String, f64> = BTreeMap::new();
        for watched in self.watching.borrow().iter() {
            for (pool, in_use) in watched.postgres.uses() {
                uses.insert(format!("{}_{pool}", watched.part), in_use);
            }
        }
        for (pool, in_use) in uses {
            gauge!(names::POOL_USE, "pool" => pool).set(in_use);
        }
    }

    fn follow(&self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Store(episode) => self.store.keep(Record::Episode(episode)),
                Effect::Tell(notice) => {
                    log(&notice);
                    self.deliveries.tell(&notice);
                }
            }
        }
    }
}

fn log(notice: &Notice) {
    let Notice {
        name,
        instance,
        message,
        ..
    } = notice;
    let turn = notice.turn.name();
    match (notice.turn, notice.level) {
        (Turn::Cleared, _) | (_, LogLevel::Info) => {
            info!(alarm = name, turn, instance, "{message}");
        }
        (_, LogLevel::Warning) => warn!(alarm = name, turn, instance, "{message}"),
        (_, LogLevel::Critical | LogLevel::P0) => {
            error!(alarm = name, turn, instance, "{message}");
        }
    }
}

async fn show_memory(cache: Cache, stop: CancellationToken) {
    let mut step = tokio::time::interval(MEMORY_EVERY);
    step.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while stop.run_until_cancelled(step.tick()).await.is_some() {
        if let Some(bytes) = cache.memory().await {
            gauge!(names::CACHE_MEMORY).set(bytes);
        }
    }
}
