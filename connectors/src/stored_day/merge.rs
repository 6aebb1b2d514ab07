//! Ticks and journal in one order of logical time, with the clock between them.

use std::collections::VecDeque;

use turnstile_dataflows::engine::{Event, Timed};
use turnstile_dataflows::model::LogicalTime;

const SECOND_US: u64 = 1_000_000;

/// Events of one source that were read and not given yet, in order of their times.
#[derive(Debug, Default)]
pub(super) struct Queue {
    pub(super) events: VecDeque<Timed>,
    /// Whether no more can come behind them.
    pub(super) is_over: bool,
}

impl Queue {
    /// Returns whether the source has to be read before another event may be given.
    pub(super) fn is_wanted(&self) -> bool {
        self.events.is_empty() && !self.is_over
    }

    fn head(&self) -> Option<LogicalTime> {
        self.events.front().map(|event| event.time)
    }
}

/// Merges two sources. Of one time, which no engine gives twice, the tick comes first; the engine then
/// refuses the other one.
#[derive(Debug)]
pub(super) struct Merge {
    last_us: u64,
    through_us: u64,
}

impl Merge {
    /// Returns the merge of events after `begun_us`, up to and including `through_us`.
    pub(super) const fn new(begun_us: u64, through_us: u64) -> Self {
        Self {
            last_us: begun_us,
            through_us,
        }
    }

    /// Moves what may be given now to the end of `out`, about `max` events. Each whole second between two
    /// events is a clock second; the last event of all is one, at the end, where nothing else stands there:
    /// what had happened by time alone until then happens again. Returns whether more comes.
    pub(super) fn give(
        &mut self,
        ticks: &mut Queue,
        entries: &mut Queue,
        max: usize,
        out: &mut Vec<Timed>,
    ) -> bool {
        let end = out.len().saturating_add(max);
        while out.len() < end {
            if ticks.is_wanted() || entries.is_wanted() {
                return true;
            }
            let (tick, entry) = (ticks.head(), entries.head());
            let next = tick.into_iter().chain(entry).min();
            let next_us = next.map_or(self.through_us, LogicalTime::micros);
            if self.pass_second(next_us, out) {
                continue;
            }
            let source = match (tick, entry) {
                (None, None) => {
                    if self.last_us < self.through_us {
                        self.last_us = self.through_us;
                        out.push(clock(self.through_us));
                    }
                    return false;
                }
                (Some(tick), Some(entry)) if entry < tick => &mut *entries,
                (Some(_), _) => &mut *ticks,
                (None, Some(_)) => &mut *entries,
            };
            out.extend(source.events.pop_front());
            self.last_us = next_us;
        }
        true
    }

    /// Gives the next whole second where it is before `next_us`.
    fn pass_second(&mut self, next_us: u64, out: &mut Vec<Timed>) -> bool {
        let second_us = (self.last_us / SECOND_US + 1) * SECOND_US;
        if second_us >= next_us {
            return false;
        }
        self.last_us = second_us;
        out.push(clock(second_us));
        true
    }
}

const fn clock(us: u64) -> Timed {
    Timed {
        time: LogicalTime::from_micros(us),
        event: Event::Clock,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use turnstile_dataflows::model::{Price, Tick};

    use super::*;

    fn tick(us: u64) -> Timed {
        let time = LogicalTime::from_micros(us);
        let tick = Tick {
            time,
            symbol: "005930".parse().unwrap(),
            last: Price::from_won(1).unwrap(),
            bid: None,
            volume: 0,
        };
        Timed {
            time,
            event: Event::Tick(tick),
        }
    }

    fn entry(us: u64) -> Timed {
        Timed {
            time: LogicalTime::from_micros(us),
            event: Event::Changes(Vec::new()),
        }
    }

    fn kind(event: &Event) -> char {
        match event {
            Event::Tick(_) => 't',
            Event::Changes(_) => 'e',
            Event::Clock => 'c',
            other => panic!("{other:?}"),
        }
    }

    /// Gives everything, reading pages of the sources as they are wanted.
    fn all(
        mut ticks: VecDeque<Timed>,
        mut entries: VecDeque<Timed>,
        (begun_us, through_us): (u64, u64),
        (page, max): (usize, usize),
    ) -> Vec<(u64, char)> {
        let (mut of_ticks, mut of_entries) = (Queue::default(), Queue::default());
        let mut merge = Merge::new(begun_us, through_us);
        let mut out = Vec::new();
        let read = |queue: &mut Queue, rest: &mut VecDeque<Timed>| {
            if queue.is_wanted() {
                let len = page.min(rest.len());
                queue.events.extend(rest.drain(..len));
                queue.is_over = rest.is_empty();
            }
        };
        loop {
            read(&mut of_ticks, &mut ticks);
            read(&mut of_entries, &mut entries);
            if !merge.give(&mut of_ticks, &mut of_entries, max, &mut out) {
                break;
            }
        }
        out.iter()
            .map(|timed| (timed.time.micros(), kind(&timed.event)))
            .collect()
    }

    #[test]
    fn seconds_pass_between_events_and_at_the_end() {
        let ticks = [1_500_000, 4_000_000].map(tick).into();
        let entries = [1_600_000].map(entry).into();
        let given = all(ticks, entries, (900_000, 5_200_000), (8, 8));
        let expected = [
            (1_000_000, 'c'),
            (1_500_000, 't'),
            (1_600_000, 'e'),
            (2_000_000, 'c'),
            (3_000_000, 'c'),
            (4_000_000, 't'),
            (5_000_000, 'c'),
            (5_200_000, 'c'),
        ];
        assert_eq!(given, expected);
    }

    #[test]
    fn nothing_follows_an_event_at_the_very_end() {
        let given = all([tick(7)].into(), VecDeque::new(), (1, 7), (8, 8));
        assert_eq!(given, [(7, 't')]);
        assert_eq!(all([].into(), [].into(), (7, 7), (8, 8)), []);
    }

    proptest! {
        #[test]
        fn events_are_given_once_in_order_however_they_are_read(
            times in prop::collection::btree_map(1_u64..9_000_000, any::<bool>(), 0..60),
            page in 1_usize..9,
            max in 1_usize..9,
        ) {
            let of = |is_tick: bool, make: fn(u64) -> Timed| -> VecDeque<Timed> {
                let own = times.iter().filter(|(_us, tick)| **tick == is_tick);
                own.map(|(us, _tick)| make(*us)).collect()
            };
            let (ticks, entries) = (of(true, tick), of(false, entry));
            let given = all(ticks, entries, (0, 9_000_000), (page, max));
            prop_assert!(given.is_sorted_by(|one, next| one.0 < next.0), "{given:?}");
            let kept: BTreeMap<u64, bool> = given
                .iter()
                .filter(|(_us, kind)| *kind != 'c')
                .map(|(us, kind)| (*us, *kind == 't'))
                .collect();
            prop_assert_eq!(&kept, &times);
            // Every whole second is there, as a clock second or as an event.
            let seconds = given.iter().filter(|(us, _kind)| us % 1_000_000 == 0).count();
            prop_assert_eq!(seconds, 9);
        }
    }
}
