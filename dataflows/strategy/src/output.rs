//! What the strategy says of a day, one row each, as `strategy.*` stores it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use turnstile_dataflows::model::Symbol;

use crate::{Figure, Market, Score, Weight};

/// Why a symbol is in the universe; the first that is so counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Tier {
    /// Held.
    Holding,
    /// Watched.
    Watchlist,
    /// On one of the lists.
    Ranking(RankingList),
    /// Listed, and passes the filters.
    Listed,
}

/// A list of the most remarkable of a market; the first one that has a symbol is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum RankingList {
    /// Volume against the five days before.
    VolumeSurge,
    /// Value.
    Value,
    /// Change of the price.
    Gainers,
    /// Searched for.
    Popular,
    /// Capitalisation.
    MarketCap,
}

impl RankingList {
    /// All, in the order in which they count.
    pub const ALL: [Self; 5] = [
        Self::VolumeSurge,
        Self::Value,
        Self::Gainers,
        Self::Popular,
        Self::MarketCap,
    ];
}

/// The filter that keeps a listing out; the first that fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Exclusion {
    /// Neither KOSPI nor KOSDAQ.
    Market,
    /// Not a share.
    Instrument,
    /// A company made to acquire (스팩).
    Name,
    /// Not traded.
    Status,
    /// Under administration.
    Managed,
    /// Under a caution.
    Caution,
    /// No trade on the day.
    Halted,
    /// Capitalisation missing or too small.
    MarketCap,
    /// Value missing or too small.
    Value,
    /// Volume missing or too small.
    Volume,
}

/// What the universe says of a listing that is not delisted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct UniverseRow {
    /// The issue.
    pub symbol: Symbol,
    /// Its tier, or why it is not in.
    pub tier: Result<Tier, Exclusion>,
    /// Market.
    pub market: Market,
    /// Sector.
    pub sector: Option<Arc<str>>,
    /// KRW.
    pub market_cap: Option<i64>,
    /// Mean volume of five days, shares, cut off.
    pub volume: Option<i64>,
    /// Mean value of five days, KRW, cut off.
    pub value: Option<i64>,
}

/// A factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Factor {
    /// Returns and volume.
    Momentum,
    /// Oscillators and moving average.
    Technical,
    /// What earnings, book value and sales cost.
    Value,
    /// Return and debt.
    Quality,
    /// Who buys.
    Flow,
    /// What was disclosed.
    Event,
}

/// Scores of the factors; none: missing.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct FactorScores {
    /// See [`Factor::Momentum`].
    pub momentum: Option<Score>,
    /// See [`Factor::Technical`].
    pub technical: Option<Score>,
    /// See [`Factor::Value`].
    pub value: Option<Score>,
    /// See [`Factor::Quality`].
    pub quality: Option<Score>,
    /// See [`Factor::Flow`].
    pub flow: Option<Score>,
    /// See [`Factor::Event`].
    pub event: Option<Score>,
}

impl Factor {
    /// Part of the total, hundredths.
    pub const fn weight(self) -> i64 {
        match self {
            Self::Momentum | Self::Value | Self::Flow => 20,
            Self::Technical | Self::Quality => 15,
            Self::Event => 10,
        }
    }
}

impl FactorScores {
    /// Those that are there.
    pub fn present(&self) -> impl Iterator<Item = (Factor, Score)> {
        [
            (Factor::Momentum, self.momentum),
            (Factor::Technical, self.technical),
            (Factor::Value, self.value),
            (Factor::Quality, self.quality),
            (Factor::Flow, self.flow),
            (Factor::Event, self.event),
        ]
        .into_iter()
        .filter_map(|(factor, score)| Some((factor, score?)))
    }
}

/// What the factors say of a symbol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Evaluation {
    /// The issue.
    pub symbol: Symbol,
    /// Factors.
    pub scores: FactorScores,
    /// Total −1…+1, strength and conviction 0…100; none where fewer than four factors are there.
    pub judged: Option<(Score, Figure, Figure)>,
}

/// BUY or SELL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum SignalKind {
    /// Strong.
    Buy,
    /// Weak.
    Sell,
}

/// A signal that is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Signal {
    /// BUY or SELL.
    pub kind: SignalKind,
    /// Place among its kind, from 1.
    pub rank: u32,
    /// The issue.
    pub symbol: Symbol,
    /// 0…100.
    pub strength: Figure,
    /// 0…100.
    pub conviction: Figure,
    /// −1…+1.
    pub total: Score,
}

/// Why a ranked symbol is not selected; the first that is so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum NotSelected {
    /// Volatility missing or too high.
    Volatility,
    /// Mean value missing or too small.
    Value,
    /// Total too low.
    Score,
    /// Enough others before it.
    Count,
}

/// Place of a symbol among the BUY signals.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Ranking {
    /// From 1.
    pub rank: u32,
    /// The issue.
    pub symbol: Symbol,
    /// Market.
    pub market: Market,
    /// Sector.
    pub sector: Option<Arc<str>>,
    /// Score and losses for diversity.
    pub total: Figure,
    /// Before the losses.
    pub score: Figure,
    /// Strength of the signal.
    pub strength: Figure,
    /// 0…100.
    pub risk: Figure,
    /// Percent a year.
    pub volatility: Option<Figure>,
    /// Mean value, KRW.
    pub liquidity: Option<i64>,
    /// Points lost for its sector and its market, whole.
    pub losses: (i64, i64),
    /// Whether it is selected, or why not.
    pub selected: Result<(), NotSelected>,
}

/// A name of a portfolio.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Holding {
    /// Rank in the ranking.
    pub rank: u32,
    /// The issue.
    pub symbol: Symbol,
    /// Sector.
    pub sector: Option<Arc<str>>,
    /// Target.
    pub weight: Weight,
}

/// Why there is no new portfolio.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum NoPortfolio {
    /// The universe was not published: symbols that passed, listings with a bar of the day, listings.
    Universe {
        /// That pass.
        passed: u32,
        /// That have a bar of the day.
        with_bar: u32,
        /// That are listed on KOSPI or KOSDAQ.
        listed: u32,
    },
    /// Too few names.
    Names(u32),
}

/// Target weights, in order of rank; the rest is cash.
pub type Portfolio = Result<Vec<Holding>, NoPortfolio>;
