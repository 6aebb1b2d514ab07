//! All that the bars of a symbol say, in one pass over them.

use serde::{Deserialize, Serialize};

use crate::bar::DayBar;
use crate::factors::{TECHNICAL_BARS, momentum, technical};
use crate::measure::Measure;
use crate::risk::{liquidity, mean, volatility};
use crate::{Day, Figure, Score};

/// Bars that are looked at.
pub(crate) const BARS: usize = TECHNICAL_BARS;
/// Bars of the statistics.
const STATISTICS: usize = 5;
/// Sessions before the day that a symbol names: the newest of all symbols are among them.
pub(crate) const SESSIONS: usize = 4;

/// What bars say on a day.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct BarFigures {
    pub(crate) statistics: Statistics,
    pub(crate) factors: BarFactors,
    /// The newest days before the day with volume.
    pub(crate) traded: [Option<Day>; SESSIONS],
}

/// What the universe asks of bars.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub(crate) struct Statistics {
    /// Mean volume of five bars, shares, cut off.
    pub(crate) volume: Option<i64>,
    /// Mean value of five bars, KRW, cut off.
    pub(crate) value: Option<i64>,
    /// Capitalisation of the newest bar, KRW.
    pub(crate) market_cap: Option<i64>,
    /// The bar of the day.
    pub(crate) today: Option<Today>,
}

/// The bar of the day against those before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct Today {
    /// Neither halted nor without volume.
    pub(crate) is_traded: bool,
    /// KRW.
    pub(crate) value: i64,
    /// Volume by that of the five bars before.
    pub(crate) surge: Option<Measure>,
    /// Close by the close before.
    pub(crate) gain: Option<Measure>,
}

/// What factors and ranking ask of bars.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub(crate) struct BarFactors {
    pub(crate) momentum: Option<Score>,
    pub(crate) technical: Option<Score>,
    /// Percent a year.
    pub(crate) volatility: Option<Figure>,
    /// Mean value of 20 bars, KRW.
    pub(crate) liquidity: Option<i64>,
}

impl BarFigures {
    /// Of bars up to `day`, the newest first, [`BARS`] of them or all that there are.
    pub(crate) fn of(day: Day, bars: &[(Day, DayBar)]) -> Self {
        let mut traded = [None; SESSIONS];
        let before = bars
            .iter()
            .filter(|(of, bar)| *of < day && bar.volume > 0)
            .map(|(of, _bar)| *of);
        for (slot, of) in traded.iter_mut().zip(before) {
            *slot = Some(of);
        }
        Self {
            statistics: Statistics::of(day, bars),
            factors: BarFactors {
                momentum: momentum(bars),
                technical: technical(bars),
                volatility: volatility(bars),
                liquidity: liquidity(bars),
            },
            traded,
        }
    }
}

impl Statistics {
    fn of(day: Day, bars: &[(Day, DayBar)]) -> Self {
        let five = bars.get(..STATISTICS);
        Self {
            volume: five.and_then(|bars| mean(bars, |bar| bar.volume)),
            value: five.and_then(|bars| mean(bars, |bar| bar.value)),
            market_cap: bars.first().and_then(|(_day, bar)| bar.market_cap),
            today: Today::of(day, bars),
        }
    }
}

impl Today {
    fn of(day: Day, bars: &[(Day, DayBar)]) -> Option<Self> {
        let ((of, bar), before) = bars.split_first()?;
        if *of != day {
            return None;
        }
        let volumes = before.get(..STATISTICS).and_then(|bars| {
            let sum: i128 = bars.iter().map(|(_day, bar)| i128::from(bar.volume)).sum();
            i64::try_from(sum).ok()
        });
        Some(Self {
            is_traded: !bar.is_halted && bar.volume > 0,
            value: bar.value,
            surge: volumes.and_then(|volumes| Measure::ratio(bar.volume, volumes)),
            gain: before
                .first()
                .and_then(|(_day, last)| Measure::ratio(bar.close, last.close)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bars(count: u32) -> Vec<(Day, DayBar)> {
        (0..count)
            .map(|age| DayBar::at(1_000 - age, 100 - i64::from(age)))
            .collect()
    }

    #[test]
    fn four_bars_make_no_statistics() {
        let figures = BarFigures::of(Day(1_000), &bars(4));
        let statistics = figures.statistics;
        assert_eq!((statistics.volume, statistics.value), (None, None));
        let statistics = BarFigures::of(Day(1_000), &bars(5)).statistics;
        // Values 10,000, 9,900, … 9,600.
        assert_eq!(
            (statistics.volume, statistics.value),
            (Some(100), Some(9_800))
        );
    }

    #[test]
    fn volume_surges_against_the_five_bars_before() {
        let mut bars = bars(6);
        bars[0].1.volume = 1_000;
        let today = Today::of(Day(1_000), &bars).unwrap();
        assert_eq!(today.surge, Measure::ratio(2, 1));
        assert_eq!(today.gain, Measure::ratio(100, 99));
        assert_eq!(Today::of(Day(1_000), &bars[..5]).unwrap().surge, None);
        bars[1..].iter_mut().for_each(|(_day, bar)| bar.volume = 0);
        assert_eq!(Today::of(Day(1_000), &bars).unwrap().surge, None);
    }

    #[test]
    fn a_bar_of_another_day_is_not_that_of_the_day() {
        assert_eq!(Today::of(Day(1_001), &bars(9)), None);
    }

    #[test]
    fn halted_days_and_days_without_volume_have_no_trade() {
        let is_traded = |bars: &[_]| Today::of(Day(1_000), bars).unwrap().is_traded;
        let mut bars = bars(2);
        assert!(is_traded(&bars));
        bars[0].1.is_halted = true;
        assert!(!is_traded(&bars));
        bars[0].1.is_halted = false;
        bars[0].1.volume = 0;
        assert!(!is_traded(&bars));
    }

    #[test]
    fn sessions_are_days_before_with_volume() {
        let mut bars = bars(7);
        bars[2].1.volume = 0;
        let traded = BarFigures::of(Day(1_000), &bars).traded;
        assert_eq!(traded, [999, 997, 996, 995].map(|day| Some(Day(day))));
        let traded = BarFigures::of(Day(1_001), &bars[..2]).traded;
        assert_eq!(traded, [Some(Day(1_000)), Some(Day(999)), None, None]);
    }
}
