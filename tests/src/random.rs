//! Random actions: everything that can happen to a running system, by seed.
//!
//! ```text
//! seed ─> open positions ─> actions, one after the other ─> calm: no faults, prices fall ─> judge
//! ```
//!
//! A round ends with every position sold, so that the next one begins afresh. The dice draw actions
//! and pauses, not how the processes run beside each other: the same seed gives the same actions.

mod action;

use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;

pub use action::Action;

use crate::yard::{Held, Yard, two_stops};
use turnstile_oracle::Dice;

use crate::judge::Books;

/// Fewest and most actions of a round.
const ACTIONS: (i64, i64) = (15, 40);
/// Longest pause between two actions, in milliseconds.
const PAUSE_MAX_MS: u64 = 150;
/// Longest time until a calm system has sold everything.
const SETTLE_MAX: Duration = Duration::from_secs(90);
/// When stops that were refused too often are given up for a sale of everything.
const FLATTEN_AFTER: Duration = Duration::from_secs(8);
const TICK_EVERY: Duration = Duration::from_millis(250);
/// A price below every stop, KRW.
const BELOW_ALL: i64 = 90_000;

/// What one round came to.
#[derive(Debug)]
pub struct Round {
    /// What was done, in order.
    pub actions: Vec<String>,
    /// Orders that the broker had.
    pub orders: usize,
    /// What did not hold.
    pub faults: Vec<String>,
    /// The books at the end.
    pub books: Books,
}

/// Plays one round of `seed` with positions in `symbols`, which hold nothing before.
pub async fn play(yard: &mut Yard, symbols: &[String], seed: u64) -> Round {
    let mut dice = Dice::new(seed, 0);
    yard.system.exit_rules(two_stops()).await;
    let after = yard.last_order().await;
    let held = yard.open(symbols, dice.between(50, 150)).await;
    let mut actions = Vec::new();
    for _ in 0..dice.between(ACTIONS.0, ACTIONS.1) {
        let action = Action::draw(&mut dice);
        actions.push(action.run(yard, &mut dice, &held).await);
        if yard.supervise().await {
            actions.push("Ended by itself, and started again".to_owned());
        }
        tokio::time::sleep(Duration::from_millis(dice.below(PAUSE_MAX_MS))).await;
    }
    yard.calm().await;
    let (books, faults) = settle(yard, &held, after).await;
    Round {
        actions,
        orders: books.at_broker.len(),
        faults,
        books,
    }
}

impl Yard {
    /// Takes back everything that stands in the way of the engine.
    pub(crate) async fn calm(&mut self) {
        self.release().await;
        self.resume_redis().await;
        self.system.post("/faults", json!({"clear": true})).await;
        self.set_mode("RUNNING").await;
        self.system.exit_rules(two_stops()).await;
        self.supervise().await;
    }

    async fn set_mode(&self, mode: &str) {
        self.system
            .execute(
                "UPDATE trade.exit_control SET mode = $1, updated_by = 'test' WHERE mode <> $1",
                &[&mode],
            )
            .await;
    }
}

/// Waits until everything is sold.
pub(crate) async fn settle(yard: &mut Yard, held: &[Held], after: u64) -> (Books, Vec<String>) {
    let began = Instant::now();
    let mut ticks: i64 = 0;
    loop {
        yard.supervise().await;
        let books = yard.books(held, after).await;
        let is_sold = books.positions.iter().all(|held| held.status == "CLOSED");
        if is_sold && books.is_settled() {
            yard.set_mode("RUNNING").await;
            let faults = books.faults();
            return (books, faults);
        }
        if began.elapsed() > SETTLE_MAX {
            let mut faults = vec!["not settled in time".to_owned()];
            faults.extend(books.faults());
            return (books, faults);
        }
        if began.elapsed() > FLATTEN_AFTER {
            yard.set_mode("EMERGENCY_FLATTEN").await;
        }
        ticks += 1;
        yard.fall(held, BELOW_ALL - 100 * (ticks % 2)).await;
        tokio::time::sleep(TICK_EVERY).await;
    }
}
