//! Work of several callers, stored together.
//!
//! What is asked for while a transaction is under way waits and goes into the next one. A lone
//! caller waits out the spacing since the last one at most; under load one commit carries many.

use std::future::Future;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until};

use crate::task;

/// Callers that are served together at most.
const GROUP_MAX: usize = 64;
/// Callers that may wait; more wait for room.
const ROOM: usize = 1_024;

/// A queue of work with one worker.
pub(super) struct Group<T, R> {
    queue: mpsc::Sender<(T, oneshot::Sender<R>)>,
}

impl<T, R> Clone for Group<T, R> {
    fn clone(&self) -> Self {
        Self {
            queue: self.queue.clone(),
        }
    }
}

impl<T, R> Group<T, R>
where
    T: Send + 'static,
    R: Send + 'static,
{
    /// Starts a worker called `name` that does `work` on all that waits, until the last handle is
    /// dropped, beginning at most once in `spacing`. `work` returns one result for each item, in their
    /// order.
    pub(super) fn start<F, W>(name: &'static str, spacing: Duration, work: F) -> Self
    where
        F: Fn(Vec<T>) -> W + Send + 'static,
        W: Future<Output = Vec<R>> + Send,
    {
        let (queue, mut waiting) = mpsc::channel::<(T, oneshot::Sender<R>)>(ROOM);
        // Ends with its handles; a caller whose worker has died gets no answer.
        drop(task::spawn(name, async move {
            let mut taken = Vec::new();
            let mut next = Instant::now();
            while waiting.recv_many(&mut taken, GROUP_MAX).await > 0 {
                if Instant::now() < next {
                    sleep_until(next).await;
                    let room = GROUP_MAX - taken.len();
                    for _ in 0..room {
                        let Ok(item) = waiting.try_recv() else { break };
                        taken.push(item);
                    }
                }
                next = Instant::now() + spacing;
                let (items, callers): (Vec<T>, Vec<_>) = taken.drain(..).unzip();
                for (caller, result) in callers.into_iter().zip(work(items).await) {
                    drop(caller.send(result)); // It may have stopped waiting.
                }
            }
        }));
        Self { queue }
    }

    /// Has `item` done with whatever else waits. Returns nothing if the worker has died.
    pub(super) async fn ask(&self, item: T) -> Option<R> {
        let (caller, answer) = oneshot::channel();
        self.queue.send((item, caller)).await.ok()?;
        answer.await.ok()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use futures_util::future::join_all;
    use tokio::sync::Mutex;

    use super::*;

    #[tokio::test]
    async fn what_waits_during_one_transaction_shares_the_next() {
        let groups = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&groups);
        let group = Group::start("test", Duration::ZERO, move |items: Vec<u32>| {
            let seen = Arc::clone(&seen);
            async move {
                seen.lock().await.push(items.len());
                tokio::task::yield_now().await;
                items.iter().map(|item| item * 2).collect()
            }
        });
        let answers = join_all((0..200).map(|item| group.ask(item))).await;
        let expected: Vec<_> = (0..200).map(|item| Some(item * 2)).collect();
        assert_eq!(answers, expected);
        let groups = groups.lock().await;
        assert_eq!(groups.iter().sum::<usize>(), 200);
        assert!(groups.iter().all(|size| *size <= GROUP_MAX));
        assert!(groups.len() < 20, "{groups:?}");
    }

    #[tokio::test]
    async fn a_dead_worker_answers_nobody() {
        let group = Group::start("test", Duration::ZERO, |items: Vec<u32>| async move {
            assert!(items.is_empty(), "dies");
            Vec::<u32>::new()
        });
        assert_eq!(group.ask(1).await, None);
    }
}
