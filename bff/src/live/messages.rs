//! Messages between server and client, as JSON texts; docs/api-live.md describes them.

use std::collections::{BTreeMap, BTreeSet};

use axum::extract::ws::Utf8Bytes;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use turnstile_dataflows::model::Symbol;

use super::Mode;
use super::topic::Topic;
use crate::seoul::SeoulTime;

/// What the server says.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum ServerMessage<'a> {
    /// First message, and again whenever the source of prices changes.
    Hello {
        server_time: SeoulTime,
        mode: Mode,
        epoch: &'a str,
    },
    /// A subscription with topics was taken. Those of `resumed` go on; of the others comes a snapshot.
    Subscribed {
        epoch: &'a str,
        topics: &'a BTreeSet<Topic>,
        resumed: &'a BTreeSet<Topic>,
    },
    /// All rows of a topic. It has every change up to `seq`; those after it follow.
    Snapshot {
        topic: Topic,
        seq: u64,
        rows: &'a [Box<RawValue>],
    },
    /// Rows that are new or other than before, and ids of rows that are gone. `after` is the number of
    /// the topic's change before.
    Change {
        topic: Topic,
        seq: u64,
        after: u64,
        upsert: &'a [Box<RawValue>],
        removed: &'a [String],
    },
    /// Tables of which rows have changed.
    Changed {
        seq: u64,
        tables: &'a BTreeSet<String>,
    },
    /// Changes of these topics were missed. A snapshot of each follows.
    Gap { topics: &'a BTreeSet<Topic> },
    /// A sign of life.
    Ping,
    /// Something went wrong; the connection goes on.
    Error {
        code: &'static str,
        message: &'a str,
    },
}

impl ServerMessage<'_> {
    /// Returns the JSON text.
    ///
    /// # Errors
    /// Only for rows that are no JSON, which no row is.
    pub(crate) fn text(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(self)
    }
}

/// Returns the message of prices, of rows that are JSON already: the first one is a snapshot.
pub(crate) fn prices_text(seq: u64, rows: &[Utf8Bytes], is_snapshot: bool) -> String {
    let (head, name) = if is_snapshot {
        (r#"{"type":"snapshot","topic":"prices""#, "rows")
    } else {
        (r#"{"type":"prices""#, "data")
    };
    let size: usize = rows.iter().map(|row| row.as_str().len() + 1).sum();
    let mut text = format!(r#"{head},"seq":{seq},"{name}":["#);
    text.reserve_exact(size + 2);
    for (place, row) in rows.iter().enumerate() {
        if place > 0 {
            text.push(',');
        }
        text.push_str(row.as_str());
    }
    text.push_str("]}");
    text
}

/// Most symbols of one subscription.
pub(crate) const SYMBOLS_MAX: usize = 500;

/// What a client may say.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
enum ClientMessage {
    /// Follow topics, or other symbols.
    Subscribe {
        topics: Option<BTreeSet<Topic>>,
        symbols: Option<BTreeSet<Symbol>>,
        epoch: Option<String>,
        since: Option<Since>,
    },
}

/// How far a client knows its topics.
#[derive(Debug, Deserialize)]
#[serde(
    untagged,
    expecting = "since must be a number, or an object of a number per topic"
)]
enum Since {
    All(u64),
    ByTopic(BTreeMap<Topic, u64>),
}

/// What a client asks for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    /// Prices of these symbols only, of all if there are none.
    Symbols(BTreeSet<String>),
    /// These topics, in place of all that was followed before.
    Topics(Subscription),
}

/// The topics of a client.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Subscription {
    /// What it follows, at least one.
    pub(crate) topics: BTreeSet<Topic>,
    /// Symbols of prices; none: all.
    pub(crate) symbols: BTreeSet<String>,
    /// The run of the server, and how far it knows which topic.
    pub(crate) since: Option<(String, BTreeMap<Topic, u64>)>,
}

