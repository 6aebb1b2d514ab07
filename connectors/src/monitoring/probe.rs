//! Whether PostgreSQL answers, by a connection of its own: no pool, no retry of others, and a short
//! patience.
//!
//! It is away once a statement is not answered and a new connection fails as well: a connection that was
//! cut is not yet an outage.

use std::time::Duration;

use metrics::{gauge, histogram};
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, timeout};
use tokio_postgres::Client;
use tokio_util::sync::CancellationToken;

use super::metrics as names;
use crate::postgres::Postgres;

/// How soon the end of the connection is seen.
const CLOSED_SEEN_WITHIN: Duration = Duration::from_millis(50);

/// Looks at PostgreSQL.
pub(super) struct Probe {
    pub(super) postgres: Postgres,
    pub(super) every: Duration,
    pub(super) patience: Duration,
    /// Why it is away; none while it answers.
    pub(super) away: watch::Sender<Option<String>>,
}

impl Probe {
    /// Looks until `stop`, and once more then: the process may end because PostgreSQL is away.
    pub(super) async fn run(self, stop: CancellationToken) {
        let mut client = None;
        let mut step = tokio::time::interval(self.every.min(CLOSED_SEEN_WITHIN));
        step.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut looked: Option<Instant> = None;
        while stop.run_until_cancelled(step.tick()).await.is_some() {
            let is_due = looked.is_none_or(|at| at.elapsed() >= self.every);
            if is_due || client.as_ref().is_some_and(Client::is_closed) {
                looked = Some(Instant::now());
                self.look_and_tell(&mut client).await;
            }
        }
        self.look_and_tell(&mut client).await;
    }

    async fn look_and_tell(&self, client: &mut Option<Client>) {
        let began = Instant::now();
        let away = self.look(client).await;
        histogram!(names::PROBE_SECONDS).record(began.elapsed().as_secs_f64());
        gauge!(names::POSTGRES_UP).set(f64::from(u8::from(away.is_none())));
        self.away.send_if_modified(|known| {
            let has_changed = known.is_some() != away.is_some();
            *known = away;
            has_changed
        });
    }

    /// Returns why PostgreSQL is away, if it is.
    async fn look(&self, client: &mut Option<Client>) -> Option<String> {
        if let Some(known) = client
            && self.answers(known).await.is_ok()
        {
            return None;
        }
        *client = None;
        match timeout(self.patience, self.postgres.connect_alone()).await {
            Ok(Ok(fresh)) => {
                let answers = self.answers(&fresh).await;
                *client = Some(fresh);
                answers.err()
            }
            Ok(Err(error)) => Some(error.to_string()),
            Err(_) => Some(format!("no connection within {:?}", self.patience)),
        }
    }

    async fn answers(&self, client: &Client) -> Result<(), String> {
        match timeout(self.patience, client.simple_query("SELECT 1")).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err(format!("no answer within {:?}", self.patience)),
        }
    }
}
