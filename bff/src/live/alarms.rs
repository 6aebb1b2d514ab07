//! Alarms: log entries that somebody should look at.
//!
//! The log is not followed, so it is read once a second. Its numbers are given before a commit and may
//! appear out of order; therefore each reading goes back a few seconds and tells what is new in there.

use std::collections::{BTreeSet, VecDeque};

use turnstile_connectors::postgres::Postgres;

use super::hub::Live;
use super::rows::{RowsError, written};
use super::topic::Topic;
use crate::api::logs::LogEntry;
use crate::queries::QueryError;
use crate::queries::logs;

/// How many entries back a snapshot looks for alarms, which are few among them.
const ENTRIES_BACK: i64 = 100_000;
/// How many readings back each reading goes.
const READINGS_BACK: usize = 10;
/// Most alarms of one reading; with more, the oldest are in the log only.
const READING_MAX: i64 = 1_000;

/// Returns the newest `limit` alarms, newest first.
pub(super) async fn newest(db: &Postgres, limit: i64) -> Result<Vec<LogEntry>, QueryError> {
    let newest = logs::newest_id(db).await?;
    logs::alarms(db, newest - ENTRIES_BACK, limit).await
}

/// Which alarms clients were told.
#[derive(Debug, Default)]
pub(super) struct Alarms {
    /// Last entry of each of the last readings.
    read: VecDeque<i64>,
    /// Alarms told since the first of those.
    told: BTreeSet<i64>,
}

impl Alarms {
    /// Tells clients the alarms that are new; with the first reading none are.
    pub(super) async fn follow(&mut self, db: &Postgres, live: &Live) -> Result<(), RowsError> {
        let newest = logs::newest_id(db).await?;
        let since = *self.read.front().unwrap_or(&newest);
        let mut found = logs::alarms(db, since, READING_MAX).await?;
        found.retain(|entry| !self.told.contains(&entry.id));
        live.tell(Topic::Alarms, &written(&found)?, &[])?;
        self.told.extend(found.iter().map(|entry| entry.id));
        self.read.push_back(newest);
        if self.read.len() > READINGS_BACK {
            self.read.pop_front();
        }
        let since = *self.read.front().unwrap_or(&newest);
        self.told.retain(|id| *id > since);
        Ok(())
    }
}
