//! Messages of the WebSocket, as JSON texts.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use turnstile_dataflows::model::Symbol;

use crate::api::prices::Price;
use crate::live::Mode;
use crate::seoul::SeoulTime;

/// What the server says.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum ServerMessage<'a> {
    /// First message, and again whenever the source of prices changes.
    Hello { server_time: SeoulTime, mode: Mode },
    /// The newest price of each symbol that has moved.
    Prices { data: &'a [Arc<Price>] },
    /// Tables of which rows have changed.
    Changed { tables: &'a BTreeSet<String> },
    /// A sign of life.
    Ping,
    /// The last message of the client was refused; the connection goes on.
    Error {
        code: &'static str,
        message: &'a str,
    },
}

impl ServerMessage<'_> {
    /// Returns the JSON text.
    pub(crate) fn text(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(self)
    }
}

/// What a client may say.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum ClientMessage {
    /// Send prices of these symbols only; of all if the list is empty.
    Subscribe { symbols: BTreeSet<Symbol> },
}

/// Most symbols of one subscription.
const SYMBOLS_MAX: usize = 100;

impl ClientMessage {
    /// Reads a message.
    ///
    /// # Errors
    /// What is wrong with it, for the client.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let message: Self = serde_json::from_str(text).map_err(|error| {
            format!(r#"expected {{"type":"subscribe","symbols":[...]}}: {error}"#)
        })?;
        let Self::Subscribe { symbols } = &message;
        if symbols.len() > SYMBOLS_MAX {
            return Err(format!(
                "symbols must be at most {SYMBOLS_MAX}, were {}",
                symbols.len()
            ));
        }
        Ok(message)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[test]
    fn a_subscription_is_read() {
        let read = ClientMessage::read(r#"{"type":"subscribe","symbols":["005930","0001A0"]}"#);
        let symbols = ["005930", "0001A0"].map(|symbol| symbol.parse().unwrap());
        assert_eq!(
            read,
            Ok(ClientMessage::Subscribe {
                symbols: BTreeSet::from(symbols)
            })
        );
    }

    #[rstest]
    #[case("")]
    #[case("[]")]
    #[case(r#"{"type":"unsubscribe"}"#)]
    #[case(r#"{"type":"subscribe"}"#)]
    #[case(r#"{"type":"subscribe","symbols":["../../x"]}"#)]
    #[case(r#"{"type":"subscribe","symbols":[],"more":1}"#)]
    fn other_messages_are_refused(#[case] text: &str) {
        assert!(ClientMessage::read(text).is_err());
    }

    #[test]
    fn more_than_a_hundred_symbols_are_refused() {
        let message = |count: usize| {
            let symbols: Vec<_> = (0..count).map(|n| format!("{n:06}")).collect();
            serde_json::json!({ "type": "subscribe", "symbols": symbols }).to_string()
        };
        assert!(ClientMessage::read(&message(100)).is_ok());
        let error = ClientMessage::read(&message(101)).unwrap_err();
        assert_eq!(error, "symbols must be at most 100, were 101");
    }
}
