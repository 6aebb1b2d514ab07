//! The folder of real data.

use std::path::{Path, PathBuf};

/// Returns a file of real data, or says that it is absent. `TURNSTILE_DATA` names the folder.
pub fn data(name: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("TURNSTILE_DATA").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data"),
        PathBuf::from,
    );
    let file = folder.join(name);
    if let Ok(file) = file.canonicalize() {
        return Some(file);
    }
    println!("skipped: {} is absent", file.display());
    None
}
