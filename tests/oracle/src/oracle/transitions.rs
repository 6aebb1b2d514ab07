//! What a fill does to phase and floor (contract, section 3), and a split to the mark.

use turnstile_dataflows::model::{ExitReason, Phase, Position, Price};

use super::exact::{Won, half_even};
use super::rows::State;
use super::rules::Rules;

/// Returns the state after an order for `reason` has ended with any fill.
pub fn after(state: State, reason: ExitReason, avg: Price, rules: &Rules) -> State {
    match (state.phase, reason) {
        (Phase::Open, ExitReason::Tp1) => {
            let floor = rules.floor.map(|floor| Won::beyond(avg, floor));
            State {
                phase: Phase::Tp1Done,
                floor: state.floor.max(floor),
                ..state
            }
        }
        (Phase::Tp1Done, ExitReason::Tp2) if rules.tp3.is_some() => State {
            phase: Phase::Tp2Done,
            ..state
        },
        (Phase::Tp1Done, ExitReason::Tp2) => State {
            phase: Phase::TrailingActive,
            ..state
        },
        (Phase::Tp2Done, ExitReason::Tp3) if rules.start_trailing => State {
            phase: Phase::TrailingActive,
            ..state
        },
        (Phase::Tp2Done, ExitReason::Tp3) => State {
            phase: Phase::Tp3Done,
            ..state
        },
        _ => state,
    }
}

/// Returns whether the same holding is told in other units: one quantity is a whole multiple of the
/// other, and quantity times average stays the same within one percent (domain 3.7: a split rescales
/// and does not reset).
pub(super) fn is_split(old: &Position, new: &Position) -> bool {
    let (Some(old_avg), Some(new_avg)) = (old.avg_price, new.avg_price) else {
        return false;
    };
    let (old_qty, new_qty) = (old.qty.shares(), new.qty.shares());
    let (fewer, more) = (old_qty.min(new_qty), old_qty.max(new_qty));
    let is_multiple = fewer > 0 && fewer != more && more % fewer == 0;
    let old_value = i128::from(old_qty) * i128::from(old_avg.units());
    let new_value = i128::from(new_qty) * i128::from(new_avg.units());
    is_multiple && 100 * (new_value - old_value).abs() <= old_value
}

/// Returns a price of one of `before` shares as that of one of `after` shares, half to even to four
/// decimals; as it was where nothing is left of it.
pub(super) fn in_other_units(price: Price, before: i64, after: i64) -> Price {
    let units = i128::from(price.units()) * i128::from(before);
    let units = i64::try_from(half_even(units, i128::from(after))).expect("a price");
    Price::from_units(units).unwrap_or(price)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn path(profile: &Value, reasons: &[ExitReason]) -> (Phase, Option<String>) {
        let rules = Rules::read(profile);
        let mut state = State::default();
        for reason in reasons {
            state = after(state, *reason, Price::from_won(100).unwrap(), &rules);
        }
        (
            state.phase,
            state.floor.map(|floor| floor.to_decimal().to_string()),
        )
    }

    #[test]
    fn take_profits_climb_the_ladder() {
        use ExitReason::{Sl1, Tp1, Tp2, Tp3};
        let tp3 = |start: bool| json!({"tp1": {"floor": 0.006}, "tp3": {"pnl": 0.15, "qty": 0.3, "start_trailing": start}});
        let floor = Some("100.6".to_owned());
        assert_eq!(path(&tp3(true), &[Sl1, Tp2, Tp3]), (Phase::Open, None));
        assert_eq!(
            path(&tp3(true), &[Tp1, Sl1]),
            (Phase::Tp1Done, floor.clone())
        );
        assert_eq!(
            path(&tp3(true), &[Tp1, Tp2]),
            (Phase::Tp2Done, floor.clone())
        );
        assert_eq!(
            path(&tp3(true), &[Tp1, Tp2, Tp3]),
            (Phase::TrailingActive, floor.clone())
        );
        assert_eq!(path(&tp3(false), &[Tp1, Tp2, Tp3]), (Phase::Tp3Done, floor));
    }

    #[test]
    fn without_a_third_take_profit_the_second_one_starts_trailing() {
        let off = json!({"tp3": {"pnl": 0.0, "qty": 0.3, "start_trailing": false}});
        let path = path(&off, &[ExitReason::Tp1, ExitReason::Tp2]);
        assert_eq!(path, (Phase::TrailingActive, None));
    }
}
