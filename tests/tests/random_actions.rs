//! Random actions against the running system: nothing is sold twice, nothing is forgotten, and the replay
//! of the day equals what was decided.
//!
//! A seed is one round. `TURNSTILE_SEED` is the first one (1), `TURNSTILE_MINUTES` how long to go on
//! (20 seconds without), `TURNSTILE_ROUNDS` how many at most; `TURNSTILE_BIN` names another program
//! than the one beside the tests. The long run, and a seed that failed:
//!
//! ```text
//! TURNSTILE_MINUTES=30 TURNSTILE_BIN=target/release/turnstile cargo test -p turnstile-tests --test random_actions -- --nocapture
//! TURNSTILE_SEED=17 TURNSTILE_ROUNDS=1 cargo test -p turnstile-tests --test random_actions -- --nocapture
//! ```

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use tokio::time::Instant;
use turnstile_tests::random::play;
use turnstile_tests::{Yard, clear_of_midnight, setting};

/// Positions of one round.
const POSITIONS: usize = 4;
/// Sets of symbols that take turns. One whose positions did not settle is not used again.
const SETS: usize = 4;
/// Faults that are told at the end of a long run; each was told as it came.
const TOLD_MAX: usize = 3;

#[tokio::test]
async fn random_actions_leave_the_books_right() {
    let first = setting("TURNSTILE_SEED", 1);
    let rounds_max = setting("TURNSTILE_ROUNDS", u64::MAX);
    let duration = match setting("TURNSTILE_MINUTES", 0) {
        0 => Duration::from_secs(20),
        minutes => Duration::from_secs(60 * minutes),
    };
    let symbols: Vec<String> = (0..POSITIONS * SETS)
        .map(|number| format!("{:06}", 200_010 + 10 * number))
        .collect();
    clear_of_midnight().await;
    let mut yard = Yard::start(&symbols).await;
    let mut sets: VecDeque<&[String]> = symbols.chunks(POSITIONS).collect();
    let (mut rounds, mut orders, mut failed) = (0, 0, Vec::new());
    let mut actions = BTreeMap::<String, u64>::new();
    let began = Instant::now();
    while rounds < rounds_max && began.elapsed() < duration {
        let seed = first + rounds;
        let set = sets.pop_front().expect("positions of some set settled");
        let round = play(&mut yard, set, seed).await;
        rounds += 1;
        orders += round.orders;
        for action in &round.actions {
            let name = action.split(' ').next().unwrap_or_default();
            *actions.entry(name.to_owned()).or_default() += 1;
        }
        if round.faults.is_empty() {
            sets.push_back(set);
            continue;
        }
        let what = format!(
            "seed {seed}: {}\n{:#?}\n{:#?}\n{}",
            round.faults.join("\n  "),
            round.actions,
            round.books,
            yard.told()
        );
        println!("FAULT {what}");
        failed.push(what);
    }
    println!(
        "seeds {first} to {}, {orders} orders, {} s, {} failed\n{actions:?}",
        first + rounds - 1,
        began.elapsed().as_secs(),
        failed.len()
    );
    failed.truncate(TOLD_MAX);
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    let replay = yard.replay().await;
    println!("replayed: {}", replay.figures);
    replay.is_equal();
    yard.stop().await;
}
