//! Alarms of execution: rows of `system.logs`, written beside the work that raises them.

use metrics::counter;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use super::metrics as names;
use super::store::{Chain, GivenUp, Store};
use crate::postgres::{LogLevel, LogRow, PostgresClient, write_log};

/// Part of the system that says it.
pub(super) const MODULE: &str = "execution";

/// Alarms that wait for the database at most.
const QUEUE: usize = 1_024;

/// Where alarms are raised.
#[derive(Clone, Debug)]
pub struct Alarms {
    queue: mpsc::Sender<LogRow>,
}

/// Writes alarms to the database.
#[derive(Debug)]
pub struct AlarmWriter {
    queue: mpsc::Receiver<LogRow>,
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
        (Self { queue: sender }, writer)
    }

    /// Logs an alarm and queues it for the database. Never waits: an alarm that finds the queue
    /// full is only logged and counted.
    pub fn raise(&self, alarm: LogRow) {
        let LogRow {
            event,
            message,
            context,
            ..
        } = &alarm;
        match alarm.level {
            LogLevel::Info => info!(event, %context, "{message}"),
            LogLevel::Warning => warn!(event, %context, "{message}"),
            LogLevel::Critical | LogLevel::P0 => error!(event, %context, "{message}"),
        }
        if self.queue.try_send(alarm).is_err() {
            counter!(names::ALARMS_DROPPED).increment(1);
        }
    }
}

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

    async fn write(&self, alarm: &LogRow, stop: &CancellationToken) {
        let work = |client: PostgresClient| async move {
            let driver: &tokio_postgres::Client = &client;
            Ok(write_log(driver, alarm).await?)
        };
        match self.store.persist("alarm", stop, work).await {
            Ok(()) | Err(GivenUp::Stopped) => {}
            Err(GivenUp::Refused(error)) => {
                error!(event = alarm.event, error = %Chain(&error), "alarm not stored");
            }
        }
    }
}
