//! The rules as a differential dataflow: each is a function of what is known of one key, evaluated anew
//! for the keys that change.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::change::{Decided, Difference, Taken, Version, is_newer};
use super::violation::{InvariantKind, Violation};
use crate::Rows;
use crate::model::{ActionKey, LogicalTime, PositionId, Quantity, SaleId, Symbol};

/// A position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(super) struct Stake {
    pub(super) symbol: Symbol,
    /// Shares left.
    pub(super) qty: Quantity,
}

/// An order of ours to sell.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(super) struct Sale {
    pub(super) position: PositionId,
    /// When its row was stored.
    pub(super) stored: LogicalTime,
    /// Shares filled.
    pub(super) filled: Quantity,
    /// Shares that the broker is asked for still.
    pub(super) asked: Quantity,
}

/// An order of ours, whatever it trades.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(super) struct Placed {
    pub(super) symbol: Symbol,
    pub(super) position: Option<PositionId>,
    pub(super) qty: Quantity,
}

impl Placed {
    /// Returns whether it is what was decided.
    fn is_of(&self, decided: &Decided) -> bool {
        let stated = (decided.symbol, Some(&decided.position), decided.qty);
        (self.symbol, self.position.as_ref(), self.qty) == stated
    }
}

/// Rows by key, one a key.
pub(super) struct RuleInputs<'s> {
    pub(super) positions: Rows<'s, (PositionId, Stake)>,
    pub(super) sales: Rows<'s, (Arc<str>, Sale)>,
    pub(super) taken: Rows<'s, (SaleId, Taken)>,
    pub(super) decisions: Rows<'s, (ActionKey, Decided)>,
    pub(super) orders: Rows<'s, (ActionKey, Placed)>,
    pub(super) refused: Rows<'s, (ActionKey, ())>,
    pub(super) found: Rows<'s, (ActionKey, bool)>,
    pub(super) due: Rows<'s, (ActionKey, ())>,
    pub(super) differences: Rows<'s, (Symbol, Difference)>,
    pub(super) cached: Rows<'s, (Arc<str>, Version)>,
    pub(super) stored: Rows<'s, (Arc<str>, Version)>,
}

/// What the rules say.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(super) enum Said {
    Broken(Violation),
    /// No decision states this order: whether its row accounts for it has to be looked up.
    Asked(ActionKey),
}

/// What is known of the shares of a position.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
enum Share {
    Held(Stake),
    Sale(Arc<str>, Sale),
    Taken(Taken),
}

/// What is known of an action key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
enum Deed {
    Decision(Decided),
    Due,
    Order(Placed),
    Refused,
    Found(bool),
}

/// What is known of a key of the cache, from two sides.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
enum Side {
    Cached(Version),
    Stored(Version),
}

