//! What an answer of the broker means: the one place that knows its codes.
//!
//! 1. The body decides, whatever the HTTP status (KIS Open API, 3.1).
//! 2. For an order everything that is not proven is an unknown outcome; for a query it is
//!    transient.

use serde_json::{Map, Value};

use super::error::{KisError, TransientCause};

/// What an answer means for the call.
#[derive(Debug)]
pub(super) enum Verdict {
    /// `rt_cd` is `0`.
    Success(Map<String, Value>),
    /// The access token is not accepted; nothing was executed.
    TokenRefused(String),
    /// Anything else.
    Failure(KisError),
}

/// Returns what the answer of `status` with `body` means for the operation `place`.
pub(super) fn classify(place: &'static str, is_order: bool, status: u16, body: &[u8]) -> Verdict {
    let Ok(Value::Object(body)) = serde_json::from_slice(body) else {
        return Verdict::Failure(unusable(
            place,
            is_order,
            format!(
                "HTTP {status} with {} bytes that are no JSON object",
                body.len()
            ),
        ));
    };
    if text(&body, "rt_cd") == "0" {
        return Verdict::Success(body);
    }
    // Refusals of the authorisation server use the second pair of names.
    let code = first_text(&body, ["msg_cd", "error_code"]).to_owned();
    let message = first_text(&body, ["msg1", "error_description"]).to_owned();
    if code.is_empty() {
        return Verdict::Failure(unusable(
            place,
            is_order,
            format!("HTTP {status} without rt_cd 0 and without a code"),
        ));
    }
    if matches!(code.as_str(), "EGW00121" | "EGW00122" | "EGW00123") {
        return Verdict::TokenRefused(code);
    }
    Verdict::Failure(failure(place, is_order, status, code, message))
}

/// Returns the error of an answer with a code.
fn failure(
    place: &'static str,
    is_order: bool,
    status: u16,
    code: String,
    message: String,
) -> KisError {
    match meaning(&code, status) {
        Meaning::Throttled => KisError::Transient {
            place,
            cause: TransientCause::Throttled(code),
        },
        Meaning::TokenTooSoon => KisError::Transient {
            place,
            cause: TransientCause::NoToken(code),
        },
        Meaning::Ambiguous if is_order => KisError::UnknownOutcome {
            place,
            reason: format!("HTTP {status}, {code}: {message}"),
        },
        Meaning::Ambiguous => KisError::Transient {
            place,
            cause: TransientCause::Server { code, message },
        },
        Meaning::Configuration => KisError::Configuration {
            place,
            code,
            message,
        },
        Meaning::Refused => KisError::Rejected {
            place,
            code,
            message,
        },
    }
}

/// What a code says, apart from the kind of call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meaning {
    Throttled,
    TokenTooSoon,
    Ambiguous,
    Configuration,
    Refused,
}

/// Returns the meaning of a code (KIS Open API, 3.3 and 3.4).
fn meaning(code: &str, status: u16) -> Meaning {
    match code {
        "EGW00201" | "EGW00215" => Meaning::Throttled,
        "EGW00133" => Meaning::TokenTooSoon,
        // Temporary, server and routing errors, and the timeouts behind the gateway whose text
        // tells to check the previous order.
        "EGW00001" | "EGW00002" | "EGW00202" | "EGW00203" | "EGW00300" | "EGW00301"
        | "EGW00302" | "EGW00303" | "EGW00304" => Meaning::Ambiguous,
        "EGW00003" | "EGW00004" | "EGW00101" | "EGW00102" | "EGW00103" | "EGW00104"
        | "EGW00105" | "EGW00112" | "EGW00115" | "EGW00116" | "EGW00120" | "EGW00124"
        | "EGW00125" | "EGW00126" | "EGW00131" | "EGW00132" | "EGW00205" | "EGW00206"
        | "EGW00207" | "EGW00208" | "EGW00209" | "EGW00213" | "OPSQ2000" => Meaning::Configuration,
        // A gateway code nobody has documented, with a server error: nothing is proven.
        _ if code.starts_with("EGW") && status >= 500 => Meaning::Ambiguous,
        // The set of reject codes is open: a well-formed refusal is a refusal.
        _ => Meaning::Refused,
    }
}

