//! What the factors of a symbol come to: total, strength and conviction.
//!
//! Source: `docs/strategy.md`, section 2.
#![expect(
    clippy::float_arithmetic,
    reason = "total and deviation are computed with doubles, and rounded once"
)]

use crate::figure::double;
use crate::{FactorScores, Figure, Score};

/// Fewest factors that allow a judgement.
const FACTORS_MIN: usize = 4;
/// Score from which a factor speaks for the symbol: 60 points of 100.
const CONVINCED: i64 = Figure::ONE / 5;

/// Total −1…+1, strength and conviction 0…100 points; none where fewer than four factors are there.
pub(crate) fn judge(scores: &FactorScores) -> Option<(Score, Figure, Figure)> {
    if scores.present().count() < FACTORS_MIN {
        return None;
    }
    let total = total(scores)?;
    Some((total, strength(total), conviction(scores)?))
}

/// `tanh(1.5·Σ w·f / Σ w)` over the factors that are there.
fn total(scores: &FactorScores) -> Option<Score> {
    let (mut sum, mut weights) = (0_i128, 0_i128);
    for (factor, score) in scores.present() {
        sum += i128::from(factor.weight()) * i128::from(score.units());
        weights += i128::from(factor.weight());
    }
    let mean = double(sum) / double(weights * i128::from(Figure::ONE));
    Score::rounded((1.5 * mean).tanh())
}

/// `50·(1 + total)` points, exact.
fn strength(total: Score) -> Figure {
    Figure::from_units(50 * (Figure::ONE + total.units()))
}

/// `.7·share + .3·max(0, 100 − s)` points: the share, in percent, of the factors that are there with
/// at least 60 points, and the standard deviation `s` of the points of all of them. One fraction,
/// divided once, half to even.
fn conviction(scores: &FactorScores) -> Option<Figure> {
    let count = i128::try_from(scores.present().count()).ok()?;
    let convinced = scores
        .present()
        .filter(|(_factor, score)| score.units() >= CONVINCED)
        .count();
    let convinced = i128::try_from(convinced).ok()?;
    let hundred = i128::from(100 * Figure::ONE);
    let agreement = (hundred - i128::from(deviation(scores)?.units())).max(0);
    let tenths = 7 * hundred * convinced + 3 * agreement * count;
    Some(Figure::quotient(tenths, 10 * count))
}

/// Population standard deviation of the factors in points, `50·(1 + f)`.
fn deviation(scores: &FactorScores) -> Option<Figure> {
    let count = double(i128::try_from(scores.present().count()).ok()?);
    let points = || {
        scores
            .present()
            .map(|(_factor, score)| 50.0 * (1.0 + score.to_double()))
    };
    let mean = points().sum::<f64>() / count;
    let squares: f64 = points().map(|x| (x - mean) * (x - mean)).sum();
    Figure::rounded((squares / count).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn score(text: &str) -> Option<Score> {
        Score::rounded(text.parse().unwrap())
    }

    #[test]
    fn three_factors_are_too_few() {
        let mut scores = FactorScores {
            momentum: score("1"),
            technical: score("1"),
            value: score("1"),
            ..FactorScores::default()
        };
        assert_eq!(judge(&scores), None);
        scores.event = score("-1");
        assert!(judge(&scores).is_some());
    }

    #[test]
    fn all_factors_are_weighted() {
        let scores = FactorScores {
            momentum: score("0.5"),
            technical: score("0.2"),
            value: score("0.5"),
            quality: score("0.6"),
            flow: score("-0.5"),
            event: score("1"),
        };
        let (total, strength, conviction) = judge(&scores).unwrap();
        // .1 + .03 + .1 + .09 − .1 + .1 = .32: tanh .48
        assert_eq!(total.units(), 4_462_436_102);
        assert_eq!(strength.units(), 50 * 14_462_436_102);
        // Points 75, 60, 75, 80, 25, 100: five of six; s = 22.9885237069…
        assert_eq!(deviation(&scores).unwrap().units(), 229_885_237_069);
        // .7·83.33… + .3·77.0114762931, rounded once.
        assert_eq!(conviction.units(), 814_367_762_213);
    }

    #[test]
    fn a_missing_factor_leaves_its_weight_to_the_others() {
        let scores = FactorScores {
            momentum: score("0.4"),
            technical: score("0.4"),
            value: score("0.4"),
            quality: score("0.4"),
            ..FactorScores::default()
        };
        let (total, strength, conviction) = judge(&scores).unwrap();
        assert_eq!(total.units(), 5_370_495_670); // tanh .6
        assert_eq!(strength.units(), 768_524_783_500);
        assert_eq!(conviction, Figure::whole(100));
    }

    #[test]
    fn sixty_points_convince_inclusively() {
        let at = |text| FactorScores {
            momentum: score(text),
            technical: score(text),
            value: score(text),
            quality: score(text),
            ..FactorScores::default()
        };
        assert_eq!(conviction(&at("0.2")), Some(Figure::whole(100)));
        assert_eq!(conviction(&at("0.1999999999")), Some(Figure::whole(30)));
    }
}
