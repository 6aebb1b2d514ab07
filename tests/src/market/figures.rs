//! Figures of a company, each quarter.

use jiff::civil::{Date, date};

use super::{Character, MarketBar};
use turnstile_oracle::Dice;

/// Days from which quarterly figures are known, in any year.
const PUBLISHED: [(i8, i8); 4] = [(3, 31), (5, 15), (8, 14), (11, 14)];

/// Figures, in 1/1000000; `eps` and `bps` in KRW. At least one is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Figures {
    /// The day from which they are known.
    pub day: Date,
    /// Price by earnings, by book value, by sales, return on equity, debt by equity.
    pub ratios: [Option<i64>; 5],
    /// Earnings a share.
    pub eps: Option<i64>,
    /// Book value a share.
    pub bps: Option<i64>,
}

/// Returns the quarters that `bars` cover, with one before. Of a few issues nothing newer is known
/// than of years ago, of some nothing at all.
pub(super) fn generate(bars: &[MarketBar], character: Character, dice: &mut Dice) -> Vec<Figures> {
    let (first, last) = (bars[0].day, bars[bars.len() - 1].day);
    let years = first.year() - 1..=last.year();
    let days = years.flat_map(|year| PUBLISHED.map(|(month, day)| date(year, month, day)));
    let known: Vec<Date> = days.filter(|day| *day <= last).collect();
    let known = match dice.below(100) {
        0..3 => &[],
        3..6 => &known[..1],
        _ => &known[known.partition_point(|day| *day < first).saturating_sub(1)..],
    };
    // Thousandths: lowest and highest PER, PBR, PSR, ROE, debt ratio.
    let ranges: [(i64, i64); 5] = match character {
        Character::Strong => [
            (3_500, 11_000),
            (400, 1_300),
            (300, 1_200),
            (120, 240),
            (100, 800),
        ],
        Character::Plain => [
            (6_000, 45_000),
            (500, 3_500),
            (400, 4_000),
            (-20, 150),
            (200, 2_000),
        ],
        Character::Weak | Character::Hyped => [
            (-60_000, -1_000),
            (2_000, 9_000),
            (3_000, 15_000),
            (-400, 10),
            (1_200, 4_000),
        ],
    };
    let base = ranges.map(|(low, high)| dice.between(low, high));
    let quarter = |day: &Date| {
        let mut ratios = base.map(|thousandths| {
            let millionths = thousandths * dice.between(940, 1_060);
            Some(millionths + dice.between(-499, 499))
        });
        if dice.percent(10) {
            let lacking = dice.between(1, 3);
            for _ in 0..lacking {
                ratios[dice.index(5)] = None;
            }
        }
        let at = bars
            .partition_point(|bar| bar.day < *day)
            .min(bars.len() - 1);
        let a_share = |ratio: Option<i64>| {
            let ratio = ratio.filter(|ratio| *ratio != 0)?;
            Some(bars[at].close * 1_000_000 / ratio)
        };
        Figures {
            day: *day,
            ratios,
            eps: a_share(ratios[0]),
            bps: a_share(ratios[1]),
        }
    };
    known.iter().map(quarter).collect()
}
