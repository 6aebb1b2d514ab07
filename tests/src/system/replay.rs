//! `turnstile replay --from-database` over the day of a test.

use serde_json::Value;

use super::System;
use crate::program;

/// What a replay came to.
#[derive(Debug)]
pub struct Replay {
    /// Status with which the program ended.
    pub status: Option<i32>,
    /// Its lines: differences.
    pub lines: Vec<String>,
    /// Its figures; null where it failed.
    pub figures: Value,
    /// What it said on standard error.
    pub told: String,
}

impl Replay {
    /// Returns one of its figures.
    ///
    /// # Panics
    /// If it has none.
    pub fn figure(&self, name: &str) -> u64 {
        self.figures[name]
            .as_u64()
            .unwrap_or_else(|| panic!("{name}: {self:#?}"))
    }

    /// Shows that everything came out again.
    ///
    /// # Panics
    /// If it did not.
    pub fn is_equal(&self) {
        assert!(self.is_right(), "{self:#?}");
    }

    /// Returns whether everything came out again.
    pub fn is_right(&self) -> bool {
        self.status == Some(0) && self.figures["differences"] == 0
    }
}

impl System {
    /// Returns today's date in Seoul, as the database has it.
    ///
    /// # Panics
    /// If the database does not answer.
    pub async fn today(&self) -> String {
        let today = "SELECT ((now() AT TIME ZONE 'Asia/Seoul')::date)::text";
        self.one(today, &[]).await
    }

    /// Replays a day with further options.
    ///
    /// # Panics
    /// If the program cannot be run.
    pub async fn replay(&self, day: &str, options: &[&str]) -> Replay {
        let config = self.config_file("");
        let ended = tokio::process::Command::new(program())
            .args(["--config", &config, "replay", "--from-database", day])
            .args(options)
            .envs(self.environment())
            .current_dir(self.folder())
            .output()
            .await
            .expect("the program runs");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let told = text(&ended.stderr);
        let figures = told.lines().last().unwrap_or_default();
        Replay {
            status: ended.status.code(),
            lines: text(&ended.stdout).lines().map(str::to_owned).collect(),
            figures: serde_json::from_str(figures).unwrap_or_default(),
            told,
        }
    }
}
