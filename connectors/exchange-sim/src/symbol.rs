//! Short codes of issues.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Short code of an issue: 1 to 9 capital letters or digits, such as `005930`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Symbol(Arc<str>);

/// A text that is no short code.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("symbol must be 1 to 9 capital letters or digits, was {0:?}")]
pub struct SymbolError(String);

impl Symbol {
    /// Returns the symbol that `text` names.
    ///
    /// # Errors
    /// Refuses a text that is not 1 to 9 capital letters or digits.
    pub fn new(text: &str) -> Result<Self, SymbolError> {
        let is_code = (1..=9).contains(&text.len())
            && text
                .bytes()
                .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
        if is_code {
            Ok(Self(text.into()))
        } else {
            Err(SymbolError(text.chars().take(32).collect()))
        }
    }

    /// Returns the code.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::borrow::Borrow<str> for Symbol {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl TryFrom<String> for Symbol {
    type Error = SymbolError;

    fn try_from(text: String) -> Result<Self, SymbolError> {
        Self::new(&text)
    }
}

impl From<Symbol> for String {
    fn from(symbol: Symbol) -> Self {
        symbol.0.as_ref().to_owned()
    }
}
