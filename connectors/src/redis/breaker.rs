//! The circuit breaker: after faults in a row nobody calls for a while, then one call tries.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use metrics::gauge;
use tokio::sync::watch;
use tokio::time::Instant;
use tracing::{info, warn};

use super::metrics as names;

/// What the breaker lets through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BreakerState {
    /// Every call.
    Closed,
    /// None.
    Open,
    /// One call is trying.
    HalfOpen,
}

#[derive(Debug)]
pub(super) struct Breaker {
    faults_max: u32,
    open_for: Duration,
    inner: Mutex<Inner>,
    is_open: watch::Sender<bool>,
}

#[derive(Debug)]
struct Inner {
    faults: u32,
    /// When it opened, or when the trying call began.
    since: Option<Instant>,
    is_trying: bool,
}

impl Breaker {
    pub(super) fn new(faults_max: u32, open_for: Duration) -> Self {
        // Shown also where it never opens.
        gauge!(names::BREAKER_OPEN).set(0.0);
        let inner = Mutex::new(Inner {
            faults: 0,
            since: None,
            is_trying: false,
        });
        Self {
            faults_max,
            open_for,
            inner,
            is_open: watch::Sender::new(false),
        }
    }

    /// Returns whether Redis is isolated, and follows it.
    pub(super) fn is_open(&self) -> watch::Receiver<bool> {
        self.is_open.subscribe()
    }

    /// Returns whether a call may go out now.
    pub(super) fn admits(&self) -> bool {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        match inner.since {
            None => true,
            Some(since) if since.elapsed() >= self.open_for => {
                inner.since = Some(Instant::now());
                inner.is_trying = true;
                true
            }
            Some(_) => false,
        }
    }

    pub(super) fn succeeded(&self) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.faults = 0;
        inner.is_trying = false;
        if inner.since.take().is_some() {
            gauge!(names::BREAKER_OPEN).set(0.0);
            self.is_open.send_replace(false);
            info!("redis answers again");
        }
    }

    pub(super) fn failed(&self, error: &dyn std::fmt::Display) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.faults = inner.faults.saturating_add(1);
        inner.is_trying = false;
        if inner.faults >= self.faults_max {
            if inner.since.is_none() {
                gauge!(names::BREAKER_OPEN).set(1.0);
                self.is_open.send_replace(true);
                warn!(%error, "redis isolated; reads go to PostgreSQL");
            }
            inner.since = Some(Instant::now());
        }
    }

    pub(super) fn state(&self) -> BreakerState {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        match (inner.since, inner.is_trying) {
            (None, _) => BreakerState::Closed,
            (Some(_), true) => BreakerState::HalfOpen,
            (Some(_), false) => BreakerState::Open,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn three_faults_open_it_and_one_success_closes_it() {
        let breaker = Breaker::new(3, Duration::from_secs(1));
        for _ in 0..3 {
            assert!(breaker.admits());
            breaker.failed(&"no answer");
        }
        assert!(!breaker.admits());
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(breaker.admits(), "one call tries");
        assert_eq!(breaker.state(), BreakerState::HalfOpen);
        assert!(!breaker.admits(), "only one");
        breaker.succeeded();
        assert_eq!(breaker.state(), BreakerState::Closed);
    }
}
