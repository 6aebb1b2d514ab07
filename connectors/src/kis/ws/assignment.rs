//! Which session streams which symbol. Pure.
//!
//! 1. A symbol stays where it is as long as it is wanted and its session has room: nothing is moved to
//!    level things out.
//! 2. It moves only out of a session that is away, or that was seen to take fewer.
//! 3. It is never with two sessions at a time: one that leaves an open session is given to another once
//!    that session holds it no more. Each trade comes once.
//! 4. More symbols than there is room for are with the first session, which refuses them.

use std::collections::{BTreeMap, BTreeSet};

use turnstile_dataflows::model::Symbol;

/// What a session can take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::kis) struct Room {
    /// Symbols that it takes.
    pub(in crate::kis) symbols: usize,
    /// Whether symbols may be given to it: it is open, or has not been away for long.
    pub(in crate::kis) is_fit: bool,
    /// Symbols whose trades the broker may be sending to it.
    pub(in crate::kis) held: BTreeSet<Symbol>,
}

/// Which session has which symbol.
#[derive(Debug, Default)]
pub(in crate::kis) struct Assignment {
    places: BTreeMap<Symbol, usize>,
}

impl Assignment {
    /// Brings the places in line with what is wanted and with the room that there is.
    pub(in crate::kis) fn settle(&mut self, wanted: &BTreeSet<Symbol>, rooms: &[Room]) {
        self.places.retain(|symbol, _| wanted.contains(symbol));
        let mut left: Vec<usize> = rooms.iter().map(|room| room.symbols).collect();
        let mut homeless: BTreeSet<Symbol> = wanted
            .iter()
            .filter(|symbol| !self.places.contains_key(symbol))
            .copied()
            .collect();
        for (session, room) in rooms.iter().enumerate() {
            let mut here: Vec<Symbol> = self.of(session).into_iter().collect();
            // What the broker holds already stays before what was asked for in vain.
            here.sort_by_key(|symbol| !room.held.contains(symbol));
            let stay = match room.is_fit {
                true => here.len().min(room.symbols),
                false => 0,
            };
            left[session] = match room.is_fit {
                true => room.symbols - stay,
                false => 0,
            };
            homeless.extend(&here[stay..]);
        }
        let mut waiting = Vec::new();
        for symbol in homeless {
            let held_by = rooms.iter().position(|room| room.held.contains(&symbol));
            let roomiest = (0..rooms.len())
                .filter(|session| left[*session] > 0)
                .filter(|session| held_by.is_none_or(|holder| holder == *session))
                .max_by_key(|session| (left[*session], std::cmp::Reverse(*session)));
            if let Some(session) = roomiest {
                left[session] -= 1;
                self.places.insert(symbol, session);
            } else {
                waiting.push(symbol);
            }
        }
        let mut free = left
            .iter()
            .fold(0_usize, |sum, left| sum.saturating_add(*left));
        for symbol in waiting {
            if free > 0 {
                free -= 1;
                self.places.remove(&symbol); // It has room once its session has let go of it.
            } else {
                self.places.entry(symbol).or_insert(0);
            }
        }
    }

