//! What the connections of a pool live by, those beside it included: cut, all of them end at once, with
//! every statement that waits for an answer. A server that stands still would keep them for ever.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::task::JoinHandle;
use tokio_postgres::Error;
use tokio_util::sync::CancellationToken;

/// The line. Connections that are opened after a cut live by a new one.
#[derive(Clone, Debug, Default)]
pub(super) struct Lifeline(Arc<Mutex<CancellationToken>>);

impl Lifeline {
    /// Ends every connection that there is.
    pub(super) fn cut(&self) {
        let mut line = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *line).cancel();
    }

    /// Drives a connection until it ends or is cut.
    pub(super) fn drive(
        &self,
        connection: impl Future<Output = Result<(), Error>> + Send + 'static,
    ) -> JoinHandle<()> {
        let line = self.token();
        crate::task::spawn("postgres connection", async move {
            match line.run_until_cancelled(connection).await {
                None => tracing::debug!("connection cut"),
                Some(Err(error)) => tracing::debug!(%error, "connection closed"),
                Some(Ok(())) => {}
            }
        })
    }

    /// Returns what is cancelled with the connections of now.
    pub(super) fn token(&self) -> CancellationToken {
        let line = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        line.clone()
    }
}
