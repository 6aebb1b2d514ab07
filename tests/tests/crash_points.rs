//! The engine is killed at every named point of the life of an order, and restarted.
//!
//! `TURNSTILE_KILLS` says how often at each point (1), `TURNSTILE_SEED` draws times and orders (1),
//! `TURNSTILE_POINT` names one point, `TURNSTILE_BIN` another program than the one beside the tests.
//! The long proof:
//!
//! ```text
//! TURNSTILE_KILLS=50 TURNSTILE_BIN=target/release/turnstile cargo test -p turnstile-tests --test crash_points -- --nocapture
//! ```

use std::collections::VecDeque;

use tokio::time::Instant;
use turnstile_oracle::Dice;
use turnstile_tests::crash::{Point, Report, strike};
use turnstile_tests::{Yard, setting};

/// Positions of one kill.
const POSITIONS: usize = 3;
/// Sets of symbols that take turns. One whose positions did not settle is not used again.
const SETS: usize = 4;

#[tokio::test]
async fn no_kill_sells_twice_or_forgets_an_order() {
    let kills = setting("TURNSTILE_KILLS", 1);
    let seed = setting("TURNSTILE_SEED", 1);
    let only = std::env::var("TURNSTILE_POINT").ok();
    let symbols: Vec<String> = (0..POSITIONS * SETS)
        .map(|number| format!("{:06}", 100_010 + 10 * number))
        .collect();
    let mut yard = Yard::start(&symbols).await;
    let mut sets: VecDeque<&[String]> = symbols.chunks(POSITIONS).collect();
    let mut dice = Dice::new(seed, 0);
    let mut report = Report::default();
    let began = Instant::now();
    println!("seed {seed}, {kills} kills at each point");
    for kill in 0..kills {
        for point in Point::ALL {
            if only.as_ref().is_some_and(|only| only != point.name()) {
                continue;
            }
            let set = sets.pop_front().expect("positions of some set settled");
            if strike(&mut yard, point, set, &mut dice, &mut report).await {
                sets.push_back(set);
            }
        }
        if kills > 1 {
            println!("{} of {kills}, {} s", kill + 1, began.elapsed().as_secs());
        }
    }
    println!("{report}\n{} s", began.elapsed().as_secs());
    assert!(
        report.faults.is_empty(),
        "seed {seed}:\n{}",
        report.faults.join("\n")
    );
    // A point that is never met proves nothing.
    for (point, tally) in &report.tallies {
        assert!(
            tally.kills < 10 || tally.hits * 2 > tally.kills,
            "{}: {tally:?}",
            point.name()
        );
    }
    yard.stop().await;
}
