//! Every server fails in every way, at random moments: nothing lost, nothing doubled, no stale cache, no
//! invariant broken, and the engine goes on by itself.
//!
//! A day is a system of its own with `TURNSTILE_FAULTS` faults (12, each kind once); at its end it is
//! replayed from the database, and comes out as it was. `TURNSTILE_DAYS` is how many days (1),
//! `TURNSTILE_SEED` the first seed (1), `TURNSTILE_BIN` another program than the one beside the tests. The
//! long run:
//!
//! ```text
//! TURNSTILE_DAYS=10 TURNSTILE_FAULTS=24 cargo test --workspace --test faults -- --nocapture
//! ```

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;
use turnstile_tests::faults::{Fault, play};
use turnstile_tests::{Yard, clear_of_midnight, setting};

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

/// What some days came to.
#[derive(Default)]
struct Account {
    recoveries: BTreeMap<Fault, Vec<Duration>>,
    ticks: usize,
    failed: Vec<String>,
}

#[tokio::test(flavor = "multi_thread")]
async fn every_server_fails_in_every_way_and_the_books_are_right() {
    let (seed, days) = (setting("TURNSTILE_SEED", 1), setting("TURNSTILE_DAYS", 1));
    let faults = setting("TURNSTILE_FAULTS", 12);
    let mut account = Account::default();
    let began = Instant::now();
    for day in 0..days {
        Box::pin(account.spend(seed + day * faults, faults)).await;
    }
    println!(
        "{days} days, {} faults, {} prices beside, {} s, {} failed",
        days * faults,
        account.ticks,
        began.elapsed().as_secs(),
        account.failed.len()
    );
    for (fault, mut times) in account.recoveries {
        times.sort();
        println!(
            "{fault}: {} times, decided again after {:.2} s (median), {:.2} s at most",
            times.len(),
            seconds(&times, |times| times[times.len() / 2]),
            seconds(&times, |times| times[times.len() - 1]),
        );
    }
    assert!(account.failed.is_empty(), "{}", account.failed.join("\n"));
}

impl Account {
    /// Spends a day with faults, and replays it.
    async fn spend(&mut self, first: u64, count: u64) {
        let (held, moving) = (symbols(210_010, POSITIONS), symbols(220_010, MOVING));
        let all: Vec<String> = held.iter().chain(&moving).cloned().collect();
        clear_of_midnight().await;
        let mut yard = Yard::start(&all).await;
        for (round, fault) in (0..count).zip(Fault::all().into_iter().cycle()) {
            let seed = first + round;
            let round = play(&mut yard, fault, (&held, &moving), seed).await;
            self.ticks += round.ticks;
            let took = round.recovery.as_secs_f64();
            println!("seed {seed}: {fault}, decided again after {took:.2} s");
            let times = self.recoveries.entry(fault).or_default();
            times.push(round.recovery);
            if !round.faults.is_empty() {
                let what = format!(
                    "seed {seed}, {fault}: {}\n{:#?}\n{}",
                    round.faults.join("\n  "),
                    round.books,
                    yard.told()
                );
                println!("FAULT {what}");
                self.failed.push(what);
            }
        }
        let replay = yard.replay().await;
        println!("replayed: {}", replay.figures);
        if !replay.is_right() {
            let what = format!("day of seed {first}: {replay:#?}");
            println!("FAULT {what}");
            self.failed.push(what);
        }
        yard.stop().await;
    }
}
