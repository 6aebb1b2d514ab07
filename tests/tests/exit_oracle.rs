//! The engine decides what the oracle decides, over random histories.
//!
//! `TURNSTILE_HISTORIES` says over how many with reported fills (10,000), `TURNSTILE_SEED` from
//! which seed on (1), `TURNSTILE_THREADS` how many packs run at once (1). A million histories:
//!
//! ```text
//! TURNSTILE_HISTORIES=1000000 TURNSTILE_THREADS=2 cargo test --release -p turnstile-tests --test exit_oracle reported -- --nocapture
//! ```
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use turnstile_oracle::histories::{BATCHES, Pack, Shape, WORKERS, shapes};
use turnstile_oracle::oracle::{Fills, REASONS, Tally};
use turnstile_tests::setting;

/// Histories that share one run of the engine.
const PER_PACK: u64 = 100;
/// Each trigger is decided at least this often, each pair runs at least so many histories.
const DECIDED_MIN: u64 = 100;
const HISTORIES_MIN: u64 = 1_000;
/// A long run says after so many packs how far it is.
const PACKS_TOLD: u64 = 500;
/// Histories that are told where engine and oracle differ.
const TOLD_MAX: usize = 5;

/// What was compared.
#[derive(Default)]
struct Summary {
    tally: Tally,
    histories: BTreeMap<Shape, u64>,
    events: usize,
    decisions: usize,
    differences: usize,
}

/// Compares `packs` packs and prints what came of it.
fn compare(fills: Fills, packs: u64) -> Summary {
    let seed = setting("TURNSTILE_SEED", 1);
    let mut seeds = ChaCha8Rng::seed_from_u64(seed);
    let work: Vec<(u64, Shape)> = shapes(seed, packs, HISTORIES_MIN.div_ceil(PER_PACK) + 1)
        .into_iter()
        .take(usize::try_from(packs).unwrap())
        .map(|shape| (seeds.random(), shape))
        .collect();
    println!("{fills:?}: seed {seed}, {packs} packs of {PER_PACK} histories");
    let next = AtomicU64::new(0);
    let summary = Mutex::new(Summary::default());
    let run = || {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some((seed, shape)) = work.get(usize::try_from(number).unwrap()) else {
                return;
            };
            one(*seed, *shape, fills, &summary);
            if (number + 1).is_multiple_of(PACKS_TOLD) {
                println!("{} of {packs} packs", number + 1);
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..setting("TURNSTILE_THREADS", 1) {
            scope.spawn(run);
        }
    });
    let summary = summary.into_inner().unwrap();
    println!(
        "{} events, {} decisions, {} differences",
        summary.events, summary.decisions, summary.differences
    );
    println!("{}", summary.tally);
    for (shape, histories) in &summary.histories {
        println!(
            "batch {:>4}, workers {}: {histories} histories",
            shape.batch, shape.workers
        );
    }
    assert_eq!(
        summary.differences, 0,
        "engine and oracle differ, see above"
    );
    summary
}

fn one(seed: u64, shape: Shape, fills: Fills, summary: &Mutex<Summary>) {
    let pack = Pack::draw(seed, usize::try_from(PER_PACK).unwrap(), fills);
    let told = summary.lock().unwrap().differences;
    let differences = pack.check(shape, TOLD_MAX.saturating_sub(told));
    let mut summary = summary.lock().unwrap();
    for difference in &differences.shrunk {
        println!("{difference}");
    }
    summary.differences += differences.count;
    summary.tally.add(&pack.tally);
    summary.events += pack.log.len();
    summary.decisions += pack.expected.len();
    *summary.histories.entry(shape).or_default() += PER_PACK;
}

#[test]
fn reported_fills_lead_to_the_decisions_of_the_oracle() {
    let histories = setting("TURNSTILE_HISTORIES", 10_000);
    let summary = compare(Fills::Reported, histories.div_ceil(PER_PACK));
    for reason in REASONS {
        let decided = summary.tally.of(reason).decided;
        assert!(
            decided >= DECIDED_MIN,
            "{} was decided {decided} times only",
            reason.code()
        );
    }
    assert_eq!(summary.histories.len(), BATCHES.len() * WORKERS.len());
    for (shape, histories) in summary.histories {
        assert!(
            histories >= HISTORIES_MIN,
            "{shape:?} had {histories} histories only"
        );
    }
}

#[test]
fn immediate_fills_lead_to_the_decisions_of_the_oracle() {
    compare(
        Fills::Immediate,
        setting("TURNSTILE_HISTORIES", 10_000) / PER_PACK / 10,
    );
}

#[test]
fn no_fills_lead_to_the_decisions_of_the_oracle() {
    compare(
        Fills::None,
        setting("TURNSTILE_HISTORIES", 10_000) / PER_PACK / 10,
    );
}
