//! Names in rows that are read back: each is one that this program writes.

use serde::Deserialize;
use serde::de::{Deserializer, Error};
use turnstile_dataflows::price::Source;

/// One of the names. As a reference it would be taken to borrow from what is read.
pub(super) type Name = &'static str;

/// Market classes of ticks.
const SESSIONS: [&str; 6] = [
    "REGULAR",
    "EXPECTED",
    "PRE_MARKET",
    "AFTER_MARKET",
    "CLOSE",
    "UNKNOWN",
];

pub(super) fn source<'de, D: Deserializer<'de>>(text: D) -> Result<Name, D::Error> {
    one_of(Source::ALL.map(Source::name), "source", text)
}

pub(super) fn session<'de, D: Deserializer<'de>>(text: D) -> Result<Name, D::Error> {
    one_of(SESSIONS, "session", text)
}

fn one_of<'de, D: Deserializer<'de>, const N: usize>(
    names: [Name; N],
    what: &str,
    text: D,
) -> Result<Name, D::Error> {
    let said = String::deserialize(text)?;
    names
        .into_iter()
        .find(|name| *name == said)
        .ok_or_else(|| D::Error::custom(format!("{what} {said:?} is none of {names:?}")))
}
