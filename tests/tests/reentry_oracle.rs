//! The engine says of re-entries what a naive oracle says, over random histories.
//!
//! `TURNSTILE_HISTORIES` says over how many (13,000), `TURNSTILE_SEED` from which seed on (1).

use std::collections::BTreeMap;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use turnstile_oracle::histories::{BATCHES, Shape, WORKERS, shapes};
use turnstile_oracle::reentries::{Pack, Tally};
use turnstile_tests::setting;

/// Histories that share one run of the engine.
const PER_PACK: u64 = 100;
/// Everything that is counted happens at least this often.
const LEAST: u64 = 100;
const TOLD_MAX: usize = 20;
/// Packs that each pair of batch and workers has at least.
const ROUNDS: u64 = 3;

const GATES: [&str; 18] = [
    "CONTROL",
    "G0",
    "G0 no limits",
    "G0.5",
    "G1",
    "G2",
    "G3",
    "G3 busy",
    "G3 positions",
    "G3 exposure",
    "G3 no equity",
    "G3 share",
    "G4",
    "G4 amount",
    "G4 no equity",
    "G4 share",
    "G4 risk",
    "G5",
];
/// Entries that the ranking refused, alone, and entries that it let pass, where a rule asks for it.
const RANKINGS: [&str; 5] = [
    "not held: none",
    "not held: too old",
    "not held: of a day to come",
    "held: of seven days ago",
    "held: newer",
];
const TRIGGERS: [&str; 3] = ["REENTRY_REBOUND", "REENTRY_BREAKOUT", "REENTRY_CHASE"];
const TRANSITIONS: [&str; 21] = [
    "earlier run -> COOLDOWN",
    "earlier run -> WATCH",
    "earlier run -> READY",
    "NEW -> COOLDOWN",
    "NEW -> BLOCKED",
    "COOLDOWN -> WATCH",
    "COOLDOWN -> COOLDOWN",
    "COOLDOWN -> BLOCKED",
    "COOLDOWN -> EXPIRED (asked)",
    "WATCH -> COOLDOWN",
    "WATCH (G0) -> WATCH",
    "WATCH -> READY",
    "WATCH -> BLOCKED",
    "WATCH -> EXPIRED",
    "WATCH -> EXPIRED (asked)",
    "READY -> ENTERED",
    "ENTERED -> READY",
    "ENTERED -> BLOCKED",
    "ENTERED -> EXPIRED",
    "ENTERED -> EXPIRED (asked)",
    "READY -> BLOCKED (broker)",
];

#[test]
fn the_engine_says_what_the_oracle_says() {
    let histories = setting("TURNSTILE_HISTORIES", 13_000);
    let seed = setting("TURNSTILE_SEED", 1);
    let packs = histories.div_ceil(PER_PACK);
    let mut seeds = ChaCha8Rng::seed_from_u64(seed);
    let shapes = shapes(seed, packs, ROUNDS);
    let (mut tally, mut of_shape) = (Tally::default(), BTreeMap::<Shape, u64>::new());
    let (mut events, mut said, mut differences) = (0, 0, 0);
    for shape in shapes.into_iter().take(usize::try_from(packs).unwrap()) {
        let seed: u64 = seeds.random();
        let pack = Pack::draw(seed, usize::try_from(PER_PACK).unwrap());
        let different = pack.check(shape);
        for (expected, said) in different.iter().take(TOLD_MAX) {
            println!("seed {seed} {shape:?}: expected {expected:?}, said {said:?}");
        }
        differences += different.len();
        assert!(differences < 1_000, "{differences} differences");
        tally.add(&pack.tally);
        *of_shape.entry(shape).or_default() += PER_PACK;
        events += pack.log.len();
        said += pack.expected.len();
    }
    println!(
        "{histories} histories, {events} events, {said} verdicts, {differences} differences\n{tally}"
    );
    for (shape, count) in &of_shape {
        println!("{shape:?}: {count} histories");
    }
    assert_eq!(differences, 0);
    if histories < 10_000 {
        return; // Too few for everything to happen.
    }
    assert_eq!(of_shape.len(), BATCHES.len() * WORKERS.len());
    let mut rare = Vec::new();
    let mut want = |kind: &str, name: &str| {
        let count = tally.of(kind, name);
        if count < LEAST {
            rare.push(format!("{kind} {name}: {count}"));
        }
    };
    GATES.iter().for_each(|name| want("gate", name));
    TRIGGERS.iter().for_each(|name| want("trigger", name));
    RANKINGS.iter().for_each(|name| want("ranking", name));
    ["held", "under way", "decided"]
        .iter()
        .for_each(|by| want("room", by));
    TRANSITIONS.iter().for_each(|name| want("transition", name));
    for class in ["SL", "TRAIL", "TP"] {
        for regime in ["RISK_ON", "NEUTRAL", "RISK_OFF", "PANIC"] {
            want("cell", &format!("{class} {regime}"));
        }
        for regime in ["RISK_ON", "NEUTRAL", "RISK_OFF"] {
            want("entry", &format!("{class} {regime}"));
        }
    }
    assert!(rare.is_empty(), "too rare: {rare:?}");
}
