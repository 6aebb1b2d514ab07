//! The ends of tasks and threads.

use tokio::task::JoinError;
use tracing::error;

/// Tells where a task has failed.
pub(super) fn report(ended: Result<(), JoinError>) {
    if let Err(error) = ended {
        error!(%error, "a task failed");
    }
}

/// Waits for the thread of a desk beside the engine.
pub(super) async fn join_desk(name: &str, desk: std::thread::JoinHandle<()>) {
    let end = tokio::task::spawn_blocking(move || desk.join()).await;
    if !matches!(end, Ok(Ok(()))) {
        error!(name, "a desk beside the engine failed");
    }
}
