//! Old prices leave for their archive while the market is closed.

use std::sync::Arc;
use std::time::Duration;

use jiff::civil::Date;
use metrics::counter;
use serde_json::json;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};
use turnstile_connectors::execution::{Alarms, Level, SessionSource, wall_clock_us};
use turnstile_connectors::retention::{Hold, Looked, Retention, RetentionError, metrics as names};
use turnstile_dataflows::price::Session;

use super::alarms;

/// Looks for days of prices that are old enough.
pub(super) struct OldPrices {
    pub(super) retention: Retention,
    pub(super) look: Duration,
    pub(super) session: Arc<dyn SessionSource>,
    /// Whether the market has to be closed: that of the simulator may never be.
    pub(super) waits_for_close: bool,
    pub(super) alarms: Alarms,
}

/// What was told already, so that each thing is told once.
#[derive(Default)]
struct Told {
    has_failed: bool,
    is_away: bool,
    held: Vec<(Date, Hold)>,
    busy: Option<Date>,
}

impl OldPrices {
    /// Looks every so often, until `stop`. What is begun then, the next start finishes.
    pub(super) async fn run(self, stop: CancellationToken) {
        let mut told = Told::default();
        let mut look = tokio::time::interval(self.look);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while stop.run_until_cancelled(look.tick()).await.is_some() {
            if !self.may_go_on() {
                continue;
            }
            let may_go_on = || self.may_go_on();
            let looking = self.retention.look(wall_clock_us(), &may_go_on);
            match stop.run_until_cancelled(looking).await {
                None => return,
                Some(Ok(looked)) => self.tell(looked, &mut told),
                Some(Err(error)) => self.tell_fault(error, &mut told),
            }
        }
    }

    fn may_go_on(&self) -> bool {
        let is_closed =
            || !self.session.market().is_open() && self.session.of_prices() == Session::Off;
        !self.waits_for_close || is_closed()
    }

    fn tell(&self, looked: Looked, told: &mut Told) {
        if std::mem::take(&mut told.has_failed) {
            let message = "prices are archived again".to_owned();
            let alarm = alarms::source(Level::Info, "ARCHIVE_RESUMED", message, json!({}));
            self.alarms.raise(alarm);
        }
        told.is_away = false;
        if looked.is_whole && looked.held != told.held {
            if let Some((first, hold)) = looked.held.first() {
                let days = looked.held.len();
                info!(days, %first, %hold, "old prices stay attached: they are needed");
            }
            told.held = looked.held;
        }
        if let Some(day) = looked.busy
            && looked.busy != told.busy
        {
            warn!(%day, "old prices stay attached for now: market.prices is in use");
        }
        told.busy = looked.busy;
    }

    fn tell_fault(&self, error: RetentionError, told: &mut Told) {
        if matches!(error, RetentionError::Interrupted) {
            debug!("the session begins; old prices are archived after it");
            return;
        }
        if error.is_locked() {
            debug!("somebody else archives or restores");
            return;
        }
        counter!(names::FAILURES).increment(1);
        let is_away = matches!(&error, RetentionError::Store(error) if error.is_transient());
        let error = format!("{:#}", anyhow::Error::from(error));
        if is_away {
            // Others alarm of a database that is away.
            if !std::mem::replace(&mut told.is_away, true) {
                warn!(error, "old prices not archived");
            }
            return;
        }
        if std::mem::replace(&mut told.has_failed, true) {
            debug!(error, "old prices not archived");
            return;
        }
        let message = format!("old prices are not archived and stay attached: {error}");
        let alarm = alarms::source(Level::Critical, "ARCHIVE_FAILED", message, json!({}));
        self.alarms.raise(alarm);
    }
}
