//! From the runs of producers to one list.

use std::cmp::{Ordering, Reverse};
use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Confidence, Mode, Pick, Producer, ProducerId, Run, Score};
use crate::model::{LogicalTime, Price, Symbol, half_even};

/// Producers that make a consensus.
const CONSENSUS_MIN: usize = 2;

/// What is merged how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// How.
    pub mode: Mode,
    /// Length of the list at most.
    pub top: usize,
    /// Least confidence of a pick that counts.
    pub confidence_min: Confidence,
    /// Oldest run that counts, microseconds, inclusive.
    pub age_us_max: u64,
}

/// A producer that names a merged pick.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Who.
    pub producer: Producer,
    /// In which run.
    pub run_id: Arc<str>,
    /// What it says of it.
    pub pick: Pick,
}

/// A symbol of the merged list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Merged {
    /// The issue.
    pub symbol: Symbol,
    /// PRIORITY: that of the lead. WEIGHTED: the weighted mean of all producers that have a run, 0 where one
    /// does not name it. CONSENSUS: that of those that name it. Rounded half to even.
    pub score: Score,
    /// PRIORITY: that of the lead; else the lowest of those that name it.
    pub confidence: Confidence,
    /// Everybody who names it, by priority: the first one leads.
    sources: Vec<Source>,
}

impl Merged {
    /// Returns the source that leads.
    pub fn lead(&self) -> &Source {
        &self.sources[0]
    }

    /// Returns everybody who names it, by priority. There is at least one.
    pub fn sources(&self) -> &[Source] {
        &self.sources
    }

    /// Returns the highest price at which all who name it would buy; none: at any.
    pub fn price_max(&self) -> Option<Price> {
        let prices = self.sources.iter();
        prices.filter_map(|source| source.pick.price_max).min()
    }
}

/// Returns the first symbols of `runs` at `now`, the best first.
///
/// Of each producer the newest run counts, by what it was computed from, then by arrival, unless that is
/// too old; of it the picks that are sure enough and still stand. Ties are broken by
///
/// | mode | order |
/// |---|---|
/// | PRIORITY | priority of the lead, score, rank, symbol |
/// | WEIGHTED | weighted sum, number of producers, priority of the lead, its rank, symbol |
/// | CONSENSUS | number of producers, weighted mean, priority of the lead, its rank, symbol |
pub fn merge(rules: &Rules, now: LogicalTime, runs: &[Run]) -> Vec<Merged> {
    let newest = newest(rules, now, runs);
    let weights: i128 = newest.iter().map(|run| weight(&run.producer)).sum();
    let mut named: BTreeMap<Symbol, Vec<Source>> = BTreeMap::new();
    for run in newest {
        let picks = run.picks.iter();
        for pick in picks.filter(|pick| counts(rules, now, pick)) {
            named.entry(pick.symbol).or_default().push(Source {
                producer: run.producer,
                run_id: run.run_id.clone(),
                pick: *pick,
            });
        }
    }
    let mut ranked: Vec<(Place, Merged)> = named
        .into_iter()
        .filter(|(_symbol, sources)| {
            rules.mode != Mode::Consensus || sources.len() >= CONSENSUS_MIN
        })
        .map(|(symbol, sources)| place(rules.mode, weights, symbol, sources))
        .collect();
    ranked.sort_by(|(one, _), (other, _)| one.cmp(other));
    ranked.truncate(rules.top);
    ranked.into_iter().map(|(_place, merged)| merged).collect()
}

/// Returns the run that counts of each producer, by priority.
fn newest<'r>(rules: &Rules, now: LogicalTime, runs: &'r [Run]) -> Vec<&'r Run> {
    let mut newest: BTreeMap<ProducerId, &Run> = BTreeMap::new();
    for run in runs {
        let known = newest.entry(run.producer.id).or_insert(run);
        if (run.asof, run.arrival) > (known.asof, known.arrival) {
            *known = run;
        }
    }
    let mut newest: Vec<&Run> = newest.into_values().collect();
    newest.retain(|run| now.micros_since(run.asof) <= rules.age_us_max);
    newest.sort_by_key(|run| run.producer);
    newest
}

fn counts(rules: &Rules, now: LogicalTime, pick: &Pick) -> bool {
    pick.confidence >= rules.confidence_min && pick.until.is_none_or(|until| now < until)
}

/// Makes a merged pick of what its sources say, and its place in the list. `weights` is the sum of those of
/// all producers that have a run.
fn place(mode: Mode, weights: i128, symbol: Symbol, sources: Vec<Source>) -> (Place, Merged) {
    let lead = &sources[0]; // A symbol is in the map because somebody names it.
    let sum: i128 = sources.iter().map(weighed).sum();
    let own: i128 = sources.iter().map(|source| weight(&source.producer)).sum();
    let least = sources.iter().map(|source| source.pick.confidence).min();
    let least = least.unwrap_or(lead.pick.confidence);
    let confidence = match mode {
        Mode::Priority => lead.pick.confidence,
        Mode::Weighted | Mode::Consensus => least,
    };
    let (first, second, score) = match mode {
        Mode::Priority => {
            let score = lead.pick.score;
            let first = Fraction::of(-i128::from(lead.producer.priority));
            (first, Fraction::of(score.millionths().into()), score)
        }
        Mode::Weighted => {
            let first = Fraction {
                part: sum,
                whole: weights,
            };
            (first, Fraction::of(count(&sources)), first.score())
        }
        Mode::Consensus => {
            let mean = Fraction {
                part: sum,
                whole: own,
            };
            (Fraction::of(count(&sources)), mean, mean.score())
        }
    };
    let place = Place {
        first: Reverse(first),
        second: Reverse(second),
        lead: lead.producer,
        rank: lead.pick.rank,
        symbol,
    };
    let merged = Merged {
        symbol,
        score,
        confidence,
        sources,
    };
    (place, merged)
}

/// Where a merged pick stands, the lower the earlier.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    first: Reverse<Fraction>,
    second: Reverse<Fraction>,
    lead: Producer,
    rank: i32,
    symbol: Symbol,
}

/// A fraction, ordered by what it comes to. `whole` is above zero.
#[derive(Clone, Copy)]
struct Fraction {
    part: i128,
    whole: i128,
}

impl Fraction {
    const fn of(part: i128) -> Self {
        Self { part, whole: 1 }
    }

    /// Returns what it comes to. A mean of scores is between the least and the highest of them.
    fn score(self) -> Score {
        let millionths = half_even(self.part, self.whole.max(1));
        let millionths = u32::try_from(millionths).unwrap_or_default();
        Score::from_millionths(millionths).unwrap_or_default()
    }
}

impl Ord for Fraction {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.part * other.whole).cmp(&(other.part * self.whole))
    }
}

impl PartialOrd for Fraction {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Fraction {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Fraction {}

fn weight(producer: &Producer) -> i128 {
    producer.weight.millionths().into()
}

fn weighed(source: &Source) -> i128 {
    weight(&source.producer) * i128::from(source.pick.score.millionths())
}

fn count(sources: &[Source]) -> i128 {
    i128::try_from(sources.len()).unwrap_or(i128::MAX)
}

#[cfg(test)]
mod tests;
