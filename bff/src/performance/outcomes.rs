//! Wins and losses, of days or of trades.

use super::{count, held, ratio};

/// What the profit factor is where nothing was lost (domain section 10).
const NOTHING_LOST: f64 = 999.99;

/// Wins and losses, counted. What came out even is neither.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Tally {
    /// How many there were.
    pub(crate) all: usize,
    /// Those above 0.
    pub(crate) wins: usize,
    /// Those below 0.
    pub(crate) losses: usize,
    /// Sum of the wins.
    pub(crate) gained: f64,
    /// Sum of the losses, at most 0.
    pub(crate) lost: f64,
}

impl Tally {
    /// Counts `results`.
    pub(crate) fn of(results: impl IntoIterator<Item = f64>) -> Self {
        let mut tally = Self::default();
        for result in results {
            tally.all += 1;
            if result > 0.0 {
                tally.wins += 1;
                tally.gained += result;
            } else if result < 0.0 {
                tally.losses += 1;
                tally.lost += result;
            }
        }
        tally
    }
}

/// How good wins are against losses (domain section 10).
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Outcomes {
    /// Wins of all, 0 to 1.
    pub(crate) win_rate: f64,
    /// Sum of the wins ÷ sum of the losses, from 0 on; 999.99 where there were wins only, 0 without either.
    pub(crate) profit_factor: f64,
    /// Mean of the wins, in their unit; 0 without one.
    pub(crate) average_win: f64,
    /// Mean of the losses, at most 0; 0 without one.
    pub(crate) average_loss: f64,
}

impl Outcomes {
    /// Returns them; none of nothing.
    pub(crate) fn of(tally: &Tally) -> Option<Self> {
        if tally.all == 0 {
            return None;
        }
        let profit_factor = match (tally.wins, tally.losses) {
            (0, _) => 0.0,
            (_, 0) => NOTHING_LOST,
            (_, _) => held(tally.gained / -tally.lost),
        };
        Some(Self {
            win_rate: ratio(count(tally.wins), count(tally.all)),
            profit_factor,
            average_win: ratio(tally.gained, count(tally.wins)),
            average_loss: ratio(tally.lost, count(tally.losses)),
        })
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::both(&[30.0, -10.0, 10.0, 0.0], (0.5, 4.0, 20.0, -10.0))]
    #[case::wins_only(&[1.0, 2.0], (1.0, 999.99, 1.5, 0.0))]
    #[case::losses_only(&[-1.0, -2.0], (0.0, 0.0, 0.0, -1.5))]
    #[case::even(&[0.0], (0.0, 0.0, 0.0, 0.0))]
    fn wins_are_set_against_losses(
        #[case] results: &[f64],
        #[case] (win_rate, profit_factor, average_win, average_loss): (f64, f64, f64, f64),
    ) {
        let expected = Outcomes {
            win_rate,
            profit_factor,
            average_win,
            average_loss,
        };
        let found = Outcomes::of(&Tally::of(results.iter().copied()));
        assert_eq!(found, Some(expected));
    }

    #[test]
    fn nothing_has_no_outcome() {
        assert_eq!(Outcomes::of(&Tally::default()), None);
    }
}
