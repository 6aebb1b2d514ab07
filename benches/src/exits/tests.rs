//! The loop against the same judgement made of every position at every tick.

use std::collections::BTreeMap;
use std::time::Duration;

use turnstile_dataflows::model::{ExitReason, Phase};

use super::judge::{Desk, Held};
use super::vectors::Vectors;
use super::{Decided, engine, join};
use crate::input::{Input, Shape};
use crate::setting::Setting;

const SHAPE: Shape = Shape {
    symbols: 10,
    positions: 300,
    ticks: 30_000,
    seed: 5,
    busy: 40,
};

pub(crate) fn by_loop(input: &Input) -> Vec<Decided> {
    let (mut vectors, mut decided) = (Vectors::new(input), Vec::new());
    for tick in &input.ticks {
        vectors.tick(tick, &mut decided);
    }
    decided
}

/// Judges every position of the symbol at every tick.
fn naive(input: &Input) -> Vec<Decided> {
    let desk = Desk::new(input);
    let mut held: Vec<Held> = input.positions.iter().map(|row| desk.hold(row)).collect();
    let mut of_symbol: BTreeMap<_, Vec<usize>> = BTreeMap::new();
    for (index, row) in input.positions.iter().enumerate() {
        let listed = &input.listed[usize::try_from(row.symbol).unwrap()];
        of_symbol.entry(listed.symbol).or_default().push(index);
    }
    let mut decided = Vec::new();
    for tick in &input.ticks {
        for &index in &of_symbol[&tick.symbol] {
            if held[index].phase != Phase::Exited {
                let price = tick.evaluation_price().units();
                decided.extend(held[index].judge(&desk, tick.time.micros(), price));
            }
        }
    }
    decided
}

#[test]
fn touching_few_positions_decides_as_judging_all() {
    for seed in 0..8 {
        let input = Input::new(&Shape { seed, ..SHAPE }).unwrap();
        assert_eq!(by_loop(&input), naive(&input), "seed {seed}");
    }
}

#[test]
fn the_input_brings_every_trigger_to_a_decision() {
    let mut counts: BTreeMap<ExitReason, usize> = BTreeMap::new();
    for seed in 0..8 {
        let input = Input::new(&Shape { seed, ..SHAPE }).unwrap();
        for decided in by_loop(&input) {
            *counts.entry(decided.reason).or_default() += 1;
        }
    }
    // FLATTEN and MANUAL are no rules.
    println!("{counts:?}");
    assert_eq!(counts.len(), 14, "{counts:?}");
}

#[test]
fn the_engine_decides_as_the_loop() {
    for (seed, workers, batch) in [(0, 1, 4_096), (1, 1, 7), (2, 2, 100)] {
        let shape = Shape {
            seed,
            ticks: 6_000,
            ..SHAPE
        };
        let expected = by_loop(&Input::new(&shape).unwrap());
        let setting = Setting {
            workers,
            batch,
            ..Setting::default()
        };
        let found = engine::run(Input::new(&shape).unwrap(), setting).unwrap();
        assert_eq!(found.decisions, expected, "seed {seed}");
    }
}

#[test]
fn the_join_decides_as_the_loop() {
    let shape = Shape {
        ticks: 3_000,
        ..SHAPE
    };
    let expected = by_loop(&Input::new(&shape).unwrap());
    let found = join::run(Input::new(&shape).unwrap(), Duration::from_secs(60)).unwrap();
    assert_eq!(found.decisions, expected);
}
