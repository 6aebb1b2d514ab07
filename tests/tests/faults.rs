//! Every server fails in every way, at random moments: nothing lost, nothing doubled, no stale cache, and
//! the engine goes on by itself.
//!
//! `TURNSTILE_FAULTS` is how many faults (12, each kind once), `TURNSTILE_SEED` the first seed (1),
//! `TURNSTILE_BIN` another program than the one beside the tests. The long run:
//!
//! ```text
//! TURNSTILE_FAULTS=204 TURNSTILE_BIN=target/release/turnstile cargo test --workspace --test faults -- --nocapture
//! ```

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;
use turnstile_tests::faults::{Fault, play};
use turnstile_tests::{Yard, setting};

/// Positions of a round.
const POSITIONS: usize = 3;
/// Symbols whose prices move beside those of the positions.
const MOVING: usize = 10;

fn symbols(first: usize, count: usize) -> Vec<String> {
    let numbers = (0..count).map(|number| first + 10 * number);
    numbers.map(|number| format!("{number:06}")).collect()
}

fn seconds(times: &[Duration], of: impl Fn(&[Duration]) -> Duration) -> f64 {
    of(times).as_secs_f64()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_server_fails_in_every_way_and_the_books_are_right() {
    let (first, count) = (
        setting("TURNSTILE_SEED", 1),
        setting("TURNSTILE_FAULTS", 12),
    );
    let kinds = Fault::all();
    let (held, moving) = (symbols(210_010, POSITIONS), symbols(220_010, MOVING));
    let all: Vec<String> = held.iter().chain(&moving).cloned().collect();
    let mut yard = Yard::start(&all).await;
    let mut recoveries = BTreeMap::<Fault, Vec<Duration>>::new();
    let (mut failed, mut ticks) = (Vec::new(), 0);
    let began = Instant::now();
    for (round, fault) in (0..count).zip(kinds.iter().copied().cycle()) {
        let seed = first + round;
        let round = play(&mut yard, fault, (&held, &moving), seed).await;
        ticks += round.ticks;
        let took = round.recovery.as_secs_f64();
        println!("seed {seed}: {fault}, decided again after {took:.2} s");
        recoveries.entry(fault).or_default().push(round.recovery);
        if !round.faults.is_empty() {
            let what = format!(
                "seed {seed}, {fault}: {}\n{:#?}\n{}",
                round.faults.join("\n  "),
                round.books,
                yard.told()
            );
            println!("FAULT {what}");
            failed.push(what);
        }
    }
    println!(
        "{count} faults, {ticks} prices beside, {} s, {} failed",
        began.elapsed().as_secs(),
        failed.len()
    );
    for (fault, mut times) in recoveries {
        times.sort();
        println!(
            "{fault}: {} times, decided again after {:.2} s (median), {:.2} s at most",
            times.len(),
            seconds(&times, |times| times[times.len() / 2]),
            seconds(&times, |times| times[times.len() - 1]),
        );
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    yard.stop().await;
}
