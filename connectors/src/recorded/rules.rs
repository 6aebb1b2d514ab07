//! Rule profiles of a recorded day: TOML, one table `profiles.NAME` each.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

use rust_decimal::Decimal;
use serde_json::{Map, Number, Value};
use toml::Spanned;
use toml::de::{DeTable, DeValue};
use turnstile_dataflows::exit::{ExitRule, RuleScope};
use turnstile_dataflows::model::{Profile, ProfileId};

use super::error::{Fault, RecordedError};
use super::file::{is_content, open};

/// The one key at the top.
const PROFILES: &str = "profiles";

/// Reads the profiles of `file`; there may be none. Each serves the positions that name it.
///
/// # Errors
/// A file that cannot be read, or every key that is unknown or has a value out of range.
pub fn read_rules(file: &Path) -> Result<BTreeMap<ProfileId, ExitRule>, RecordedError> {
    let mut bytes = Vec::new();
    if let Err(source) = open(file, None)?.read_to_end(&mut bytes) {
        if is_content(&source) {
            let reason = format!("the file cannot be read on: {source}");
            return Err(fault(file, &bytes, bytes.len(), None, reason).into());
        }
        return Err(RecordedError::Read {
            file: file.to_owned(),
            source,
        });
    }
    let text = match std::str::from_utf8(&bytes) {
        Ok(text) => text,
        Err(error) => {
            let reason = "UTF-8 expected".to_owned();
            return Err(fault(file, &bytes, error.valid_up_to(), None, reason).into());
        }
    };
    parse(text).map_err(|faults| {
        let faults = faults.into_iter();
        RecordedError::Malformed(
            faults
                .map(|(at, path, reason)| fault(file, &bytes, at, path, reason))
                .collect(),
        )
    })
}

fn fault(file: &Path, bytes: &[u8], at: usize, column: Option<String>, reason: String) -> Fault {
    let before = bytes.get(..at).unwrap_or(bytes);
    let ends = before.iter().filter(|byte| **byte == b'\n').count();
    Fault {
        file: file.to_owned(),
        line: u64::try_from(ends + 1).unwrap_or(u64::MAX),
        column,
        reason,
    }
}

/// Where in the text, path of the key, and what is wrong.
type Found = (usize, Option<String>, String);

fn parse(text: &str) -> Result<BTreeMap<ProfileId, ExitRule>, Vec<Found>> {
    let root = DeTable::parse(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        vec![(at, None, error.message().replace('\n', ", "))]
    })?;
    let mut reader = Reader::default();
    let mut rules = BTreeMap::new();
    for (key, value) in root.get_ref() {
        if key.get_ref() != PROFILES {
            let reason = "unknown key, expected is profiles".to_owned();
            reader.found(key.span().start, key.get_ref(), reason);
            continue;
        }
        let Some(profiles) = value.get_ref().as_table() else {
            reader.found(value.span().start, PROFILES, table_expected(value));
            continue;
        };
        for (name, value) in profiles {
            if let Some(rule) = reader.rule(name, value) {
                rules.insert(rule.id.clone(), rule);
            }
        }
    }
    if reader.faults.is_empty() {
        Ok(rules)
    } else {
        reader.faults.sort();
        Err(reader.faults)
    }
}

fn table_expected(value: &Spanned<DeValue<'_>>) -> String {
    format!("table expected, was {}", value.get_ref().type_str())
}

#[derive(Default)]
struct Reader {
    faults: Vec<Found>,
}

type Name<'t> = Spanned<std::borrow::Cow<'t, str>>;

impl Reader {
    fn found(&mut self, at: usize, path: &str, reason: String) {
        self.faults.push((at, Some(path.to_owned()), reason));
    }

    fn rule(&mut self, name: &Name<'_>, value: &Spanned<DeValue<'_>>) -> Option<ExitRule> {
        let path = format!("{PROFILES}.{}", name.get_ref());
        let id: ProfileId = match name.get_ref().parse() {
            Ok(id) => id,
            Err(error) => {
                self.found(name.span().start, &path, format!("{error}"));
                return None;
            }
        };
        if !value.get_ref().is_table() {
            self.found(value.span().start, &path, table_expected(value));
            return None;
        }
        let json = self.json(value, &path);
        match Profile::from_value(&json?) {
            Ok(profile) => Some(ExitRule {
                id,
                scope: RuleScope::Position,
                version: 1,
                profile: Arc::new(profile),
            }),
            Err(faults) => {
                for fault in faults.0 {
                    let at = place(value, &fault.path);
                    self.found(at, &format!("{path}.{}", fault.path), fault.message);
                }
                None
            }
        }
    }

