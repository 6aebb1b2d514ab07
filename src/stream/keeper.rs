//! What the broker's stream brings while there is no engine: it is kept on disk, judged by nobody.
//!
//! Prices get their logical times here, as in the sequencer. Where the disk takes nothing more, nothing
//! more is read, and the broker's bytes wait in the socket.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior};
use tracing::{error, warn};
use turnstile_connectors::execution::{BrokerEvent, Notice, broker_event};
use turnstile_connectors::kis::{KisEvent, Stamped};
use turnstile_connectors::monitoring::{EventSender, SystemEvent};
use turnstile_connectors::postgres::LogLevel;
use turnstile_connectors::spill::{Kept, Spill, SpillError};

use super::price_rows::price_row;
use super::sequencer::Stamp;
use super::wire::Wire;

/// Events taken at once.
const TOGETHER: usize = 1_024;
/// How often what was kept is made safe against the loss of the machine.
const SYNC_EVERY: Duration = Duration::from_secs(1);
/// How often a full disk is tried again, and told.
const FULL_PAUSE: Duration = Duration::from_secs(1);
const FULL_TOLD_EVERY: Duration = Duration::from_secs(60);

/// Keeps what comes while there is no engine.
pub(super) struct Keeper {
    pub(super) stamp: Stamp,
    spill: Arc<Spill>,
    /// Whoever tells people; the database is away.
    pub(super) alarms: Option<EventSender>,
    told_full: Option<Instant>,
    /// What the disk did not take.
    waiting: Vec<Kept>,
}

impl Keeper {
    pub(super) fn new(stamp: Stamp, spill: Arc<Spill>) -> Self {
        Self {
            stamp,
            spill,
            alarms: None,
            told_full: None,
            waiting: Vec::new(),
        }
    }

    /// Keeps what `wire` brings until `until` is done, and returns what it returns.
    pub(super) async fn keep_during<T>(
        &mut self,
        wire: &mut Wire,
        until: impl Future<Output = T>,
    ) -> T {
        let mut until = std::pin::pin!(until);
        let Some(events) = wire.events() else {
            return until.await;
        };
        let mut sync = tokio::time::interval(SYNC_EVERY);
        sync.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut taken = Vec::with_capacity(TOGETHER);
        loop {
            let has_room = self.waiting.is_empty();
            tokio::select! {
                biased;
                done = &mut until => return done,
                _ = sync.tick() => self.sync().await,
                count = events.recv_many(&mut taken, TOGETHER), if has_room => {
                    if count == 0 {
                        return until.await; // The stream has ended: the process stops.
                    }
                    let stamp = &mut self.stamp;
                    self.waiting.extend(taken.drain(..).flat_map(|stamped| kept(stamp, stamped)));
                    self.keep_waiting();
                }
                () = tokio::time::sleep(FULL_PAUSE), if !has_room => self.keep_waiting(),
            }
        }
    }

    /// Keeps a notice that was read and handed to nobody.
    pub(super) fn keep_notice(&mut self, notice: Option<Notice>) {
        self.waiting.extend(notice.map(Kept::Notice));
        self.keep_waiting();
    }

    /// Takes what the disk did not take, for whoever can store it.
    pub(super) fn take_waiting(&mut self) -> Vec<Kept> {
        std::mem::take(&mut self.waiting)
    }

    /// Keeps what waits, if the disk takes it.
    fn keep_waiting(&mut self) {
        if self.waiting.is_empty() {
            return;
        }
        match self.spill.keep(&self.waiting) {
            Ok(()) => self.waiting.clear(),
            Err(error) => self.tell_full(&error),
        }
    }

    fn tell_full(&mut self, error: &SpillError) {
        let now = Instant::now();
        if self
            .told_full
            .is_some_and(|told| now < told + FULL_TOLD_EVERY)
        {
            return;
        }
        self.told_full = Some(now);
        let message = format!("prices cannot be kept on disk, none are read: {error}");
        error!("{message}");
        if let Some(alarms) = &self.alarms {
            alarms.tell(SystemEvent {
                level: LogLevel::Critical,
                event: "SPILL_FULL".to_owned(),
                symbol: None,
                position: None,
                message,
            });
        }
    }

    async fn sync(&self) {
        let spill = self.spill.clone();
        let synced = tokio::task::spawn_blocking(move || spill.sync()).await;
        if let Ok(Err(error)) = synced {
            warn!(%error, "what is kept is not safe against the loss of the machine");
        }
    }
}

/// Returns what is to be kept of an event.
fn kept(stamp: &mut Stamp, stamped: Stamped) -> Vec<Kept> {
    match (broker_event(&stamped.event), stamped.event) {
        (Some(BrokerEvent::Notice(notice)), _) => vec![Kept::Notice(notice)],
        (None, KisEvent::Trades(trades)) => trades
            .iter()
            .map(|trade| price_row(trade, stamp.at(trade.received_us)))
            .map(|row| Kept::Unjudged(Box::new(row)))
            .collect(),
        _ => Vec::new(),
    }
}
