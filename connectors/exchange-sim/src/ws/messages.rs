//! Control messages (KIS Open API): requests, acknowledgements and PINGPONG.

use serde::Serialize;
use serde_json::Value;

use super::cipher::Cipher;
use crate::config::Environment;

/// Text that marks keep-alive messages, both ways.
pub(super) const PINGPONG: &str = "PINGPONG";

/// A stream that can be registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stream {
    Trades,
    Notices,
}

impl Stream {
    pub(super) fn by_tr_id(tr_id: &str, environment: Environment) -> Option<Self> {
        match tr_id {
            "H0STCNT0" => Some(Self::Trades),
            _ if tr_id == Self::Notices.tr_id(environment) => Some(Self::Notices),
            _ => None,
        }
    }

    pub(super) const fn tr_id(self, environment: Environment) -> &'static str {
        match (self, environment) {
            (Self::Trades, _) => "H0STCNT0",
            (Self::Notices, Environment::Production) => "H0STCNI0",
            (Self::Notices, Environment::Paper) => "H0STCNI9",
        }
    }

    const fn encrypt(self) -> &'static str {
        match self {
            Self::Trades => "N",
            Self::Notices => "Y",
        }
    }
}

/// What a client asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Request {
    /// An answer to a keep-alive message.
    Pong,
    /// Registers or removes one stream.
    Registration(Registration),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Registration {
    pub(super) approval_key: String,
    pub(super) is_added: bool,
    pub(super) tr_id: String,
    pub(super) tr_key: String,
}

/// How a registration ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Subscribed,
    Unsubscribed,
    AlreadySubscribed,
    NotSubscribed,
    TooMany,
    UnknownApproval,
    UnknownTr,
    UnknownKey,
    SecondSession,
    BadTrType,
    BadCustomerType,
    NoHeader,
    BadJson,
}

impl Verdict {
    /// `rt_cd`, `msg_cd` and `msg1`. The texts from `UnknownTr` on, save that of the second
    /// session, are invented.
    const fn codes(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Subscribed => ("0", "OPSP0000", "SUBSCRIBE SUCCESS"),
            Self::Unsubscribed => ("0", "OPSP0001", "UNSUBSCRIBE SUCCESS"),
            Self::AlreadySubscribed => ("1", "OPSP0002", "ALREADY IN SUBSCRIBE"),
            Self::NotSubscribed => ("1", "OPSP0003", "UNSUBSCRIBE ERROR(not found!)"),
            Self::TooMany => ("1", "OPSP0008", "MAX SUBSCRIBE OVER"),
            Self::UnknownApproval => ("1", "OPSP0011", "invalid approval : NOT FOUND"),
            Self::UnknownTr => ("1", "OPSP8991", "invalid tr_id : NOT FOUND"),
            Self::UnknownKey => ("1", "OPSP8992", "invalid tr_key : NOT FOUND"),
            Self::SecondSession => ("9", "OPSP8996", "ALREADY IN USE appkey"),
            Self::BadTrType => ("1", "OPSP8997", "invalid tr_type"),
            Self::BadCustomerType => ("1", "OPSP8998", "invalid custtype"),
            Self::NoHeader => ("1", "OPSP9998", "header NOT FOUND"),
            Self::BadJson => ("1", "OPSP9999", "JSON PARSING ERROR"),
        }
    }
}

/// Understands a client's message.
///
/// # Errors
/// Returns the verdict to answer with.
pub(super) fn parse(text: &str) -> Result<Request, Verdict> {
    let message: Value = serde_json::from_str(text).map_err(|_| Verdict::BadJson)?;
    let header = message.get("header").ok_or(Verdict::NoHeader)?;
    let of = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
    if header.get("tr_id").and_then(Value::as_str) == Some(PINGPONG) {
        return Ok(Request::Pong);
    }
    if !matches!(of(header, "custtype").as_deref(), Some("P" | "B")) {
        return Err(Verdict::BadCustomerType);
    }
    let is_added = match of(header, "tr_type").as_deref() {
        Some("1") => true,
        Some("2") => false,
        _ => return Err(Verdict::BadTrType),
    };
    let input = message.pointer("/body/input").unwrap_or(&Value::Null);
    Ok(Request::Registration(Registration {
        approval_key: of(header, "approval_key").ok_or(Verdict::UnknownApproval)?,
        is_added,
        tr_id: of(input, "tr_id").ok_or(Verdict::UnknownTr)?,
        tr_key: of(input, "tr_key").ok_or(Verdict::UnknownKey)?,
    }))
}

#[derive(Serialize)]
struct Ack<'a> {
    header: AckHeader<'a>,
    body: AckBody<'a>,
}

#[derive(Serialize)]
struct AckHeader<'a> {
    tr_id: &'a str,
    tr_key: &'a str,
    encrypt: &'a str,
}

