//! Batches and workers that packs of histories are run with.

use rand::SeedableRng;
use rand::seq::{IndexedRandom, SliceRandom};
use rand_chacha::ChaCha8Rng;

use super::Shape;

/// Events taken for one flush at most.
pub const BATCHES: [usize; 3] = [1, 7, 1_000];
/// Worker threads.
pub const WORKERS: [usize; 3] = [1, 2, 4];

/// Draws batch and workers for each pack. First every nine packs have every pair once, in any order,
/// until each has had `least` packs. The rest of a long run draws cheap pairs more often
/// than dear ones: a flush after each event on four workers takes seventy times as long as one
/// after a thousand on one.
///
/// # Panics
/// Never: every pair has a weight.
pub fn shapes(seed: u64, packs: u64, least: u64) -> Vec<Shape> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let pairs: Vec<Shape> = BATCHES
        .into_iter()
        .flat_map(|batch| WORKERS.map(|workers| Shape { batch, workers }))
        .collect();
    let mut shapes = Vec::new();
    for _ in 0..least {
        let mut round = pairs.clone();
        round.shuffle(&mut rng);
        shapes.extend(round);
    }
    while u64::try_from(shapes.len()).expect("few") < packs {
        let pair = pairs.choose_weighted(&mut rng, weight);
        shapes.push(*pair.expect("every pair has a weight"));
    }
    shapes
}

fn weight(shape: &Shape) -> u32 {
    let of_batch = match shape.batch {
        1 => 1,
        7 => 3,
        _ => 9,
    };
    let of_workers = match shape.workers {
        1 => 9,
        2 => 3,
        _ => 1,
    };
    of_batch * of_workers
}
