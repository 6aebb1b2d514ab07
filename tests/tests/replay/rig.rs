//! A folder of files and the program that replays them.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;
use turnstile_tests::program;

pub(crate) const HEADER: &str = "ts,position_id,symbol,reason,phase,qty,price,level,action_key\n";

/// The profile that the decision contract calls the default one.
pub(crate) const DEFAULT_RULES: &str = r#"
[profiles.default]
atr        = { ref = 0.02, factor_min = 1.0, factor_max = 1.0 }
hard_stop  = { pnl = -0.07 }
gap_down   = { change = 0.0, window_s = 30 }
sl2        = { pnl = -0.05, min = 0.0, max = 0.0, qty = 1.0 }
break_even = { trigger = 0.0, buffer = 0.01 }
sl1        = { pnl = -0.03, min = 0.0, max = 0.0, qty = 0.5 }
tp1        = { pnl = 0.07, min = 0.0, max = 0.0, qty = 0.10, floor = 0.006 }
tp2        = { pnl = 0.10, min = 0.0, max = 0.0, qty = 0.20 }
tp3        = { pnl = 0.15, min = 0.0, max = 0.0, qty = 0.30, start_trailing = true }
trail      = { pct = 0.03, atr_k = 2.0, qty = 0.5 }
time       = { max_hold_days = 0, no_momentum_days = 0, no_momentum_profit = 0.0 }
custom     = []
"#;

/// A folder with the files of one replay.
pub(crate) struct Folder(TempDir);

/// How a replay ended.
pub(crate) struct Ended {
    pub(crate) status: i32,
    pub(crate) stderr: String,
    /// The decisions, where the file is there.
    pub(crate) out: Option<String>,
}

impl Folder {
    /// A position `p1` of seven shares at 100 under the default rules; no tick but that at 101.
    pub(crate) fn new() -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        folder.write("rules.toml", DEFAULT_RULES);
        folder.write("ticks.csv", "ts,symbol,price\n1000,A,101\n");
        folder.write(
            "positions.csv",
            "position_id,symbol,qty,avg_price,entry_ts\np1,A,7,100,0\n",
        );
        folder
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), content).unwrap();
    }

    /// Returns the names of all files.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.0.path()).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    /// Replays `ticks.csv`, `positions.csv` and `rules.toml`, with `atr.csv` and `control.csv`
    /// where they are there, into `out.csv`.
    pub(crate) fn replay(&self, options: &[&str]) -> Ended {
        let mut files = vec![
            ("--ticks", "ticks.csv"),
            ("--positions", "positions.csv"),
            ("--rules", "rules.toml"),
            ("--out", "out.csv"),
        ];
        for optional in [("--atr", "atr.csv"), ("--control", "control.csv")] {
            if self.path(optional.1).exists() {
                files.push(optional);
            }
        }
        let arguments: Vec<&str> = files
            .iter()
            .filter(|(option, _name)| !options.contains(option))
            .flat_map(|(option, name)| [*option, *name])
            .chain(options.iter().copied())
            .collect();
        self.run(&arguments)
    }

    /// Runs `turnstile replay` with `arguments` in the folder.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        let output = replay_in(self.0.path(), arguments);
        Ended {
            status: output.status.code().unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
            out: std::fs::read_to_string(self.path("out.csv")).ok(),
        }
    }
}

/// Runs `turnstile replay` with `arguments` in `folder`.
pub(crate) fn replay_in(folder: &Path, arguments: &[&str]) -> std::process::Output {
    Command::new(program())
        .arg("replay")
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap()
}

impl Ended {
    /// Returns the decisions without their header.
    pub(crate) fn decisions(&self) -> &str {
        assert_eq!(self.status, 0, "{}", self.stderr);
        let out = self.out.as_deref().unwrap();
        out.strip_prefix(HEADER).unwrap()
    }

    /// Returns what was decided as `reason qty at price, level`.
    pub(crate) fn said(&self) -> Vec<String> {
        let rows = self.decisions().lines().map(|line| {
            let row: Vec<&str> = line.split(',').collect();
            format!("{} {} at {}, {}", row[3], row[5], row[6], row[7])
        });
        rows.collect()
    }

    /// Returns the figures of the last line.
    pub(crate) fn figures(&self) -> Value {
        serde_json::from_str(self.stderr.lines().last().unwrap()).unwrap()
    }
}
