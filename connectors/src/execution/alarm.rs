//! Alarms of execution: rows of `system.logs`, written beside the work that raises them.

use metrics::counter;
use serde_json::Value;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};
use uuid::Uuid;

use super::metrics as names;
use super::store::{Chain, GivenUp, Store};
use crate::monitoring::{EventSender, SystemEvent};
use crate::postgres::LogLevel;

/// Alarms that wait for the database at most.
const QUEUE: usize = 1_024;

/// How much an alarm matters, by the names of `system.logs`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// A change of state that a human follows.
    Info,
    /// Unexpected, and dealt with.
    Warning,
    /// Someone must act now.
    Critical,
}

impl Level {
    const fn name(self) -> &'static str {
        match self {
            Self::Info => "INFO",
            Self::Warning => "WARNING",
            Self::Critical => "CRITICAL",
        }
    }
}

/// One row of `system.logs`.
#[derive(Clone, Debug)]
pub struct Alarm {
    /// How much it matters.
    pub level: Level,
    /// What happened, as a code.
    pub event: &'static str,
    /// Issue concerned.
    pub symbol: Option<String>,
    /// Position concerned.
    pub position: Option<Uuid>,
    /// What happened, in words.
    pub message: String,
    /// Facts.
    pub context: Value,
}

impl Alarm {
    fn to_event(&self) -> SystemEvent {
        SystemEvent {
            level: match self.level {
                Level::Info => LogLevel::Info,
                Level::Warning => LogLevel::Warning,
                Level::Critical => LogLevel::Critical,
            },
            event: self.event.to_owned(),
            symbol: self.symbol.clone(),
            position: self.position,
            message: self.message.clone(),
        }
    }
}

/// Where alarms are raised.
#[derive(Clone, Debug)]
pub struct Alarms {
    queue: mpsc::Sender<Alarm>,
    /// Whoever tells people. Does not wait for the database.
    events: Option<EventSender>,
}

/// Writes alarms to the database.
#[derive(Debug)]
pub struct AlarmWriter {
    queue: mpsc::Receiver<Alarm>,
    store: Store,
}

impl Alarms {
    /// Returns where alarms are raised, and the task that writes them.
    pub fn new(store: Store) -> (Self, AlarmWriter) {
        let (sender, receiver) = mpsc::channel(QUEUE);
        let writer = AlarmWriter {
            queue: receiver,
            store,
        };
        let alarms = Self {
            queue: sender,
            events: None,
        };
        (alarms, writer)
    }

    /// Tells people of alarms as well, by `events`.
    pub fn telling(mut self, events: Option<EventSender>) -> Self {
        self.events = events;
        self
    }

    /// Logs an alarm and queues it for the database. Never waits: an alarm that finds the queue
    /// full is only logged and counted.
    pub fn raise(&self, alarm: Alarm) {
        let Alarm {
            event,
            message,
            context,
            ..
        } = &alarm;
        match alarm.level {
            Level::Info => info!(event, %context, "{message}"),
            Level::Warning => warn!(event, %context, "{message}"),
            Level::Critical => error!(event, %context, "{message}"),
        }
        if let Some(events) = &self.events {
            events.tell(alarm.to_event());
        }
        if self.queue.try_send(alarm).is_err() {
            counter!(names::ALARMS_DROPPED).increment(1);
        }
    }
}

const WRITE: &str = "INSERT INTO system.logs
        (level, module, event, symbol, position_id, message, context)
    VALUES ($1, 'execution', $2, $3, $4, $5, $6)";

impl AlarmWriter {
    /// Writes alarms until `stop`; those already queued are still tried once.
    pub async fn run(mut self, stop: CancellationToken) {
        while let Some(Some(alarm)) = stop.run_until_cancelled(self.queue.recv()).await {
            self.write(&alarm, &stop).await;
        }
        self.queue.close();
        while let Ok(alarm) = self.queue.try_recv() {
            self.write(&alarm, &stop).await;
        }
    }

    async fn write(&self, alarm: &Alarm, stop: &CancellationToken) {
        let written = self.store.persist("alarm", stop, |client| async move {
            let statement = client.prepare_cached(WRITE).await?;
            let (level, event) = (alarm.level.name(), alarm.event);
            let Alarm {
                symbol,
                position,
                message,
                context,
                ..
            } = alarm;
            client
                .execute(
                    &statement,
                    &[&level, &event, symbol, position, message, context],
                )
                .await?;
            Ok(())
        });
        match written.await {
            Ok(()) | Err(GivenUp::Stopped) => {}
            Err(GivenUp::Refused(error)) => {
                error!(event = alarm.event, error = %Chain(&error), "alarm not stored");
            }
        }
    }
}
