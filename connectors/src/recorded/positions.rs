//! Positions of a recorded day.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use turnstile_dataflows::exit::ExitRule;
use turnstile_dataflows::model::{
    LogicalTime, Position, PositionId, PositionMode, Price, ProfileId, Quantity, Symbol,
};

use super::error::{FieldFault, RecordedError, of_column};
use super::fields;
use super::table::{Column, Fields, OnFault, Skipped, read_all};

const COLUMNS: [Column; 6] = [
    ("position_id", true),
    ("symbol", true),
    ("qty", true),
    ("avg_price", true),
    ("entry_ts", true),
    ("profile", false),
];

/// Profile of a position that names none.
const DEFAULT_PROFILE: &str = "default";
/// No rule of a recorded day looks at the strategy.
const STRATEGY: &str = "replay";

/// A row of the positions file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedPosition {
    /// Identity.
    pub id: PositionId,
    /// What is held.
    pub symbol: Symbol,
    /// Shares held; zero where the file has zero or less.
    pub qty: Quantity,
    /// Average cost; none where the file has zero or less.
    pub avg_price: Option<Price>,
    /// When it was opened.
    pub entry: LogicalTime,
    /// Its profile.
    pub profile: ProfileId,
}

impl RecordedPosition {
    /// Returns the position as the engine takes it, opened at `entry`.
    pub(super) fn to_position(&self, entry: LogicalTime, strategy: &Arc<str>) -> Position {
        Position {
            id: self.id.clone(),
            symbol: self.symbol,
            qty: self.qty,
            original_qty: self.qty,
            avg_price: self.avg_price,
            entry,
            is_live: true,
            mode: PositionMode::Enabled,
            profile: Some(self.profile.clone()),
            strategy: strategy.clone(),
            cycle: 1,
            version: 1,
        }
    }

    /// Returns the name of the strategy for [`Self::to_position`].
    pub(super) fn strategy() -> Arc<str> {
        STRATEGY.into()
    }
}

/// Reads the positions of `file`, in its order. Each must name a profile of `rules`.
///
/// # Errors
/// A file that cannot be read, its header, or a malformed line, unless those are left out.
pub fn read_positions(
    file: &Path,
    rules: &BTreeMap<ProfileId, ExitRule>,
    on_fault: OnFault,
) -> Result<(Vec<RecordedPosition>, Skipped), RecordedError> {
    let mut ids = BTreeSet::new();
    read_all(file, &COLUMNS, on_fault, |fields| {
        let position = parse(fields)?;
        if !rules.contains_key(&position.profile) {
            let known: Vec<&str> = rules.keys().map(ProfileId::as_str).collect();
            let known = match known.as_slice() {
                [] => "the rules file has none".to_owned(),
                known => format!("the rules file has {}", known.join(", ")),
            };
            return Err(FieldFault {
                column: "profile",
                reason: format!("unknown profile {:?}, {known}", position.profile.as_str()),
            });
        }
        if !ids.insert(position.id.clone()) {
            return Err(FieldFault {
                column: "position_id",
                reason: format!("duplicate position {:?}", position.id.as_str()),
            });
        }
        Ok(position)
    })
}

fn parse(row: &Fields<'_, 6>) -> Result<RecordedPosition, FieldFault> {
    let [id, symbol, qty, avg_price, entry, profile] = row.map(Option::unwrap_or_default);
    let qty = fields::integer(qty).map_err(of_column("qty"))?;
    let profile = if profile.is_empty() {
        DEFAULT_PROFILE.as_bytes()
    } else {
        profile
    };
    Ok(RecordedPosition {
        id: fields::parsed(id).map_err(of_column("position_id"))?,
        symbol: fields::symbol(symbol).map_err(of_column("symbol"))?,
        qty: Quantity::new(qty).unwrap_or(Quantity::ZERO),
        avg_price: fields::average(avg_price).map_err(of_column("avg_price"))?,
        entry: fields::time(entry).map_err(of_column("entry_ts"))?,
        profile: fields::parsed(profile).map_err(of_column("profile"))?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn row<'r>(texts: [&'r str; 6]) -> Fields<'r, 6> {
        texts.map(|text| Some(text.as_bytes()))
    }

    #[test]
    fn a_position_without_profile_has_the_default_one() {
        let mut fields = row(["p1", "A", "7", "71666.67", "2013-10-07T08:00:00Z", ""]);
        assert_eq!(parse(&fields).unwrap().profile.as_str(), "default");
        fields[5] = None;
        assert_eq!(parse(&fields).unwrap().profile.as_str(), "default");
        fields[5] = Some(b"tight");
        assert_eq!(parse(&fields).unwrap().profile.as_str(), "tight");
    }

    #[test]
    fn faults_name_their_column() {
        let good = ["p1", "A", "7", "100", "1", "default"];
        let bad = [
            (0, "", "position_id"),
            (0, "a\tb", "position_id"),
            (1, "", "symbol"),
            (2, "7.5", "qty"),
            (2, "", "qty"),
            (3, "1.00001", "avg_price"),
            (3, "", "avg_price"),
            (4, "-1", "entry_ts"),
            (5, "a\u{7}", "profile"),
        ];
        for (at, text, column) in bad {
            let mut texts = good;
            texts[at] = text;
            assert_eq!(parse(&row(texts)).unwrap_err().column, column, "{text:?}");
        }
    }

    #[test]
    fn nothing_held_is_no_fault_of_the_file() {
        let position = parse(&row(["p1", "A", "-7", "-1", "1", ""])).unwrap();
        assert!(position.qty.is_zero());
        assert_eq!(position.avg_price, None);
    }

    proptest! {
        #[test]
        fn parsing_never_panics(
            row in prop::array::uniform6(prop::option::of(prop::collection::vec(any::<u8>(), 0..12)))
        ) {
            drop(parse(&row.each_ref().map(|field| field.as_deref())));
        }
    }
}
