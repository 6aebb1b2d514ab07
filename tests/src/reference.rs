//! References in Python: of the daily strategy (`tests/strategy/reference.py`), with the comparison with it, and
//! of the performance of an account (`tests/performance/reference.py`).

use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;

use jiff::civil::Date;
use serde_json::Value;

/// Computes what the strategy decides on the sessions from `from` to `to` out of the tables in `data`
/// (stocks.csv, bars.csv and so on), into the existing or new folder `out`. Returns a line a day.
///
/// # Panics
/// Where Python 3 is missing or the script fails.
pub fn reference(data: &Path, from: Date, to: Date, out: &Path) -> String {
    let (from, to) = (from.to_string(), to.to_string());
    let arguments: [&OsStr; 8] = [
        "--data".as_ref(),
        data.as_ref(),
        "--from".as_ref(),
        from.as_ref(),
        "--to".as_ref(),
        to.as_ref(),
        "--out".as_ref(),
        out.as_ref(),
    ];
    python("strategy/reference.py", &arguments).unwrap_or_else(|faults| panic!("{faults}"))
}

/// Compares two folders of what the strategy decided. Returns what was compared.
///
/// # Panics
/// With the first differences, where there are any.
pub fn compare_decisions(one: &Path, other: &Path) -> String {
    try_compare_decisions(one, other).unwrap_or_else(|differences| panic!("{differences}"))
}

/// Compares two folders of what the strategy decided. Returns what was compared.
///
/// # Errors
/// The first differences, where there are any.
///
/// # Panics
/// Where Python 3 is missing.
pub fn try_compare_decisions(one: &Path, other: &Path) -> Result<String, String> {
    python("strategy/compare.py", &[one.as_ref(), other.as_ref()])
}

/// Computes the performance of an account out of the tables in `data` (equity.csv, flows.csv and so on).
///
/// # Panics
/// Where Python 3 is missing or the script fails.
pub fn performance(data: &Path) -> Value {
    let printed = python("performance/reference.py", &[data.as_ref()]);
    let printed = printed.unwrap_or_else(|faults| panic!("{faults}"));
    serde_json::from_str(&printed).expect("JSON")
}

/// Returns what a script prints; as an error, with its faults, where it fails.
fn python(script: &str, arguments: &[&OsStr]) -> Result<String, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let output = Command::new("python3")
        .arg(folder.join(script))
        .args(arguments)
        .output()
        .expect("python3 has to be installed");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let faults = String::from_utf8_lossy(&output.stderr);
    match output.status.success() {
        true => Ok(text),
        false => Err(format!("{script}: {text}{faults}")),
    }
}
