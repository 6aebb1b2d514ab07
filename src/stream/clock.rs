//! The clock of the stream job: that of the system, which may be set back, made one that never is.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;
use turnstile_connectors::execution::{Alarm, Level, wall_clock_us};
use turnstile_connectors::kis::Clock;

/// How far the clock of the system may be behind before somebody is told.
const BEHIND_MAX_US: u64 = 1_000_000;
/// How often.
const TOLD_EVERY: Duration = Duration::from_secs(60);

/// Returns a clock that follows `wall`, and goes on at its own pace where `wall` is set back: prices must
/// not stop growing old.
pub(super) fn steady(wall: fn() -> u64) -> Clock {
    let last = Mutex::new((wall(), Instant::now()));
    Arc::new(move || {
        let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
        let (anchor_us, anchored) = *last;
        let elapsed = u64::try_from(anchored.elapsed().as_micros()).unwrap_or_default();
        let steady_us = anchor_us.saturating_add(elapsed);
        let wall_us = wall();
        if wall_us >= steady_us {
            *last = (wall_us, Instant::now());
        }
        wall_us.max(steady_us)
    })
}

/// Says when the system's clock is behind the one of the job.
#[derive(Debug, Default)]
pub(super) struct ClockWatch {
    told: Option<Instant>,
}

impl ClockWatch {
    /// Returns what is to be told, once a minute while it lasts. `now_us` is the time of the job.
    pub(super) fn look(&mut self, now_us: u64) -> Option<Alarm> {
        self.look_at(now_us, wall_clock_us())
    }

    fn look_at(&mut self, now_us: u64, wall_us: u64) -> Option<Alarm> {
        let behind_us = now_us.saturating_sub(wall_us);
        let shown = Duration::from_micros(behind_us).as_secs_f64();
        metrics::gauge!("engine_clock_behind_seconds").set(shown);
        if behind_us <= BEHIND_MAX_US {
            self.told = None;
            return None;
        }
        let now = Instant::now();
        if self.told.is_some_and(|told| now < told + TOLD_EVERY) {
            return None;
        }
        self.told = Some(now);
        let ms = behind_us / 1_000;
        Some(Alarm {
            level: Level::Critical,
            event: "CLOCK_SET_BACK",
            symbol: None,
            position: None,
            message: format!(
                "the clock of the system is {ms} ms behind that of the job, which goes on at its own pace"
            ),
            context: json!({"behind_ms": ms}),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    static WALL_US: AtomicU64 = AtomicU64::new(1_000_000_000);

    #[tokio::test(start_paused = true)]
    async fn a_clock_that_is_set_back_goes_on_at_its_own_pace_and_follows_a_jump_ahead() {
        let clock = steady(|| WALL_US.load(Ordering::Relaxed));
        assert_eq!(clock(), 1_000_000_000);
        WALL_US.store(1_000_500_000, Ordering::Relaxed);
        assert_eq!(clock(), 1_000_500_000);
        WALL_US.store(400_000_000, Ordering::Relaxed);
        assert_eq!(clock(), 1_000_500_000);
        tokio::time::advance(Duration::from_millis(250)).await;
        assert_eq!(clock(), 1_000_750_000);
        WALL_US.store(2_000_000_000, Ordering::Relaxed);
        assert_eq!(clock(), 2_000_000_000);
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(clock(), 2_001_000_000);
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_told_once_a_minute_while_it_lasts() {
        let mut watch = ClockWatch::default();
        let (now, wall) = (10_000_000, 9_000_000);
        assert!(watch.look_at(now, wall).is_none());
        let told = watch.look_at(now, wall - 1).map(|alarm| alarm.event);
        assert_eq!(told, Some("CLOCK_SET_BACK"));
        assert!(watch.look_at(now, wall - 1).is_none());
        tokio::time::advance(TOLD_EVERY).await;
        assert!(watch.look_at(now, wall - 1).is_some());
        assert!(watch.look_at(now, wall).is_none());
        assert!(watch.look_at(now, wall - 1).is_some());
    }
}
