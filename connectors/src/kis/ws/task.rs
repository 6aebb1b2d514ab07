//! Session after session, without end.

use std::collections::BTreeSet;
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use metrics::counter;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};
use tokio_tungstenite::connect_async_with_config;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tracing::{debug, warn};
use turnstile_dataflows::model::Symbol;

use super::KisEvent;
use super::outbox::{Gone, Outbox};
use super::session::{End, Session, Socket};
use crate::kis::Clock;
use crate::kis::client::KisClient;
use crate::kis::config::{KisSettings, Reconnect};
use crate::kis::metrics::{CONNECTIONS, RECONNECTS};

/// Longest message that is read: 999 records of 500 bytes and room.
const MESSAGE_BYTES_MAX: usize = 4 << 20;

/// What is known of a session. It is open once the broker has answered a request: a connection under a key
/// that is in use elsewhere is taken at first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Status {
    pub(super) is_open: bool,
    /// Registrations that it takes.
    pub(super) limit: usize,
    /// Symbols whose trades the broker may be sending.
    pub(super) held: BTreeSet<Symbol>,
}

impl Status {
    /// Returns the status of a session that is not open: the next one may take what is configured.
    pub(super) fn closed(settings: &KisSettings) -> Self {
        Self {
            is_open: false,
            limit: settings.registrations_max,
            held: BTreeSet::new(),
        }
    }
}

/// Where the task of a session tells its status.
pub(super) struct Report {
    statuses: watch::Sender<Vec<Status>>,
    /// Which session, from 0.
    pub(super) session: usize,
}

impl Report {
    pub(super) fn new(statuses: watch::Sender<Vec<Status>>, session: usize) -> Self {
        Self { statuses, session }
    }

    /// Returns whether other sessions share the symbols.
    pub(super) fn is_shared(&self) -> bool {
        self.statuses.borrow().len() > 1
    }

    pub(super) fn tell(&self, status: Status) {
        self.statuses.send_if_modified(|all| {
            let is_new = all[self.session] != status;
            all[self.session] = status;
            is_new
        });
    }
}

/// What every session of the task uses.
pub(super) struct Shared {
    pub(super) client: KisClient,
    pub(super) clock: Clock,
    pub(super) wanted: watch::Receiver<BTreeSet<Symbol>>,
    pub(super) outbox: Outbox,
    pub(super) report: Report,
}

/// The connection's task.
pub(super) struct Task {
    shared: Shared,
    pauses: ExponentialBackoff,
    /// Attempts since the last healthy session.
    failures: u64,
    /// Whether the consumer knows that there is no session.
    is_down_told: bool,
}

impl Task {
    pub(super) fn new(
        client: KisClient,
        clock: Clock,
        wanted: watch::Receiver<BTreeSet<Symbol>>,
        outbox: Outbox,
        report: Report,
    ) -> Self {
        Self {
            pauses: pauses(&client.settings().reconnect),
            shared: Shared {
                client,
                clock,
                wanted,
                outbox,
                report,
            },
            failures: 0,
            is_down_told: false,
        }
    }

    pub(super) async fn run(mut self) {
        while let Ok(pause) = self.attempt().await {
            tokio::select! {
                biased;
                () = self.shared.outbox.gone() => break,
                () = sleep(pause) => {}
            }
            if self.shared.wanted.has_changed().is_err() {
                break; // The handle is gone.
            }
        }
        debug!(session = self.number(), "stream ended");
    }

    /// Opens a session and serves it; returns the pause before the next.
    async fn attempt(&mut self) -> Result<Duration, Gone> {
        let opened = tokio::select! {
            biased;
            () = self.shared.outbox.gone() => return Err(Gone),
            opened = self.open() => opened,
        };
        let reconnect = self.shared.client.settings().reconnect.clone();
        let mut lived = Duration::ZERO;
        let end = match opened {
            Err(reason) => End::Lost(reason),
            Ok((socket, approval_key)) => {
                counter!(CONNECTIONS).increment(1);
                self.tell(KisEvent::Connected).await?;
                self.is_down_told = false;
                let since = Instant::now();
                let session = Session::new(&mut self.shared, socket, approval_key);
                let end = Box::pin(session.serve()).await;
                lived = since.elapsed();
                let closed = Status::closed(self.shared.client.settings());
                self.shared.report.tell(closed);
                end
            }
        };
        if lived >= reconnect.healthy_after {
            self.failures = 0;
            self.pauses = pauses(&reconnect);
        }
        let pause = self.pauses.next().unwrap_or(reconnect.pause_max);
        let (reason, pause) = match end {
            End::Gone => return Err(Gone),
            End::Lost(reason) => (reason, pause.min(reconnect.pause_max)),
            End::InUse(reason) => (reason, reconnect.in_use_pause),
        };
        counter!(RECONNECTS).increment(1);
        self.failures += 1;
        if self.failures.is_power_of_two() {
            let failures = self.failures;
            let session = self.number();
            warn!(
                session,
                reason,
                failures,
                ?pause,
                "no session, trying again"
            );
        }
        if !self.is_down_told {
            self.is_down_told = true;
            self.tell(KisEvent::Disconnected { reason }).await?;
        }
        Ok(pause)
    }

    /// Fetches a key and connects.
    async fn open(&self) -> Result<(Socket, String), String> {
        let settings = self.shared.client.settings();
        let approval_key = self
            .shared
            .client
            .approval_key()
            .await
            .map_err(|error| error.to_string())?;
        let limits = WebSocketConfig::default()
            .max_message_size(Some(MESSAGE_BYTES_MAX))
            .max_frame_size(Some(MESSAGE_BYTES_MAX));
        let connecting = connect_async_with_config(settings.ws_url.as_str(), Some(limits), true);
        match timeout(settings.timeouts.connect, connecting).await {
            Ok(Ok((socket, _response))) => Ok((socket, approval_key)),
            Ok(Err(error)) => Err(format!("connect failed: {error}")),
            Err(_) => Err(format!(
                "connect took longer than {:?}",
                settings.timeouts.connect
            )),
        }
    }

    /// Returns which session this is, from 1, as people count.
    fn number(&self) -> usize {
        self.shared.report.session + 1
    }

    async fn tell(&mut self, event: KisEvent) -> Result<(), Gone> {
        let now_us = (self.shared.clock)();
        self.shared.outbox.push(now_us, event).await
    }
}

/// Returns the pauses between sessions. Jitter adds up to the pause itself, so half of the longest
/// is where doubling ends.
fn pauses(reconnect: &Reconnect) -> ExponentialBackoff {
    ExponentialBuilder::new()
        .with_min_delay(reconnect.pause_min)
        .with_max_delay((reconnect.pause_max / 2).max(reconnect.pause_min))
        .without_max_times()
        .with_jitter()
        .build()
}
