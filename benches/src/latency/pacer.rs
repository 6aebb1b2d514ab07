//! The pacer, which hands over ticks on schedule, and the pinger, which only takes them.

use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};
use turnstile_dataflows::engine::{EngineConfig, Event, Timed};
use turnstile_dataflows::model::Tick;

use super::percentiles::Latencies;
use super::schedule::Schedule;
use crate::clock;
use crate::setting::IdleMode;

/// How long before an arrival the pacer is awake: longer than a sleep overshoots.
const WATCH: Duration = Duration::from_micros(250);

/// When the schedule of a run begins; the pacer sets it.
pub(super) type Start = Arc<OnceLock<Instant>>;

/// Hands each tick to `sender` at its arrival, on a thread of its own, and returns when the last one
/// is handed over. A tick that could not be handed over in time keeps its arrival: the delay counts
/// for it and those after it.
///
/// # Errors
/// If the receiver goes away.
pub(super) fn pace(
    ticks: &[Tick],
    schedule: Schedule,
    start: &Start,
    sender: SyncSender<Timed>,
) -> anyhow::Result<()> {
    thread::scope(|scope| {
        let pacer = move || {
            let begin = *start.get_or_init(clock::now);
            for (index, tick) in (0..).zip(ticks) {
                let arrival = begin + schedule.arrival(index);
                wait_until(arrival);
                let timed = Timed {
                    time: tick.time,
                    event: Event::Tick(*tick),
                };
                sender.send(timed).context("the receiver has gone")?;
            }
            Ok(())
        };
        thread::Builder::new()
            .name("pacer".to_owned())
            .spawn_scoped(scope, pacer)
            .context("a thread for the pacer")?
            .join()
            .map_err(|_| anyhow!("the pacer panicked"))?
    })
}

/// Waits for an instant and watches the clock as it comes near. Sleeps before, so that at a low
/// rate this thread leaves its core to whatever else the machine runs, instead of driving that onto
/// the engine's core.
fn wait_until(instant: Instant) {
    let ahead = instant.saturating_duration_since(clock::now());
    if let Some(rest) = ahead.checked_sub(WATCH).filter(|rest| *rest >= WATCH) {
        thread::sleep(rest);
    }
    while clock::now() < instant {
        std::hint::spin_loop();
    }
}

/// Sends `ticks` on schedule to a thread that does nothing with them, over a channel like the
/// engine's, and returns from arrival to receipt; what arrives before `from` is not counted.
///
/// # Errors
/// If a thread cannot be started.
pub(super) fn ping(
    ticks: &[Tick],
    schedule: Schedule,
    idle: IdleMode,
    from: u64,
) -> anyhow::Result<Latencies> {
    let (sender, receiver) = sync_channel(EngineConfig::default().channel);
    let start = Start::default();
    let begun = start.clone();
    let pinger = thread::Builder::new()
        .name("pinger".to_owned())
        .spawn(move || echo(&receiver, schedule, idle, from, &begun))
        .context("a thread for the pinger")?;
    pace(ticks, schedule, &start, sender)?;
    pinger.join().map_err(|_| anyhow!("the pinger panicked"))?
}

fn echo(
    receiver: &Receiver<Timed>,
    schedule: Schedule,
    idle: IdleMode,
    from: u64,
    start: &Start,
) -> anyhow::Result<Latencies> {
    let mut latencies = Latencies::new()?;
    while let Some(timed) = next(receiver, idle) {
        let now = clock::now();
        let index = schedule.index(timed.time);
        if let Some(begin) = start.get().filter(|_| index >= from) {
            latencies.record(now.saturating_duration_since(*begin + schedule.arrival(index)));
        }
    }
    Ok(latencies)
}

fn next(receiver: &Receiver<Timed>, idle: IdleMode) -> Option<Timed> {
    match idle {
        IdleMode::Park => receiver.recv().ok(),
        IdleMode::Spin => loop {
            match receiver.try_recv() {
                Ok(timed) => return Some(timed),
                Err(TryRecvError::Empty) => std::hint::spin_loop(),
                Err(TryRecvError::Disconnected) => return None,
            }
        },
    }
}
