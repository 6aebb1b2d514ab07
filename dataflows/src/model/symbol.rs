//! Short codes of listed issues (종목코드).

use std::fmt;
use std::ops::Deref;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Longest short code that the broker's wire carries (ETN: `Q` and six digits; field width 9).
const LEN_MAX: usize = 9;
/// Bits of one character: 62 letters and digits, and the end of the code.
const CHAR_BITS: u32 = 6;
const CHAR_MASK: u64 = (1 << CHAR_BITS) - 1;

/// Short code of a listed issue, 1 to 9 ASCII letters or digits, such as `005930`.
///
/// Ordered by bytes. Leading zeros count. Held in one word, six bits a character from the top
/// down, so that comparing, hashing and copying it in a dataflow costs what a number costs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Symbol(u64);

/// Why a text is not a symbol.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("symbol must be 1 to 9 ASCII letters or digits, was {0:?}")]
pub struct SymbolError(String);

/// The characters of a [`Symbol`], readable as `str`.
#[derive(Clone, Copy)]
pub struct SymbolText {
    bytes: [u8; LEN_MAX],
    len: usize,
}

impl Symbol {
    /// Returns the code as text.
    pub fn text(self) -> SymbolText {
        let mut text = SymbolText {
            bytes: [0; LEN_MAX],
            len: 0,
        };
        for (place, byte) in (0..).zip(&mut text.bytes) {
            let code = (self.0 >> shift(place)) & CHAR_MASK;
            let Some(letter) = letter(code) else { break };
            *byte = letter;
            text.len += 1;
        }
        text
    }

    /// Returns the code as one number. Equal exactly for equal codes; the order is that of the
    /// text.
    pub const fn to_bits(self) -> u64 {
        self.0
    }
}

const fn shift(place: u32) -> u32 {
    CHAR_BITS * (8 - place)
}

/// Returns the letter of a code from 1 to 62; digits before upper before lower case, as in ASCII.
fn letter(code: u64) -> Option<u8> {
    let code = u8::try_from(code).ok()?;
    match code {
        1..=10 => Some(b'0' + code - 1),
        11..=36 => Some(b'A' + code - 11),
        37..=62 => Some(b'a' + code - 37),
        _ => None,
    }
}

fn code(letter: u8) -> Option<u64> {
    let code = match letter {
        b'0'..=b'9' => letter - b'0' + 1,
        b'A'..=b'Z' => letter - b'A' + 11,
        b'a'..=b'z' => letter - b'a' + 37,
        _ => return None,
    };
    Some(u64::from(code))
}

impl Deref for SymbolText {
    type Target = str;

    fn deref(&self) -> &str {
        std::str::from_utf8(&self.bytes[..self.len]).unwrap_or_default() // Only ASCII is in it.
    }
}

impl FromStr for Symbol {
    type Err = SymbolError;

    fn from_str(text: &str) -> Result<Self, SymbolError> {
        let fits = (1..=LEN_MAX).contains(&text.len());
        let packed = (0..)
            .zip(text.bytes().take(LEN_MAX))
            .try_fold(0, |packed, (place, byte)| {
                Some(packed | (code(byte)? << shift(place)))
            });
        packed
            .filter(|_| fits)
            .map(Self)
            .ok_or_else(|| SymbolError(text.chars().take(32).collect()))
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
        symbol.to_string()
    }
}

impl fmt::Display for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text())
    }
}

impl fmt::Debug for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Symbol({})", &*self.text())
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
        fn order_is_that_of_the_text(a in "[A-Za-z0-9]{1,9}", b in "[A-Za-z0-9]{1,9}") {
            let (x, y): (Symbol, Symbol) = (a.parse().unwrap(), b.parse().unwrap());
            prop_assert_eq!(x.cmp(&y), a.cmp(&b));
        }

        #[test]
        fn parsing_never_panics(text in ".*") {
            if let Ok(symbol) = text.parse::<Symbol>() {
                prop_assert_eq!(&*symbol.text(), text);
            }
        }
    }
}
