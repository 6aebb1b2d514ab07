//! Answers and their JSON. Keys keep the order in which they are written; every value is a text.

use std::borrow::Cow;

use serde::{Serialize, Serializer, ser::SerializeMap};

/// One answer.
#[derive(Clone, Debug, Default)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// Header `tr_cont`: F or M where more pages follow, D or E on the last, else empty.
    pub(super) tr_cont: &'static str,
    pub(super) body: String,
    pub(super) rt_cd: String,
    pub(super) msg_cd: String,
    pub(super) order_number: Option<String>,
    /// Whether the answer is never sent.
    pub(super) is_withheld: bool,
}

/// Text of a query that is complete, padded as the broker pads it.
pub(super) const DONE: &str = "조회가 완료되었습니다";
/// Text of a query with more pages.
pub(super) const GOES_ON: &str = "조회가 계속됩니다..다음버튼을 Click 하십시오.";

impl Answer {
    /// An answer without a body.
    pub(super) fn bare(status: u16) -> Self {
        Self {
            status,
            ..Self::default()
        }
    }

    /// An answer outside the envelope of codes.
    pub(super) fn plain(status: u16, body: &impl Serialize) -> Self {
        Self {
            status,
            body: json(body),
            ..Self::default()
        }
    }

    /// A success: `fields`, then the envelope.
    pub(super) fn success(mut fields: Object, msg_cd: &str, msg1: &str) -> Self {
        fields.push("rt_cd", "0");
        fields.push("msg_cd", msg_cd.to_owned());
        fields.push("msg1", msg1.to_owned());
        Self {
            status: 200,
            body: json(&fields),
            rt_cd: "0".to_owned(),
            msg_cd: msg_cd.to_owned(),
            ..Self::default()
        }
    }

    /// A success with the envelope first, as orders have it.
    pub(super) fn order_success(output: Object) -> Self {
        let mut fields = Object::default();
        fields.push("rt_cd", "0");
        fields.push("msg_cd", "APBK0013");
        fields.push("msg1", "주문 전송 완료 되었습니다.");
        fields.push("output", Value::Object(output));
        Self {
            status: 200,
            body: json(&fields),
            rt_cd: "0".to_owned(),
            msg_cd: "APBK0013".to_owned(),
            ..Self::default()
        }
    }

    /// A refusal by the broker's systems behind the gateway.
    pub(super) fn refusal(msg_cd: &str, msg1: &str) -> Self {
        Self::failure(200, msg_cd, msg1)
    }

    fn failure(status: u16, msg_cd: &str, msg1: &str) -> Self {
        let mut fields = Object::default();
        fields.push("rt_cd", "1");
        fields.push("msg_cd", msg_cd.to_owned());
        fields.push("msg1", msg1.to_owned());
        Self {
            status,
            body: json(&fields),
            rt_cd: "1".to_owned(),
            msg_cd: msg_cd.to_owned(),
            ..Self::default()
        }
    }
}

/// A refusal by the gateway: HTTP 500.
pub(super) fn gateway_error(msg_cd: &str, msg1: &str) -> Answer {
    Answer::failure(500, msg_cd, msg1)
}

/// Returns `text` padded with spaces to the 60 characters that account queries have.
pub(super) fn padded(text: &str) -> String {
    format!("{text:<60}")
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("texts become JSON")
}

/// A JSON object that keeps the order of its keys.
#[derive(Clone, Debug, Default)]
pub(super) struct Object(Vec<(&'static str, Value)>);

/// A value of an [`Object`].
#[derive(Clone, Debug)]
pub(super) enum Value {
    Text(Cow<'static, str>),
    Object(Object),
    Rows(Vec<Object>),
}

impl Object {
    pub(super) fn push(&mut self, key: &'static str, value: impl Into<Value>) {
        self.0.push((key, value.into()));
    }

    /// Adds all fields of `other`.
    pub(super) fn append(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// Replaces the value of a key, or adds it.
    pub(super) fn set(&mut self, key: &'static str, value: impl Into<Value>) {
        match self.0.iter_mut().find(|(known, _)| *known == key) {
            Some((_, slot)) => *slot = value.into(),
            None => self.push(key, value),
        }
    }
}

impl<const N: usize> From<[(&'static str, Value); N]> for Object {
    fn from(fields: [(&'static str, Value); N]) -> Self {
        Self(fields.into())
    }
}

impl Serialize for Object {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (key, value) in &self.0 {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => serializer.serialize_str(text),
            Self::Object(object) => object.serialize(serializer),
            Self::Rows(rows) => rows.serialize(serializer),
        }
    }
}

impl From<&'static str> for Value {
    fn from(text: &'static str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }
}

/// Returns any number or text as the text that the wire wants.
pub(super) fn text(value: impl ToString) -> Value {
    Value::from(value.to_string())
}
