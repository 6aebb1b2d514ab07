//! The modes: what the operator set, and what the system set beside it.

use std::collections::BTreeSet;

use serde_json::Value;
use turnstile_dataflows::engine::Change;
use turnstile_dataflows::model::{ExitMode, ReentryMode};

use super::fields::{Fields, RowFault};

/// The modes of the operator and the pauses of the system. The strictest is in force: a pause lets hard
/// stops through and buys nothing.
#[derive(Debug, Default)]
pub(super) struct Control {
    exits: ExitMode,
    reentries: ReentryMode,
    pauses: BTreeSet<String>,
}

impl Control {
    /// Takes in the row of `trade.exit_control`.
    pub(super) fn set_exits(&mut self, row: &Value) -> Result<Change, RowFault> {
        self.exits = Fields::new(row, "id").parsed("mode")?;
        let [exits, _] = self.in_force();
        Ok(exits)
    }

    /// Takes in the row of `trade.reentry_control`.
    pub(super) fn set_reentries(&mut self, row: &Value) -> Result<Change, RowFault> {
        self.reentries = Fields::new(row, "id").parsed("mode")?;
        let [_, reentries] = self.in_force();
        Ok(reentries)
    }

    /// Takes in a row of `trade.exit_pauses`.
    pub(super) fn set_pause(
        &mut self,
        row: &Value,
        is_deleted: bool,
    ) -> Result<[Change; 2], RowFault> {
        let reason = Fields::new(row, "reason").text("reason")?.to_owned();
        if is_deleted {
            self.pauses.remove(&reason);
        } else {
            self.pauses.insert(reason);
        }
        Ok(self.in_force())
    }

    fn in_force(&self) -> [Change; 2] {
        let (exits, reentries) = if self.pauses.is_empty() {
            (self.exits, self.reentries)
        } else {
            (
                self.exits.max(ExitMode::PauseAll),
                self.reentries.max(ReentryMode::PauseEntry),
            )
        };
        [Change::ExitMode(exits), Change::ReentryMode(reentries)]
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_strictest_is_in_force_and_a_recovery_lifts_only_its_own() {
        let mut control = Control::default();
        let exits = |change: &Change| match change {
            Change::ExitMode(mode) => *mode,
            other => panic!("{other:?}"),
        };
        let set = |name: &str| json!({"id": 1, "mode": name});
        let down = json!({"reason": "BROKER_DOWN"});
        let pause = |control: &mut Control, is_over| {
            let [exits_now, reentries] = control.set_pause(&down, is_over).unwrap();
            let Change::ReentryMode(reentries) = reentries else {
                panic!("{reentries:?}");
            };
            (exits(&exits_now), reentries)
        };
        let paused = (ExitMode::PauseAll, ReentryMode::PauseEntry);
        assert_eq!(pause(&mut control, false), paused);
        let profit = control.set_exits(&set("PAUSE_PROFIT")).unwrap();
        assert_eq!(exits(&profit), ExitMode::PauseAll);
        let over = (ExitMode::PauseProfit, ReentryMode::Running);
        assert_eq!(pause(&mut control, true), over);
        assert_eq!(pause(&mut control, false), paused);
        let flatten = control.set_exits(&set("EMERGENCY_FLATTEN")).unwrap();
        assert_eq!(exits(&flatten), ExitMode::EmergencyFlatten);
        let all = control.set_reentries(&set("PAUSE_ALL")).unwrap();
        assert!(matches!(all, Change::ReentryMode(ReentryMode::PauseAll)));
    }
}
