//! The subcommands.

pub(crate) mod archive;
pub(crate) mod bff;
pub(crate) mod exchange_sim;
pub(crate) mod import;
pub(crate) mod migrate;
pub(crate) mod replay;
pub(crate) mod run;
pub(crate) mod strategy;
pub(crate) mod stream;
pub(crate) mod token;

use std::path::Path;

use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing::info;
use turnstile_connectors::recorded::Skipped;

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

/// Returns a bar over the bytes of a file; without a terminal it shows nothing.
fn progress(file: &Path) -> anyhow::Result<ProgressBar> {
    let len = std::fs::metadata(file).map_or(0, |found| found.len());
    let style = "{bar:40} {bytes}/{total_bytes}, {bytes_per_sec}, {eta} left";
    let style = ProgressStyle::with_template(style).context("the progress bar")?;
    Ok(ProgressBar::new(len).with_style(style))
}

fn tell_skipped(skipped: &Skipped) {
    if skipped.count == 0 {
        return;
    }
    for fault in &skipped.first {
        eprintln!("turnstile: left out: {fault}");
    }
    eprintln!("turnstile: {} malformed lines left out", skipped.count);
}
