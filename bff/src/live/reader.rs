//! A reader: how far one client has been told, and what it is told next.
//!
//! 1. Of a topic that is not due, the client has been told everything up to `at`, each change once.
//! 2. A topic is due while the client needs a snapshot of it: at the beginning, and when the ring no
//!    longer has what comes after `at`.
//! 3. A snapshot counts from the number that was taken before it was loaded; so it has every change up
//!    to that number, and the changes after it follow.

use std::collections::{BTreeMap, BTreeSet};

use super::ring::{Change, Ring};
use super::topic::Topic;

/// How far one client has been told.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    topics: BTreeSet<Topic>,
    due: BTreeSet<Topic>,
    at: u64,
}

/// What comes next.
#[derive(Debug, Default)]
pub(crate) struct Next {
    /// Topics of which changes are missing.
    pub(crate) missed: BTreeSet<Topic>,
    /// Changes, oldest first.
    pub(crate) changes: Vec<Change>,
}

impl Reader {
    /// Begins with what comes after now.
    pub(crate) fn from_now(topics: BTreeSet<Topic>, ring: &Ring) -> Self {
        Self {
            topics,
            due: BTreeSet::new(),
            at: ring.head(),
        }
    }

    /// Goes on where the client knows the topics of `since` up to a number each. Those of which the ring
    /// no longer has everything, and the other topics, begin with a snapshot. Returns also what the
    /// client has missed of the others.
    pub(crate) fn resumed(
        topics: BTreeSet<Topic>,
        since: &BTreeMap<Topic, u64>,
        ring: &Ring,
    ) -> (Self, Vec<Change>) {
        let known = ring.floor()..=ring.head();
        let is_known = |topic: &Topic| since.get(topic).is_some_and(|seq| known.contains(seq));
        let due = topics.iter().copied().filter(|topic| !is_known(topic));
        let due: BTreeSet<Topic> = due.collect();
        let all = ring.between(ring.floor(), ring.head()).into_iter();
        let is_missed = |change: &&Change| {
            topics.contains(&change.topic)
                && !due.contains(&change.topic)
                && since
                    .get(&change.topic)
                    .is_some_and(|seq| change.seq > *seq)
        };
        let missed = all.flatten().filter(is_missed).cloned().collect();
        // A client that goes on nowhere may take a snapshot that was made for another.
        let at = if due == topics { 0 } else { ring.head() };
        (Self { topics, due, at }, missed)
    }

    /// Returns the topics that need no snapshot.
    pub(crate) fn settled(&self) -> BTreeSet<Topic> {
        &self.topics - &self.due
    }

    /// Returns up to where everything of the topics that are not due was handed out.
    pub(crate) fn at(&self) -> u64 {
        self.at
    }

    /// Returns the topics of which a snapshot is to be sent, in this order.
    pub(crate) fn due(&self) -> BTreeSet<Topic> {
        self.due.clone()
    }

    /// Returns the topic of which a snapshot is to be sent next.
    pub(crate) fn first_due(&self) -> Option<Topic> {
        self.due.first().copied()
    }

    /// Hands out the changes up to `upto`.
    pub(crate) fn advance(&mut self, ring: &Ring, upto: u64) -> Next {
        let mut next = Next::default();
        if let Some(changes) = ring.between(self.at, upto) {
            let is_wanted = |change: &&Change| {
                self.topics.contains(&change.topic) && !self.due.contains(&change.topic)
            };
            next.changes.extend(changes.filter(is_wanted).cloned());
            self.at = self.at.max(upto);
        } else {
            next.missed = self.settled();
            self.due.clone_from(&self.topics);
            self.at = ring.floor();
        }
        next
    }

