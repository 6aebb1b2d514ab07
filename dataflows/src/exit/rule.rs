//! Rules and what chooses them.

use std::fmt;
use std::sync::{Arc, LazyLock};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::model::{ExitMode, LogicalTime, Price, Profile, ProfileId, Symbol, SymbolError};

/// How specifically a rule was chosen. The first in this order wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RuleLevel {
    /// The position names it.
    Position,
    /// It is the override of the symbol.
    Symbol,
    /// It is the mapping of the strategy.
    Strategy,
    /// It serves every position.
    Default,
}

impl RuleLevel {
    /// Returns the name in the database and in explanations.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Position => "POSITION",
            Self::Symbol => "SYMBOL",
            Self::Strategy => "STRATEGY",
            Self::Default => "DEFAULT",
        }
    }
}

impl fmt::Display for RuleLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Whom a rule serves.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum RuleScope {
    /// Every position.
    Default,
    /// Those of one strategy.
    Strategy(Arc<str>),
    /// Those of one symbol.
    Symbol(Symbol),
    /// Those that name it.
    Position,
}

/// Columns that name no scope of a rule.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ScopeError {
    /// There is no such scope.
    #[error("unknown scope {0:?}")]
    Unknown(String),
    /// The scope goes with a key.
    #[error("value expected, was null")]
    NoKey,
    /// The key of scope SYMBOL is none.
    #[error(transparent)]
    Symbol(#[from] SymbolError),
}

impl RuleScope {
    /// Returns whom a row of `trade.exit_rules` serves, by its columns `scope` and `scope_key`.
    ///
    /// # Errors
    /// If the scope is unknown, or `key` is not what goes with it.
    pub fn of(scope: &str, key: Option<&str>) -> Result<Self, ScopeError> {
        let key = || key.ok_or(ScopeError::NoKey);
        Ok(match scope {
            "DEFAULT" => Self::Default,
            "STRATEGY" => Self::Strategy(key()?.into()),
            "SYMBOL" => Self::Symbol(key()?.parse()?),
            "POSITION" => Self::Position,
            other => return Err(ScopeError::Unknown(other.to_owned())),
        })
    }
}

/// One active row of `trade.exit_rules`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ExitRule {
    /// Identity.
    pub id: ProfileId,
    /// Whom it serves without being named.
    pub scope: RuleScope,
    /// Version of the row.
    pub version: u32,
    /// The rules.
    pub profile: Arc<Profile>,
}

/// What is known of a symbol for the whole session.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct SymbolContext {
    /// ATR percent in millionths: 0.02 is 20,000.
    pub atr_pct_millionths: Option<i64>,
    /// Close of the day before.
    pub prev_close: Option<Price>,
}

/// The control mode of exits, and the event that set it: every such event is one of its own, also
/// where it sets the mode that is in force.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct ExitControl {
    /// The mode.
    pub mode: ExitMode,
    /// Logical time of the event that set it.
    pub since: LogicalTime,
}

/// What all positions of one kind (own profile, symbol, strategy) have in common: the rule in force
/// and everything else that decides beside the position itself.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct Terms {
    /// The rule in force.
    pub(crate) rule: Arc<ExitRule>,
    /// What chose it.
    pub(crate) level: RuleLevel,
    /// ATR and previous close of the symbol.
    pub(crate) context: SymbolContext,
    /// Control mode.
    pub(crate) control: ExitControl,
}

impl Terms {
    /// What a position without any rule is under: everything is off.
    pub(crate) fn nothing() -> Arc<Self> {
        static NOTHING: LazyLock<Arc<Terms>> = LazyLock::new(|| {
            Arc::new(Terms {
                rule: Arc::new(ExitRule {
                    id: ProfileId::none(),
                    scope: RuleScope::Position,
                    version: 0,
                    profile: Arc::default(),
                }),
                level: RuleLevel::Default,
                context: SymbolContext::default(),
                control: ExitControl::default(),
            })
        });
        NOTHING.clone()
    }
}