    /// Returns the value as the JSON that the database holds. None where a number does not keep its
    /// value in it.
    fn json(&mut self, value: &Spanned<DeValue<'_>>, path: &str) -> Option<Value> {
        let json = match value.get_ref() {
            DeValue::String(text) => Some(Value::String(text.clone().into_owned())),
            DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
                .ok()
                .map(Value::from),
            DeValue::Float(number) => exact(number.as_str()).map(Value::Number),
            DeValue::Boolean(flag) => Some(Value::Bool(*flag)),
            DeValue::Datetime(time) => Some(Value::String(time.to_string())),
            DeValue::Array(values) => {
                let values = values.iter().enumerate();
                let values: Vec<_> = values
                    .map(|(index, value)| self.json(value, &format!("{path}[{index}]")))
                    .collect();
                return values.into_iter().collect::<Option<_>>().map(Value::Array);
            }
            DeValue::Table(rows) => {
                let values: Vec<_> = rows
                    .iter()
                    .map(|(key, value)| {
                        let json = self.json(value, &format!("{path}.{}", key.get_ref()));
                        json.map(|json| (key.get_ref().clone().into_owned(), json))
                    })
                    .collect();
                let object: Option<Map<_, _>> = values.into_iter().collect();
                return object.map(Value::Object);
            }
        };
        if json.is_none() {
            let number = value.get_ref();
            let number = number.as_float().map(ToString::to_string);
            let number = number.unwrap_or_else(|| "an integer beyond 64 bits".to_owned());
            let reason = format!("number with at most 12 decimals expected, was {number}");
            self.found(value.span().start, path, reason);
        }
        json
    }
}

/// Returns the JSON number whose text is exactly the number in `text`, if there is one. There is for
/// every number of up to fifteen digits: the shortest text of the float nearest to it is its own.
fn exact(text: &str) -> Option<Number> {
    let number = Number::from_f64(text.parse().ok()?)?;
    (decimal(text)? == decimal(&number.to_string())?).then_some(number)
}

fn decimal(text: &str) -> Option<Decimal> {
    Decimal::from_str_exact(text)
        .or_else(|_| Decimal::from_scientific(text))
        .ok()
}

