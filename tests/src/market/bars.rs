//! Bars: the real ones, one seeded bar an issue, and the walk backwards from either.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::ToSpan;
use jiff::civil::{Date, Weekday};
use rust_decimal::prelude::ToPrimitive;
use turnstile_connectors::recorded::{DailyRow, FileRow, OnFault};

use super::Character;
use turnstile_oracle::Dice;

/// Lowest price of a walk, KRW.
const PRICE_MIN: i64 = 50;
/// Mean move of a calm issue, 1/10000: that of about 45 % a year.
const CALM_MOVE: i64 = 220;
/// Farthest move of a day, 1/10000.
const MOVE_MAX: i64 = 2_900;

/// A bar; KRW and shares. Open, high and low are 0 where the issue was halted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MarketBar {
    /// Session.
    pub day: Date,
    /// First price.
    pub open: i64,
    /// Highest price.
    pub high: i64,
    /// Lowest price.
    pub low: i64,
    /// Last price.
    pub close: i64,
    /// Shares traded.
    pub volume: i64,
    /// KRW traded.
    pub value: i64,
    /// KRW that all shares are worth, and how many there are.
    pub size: Option<(i64, i64)>,
}

/// An issue with the bars that are given.
pub(super) struct Listed {
    pub(super) symbol: String,
    pub(super) name: String,
    pub(super) market: &'static str,
    pub(super) segment: Option<String>,
    /// In order, never empty.
    pub(super) bars: Vec<MarketBar>,
}

/// Reads real bars.
pub(super) fn read(file: &Path) -> Vec<Listed> {
    let mut issues: BTreeMap<String, Listed> = BTreeMap::new();
    let mut rows = DailyRow::open(file, OnFault::Stop, None).expect("bars");
    while let Some(row) = rows.next_row().expect("bar") {
        let whole = |number: rust_decimal::Decimal| number.to_i64().expect("fits");
        let bar = MarketBar {
            day: row.date,
            open: whole(row.open),
            high: whole(row.high),
            low: whole(row.low),
            close: whole(row.close),
            volume: row.volume,
            value: whole(row.value),
            size: row.market_cap.map(whole).zip(row.shares),
        };
        let listing = row.listing.expect("a file tells the listing");
        let symbol = row.symbol.to_string();
        let issue = issues.entry(symbol.clone()).or_insert_with(|| Listed {
            symbol,
            name: String::new(),
            market: listing.market,
            segment: None,
            bars: Vec::new(),
        });
        (issue.name, issue.market, issue.segment) = (listing.name, listing.market, listing.segment);
        issue.bars.push(bar);
    }
    for issue in issues.values_mut() {
        issue.bars.sort_by_key(|bar| bar.day);
    }
    issues.into_values().collect()
}

/// Returns `count` issues with one bar each, on `day`: four in ten are traded enough for the strategy.
pub(super) fn anchors(seed: u64, count: usize, day: Date) -> Vec<Listed> {
    let mut dice = Dice::new(seed, u64::MAX - 1);
    let issue = |number: usize| {
        let close = dice.weighted(&[(3, 1_000), (4, 5_000), (2, 30_000), (1, 150_000)]);
        let close = close + dice.between(0, close);
        let value = dice.weighted(&[(6, 100_000_000), (3, 3_000_000_000), (1, 40_000_000_000)]);
        let volume = (value + dice.between(0, value)) / close;
        let shares = volume * dice.between(50, 400) + 2_000_000;
        let market = dice.weighted(&[(33, "KOSPI"), (63, "KOSDAQ"), (4, "KONEX")]);
        let bar = MarketBar {
            day,
            open: close,
            high: close + close / 100,
            low: close - close / 100,
            close,
            volume,
            value: volume * close,
            size: Some((shares * close, shares)),
        };
        Listed {
            symbol: format!("{:06}", 10 * number + 10),
            name: format!("종목{number}"),
            market,
            segment: None,
            bars: vec![bar],
        }
    };
    (0..count).map(issue).collect()
}

/// Returns the first day of any bar.
pub(super) fn first_day(known: &[Listed]) -> Date {
    let first = known.iter().map(|issue| issue.bars[0].day).min();
    first.expect("at least one issue")
}

