//! Section `[retention]` of the configuration.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

/// Fewest days that may be kept: what is read of the past in a quiet week, with holidays.
const DAYS_MIN: u32 = 7;
/// A hundred years.
const DAYS_MAX: u32 = 36_500;
/// Where archives go unless it is configured.
const FOLDER: &str = ".turnstile/archive";

/// Which days of prices stay attached, and where the others go.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RetentionConfig {
    /// Whole days of prices, before today, that stay attached; 0: all, retention is off.
    pub days: u32,
    /// Folder of the archives.
    pub folder: Option<PathBuf>,
    /// How often is looked for days to archive.
    #[serde(with = "humantime_serde")]
    pub look: Duration,
}

impl Default for RetentionConfig {
    fn default() -> Self {
        Self {
            days: 0,
            folder: None,
            look: Duration::from_secs(3_600),
        }
    }
}

impl RetentionConfig {
    /// Returns whether anything is archived at all.
    pub fn is_on(&self) -> bool {
        self.days > 0
    }

    /// Returns the folder of the archives.
    pub fn folder(&self) -> &Path {
        self.folder.as_deref().unwrap_or_else(|| Path::new(FOLDER))
    }

    /// Returns every fault, with the path of its key. Makes the folder where retention is on.
    pub fn validate(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if !self.is_on() {
            return faults;
        }
        if !(DAYS_MIN..=DAYS_MAX).contains(&self.days) {
            let days = self.days;
            faults.push(format!(
                "retention.days: 0 (off) or {DAYS_MIN} to {DAYS_MAX} expected, was {days}"
            ));
        }
        if self.look.is_zero() {
            faults.push("retention.look: time above zero expected".to_owned());
        }
        let folder = self.folder();
        let proof = std::fs::create_dir_all(folder).and_then(|()| tempfile::tempfile_in(folder));
        if let Err(error) = proof {
            let folder = folder.display();
            faults.push(format!(
                "retention.folder: folder that can be written expected, was {folder}: {error}"
            ));
        }
        faults
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(days: u32, folder: &Path, look: Duration) -> String {
        let folder = Some(folder.to_owned());
        let config = RetentionConfig { days, folder, look };
        config.validate().join("\n")
    }

    #[test]
    fn it_is_off_unless_days_are_given() {
        let config = RetentionConfig::default();
        assert!(!config.is_on() && config.validate().is_empty());
    }

    #[test]
    fn every_fault_names_its_key() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("file");
        std::fs::write(&file, "").unwrap();
        let found = faults(6, &file.join("below"), Duration::ZERO);
        for text in [
            "retention.days: 0 (off) or 7 to 36500 expected, was 6",
            "retention.look: time above zero expected",
            "retention.folder: folder that can be written expected, was ",
        ] {
            assert!(found.contains(text), "{text} in {found}");
        }
        let hour = Duration::from_secs(3_600);
        assert!(faults(36_501, home.path(), hour).contains("was 36501"));
    }

    #[test]
    fn the_folder_is_made_and_left_empty() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("a/b");
        assert_eq!(faults(7, &folder, Duration::from_secs(1)), "");
        assert_eq!(std::fs::read_dir(folder).unwrap().count(), 0);
    }
}
