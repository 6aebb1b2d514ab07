//! Differences between engine and oracle, shrunk to what it takes.

use std::collections::BTreeSet;
use std::fmt;

use turnstile_dataflows::model::Symbol;

use super::engine::{Shape, decide};
use super::{Logged, Pack};
use crate::oracle::{Decision, Fills, News, Oracle, Row};

/// A history about which engine and oracle disagree.
pub struct Difference {
    /// Seed of the pack.
    pub seed: u64,
    /// Number of the history in the pack.
    pub history: usize,
    /// How the engine ran.
    pub shape: Shape,
    /// Whether the history disagrees also by itself.
    pub is_alone: bool,
    /// The events it takes.
    pub log: Vec<Logged>,
    /// What the oracle decides.
    pub expected: Vec<Decision>,
    /// What the engine decides.
    pub decided: Vec<Decision>,
}

/// What a pack disagrees about.
#[derive(Default)]
pub struct Differences {
    /// How many histories come out differently.
    pub count: usize,
    /// Some of them.
    pub shrunk: Vec<Difference>,
}

impl Pack {
    /// Runs the pack through the engine and returns how many histories come out differently, and
    /// at most `most` of them shrunk.
    pub fn check(&self, shape: Shape, most: usize) -> Differences {
        let decided = decide(&self.log, self.fills, shape);
        if decided == self.expected {
            return Differences::default();
        }
        let symbols = |list: &[Decision], other: &[Decision]| -> BTreeSet<Symbol> {
            let only = list.iter().filter(|decision| !other.contains(decision));
            only.map(|decision| decision.symbol).collect()
        };
        let mut different = symbols(&decided, &self.expected);
        different.extend(symbols(&self.expected, &decided));
        let numbers = different.iter().map(|symbol| {
            let number = symbol.to_string()[1..].parse();
            number.expect("the symbol of a history ends with its number")
        });
        Differences {
            count: different.len(),
            shrunk: numbers
                .take(most)
                .map(|number| self.shrunk(number, shape))
                .collect(),
        }
    }

    fn shrunk(&self, history: usize, shape: Shape) -> Difference {
        let concerns = |logged: &&Logged| logged.history.is_none_or(|number| number == history);
        let mut log: Vec<Logged> = self.log.iter().filter(concerns).cloned().collect();
        let is_alone = differs(&log, self.fills, shape);
        if is_alone {
            shrink(&mut log, |log| differs(log, self.fills, shape));
        }
        Difference {
            seed: self.seed,
            history,
            shape,
            is_alone,
            expected: oracle_decides(&log, self.fills),
            decided: decide(&log, self.fills, shape),
            log,
        }
    }
}

/// Returns what the oracle decides over a log.
pub(super) fn oracle_decides(log: &[Logged], fills: Fills) -> Vec<Decision> {
    let mut oracle = Oracle::new(fills);
    let events = log.iter();
    events
        .flat_map(|logged| oracle.take(logged.time, &logged.news))
        .collect()
}

fn differs(log: &[Logged], fills: Fills, shape: Shape) -> bool {
    oracle_decides(log, fills) != decide(log, fills, shape)
}

/// Drops events, many at once, then fewer, as long as the rest still fails. The first one stays: it
/// puts the control mode in force.
fn shrink(log: &mut Vec<Logged>, fails: impl Fn(&[Logged]) -> bool) {
    let mut chunk = log.len().div_ceil(2);
    while chunk > 0 {
        let mut from = 1;
        while from < log.len() {
            let to = (from + chunk).min(log.len());
            let mut fewer = log.clone();
            fewer.drain(from..to);
            if fails(&fewer) {
                *log = fewer;
            } else {
                from = to;
            }
        }
        chunk /= 2;
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            seed,
            history,
            shape,
            ..
        } = self;
        writeln!(f, "seed {seed}, history {history}, {shape:?}")?;
        if !self.is_alone {
            writeln!(f, "the history by itself comes out right; all of it:")?;
        }
        for logged in &self.log {
            writeln!(f, "  {} {}", logged.time, Told(&logged.news))?;
        }
        let only = |list: &[Decision], other: &[Decision]| -> Vec<Decision> {
            list.iter()
                .filter(|decision| !other.contains(decision))
                .cloned()
                .collect()
        };
        writeln!(
            f,
            "the oracle decides {}, of which the engine does not:",
            self.expected.len()
        )?;
        for decision in only(&self.expected, &self.decided) {
            writeln!(f, "  {decision:?}")?;
        }
        writeln!(
            f,
            "the engine decides {}, of which the oracle does not:",
            self.decided.len()
        )?;
        for decision in only(&self.decided, &self.expected) {
            writeln!(f, "  {decision:?}")?;
        }
        Ok(())
    }
}

/// An event in few words.
struct Told<'a>(&'a News);

impl fmt::Display for Told<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = match self.0 {
            News::Tick(tick) => {
                let bid = tick
                    .bid
                    .map(|bid| format!(", bid {bid}"))
                    .unwrap_or_default();
                return write!(f, "{} {}{bid}", tick.symbol, tick.last);
            }
            News::Confirmed(symbol) => return write!(f, "{symbol} confirmed"),
            News::Clock => return write!(f, "clock"),
            News::Rows(rows) => rows,
        };
        for row in rows {
            match row {
                Row::Rule(id, Some(rule)) => write!(
                    f,
                    "\n    rule {id} version {} for {:?}: {}",
                    rule.version, rule.scope, rule.profile
                ),
                Row::Rule(id, None) => write!(f, "\n    rule {id} removed"),
                other => write!(f, "\n    {other:?}"),
            }?;
        }
        Ok(())
    }
}
