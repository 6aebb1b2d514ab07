//! How often each gate refused, each cell of the policy was asked and each state was left.

use std::collections::BTreeMap;
use std::fmt;

use turnstile_dataflows::model::Regime;

/// Counts by kind and name. Displays as a table.
#[derive(Clone, Debug, Default)]
pub struct Tally(BTreeMap<(&'static str, String), u64>);

impl Tally {
    /// Returns how often something happened.
    pub fn of(&self, kind: &str, name: &str) -> u64 {
        let mut all = self.0.iter();
        all.find(|((of, called), _)| *of == kind && called == name)
            .map_or(0, |(_, count)| *count)
    }

    /// Adds what another one counted.
    pub fn add(&mut self, other: &Self) {
        for (key, count) in &other.0 {
            *self.0.entry(key.clone()).or_default() += count;
        }
    }

    fn count(&mut self, kind: &'static str, name: String) {
        *self.0.entry((kind, name)).or_default() += 1;
    }

    pub(super) fn gate(&mut self, gate: &str) {
        self.count("gate", gate.to_owned());
    }

    pub(super) fn cell(&mut self, class: &str, regime: Regime) {
        self.count("cell", format!("{class} {regime}"));
    }

    pub(super) fn entry(&mut self, class: &str, regime: Regime) {
        self.count("entry", format!("{class} {regime}"));
    }

    pub(super) fn trigger(&mut self, reason: &str) {
        self.count("trigger", reason.to_owned());
    }

    /// What took the room that a candidate wanted.
    pub(super) fn room(&mut self, by: &str) {
        self.count("room", by.to_owned());
    }

    /// What the ranking said of a symbol that would have been bought without it, or was.
    pub(super) fn ranking(&mut self, said: &str) {
        self.count("ranking", said.to_owned());
    }

    pub(super) fn transition(&mut self, name: &str) {
        self.count("transition", name.to_owned());
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for ((kind, name), count) in &self.0 {
            writeln!(f, "{kind:<12}{name:<28}{count:>10}")?;
        }
        Ok(())
    }
}
