//! Answers that have a name (`ETag`): who has them already is told so (304), instead of them again.
//!
//! RFC 9110, sections 8.8.3 and 13.1.2. Names of rows are weak, since `meta` differs with each answer.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::envelope::Success;
use crate::seoul::SeoulTime;

/// A row that rises in version with every change.
#[derive(Debug)]
pub(crate) struct Versioned<T>(Named<Success<T>>);

/// An answer with its name.
#[derive(Debug)]
pub(crate) struct Named<T> {
    name: HeaderValue,
    /// None where the client has it.
    answer: Option<T>,
}

impl<T> Versioned<T> {
    /// Answers with `row`, which is of `version` and was `changed` then, unless the request says that the
    /// client has it. A row that was removed and made again has a version, but not a time, once more.
    pub(crate) fn of(
        row: T,
        (version, changed): (i32, Option<SeoulTime>),
        headers: &HeaderMap,
    ) -> Self {
        let changed = changed.map_or(0, SeoulTime::micros);
        Self(Named::of(
            &format!("W/\"{version}-{changed}\""),
            headers,
            || Success::one(row),
        ))
    }
}

impl<T> Named<T> {
    /// Answers with what `answer` returns, whose name is `name`, unless the client has it.
    pub(crate) fn of(name: &str, headers: &HeaderMap, answer: impl FnOnce() -> T) -> Self {
        let answer = (!has(headers, name)).then(answer);
        // Digits and quotation marks are a value; another name would be none, and match nothing.
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

impl<T: Serialize> IntoResponse for Versioned<T> {
    fn into_response(self) -> Response {
        self.0.into_response()
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
