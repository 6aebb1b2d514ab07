//! Episodes of alarms: what stands, what is stored of it, and who is told when.
//!
//! 1. One episode of a key stands at a time. It begins with a raise, becomes worse by raises of a higher
//!    level, and ends when it is cleared; what nobody clears ends when it was not raised for `quiet`.
//! 2. Of a key nobody is told twice within `quiet`, unless of a higher level. What was not told for that
//!    reason and stands still is told then.
//! 3. That it is over is told just where it was told that it stands.

use std::collections::BTreeMap;
use std::time::Duration;

use uuid::Uuid;

use super::notice::{Notice, Turn};
use crate::postgres::LogLevel;

/// Episodes that stand at most. Beyond, nothing new is raised: by then somebody has been told.
const OPEN_MAX: usize = 10_000;
/// How often it is stored that an episode goes on.
const TOUCH_US: i64 = 30_000_000;

/// How an episode ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ends {
    /// Somebody says so.
    WhenCleared,
    /// When it has not been raised for a while.
    ByItself,
}

/// An alarm that is raised.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Raise {
    /// What makes it the same alarm.
    pub(super) key: String,
    pub(super) name: String,
    /// What it is about, such as a symbol.
    pub(super) subject: Option<String>,
    pub(super) level: LogLevel,
    pub(super) message: String,
    pub(super) value: Option<f64>,
    pub(super) limit: Option<f64>,
    pub(super) ends: Ends,
}

/// An episode, as it stands. Times are microseconds UTC.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Episode {
    pub(super) id: Uuid,
    pub(super) raise: Raise,
    /// Highest level so far.
    pub(super) worst: LogLevel,
    pub(super) raised_us: i64,
    pub(super) last_us: i64,
    /// Raises after the first.
    pub(super) repeats: i64,
    pub(super) cleared_us: Option<i64>,
    /// Whether anybody was told that it stands.
    pub(super) is_told: bool,
    stored_us: i64,
}

impl Episode {
    /// Returns an episode of an earlier run, which stands still.
    pub(super) fn adopted(id: Uuid, raise: Raise, raised_us: i64, last_us: i64) -> Self {
        Self {
            id,
            worst: raise.level,
            raise,
            raised_us,
            last_us,
            repeats: 0,
            cleared_us: None,
            is_told: true,
            stored_us: last_us,
        }
    }
}

/// What follows.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Effect {
    /// The episode has to be stored as it stands now.
    Store(Box<Episode>),
    /// Somebody has to be told.
    Tell(Notice),
}

/// All episodes of a process.
#[derive(Debug)]
pub(super) struct Episodes {
    instance: String,
    quiet_us: i64,
    open: BTreeMap<String, Episode>,
    /// What was last told of a key: its level, and when.
    told: BTreeMap<String, (LogLevel, i64)>,
}

impl Episodes {
    pub(super) fn new(instance: String, quiet: Duration) -> Self {
        Self {
            instance,
            quiet_us: i64::try_from(quiet.as_micros()).unwrap_or(i64::MAX),
            open: BTreeMap::new(),
            told: BTreeMap::new(),
        }
    }

    /// Takes up an episode of an earlier run.
    pub(super) fn adopt(&mut self, episode: Episode) {
        let key = episode.raise.key.clone();
        self.told
            .insert(key.clone(), (episode.worst, episode.last_us));
        self.open.insert(key, episode);
    }

    /// Returns the episode of a key that stands.
    pub(super) fn open(&self, key: &str) -> Option<&Episode> {
        self.open.get(key)
    }

    /// Returns the keys of what stands under the name of an alarm.
    pub(super) fn keys_of(&self, name: &str) -> impl Iterator<Item = &str> {
        let open = self.open.values();
        let named = open.filter(move |episode| episode.raise.name == name);
        named.map(|episode| episode.raise.key.as_str())
    }

    /// Returns how many stand of a level.
    pub(super) fn count(&self, level: LogLevel) -> usize {
        let open = self.open.values();
        open.filter(|episode| episode.raise.level == level).count()
    }

