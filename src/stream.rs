//! The stream job: from the broker's wire to the broker's order desk.
//!
//! ```text
//! KIS ─ trades ─┐                          ┌─> price sink ─> PostgreSQL ─> Redis
//! change feed ──┼─> sequencer ─> engine ───┴─> order sink ─> executor ─> KIS
//! clock ────────┘               │                              fills <── notices
//!                               └─> levels, withheld hits, previews, alarms
//! ```
//!
//! An engine lives as long as this process holds the lock of the account ([`life`]). Where PostgreSQL goes
//! away it ends, and the stream's prices and notices are kept on disk ([`keeper`]) until a server that
//! takes writes is found, perhaps another one, and the lock is taken there ([`regain`]). What was kept is
//! stored then, and the next engine loads everything anew.

mod active;
mod alarms;
mod best_prices;
mod clock;
mod days;
mod desk;
mod events;
mod follow;
mod health;
mod house;
mod invariants;
mod jobs;
mod journal;
mod keeper;
mod life;
mod minutes;
mod outage;
mod outputs;
mod price_rows;
mod proof;
mod quotes;
mod records;
mod regain;
mod regime;
mod remains;
mod retention;
mod risk;
mod sequencer;
mod staleness;
mod subscriptions;
mod tasks;
mod unprotected;
mod wire;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};
use turnstile_connectors::execution::wall_clock_us;
use turnstile_connectors::monitoring::Monitor;
use turnstile_connectors::postgres::{self, AdvisoryLock, LockSession, Postgres};
use turnstile_connectors::spill::{self, Restored, Spill};

use crate::config::Config;
use active::{account_id, wait_for_lock};
use keeper::Keeper;
use life::{Begin, Life, Loss};
pub(crate) use quotes::QuotesConfig;
use regain::{Found, Place, There, is_away, lost_meanwhile, regain};
use remains::Remains;
use sequencer::Stamp;
use wire::Wire;

/// How often a database that is away is looked for.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How often is told that it is still away.
const TOLD_EVERY: Duration = Duration::from_secs(60);
/// An engine that cannot be begun this often in a row, with the database there, is given up.
const FAILURES_MAX: u32 = 5;

/// The stream job.
pub(crate) struct Stream<'c> {
    config: &'c Config,
    account: String,
    spill: Arc<Spill>,
    wire: Wire,
    keeper: Keeper,
    /// Whether an engine has run here: a database that is away is waited for.
    has_run: bool,
    /// The session that held the lock last.
    own: Option<LockSession>,
    life: Option<Life>,
    subscribed: watch::Sender<bool>,
}

impl<'c> Stream<'c> {
    /// Prepares the job. Nothing is connected yet.
    pub(crate) fn new(config: &'c Config) -> anyhow::Result<Self> {
        let settings = config.kis.clone().validate()?;
        let spill = Arc::new(Spill::open(&config.spill).context("spill.folder")?);
        let clock = clock::steady(wall_clock_us);
        let wire = Wire::new(&settings, clock.clone(), spill.clone())?;
        Ok(Self {
            config,
            account: account_id(&settings),
            has_run: spill.remembered()?.is_some(),
            wire,
            keeper: Keeper::new(Stamp::after(0, clock), spill.clone()),
            spill,
            own: None,
            life: None,
            subscribed: watch::Sender::new(false),
        })
    }

    /// Brings the schema to the version of this program. Where an engine has run here before, a database
    /// that is away is waited for, and what the broker streams meanwhile is kept.
    pub(crate) async fn migrate(&mut self, stop: &CancellationToken) -> anyhow::Result<()> {
        let config = &self.config.postgres;
        let report = loop {
            match postgres::migrate(config).await {
                Ok(report) => break report,
                Err(error) if self.has_run && error.is_transient() => {
                    warn!(%error, "PostgreSQL is away; what the broker streams is kept until it is back");
                }
                Err(error) => return Err(error.into()),
            }
            self.listen();
            let back = self.keep_during(stop, regain::is_back(config)).await;
            back.context("stopped while PostgreSQL was away")?;
        };
        info!(
            version = report.version,
            applied = report.applied.len(),
            "schema ready"
        );
        Ok(())
    }

