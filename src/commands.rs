//! The subcommands.

pub(crate) mod bff;
pub(crate) mod exchange_sim;
pub(crate) mod migrate;
pub(crate) mod replay;
pub(crate) mod run;
pub(crate) mod stream;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing::info;

/// Returns a token that is cancelled by the first Ctrl-C or SIGTERM. A second one ends the process
/// at once.
pub(crate) fn stop_on_signal() -> anyhow::Result<CancellationToken> {
    let stop = CancellationToken::new();
    let (mut interrupt, mut terminate) = (
        signal(SignalKind::interrupt())?,
        signal(SignalKind::terminate())?,
    );
    let stopping = stop.clone();
    drop(turnstile_connectors::task::spawn("signals", async move {
        let mut count = 0;
        loop {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            count += 1;
            if count > 1 {
                std::process::exit(130);
            }
            info!("stopping; a second signal ends at once");
            stopping.cancel();
        }
    }));
    Ok(stop)
}
