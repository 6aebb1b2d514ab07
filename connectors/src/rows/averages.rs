//! Average costs of live positions, as they were last told: one that jumps is told to a human, since every
//! level of its position moves with it (domain 3.3 and 8).

use std::collections::BTreeMap;

use turnstile_dataflows::model::{Position, PositionId, Price, Symbol};

/// An average that changed by more than one part in so many is told.
const PART: i128 = 100;

/// An average cost that changed by more than 1 %.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AverageMove {
    /// Whose.
    pub position: PositionId,
    /// What is held.
    pub symbol: Symbol,
    /// What it was.
    pub from: Price,
    /// What it is.
    pub to: Price,
}

/// The last averages.
#[derive(Debug, Default)]
pub(super) struct Averages(BTreeMap<PositionId, Price>);

impl Averages {
    /// Takes in the row of a position. Returns the change of its average where that is to be told.
    pub(super) fn note(&mut self, position: &Position) -> Option<AverageMove> {
        let Some(to) = position.avg_price.filter(|_| position.is_live) else {
            self.0.remove(&position.id);
            return None;
        };
        let from = self.0.insert(position.id.clone(), to)?;
        let [before, after] = [from, to].map(|price| i128::from(price.units()));
        let is_jump = (after - before).abs() * PART > before;
        is_jump.then(|| AverageMove {
            position: position.id.clone(),
            symbol: position.symbol,
            from,
            to,
        })
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::super::read;
    use super::*;

    fn row(avg_price: Option<i64>, status: &str) -> Position {
        let row = json!({
            "position_id": "6f1c3c0e-59a5-4bb1-9a58-6c3d1a3f0001", "symbol": "005930", "qty": 10,
            "original_qty": 10, "avg_price": avg_price, "entry_ts": "2026-11-27T09:00:00+09:00",
            "status": status, "exit_mode": "ENABLED", "strategy_id": "daily", "cycle": 1, "version": 1,
        });
        read::position(&row).unwrap()
    }

    #[rstest]
    #[case(10_000, 10_100, false)] // One percent is not more than one percent.
    #[case(10_000, 10_101, true)]
    #[case(10_000, 9_900, false)]
    #[case(10_000, 9_899, true)]
    fn a_change_of_more_than_one_percent_is_told(
        #[case] from: i64,
        #[case] to: i64,
        #[case] is_told: bool,
    ) {
        let mut averages = Averages::default();
        assert_eq!(
            averages.note(&row(Some(from), "OPEN")),
            None,
            "nothing to compare with"
        );
        assert_eq!(averages.note(&row(Some(to), "OPEN")).is_some(), is_told);
        assert_eq!(averages.note(&row(Some(to), "OPEN")), None, "told once");
    }

    #[test]
    fn a_position_that_has_closed_is_forgotten() {
        let mut averages = Averages::default();
        averages.note(&row(Some(10_000), "OPEN"));
        averages.note(&row(None, "CLOSED"));
        assert_eq!(averages.note(&row(Some(20_000), "OPEN")), None);
    }
}
