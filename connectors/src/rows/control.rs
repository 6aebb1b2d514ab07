//! The mode of exits: what the operator set, and what the system set beside it.

use std::collections::BTreeSet;

use serde_json::Value;
use turnstile_dataflows::engine::Change;
use turnstile_dataflows::model::ExitMode;

use super::fields::{Fields, RowFault};

/// The mode of the operator and the pauses of the system. The strictest is in force.
#[derive(Debug, Default)]
pub(super) struct Control {
    mode: ExitMode,
    pauses: BTreeSet<String>,
}

impl Control {
    /// Takes in the row of `trade.exit_control`.
    pub(super) fn set_mode(&mut self, row: &Value) -> Result<Change, RowFault> {
        self.mode = Fields::new(row, "id").parsed("mode")?;
        Ok(self.in_force())
    }

    /// Takes in a row of `trade.exit_pauses`.
    pub(super) fn set_pause(&mut self, row: &Value, is_deleted: bool) -> Result<Change, RowFault> {
        let reason = Fields::new(row, "reason").text("reason")?.to_owned();
        if is_deleted {
            self.pauses.remove(&reason);
        } else {
            self.pauses.insert(reason);
        }
        Ok(self.in_force())
    }

    fn in_force(&self) -> Change {
        Change::ExitMode(if self.pauses.is_empty() {
            self.mode
        } else {
            self.mode.max(ExitMode::PauseAll)
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_strictest_is_in_force_and_a_recovery_lifts_only_its_own() {
        let mut control = Control::default();
        let mode = |change: Change| match change {
            Change::ExitMode(mode) => mode,
            other => panic!("{other:?}"),
        };
        let set = |name: &str| json!({"id": 1, "mode": name});
        let down = json!({"reason": "BROKER_DOWN"});
        let pause =
            |control: &mut Control, is_over| mode(control.set_pause(&down, is_over).unwrap());
        assert_eq!(pause(&mut control, false), ExitMode::PauseAll);
        let profit = control.set_mode(&set("PAUSE_PROFIT")).unwrap();
        assert_eq!(mode(profit), ExitMode::PauseAll);
        assert_eq!(pause(&mut control, true), ExitMode::PauseProfit);
        assert_eq!(pause(&mut control, false), ExitMode::PauseAll);
        let flatten = control.set_mode(&set("EMERGENCY_FLATTEN")).unwrap();
        assert_eq!(mode(flatten), ExitMode::EmergencyFlatten);
    }
}