    /// Raises an alarm, or notes that it goes on.
    pub(super) fn raise(&mut self, now_us: i64, raise: Raise) -> Vec<Effect> {
        let key = raise.key.clone();
        let Some(episode) = self.open.get_mut(&key) else {
            if self.open.len() >= OPEN_MAX {
                return Vec::new();
            }
            let episode = Episode {
                id: Uuid::new_v4(),
                worst: raise.level,
                raise,
                raised_us: now_us,
                last_us: now_us,
                repeats: 0,
                cleared_us: None,
                is_told: false,
                stored_us: now_us,
            };
            self.open.insert(key.clone(), episode);
            return self.store_and_tell(now_us, &key, Turn::Raised);
        };
        let is_worse = raise.level > episode.worst;
        let has_changed = raise.level != episode.raise.level;
        episode.worst = episode.worst.max(raise.level);
        episode.raise = raise;
        episode.last_us = now_us;
        episode.repeats += 1;
        if is_worse {
            return self.store_and_tell(now_us, &key, Turn::Escalated);
        }
        if has_changed || now_us - episode.stored_us >= TOUCH_US {
            episode.stored_us = now_us;
            return vec![Effect::Store(Box::new(episode.clone()))];
        }
        Vec::new()
    }

    /// Ends the episode of a key, where one stands.
    pub(super) fn clear(&mut self, now_us: i64, key: &str, message: &str) -> Vec<Effect> {
        let Some(mut episode) = self.open.remove(key) else {
            return Vec::new();
        };
        episode.cleared_us = Some(now_us);
        episode.raise.level = episode.worst;
        let mut effects = vec![Effect::Store(Box::new(episode.clone()))];
        if episode.is_told {
            episode.raise.message = message.to_owned();
            let notice = self.notice(&episode, now_us, Turn::Cleared);
            effects.push(Effect::Tell(notice));
        }
        effects
    }

    /// Ends what ends by itself, and tells what could not be told before.
    pub(super) fn pass(&mut self, now_us: i64) -> Vec<Effect> {
        let quiet_us = self.quiet_us;
        self.told
            .retain(|_, (_, told_us)| now_us - *told_us < quiet_us);
        let is_over = |episode: &&Episode| {
            episode.raise.ends == Ends::ByItself && now_us - episode.last_us >= quiet_us
        };
        let keys = |episodes: Vec<&Episode>| -> Vec<String> {
            episodes
                .iter()
                .map(|episode| episode.raise.key.clone())
                .collect()
        };
        let over = keys(self.open.values().filter(is_over).collect());
        let mut effects = Vec::new();
        for key in over {
            if let Some(mut episode) = self.open.remove(&key) {
                // A message of hours ago that nothing followed is no news.
                episode.cleared_us = Some(now_us);
                effects.push(Effect::Store(Box::new(episode)));
            }
        }
        let untold = self.open.values().filter(|episode| !episode.is_told);
        for key in keys(untold.collect()) {
            let told = self.store_and_tell(now_us, &key, Turn::Raised);
            effects.extend(
                told.into_iter()
                    .filter(|effect| matches!(effect, Effect::Tell(_))),
            );
        }
        effects
    }

    fn store_and_tell(&mut self, now_us: i64, key: &str, turn: Turn) -> Vec<Effect> {
        let Some(episode) = self.open.get_mut(key) else {
            return Vec::new();
        };
        let is_quiet = self.told.get(key).is_some_and(|(level, told_us)| {
            episode.worst <= *level && now_us - *told_us < self.quiet_us
        });
        episode.is_told |= !is_quiet;
        episode.stored_us = now_us;
        let episode = episode.clone();
        let mut effects = vec![Effect::Store(Box::new(episode.clone()))];
        if !is_quiet {
            self.told.insert(key.to_owned(), (episode.worst, now_us));
            effects.push(Effect::Tell(self.notice(&episode, now_us, turn)));
        }
        effects
    }

