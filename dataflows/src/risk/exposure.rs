//! Exposure as a differential dataflow: what is held and being bought, by name, sector and market,
//! what that would bring against its cost, and what sales have brought by day and month.
//!
//! Every sum is a multiplicity ([`Sum`]), so that a changed row costs the sums that it is part of and
//! nothing else.

use std::sync::Arc;

use differential_dataflow::difference::{IsZero, Monoid, Multiply, Semigroup};
use differential_dataflow::operators::CountTotal;
use serde::{Deserialize, Serialize};

use crate::model::{Market, PositionId, Price, Quantity, SaleId, Symbol};
use crate::reentry::{Equity, Underway};
use crate::{Rows, Time};

/// What an issue belongs to: a row of `market.stocks`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Issue {
    /// Where it is listed.
    pub market: Market,
    /// Sector; none: not told.
    pub sector: Option<Arc<str>>,
}

/// Whose weight counts together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Sector {
    /// All names of a sector.
    Named(Arc<str>),
    /// A name without a sector.
    Own(Symbol),
}

impl Issue {
    /// An issue that nobody has told of.
    pub const UNKNOWN: Self = Self {
        market: Market::Unknown,
        sector: None,
    };

    /// Returns the sector in which the issue counts as `symbol`.
    pub fn sector_of(&self, symbol: Symbol) -> Sector {
        match &self.sector {
            Some(sector) => Sector::Named(sector.clone()),
            None => Sector::Own(symbol),
        }
    }
}

/// A name that is held or being bought.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Name {
    /// Shares held.
    pub shares: i64,
    /// Shares held at their last price, at cost where there was none; ten-thousandths of a won. None
    /// where neither is known.
    pub held: Option<i128>,
    /// Unrealised result, ten-thousandths of a won: at their last price, the shares of all positions whose
    /// cost is known, less that. 0 without a price: they are reckoned at cost.
    pub unrealised: i128,
    /// What purchases under way may still cost, ten-thousandths of a won.
    pub pending: i128,
    /// What it belongs to.
    pub issue: Issue,
}

/// Names that count together.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Total {
    /// Held and pending, ten-thousandths of a won.
    pub units: i128,
    /// Of these, pending.
    pub pending: i128,
    /// Names.
    pub names: i64,
    /// Of these, names whose value is not known.
    pub unvalued: i64,
    /// Unrealised result, ten-thousandths of a won.
    pub unrealised: i128,
}

/// A fact about the account as a whole, or about a part of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ExposureRow {
    /// One name.
    Name(Symbol, Name),
    /// All names of a sector.
    Sector(Sector, Total),
    /// All names of a market.
    Market(Market, Total),
    /// All names.
    Account(Total),
    /// Realised result of a day in Seoul, ten-thousandths of a won.
    Day(u64, i128),
    /// Realised result of a month in Seoul.
    Month(u64, i128),
    /// What the account is worth.
    Equity(Equity),
    /// What an issue belongs to, held or not.
    Issue(Symbol, Issue),
}

/// What one position adds to its symbol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(super) struct Holding {
    pub(super) symbol: Symbol,
    pub(super) qty: Quantity,
    pub(super) avg_price: Option<Price>,
}

/// What a sale brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(super) struct DayResult {
    pub(super) day: u64,
    pub(super) month: u64,
    /// Ten-thousandths of a won.
    pub(super) units: i64,
}

/// What the dataflow takes in.
pub(super) struct ExposureInputs<'s> {
    /// Live positions, each with its identity.
    pub(super) positions: Rows<'s, (PositionId, Holding)>,
    /// Purchases under way, by action key.
    pub(super) buys: Rows<'s, (Arc<str>, Underway)>,
    /// Last prices: one a symbol at most.
    pub(super) prices: Rows<'s, (Symbol, Price)>,
    /// Listed issues: one row a symbol at most.
    pub(super) issues: Rows<'s, (Symbol, Issue)>,
    /// Results of sales, each with its identity.
    pub(super) results: Rows<'s, (SaleId, DayResult)>,
    /// One row, or none.
    pub(super) equity: Rows<'s, ((), Equity)>,
}

/// A sum as a multiplicity.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
struct Sum {
    /// Ten-thousandths of a won.
    units: i128,
    /// Shares, or what of the units is pending.
    part: i128,
    /// What was summed.
    rows: i64,
    /// Of these, how many have no value.
    unvalued: i64,
    /// Unrealised result, ten-thousandths of a won; of a position, the shares that `units` are the cost of.
    result: i128,
}

impl IsZero for Sum {
    fn is_zero(&self) -> bool {
        *self == Self::default()
    }
}

impl Semigroup for Sum {
    fn plus_equals(&mut self, other: &Self) {
        self.units = self.units.saturating_add(other.units);
        self.part = self.part.saturating_add(other.part);
        self.rows += other.rows;
        self.unvalued += other.unvalued;
        self.result = self.result.saturating_add(other.result);
    }
}

impl Monoid for Sum {
    fn zero() -> Self {
        Self::default()
    }
}

impl Multiply<isize> for Sum {
    type Output = Self;

    fn multiply(self, times: &isize) -> Self {
        let times = i64::try_from(*times).unwrap_or(i64::MAX);
        Self {
            units: self.units.saturating_mul(times.into()),
            part: self.part.saturating_mul(times.into()),
            rows: self.rows.saturating_mul(times),
            unvalued: self.unvalued.saturating_mul(times),
            result: self.result.saturating_mul(times.into()),
        }
    }
}

