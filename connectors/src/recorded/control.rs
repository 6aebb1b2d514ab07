//! Control modes of a recorded day.

use std::path::Path;

use turnstile_dataflows::engine::Change;
use turnstile_dataflows::model::{ExitMode, LogicalTime, ReentryMode, Regime, RegimeOverride};

use super::error::{FieldFault, RecordedError, of_column};
use super::fields;
use super::table::{Column, Fields, OnFault, Skipped, read_all};
use super::ticks::not_before;

const COLUMNS: [Column; 3] = [("ts", true), ("mode", true), ("scope", false)];

/// A row of the control file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ControlRow {
    /// When the mode was set.
    pub time: LogicalTime,
    /// The mode.
    pub mode: ControlMode,
}

/// A mode of one of the two scopes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ControlMode {
    /// Of exits.
    Exit(ExitMode),
    /// Of re-entries: it takes its logical time and changes no exit.
    Reentry(ReentryMode),
    /// Of the market: its regime.
    Regime(Regime),
}

impl ControlMode {
    /// Returns the change that the engine takes.
    pub(super) fn to_change(self) -> Change {
        match self {
            Self::Exit(mode) => Change::ExitMode(mode),
            Self::Reentry(mode) => Change::ReentryMode(mode),
            Self::Regime(regime) => regime_from_now(regime),
        }
    }
}

/// Returns the change by which a recorded regime holds until there is another.
pub(super) fn regime_from_now(regime: Regime) -> Change {
    let until = LogicalTime::MAX;
    Change::RegimeOverride(Some(RegimeOverride { regime, until }))
}

/// Reads the control modes of `file`, in its order.
///
/// # Errors
/// A file that cannot be read, its header, or a malformed line, unless those are left out.
pub fn read_control(
    file: &Path,
    on_fault: OnFault,
) -> Result<(Vec<ControlRow>, Skipped), RecordedError> {
    let mut last = LogicalTime::default();
    read_all(file, &COLUMNS, on_fault, |fields| {
        let row = parse(fields)?;
        not_before(last, row.time)?;
        last = row.time;
        Ok(row)
    })
}

fn parse(row: &Fields<'_, 3>) -> Result<ControlRow, FieldFault> {
    let [ts, mode, scope] = row.map(Option::unwrap_or_default);
    let time = fields::time(ts).map_err(of_column("ts"))?;
    let mode = match scope {
        b"" | b"exit" => fields::parsed(mode).map(ControlMode::Exit),
        b"reentry" => fields::parsed(mode).map(ControlMode::Reentry),
        b"regime" => fields::parsed(mode).map(ControlMode::Regime),
        other => {
            let other = fields::shown(other);
            return Err(FieldFault {
                column: "scope",
                reason: format!("exit, reentry or regime expected, was {other}"),
            });
        }
    };
    let mode = mode.map_err(of_column("mode"))?;
    Ok(ControlRow { time, mode })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn row<'r>(texts: [&'r str; 3]) -> Fields<'r, 3> {
        texts.map(|text| Some(text.as_bytes()))
    }

    #[test]
    fn a_mode_is_judged_by_its_scope() {
        let mode = |mode, scope| parse(&row(["1", mode, scope])).map(|row| row.mode);
        assert_eq!(
            mode("EMERGENCY_FLATTEN", ""),
            Ok(ControlMode::Exit(ExitMode::EmergencyFlatten))
        );
        assert_eq!(
            mode("PAUSE_ALL", "reentry"),
            Ok(ControlMode::Reentry(ReentryMode::PauseAll))
        );
        for (name, scope, column) in [
            ("PAUSE_ENTRY", "exit", "mode"),
            ("EMERGENCY_FLATTEN", "reentry", "mode"),
            ("running", "", "mode"),
            ("", "", "mode"),
            ("RUNNING", "entry", "scope"),
        ] {
            assert_eq!(mode(name, scope).unwrap_err().column, column);
        }
        assert_eq!(parse(&row(["", "RUNNING", ""])).unwrap_err().column, "ts");
    }

    proptest! {
        #[test]
        fn parsing_never_panics(
            row in prop::array::uniform3(prop::option::of(prop::collection::vec(any::<u8>(), 0..12)))
        ) {
            drop(parse(&row.each_ref().map(|field| field.as_deref())));
        }
    }
}