#[derive(Serialize)]
struct AckBody<'a> {
    rt_cd: &'a str,
    msg_cd: &'a str,
    msg1: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    output: Option<KeyMaterial>,
}

#[derive(Serialize)]
struct KeyMaterial {
    iv: String,
    key: String,
}

/// Writes the acknowledgement of a request. Successful ones carry key material, whatever the
/// stream.
pub(super) fn ack(
    verdict: Verdict,
    tr_id: &str,
    tr_key: &str,
    stream: Option<Stream>,
    cipher: &Cipher,
) -> String {
    let (rt_cd, msg_cd, msg1) = verdict.codes();
    let output = (rt_cd == "0").then(|| KeyMaterial {
        iv: cipher.iv(),
        key: cipher.key(),
    });
    let encrypt = stream.map_or("N", Stream::encrypt);
    let header = AckHeader {
        tr_id,
        tr_key,
        encrypt,
    };
    let ack = Ack {
        header,
        body: AckBody {
            rt_cd,
            msg_cd,
            msg1,
            output,
        },
    };
    serde_json::to_string(&ack).expect("texts become JSON")
}

/// Writes an acknowledgement that belongs to no registration.
pub(super) fn bare_ack(verdict: Verdict, cipher: &Cipher) -> String {
    ack(verdict, "(null)", "", None, cipher)
}

/// Writes a keep-alive message; `datetime` is Seoul time as YYYYMMDDHHMMSS.
pub(super) fn ping(datetime: &str) -> String {
    format!(r#"{{"header":{{"tr_id":"{PINGPONG}","datetime":"{datetime}"}}}}"#)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Texts of the sample file that `from` sends.
    fn samples(from: &str) -> Vec<String> {
        let file: Value =
            serde_json::from_str(include_str!("../../test_data/ws-control-messages.json")).unwrap();
        file["messages"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|message| message["from"] == from)
            .map(|message| message["text"].as_str().unwrap().to_owned())
            .collect()
    }

    #[test]
    fn acknowledgements_of_the_samples_are_met_to_the_byte() {
        let cipher = Cipher::random();
        let samples = samples("server");
        assert_eq!(samples.len(), 9);
        for sample in &samples {
            let parsed: Value = serde_json::from_str(sample).unwrap();
            let header = |key: &str| parsed["header"][key].as_str().unwrap();
            let written = match parsed["body"]["msg_cd"].as_str() {
                None => ping(header("datetime")),
                Some(code) => {
                    let verdict = [
                        Verdict::Subscribed,
                        Verdict::Unsubscribed,
                        Verdict::AlreadySubscribed,
                        Verdict::NotSubscribed,
                        Verdict::TooMany,
                        Verdict::UnknownApproval,
                        Verdict::SecondSession,
                    ]
                    .into_iter()
                    .find(|verdict| verdict.codes().1 == code)
                    .unwrap();
                    let stream = Stream::by_tr_id(header("tr_id"), Environment::Production);
                    ack(verdict, header("tr_id"), header("tr_key"), stream, &cipher)
                }
            };
            let expected = sample
                .replace("5tRw8yUq2aSd4fGh", &cipher.iv())
                .replace("k7Qm2xWv9TbR4cLs8ZyHn3JpU6fGdEaX", &cipher.key());
            assert_eq!(written, expected);
        }
    }

    #[test]
    fn requests_of_the_samples_are_understood() {
        let requests: Vec<_> = samples("client")
            .iter()
            .map(|text| parse(text).unwrap())
            .collect();
        let registration = |is_added, tr_id: &str, tr_key: &str| {
            Request::Registration(Registration {
                approval_key: "7c1f0c52-3a6e-4d0b-9b57-2f6f0e1c8a44".to_owned(),
                is_added,
                tr_id: tr_id.to_owned(),
                tr_key: tr_key.to_owned(),
            })
        };
        let expected = [
            registration(true, "H0STCNT0", "005930"),
            registration(true, "H0STCNI0", "demo0001"),
            registration(false, "H0STCNT0", "005930"),
            Request::Pong,
        ];
        assert_eq!(requests, expected);
    }

    #[test]
    fn malformed_requests_have_their_codes() {
        let cases = [
            ("{", Verdict::BadJson),
            ("{}", Verdict::NoHeader),
            (r#"{"header":{"tr_type":"1"}}"#, Verdict::BadCustomerType),
            (
                r#"{"header":{"custtype":"P","tr_type":"0"}}"#,
                Verdict::BadTrType,
            ),
            (
                r#"{"header":{"custtype":"P","tr_type":"1"}}"#,
                Verdict::UnknownApproval,
            ),
        ];
        for (text, verdict) in cases {
            assert_eq!(parse(text), Err(verdict), "{text}");
        }
    }
}
