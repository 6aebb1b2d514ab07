//! The engine decides what the oracle decides, over random histories.

use std::collections::BTreeMap;

use turnstile_tests::histories::{Pack, Shape};
use turnstile_tests::oracle::{Fills, REASONS, Tally};

const PER_PACK: usize = 100;

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().expect("a whole number"))
}

#[test]
fn reported() {
    let seed = number("TURNSTILE_SEED", 1);
    let packs = number("TURNSTILE_HISTORIES", 10_000) / 100;
    let mut tally = Tally::default();
    let mut wrong = 0;
    for pack in 0..packs {
        let drawn = Pack::draw(seed * 1_000_000 + pack, PER_PACK, Fills::Reported);
        tally.add(&drawn.tally);
        let shape = Shape {
            batch: [1, 7, 1000][(pack % 3) as usize],
            workers: [1, 2, 4][(pack / 3 % 3) as usize],
        };
        for difference in drawn.check(shape, 3) {
            println!("{difference}");
            wrong += 1;
        }
    }
    println!("{tally}");
    assert_eq!(wrong, 0);
}