    /// Starts an engine. Waits as a standby while another one of the account is active.
    pub(crate) async fn start(
        &mut self,
        monitor: Option<&Monitor>,
        stop: &CancellationToken,
    ) -> anyhow::Result<()> {
        self.keeper.alarms = monitor.map(Monitor::events);
        Box::pin(self.begin(monitor, None, stop)).await
    }

    /// Returns whether every symbol wanted at start is subscribed or refused, as it changes.
    pub(crate) fn subscribed(&self) -> watch::Receiver<bool> {
        self.subscribed.subscribe()
    }

    /// Lets engines live, one after the other, until `stop`.
    ///
    /// # Errors
    /// If it cannot go on although the database is there.
    pub(crate) async fn run(
        mut self,
        monitor: Option<&Monitor>,
        stop: &CancellationToken,
    ) -> anyhow::Result<()> {
        while let Some(life) = self.life.take() {
            let loss = tokio::select! {
                () = stop.cancelled() => {
                    self.wire.stop();
                    life.stop().await;
                    break;
                }
                loss = life.lost() => loss,
            };
            let (handed, remains) = life.lose().await;
            let Some(handed) = handed.filter(|_| loss != Loss::Broken) else {
                remains.give_up().await;
                self.wire.close().await;
                bail!("the engine could not go on; the log says why");
            };
            warn!(
                ?loss,
                "the engine has ended; what the broker streams is kept until the next one"
            );
            self.keeper.stamp = handed.stamp;
            self.wire.give_back(handed.broker);
            self.keeper.keep_notice(handed.notice);
            let begun = Box::pin(self.begin(monitor, Some(remains), stop));
            if let Err(error) = begun.await {
                self.wire.close().await;
                if stop.is_cancelled() {
                    let (bytes, folder) = (self.spill.bytes(), self.spill.folder().display());
                    warn!(bytes, %folder, "stopped while PostgreSQL is away; the next start stores what is kept");
                    let lost = self.keeper.take_waiting().len();
                    if lost > 0 {
                        error!(
                            lost,
                            "prices and notices that the disk did not take are lost"
                        );
                    }
                    return Ok(());
                }
                return Err(error);
            }
        }
        self.wire.close().await;
        Ok(())
    }

    /// Begins an engine, as soon as the database is there and the lock is free. `remains` is what is left
    /// of the one before.
    async fn begin(
        &mut self,
        monitor: Option<&Monitor>,
        mut remains: Option<Remains>,
        stop: &CancellationToken,
    ) -> anyhow::Result<()> {
        let config = self.config;
        let place = Place {
            config: &config.postgres,
            account: self.account.clone(),
            spill: self.spill.clone(),
        };
        let mut restored = Restored::default();
        let mut told: Option<Instant> = None;
        let mut failures = 0;
        loop {
            let own = self.own.clone();
            let looking = Box::pin(regain(&place, own.as_ref(), &mut remains));
            let found = match self.keep_during(stop, looking).await {
                None => {
                    if let Some(remains) = remains {
                        remains.give_up().await;
                    }
                    bail!("stopped before an engine could begin");
                }
                Some(found) => found,
            };
            let begun = match found {
                Ok(Found::Free(there)) => {
                    let There { postgres, lock } = *there;
                    Box::pin(self.begin_there(monitor, postgres, lock, &mut restored, stop)).await
                }
                Ok(Found::Taken(there)) => {
                    // The broker's stream is the other one's; so is what is decided.
                    self.wire.close().await;
                    if let Some(remains) = remains.take() {
                        remains.give_up().await;
                    }
                    let waited = stop
                        .run_until_cancelled(wait_for_lock(&there, &self.account))
                        .await;
                    let waited = waited.context("stopped while waiting as standby")?;
                    self.has_run = true;
                    match waited {
                        Ok(lock) => {
                            let begun =
                                self.begin_there(monitor, *there, lock, &mut restored, stop);
                            Box::pin(begun).await
                        }
                        Err(error) => Err(error.into()),
                    }
                }
                Err(error) => Err(error),
            };
            let error = match begun {
                Ok(()) => return Ok(()),
                Err(error) if stop.is_cancelled() => return Err(error),
                Err(error) => error,
            };
            if is_away(&error) && self.has_run {
                failures = 0;
                let now = Instant::now();
                if told.is_none_or(|told| now >= told + TOLD_EVERY) {
                    told = Some(now);
                    warn!(error = %format!("{error:#}"), "no engine can begin; looking again");
                }
                self.listen();
            } else if self.life.is_none() && self.has_run && failures < FAILURES_MAX {
                failures += 1;
                error!(error = %format!("{error:#}"), failures, "no engine could begin; trying again");
            } else {
                return Err(error);
            }
            self.keep_during(stop, tokio::time::sleep(LOOK_EVERY)).await;
        }
    }

