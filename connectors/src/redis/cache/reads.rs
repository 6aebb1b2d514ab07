//! Reads of keys: those that come while Redis is being asked are asked for together, next.
//!
//! A read that comes alone goes out at once. Under load one call carries many, which costs Redis and
//! this process a fraction of as many calls. No value outlives the answer that carries it, and a read
//! is never answered by a call that began before it.

use std::sync::atomic::Ordering;
use std::sync::{Mutex, PoisonError};

use metrics::counter;
use tokio::sync::oneshot;
use tokio::time::timeout;
use tracing::Span;
use uuid::Uuid;

use super::{Cache, EPOCH, EPOCH_KEY, Seen, guard_of, names};

/// Calls under way at once that carry reads.
const CARRIERS_MAX: usize = 2;
/// Reads that one call carries at most, so that no answer is late for its length.
const CARRIED_MAX: usize = 128;

/// A value, and what may be compared with later; that is none where Redis has just begun.
type Read = (Option<String>, Option<Seen>);

/// A key that somebody waits for.
#[derive(Debug)]
struct Wanted {
    key: String,
    /// None where Redis does not answer.
    answer: oneshot::Sender<Option<Read>>,
}

/// The reads that wait, and how many tasks carry them.
#[derive(Debug, Default)]
pub(super) struct Reads(Mutex<Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    wanted: Vec<Wanted>,
    carriers: usize,
}

impl Reads {
    /// Lets a read wait. Returns whether the caller has to start a carrier for it.
    fn add(&self, wanted: Wanted) -> bool {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.wanted.push(wanted);
        let needs_carrier = waiting.carriers < CARRIERS_MAX;
        waiting.carriers += usize::from(needs_carrier);
        needs_carrier
    }

    /// Takes reads to carry; none where none waits, and then the carrier is one no more.
    fn take(&self) -> Vec<Wanted> {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.wanted.retain(|wanted| !wanted.answer.is_closed());
        let count = waiting.wanted.len().min(CARRIED_MAX);
        if count == 0 {
            waiting.carriers -= 1;
        }
        waiting.wanted.drain(..count).collect()
    }
}

impl Cache {
    /// Returns the value of `key`, and what may be compared with later. None where Redis does not answer.
    pub(in crate::redis) async fn read(&self, key: &str) -> Option<(Option<String>, Seen)> {
        if self.inner.connections.is_none() || self.inner.owed.contains(key) {
            self.missed();
            return None;
        }
        let read = match self.try_read(key).await {
            // A Redis that has just begun has no epoch: it is given one, unless somebody else is quicker.
            Some((_, None)) if self.begin_epoch().await => self.try_read(key).await,
            read => read,
        };
        match read {
            Some((value, Some(seen))) => {
                if value.is_some() {
                    self.inner.hits.fetch_add(1, Ordering::Relaxed);
                    counter!(names::HITS).increment(1);
                } else {
                    self.missed();
                }
                Some((value, seen))
            }
            Some((_, None)) | None => {
                self.missed();
                None
            }
        }
    }

    async fn try_read(&self, key: &str) -> Option<Read> {
        let (answer, answered) = oneshot::channel();
        let key = key.to_owned();
        if self.inner.reads.add(Wanted { key, answer }) {
            // It carries the reads of other requests than this one, too.
            let carrying = || crate::task::spawn("cache reads", carry(self.clone()));
            drop(Span::none().in_scope(carrying));
        }
        // As long as a call of its own would take, with the wait for a connection.
        let answered = timeout(self.inner.call_timeout * 4, answered).await;
        answered.ok()?.ok()?
    }

    /// Reads all keys in one call.
    async fn read_all(&self, wanted: &[Wanted]) -> Option<Vec<Read>> {
        let mut read = redis::cmd("MGET");
        for Wanted { key, .. } in wanted {
            read.arg(key).arg(guard_of(key));
        }
        read.arg(EPOCH_KEY);
        let values = self.call_soon(async |mut connection| {
            read.query_async::<Vec<Option<Vec<u8>>>>(&mut connection)
                .await
        });
        // What is no text is of no use to the one who asked for it, and to him alone.
        let text = |value: Option<Vec<u8>>| value.and_then(|value| String::from_utf8(value).ok());
        let mut values: Vec<Option<String>> = values.await?.into_iter().map(text).collect();
        let epoch = values.pop()?;
        let mut values = values.into_iter();
        let mut reads = Vec::with_capacity(wanted.len());
        while let (Some(value), Some(mark)) = (values.next(), values.next()) {
            let seen = epoch.clone().map(|epoch| Seen { mark, epoch });
            reads.push((value, seen));
        }
        Some(reads)
    }

    async fn begin_epoch(&self) -> bool {
        let epoch = Uuid::new_v4().to_string();
        let begun = self.call_soon(async |mut connection| {
            redis::cmd("SET")
                .arg(EPOCH_KEY)
                .arg(&epoch)
                .arg("EX")
                .arg(EPOCH.as_secs())
                .arg("NX")
                .query_async::<redis::Value>(&mut connection)
                .await
        });
        begun.await.is_some()
    }
}

/// Carries reads until none waits.
async fn carry(cache: Cache) {
    loop {
        let wanted = cache.inner.reads.take();
        if wanted.is_empty() {
            return;
        }
        let mut read = cache.read_all(&wanted).await.map(Vec::into_iter);
        for Wanted { answer, .. } in wanted {
            // Who has given up needs no answer.
            drop(answer.send(read.as_mut().and_then(Iterator::next)));
        }
    }
}
