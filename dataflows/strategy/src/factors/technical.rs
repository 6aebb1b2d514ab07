//! Technical: oscillators and the moving average.
#![expect(clippy::float_arithmetic, reason = "factors are computed with doubles")]

use super::{blend, closes};
use crate::bar::DayBar;
use crate::figure::double;
use crate::{Day, Score};

/// Bars that it takes.
pub(crate) const BARS: usize = 120;
/// Changes that RSI looks at.
const RSI: usize = 14;
/// Closes of the moving average.
const AVERAGE: usize = 20;

/// `.4·RSI + .4·MACD + .2·MA20` of bars, the newest first.
pub(crate) fn technical(bars: &[(Day, DayBar)]) -> Option<Score> {
    let doubles = closes(bars, BARS)?;
    let units: Vec<i128> = bars[..=AVERAGE]
        .iter()
        .map(|(_day, bar)| bar.close.into())
        .collect();
    let score = blend([
        (0.4, Some(rsi_score(rsi(&units[..=RSI])))),
        (0.4, Some(macd_score(&doubles))),
        (0.2, Some(average_score(&units[..AVERAGE]))),
    ])?;
    Score::rounded(score)
}

/// Relative strength, 0–100, of closes, the newest first: simple averages of gains and losses. 50
/// where nothing moves.
fn rsi(closes: &[i128]) -> f64 {
    let (mut gains, mut losses) = (0, 0);
    for pair in closes.windows(2) {
        gains += (pair[0] - pair[1]).max(0);
        losses += (pair[1] - pair[0]).max(0);
    }
    match (gains, losses) {
        (0, 0) => 50.0,
        (_, 0) => 100.0,
        _ => 100.0 - 100.0 / (1.0 + double(gains) / double(losses)),
    }
}

/// What is sold off is attractive: `(50 − RSI)/20`, −1…+1, without the jumps that the old rule had at
/// 30 and 70.
fn rsi_score(rsi: f64) -> f64 {
    ((50.0 - rsi) / 20.0).clamp(-1.0, 1.0)
}

/// `tanh(100·(EMA12 − EMA26)/c0)`: does not depend on the price.
fn macd_score(closes: &[f64]) -> f64 {
    (100.0 * (ema(closes, 12) - ema(closes, 26)) / closes[0]).tanh()
}

/// Exponential mean of closes, the newest first, `α = 2/(n+1)`, begun with the mean of the oldest
/// `n`, of which there must be more.
fn ema(closes: &[f64], n: u32) -> f64 {
    let mut oldest_first = closes.iter().rev();
    let first = (0..n).filter_map(|_| oldest_first.next()).sum::<f64>() / f64::from(n);
    let alpha = 2.0 / (f64::from(n) + 1.0);
    oldest_first.fold(first, |ema, close| alpha * close + (1.0 - alpha) * ema)
}

/// +1 where the newest close is above 1.02 times the mean of 20, −1 where it is below .98 times it.
fn average_score(closes: &[i128]) -> f64 {
    let (now, sum) = (closes[0] * 1_000, closes.iter().sum::<i128>());
    if now > 51 * sum {
        1.0
    } else if now < 49 * sum {
        -1.0
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(left: f64, right: f64) -> bool {
        (left - right).abs() < 1e-12
    }

    #[test]
    fn rsi_is_of_simple_averages() {
        // Gains 30, losses 10: 100 − 100/4.
        assert!(near(rsi(&[120, 110, 90, 100]), 75.0));
        assert!(near(rsi(&[3, 2, 1]), 100.0));
        assert!(near(rsi(&[1, 2, 3]), 0.0));
        assert!(near(rsi(&[2, 2, 2]), 50.0));
    }

    #[test]
    fn rsi_score_has_no_jump() {
        for (rsi, score) in [
            (0.0, 1.0),
            (29.999_999, 1.0),
            (30.0, 1.0),
            (30.2, 0.99),
            (50.0, 0.0),
            (69.8, -0.99),
            (70.0, -1.0),
            (100.0, -1.0),
        ] {
            assert!(near(rsi_score(rsi), score), "{rsi}");
        }
    }

    #[test]
    fn ema_begins_with_the_mean_of_the_oldest() {
        // Oldest first 1, 2, 3, 10 with n = 3: mean 2, then half of 10 and half of 2.
        assert!(near(ema(&[10.0, 3.0, 2.0, 1.0], 3), 6.0));
    }

    #[test]
    fn macd_does_not_depend_on_the_price() {
        let closes: Vec<f64> = (0..120).map(|age| 1_000.0 - f64::from(age)).collect();
        let tenfold: Vec<f64> = closes.iter().map(|close| close * 10.0).collect();
        assert!(near(macd_score(&closes), macd_score(&tenfold)));
        // On a straight line an EMA trails by (n − 1)/2: by 5.5 and 12.5, here 7 won apart.
        assert!(near(
            macd_score(&closes),
            (100.0 * 7.0 / 1_000.0_f64).tanh()
        ));
    }

    #[test]
    fn the_moving_average_has_a_quiet_band() {
        let mut closes = [1_000; 20];
        assert!(near(average_score(&closes), 0.0));
        // 1.02·(1000·19 + x)/20 = x at x = 1021.07…
        closes[0] = 1_021;
        assert!(near(average_score(&closes), 0.0));
        closes[0] = 1_022;
        assert!(near(average_score(&closes), 1.0));
        closes[0] = 979;
        assert!(near(average_score(&closes), 0.0));
        closes[0] = 978;
        assert!(near(average_score(&closes), -1.0));
    }

    #[test]
    fn flat_prices_say_nothing_for_or_against() {
        let bars: Vec<_> = (0..120).map(|age| DayBar::at(1_000 - age, 100)).collect();
        assert_eq!(technical(&bars).map(Score::units), Some(0));
        assert_eq!(technical(&bars[..119]), None);
    }

    #[test]
    fn parts_are_weighted() {
        // A straight rise: RSI 100, EMAs 7 apart at 1000, MA20 within 2 %.
        let bars: Vec<_> = (0_u32..120)
            .map(|age| DayBar::at(1_000 - age, 1_000 - i64::from(age)))
            .collect();
        // −.4 + .4·tanh .7 + 0 = −.4 + .4·.604367777117…
        assert_eq!(technical(&bars).map(Score::units), Some(-1_582_528_892));
    }
}
