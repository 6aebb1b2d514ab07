//! Rules of a later day.

use std::collections::BTreeMap;

use serde_json::Value;

/// Rows of active rules that are not in force yet, by rule.
#[derive(Debug, Default)]
pub(super) struct EarlyRules(BTreeMap<String, Value>);

/// Returns whether the rule of `row` comes into force after `today`.
pub(crate) fn is_early(row: &Value, today: &str) -> bool {
    row["effective_from"]
        .as_str()
        .is_some_and(|from| from > today)
}

impl EarlyRules {
    /// Takes note of the row that now stands.
    pub(super) fn note(&mut self, row: &Value, is_deleted: bool, today: &str) {
        let Some(id) = row["rule_id"].as_str() else {
            return;
        };
        if !is_deleted && row["is_active"] == true && is_early(row, today) {
            self.0.insert(id.to_owned(), row.clone());
        } else {
            self.0.remove(id);
        }
    }

    /// Takes the rows that are in force on `today`.
    pub(super) fn take_due(&mut self, today: &str) -> Vec<Value> {
        let due = self.0.extract_if(.., |_id, row| !is_early(row, today));
        due.map(|(_id, row)| row).collect()
    }
}