/// Renders the view: what does not hold, and what has to be looked up for it.
pub(super) fn render(inputs: RuleInputs<'_>) -> Rows<'_, Said> {
    let shares = inputs
        .positions
        .map(|(id, stake)| (id, Share::Held(stake)))
        .concatenate([
            inputs
                .sales
                .map(|(id, sale)| (sale.position.clone(), Share::Sale(id, sale))),
            inputs
                .taken
                .map(|(_id, taken)| (taken.position.clone(), Share::Taken(taken))),
        ])
        .reduce_named("invariants: shares by position", |id, shares, said| {
            let broken = oversell(id, shares.iter().map(|(share, _)| *share));
            said.extend(broken.map(|broken| (Said::Broken(broken), 1)));
        });
    let deeds = inputs
        .decisions
        .map(|(key, decided)| (key, Deed::Decision(decided)))
        .concatenate([
            inputs.due.map(|(key, ())| (key, Deed::Due)),
            inputs.orders.map(|(key, row)| (key, Deed::Order(row))),
            inputs.refused.map(|(key, ())| (key, Deed::Refused)),
            inputs.found.map(|(key, does)| (key, Deed::Found(does))),
        ])
        .reduce_named("invariants: deeds by action key", |key, deeds, said| {
            let told = deed(key, deeds.iter().map(|(deed, _)| *deed));
            said.extend(told.map(|told| (told, 1)));
        });
    let differences = inputs
        .differences
        .map(|(symbol, difference)| Said::Broken(holdings(symbol, difference)));
    let cached = inputs
        .cached
        .map(|(key, version)| (key, Side::Cached(version)))
        .concat(
            inputs
                .stored
                .map(|(key, version)| (key, Side::Stored(version))),
        )
        .reduce_named(
            "invariants: values by key of the cache",
            |key, sides, said| {
                let (cached, stored) = match sides {
                    [(Side::Cached(cached), _)] => (cached, None),
                    [(Side::Cached(cached), _), (Side::Stored(stored), _)] => {
                        (cached, Some(stored))
                    }
                    _ => return,
                };
                let broken = cache(key, cached, stored);
                said.extend(broken.map(|broken| (Said::Broken(broken), 1)));
            },
        );
    shares.map(|(_, said)| said).concatenate([
        deeds.map(|(_, said)| said),
        differences,
        cached.map(|(_, said)| said),
    ])
}

fn oversell<'p>(id: &PositionId, shares: impl Iterator<Item = &'p Share>) -> Option<Violation> {
    let (mut stake, mut sales, mut taken) = (None, Vec::new(), Vec::new());
    for share in shares {
        match share {
            Share::Held(held) => stake = Some(*held),
            Share::Sale(order, sale) => sales.push((order, sale)),
            Share::Taken(one) => taken.push(one),
        }
    }
    let Stake { symbol, qty } = stake?;
    let (mut gone, mut by_order) = (Vec::new(), BTreeMap::<&Arc<str>, i128>::new());
    for one in &taken {
        match &one.order {
            Some(order) => *by_order.entry(order).or_default() += count(one.qty),
            None => gone.push((one.time, count(one.qty))),
        }
    }
    // What was gone before an order was stored is no fill of it.
    let filled_beyond = sales.iter().find_map(|(order, sale)| {
        let late = gone.iter().filter(|(time, _)| *time >= sale.stored);
        let late: i128 = late.map(|(_, qty)| qty).sum();
        let own = by_order.get(order).copied().unwrap_or_default();
        (count(sale.filled) > own + late).then(|| {
            format!(
                "{symbol}: order {order} sold {} shares, where it has taken {own} off the position",
                sale.filled
            )
        })
    });
    let sold: i128 = sales.iter().map(|(_, sale)| count(sale.filled)).sum();
    let asked: i128 = sales.iter().map(|(_, sale)| count(sale.asked)).sum();
    let taken: i128 = taken.iter().map(|one| count(one.qty)).sum();
    let is_beyond = sold + asked > count(qty) + taken;
    let detail = filled_beyond.or_else(|| {
        is_beyond.then(|| {
            format!(
                "{symbol}: {sold} shares sold and {asked} more asked for, where {taken} were taken and {qty} are left"
            )
        })
    })?;
    Some(Violation {
        kind: InvariantKind::Oversell,
        key: id.as_str().into(),
        symbol: Some(symbol),
        position: Some(id.clone()),
        detail: detail.into(),
    })
}

/// Returns so many shares, wide enough for sums of them.
fn count(qty: Quantity) -> i128 {
    i128::from(qty.shares())
}

fn deed<'d>(key: &ActionKey, deeds: impl Iterator<Item = &'d Deed>) -> Option<Said> {
    let (mut decision, mut order, mut found) = (None, None, None);
    let (mut is_due, mut is_refused) = (false, false);
    for deed in deeds {
        match deed {
            Deed::Decision(decided) => decision = Some(decided),
            Deed::Due => is_due = true,
            Deed::Order(placed) => order = Some(placed),
            Deed::Refused => is_refused = true,
            Deed::Found(does) => found = Some(*does),
        }
    }
    match (decision, order) {
        (Some(decided), None) if is_due && !is_refused => Some(Said::Broken(Violation {
            kind: InvariantKind::Breach,
            key: key.as_str().into(),
            symbol: Some(decided.symbol),
            position: Some(decided.position.clone()),
            detail: format!(
                "{}: decided at {} us, and there is neither an order nor a reason",
                decided.symbol, decided.time
            )
            .into(),
        })),
        (Some(decided), Some(placed)) if placed.is_of(decided) => None,
        (_, Some(placed)) => match found {
            Some(true) => None,
            Some(false) => Some(Said::Broken(Violation {
                kind: InvariantKind::Order,
                key: key.as_str().into(),
                symbol: Some(placed.symbol),
                position: placed.position.clone(),
                detail: format!("{}: no decision accounts for the order", placed.symbol).into(),
            })),
            None => Some(Said::Asked(key.clone())),
        },
        _ => None,
    }
}

fn holdings(symbol: Symbol, difference: Difference) -> Violation {
    let Difference { ours, theirs } = difference;
    Violation {
        kind: InvariantKind::Holdings,
        key: symbol.to_string().into(),
        symbol: Some(symbol),
        position: None,
        detail: format!("{symbol}: {ours} shares in positions, {theirs} at the broker").into(),
    }
}

fn cache(key: &Arc<str>, cached: &Version, stored: Option<&Version>) -> Option<Violation> {
    is_newer(cached, stored).then(|| Violation {
        kind: InvariantKind::Cache,
        key: key.clone(),
        symbol: None,
        position: None,
        detail: match stored {
            None => format!(
                "{key}: version {} is cached, and none is stored",
                cached.number
            ),
            Some(stored) if stored.number < cached.number => format!(
                "{key}: version {} is cached, and {} is stored",
                cached.number, stored.number
            ),
            Some(stored) => format!(
                "{key}: version {} is cached as {}, and stored as {}",
                cached.number, cached.content, stored.content
            ),
        }
        .into(),
    })
}
