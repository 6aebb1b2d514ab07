//! Limits that the operator has set (`system.config`), as they stand now.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use super::look::Look;
use crate::postgres::{Postgres, PostgresError};
use crate::settings::{self, Setting};

const EVERY: Duration = Duration::from_secs(1);
const PATIENCE: Duration = Duration::from_secs(5);

const ROWS: &str = "SELECT key, value FROM system.config WHERE starts_with(key, 'alarms.')";

/// Values by key.
pub(super) type Rows = BTreeMap<String, Value>;

/// Limits that were set, on their way to the looks.
pub(super) struct SetLimits {
    rows: watch::Receiver<Rows>,
    /// Faulty values that the log has.
    told: Rows,
}

impl SetLimits {
    /// Returns them, and the way in for [`follow`]; `rows` are those of the first look.
    pub(super) fn new(rows: Rows) -> (watch::Sender<Rows>, Self) {
        let (sender, mut rows) = watch::channel(rows);
        rows.mark_changed();
        let told = Rows::new();
        (sender, Self { rows, told })
    }

    /// Puts what has changed in force. A faulty row leaves its alarm as it is without one.
    pub(super) fn apply(&mut self, looks: &mut [Look]) {
        // An error means that nobody reads them any more.
        if !matches!(self.rows.has_changed(), Ok(true)) {
            return;
        }
        let rows = self.rows.borrow_and_update().clone();
        let mut faulty = Rows::new();
        for (key, value) in &rows {
            let Some(message) = fault(key, value) else {
                continue;
            };
            if self.told.get(key) != Some(value) {
                warn!(key, "limits not taken, the default holds: {message}");
            }
            faulty.insert(key.clone(), value.clone());
        }
        self.told = faulty;
        for look in looks {
            let set = Setting::find(&format!("alarms.{}", look.name()))
                .and_then(|setting| setting.limits(rows.get(&setting.key())?).ok());
            look.set_limits(set);
        }
    }
}

fn fault(key: &str, value: &Value) -> Option<String> {
    let Some(setting) = Setting::find(key) else {
        return Some("no alarm has this name".to_owned());
    };
    let faults = setting.limits(value).err()?;
    Some(settings::in_words(&faults))
}

/// Reads them, until `stop`. While PostgreSQL is away they stand as they were.
pub(super) async fn follow(
    postgres: Postgres,
    limits: watch::Sender<Rows>,
    stop: CancellationToken,
) {
    let mut step = tokio::time::interval(EVERY);
    step.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while stop.run_until_cancelled(step.tick()).await.is_some() {
        match timeout(PATIENCE, read(&postgres)).await {
            Ok(Ok(rows)) => {
                limits.send_if_modified(|known| {
                    let is_new = *known != rows;
                    *known = rows;
                    is_new
                });
            }
            // The probe tells of PostgreSQL.
            Ok(Err(error)) => debug!(%error, "limits not read"),
            Err(_) => debug!("limits not read in time"),
        }
    }
}

/// Returns the rows as they stand.
///
/// # Errors
/// If PostgreSQL does not answer.
pub(super) async fn read(postgres: &Postgres) -> Result<Rows, PostgresError> {
    let client = postgres.client().await?;
    let rows = client.query(ROWS, &[]).await?;
    let rows = rows
        .iter()
        .map(|row| Ok((row.try_get(0)?, row.try_get(1)?)));
    rows.collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::config::MonitoringConfig;
    use super::super::episodes::Episodes;
    use super::super::exposition::samples;
    use super::*;

    /// Whether the alarm of the engines stands where there is one, after each set of rows.
    #[test]
    fn a_row_takes_the_place_of_the_default_and_a_faulty_one_does_not() {
        let config = MonitoringConfig {
            clear_after: Duration::ZERO,
            ..MonitoringConfig::default()
        };
        let episodes = Episodes::new("stream".to_owned(), Duration::ZERO);
        let looks = config.rules().into_iter();
        let mut looks: Vec<_> = looks
            .map(|rule| Look::new(rule, &config, "stream", &episodes))
            .collect();
        let (sender, mut limits) = SetLimits::new(Rows::new());
        let one = samples("exit_active_engines 1\n");
        let (mut now, mut stands) = (Duration::ZERO, false);
        let mut after = |value: Option<Value>| {
            let rows = value.map(|value| ("alarms.duplicate_engine".to_owned(), value));
            sender.send_replace(Rows::from_iter(rows));
            limits.apply(&mut looks);
            for _ in 0..2 {
                now += Duration::from_secs(1);
                for look in &mut looks {
                    match look.look(now, &one) {
                        Some(said) if look.name() == "duplicate_engine" => stands = said.is_ok(),
                        _ => {}
                    }
                }
            }
            stands
        };
        assert!(!after(None));
        assert!(after(Some(json!({"critical": 0}))));
        assert!(!after(Some(json!({"critical": 1}))), "put back");
        assert!(after(Some(json!({"critical": 0.5}))));
        assert!(!after(Some(json!({"critical": "0"}))), "the default holds");
        assert!(after(Some(json!({"critical": 0}))));
        assert!(!after(None), "without a row");
    }

    #[test]
    fn a_fault_names_key_and_reason() {
        assert_eq!(fault("alarms.price_lag", &json!({"warning": 1})), None);
        let text = fault("alarms.price_lag", &json!({"warning": "x"})).unwrap();
        assert!(text.starts_with("warning must be a number"), "{text}");
        assert!(fault("alarms.nothing", &json!({})).is_some());
    }
}