    fn notice(&self, episode: &Episode, at_us: i64, turn: Turn) -> Notice {
        Notice {
            alarm: episode.id,
            turn,
            level: episode.worst,
            name: episode.raise.name.clone(),
            instance: self.instance.clone(),
            subject: episode.raise.subject.clone(),
            message: episode.raise.message.clone(),
            at_us,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const QUIET: i64 = 300;
    const SECOND: i64 = 1_000_000;

    fn episodes() -> Episodes {
        Episodes::new("stream".to_owned(), Duration::from_secs(300))
    }

    fn raise(key: &str, level: LogLevel, ends: Ends) -> Raise {
        Raise {
            key: key.to_owned(),
            name: "n".to_owned(),
            subject: None,
            level,
            message: "m".to_owned(),
            value: None,
            limit: None,
            ends,
        }
    }

    fn told(effects: &[Effect]) -> Vec<(Turn, LogLevel)> {
        let tell = |effect: &Effect| match effect {
            Effect::Tell(notice) => Some((notice.turn, notice.level)),
            Effect::Store(_) => None,
        };
        effects.iter().filter_map(tell).collect()
    }

    #[test]
    fn an_alarm_is_raised_becomes_worse_and_ends_each_told_once() {
        use LogLevel::{Critical, Warning};
        let mut all = episodes();
        let mut at = |second: i64, level| {
            let raise = raise("k", level, Ends::WhenCleared);
            told(&all.raise(second * SECOND, raise))
        };
        assert_eq!(at(0, Warning), [(Turn::Raised, Warning)]);
        assert_eq!(at(1, Warning), []);
        assert_eq!(at(2, Critical), [(Turn::Escalated, Critical)]);
        assert_eq!(at(3, Warning), [], "better, and not over");
        assert_eq!(at(4, Critical), [], "it was as bad before");
        let over = all.clear(5 * SECOND, "k", "well");
        assert_eq!(told(&over), [(Turn::Cleared, Critical)]);
        assert_eq!(all.clear(6 * SECOND, "k", "well"), []);
    }

    #[test]
    fn what_comes_back_soon_is_told_only_where_it_stays() {
        use LogLevel::Warning;
        let mut all = episodes();
        let again = || raise("k", Warning, Ends::WhenCleared);
        assert_eq!(told(&all.raise(0, again())).len(), 1);
        assert_eq!(told(&all.clear(SECOND, "k", "well")).len(), 1);
        // To and fro: stored, not told.
        for second in 2..10 {
            let raised = all.raise(second * SECOND, again());
            assert_eq!((raised.len(), told(&raised).len()), (1, 0));
            let cleared = all.clear(second * SECOND, "k", "well");
            assert_eq!((cleared.len(), told(&cleared).len()), (1, 0));
        }
        all.raise(10 * SECOND, again());
        assert_eq!(told(&all.pass((QUIET - 1) * SECOND)), []);
        assert_eq!(told(&all.pass(QUIET * SECOND)), [(Turn::Raised, Warning)]);
        assert_eq!(told(&all.pass((QUIET + 1) * SECOND)), []);
    }

    #[test]
    fn a_message_ends_by_itself_and_silently() {
        let mut all = episodes();
        let message = || raise("k", LogLevel::Critical, Ends::ByItself);
        assert_eq!(told(&all.raise(0, message())).len(), 1);
        assert_eq!(told(&all.raise(200 * SECOND, message())), []);
        assert_eq!(all.pass(499 * SECOND), []);
        let over = all.pass(500 * SECOND);
        assert_eq!((over.len(), told(&over).len()), (1, 0));
        assert!(all.open("k").is_none());
        assert_eq!(told(&all.raise(501 * SECOND, message())).len(), 1);
    }

    #[derive(Clone, Copy, Debug)]
    enum Act {
        Raise(LogLevel),
        Clear,
        Pass,
    }

    fn act() -> impl Strategy<Value = Act> {
        prop_oneof![
            Just(Act::Raise(LogLevel::Warning)),
            Just(Act::Raise(LogLevel::Critical)),
            Just(Act::Raise(LogLevel::P0)),
            Just(Act::Clear),
            Just(Act::Pass),
        ]
    }

    proptest! {
        /// Within any `quiet` each telling that it stands is of a higher level than the one before, and an
        /// end is told at most once after each.
        #[test]
        fn flapping_never_spams(acts in prop::collection::vec((0_i64..120, act()), 1..200)) {
            let mut all = episodes();
            let (mut now, mut raised, mut is_due) = (0, Vec::new(), false);
            for (pause, act) in acts {
                now += pause * SECOND;
                let effects = match act {
                    Act::Raise(level) => all.raise(now, raise("k", level, Ends::WhenCleared)),
                    Act::Clear => all.clear(now, "k", "well"),
                    Act::Pass => all.pass(now),
                };
                for (turn, level) in told(&effects) {
                    if turn == Turn::Cleared {
                        prop_assert!(is_due);
                        is_due = false;
                        continue;
                    }
                    is_due = true;
                    for (then, before) in &raised {
                        prop_assert!(now - then >= QUIET * SECOND || level > *before);
                    }
                    raised.push((now, level));
                }
                // Whoever looks after `quiet` has told of everything that stands.
                if let (Act::Pass, Some(open)) = (act, all.open("k")) {
                    prop_assert!(open.is_told || now - open.raised_us < QUIET * SECOND);
                }
            }
        }
    }
}
