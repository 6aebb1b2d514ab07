//! Short codes of listed issues (종목코드).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Longest short code that the broker's wire carries (ETN: `Q` and six digits; field width 9).
const LEN_MAX: usize = 9;

/// Short code of a listed issue, 1 to 9 ASCII letters or digits, such as `005930`.
///
/// Ordered by bytes. Leading zeros count.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Symbol([u8; LEN_MAX]);

/// Why a text is not a symbol.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("symbol must be 1 to 9 ASCII letters or digits, was {0:?}")]
pub struct SymbolError(String);

impl Symbol {
    /// Returns the code as text.
    pub fn as_str(&self) -> &str {
        let len = self.0.iter().position(|byte| *byte == 0).unwrap_or(LEN_MAX);
        std::str::from_utf8(&self.0[..len]).unwrap_or_default() // Only ASCII gets in.
    }
}

impl FromStr for Symbol {
    type Err = SymbolError;

    fn from_str(text: &str) -> Result<Self, SymbolError> {
        let bytes = text.as_bytes();
        let fits = (1..=LEN_MAX).contains(&bytes.len());
        if !fits || !bytes.iter().all(u8::is_ascii_alphanumeric) {
            return Err(SymbolError(text.chars().take(32).collect()));
        }
        let mut code = [0; LEN_MAX];
        code[..bytes.len()].copy_from_slice(bytes);
        Ok(Self(code))
    }
}

impl TryFrom<String> for Symbol {
    type Error = SymbolError;

    fn try_from(text: String) -> Result<Self, SymbolError> {
        text.parse()
    }
}

impl From<Symbol> for String {
    fn from(symbol: Symbol) -> Self {
        symbol.as_str().to_owned()
    }
}

impl fmt::Display for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Symbol({})", self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn leading_zeros_are_kept() {
        assert_eq!("005930".parse::<Symbol>().unwrap().to_string(), "005930");
    }

    #[test]
    fn empty_long_and_foreign_codes_are_refused() {
        for text in ["", "1234567890", "00 930", "삼성", "00-30"] {
            assert!(text.parse::<Symbol>().is_err(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn order_is_that_of_the_text(a in "[A-Z0-9]{1,9}", b in "[A-Z0-9]{1,9}") {
            let (x, y): (Symbol, Symbol) = (a.parse().unwrap(), b.parse().unwrap());
            prop_assert_eq!(x.cmp(&y), a.cmp(&b));
        }

        #[test]
        fn parsing_never_panics(text in ".*") {
            if let Ok(symbol) = text.parse::<Symbol>() {
                prop_assert_eq!(symbol.as_str(), text);
            }
        }
    }
}
