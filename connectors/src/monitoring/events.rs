//! Events that are alarms by themselves: what the parts raise, and rows that others write to
//! `system.logs`.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tracing::warn;
use uuid::Uuid;

use super::episodes::{Ends, Raise};
use crate::postgres::{LogLevel, Postgres, PostgresError};

/// Events that may wait.
const QUEUE: usize = 1_024;
/// How often rows are looked for.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Rows may become visible out of order: it is looked back by so many.
const LOOK_BACK: i64 = 1_000;
/// Rows of one look: more than are looked back at, or a flood would hide what comes after it.
const ROWS_MAX: i64 = 2 * LOOK_BACK;

/// Events that end others: what stands of the first is over with the second.
const PAIRS: [(&str, &str); 4] = [
    ("price_stale", "price_fresh"),
    ("BROKER_DOWN", "BROKER_BACK"),
    ("PRICES_EMERGENCY", "PRICES_BACK"),
    ("naver_off", "naver_on"),
];

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SystemEvent {
    /// How much it matters.
    pub level: LogLevel,
    /// What happened, as a code.
    pub event: String,
    /// Issue concerned.
    pub symbol: Option<String>,
    /// Position concerned.
    pub position: Option<Uuid>,
    /// What happened, in words.
    pub message: String,
}

/// What an event does to the episodes.
pub(super) enum Doing {
    Raise(Raise),
    /// Clears a key, with these words.
    Clear(String, String),
}

impl SystemEvent {
    /// Returns what it is about.
    fn subject(&self) -> Option<String> {
        let position = || self.position.map(|position| position.to_string());
        self.symbol.clone().or_else(position)
    }

    fn key(&self, event: &str) -> String {
        let subject = self.subject().unwrap_or_default();
        format!("event:{event}:{subject}")
    }

    /// Returns what follows. None where it is nothing to be warned of.
    pub(super) fn doing(self) -> Option<Doing> {
        if let Some((begin, _)) = PAIRS.iter().find(|(_, end)| *end == self.event) {
            return Some(Doing::Clear(self.key(begin), self.message));
        }
        if self.level == LogLevel::Info {
            return None;
        }
        let key = self.key(&self.event);
        Some(Doing::Raise(Raise {
            ends: ends_of(&key).unwrap_or(Ends::ByItself),
            subject: self.subject(),
            key,
            name: self.event,
            level: self.level,
            message: self.message,
            value: None,
            limit: None,
        }))
    }
}

/// Returns how an event of this key ends. None where the key is none of an event.
pub(super) fn ends_of(key: &str) -> Option<Ends> {
    let (event, _) = key.strip_prefix("event:")?.split_once(':')?;
    let has_end = PAIRS.iter().any(|(begin, _)| *begin == event);
    Some(match has_end {
        true => Ends::WhenCleared,
        false => Ends::ByItself,
    })
}

/// Where events are told. Never waits; what finds the queue full is in the database all the same.
#[derive(Clone, Debug)]
pub struct EventSender(mpsc::Sender<SystemEvent>);

impl EventSender {
    pub(super) fn new() -> (Self, mpsc::Receiver<SystemEvent>) {
        let (sender, receiver) = mpsc::channel(QUEUE);
        (Self(sender), receiver)
    }

    /// Tells an event.
    pub fn tell(&self, event: SystemEvent) {
        drop(self.0.try_send(event));
    }
}

const NEWEST: &str = "SELECT coalesce(max(id), 0) FROM system.logs";
const ROWS: &str = "SELECT id, level, event, symbol, position_id, message FROM system.logs
    WHERE id > $1 AND module <> 'execution' AND level <> 'INFO' ORDER BY id LIMIT $2";

/// Tells rows of `system.logs` that come from now on, but those of execution, which tells its own.
pub(super) async fn follow_logs(postgres: Postgres, events: EventSender, stop: CancellationToken) {
    let mut rows = LogRows::default();
    let mut has_failed = false;
    loop {
        match rows.look(&postgres).await {
            Ok(found) => {
                has_failed = false;
                found.into_iter().for_each(|event| events.tell(event));
            }
            Err(error) if !std::mem::replace(&mut has_failed, true) => {
                warn!(%error, "system.logs cannot be followed, retrying");
            }
            Err(_) => {}
        }
        let pause = tokio::time::sleep(LOOK_EVERY);
        if stop.run_until_cancelled(pause).await.is_none() {
            return;
        }
    }
}

/// Which rows were seen.
#[derive(Default)]
struct LogRows {
    /// Newest row before the first look.
    begin: Option<i64>,
    seen: BTreeSet<i64>,
}

impl LogRows {
    async fn look(&mut self, postgres: &Postgres) -> Result<Vec<SystemEvent>, PostgresError> {
        let client = postgres.client().await?;
        let Some(begin) = self.begin else {
            let newest = client.query_one(NEWEST, &[]).await?;
            self.begin = Some(newest.try_get(0)?);
            return Ok(Vec::new());
        };
        let newest = self.seen.last().copied().unwrap_or(begin);
        let from = (newest - LOOK_BACK).max(begin);
        self.seen = self.seen.split_off(&from);
        let mut events = Vec::new();
        for row in client.query(ROWS, &[&from, &ROWS_MAX]).await? {
            let level: String = row.try_get(1)?;
            if self.seen.insert(row.try_get(0)?) {
                events.push(SystemEvent {
                    level: LogLevel::of_name(&level).unwrap_or(LogLevel::Critical),
                    event: row.try_get(2)?,
                    symbol: row.try_get(3)?,
                    position: row.try_get(4)?,
                    message: row.try_get(5)?,
                });
            }
        }
        Ok(events)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(level: LogLevel, event: &str) -> SystemEvent {
        SystemEvent {
            level,
            event: event.to_owned(),
            symbol: Some("005930".to_owned()),
            position: None,
            message: "m".to_owned(),
        }
    }

    #[test]
    fn an_event_is_raised_by_what_it_is_and_what_it_is_about() {
        let Some(Doing::Raise(raise)) = event(LogLevel::Warning, "price_stale").doing() else {
            panic!("it is raised");
        };
        assert_eq!(raise.key, "event:price_stale:005930");
        assert_eq!(raise.ends, Ends::WhenCleared);
        let Some(Doing::Clear(key, _)) = event(LogLevel::Info, "price_fresh").doing() else {
            panic!("it is cleared");
        };
        assert_eq!(key, raise.key);
        let Some(Doing::Raise(raise)) = event(LogLevel::Critical, "other").doing() else {
            panic!("it is raised");
        };
        assert_eq!(raise.ends, Ends::ByItself);
        assert!(event(LogLevel::Info, "other").doing().is_none());
    }
}