    /// Takes note of a snapshot of `topic` that counts from `seq`, after [`Self::advance`] up to there.
    /// Returns whether it may be sent; it may not if changes were missed meanwhile.
    pub(crate) fn accept(&mut self, topic: Topic, seq: u64) -> bool {
        self.at == seq && self.due.remove(&topic)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::live::ring::Limits;

    const TOPICS: [Topic; 3] = [Topic::Positions, Topic::Orders, Topic::Exits];

    #[derive(Clone, Debug)]
    enum Step {
        Change(Topic),
        Price,
        Gap,
        Read,
        Snapshot { lag: usize },
        Reconnect { is_by_topic: bool },
    }

    fn step() -> impl Strategy<Value = Step> {
        let topic = prop::sample::select(&TOPICS[..]);
        prop_oneof![
            8 => topic.prop_map(Step::Change),
            2 => Just(Step::Price),
            1 => Just(Step::Gap),
            4 => Just(Step::Read),
            4 => (0_usize..4).prop_map(|lag| Step::Snapshot { lag }),
            2 => any::<bool>().prop_map(|is_by_topic| Step::Reconnect { is_by_topic }),
        ]
    }

    /// What a client knows: per topic the number of the last change, and how it got there.
    #[derive(Default)]
    struct Client {
        known: BTreeMap<Topic, u64>,
        last: u64,
    }

    struct World {
        ring: Ring,
        /// Every change ever made, kept apart from the ring.
        made: Vec<(Topic, u64)>,
        /// Numbers of which changes may have been missed before.
        gaps: Vec<u64>,
        reader: Reader,
        client: Client,
    }

    impl World {
        fn told(&mut self, next: Next) {
            for topic in next.missed {
                self.client.known.remove(&topic);
            }
            self.changes(next.changes);
        }

        fn changes(&mut self, changes: Vec<Change>) {
            for change in changes {
                let known = self.client.known.get_mut(&change.topic);
                let known = known.expect("a change comes after a snapshot only");
                let made = self.made.iter().filter(|(topic, _)| *topic == change.topic);
                let next = made.map(|(_, seq)| *seq).find(|seq| seq > known);
                assert_eq!(next, Some(change.seq), "each change once, none left out");
                assert!(change.seq > self.client.last, "numbers rise");
                (*known, self.client.last) = (change.seq, change.seq);
            }
        }

        fn snapshot(&mut self, lag: usize, made_meanwhile: &[Topic]) {
            let Some(topic) = self.reader.first_due() else {
                return;
            };
            // One that was kept may be taken as well, if it is not older than what was told.
            let least = self.reader.at().max(self.ring.floor());
            let kept = self.ring.head().saturating_sub(u64::try_from(lag).unwrap());
            let seq = kept.max(least);
            for topic in made_meanwhile {
                self.change(*topic);
            }
            let next = self.reader.advance(&self.ring, seq);
            self.told(next);
            if self.reader.accept(topic, seq) {
                assert!(seq >= self.client.last, "numbers rise");
                assert!(self.gaps.iter().all(|gap| seq >= *gap));
                self.client.known.insert(topic, seq);
                self.client.last = seq;
            }
        }

        fn change(&mut self, topic: Topic) {
            self.ring
                .push(topic, |_, _| Ok::<_, ()>(String::new()))
                .unwrap();
            self.made.push((topic, self.ring.head()));
        }

        fn reconnect(&mut self, is_by_topic: bool) {
            let is_whole = self.client.known.len() == TOPICS.len();
            let since: BTreeMap<Topic, u64> = if is_by_topic {
                self.client.known.clone()
            } else if is_whole {
                TOPICS.map(|topic| (topic, self.client.last)).into()
            } else {
                BTreeMap::new()
            };
            // By topic nothing is known of the order between topics.
            self.client.last = 0;
            let (reader, missed) = Reader::resumed(TOPICS.into(), &since, &self.ring);
            self.reader = reader;
            self.client.known = since;
            for topic in self.reader.due.clone() {
                self.client.known.remove(&topic);
            }
            self.changes(missed);
            self.client.last = self.client.last.max(self.reader.at);
        }
    }

    proptest! {
        #[test]
        fn each_change_is_told_once_however_reading_and_writing_meet(
            steps in prop::collection::vec(step(), 1..120),
            changes_max in 1_usize..12,
        ) {
            let ring = Ring::new(Limits { changes_max, bytes_max: 1_000 });
            let (reader, _) = Reader::resumed(TOPICS.into(), &BTreeMap::new(), &ring);
            let (made, gaps, client) = (Vec::new(), Vec::new(), Client::default());
            let mut world = World { ring, made, gaps, reader, client };
            for step in steps {
                match step {
                    Step::Change(topic) => world.change(topic),
                    Step::Price => { world.ring.take_number(); }
                    Step::Gap => {
                        world.ring.forget();
                        world.gaps.push(world.ring.floor());
                    }
                    Step::Read => {
                        let next = world.reader.advance(&world.ring, world.ring.head());
                        world.told(next);
                    }
                    Step::Snapshot { lag } => world.snapshot(lag, &TOPICS[..lag.min(3)]),
                    Step::Reconnect { is_by_topic } => world.reconnect(is_by_topic),
                }
            }
            // In the end everybody knows everything.
            loop {
                let next = world.reader.advance(&world.ring, world.ring.head());
                world.told(next);
                if world.reader.first_due().is_none() {
                    break;
                }
                world.snapshot(0, &[]);
            }
            for topic in TOPICS {
                let last = world.made.iter().filter(|(of, _)| *of == topic).map(|(_, seq)| *seq).max();
                prop_assert!(last <= world.client.known.get(&topic).copied());
            }
        }
    }
}
