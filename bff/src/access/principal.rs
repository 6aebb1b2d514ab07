//! Who makes the request that is being answered.

use turnstile_connectors::postgres::Actor;

use super::role::Role;
use crate::error::{ApiError, Code};
use crate::request;

/// Name of whoever uses the API while no token exists.
const THIS_MACHINE: &str = "this machine";

tokio::task_local! {
    static CURRENT: Principal;
}

/// Who makes a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Principal {
    /// Key of the token; none while none exists.
    pub(super) token_id: Option<String>,
    /// Name of the token.
    pub(crate) name: String,
    /// What it may do.
    pub(crate) role: Role,
    /// What changing requests repeat, where a browser's session was used.
    pub(crate) csrf: Option<String>,
}

impl Principal {
    /// Returns whoever uses this machine while no token exists.
    pub(super) fn this_machine() -> Self {
        Self {
            token_id: None,
            name: THIS_MACHINE.to_owned(),
            role: Role::Admin,
            csrf: None,
        }
    }

    /// Returns whether a token was used.
    pub(crate) fn has_token(&self) -> bool {
        self.token_id.is_some()
    }

    /// Answers a request as this principal.
    pub(super) async fn scope<F: Future>(self, answer: F) -> F::Output {
        CURRENT.scope(self, answer).await
    }
}

/// Returns who makes the request that is being answered; none outside of one.
pub(crate) fn current() -> Option<Principal> {
    CURRENT.try_with(Clone::clone).ok()
}

/// Returns who acts, for the audit.
pub(crate) fn actor() -> Actor {
    Actor {
        name: current()
            .map(|principal| principal.name)
            .unwrap_or_default(),
        request_id: request::current_id(),
    }
}

/// Checks that whoever makes the request that is being answered may do what needs `role`.
///
/// # Errors
/// [`Code::Unauthorized`] where nobody does, [`Code::ForbiddenRole`] where the role is less.
pub(crate) fn require(role: Role) -> Result<(), ApiError> {
    let nobody = || ApiError::new(Code::Unauthorized, "nobody is signed in");
    current().ok_or_else(nobody)?.require(role)
}

/// Returns the name to put where the client names nobody: that of its token.
pub(crate) fn default_name() -> Option<String> {
    current()
        .filter(|principal| principal.token_id.is_some())
        .map(|principal| principal.name)
}
