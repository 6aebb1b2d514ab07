//! Named tasks: every task has a name in the log and somebody awaits its result.

use std::future::Future;

use tokio::task::JoinHandle;
use tracing::Instrument;

/// Starts `future` as a task called `name`. The caller keeps the handle and awaits it.
pub fn spawn<F>(name: &'static str, future: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    #[expect(clippy::disallowed_methods, reason = "the one place that starts tasks")]
    tokio::spawn(future.instrument(tracing::info_span!("task", name)))
}
