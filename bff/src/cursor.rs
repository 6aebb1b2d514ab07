//! Cursors: where the next page of a list begins.
//!
//! A cursor is the sort key of the last row of a page, so a page never repeats or skips a row when
//! new rows arrive in between. To a client it is an opaque text.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

use crate::seoul::SeoulTime;

/// Microseconds of the last second of the year 9999: later than every stored time.
const END_OF_TIME_US: i64 = 253_402_207_200_000_000;

/// Sort key of a list: rows come in descending order of it and a page holds rows below it, unless
/// the cursor says otherwise.
pub(crate) trait Cursor: FromStr + fmt::Display {
    /// Returns the cursor before every row.
    fn first() -> Self;
}

/// Place in a list that is ordered by time, then by id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TimeCursor {
    /// Time of the last row seen.
    pub(crate) ts: SeoulTime,
    /// Id of the last row seen.
    pub(crate) id: Uuid,
}

impl Cursor for TimeCursor {
    fn first() -> Self {
        let ts = SeoulTime::from_micros(END_OF_TIME_US).expect("is before the year 10000");
        Self {
            ts,
            id: Uuid::max(),
        }
    }
}

impl fmt::Display for TimeCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.ts.micros(), self.id.simple())
    }
}

/// The text is not a cursor that this list has handed out.
#[derive(Debug, thiserror::Error)]
#[error("not a cursor of this list")]
pub(crate) struct CursorError;

impl FromStr for TimeCursor {
    type Err = CursorError;

    fn from_str(text: &str) -> Result<Self, CursorError> {
        let (micros, id) = text.split_once('.').ok_or(CursorError)?;
        let micros: i64 = micros.parse().map_err(|_| CursorError)?;
        // Outside these bounds lies no stored time, and PostgreSQL could not read it.
        if !(0..=END_OF_TIME_US).contains(&micros) {
            return Err(CursorError);
        }
        let ts = SeoulTime::from_micros(micros).ok_or(CursorError)?;
        let id = Uuid::try_parse(id).map_err(|_| CursorError)?;
        Ok(Self { ts, id })
    }
}

/// Place in a list that is ordered by a running number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NumberCursor(pub(crate) i64);

impl Cursor for NumberCursor {
    fn first() -> Self {
        Self(i64::MAX)
    }
}

impl fmt::Display for NumberCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for NumberCursor {
    type Err = CursorError;

    fn from_str(text: &str) -> Result<Self, CursorError> {
        text.parse().map(Self).map_err(|_| CursorError)
    }
}

/// Place in a list that is ordered by a name, ascending.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NameCursor(pub(crate) String);

impl Cursor for NameCursor {
    fn first() -> Self {
        Self(String::new())
    }
}

impl fmt::Display for NameCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for NameCursor {
    type Err = CursorError;

    fn from_str(text: &str) -> Result<Self, CursorError> {
        // PostgreSQL could not read it.
        if text.contains('\0') {
            return Err(CursorError);
        }
        Ok(Self(text.to_owned()))
    }
}

/// Place in a list that is ordered by a running number, then by a text, both descending.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KeyedCursor {
    /// Number of the last row seen.
    pub(crate) number: i64,
    /// Text of the last row seen.
    pub(crate) key: String,
}

impl Cursor for KeyedCursor {
    fn first() -> Self {
        Self {
            number: i64::MAX,
            key: String::new(),
        }
    }
}

impl fmt::Display for KeyedCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.number, self.key)
    }
}

impl FromStr for KeyedCursor {
    type Err = CursorError;

    fn from_str(text: &str) -> Result<Self, CursorError> {
        let (number, key) = text.split_once('.').ok_or(CursorError)?;
        // PostgreSQL could not read it.
        if key.contains('\0') {
            return Err(CursorError);
        }
        Ok(Self {
            number: number.parse().map_err(|_| CursorError)?,
            key: key.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[test]
    fn a_cursor_reads_back() {
        for cursor in [
            TimeCursor::first(),
            TimeCursor {
                ts: SeoulTime::from_micros(1).unwrap(),
                id: Uuid::from_u128(7),
            },
        ] {
            assert_eq!(cursor.to_string().parse::<TimeCursor>().unwrap(), cursor);
        }
        assert_eq!("a".parse::<NameCursor>().unwrap(), NameCursor("a".into()));
        assert!("a\0".parse::<NameCursor>().is_err());
        assert_eq!("42".parse::<NumberCursor>().unwrap(), NumberCursor(42));
        let keyed = KeyedCursor {
            number: 7,
            key: "SL1..MODE".into(),
        };
        assert_eq!(keyed.to_string().parse::<KeyedCursor>().unwrap(), keyed);
        for text in ["7", "x.SL1", "7.\0"] {
            assert!(text.parse::<KeyedCursor>().is_err(), "{text}");
        }
    }

    #[rstest]
    #[case("")]
    #[case("1")]
    #[case("1.")]
    #[case(".00000000000000000000000000000000")]
    #[case("9223372036854775807.00000000000000000000000000000000")]
    #[case("-1.00000000000000000000000000000000")]
    fn foreign_text_is_no_cursor(#[case] text: &str) {
        assert!(text.parse::<TimeCursor>().is_err());
    }
}
