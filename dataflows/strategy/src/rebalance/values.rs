//! What a rebalance is computed from, and what it says.

use serde::{Deserialize, Serialize};
use turnstile_dataflows::model::{Price, Quantity, Symbol};

use crate::Weight;

/// One row comes, changes (its key is there already) or goes (`None`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// What the account has. Nothing is said before it is told.
    Funds(Funds),
    /// A name of the portfolio.
    Target(Symbol, Option<Target>),
    /// A name of the positions of the strategy, or that it is buying.
    Stake(Symbol, Option<Stake>),
    /// The price of an issue, whether or not it is a name.
    Price(Symbol, Option<Quote>),
}

/// What the account has, in units of [`Price`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Funds {
    /// Securities and cash.
    pub equity: i128,
    /// Cash that is there.
    pub cash: i128,
}

/// What an issue costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Quote {
    /// Its price: what it is held at, and sold for.
    pub price: Price,
    /// The most that a purchase pays, at which the risk gate weighs it.
    pub limit: Price,
}

/// What the portfolio wants of a name. All of a name without one is sold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Target {
    /// The lower is bought first.
    pub rank: u32,
    /// Of equity.
    pub weight: Weight,
}

/// What the strategy has of a name. A name without one has none of it.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Stake {
    /// Shares held.
    pub held: Quantity,
    /// Shares that can be sold: the broker has them and no order takes them.
    pub sellable: Quantity,
    /// Why it stays as it is, if it does.
    pub kept: Option<Kept>,
}

/// Why a name stays as it is, whatever its target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Kept {
    /// A purchase of it is under way.
    UnderWay,
    /// An exit or a sale of it is under way.
    ActiveExit,
    /// The operator has taken its exits out of the engine's hands.
    ExitMode,
}

/// Which way an order goes. Sales come first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Side {
    /// Sell.
    Sell,
    /// Buy.
    Buy,
}

/// An order of the rebalance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Order {
    /// Sell or buy.
    pub side: Side,
    /// The issue.
    pub symbol: Symbol,
    /// Shares, at least one.
    pub quantity: Quantity,
    /// Shares that are missing to the target; more than `quantity` where the order is reduced.
    pub wanted: Quantity,
    /// The price that it was reckoned with.
    pub price: Price,
}

impl Order {
    /// Returns what so many of its shares come to, in units of [`Price`].
    pub(super) fn amount(&self, quantity: Quantity) -> i128 {
        i128::from(quantity.shares()) * i128::from(self.price.units())
    }
}

/// Why a name is not ordered; the first that is so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Skip {
    /// It stays as it is.
    Kept(Kept),
    /// No price, or a stale one.
    NoPrice,
    /// Less than 1 % of equity; also where nothing is missing.
    SmallWeight,
    /// Less than 100,000 KRW.
    SmallOrder,
    /// Nothing of it can be sold now.
    NothingSellable,
    /// The cash that is there is spent on names of higher rank.
    Cash,
    /// The turnover of the run is spent on names before it.
    Turnover,
}

/// What is ordered, in its order, and what is not. Each name is one of both, once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rebalance {
    /// Sells by falling amount that is wanted, then buys by rank; ties to the lower symbol.
    pub orders: Vec<Order>,
    /// By symbol.
    pub skipped: Vec<(Symbol, Skip)>,
}
