//! Momentum: returns and volume.
#![expect(clippy::float_arithmetic, reason = "factors are computed with doubles")]

use super::{blend, closes};
use crate::bar::DayBar;
use crate::figure::double;
use crate::{Day, Score};

/// Bars that it takes: a return over 60 needs 61.
const BARS: usize = 61;
/// Bars of the shorter return, and of each mean volume.
const SHORT: usize = 20;

/// `tanh(2·(.4·r20 + .4·r60 + .2·vg))` of bars, the newest first: simple returns over 20 and 60 bars,
/// and by how much the mean volume of bars 0–19 exceeds that of bars 20–39. Without volume in the
/// latter the returns stand alone.
pub(crate) fn momentum(bars: &[(Day, DayBar)]) -> Option<Score> {
    let closes = closes(bars, BARS)?;
    let return_over = |bars: usize| closes[0] / closes[bars] - 1.0;
    let volume = |bars: &[(Day, DayBar)]| -> i128 {
        bars.iter().map(|(_day, bar)| i128::from(bar.volume)).sum()
    };
    let (late, early) = (volume(&bars[..SHORT]), volume(&bars[SHORT..2 * SHORT]));
    let growth = (early > 0).then(|| double(late) / double(early) - 1.0);
    let blended = blend([
        (0.4, Some(return_over(SHORT))),
        (0.4, Some(return_over(BARS - 1))),
        (0.2, growth),
    ])?;
    Score::rounded((2.0 * blended).tanh())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bars whose newest closes are `c0`, and all others 100 won.
    fn bars(count: usize, c0: i64) -> Vec<(Day, DayBar)> {
        (0..)
            .take(count)
            .map(|age| DayBar::at(1_000 - age, if age == 0 { c0 } else { 100 }))
            .collect()
    }

    #[test]
    fn returns_and_volume_are_weighted() {
        // r20 = r60 = .1, vg = 0: tanh(2·.08) = tanh .16.
        assert_eq!(
            momentum(&bars(61, 110)).map(Score::units),
            Some(1_586_485_043)
        );
        // Volume of 20 bars doubled: tanh(2·.2) = tanh .4 at flat prices.
        let mut flat = bars(61, 100);
        flat[..20]
            .iter_mut()
            .for_each(|(_day, bar)| bar.volume = 200);
        assert_eq!(momentum(&flat).map(Score::units), Some(3_799_489_623));
    }

    #[test]
    fn without_earlier_volume_the_returns_stand_alone() {
        let mut bars = bars(61, 110);
        bars[20..40]
            .iter_mut()
            .for_each(|(_day, bar)| bar.volume = 0);
        // (.4·.1 + .4·.1)/.8 = .1: tanh .2.
        assert_eq!(momentum(&bars).map(Score::units), Some(1_973_753_202));
    }

    #[test]
    fn sixty_bars_are_too_few() {
        assert_eq!(momentum(&bars(60, 110)), None);
    }

    #[test]
    fn a_close_that_is_no_price_leaves_it_missing() {
        let mut bars = bars(61, 110);
        bars[60].1.close = 0;
        assert_eq!(momentum(&bars), None);
    }
}