/// Returns the error of a call that was sent and has no usable answer.
pub(super) fn unusable(place: &'static str, is_order: bool, reason: String) -> KisError {
    if is_order {
        KisError::UnknownOutcome { place, reason }
    } else {
        KisError::Transient {
            place,
            cause: TransientCause::NoAnswer(reason),
        }
    }
}

fn text<'a>(body: &'a Map<String, Value>, key: &str) -> &'a str {
    body.get(key)
        .and_then(Value::as_str)
        .unwrap_or_default()
        .trim()
}

fn first_text<'a>(body: &'a Map<String, Value>, keys: [&str; 2]) -> &'a str {
    keys.into_iter()
        .map(|key| text(body, key))
        .find(|value| !value.is_empty())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    fn class(is_order: bool, status: u16, body: &str) -> &'static str {
        match classify("order-cash", is_order, status, body.as_bytes()) {
            Verdict::Success(_) => "success",
            Verdict::TokenRefused(_) => "token",
            Verdict::Failure(error) => error.class(),
        }
    }

    fn refusal(code: &str) -> String {
        format!(r#"{{"rt_cd":"1","msg_cd":"{code}","msg1":"text   "}}"#)
    }

    #[rstest]
    #[case("EGW00201", 500, "throttled", "throttled")]
    #[case("EGW00215", 500, "throttled", "throttled")]
    #[case("EGW00301", 500, "unknown_outcome", "server")]
    #[case("EGW00302", 200, "unknown_outcome", "server")]
    #[case("EGW00303", 500, "unknown_outcome", "server")]
    #[case("EGW00304", 500, "unknown_outcome", "server")]
    #[case("EGW00001", 500, "unknown_outcome", "server")]
    #[case("EGW00300", 500, "unknown_outcome", "server")]
    #[case("EGW00999", 503, "unknown_outcome", "server")]
    #[case("EGW00999", 400, "rejected", "rejected")]
    #[case("EGW00103", 403, "configuration", "configuration")]
    #[case("EGW00213", 500, "configuration", "configuration")]
    #[case("EGW00133", 403, "no_token", "no_token")]
    #[case("APBK0919", 200, "rejected", "rejected")]
    #[case("APBK0919", 500, "rejected", "rejected")]
    #[case("NEW12345", 200, "rejected", "rejected")]
    #[case("EGW00123", 200, "token", "token")]
    #[case("EGW00121", 401, "token", "token")]
    fn a_code_is_classed_by_kind_of_call(
        #[case] code: &str,
        #[case] status: u16,
        #[case] order: &str,
        #[case] query: &str,
    ) {
        assert_eq!(class(true, status, &refusal(code)), order);
        assert_eq!(class(false, status, &refusal(code)), query);
    }

    #[rstest]
    #[case(502, "<html>bad gateway</html>")]
    #[case(200, "")]
    #[case(200, "[]")]
    #[case(200, r#"{"rt_cd":"1"}"#)]
    #[case(500, r#"{"message":"internal"}"#)]
    #[case(404, r#"{"rt_cd":0}"#)]
    fn an_answer_that_proves_nothing_is_unknown_for_orders(
        #[case] status: u16,
        #[case] body: &str,
    ) {
        assert_eq!(class(true, status, body), "unknown_outcome");
        assert_eq!(class(false, status, body), "no_answer");
    }

    #[test]
    fn success_is_rt_cd_zero_whatever_the_status() {
        assert_eq!(class(true, 500, r#"{"rt_cd":"0","output":{}}"#), "success");
    }

    proptest! {
        #[test]
        fn an_order_is_never_merely_transient_unless_the_code_says_not_executed(
            status in 200_u16..600, code in "(EGW00[0-9]{3}|APBK[0-9]{4}|)",
        ) {
            let class = class(true, status, &refusal(&code));
            let unexecuted = ["EGW00201", "EGW00215", "EGW00133"].contains(&code.as_str());
            prop_assert_eq!(unexecuted, ["throttled", "no_token"].contains(&class));
            prop_assert!(!["server", "no_answer"].contains(&class));
        }

        #[test]
        fn no_body_panics(body in prop::collection::vec(any::<u8>(), 0..200), status in any::<u16>()) {
            drop(classify("any", true, status, &body));
        }
    }
}
