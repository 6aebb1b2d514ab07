//! The ring: the last changes of all topics, in one numbering.
//!
//! 1. Numbers rise by one and are never given twice in one run of the server.
//! 2. What is kept is every change after the floor. Whoever knows everything up to a number that is not
//!    below the floor can be told the rest; anybody else needs a snapshot.
//! 3. It is bounded by the number of changes and by their bytes: the floor rises instead.

use std::collections::{BTreeMap, VecDeque};

use axum::extract::ws::Utf8Bytes;

use super::topic::Topic;

/// How much is kept.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Most changes.
    pub(crate) changes_max: usize,
    /// Most bytes of their texts.
    pub(crate) bytes_max: usize,
}

impl Default for Limits {
    /// Minutes of a busy session: a client that was away for longer reads more than a snapshot has.
    fn default() -> Self {
        Self {
            changes_max: 8_192,
            bytes_max: 16 * 1024 * 1024,
        }
    }
}

/// One change as clients get it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    /// Its number.
    pub(crate) seq: u64,
    /// Whose change it is.
    pub(crate) topic: Topic,
    /// The message, written once and shared by all clients.
    pub(crate) text: Utf8Bytes,
}

/// The last changes.
#[derive(Debug)]
pub(crate) struct Ring {
    head: u64,
    floor: u64,
    last: BTreeMap<Topic, u64>,
    kept: VecDeque<Change>,
    bytes: usize,
    limits: Limits,
}

impl Ring {
    /// Makes an empty ring.
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            head: 0,
            floor: 0,
            last: BTreeMap::new(),
            kept: VecDeque::new(),
            bytes: 0,
            limits,
        }
    }

    /// Returns the last number that was given.
    pub(crate) fn head(&self) -> u64 {
        self.head
    }

    /// Returns the number after which every change is kept.
    pub(crate) fn floor(&self) -> u64 {
        self.floor
    }

    /// Gives a number to something that is not kept here, and returns it.
    pub(crate) fn take_number(&mut self) -> u64 {
        self.head += 1;
        self.head
    }

    /// Adds a change of `topic`. `write` gets its number and that of the topic's change before, and
    /// returns the message.
    ///
    /// # Errors
    /// What `write` says; then nothing has changed.
    pub(crate) fn push<E>(
        &mut self,
        topic: Topic,
        write: impl FnOnce(u64, u64) -> Result<String, E>,
    ) -> Result<(), E> {
        let seq = self.head + 1;
        let before = self.last.get(&topic).copied().unwrap_or(0);
        let text = Utf8Bytes::from(write(seq, before)?);
        self.head = seq;
        self.last.insert(topic, seq);
        self.bytes += text.as_str().len();
        self.kept.push_back(Change { seq, topic, text });
        while self.kept.len() > self.limits.changes_max || self.bytes > self.limits.bytes_max {
            let Some(oldest) = self.kept.pop_front() else {
                break;
            };
            self.bytes -= oldest.text.as_str().len();
            self.floor = oldest.seq;
        }
        Ok(())
    }

    /// Forgets everything: changes were missed, so everybody needs a snapshot.
    pub(crate) fn forget(&mut self) {
        self.floor = self.take_number();
        self.kept.clear();
        self.bytes = 0;
    }

    /// Returns the changes after `after` up to `upto`, oldest first; none if some of them are gone.
    pub(crate) fn between(&self, after: u64, upto: u64) -> Option<impl Iterator<Item = &Change>> {
        if after < self.floor {
            return None;
        }
        let start = self.kept.partition_point(|change| change.seq <= after);
        let changes = self.kept.range(start..);
        Some(changes.take_while(move |change| change.seq <= upto))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring(changes_max: usize, bytes_max: usize) -> Ring {
        Ring::new(Limits {
            changes_max,
            bytes_max,
        })
    }

    fn push(ring: &mut Ring, topic: Topic) {
        let text = |seq, before| Ok::<_, ()>(format!("{seq} after {before}"));
        ring.push(topic, text).unwrap();
    }

    fn seen(ring: &Ring, after: u64, upto: u64) -> Option<Vec<u64>> {
        Some(
            ring.between(after, upto)?
                .map(|change| change.seq)
                .collect(),
        )
    }

    #[test]
    fn what_is_kept_is_everything_after_the_floor() {
        let mut ring = ring(3, 1_000);
        for _ in 0..5 {
            push(&mut ring, Topic::Orders);
        }
        assert_eq!((ring.floor(), ring.head()), (2, 5));
        assert_eq!(seen(&ring, 1, 5), None);
        assert_eq!(seen(&ring, 2, 5), Some(vec![3, 4, 5]));
        assert_eq!(seen(&ring, 3, 4), Some(vec![4]));
        assert_eq!(seen(&ring, 5, 5), Some(vec![]));
    }

    #[test]
    fn a_change_names_the_one_before_of_its_topic() {
        let mut ring = ring(10, 1_000);
        for topic in [Topic::Orders, Topic::Exits, Topic::Orders] {
            push(&mut ring, topic);
        }
        ring.take_number();
        push(&mut ring, Topic::Exits);
        let texts: Vec<_> = ring
            .kept
            .iter()
            .map(|change| change.text.as_str())
            .collect();
        assert_eq!(texts, ["1 after 0", "2 after 0", "3 after 1", "5 after 2"]);
    }

    #[test]
    fn a_change_names_the_one_before_also_where_that_is_not_kept_any_more() {
        let mut ring = ring(2, 1_000);
        push(&mut ring, Topic::Exits);
        for _ in 0..9 {
            push(&mut ring, Topic::Health);
        }
        assert!(ring.floor() > 1);
        push(&mut ring, Topic::Exits);
        let last = ring.kept.back().map(|change| change.text.as_str());
        assert_eq!(last, Some("11 after 1"));
    }

    #[test]
    fn bytes_are_bounded_as_well() {
        let mut ring = ring(1_000, 30);
        for _ in 0..9 {
            push(&mut ring, Topic::Orders);
        }
        assert!(ring.bytes <= 30 && ring.kept.len() == 3, "{ring:?}");
    }

    #[test]
    fn after_a_gap_nobody_goes_on() {
        let mut ring = ring(10, 1_000);
        push(&mut ring, Topic::Orders);
        ring.forget();
        assert_eq!(seen(&ring, 1, 2), None);
        assert_eq!(seen(&ring, 2, 2), Some(vec![]));
        assert_eq!(ring.bytes, 0);
    }
}