impl Wish {
    /// Reads a message.
    ///
    /// # Errors
    /// What is wrong with it, for the client.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let message: ClientMessage = serde_json::from_str(text).map_err(|error| {
            format!(r#"expected {{"type":"subscribe","topics":[...],"symbols":[...]}}: {error}"#)
        })?;
        let ClientMessage::Subscribe {
            topics,
            symbols,
            epoch,
            since,
        } = message;
        if topics.is_none() && symbols.is_none() {
            return Err("topics or symbols must be given".to_owned());
        }
        let symbols = symbols.unwrap_or_default();
        if symbols.len() > SYMBOLS_MAX {
            let count = symbols.len();
            return Err(format!(
                "symbols must be at most {SYMBOLS_MAX}, were {count}"
            ));
        }
        let symbols = symbols.iter().map(Symbol::to_string).collect();
        let Some(topics) = topics else {
            return match since {
                None => Ok(Self::Symbols(symbols)),
                Some(_) => Err("since must come with topics".to_owned()),
            };
        };
        if topics.is_empty() {
            return Err("topics must have at least one".to_owned());
        }
        let since = match (epoch, since) {
            (_, None) => None,
            (None, Some(_)) => return Err("since must come with the epoch it counts in".to_owned()),
            (Some(epoch), Some(Since::All(seq))) => {
                Some((epoch, topics.iter().map(|topic| (*topic, seq)).collect()))
            }
            (Some(epoch), Some(Since::ByTopic(known))) => Some((epoch, known)),
        };
        Ok(Self::Topics(Subscription {
            topics,
            symbols,
            since,
        }))
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::{Value, json};

    use super::*;

    fn names(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn symbols_alone_are_a_filter() {
        let read = Wish::read(r#"{"type":"subscribe","symbols":["005930","0001A0"]}"#);
        assert_eq!(read, Ok(Wish::Symbols(names(&["005930", "0001A0"]))));
    }

    #[rstest]
    #[case(json!(7), &[(Topic::Orders, 7), (Topic::Prices, 7)])]
    #[case(json!({ "orders": 5 }), &[(Topic::Orders, 5)])]
    fn topics_go_on_where_a_client_was(#[case] since: Value, #[case] known: &[(Topic, u64)]) {
        let message = json!({
            "type": "subscribe", "topics": ["orders", "prices"], "epoch": "e", "since": since,
        });
        let expected = Subscription {
            topics: [Topic::Orders, Topic::Prices].into(),
            symbols: names(&[]),
            since: Some(("e".to_owned(), known.iter().copied().collect())),
        };
        assert_eq!(Wish::read(&message.to_string()), Ok(Wish::Topics(expected)));
    }

    #[rstest]
    #[case("", "expected")]
    #[case("[]", "expected")]
    #[case(r#"{"type":"unsubscribe"}"#, "unsubscribe")]
    #[case(r#"{"type":"subscribe"}"#, "topics or symbols must be given")]
    #[case(r#"{"type":"subscribe","topics":[]}"#, "topics must have at least one")]
    #[case(
        r#"{"type":"subscribe","topics":["trades"]}"#,
        "unknown variant `trades`"
    )]
    #[case(r#"{"type":"subscribe","symbols":["../../x"]}"#, "x")]
    #[case(
        r#"{"type":"subscribe","symbols":[],"more":1}"#,
        "unknown field `more`"
    )]
    #[case(
        r#"{"type":"subscribe","symbols":[],"since":1}"#,
        "since must come with topics"
    )]
    #[case(r#"{"type":"subscribe","topics":["orders"],"since":1}"#, "the epoch")]
    #[case(
        r#"{"type":"subscribe","topics":["orders"],"epoch":"e","since":"1"}"#,
        "since must be a number"
    )]
    fn other_messages_are_refused_by_their_fault(#[case] text: &str, #[case] fault: &str) {
        let error = Wish::read(text).unwrap_err();
        assert!(error.contains(fault), "{error}");
    }

    #[test]
    fn too_many_symbols_are_refused() {
        let message = |count: usize| {
            let symbols: Vec<_> = (0..count).map(|n| format!("{n:06}")).collect();
            json!({ "type": "subscribe", "symbols": symbols }).to_string()
        };
        assert!(Wish::read(&message(500)).is_ok());
        let error = Wish::read(&message(501)).unwrap_err();
        assert_eq!(error, "symbols must be at most 500, were 501");
    }

    #[test]
    fn prices_are_put_together_from_their_rows() {
        let rows = [r#"{"a":1}"#, r#"{"b":2}"#].map(Utf8Bytes::from_static);
        let read = |is_snapshot| -> Value {
            serde_json::from_str(&prices_text(7, &rows, is_snapshot)).unwrap()
        };
        let data = json!([{ "a": 1 }, { "b": 2 }]);
        assert_eq!(
            read(false),
            json!({ "type": "prices", "seq": 7, "data": data })
        );
        let snapshot = json!({ "type": "snapshot", "topic": "prices", "seq": 7, "rows": data });
        assert_eq!(read(true), snapshot);
        assert_eq!(
            prices_text(1, &[], false),
            r#"{"type":"prices","seq":1,"data":[]}"#
        );
    }
}