/// Returns `count` sessions that end with those of `known`: before them, every weekday.
pub(super) fn sessions(known: &[Listed], count: usize) -> Vec<Date> {
    let days = known.iter().flat_map(|issue| &issue.bars);
    let days: std::collections::BTreeSet<Date> = days.map(|bar| bar.day).collect();
    let mut sessions: Vec<Date> = days.into_iter().rev().take(count).collect();
    let mut day = *sessions.last().expect("at least one bar");
    while sessions.len() < count {
        day = day.saturating_sub(1.day());
        if !matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday) {
            sessions.push(day);
        }
    }
    sessions.reverse();
    sessions
}

/// Returns whether the closes of an issue move little.
pub(super) fn is_calm(known: &[MarketBar]) -> bool {
    let moves = known.windows(2).map(|days| {
        let (before, after) = (days[0].close, days[1].close);
        (after - before).abs() * 10_000 / before
    });
    let count = i64::try_from(known.len()).expect("few bars");
    moves.sum::<i64>() <= CALM_MOVE * count
}

/// How an issue moves.
struct Course {
    /// Mean move of a day, 1/10000.
    drift: i64,
    /// Standard deviation of it.
    spread: i64,
    /// Growth of the volume over the walk, percent.
    growth: i64,
    /// Mean volume at the end of the walk.
    volume: i64,
    /// Shares listed, if told.
    shares: Option<i64>,
}

/// Returns bars of `days` that lead to `known`.
pub(super) fn walk(
    known: &[MarketBar],
    days: &[Date],
    character: Character,
    dice: &mut Dice,
) -> Vec<MarketBar> {
    let traded: Vec<i64> = known
        .iter()
        .map(|bar| bar.volume)
        .filter(|volume| *volume > 0)
        .collect();
    let count = i64::try_from(traded.len()).expect("few bars");
    let (low, high, growth) = match character {
        Character::Strong => (5, 25, 60),
        Character::Plain => (-6, 10, 0),
        Character::Weak => (-25, -8, -30),
        Character::Hyped => (25, 45, 60),
    };
    let course = Course {
        drift: dice.between(low, high),
        spread: match character {
            Character::Strong | Character::Hyped => dice.between(80, 170),
            Character::Plain | Character::Weak => dice.between(100, 260),
        },
        growth,
        volume: traded.iter().sum::<i64>().checked_div(count).unwrap_or(0),
        shares: known[0].size.map(|(_, shares)| shares),
    };
    let mut close = known[0].close;
    let mut bars: Vec<MarketBar> = Vec::with_capacity(days.len());
    for (ago, day) in days.iter().rev().enumerate() {
        let (bar, before) = course.step(*day, close, i64::try_from(ago).expect("few days"), dice);
        bars.push(bar);
        close = before;
    }
    bars.reverse();
    bars
}

impl Course {
    /// Returns the bar that ends at `close`, and the close before it.
    fn step(&self, day: Date, close: i64, ago: i64, dice: &mut Dice) -> (MarketBar, i64) {
        let size = |dice: &mut Dice| {
            let shares = self.shares.filter(|_| !dice.percent(10));
            shares.map(|shares| (shares * close, shares))
        };
        if self.volume == 0 || dice.below(400) == 0 {
            let halted = MarketBar {
                day,
                open: 0,
                high: 0,
                low: 0,
                close,
                volume: 0,
                value: 0,
                size: size(dice),
            };
            return (halted, close);
        }
        // Three throws have the spread of one and nearly the shape of a normal distribution.
        let noise: i64 = (0..3)
            .map(|_| dice.between(-self.spread, self.spread))
            .sum();
        let change = (self.drift + noise).clamp(-MOVE_MAX, MOVE_MAX);
        let before = (close * 10_000 / (10_000 + change)).max(PRICE_MIN.min(close));
        let open = (before * (10_000 + dice.between(-40, 40)) / 10_000).max(1);
        let wick = |price: i64, dice: &mut Dice| price * dice.between(0, self.spread / 2) / 10_000;
        let (top, bottom) = (open.max(close), open.min(close));
        let (high, low) = (top + wick(top, dice), bottom - wick(bottom, dice));
        // A year ago the volume was less by the growth.
        let mean = self.volume * 100 / (100 + self.growth * ago.min(250) / 250);
        let volume = (mean * dice.between(50, 150) / 100).max(1);
        let bar = MarketBar {
            day,
            open,
            high,
            low,
            close,
            volume,
            value: volume * (open + high + low + close) / 4,
            size: size(dice),
        };
        (bar, before)
    }
}
