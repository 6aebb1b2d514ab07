//! The search for orders that did not come by the sink.

use std::time::Duration;

use tokio::time::Instant;

use super::super::order::{FRESH_ORDERS, Order};
use super::super::store::GivenUp;
use super::queue::Queue;
use super::{Desk, Executor};

/// Longest transaction that may still bring an order: twice the limit of a statement.
const COMMIT_MAX: Duration = Duration::from_secs(60);
/// Transactions that bring an order are over by then, but for a few: those are searched for less often,
/// since every order of the time that is gone through has to be looked at.
const COMMIT_USUAL: Duration = Duration::from_secs(2);
const SEARCH_FAR_EVERY: Duration = Duration::from_secs(10);
/// How far back orders are searched that had to be left in the database.
const LEFT_OUT_MAX: Duration = Duration::from_secs(30 * 86_400);

/// When the database was searched for orders that did not come by the sink.
pub(super) struct Scanned {
    last: Instant,
    /// As far back as a transaction may be open.
    far: Instant,
}

impl Scanned {
    pub(super) fn now() -> Self {
        let now = Instant::now();
        Self {
            last: now,
            far: now,
        }
    }

    /// Returns how far back to search at `now`, and whether that is far.
    fn window(&self, now: Instant, has_left_out: bool) -> (Duration, bool) {
        let since_far = now - self.far;
        if has_left_out {
            (LEFT_OUT_MAX, true)
        } else if since_far >= SEARCH_FAR_EVERY {
            (since_far + COMMIT_MAX, true)
        } else {
            (now - self.last + COMMIT_USUAL, false)
        }
    }

    fn note(&mut self, began: Instant, is_far: bool) {
        self.last = began;
        if is_far {
            self.far = began;
        }
    }
}

impl Executor {
    /// Searches for orders that did not come by the sink. An order shows up only when its
    /// transaction commits, so the search goes back further than the last one.
    pub(super) async fn scan(&self, desk: &Desk, queue: &mut Queue, scanned: &mut Scanned) {
        let room = self.parts.config.waiting_max.get();
        let room = room.saturating_sub(queue.waiting.len());
        if room == 0 {
            return;
        }
        let began = Instant::now();
        let (window, is_far) = scanned.window(began, queue.has_left_out);
        let room = i64::try_from(room).unwrap_or(i64::MAX);
        if let Ok(orders) = desk.load_fresh(room, window).await {
            scanned.note(began, is_far);
            queue.has_left_out = i64::try_from(orders.len()).is_ok_and(|found| found >= room);
            orders.into_iter().for_each(|order| queue.add(order));
        }
    }
}

impl Desk {
    async fn load_fresh(&self, room: i64, window: Duration) -> Result<Vec<Order>, GivenUp> {
        let (room, seconds) = (&room, &window.as_secs_f64());
        let work = |client: crate::postgres::PostgresClient| async move {
            let statement = client.prepare_cached(FRESH_ORDERS).await?;
            let rows = client.query(&statement, &[room, seconds]).await?;
            rows.iter().map(Order::read).collect()
        };
        let store = &self.parts.store;
        self.report(store.persist("new orders", &self.stop, work).await)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_search_goes_beyond_the_last_one_and_now_and_then_beyond_any_transaction() {
        let mut scanned = Scanned::now();
        let begin = scanned.last;
        let at = |seconds| begin + Duration::from_secs(seconds);
        assert_eq!(
            scanned.window(at(1), false),
            (Duration::from_secs(3), false)
        );
        scanned.note(at(1), false);
        assert_eq!(
            scanned.window(at(9), false),
            (Duration::from_secs(10), false)
        );
        assert_eq!(
            scanned.window(at(10), false),
            (Duration::from_secs(70), true)
        );
        scanned.note(at(10), true);
        assert_eq!(
            scanned.window(at(11), false),
            (Duration::from_secs(3), false)
        );
        assert_eq!(scanned.window(at(11), true), (LEFT_OUT_MAX, true));
    }
}
