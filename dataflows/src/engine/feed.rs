//! Where the events of the engine come from.

use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError};
use std::time::Duration;

use serde::Deserialize;

use super::Timed;

/// Gives out events in logical time.
pub trait Feed: Send + 'static {
    /// Appends the next events to `events`, at most `max`, and waits for the first one where there
    /// is none yet. Returns whether more may come.
    fn next(&mut self, max: usize, events: &mut Vec<Timed>) -> bool;
}

/// What worker 0 does while no event waits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Idle {
    /// Sleeps until an event wakes it: costs nothing, and some tens of microseconds at the next one.
    #[default]
    Park,
    /// Looks again at once: the shortest latency, for a whole core.
    Spin,
}

/// Events from a bounded channel.
#[derive(Debug)]
pub(super) struct ChannelFeed {
    receiver: Receiver<Timed>,
    idle: Idle,
    linger: Duration,
}

impl ChannelFeed {
    pub(super) fn new(receiver: Receiver<Timed>, idle: Idle, linger: Duration) -> Self {
        Self {
            receiver,
            idle,
            linger,
        }
    }

    fn first(&self) -> Option<Timed> {
        match self.idle {
            Idle::Park => self.receiver.recv().ok(),
            Idle::Spin => loop {
                match self.receiver.try_recv() {
                    Ok(timed) => return Some(timed),
                    Err(TryRecvError::Empty) => std::hint::spin_loop(),
                    Err(TryRecvError::Disconnected) => return None,
                }
            },
        }
    }

    /// Takes what has gathered; where that is nothing, waits once in a drain: a steady stream would
    /// otherwise hold the first event back until the drain is full.
    fn another(&self, linger: &mut Duration) -> Result<Timed, RecvTimeoutError> {
        match self.receiver.try_recv() {
            Ok(timed) => Ok(timed),
            Err(TryRecvError::Disconnected) => Err(RecvTimeoutError::Disconnected),
            Err(TryRecvError::Empty) if linger.is_zero() => Err(RecvTimeoutError::Timeout),
            Err(TryRecvError::Empty) => self.receiver.recv_timeout(std::mem::take(linger)),
        }
    }
}

impl Feed for ChannelFeed {
    fn next(&mut self, max: usize, events: &mut Vec<Timed>) -> bool {
        let Some(first) = self.first() else {
            return false;
        };
        events.push(first);
        let mut linger = self.linger;
        while events.len() < max {
            match self.another(&mut linger) {
                Ok(timed) => events.push(timed),
                Err(RecvTimeoutError::Timeout) => return true,
                Err(RecvTimeoutError::Disconnected) => return false,
            }
        }
        true
    }
}
