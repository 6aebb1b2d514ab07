//! The change feed on its way to the sequencer.

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use turnstile_connectors::postgres::{ChangeFeed, TransactionChanges};

/// What the change feed says.
pub(super) enum Followed {
    Changes(TransactionChanges),
    /// Everything that had changed since the load has been said.
    Current,
}

/// Hands the changes on, one transaction at a time.
pub(super) async fn follow(
    mut feed: ChangeFeed,
    changes: mpsc::Sender<Followed>,
    stop: CancellationToken,
) {
    let mut is_current = false;
    loop {
        let next = async {
            match is_current {
                true => feed.next().await.map(|transactions| (transactions, false)),
                false => feed.so_far().await,
            }
        };
        let (transactions, is_all) = match stop.run_until_cancelled(next).await {
            None => return,
            Some(Ok(next)) => next,
            Some(Err(error)) => {
                // Without the feed the engine would decide on what no longer stands.
                tracing::error!(%error, "change feed cannot go on; stopping");
                return;
            }
        };
        is_current |= is_all;
        let said = transactions.into_iter().map(Followed::Changes);
        for said in said.chain(is_all.then_some(Followed::Current)) {
            if changes.send(said).await.is_err() {
                return;
            }
        }
    }
}
