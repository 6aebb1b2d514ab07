//! The wiring: rows in, orders and skips out.
//!
//! ```text
//! targets, stakes ─> names ─⋈─ equity ─┐
//! targets, stakes, prices ─────────────┴─> wish or skip by symbol ─┬─> skips
//! funds ───────────────────────────────────────────────────────────┴─> dealt out ─> orders, skips
//! ```
//!
//! Keeps what is known of each symbol, and its wish, twice: by symbol and in the order of dealing. Equity
//! comes to the names alone, so a price of what is none says nothing.

use std::cell::Cell;
use std::rc::Rc;

use serde::{Deserialize, Serialize};
use turnstile_dataflows::Rows;
use turnstile_dataflows::model::Symbol;

use super::purse::Purses;
use super::values::{Funds, Order, Quote, Skip, Stake, Target};
use super::wish::{Name, Place};
use crate::tell::{Symbols, tell};

/// What comes in.
pub(super) struct Inputs<'s> {
    /// At most one row.
    pub(super) funds: Rows<'s, Funds>,
    pub(super) targets: Rows<'s, (Symbol, Target)>,
    pub(super) stakes: Rows<'s, (Symbol, Stake)>,
    pub(super) prices: Rows<'s, (Symbol, Quote)>,
}

/// What goes out: each name in one of both.
pub(super) struct Outputs<'s> {
    pub(super) orders: Rows<'s, (Place, Order)>,
    pub(super) skipped: Rows<'s, (Symbol, Skip)>,
}

/// What is known of a symbol; that it is a name sorts first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
enum Fact {
    /// It is a name, of an account that is worth so much.
    Equity(i128),
    Target(Target),
    Stake(Stake),
    Price(Quote),
}

/// What is dealt with, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
enum Lot {
    Funds(Funds),
    Wish(Place, Order),
}

/// Renders the rebalance; counts the names that are reckoned.
pub(super) fn render<'s>(inputs: Inputs<'s>, reckoned: Rc<Cell<u64>>) -> Outputs<'s> {
    let Inputs {
        funds,
        targets,
        stakes,
        prices,
    } = inputs;
    let of_portfolio = targets.clone().map(|(symbol, _target)| symbol);
    let of_strategy = stakes.clone().map(|(symbol, _stake)| symbol);
    let names: Symbols<'s> = of_portfolio
        .concat(of_strategy)
        .distinct()
        .map(|symbol| ((), symbol))
        .arrange_by_key_named("rebalance: names");
    let equity = tell(&names, funds.clone().map(|funds| funds.equity));
    let facts = equity
        .map(|(symbol, equity)| (symbol, Fact::Equity(equity)))
        .concatenate([
            targets.map(|(symbol, row)| (symbol, Fact::Target(row))),
            stakes.map(|(symbol, row)| (symbol, Fact::Stake(row))),
            prices.map(|(symbol, row)| (symbol, Fact::Price(row))),
        ]);
    let wishes = facts.reduce_named("rebalance: wish by symbol", move |symbol, facts, output| {
        let Some(((Fact::Equity(equity), _count), facts)) = facts.split_first() else {
            return;
        };
        reckoned.set(reckoned.get() + 1);
        let name = name(*symbol, *equity, facts);
        output.push((name.wish(), 1));
    });
    let skipped = wishes
        .clone()
        .flat_map(|(symbol, wish)| Some((symbol, wish.err()?)));
    let lots = wishes.flat_map(|(_symbol, wish)| {
        let (place, order) = wish.ok()?;
        Some(Lot::Wish(place, order))
    });
    let dealt = dealt(funds.map(Lot::Funds).concat(lots));
    Outputs {
        orders: dealt.clone().flat_map(Result::ok),
        skipped: skipped.concat(dealt.flat_map(Result::err)),
    }
}

/// Puts together what is known of a name.
fn name(symbol: Symbol, equity: i128, facts: &[(&Fact, isize)]) -> Name {
    let mut name = Name {
        symbol,
        equity,
        target: None,
        stake: Stake::default(),
        quote: None,
    };
    for (fact, _count) in facts {
        match fact {
            Fact::Equity(_equity) => {}
            Fact::Target(target) => name.target = Some(*target),
            Fact::Stake(stake) => name.stake = *stake,
            Fact::Price(quote) => name.quote = Some(*quote),
        }
    }
    name
}

/// Deals turnover and cash out, in the order of places.
fn dealt(lots: Rows<'_, Lot>) -> Rows<'_, Result<(Place, Order), (Symbol, Skip)>> {
    lots.map(|lot| ((), lot))
        .reduce_named("rebalance: dealt out in order", |(), lots, output| {
            let Some(((Lot::Funds(funds), _count), lots)) = lots.split_first() else {
                return;
            };
            let mut purses = Purses::new(*funds);
            for (lot, _count) in lots {
                if let Lot::Wish(place, order) = lot {
                    let taken = purses.take(order);
                    let taken = taken.map(|taken| (*place, taken));
                    output.push((taken.map_err(|skip| (order.symbol, skip)), 1));
                }
            }
        })
        .map(|((), dealt)| dealt)
}
