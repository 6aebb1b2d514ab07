//! Rows of exit rules, as the engine reads them and as the BFF shows them.

use std::sync::Arc;

use serde_json::Value;
use turnstile_dataflows::exit::{ExitRule, RuleScope, ScopeError};
use turnstile_dataflows::model::{Profile, ProfileFaults};

use crate::rows::{Fields, RowFault, is_early};

/// A row of `trade.exit_rules`, in force or not.
#[derive(Debug)]
pub struct StoredRule {
    /// The rule, without a profile where that cannot be read.
    pub rule: ExitRule,
    /// Why its profile cannot be read.
    pub fault: Option<ProfileFaults>,
    /// Whether it is switched on.
    pub is_active: bool,
    /// Whether it comes into force after the day that was asked for.
    pub is_early: bool,
}

impl StoredRule {
    /// Reads a row as JSON, as the engine does. `today` is a date in Seoul, as `YYYY-MM-DD`.
    ///
    /// # Errors
    /// If it does not say which rule it is, whom it serves, or since which version.
    pub fn of(row: &Value, today: &str) -> Result<Self, RowFault> {
        let fields = Fields::new(row, "rule_id");
        let (scope, version, profile) = parts_of_row(&fields)?;
        let (profile, fault) = match profile {
            Ok(profile) => (profile, None),
            Err(faults) => (Profile::default(), Some(faults)),
        };
        let rule = ExitRule {
            id: fields.parsed("rule_id")?,
            scope,
            version,
            profile: Arc::new(profile),
        };
        Ok(Self {
            rule,
            fault,
            is_active: fields.flag("is_active")?,
            is_early: is_early(row, today),
        })
    }
}

type RowParts = (RuleScope, u32, Result<Profile, ProfileFaults>);

/// Returns whom a rule serves, its version and its profile.
pub(crate) fn parts_of_row(fields: &Fields<'_>) -> Result<RowParts, RowFault> {
    let scope = scope(fields)?;
    let rules = fields.value("rules").unwrap_or(&Value::Null);
    let version = fields.whole("version")?;
    Ok((scope, version, Profile::from_value(rules)))
}

/// Returns whom a rule serves, by its columns `scope` and `scope_key`.
pub(crate) fn scope(fields: &Fields<'_>) -> Result<RuleScope, RowFault> {
    let key = match fields.value("scope_key") {
        Some(_) => Some(fields.text("scope_key")?),
        None => None,
    };
    RuleScope::of(fields.text("scope")?, key).map_err(|error| {
        let column = match error {
            ScopeError::Unknown(_) => "scope",
            ScopeError::NoKey | ScopeError::Symbol(_) => "scope_key",
        };
        fields.fault(column, error)
    })
}
