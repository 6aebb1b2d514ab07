//! The input of one day after the other, fed as differences.
//!
//! What stands for a day is the same whatever days came before it: of each symbol the newest
//! [`BARS_KEPT`] bars and [`FLOWS_KEPT`] flows, fundamentals and disclosures as long as they may count,
//! and the newest list of each market that is not too old. Rows that fall out of that are taken back.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use turnstile_dataflows::model::Symbol;
use turnstile_strategy::{
    Bar, Change, Day, Disclosure, Flow, Fundamental, Listing, Market, Settings, Wanted,
};

use super::print::Print;

/// Bars of a symbol that stand: a few more than the 120 that the longest factor looks at.
pub(super) const BARS_KEPT: usize = 125;
/// Flows of a symbol that stand: those that the factor sums.
pub(super) const FLOWS_KEPT: usize = 20;
/// Days for which a fundamental counts.
pub(super) const FUNDAMENTAL_DAYS: u32 = 450;
/// Days for which a disclosure counts.
pub(super) const DISCLOSURE_DAYS: u32 = 90;

/// Rows of one day, by symbol.
pub(super) type ByDay<T> = BTreeMap<Day, Vec<(Symbol, T)>>;

/// All that the days of a run are computed from.
#[derive(Debug, Default)]
pub(super) struct Input {
    pub(super) listings: BTreeMap<Symbol, Listing>,
    pub(super) wanted: BTreeMap<Symbol, Wanted>,
    pub(super) bars: ByDay<Bar>,
    pub(super) flows: ByDay<Flow>,
    pub(super) fundamentals: ByDay<Fundamental>,
    pub(super) disclosures: BTreeMap<Day, Vec<(Arc<str>, Disclosure)>>,
    /// Ranks in the lists of others, by market and day.
    pub(super) popular: BTreeMap<(Market, Day), Vec<(Symbol, u32)>>,
}

impl Input {
    /// Returns how many rows were read.
    pub(super) fn len(&self) -> usize {
        fn dated<K, T>(rows: &BTreeMap<K, Vec<T>>) -> usize {
            rows.values().map(Vec::len).sum()
        }
        self.listings.len()
            + self.wanted.len()
            + dated(&self.bars)
            + dated(&self.flows)
            + dated(&self.fundamentals)
            + dated(&self.disclosures)
            + dated(&self.popular)
    }
}

/// What of the input stands, and its print.
pub(super) struct Feed<'i> {
    input: &'i Input,
    settings: &'i Settings,
    /// The day that stands.
    day: Option<Day>,
    print: Print,
    bars: BTreeMap<Symbol, VecDeque<(Day, Print)>>,
    flows: BTreeMap<Symbol, VecDeque<(Day, Print)>>,
    fundamentals: VecDeque<(Day, Symbol, Print)>,
    disclosures: VecDeque<(Day, Arc<str>, Print)>,
    popular: BTreeMap<Symbol, (u32, Print)>,
}

impl<'i> Feed<'i> {
    /// Returns the feed of `input` before its first day.
    pub(super) fn new(input: &'i Input, settings: &'i Settings) -> Self {
        Self {
            input,
            settings,
            day: None,
            print: Print::default(),
            bars: BTreeMap::new(),
            flows: BTreeMap::new(),
            fundamentals: VecDeque::new(),
            disclosures: VecDeque::new(),
            popular: BTreeMap::new(),
        }
    }

    /// Feeds what is different on `day`, which is later than the one before, and returns the digest of
    /// all that stands on it.
    pub(super) fn move_to(&mut self, day: Day, apply: &mut impl FnMut(Change)) -> String {
        let first = match self.day {
            None => {
                self.begin(apply);
                Day(0)
            }
            Some(before) => Day(before.0 + 1),
        };
        apply(Change::AsOf(day));
        let input = self.input;
        for (on, rows) in input.bars.range(first..=day) {
            for (symbol, bar) in rows {
                let print = self.come(Change::Bar(*symbol, *on, Some(*bar)), apply);
                let kept = self.bars.entry(*symbol).or_default();
                kept.push_back((*on, print));
                if kept.len() > BARS_KEPT
                    && let Some((old, print)) = kept.pop_front()
                {
                    self.go(Change::Bar(*symbol, old, None), print, apply);
                }
            }
        }
        for (on, rows) in input.flows.range(first..=day) {
            for (symbol, flow) in rows {
                let print = self.come(Change::Flow(*symbol, *on, Some(*flow)), apply);
                let kept = self.flows.entry(*symbol).or_default();
                kept.push_back((*on, print));
                if kept.len() > FLOWS_KEPT
                    && let Some((old, print)) = kept.pop_front()
                {
                    self.go(Change::Flow(*symbol, old, None), print, apply);
                }
            }
        }
        self.move_dated(first, day, apply);
        self.move_lists(day, apply);
        self.day = Some(day);
        self.print.digest(day)
    }

