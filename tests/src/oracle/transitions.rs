//! What a fill does to phase and floor (contract, section 3).

use turnstile_dataflows::model::{ExitReason, Phase, Price};

use super::exact::Won;
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
