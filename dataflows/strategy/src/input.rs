//! What the strategy is computed from. Each row stands until another one of the same key, or none,
//! takes its place.

use std::sync::Arc;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use turnstile_dataflows::model::Symbol;

use crate::{Day, Listing, Settings};

/// One row comes, changes (its key is there already) or goes (`None`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The day that the run is of.
    AsOf(Day),
    /// What is configured.
    Settings(Settings),
    /// An issue of the exchange.
    Listing(Symbol, Option<Listing>),
    /// Why a symbol is in the universe whatever the lists say.
    Wanted(Symbol, Option<Wanted>),
    /// Rank in an imported list of what is searched for most, from 1, within its market.
    Popular(Symbol, Option<u32>),
    /// The bar of a day.
    Bar(Symbol, Day, Option<Bar>),
    /// Fundamentals, by the day from which they are known.
    Fundamental(Symbol, Day, Option<Fundamental>),
    /// Net purchases of a day.
    Flow(Symbol, Day, Option<Flow>),
    /// A disclosure, by its number at the authority (receipt number).
    Disclosure(Arc<str>, Option<Disclosure>),
}

/// Why a symbol is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Wanted {
    /// A position is live.
    Holding,
    /// It is on the watchlist.
    Watchlist,
}

/// The bar of a day; prices in units of [`turnstile_dataflows::model::Price`] (1e-4 KRW).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Bar {
    /// 0 where it was halted.
    pub open: i64,
    /// 0 where it was halted.
    pub high: i64,
    /// 0 where it was halted.
    pub low: i64,
    /// Above 0.
    pub close: i64,
    /// Shares.
    pub volume: i64,
    /// KRW, cut off to whole ones.
    pub value: i64,
    /// KRW, cut off to whole ones.
    pub market_cap: Option<i64>,
}

/// Figures of a company; ratios as ratios (0.15 is 15 %).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Fundamental {
    /// Price by earnings a share.
    pub per: Option<Decimal>,
    /// Price by book value a share.
    pub pbr: Option<Decimal>,
    /// Price by sales a share.
    pub psr: Option<Decimal>,
    /// Return on equity.
    pub roe: Option<Decimal>,
    /// Debt by equity.
    pub debt_ratio: Option<Decimal>,
}

/// Net purchases of a day, shares.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Flow {
    /// Of foreigners.
    pub foreign: Option<i64>,
    /// Of institutions.
    pub institution: Option<i64>,
}

/// A disclosure of a company.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Disclosure {
    /// The company.
    pub symbol: Symbol,
    /// Day at the exchange on which it was disclosed.
    pub day: Day,
    /// Title, in Korean; its kind follows from it.
    pub title: Arc<str>,
}
