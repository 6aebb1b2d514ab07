//! Daily bars of the past. They are invented: a seeded walk that ends at the first reference price
//! of the issue, so the same settings give the same bars. Days that were simulated follow as they
//! went.

use jiff::{ToSpan, civil::Date};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::{
    exchange::{Bar, Exchange},
    price::{Money, Price},
    shared::Shared,
};

/// Trading days that are invented.
const DAYS: usize = 400;

/// Returns the bars of an issue, newest first, today's running bar included once it has traded.
pub(super) fn bars(shared: &Shared, exchange: &Exchange, index: usize) -> Vec<Bar> {
    let issue = &exchange.issues[index];
    let today = exchange.moment.at.date();
    let mut bars = Vec::with_capacity(DAYS + 1);
    if let Some(bar) = Bar::of(&issue.day, today) {
        bars.push(bar);
    }
    let closed = exchange.closed_days(index);
    bars.extend(closed.iter().rev().cloned());
    let before = closed.first().map_or(today, |bar| bar.date);
    bars.extend(invent(shared, exchange, index, before));
    bars
}

fn invent(shared: &Shared, exchange: &Exchange, index: usize, before: Date) -> Vec<Bar> {
    let issue = &exchange.issues[index];
    let seed = issue.symbol.as_str().bytes().fold(0_u64, |seed, byte| {
        seed.wrapping_mul(257).wrapping_add(u64::from(byte))
    });
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let grid = issue.grid();
    let mut close = exchange.first_reference(index);
    let mut date = before;
    let mut bars = Vec::with_capacity(DAYS);
    while bars.len() < DAYS {
        let Ok(earlier) = date.checked_sub(1.day()) else {
            break;
        };
        date = earlier;
        if !shared.clock.is_trading_day(date) {
            continue;
        }
        let mut moved = |price: Price, most_bp: i64| {
            let bp: i64 = (0..3).map(|_| rng.random_range(-most_bp..=most_bp)).sum();
            grid.nearest(Price::from_units(
                price.units() + price.units() / 10_000 * bp,
            ))
        };
        let before = moved(close, 120);
        let open = moved(before, 30);
        let (high, low) = (open.max(close), open.min(close));
        let high = high.max(moved(high, 40));
        let low = low.min(moved(low, 40));
        let volume = issue.prev_volume / 2 + rng.random_range(0..=issue.prev_volume.max(1));
        let middle = (high.units() + low.units()) / 2;
        let value = Money::from_units(i128::from(middle / 10_000 * 10_000) * i128::from(volume));
        bars.push(Bar {
            date,
            open,
            high,
            low,
            close,
            volume,
            value,
        });
        close = before;
    }
    bars
}
