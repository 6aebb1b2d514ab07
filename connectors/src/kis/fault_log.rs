//! Faults of the broker's texts: counted each time, said now and then.

use std::collections::BTreeMap;
use std::mem;
use std::time::Duration;

use metrics::counter;
use tokio::time::Instant;
use tracing::warn;

use super::error::Malformed;
use super::metrics::MALFORMED;

/// Faults of one place are said at most this often, so that a bad stream does not flood the log.
const INTERVAL: Duration = Duration::from_secs(10);

/// Which places were heard of, and when. Places are constants, so there are few.
#[derive(Debug, Default)]
pub(super) struct FaultLog {
    places: BTreeMap<&'static str, Place>,
}

#[derive(Debug)]
struct Place {
    next_at: Instant,
    suppressed: u64,
}

impl FaultLog {
    /// Counts `fault`, and logs it where its place was quiet for a while: then returns how many
    /// of that place were left out since the last.
    pub(super) fn take(&mut self, fault: &Malformed) -> Option<u64> {
        counter!(MALFORMED, "place" => fault.place).increment(1);
        let now = Instant::now();
        let place = self.places.entry(fault.place).or_insert(Place {
            next_at: now,
            suppressed: 0,
        });
        if now < place.next_at {
            place.suppressed += 1;
            return None;
        }
        place.next_at = now + INTERVAL;
        let suppressed = mem::take(&mut place.suppressed);
        let Malformed {
            place,
            reason,
            excerpt,
        } = fault;
        warn!(
            place,
            reason, excerpt, suppressed, "text of the broker skipped"
        );
        Some(suppressed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn each_place_is_said_once_in_an_interval_with_what_was_left_out() {
        let mut log = FaultLog::default();
        let (frame, row) = (Malformed::new("frame", "bad"), Malformed::new("row", "bad"));
        assert_eq!(log.take(&frame), Some(0));
        assert_eq!(log.take(&frame), None);
        assert_eq!(log.take(&frame), None);
        assert_eq!(log.take(&row), Some(0));
        tokio::time::advance(INTERVAL).await;
        assert_eq!(log.take(&frame), Some(2));
        assert_eq!(log.take(&row), Some(0));
    }
}
