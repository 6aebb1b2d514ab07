//! Pages of events as the feed of an engine that stands on threads of its own.

use std::collections::VecDeque;

use tokio::sync::mpsc;
use turnstile_dataflows::engine::{Feed, Timed};

/// Gives out the events of a channel; over when the sender is dropped.
pub(super) struct PageFeed {
    pages: mpsc::Receiver<Vec<Timed>>,
    page: VecDeque<Timed>,
}

impl PageFeed {
    pub(super) fn new(pages: mpsc::Receiver<Vec<Timed>>) -> Self {
        Self {
            pages,
            page: VecDeque::new(),
        }
    }
}

impl Feed for PageFeed {
    fn next(&mut self, max: usize, events: &mut Vec<Timed>) -> bool {
        if self.page.is_empty() {
            match self.pages.blocking_recv() {
                Some(page) => self.page = page.into(),
                None => return false,
            }
        }
        let len = max.min(self.page.len());
        events.extend(self.page.drain(..len));
        true
    }
}
