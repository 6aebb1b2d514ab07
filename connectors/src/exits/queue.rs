//! A queue into which one never waits.

use std::time::Duration;

use metrics::counter;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use super::metrics as names;
use crate::postgres::PostgresError;

const RETRY: Duration = Duration::from_millis(500);

/// Where records are told.
#[derive(Debug)]
pub struct Told<T> {
    records: mpsc::Sender<T>,
    kind: &'static str,
}

impl<T> Told<T> {
    /// Returns a queue of `length` records, and its end.
    pub(super) fn new(kind: &'static str, length: usize) -> (Self, mpsc::Receiver<T>) {
        let (records, receiver) = mpsc::channel(length.max(1));
        (Self { records, kind }, receiver)
    }

    /// Queues a record. Never waits: one that finds the queue full is counted as lost.
    pub fn tell(&self, record: T) {
        if self.records.try_send(record).is_err() {
            counter!(names::LOST, "kind" => self.kind).increment(1);
        }
    }
}

/// Does `write` until it succeeds. What the database refuses for good is counted as lost, and so
/// is what is left at `stop`, after one attempt.
pub(super) async fn store<W>(
    kind: &'static str,
    count: usize,
    stop: &CancellationToken,
    mut write: impl FnMut() -> W,
) -> bool
where
    W: Future<Output = Result<(), PostgresError>>,
{
    let mut has_failed = false;
    loop {
        let Err(cause) = write().await else {
            if has_failed {
                info!(kind, count, "stored at last");
            }
            return true;
        };
        if !cause.is_transient() {
            error!(kind, count, error = %cause, "not stored, refused");
        } else if !std::mem::replace(&mut has_failed, true) {
            warn!(kind, count, error = %cause, "not stored, retrying");
        }
        let is_over = !cause.is_transient()
            || stop
                .run_until_cancelled(tokio::time::sleep(RETRY))
                .await
                .is_none();
        if is_over {
            let lost = u64::try_from(count).unwrap_or(u64::MAX);
            counter!(names::LOST, "kind" => kind).increment(lost);
            return false;
        }
    }
}