    fn begin(&mut self, apply: &mut impl FnMut(Change)) {
        self.come(Change::Settings(self.settings.clone()), apply);
        for (symbol, listing) in &self.input.listings {
            self.come(Change::Listing(*symbol, Some(listing.clone())), apply);
        }
        for (symbol, wanted) in &self.input.wanted {
            self.come(Change::Wanted(*symbol, Some(*wanted)), apply);
        }
    }

    /// Fundamentals and disclosures count for a number of days.
    fn move_dated(&mut self, first: Day, day: Day, apply: &mut impl FnMut(Change)) {
        let input = self.input;
        let since = |days: u32| Day(day.0.saturating_sub(days));
        let oldest = since(FUNDAMENTAL_DAYS);
        for (on, rows) in input.fundamentals.range(first.max(oldest)..=day) {
            for (symbol, row) in rows {
                let print = self.come(Change::Fundamental(*symbol, *on, Some(*row)), apply);
                self.fundamentals.push_back((*on, *symbol, print));
            }
        }
        while let Some((on, symbol, print)) = self.fundamentals.pop_front_if(|row| row.0 < oldest) {
            self.go(Change::Fundamental(symbol, on, None), print, apply);
        }
        let oldest = since(DISCLOSURE_DAYS);
        for (on, rows) in input.disclosures.range(first.max(oldest)..=day) {
            for (number, row) in rows {
                let change = Change::Disclosure(number.clone(), Some(row.clone()));
                let print = self.come(change, apply);
                self.disclosures.push_back((*on, number.clone(), print));
            }
        }
        while let Some((_on, number, print)) = self.disclosures.pop_front_if(|row| row.0 < oldest) {
            self.go(Change::Disclosure(number, None), print, apply);
        }
    }

    /// Returns the newest list of each market up to `day`: its market, day and rows.
    fn newest_lists(&self, day: Day) -> impl Iterator<Item = (Market, Day, &'i [(Symbol, u32)])> {
        let input = self.input;
        let markets = [Market::Kospi, Market::Kosdaq].into_iter();
        markets.filter_map(move |market| {
            let mut lists = input.popular.range((market, Day(0))..=(market, day));
            let ((_, on), rows) = lists.next_back()?;
            Some((market, *on, rows.as_slice()))
        })
    }

    fn is_outdated(&self, list: Day, day: Day) -> bool {
        day.0 - list.0 > self.settings.popular_days
    }

    /// Returns the newest list of each market, with its day, that is too old to count on `day`.
    pub(super) fn outdated_lists(&self, day: Day) -> Vec<(Market, Day)> {
        let lists = self.newest_lists(day);
        let lists = lists.filter(|(_, on, _)| self.is_outdated(*on, day));
        lists.map(|(market, on, _)| (market, on)).collect()
    }

    /// The newest list of each market counts, unless it is too old.
    fn move_lists(&mut self, day: Day, apply: &mut impl FnMut(Change)) {
        let mut ranks = BTreeMap::new();
        for (_, on, rows) in self.newest_lists(day) {
            if !self.is_outdated(on, day) {
                ranks.extend(rows.iter().copied());
            }
        }
        let before = std::mem::take(&mut self.popular);
        for (symbol, (rank, print)) in &before {
            if ranks.get(symbol) != Some(rank) {
                self.go(Change::Popular(*symbol, None), *print, apply);
            }
        }
        for (symbol, rank) in ranks {
            let print = match before.get(&symbol) {
                Some((same, print)) if *same == rank => *print,
                _ => self.come(Change::Popular(symbol, Some(rank)), apply),
            };
            self.popular.insert(symbol, (rank, print));
        }
    }

    fn come(&mut self, change: Change, apply: &mut impl FnMut(Change)) -> Print {
        let print = Print::of(&change);
        self.print.add(print);
        apply(change);
        print
    }

    fn go(&mut self, change: Change, print: Print, apply: &mut impl FnMut(Change)) {
        self.print.take_away(print);
        apply(change);
    }
}

#[cfg(test)]
mod tests;
