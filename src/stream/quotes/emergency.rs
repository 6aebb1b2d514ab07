//! When nothing is heard of any price, and when that is over.

use std::time::Duration;

/// Silence, beyond the interval at which a symbol is asked about, that is an emergency where it is that of
/// all: as long as a price may be old and an exit still be judged on it (decision contract, 2.12).
pub(super) const SILENCE: Duration = Duration::from_secs(10);

/// A change of the state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    Begins,
    Ends,
}

/// What is followed and how it stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scene {
    /// Symbols that are followed.
    pub(super) followed: usize,
    /// Those of them that are silent for [`SILENCE`] beyond their interval.
    pub(super) silent: usize,
    /// Whether no source has brought anything for that of the most urgent one.
    pub(super) is_all_silent: bool,
}

/// Whether there is an emergency.
pub(super) struct Emergency {
    /// How often is looked whether it is over.
    look_every: Duration,
    looked_us: Option<u64>,
}

impl Emergency {
    pub(super) fn new(look_every: Duration) -> Self {
        Self {
            look_every,
            looked_us: None,
        }
    }

    pub(super) fn is_on(&self) -> bool {
        self.looked_us.is_some()
    }

    /// Takes in how it stands at `now_us`.
    pub(super) fn take(&mut self, now_us: u64, scene: Scene) -> Option<Turn> {
        match self.looked_us {
            None if scene.is_all_silent => {
                self.looked_us = Some(now_us);
                Some(Turn::Begins)
            }
            Some(looked_us) if super::seen::is_within(now_us, looked_us, self.look_every) => None,
            // Fewer than a tenth are stale.
            Some(_) if scene.silent * 10 < scene.followed || scene.followed == 0 => {
                self.looked_us = None;
                Some(Turn::Ends)
            }
            Some(_) => {
                self.looked_us = Some(now_us);
                None
            }
            None => None,
        }
    }

    /// Forgets it without a word: the session is over.
    pub(super) fn forget(&mut self) {
        self.looked_us = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE_US: u64 = 60_000_000;

    fn scene(silent: usize, is_all_silent: bool) -> Scene {
        Scene {
            followed: 100,
            silent,
            is_all_silent,
        }
    }

    #[test]
    fn it_begins_when_all_is_silent_and_ends_at_a_look_with_less_than_a_tenth() {
        let mut emergency = Emergency::new(Duration::from_secs(300));
        assert_eq!(emergency.take(0, scene(99, false)), None);
        assert_eq!(emergency.take(0, scene(100, true)), Some(Turn::Begins));
        assert_eq!(emergency.take(4 * MINUTE_US, scene(0, false)), None);
        assert_eq!(emergency.take(5 * MINUTE_US, scene(10, false)), None);
        assert_eq!(emergency.take(6 * MINUTE_US, scene(0, false)), None);
        assert!(emergency.is_on());
        let end = emergency.take(10 * MINUTE_US, scene(9, false));
        assert_eq!(end, Some(Turn::Ends));
        assert!(!emergency.is_on());
    }
}