/// Returns where the value under `path`, such as `custom[2].id`, stands; where there is none, what
/// would hold it.
fn place(value: &Spanned<DeValue<'_>>, path: &str) -> usize {
    let mut here = value;
    let mut at = value.span().start;
    for step in path.split(['.', '[']) {
        let index = step.strip_suffix(']').and_then(|step| step.parse().ok());
        let next = match here.get_ref() {
            DeValue::Table(rows) => rows.get_key_value(step).map(|(key, value)| {
                at = key.span().start;
                value
            }),
            DeValue::Array(values) => index.and_then(|index: usize| values.get(index)),
            DeValue::String(_)
            | DeValue::Integer(_)
            | DeValue::Float(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_) => None,
        };
        let Some(next) = next else { break };
        if here.get_ref().is_array() {
            at = next.span().start;
        }
        here = next;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn faults(text: &str) -> Vec<String> {
        let at_place = |(at, path, reason)| {
            fault(Path::new("r"), text.as_bytes(), at, path, reason).to_string()
        };
        parse(text).unwrap_err().into_iter().map(at_place).collect()
    }

    /// Returns the only profile.
    fn profile(text: &str) -> Profile {
        let rules = parse(text).unwrap();
        assert_eq!(rules.len(), 1);
        (*rules.into_values().next().unwrap().profile).clone()
    }

    #[test]
    fn the_same_object_in_json_and_toml_is_one_profile() {
        let toml = profile(
            "[profiles.a]\nhard_stop = { pnl = -0.07 }\nsl1 = { pnl = -3e-2, qty = 0.5 }\n\
             trail = { pct = 0.03, atr_k = 2, qty = 1 }\n\
             time = { max_hold_days = 0x10 }\n\
             [[profiles.a.custom]]\nid = \"lock-in\"\ncondition = \"profit_above\"\npnl = 0.04\nqty = 0.2\n",
        );
        let json = serde_json::json!({
            "hard_stop": {"pnl": -0.07},
            "sl1": {"pnl": -0.03, "qty": 0.5},
            "trail": {"pct": 0.03, "atr_k": 2, "qty": 1},
            "time": {"max_hold_days": 16},
            "custom": [{"id": "lock-in", "condition": "profit_above", "pnl": 0.04, "qty": 0.2}],
        });
        assert_eq!(toml, Profile::from_value(&json).unwrap());
    }

    #[test]
    fn there_may_be_no_profile() {
        for text in ["", "# nothing\n", "[profiles]\n", "profiles = {}"] {
            assert_eq!(parse(text).unwrap().len(), 0, "{text:?}");
        }
        assert_eq!(profile("[profiles.a]"), Profile::default());
    }

    #[test]
    fn faults_name_line_and_path_of_the_key() {
        let found = faults(
            "surplus = 1\n[profiles.a]\nsl1 = { pnl = 0.03,\n  qty = 2 }\nsl3 = {}\n\
             [profiles.b]\ntp1 = { pnl = nan }\ngap_down = { window_s = 1.5 }\n\
             [[profiles.c.custom]]\nid = \"x\"\ncondition = \"profit_above\"\n\
             [[profiles.c.custom]]\nid = \"x\"\ncondition = \"never\"\n",
        );
        let starts = [
            "r: line 1, column surplus: unknown key",
            "r: line 3, column profiles.a.sl1.pnl: -0.5 < x <= 0 expected",
            "r: line 4, column profiles.a.sl1.qty: 0 <= x <= 1",
            "r: line 5, column profiles.a.sl3: unknown key",
            "r: line 7, column profiles.b.tp1.pnl: number with at most 12 decimals",
            "r: line 14, column profiles.c.custom[1].condition: profit_above or",
        ];
        assert_eq!(found.len(), starts.len(), "{found:#?}");
        for (fault, start) in found.iter().zip(starts) {
            assert!(
                fault.starts_with(start),
                "{fault} does not start with {start}"
            );
        }
    }

    #[test]
    fn what_is_no_toml_or_no_table_is_refused() {
        for (text, start) in [
            ("\n[profiles.a\n", "r: line 2: "),
            ("[profiles.a]\n[profiles.a]\n", "r: line 2: "),
            ("profiles = 1", "r: line 1, column profiles: table expected"),
            (
                "[profiles]\na = 1",
                "r: line 2, column profiles.a: table expected",
            ),
            ("[profiles.\"\"]", "r: line 1, column profiles.: identifier"),
        ] {
            let found = faults(text);
            assert!(found[0].starts_with(start), "{found:?}");
            assert!(!found[0].contains('\n'), "{found:?}");
        }
    }

    #[test]
    fn a_number_that_a_float_does_not_keep_is_refused() {
        for number in [
            "-0.03000000000000000001",
            "inf",
            "-nan",
            "1e-400",
            "9223372036854775808",
        ] {
            let found = faults(&format!("[profiles.a]\nhard_stop = {{ pnl = {number} }}\n"));
            assert_eq!(found.len(), 1, "{number}: {found:?}");
        }
    }

    #[test]
    fn deep_nesting_is_refused_and_does_not_end_the_program() {
        let text = format!("[profiles.a]\ncustom = {}", "[".repeat(100_000));
        assert_eq!(faults(&text).len(), 1);
    }

    proptest! {
        #[test]
        fn every_ratio_of_twelve_decimals_is_read_exactly(units in 0..500_000_000_000_i64) {
            let text = Decimal::new(-units, 12);
            let read = profile(&format!("[profiles.a]\nhard_stop = {{ pnl = {text} }}\n"));
            let written = serde_json::to_value(&read).unwrap();
            let pnl = written["hard_stop"].get("pnl").map_or("0".to_owned(), ToString::to_string);
            let pnl = Decimal::from_str_exact(&pnl).or_else(|_| Decimal::from_scientific(&pnl));
            prop_assert_eq!(pnl.unwrap(), text);
        }

        #[test]
        fn reading_never_panics(text in "(\\[profiles\\.a\\]\n)?(sl1|tp1|atr|custom|x)? ?=? ?[\\[{]?.{0,40}") {
            drop(parse(&text));
        }
    }
}
