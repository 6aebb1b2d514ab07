//! Re-entry rules of a recorded day: TOML, one table `rules.NAME` each, with the columns of
//! `trade.reentry_rules`.

use std::path::Path;

use serde_json::{Map, Value, json};
use turnstile_dataflows::model::Regime;
use turnstile_dataflows::reentry::ReentryRule;

use super::error::{Fault, RecordedError};
use super::file::open;
use crate::rows::reentry_rule;

/// Re-entry rules, and the regime that holds from the beginning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedReentry {
    /// Active rules.
    pub rules: Vec<ReentryRule>,
    /// None: unknown, until a row of the control file sets one.
    pub regime: Option<Regime>,
}

/// Reads the re-entry rules of `file`.
///
/// # Errors
/// A file that cannot be read, an unknown key, or a value out of range.
pub fn read_reentry(file: &Path) -> Result<RecordedReentry, RecordedError> {
    let mut text = String::new();
    let read = std::io::Read::read_to_string(&mut open(file, None)?, &mut text);
    if let Err(source) = read {
        return Err(RecordedError::Read {
            file: file.to_owned(),
            source,
        });
    }
    parse(&text).map_err(|(at, column, reason)| {
        let before = text.get(..at).unwrap_or_default();
        let ends = before.bytes().filter(|byte| *byte == b'\n').count();
        RecordedError::from(Fault {
            file: file.to_owned(),
            line: u64::try_from(ends + 1).unwrap_or(u64::MAX),
            column,
            reason,
        })
    })
}

/// Where, path of the key, and what is wrong.
type Found = (usize, Option<String>, String);

fn parse(text: &str) -> Result<RecordedReentry, Found> {
    let root: toml::Table = toml::from_str(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        (at, None, error.message().replace('\n', ", "))
    })?;
    let place = |name: &str| text.find(name).unwrap_or_default();
    let mut read = RecordedReentry {
        rules: Vec::new(),
        regime: None,
    };
    for (key, value) in root {
        let at = place(&key);
        let fault = |reason: String| (at, Some(key.clone()), reason);
        match (key.as_str(), value) {
            ("regime", toml::Value::String(name)) => {
                let regime: Result<Regime, _> = name.parse();
                read.regime = Some(regime.map_err(|error| fault(error.to_string()))?);
            }
            ("rules", toml::Value::Table(rules)) => {
                for (name, rule) in rules {
                    let at = place(&format!("rules.{name}"));
                    let path = format!("rules.{name}");
                    let rule = rule_of(&name, rule);
                    let rule = rule.map_err(|(column, reason)| {
                        (at, Some(format!("{path}{column}")), reason)
                    })?;
                    read.rules.extend(rule);
                }
            }
            ("regime" | "rules", _) => return Err(fault("wrong type".to_owned())),
            _ => return Err(fault("unknown key, expected regime or rules".to_owned())),
        }
    }
    Ok(read)
}

/// Returns a rule as the database would have it, none where it is not active.
fn rule_of(name: &str, rule: toml::Value) -> Result<Option<ReentryRule>, (String, String)> {
    let plain = |reason: String| (String::new(), reason);
    let rule = serde_json::to_value(rule).map_err(|error| plain(error.to_string()))?;
    let Value::Object(given) = rule else {
        return Err(plain("table expected".to_owned()));
    };
    let mut row = defaults();
    for (key, value) in given {
        if !row.contains_key(&key) {
            let known: Vec<&str> = row.keys().map(String::as_str).collect();
            let reason = format!("unknown key, expected one of {}", known.join(", "));
            return Err((format!(".{key}"), reason));
        }
        row.insert(key, value);
    }
    row.insert("rule_id".to_owned(), json!(name));
    let row = Value::Object(row);
    reentry_rule(&row).map_err(|fault| (format!(".{}", fault.column), fault.reason))
}

/// The columns that a file may give, with the defaults of the table.
fn defaults() -> Map<String, Value> {
    let row = json!({
        "symbol": null, "exit_reason_code": null, "regime": null,
        "allow_candidate": true, "allow_entry": true, "is_active": true, "priority": 0,
        "cooldown_minutes": 30, "watch_ttl_minutes": 120,
        "max_reentries_per_day": 2, "max_reentries_per_week": 3, "max_reentries_total": 2,
        "size_pct_entry1": 60, "size_pct_entry2": null, "trigger_params": null,
    });
    row.as_object().cloned().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_has_the_defaults_of_the_table() {
        let read = parse(
            "regime = \"NEUTRAL\"\n[rules.after-stop]\nexit_reason_code = \"SL\"\n\
             cooldown_minutes = 0.5\nsize_pct_entry2 = 40\n\
             trigger_params = { type = \"REBOUND\", rebound = 0.02 }\n",
        )
        .unwrap();
        assert_eq!(read.regime, Some(Regime::Neutral));
        let rule = &read.rules[0];
        assert_eq!((&*rule.id, rule.cooldown_us), ("after-stop", 30_000_000));
        assert_eq!((rule.per_day_max, rule.total_max), (2, 2));
        assert_eq!(
            rule.second_size.map(|size| size.to_string()),
            Some("0.4".into())
        );
    }

    #[test]
    fn faults_name_the_key() {
        for (text, column) in [
            ("x = 1", "x"),
            ("regime = \"CALM\"", "regime"),
            ("[rules.a]\nexit_reason = \"SL\"", "rules.a.exit_reason"),
            (
                "[rules.a]\nexit_reason_code = \"SL\"",
                "rules.a.trigger_params",
            ),
            (
                "[rules.a]\npriority = 0.5\nexit_reason_code = \"SL\"",
                "rules.a",
            ),
        ] {
            let (_at, path, reason) = parse(text).unwrap_err();
            assert!(
                path.is_some_and(|path| path.starts_with(column)),
                "{text}: {reason}"
            );
        }
    }
}
