//! Keeps the calendar in force up to date with what is stored.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::days::read_told;
use crate::execution::SharedCalendar;
use crate::postgres::Postgres;

/// How often the table is read, also where nobody says that it has changed: the operator writes there.
const READ_EVERY: Duration = Duration::from_secs(10);

/// Reads `market.calendar` into the calendar in force.
pub struct CalendarKeeper {
    /// Where from.
    pub postgres: Postgres,
    /// Where to.
    pub calendar: SharedCalendar,
    /// Told when days were stored.
    pub stored: Arc<Notify>,
}

impl CalendarKeeper {
    /// Keeps it until `stop`. What cannot be read leaves the calendar as it is.
    pub async fn run(self, stop: CancellationToken) {
        let mut has_failed = false;
        while stop.run_until_cancelled(self.look()).await.is_some() {
            match read_told(&self.postgres).await {
                Ok(told) => {
                    has_failed = false;
                    if self.calendar.tell(told) {
                        info!("the calendar has changed");
                    }
                }
                Err(error) if !std::mem::replace(&mut has_failed, true) => {
                    warn!(%error, "the calendar cannot be read, it stays as it is");
                }
                Err(_) => {}
            }
        }
    }

    /// Returns when the table is to be read.
    async fn look(&self) {
        drop(tokio::time::timeout(READ_EVERY, self.stored.notified()).await);
    }
}
