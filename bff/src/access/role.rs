//! Roles, each of which may do what the ones before it may.

use std::str::FromStr;

use serde::Serialize;
use utoipa::ToSchema;

/// What a token is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Role {
    /// Sees everything.
    Viewer,
    /// Also acts: orders, approvals, control modes, portfolios, the emergency stop.
    Trader,
    /// Also sets rules and limits, and lifts the emergency stop.
    Admin,
}

/// A role that does not exist.
#[derive(Debug, thiserror::Error)]
#[error("one of viewer, trader, admin expected, was {0:?}")]
pub struct RoleError(String);

impl Role {
    /// Every role, the least first.
    pub const ALL: [Self; 3] = [Self::Viewer, Self::Trader, Self::Admin];

    /// Returns the name in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Viewer => "VIEWER",
            Self::Trader => "TRADER",
            Self::Admin => "ADMIN",
        }
    }
}

impl FromStr for Role {
    type Err = RoleError;

    fn from_str(text: &str) -> Result<Self, RoleError> {
        let named = |role: &Self| role.name().eq_ignore_ascii_case(text);
        let found = Self::ALL.into_iter().find(named);
        found.ok_or_else(|| RoleError(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_role_may_what_the_ones_before_it_may() {
        assert!(Role::Viewer < Role::Trader && Role::Trader < Role::Admin);
        for role in Role::ALL {
            assert_eq!(role.name().parse::<Role>().unwrap(), role);
        }
        let error = "root".parse::<Role>().unwrap_err().to_string();
        assert_eq!(error, "one of viewer, trader, admin expected, was \"root\"");
    }
}