    /// Returns the symbols of a session.
    pub(in crate::kis) fn of(&self, session: usize) -> BTreeSet<Symbol> {
        let here = self.places.iter().filter(|(_, place)| **place == session);
        here.map(|(symbol, _)| *symbol).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn symbol(number: u32) -> Symbol {
        format!("{number:06}").parse().unwrap()
    }

    fn set(numbers: impl IntoIterator<Item = u32>) -> BTreeSet<Symbol> {
        numbers.into_iter().map(symbol).collect()
    }

    fn room(symbols: usize, held: impl IntoIterator<Item = u32>) -> Room {
        Room {
            symbols,
            is_fit: true,
            held: set(held),
        }
    }

    fn away(symbols: usize) -> Room {
        Room {
            is_fit: false,
            ..room(symbols, [])
        }
    }

    #[test]
    fn one_session_has_everything_also_what_it_has_to_refuse() {
        let mut assignment = Assignment::default();
        assignment.settle(&set(1..=5), &[room(3, [])]);
        assert_eq!(assignment.of(0), set(1..=5));
    }

    #[test]
    fn what_a_session_that_is_away_had_goes_where_there_is_room_and_does_not_come_back() {
        let mut assignment = Assignment::default();
        assignment.settle(&set(1..=4), &[room(3, []), room(3, [])]);
        assert_eq!(assignment.of(0), set([1, 3]));
        assert_eq!(assignment.of(1), set([2, 4]));
        assignment.settle(&set(1..=4), &[room(3, [1, 3]), away(3)]);
        assert_eq!(assignment.of(0), set([1, 2, 3]));
        assert_eq!(assignment.of(1), set([4]), "no room: it waits where it was");
        assignment.settle(&set(1..=4), &[room(3, [1, 2, 3]), room(3, [])]);
        assert_eq!(assignment.of(0), set([1, 2, 3]));
    }

    #[test]
    fn what_leaves_an_open_session_is_first_let_go_of() {
        let mut assignment = Assignment::default();
        assignment.settle(&set(1..=2), &[room(2, []), room(0, [])]);
        // The first was seen to take one, and still holds both.
        let rooms = [room(1, [1, 2]), room(1, [])];
        assignment.settle(&set(1..=2), &rooms);
        assert_eq!((assignment.of(0), assignment.of(1)), (set([1]), set([])));
        assignment.settle(&set(1..=2), &[room(1, [1]), room(1, [])]);
        assert_eq!((assignment.of(0), assignment.of(1)), (set([1]), set([2])));
    }

    #[test]
    fn what_the_broker_refused_goes_before_what_it_holds() {
        let mut assignment = Assignment::default();
        assignment.settle(&set(1..=4), &[room(4, [])]);
        assignment.settle(&set(1..=4), &[room(2, [2, 4]), room(2, [])]);
        assert_eq!(assignment.of(0), set([2, 4]));
        assert_eq!(assignment.of(1), set([1, 3]));
    }

    prop_compose! {
        fn rooms_of(sessions: usize)(
            rooms in prop::collection::vec((0..5usize, any::<bool>()), sessions)
        ) -> Vec<(usize, bool)> {
            rooms
        }
    }

    proptest! {
        /// Whatever comes and goes: no session beyond its room while there is other room, nobody left
        /// out while there is room, nothing with two sessions, nothing moved without need.
        #[test]
        fn room_is_used_and_nothing_moves_without_need(
            steps in prop::collection::vec((prop::collection::btree_set(0..14u32, 0..14), rooms_of(3)), 1..20)
        ) {
            let mut assignment = Assignment::default();
            // What each session holds: what it was told at the step before.
            let mut held = vec![BTreeSet::new(); 3];
            for (wanted, shape) in steps {
                let wanted = set(wanted);
                let rooms: Vec<Room> = shape
                    .iter()
                    .zip(&held)
                    .map(|((symbols, is_fit), held)| Room {
                        symbols: *symbols,
                        is_fit: *is_fit,
                        held: if *is_fit { held.clone() } else { BTreeSet::new() },
                    })
                    .collect();
                let before: Vec<_> = (0..3).map(|session| assignment.of(session)).collect();
                assignment.settle(&wanted, &rooms);
                let after: Vec<_> = (0..3).map(|session| assignment.of(session)).collect();
                let placed: usize = after.iter().map(BTreeSet::len).sum();
                let all: BTreeSet<Symbol> = after.iter().flatten().copied().collect();
                prop_assert_eq!(placed, all.len(), "with one session each");
                prop_assert!(all.is_subset(&wanted));
                let free: usize = (0..3)
                    .filter(|session| rooms[*session].is_fit)
                    .map(|session| rooms[session].symbols.saturating_sub(after[session].len()))
                    .sum();
                for symbol in &wanted {
                    let holder = rooms.iter().position(|room| room.held.contains(symbol));
                    let place = after.iter().position(|here| here.contains(symbol));
                    match place {
                        None => prop_assert!(free > 0 && holder.is_some(), "left out"),
                        Some(place) => {
                            let is_at_home = before[place].contains(symbol);
                            prop_assert!(
                                is_at_home || holder.is_none_or(|holder| holder == place) || free == 0,
                                "with two sessions"
                            );
                        }
                    }
                }
                for session in 0..3 {
                    let fits = before[session].intersection(&wanted).count() <= rooms[session].symbols;
                    if rooms[session].is_fit && fits {
                        let stayed = before[session].intersection(&wanted).all(|it| after[session].contains(it));
                        prop_assert!(stayed, "moved without need");
                    }
                }
                held = after;
            }
        }
    }
}
