//! High-water marks that rows bring.

use std::collections::BTreeMap;

use turnstile_dataflows::model::{PositionId, Price};

use super::fields::{Fields, RowFault};

/// Up to which logical time the stored mark of a position was reached, where one is stored: that
/// is, after a split or the reset of a cycle.
#[derive(Debug, Default)]
pub(super) struct Marks {
    through_us: BTreeMap<PositionId, i64>,
}

impl Marks {
    /// Returns the mark that the row of `position` brings, if it brings one: any at the load, which
    /// computes it from the prices, later one that was reached up to a later time than the last.
    pub(super) fn news(
        &mut self,
        position: &PositionId,
        fields: &Fields<'_>,
    ) -> Result<Option<Price>, RowFault> {
        let through_us: Option<i64> = fields
            .value("hwm_us")
            .map(|_| fields.whole("hwm_us"))
            .transpose()?;
        let is_later = through_us > self.through_us.get(position).copied();
        if let Some(through_us) = through_us {
            self.through_us.insert(position.clone(), through_us);
        }
        if fields.has("mark") {
            return fields.price_if("mark");
        }
        if is_later {
            fields.price_if("hwm_price")
        } else {
            Ok(None)
        }
    }

    /// Forgets a position that is closed.
    pub(super) fn forget(&mut self, position: &PositionId) {
        self.through_us.remove(position);
    }
}
