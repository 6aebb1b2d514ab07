//! The last REST calls, so that a test can prove what was sent to the broker, and in which order.

use std::collections::{BTreeMap, VecDeque};

use serde::Serialize;
use serde_json::Value;

/// Calls that are kept; older ones are dropped.
const KEPT: usize = 10_000;

/// Keys whose values are never shown.
const SECRETS: [&str; 5] = [
    "appkey",
    "appsecret",
    "secretkey",
    "token",
    "personalseckey",
];

/// One REST call.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct LoggedCall {
    /// Number of the call, from 1.
    pub(crate) seq: u64,
    /// Real time at which it was read, microseconds since 1970 UTC.
    pub(crate) at_us: i64,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) tr_id: String,
    /// Query and JSON body, without secrets.
    pub(crate) body: Value,
    pub(crate) outcome: Outcome,
}

/// What became of a call.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Outcome {
    pub(crate) http_status: u16,
    pub(crate) rt_cd: String,
    pub(crate) msg_cd: String,
    /// Number of the order that was accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) odno: Option<String>,
    /// Whether the answer was sent. A call that is executed and not answered is `false`.
    pub(crate) is_answered: bool,
}

#[derive(Debug, Default)]
pub(crate) struct CallLog {
    calls: VecDeque<LoggedCall>,
    seen: u64,
}

impl CallLog {
    pub(crate) fn add(&mut self, mut call: LoggedCall) {
        self.seen += 1;
        call.seq = self.seen;
        if self.calls.len() == KEPT {
            self.calls.pop_front();
        }
        self.calls.push_back(call);
    }

    /// Returns the calls with a number above `after`, oldest first.
    pub(crate) fn after(&self, after: u64) -> Vec<LoggedCall> {
        self.calls
            .iter()
            .filter(|call| call.seq > after)
            .cloned()
            .collect()
    }
}

/// Returns query and body of a call as one object, without secrets.
pub(crate) fn without_secrets(query: &BTreeMap<String, String>, body: &[u8]) -> Value {
    let mut shown = match serde_json::from_slice(body) {
        Ok(Value::Object(fields)) => fields,
        _ => serde_json::Map::new(),
    };
    for (key, value) in query {
        shown.insert(key.clone(), Value::String(value.clone()));
    }
    shown.retain(|key, _| !SECRETS.contains(&key.to_ascii_lowercase().as_str()));
    Value::Object(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_left_out() {
        let query = BTreeMap::from([("PDNO".to_owned(), "005930".to_owned())]);
        let body = br#"{"appkey":"a","appsecret":"b","secretkey":"c","token":"d","CANO":"1"}"#;
        let shown = without_secrets(&query, body).to_string();
        assert_eq!(shown, r#"{"CANO":"1","PDNO":"005930"}"#);
        assert_eq!(
            without_secrets(&BTreeMap::new(), b"no json").to_string(),
            "{}"
        );
    }
}