    /// Begins an engine on a database in which this process holds the lock. What does not come up leaves
    /// no connection behind.
    async fn begin_there(
        &mut self,
        monitor: Option<&Monitor>,
        postgres: Postgres,
        lock: AdvisoryLock,
        restored: &mut Restored,
        stop: &CancellationToken,
    ) -> anyhow::Result<()> {
        let lock = Arc::new(lock);
        self.own = Some(lock.session().clone());
        // Most of what was kept, while more of it comes; then the rest, and the engine takes what comes.
        let kept = self.spill.clone();
        let storing = spill::restore(&kept, &postgres, restored);
        let stored = self.keep_during_lock(&lock, stop, storing).await;
        let begun = match stored {
            Ok(Ok(())) => {
                tokio::select! {
                    begun = Box::pin(self.begin_life(monitor, &postgres, &lock, restored, stop)) => begun,
                    () = lock.lost() => Err(lost_meanwhile().into()),
                    () = stop.cancelled() => Err(anyhow!("stopped while the engine began")),
                }
            }
            Ok(Err(error)) => Err(error.into()),
            Err(error) => Err(error),
        };
        if begun.is_err() {
            postgres.cut();
        }
        begun
    }

    async fn begin_life(
        &mut self,
        monitor: Option<&Monitor>,
        postgres: &Postgres,
        lock: &Arc<AdvisoryLock>,
        restored: &mut Restored,
        stop: &CancellationToken,
    ) -> anyhow::Result<()> {
        spill::restore(&self.spill, postgres, restored).await?;
        spill::store(self.keeper.take_waiting(), postgres, restored).await?;
        let life = Life::begin(
            Begin {
                config: self.config,
                monitor,
                account: &self.account,
                postgres: postgres.clone(),
                lock: lock.clone(),
                wire: &mut self.wire,
                spill: &self.spill,
                restored: restored.clone(),
                stamped_us: self.keeper.stamp.last_us(),
            },
            stop,
        );
        let life = life.await?;
        *restored = Restored::default();
        info!("the engine lives");
        self.has_run = true;
        self.follow_subscribed(&life);
        self.life = Some(life);
        Ok(())
    }

    /// Keeps what the broker streams until `until` is done. An error says that the lock or the process was
    /// stopped before.
    async fn keep_during_lock<T>(
        &mut self,
        lock: &AdvisoryLock,
        stop: &CancellationToken,
        until: impl Future<Output = T>,
    ) -> anyhow::Result<T> {
        let until = async {
            tokio::select! {
                done = until => Ok(done),
                () = lock.lost() => Err(lost_meanwhile().into()),
            }
        };
        let done = self.keep_during(stop, Box::pin(until)).await;
        done.context("stopped while the engine began")?
    }

    /// Lets whoever waits for the first subscriptions know of them.
    fn follow_subscribed(&self, life: &Life) {
        let (mut from, to) = (life.subscribed(), self.subscribed.clone());
        drop(turnstile_connectors::task::spawn(
            "subscribed",
            async move {
                if from.wait_for(|subscribed| *subscribed).await.is_ok() {
                    to.send_replace(true);
                }
            },
        ));
    }

    /// Opens the broker's stream for what was streamed last, unless it is open.
    fn listen(&mut self) {
        match self.spill.remembered() {
            Ok(symbols) => {
                self.wire.open(&symbols.unwrap_or_default());
            }
            Err(error) => warn!(%error, "nobody knows what was streamed last; nothing is kept"),
        }
    }

    /// Keeps what the broker streams until `until` is done. None where `stop` comes first.
    async fn keep_during<T>(
        &mut self,
        stop: &CancellationToken,
        until: impl Future<Output = T>,
    ) -> Option<T> {
        let until = stop.run_until_cancelled(until);
        self.keeper.keep_during(&mut self.wire, until).await
    }
}
