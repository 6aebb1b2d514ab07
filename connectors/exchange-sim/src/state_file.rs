//! The state file: written as a whole beside itself and then renamed, so that it is always one
//! complete state.

use std::{
    io::Write,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use tokio::time::Instant;

use crate::{error::SimError, exchange::SavedState, shared::Shared};

/// Shortest time between two writes.
const PAUSE_MIN: Duration = Duration::from_millis(300);
/// A write of length t is followed by a pause of at least this many t.
const PAUSE_FACTOR: u32 = 10;

/// Reads a state; nothing where there is no file yet.
///
/// # Errors
/// A file that cannot be read or is of another layout.
pub(crate) fn read(file: &Path) -> Result<Option<SavedState>, SimError> {
    let refuse = |reason: String| SimError::StateFile {
        file: file.to_owned(),
        reason,
    };
    let bytes = match std::fs::read(file) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(refuse(error.to_string())),
    };
    let state: SavedState =
        serde_json::from_slice(&bytes).map_err(|error| refuse(error.to_string()))?;
    if state.is_known() {
        Ok(Some(state))
    } else {
        Err(refuse(format!("layout {} is not known", state.version)))
    }
}

fn write(file: &Path, state: &SavedState) -> std::io::Result<()> {
    let beside = PathBuf::from(format!("{}.new", file.display()));
    let mut target = std::fs::File::create(&beside)?;
    target.write_all(&serde_json::to_vec(state)?)?;
    target.sync_all()?;
    std::fs::rename(&beside, file)
}

/// Writes the state after changes, and once more at the stop.
pub(crate) async fn keep(shared: Arc<Shared>, file: PathBuf) {
    let mut goes_on = true;
    while goes_on {
        goes_on = shared
            .stop
            .run_until_cancelled(shared.changed.notified())
            .await
            .is_some();
        let started = Instant::now();
        let state = shared.exchange().save();
        let target = file.clone();
        let written = tokio::task::spawn_blocking(move || write(&target, &state)).await;
        match written {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::error!(%error, file = %file.display(), "state not written");
            }
            Err(error) => tracing::error!(%error, "state not written"),
        }
        let pause = (started.elapsed() * PAUSE_FACTOR).max(PAUSE_MIN);
        shared
            .stop
            .run_until_cancelled(tokio::time::sleep(pause))
            .await;
    }
}
