//! Kills of the engine at named points of the life of an order.
//!
//! ```text
//! open positions ─> bring to the point ─> SIGKILL ─> was it there? ─> let go ─> restart ─> judge
//! ```
//!
//! 1. Whether a kill met its point is said by the database and the simulator right after it, while
//!    whatever held the engine up still holds.
//! 2. A statement that the engine had begun when it died either goes on without it or never
//!    happens; the dice say which.
//! 3. Some kills are followed by another one while the engine starts.
//! 4. After each restart [`Books::faults`](crate::judge::Books::faults) must be empty, with every
//!    position sold out.

mod point;

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;

pub use point::Point;

use crate::yard::{Held, Yard};
use turnstile_oracle::Dice;

use crate::judge::Books;

/// Shares of a position. Not a multiple of anything that fills come in.
const SHARES: i64 = 101;
/// Prices between the first and the second stop, and below it, KRW.
const BELOW_FIRST: i64 = 96_500;
const BELOW_SECOND: i64 = 94_000;
/// Longest time until a restarted engine has sold everything.
const SETTLE_MAX: Duration = Duration::from_secs(40);
/// How long a restarted engine is left without a price, where all is decided already.
const QUIET: Duration = Duration::from_secs(3);
const TICK_EVERY: Duration = Duration::from_millis(250);
/// Longest random time between reaching a point and the kill, in milliseconds.
const LATE_MAX_MS: u64 = 60;

/// Kills that are followed by another one, and within what time of the restart, in milliseconds.
const AGAIN_PERCENT: u64 = 30;
const AGAIN_MAX_MS: u64 = 2_000;

/// What the kills at one point came to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    /// Kills.
    pub kills: u64,
    /// Kills that met the point with at least one position.
    pub hits: u64,
    /// Positions that were at the point.
    pub positions: u64,
    /// Kills after which everything had been decided and nothing went on without another price.
    pub waited: u64,
    /// Kills after which something did not hold.
    pub faulty: u64,
}

/// What all kills came to.
#[derive(Debug, Default)]
pub struct Report {
    /// By point.
    pub tallies: BTreeMap<Point, Tally>,
    /// What did not hold.
    pub faults: Vec<String>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let head = ["kills", "met", "positions", "waited", "faulty"];
        write!(f, "{:<30}", "point")?;
        head.iter().try_for_each(|head| write!(f, "{head:>10}"))?;
        for (point, tally) in &self.tallies {
            let Tally {
                kills,
                hits,
                positions,
                waited,
                faulty,
            } = tally;
            write!(
                f,
                "\n{:<30}{kills:>10}{hits:>10}{positions:>10}{waited:>10}{faulty:>10}",
                point.name()
            )?;
        }
        Ok(())
    }
}

/// Kills the engine once at `point`, restarts it and judges. `symbols` hold nothing before.
/// Returns whether they do so again.
pub async fn strike(
    yard: &mut Yard,
    point: Point,
    symbols: &[String],
    dice: &mut Dice,
    report: &mut Report,
) -> bool {
    let after = yard.last_order().await;
    let held = yard.open(symbols, SHARES).await;
    if dice.percent(30) {
        let shares = dice.between(7, 40);
        let pieces = json!({"fill_in_pieces": {"shares": shares, "every_ms": 15}});
        yard.system.post("/faults", pieces).await;
    }
    // Some positions go in two orders, the first for a half.
    let first = if point.needs_sold_out() || dice.percent(60) {
        BELOW_SECOND
    } else {
        BELOW_FIRST
    };
    yard.cache(&held).await;
    point.approach(yard, dice, &held, after, first).await;
    tokio::time::sleep(Duration::from_millis(dice.below(LATE_MAX_MS))).await;
    yard.kill().await;

    let met = point.met(yard, &held, after).await;
    let decided = yard.books(&held, after).await.orders.len() == held.len();
    if dice.percent(50) {
        yard.terminate_blocked().await;
    }
    yard.system.post("/faults", json!({"clear": true})).await;
    yard.release().await;
    yard.resume_redis().await;
    if dice.percent(AGAIN_PERCENT) {
        // In the midst of making up for the first kill.
        yard.begin().await;
        tokio::time::sleep(Duration::from_millis(dice.below(AGAIN_MAX_MS))).await;
        yard.kill().await;
    }
    yard.restart().await;
    let is_quiet = decided && first == BELOW_SECOND;
    let mut settled = settle(yard, &held, after, is_quiet).await;
    settled.faults.extend(yard.oversales().await);

    let tally = report.tallies.entry(point).or_default();
    tally.kills += 1;
    tally.hits += u64::from(met > 0);
    tally.positions += u64::try_from(met).unwrap_or_default();
    tally.waited += u64::from(is_quiet && settled.took_a_price);
    let faults = settled.faults;
    if faults.is_empty() {
        return true;
    }
    tally.faulty += 1;
    let what = format!(
        "{} (order {after}): {}\n{:#?}\n{}",
        point.name(),
        faults.join("\n  "),
        settled.books,
        yard.told()
    );
    println!("FAULT at {what}");
    report.faults.push(what);
    false
}

/// How a restarted engine ended up.
struct Settled {
    took_a_price: bool,
    faults: Vec<String>,
    books: Books,
}

/// Waits until everything is sold. Trades go on, as they do in a market, but for a while at first
/// where `is_quiet`.
async fn settle(yard: &Yard, held: &[Held], after: u64, is_quiet: bool) -> Settled {
    let began = Instant::now();
    let quiet = if is_quiet { QUIET } else { Duration::ZERO };
    let mut ticks: i64 = 0;
    loop {
        let books = yard.books(held, after).await;
        let is_sold = books.positions.iter().all(|held| held.status == "CLOSED");
        if is_sold && books.is_settled() {
            return Settled {
                took_a_price: ticks > 0,
                faults: books.faults(),
                books,
            };
        }
        if began.elapsed() > SETTLE_MAX {
            let mut faults = vec!["not settled in time".to_owned()];
            faults.extend(books.faults());
            return Settled {
                took_a_price: true,
                faults,
                books,
            };
        }
        if began.elapsed() > quiet {
            ticks += 1;
            yard.fall(held, BELOW_SECOND - 100 * (ticks % 2)).await;
        }
        tokio::time::sleep(TICK_EVERY).await;
    }
}
