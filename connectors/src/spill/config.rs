//! Section `[spill]` of the configuration.

use std::path::PathBuf;

use serde::Deserialize;

/// Least bytes that are of use: some minutes of a busy market.
const BYTES_MIN: u64 = 16 * 1_024 * 1_024;

/// Where is kept what cannot be stored, and how much of it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SpillConfig {
    /// Folder of the files; made where it is missing.
    pub folder: PathBuf,
    /// Bytes of all files together at most. A tick takes about 300.
    pub bytes_max: u64,
}

impl Default for SpillConfig {
    /// The limit holds three hours of two thousand ticks a second.
    fn default() -> Self {
        Self {
            folder: PathBuf::from(".turnstile/spill"),
            bytes_max: 8 * 1_024 * 1_024 * 1_024,
        }
    }
}

impl SpillConfig {
    /// Returns every fault, with the path of its key. Makes the folder.
    pub fn validate(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if self.bytes_max < BYTES_MIN {
            let bytes = self.bytes_max;
            faults.push(format!(
                "spill.bytes_max: at least {BYTES_MIN} expected, was {bytes}"
            ));
        }
        let folder = &self.folder;
        let proof = std::fs::create_dir_all(folder).and_then(|()| tempfile::tempfile_in(folder));
        if let Err(error) = proof {
            let folder = folder.display();
            faults.push(format!(
                "spill.folder: folder that can be written expected, was {folder}: {error}"
            ));
        }
        faults
    }
}