/// What a name is made of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
enum Part {
    Held(Sum),
    Pending(Sum),
    Price(Price),
    Issue(Issue),
}

/// What a sum is of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
enum Whole {
    /// All names of a sector.
    Sector(Sector),
    /// All names of a market.
    Market(Market),
    /// All names.
    Account,
    /// All results of a day in Seoul.
    Day(u64),
    /// All results of a month in Seoul.
    Month(u64),
}

impl Whole {
    fn row(self, sum: Sum) -> ExposureRow {
        match self {
            Self::Sector(sector) => ExposureRow::Sector(sector, sum.total()),
            Self::Market(market) => ExposureRow::Market(market, sum.total()),
            Self::Account => ExposureRow::Account(sum.total()),
            Self::Day(day) => ExposureRow::Day(day, sum.units),
            Self::Month(month) => ExposureRow::Month(month, sum.units),
        }
    }
}

/// Renders the exposure.
pub(super) fn render(inputs: ExposureInputs<'_>) -> Rows<'_, ExposureRow> {
    let held = inputs.positions.explode(|(_id, row)| {
        let sum = Sum {
            units: cost(row.avg_price.map_or(0, Price::units), row.qty),
            part: row.qty.shares().into(),
            rows: 1,
            unvalued: i64::from(row.avg_price.is_none()),
            result: row.avg_price.map_or(0, |_| row.qty.shares().into()),
        };
        (!row.qty.is_zero()).then_some((row.symbol, sum))
    });
    let pending = inputs.buys.explode(|(_key, row)| {
        let sum = Sum {
            units: cost(row.price.units(), row.left),
            rows: 1,
            ..Sum::default()
        };
        Some((row.symbol, sum))
    });
    let issues = inputs.issues;
    let names = counted(held)
        .map(|(symbol, sum)| (symbol, Part::Held(sum)))
        .concatenate([
            counted(pending).map(|(symbol, sum)| (symbol, Part::Pending(sum))),
            inputs
                .prices
                .map(|(symbol, price)| (symbol, Part::Price(price))),
            issues
                .clone()
                .map(|(symbol, issue)| (symbol, Part::Issue(issue))),
        ])
        .reduce_named("risk: name by symbol", |_symbol, parts, said| {
            said.extend(name(parts).map(|name| (name, 1)));
        });
    let weights = names.clone().explode(|(symbol, name)| {
        let weight = weight(&name);
        [
            (Whole::Sector(name.issue.sector_of(symbol)), weight),
            (Whole::Market(name.issue.market), weight),
            (Whole::Account, weight),
        ]
    });
    let results = inputs.results.explode(|(_id, result)| {
        let days = [Whole::Day(result.day), Whole::Month(result.month)];
        days.map(|whole| (whole, result.sum()))
    });
    names
        .map(|(symbol, name)| ExposureRow::Name(symbol, name))
        .concatenate([
            counted(weights.concat(results)).map(|(whole, sum)| whole.row(sum)),
            inputs
                .equity
                .map(|((), equity)| ExposureRow::Equity(equity)),
            issues.map(|(symbol, issue)| ExposureRow::Issue(symbol, issue)),
        ])
}

/// Returns one row a key, with its sum; none where nothing is summed.
fn counted<'s, K: differential_dataflow::ExchangeData + std::hash::Hash>(
    sums: differential_dataflow::VecCollection<'s, Time, K, Sum>,
) -> Rows<'s, (K, Sum)> {
    sums.count_total()
}

fn name(parts: &[(&Part, isize)]) -> Option<Name> {
    let mut held = Sum::default();
    let mut pending = Sum::default();
    let mut price = None;
    let mut issue = Issue::UNKNOWN;
    for (part, _count) in parts {
        match part {
            Part::Held(sum) => held = *sum,
            Part::Pending(sum) => pending = *sum,
            Part::Price(last) => price = Some(*last),
            Part::Issue(told) => issue = told.clone(),
        }
    }
    if held.rows == 0 && pending.rows == 0 {
        return None;
    }
    let at_cost = (held.unvalued == 0).then_some(held.units);
    let of = |shares: i128, price: Price| shares.saturating_mul(price.units().into());
    let result = |price| of(held.result, price).saturating_sub(held.units);
    Some(Name {
        shares: i64::try_from(held.part).unwrap_or(i64::MAX),
        held: price.map(|price| of(held.part, price)).or(at_cost),
        unrealised: price.map_or(0, result),
        pending: pending.units,
        issue,
    })
}

fn weight(name: &Name) -> Sum {
    Sum {
        units: name.held.unwrap_or(0).saturating_add(name.pending),
        part: name.pending,
        rows: 1,
        unvalued: i64::from(name.held.is_none()),
        result: name.unrealised,
    }
}

fn cost(price: i64, qty: Quantity) -> i128 {
    i128::from(price) * i128::from(qty.shares())
}

impl DayResult {
    fn sum(self) -> Sum {
        Sum {
            units: self.units.into(),
            rows: 1,
            ..Sum::default()
        }
    }
}

impl Sum {
    fn total(self) -> Total {
        Total {
            units: self.units,
            pending: self.part,
            names: self.rows,
            unvalued: self.unvalued,
            unrealised: self.result,
        }
    }
}
