//! Control messages of the WebSocket: requests out, answers in (KIS Open API, 4.1 to 4.3).

use serde::Deserialize;
use serde_json::json;

use crate::kis::error::Malformed;

/// What a request wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::kis) enum Wish {
    Subscribe,
    Unsubscribe,
}

/// A control message of the broker.
#[derive(Debug)]
pub(in crate::kis) enum Control {
    /// Keep-alive, to be sent back as it is.
    PingPong,
    /// Answer to a request.
    Answer(Answer),
}

/// Answer to a request.
#[derive(Debug)]
pub(in crate::kis) struct Answer {
    pub(in crate::kis) tr_id: String,
    pub(in crate::kis) tr_key: String,
    pub(in crate::kis) code: String,
    pub(in crate::kis) message: String,
    /// Whether `rt_cd` is `0`.
    pub(in crate::kis) is_success: bool,
    /// Key and iv of the stream.
    pub(in crate::kis) key: Option<(String, String)>,
}

#[derive(Deserialize)]
struct Wire {
    header: WireHeader,
    body: Option<WireBody>,
}

#[derive(Deserialize)]
struct WireHeader {
    #[serde(default)]
    tr_id: Option<String>,
    #[serde(default)]
    tr_key: Option<String>,
}

#[derive(Deserialize)]
struct WireBody {
    #[serde(default)]
    rt_cd: String,
    #[serde(default)]
    msg_cd: String,
    #[serde(default)]
    msg1: String,
    #[serde(default)]
    output: Option<WireOutput>,
}

#[derive(Deserialize)]
struct WireOutput {
    #[serde(default)]
    iv: String,
    #[serde(default)]
    key: String,
}

/// Returns the text of a request.
pub(in crate::kis) fn request(approval_key: &str, wish: Wish, tr_id: &str, tr_key: &str) -> String {
    let tr_type = match wish {
        Wish::Subscribe => "1",
        Wish::Unsubscribe => "2",
    };
    json!({
        "header": {
            "approval_key": approval_key,
            "custtype": "P",
            "tr_type": tr_type,
            "content-type": "utf-8",
        },
        "body": { "input": { "tr_id": tr_id, "tr_key": tr_key } },
    })
    .to_string()
}

/// Reads a control message.
///
/// # Errors
/// If it is neither. The text is not repeated: an answer holds keys.
pub(in crate::kis) fn read(text: &str) -> Result<Control, Malformed> {
    let fault = |reason: String| Malformed::new("control message", reason);
    let wire: Wire = serde_json::from_str(text).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        fault(format!(
            "a header and a body expected, fault at {line}:{column}"
        ))
    })?;
    let tr_id = wire.header.tr_id.unwrap_or_default();
    if tr_id == "PINGPONG" {
        return Ok(Control::PingPong);
    }
    let body = wire
        .body
        .ok_or_else(|| fault(format!("a body expected, {tr_id:?} has none")))?;
    Ok(Control::Answer(Answer {
        tr_id,
        tr_key: wire.header.tr_key.unwrap_or_default().trim().to_owned(),
        is_success: body.rt_cd == "0",
        code: body.msg_cd.trim().to_owned(),
        message: body.msg1.trim().to_owned(),
        key: body
            .output
            .map(|output| (output.key, output.iv))
            .filter(|(key, iv)| !key.is_empty() && !iv.is_empty()),
    }))
}
