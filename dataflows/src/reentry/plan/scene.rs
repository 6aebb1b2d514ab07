//! What concerns all candidates: the operator's orders, the regime, and sums over the account.
//!
//! ```text
//! live positions ────────────┬─> cost ──────┐
//! purchases under way ─┬─────┘              ├─> facts of the scene
//!                      └─ not held ─> count ┤
//! results of sales ─> sum by day ───────────┘
//! ```

use super::{Fact, ReentryInputs};
use crate::Rows;
use crate::model::{Price, Quantity};
use crate::reentry::scene::SceneFact;

/// Renders the facts of the scene.
pub(super) fn render<'s>(inputs: &ReentryInputs<'s>) -> Rows<'s, Fact> {
    let positions = &inputs.positions;
    let held = positions.clone().map(|(_id, row)| row.position.symbol);
    let costs = positions.clone().map(|(_id, row)| {
        let price = row.position.avg_price.map_or(0, Price::units);
        cost(price, row.position.qty)
    });
    let underway = inputs.underway.clone();
    let exposure = underway
        .clone()
        .map(|(_key, row)| cost(row.price.units(), row.left))
        .concat(costs)
        .explode(|cost| Some(((), cost)))
        .count()
        .map(|((), cost)| SceneFact::Exposure(whole(cost)));
    let opening = underway
        .map(|(_key, row)| (row.symbol, ()))
        .distinct()
        .antijoin(held.clone().distinct())
        .map(|(_symbol, ())| ());
    let positions = held
        .map(|_symbol| ())
        .concat(opening)
        .count()
        .map(|((), count)| SceneFact::Positions(whole(count)));
    let results = inputs
        .results
        .clone()
        .explode(|(_id, (day, won))| Some((day, isize::try_from(won).unwrap_or(isize::MIN))))
        .count()
        .map(|(day, won)| SceneFact::Result(day, whole(won)));
    let told = inputs.scene.clone().map(|(_key, fact)| fact);
    told.concat(exposure)
        .concat(positions)
        .concat(results)
        .map(Fact::Scene)
}

/// Ten-thousandths of a won, as a multiplicity.
fn cost(price: i64, qty: Quantity) -> isize {
    let cost = price.saturating_mul(qty.shares());
    isize::try_from(cost).unwrap_or(isize::MAX)
}

fn whole(sum: isize) -> i64 {
    i64::try_from(sum).unwrap_or(i64::MAX)
}
