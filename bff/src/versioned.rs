//! Answers that have a name (`ETag`): who has them already is told so (304), instead of them again.
//!
//! RFC 9110, sections 8.8.3 and 13.1.2. The name of a row is made of all that is sent of it, and weak, since
//! `meta` differs with each answer.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use sha2::{Digest, Sha256};

use crate::envelope::Success;

/// An answer with its name.
#[derive(Debug)]
pub(crate) struct Named<T> {
    name: HeaderValue,
    /// None where the client has it.
    answer: Option<T>,
}

/// Answers with `row`, unless the request says that the client has it.
///
/// # Errors
/// If the row cannot be written.
pub(crate) fn named(
    row: &impl Serialize,
    headers: &HeaderMap,
) -> Result<Named<Success<Box<RawValue>>>, serde_json::Error> {
    let row = to_raw_value(row)?;
    let name = format!("W/\"{}\"", digest(row.get()));
    Ok(Named::of(&name, headers, || Success::one(row)))
}

/// Returns what a text is called.
pub(crate) fn digest(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(text))
}

impl<T> Named<T> {
    /// Answers with what `answer` returns, whose name is `name`, unless the client has it.
    pub(crate) fn of(name: &str, headers: &HeaderMap, answer: impl FnOnce() -> T) -> Self {
        let answer = (!has(headers, name)).then(answer);
        // A digest in quotation marks is a value; another name would be none, and match nothing.
        let name = HeaderValue::from_str(name).unwrap_or(HeaderValue::from_static("\"\""));
        Self { name, answer }
    }
}

/// Returns whether the client says that it has what is called `name`.
fn has(headers: &HeaderMap, name: &str) -> bool {
    let lines = headers.get_all(header::IF_NONE_MATCH).into_iter();
    let lines = lines.filter_map(|line| line.to_str().ok());
    let bare = |name| str::strip_prefix(name, "W/").unwrap_or(name).to_owned();
    let mut given = lines.flat_map(|line| line.split(',')).map(str::trim);
    given.any(|given| given == "*" || bare(given) == bare(name))
}

impl<T: IntoResponse> IntoResponse for Named<T> {
    fn into_response(self) -> Response {
        let mut response = match self.answer {
            Some(answer) => answer.into_response(),
            None => StatusCode::NOT_MODIFIED.into_response(),
        };
        response.headers_mut().insert(header::ETAG, self.name);
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_given_is_known_weak_or_not_alone_or_among_others() {
        let given = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::IF_NONE_MATCH, HeaderValue::from_static(value));
            has(&headers, "W/\"3-7\"")
        };
        for known in ["W/\"3-7\"", "\"3-7\"", "*", "\"1-1\", W/\"3-7\""] {
            assert!(given(known), "{known}");
        }
        for other in ["", "3-7", "\"3-8\"", "W/\"13-7\"", "w/\"3-7\""] {
            assert!(!given(other), "{other}");
        }
        assert!(!has(&HeaderMap::new(), "\"3-7\""));
    }
}
