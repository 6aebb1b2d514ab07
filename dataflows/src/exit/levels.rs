//! Levels: the view of positions that people read.

use crate::model::{Mark, Price};

use super::held::Held;
use super::output::{Level, PositionLevels, Side};
use super::permit::{Active, Permit, permit};
use super::trigger::{Reach, Trigger, When, compile};

impl Held {
    /// Returns the levels at which rules fire now that are not spent, in the priority of the phase.
    pub(super) fn levels(&self, mark: Option<Mark>) -> PositionLevels {
        let terms = &self.terms;
        let mut triggers = Vec::new();
        let subject = self.subject();
        if let Some(subject) = &subject {
            compile(subject, &mut triggers);
        }
        let active = Active::of(&self.orders);
        // Whether something is spent does not depend on the time.
        let now = terms.control.since;
        let is_open =
            |trigger: &&Trigger| !matches!(permit(self, trigger, now, &active), Permit::Spent);
        let levels = triggers.iter().filter(is_open).filter_map(|trigger| {
            let (side, reach) = reach(trigger, mark)?;
            Some(Level {
                reason: trigger.reason,
                rule_id: subject
                    .as_ref()
                    .and_then(|subject| trigger.rule_id(subject)),
                side,
                level: reach.level(),
            })
        });
        PositionLevels {
            high_water_mark: mark.map(|mark| mark.price),
            levels: levels.collect(),
            ..self.no_levels()
        }
    }

    /// Returns what is said of a position that has no levels any more.
    pub(super) fn no_levels(&self) -> PositionLevels {
        let (position, terms) = (&self.row.position, &self.terms);
        PositionLevels {
            position: position.id.clone(),
            symbol: position.symbol,
            profile: terms.rule.id.clone(),
            profile_version: terms.rule.version,
            chosen_by: terms.level,
            high_water_mark: None,
            levels: Vec::new(),
        }
    }

    /// Returns how far `price` is from the nearest price at which the position is judged again: as
    /// a share of `price` in millionths.
    pub(super) fn distance(&self, price: Price) -> i64 {
        let near = [self.quiet.low, self.quiet.high].into_iter().flatten();
        let distance = near
            .map(|level| level.units().abs_diff(price.units()))
            .min();
        let units = distance.and_then(|units| i64::try_from(units).ok());
        units.map_or(i64::MAX, |units| units / (price.units() / 1_000_000).max(1))
    }
}

fn reach(trigger: &Trigger, mark: Option<Mark>) -> Option<(Side, Reach)> {
    match trigger.when {
        When::Below(reach)
        | When::Floor(reach)
        | When::Gap { reach, .. }
        | When::BreakEven { reach, .. } => Some((Side::Below, reach)),
        When::Above(reach) => Some((Side::Above, reach)),
        When::Trail { gap } => Reach::below(mark?.price, gap).map(|reach| (Side::Below, reach)),
        When::Now | When::Held { .. } => None,
    }
}
