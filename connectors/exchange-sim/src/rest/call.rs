//! One REST call as it came.

use std::collections::BTreeMap;

use axum::http::{HeaderMap, Method, request::Parts};
use serde_json::Value;

use super::answer::Answer;
use crate::shared::Shared;

/// One REST call.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) query: BTreeMap<String, String>,
    headers: HeaderMap,
    body: Value,
}

impl Call {
    pub(super) fn new(parts: &Parts, body: &[u8]) -> Self {
        let query = axum::extract::Query::<BTreeMap<String, String>>::try_from_uri(&parts.uri);
        Self {
            method: parts.method.clone(),
            path: parts.uri.path().to_owned(),
            query: query.map(|query| query.0).unwrap_or_default(),
            headers: parts.headers.clone(),
            body: serde_json::from_slice(body).unwrap_or(Value::Null),
        }
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Returns a text of the JSON body. Numbers and missing keys are none: every value on this
    /// wire is a text.
    pub(super) fn field(&self, key: &str) -> Option<&str> {
        self.body.get(key).and_then(Value::as_str)
    }

    /// Returns the JSON body.
    pub(super) const fn body(&self) -> &Value {
        &self.body
    }

    /// Returns a value of the query string; empty where it is missing.
    pub(super) fn param(&self, key: &str) -> &str {
        self.query.get(key).map_or("", String::as_str)
    }

    /// Checks that the account named in the query is that of the application key.
    ///
    /// # Errors
    /// The answer that refuses the call.
    pub(super) fn check_account(&self, shared: &Shared, account: usize) -> Result<(), Answer> {
        let known = &shared.config.accounts[account];
        let (cano, product) = match self.method {
            Method::GET => (self.param("CANO"), self.param("ACNT_PRDT_CD")),
            _ => (
                self.field("CANO").unwrap_or_default(),
                self.field("ACNT_PRDT_CD").unwrap_or_default(),
            ),
        };
        if cano == known.cano && product == known.acnt_prdt_cd {
            Ok(())
        } else {
            Err(Answer::refusal(
                "OPSQ2000",
                "ERROR : INPUT INVALID_CHECK_ACNO",
            ))
        }
    }
}
