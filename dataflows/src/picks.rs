//! Picks of other programs: how they are merged, and what lets one be bought (domain 6.6).
//!
//! ```text
//! runs of producers ─ newest of each, not too old ─ confidence ─> merge ─> first N ─┐
//! facts of the account ─────────────────────────────────────────────────────────────┴─ judge ─> verdict
//! ```
//!
//! 1. Plain functions of what they are given: no clock, nothing remembered.
//! 2. Exact: scores and weights are whole millionths, money whole units of [`Price`]; limits are inclusive.
//! 3. The order in which runs and picks are given never shows; every tie is broken, at last by symbol.
//!
//! The rules in words: `docs/strategy.md`, section 7.

mod gates;
mod merge;

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde::Deserialize;
use thiserror::Error;

use crate::model::{LogicalTime, Price, Symbol};

pub use gates::{Facts, Gate, Limits, Offer, Refusal, judge};
pub use merge::{Merged, Rules, Source, merge};

/// A whole, in millionths.
const MILLION: u32 = 1_000_000;
/// Decimals of a score and of a weight.
const SCALE: u32 = 6;

/// A part of a whole: a score from 0 to 1, exact to a millionth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Score(u32);

/// Why a number is no score.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("score must be 0 to 1 with at most {SCALE} decimals, was {0}")]
pub struct ScoreError(String);

impl Score {
    /// Returns a score of so many millionths.
    ///
    /// # Errors
    /// If it is above 1.
    pub fn from_millionths(millionths: u32) -> Result<Self, ScoreError> {
        (millionths <= MILLION)
            .then_some(Self(millionths))
            .ok_or_else(|| ScoreError(format!("{millionths} millionths")))
    }

    /// Returns the score in millionths.
    pub const fn millionths(self) -> u32 {
        self.0
    }

    /// Returns the score as a decimal from 0 to 1.
    pub fn to_decimal(self) -> Decimal {
        Decimal::new(self.0.into(), SCALE)
    }
}

impl TryFrom<Decimal> for Score {
    type Error = ScoreError;

    fn try_from(value: Decimal) -> Result<Self, ScoreError> {
        let fits = value.normalize().scale() <= SCALE;
        let millionths = value.checked_mul(MILLION.into());
        millionths
            .filter(|_| fits)
            .and_then(|millionths| millionths.to_u32())
            .and_then(|millionths| Self::from_millionths(millionths).ok())
            .ok_or_else(|| ScoreError(value.to_string()))
    }
}

/// How sure a producer is. The later one is surer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// Hardly.
    Low,
    /// Rather.
    Medium,
    /// Very.
    High,
}

/// How picks of several producers become one list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Those of the first producer, then those of the second, and so on.
    Priority,
    /// By the weighted sum of scores.
    Weighted,
    /// Only what two producers name, by how many do.
    Consensus,
}

/// A text that names nothing known.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("must be one of {expected}, was {text:?}")]
pub struct UnknownName {
    expected: String,
    text: String,
}

impl Confidence {
    /// All of them, the least sure first.
    pub const ALL: [Self; 3] = [Self::Low, Self::Medium, Self::High];

    /// Returns the name in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Low => "LOW",
            Self::Medium => "MEDIUM",
            Self::High => "HIGH",
        }
    }
}

impl FromStr for Confidence {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        let known = Self::ALL.into_iter().find(|known| known.name() == text);
        known.ok_or_else(|| UnknownName {
            expected: Self::ALL.map(Self::name).join(", "),
            text: text.to_owned(),
        })
    }
}

impl Mode {
    /// Returns the name in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Priority => "PRIORITY",
            Self::Weighted => "WEIGHTED",
            Self::Consensus => "CONSENSUS",
        }
    }
}

/// Whoever sends picks, by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProducerId(pub i32);

impl fmt::Display for ProducerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A producer, and what its picks count for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Producer {
    /// The lower one leads; of equal ones the one with the lower id.
    pub priority: i32,
    /// Its number.
    pub id: ProducerId,
    /// What a score of it weighs; above zero.
    pub weight: Score,
}

/// What a producer said at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// Whose it is.
    pub producer: Producer,
    /// Its name; unique for its producer.
    pub run_id: Arc<str>,
    /// Its place in the order of arrival.
    pub arrival: i64,
    /// What it was computed from; its age counts from here.
    pub asof: LogicalTime,
    /// Each symbol once.
    pub picks: Vec<Pick>,
}

/// A symbol that a producer would buy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pick {
    /// The issue.
    pub symbol: Symbol,
    /// How good it is.
    pub score: Score,
    /// How sure that is.
    pub confidence: Confidence,
    /// Its place in the run, from 1.
    pub rank: i32,
    /// Not bought above it.
    pub price_max: Option<Price>,
    /// From then on it does not count.
    pub until: Option<LogicalTime>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_score_is_exact_and_between_zero_and_one() {
        let score = |text: &str| Score::try_from(text.parse::<Decimal>().unwrap());
        assert_eq!(score("0.123456").unwrap().millionths(), 123_456);
        assert_eq!(score("1.0000000").unwrap().to_decimal(), Decimal::ONE);
        assert_eq!(score("0").unwrap(), Score::default());
        for text in [
            "-0.000001",
            "1.000001",
            "0.1234567",
            "79228162514264337593543950335",
        ] {
            let error = score(text).unwrap_err().to_string();
            assert!(error.contains(text), "{error}");
        }
    }

    #[test]
    fn names_read_back() {
        for confidence in Confidence::ALL {
            assert_eq!(confidence.name().parse(), Ok(confidence));
        }
        let error = "SURE".parse::<Confidence>().unwrap_err().to_string();
        assert_eq!(error, "must be one of LOW, MEDIUM, HIGH, was \"SURE\"");
    }
}
