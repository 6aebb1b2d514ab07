//! The crossing: prices meet plans.
//!
//! Keeps per symbol that has traded its last price and, where positions are held, their book.
//! Cost per update: see [`Book`]; a tick first finds its symbol by hash.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use crate::model::{ExitOrder, LogicalTime, ManualSale, PositionId, Symbol, Tick};
use crate::ordered::{self, Beat, Branch, Machine, Routed, Signal};
use crate::price::{Quote, Taken};
use crate::slots::Nearness;
use crate::{Rows, Time};

use super::book::{Book, Bounds, Desk, Happening, LastPrice};
use super::plan::Plan;
use super::{ExitOutput, Fills, NearnessChange};

/// Anything but a tick that concerns one symbol, or all.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Fact {
    Plan(Plan),
    Order(Box<ExitOrder>),
    /// What the operator asks to sell.
    Manual(ManualSale),
    Closed(Symbol, PositionId),
}

impl Routed for Fact {
    fn route(&self) -> u64 {
        match self {
            Self::Plan(plan) => plan.row.position.symbol.route(),
            Self::Closed(symbol, _) => symbol.route(),
            Self::Order(order) => order.symbol.route(),
            Self::Manual(sale) => sale.symbol.route(),
        }
    }
}

/// How much work the crossing has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Work {
    /// Levels that ticks were compared with.
    pub levels_examined: u64,
    /// Positions that were judged because a tick reached one of their levels.
    pub levels_reached: u64,
}

/// [`Work`] of all workers, to be taken from outside.
#[derive(Debug, Default)]
pub struct WorkCount {
    examined: AtomicU64,
    reached: AtomicU64,
}

impl WorkCount {
    fn add(&self, work: Work) {
        self.examined
            .fetch_add(work.levels_examined, Ordering::Relaxed);
        self.reached
            .fetch_add(work.levels_reached, Ordering::Relaxed);
    }

    /// Returns what was done since it was last taken.
    pub fn take(&self) -> Work {
        Work {
            levels_examined: self.examined.swap(0, Ordering::Relaxed),
            levels_reached: self.reached.swap(0, Ordering::Relaxed),
        }
    }
}

/// Renders the crossing of `beats` with `facts`.
pub(super) fn render<'s>(
    beats: Rows<'s, Beat>,
    facts: Rows<'s, Fact>,
    fills: Fills,
    count: Arc<WorkCount>,
    are_views_kept: bool,
) -> Rows<'s, ExitOutput> {
    let desk = Desk {
        fills,
        ..Desk::default()
    };
    let books = Books {
        desk,
        count,
        places: FxHashMap::default(),
        books: Vec::new(),
        are_views_kept,
    };
    let name = "exit: crossing by symbol";
    ordered::render(beats, facts, Branch::Exits, name, books)
}

/// One symbol: what a tick is compared with, and the book behind it.
struct Traded {
    symbol: Symbol,
    bounds: Bounds,
    last: LastPrice,
    book: Option<Box<Book>>,
    near: Option<Nearness>,
}

impl Traded {
    /// Returns how near the price is to a level, if that has changed since it was last told.
    fn nearness(&mut self) -> Option<NearnessChange> {
        let price = self.last.tick.map(|tick| tick.evaluation_price());
        let held = self.book.as_deref().filter(|book| book.is_held());
        let new = held.zip(price).map(|(book, price)| book.nearness(price));
        let old = std::mem::replace(&mut self.near, new);
        (old != new).then_some(NearnessChange {
            symbol: self.symbol,
            old,
            new,
        })
    }
}

struct Books {
    places: FxHashMap<Symbol, usize>,
    books: Vec<Traded>,
    desk: Desk,
    count: Arc<WorkCount>,
    are_views_kept: bool,
}

impl Books {
    fn of(&mut self, symbol: Symbol) -> &mut Traded {
        let next = self.books.len();
        let place = *self.places.entry(symbol).or_insert(next);
        if place == next {
            self.books.push(Traded {
                symbol,
                bounds: Bounds::NOTHING,
                last: LastPrice::default(),
                book: None,
                near: None,
            });
        }
        &mut self.books[place]
    }

    /// Tells levels that have changed, in books nearest to firing first.
    fn tell_levels(&mut self, rows: usize, said: &mut Vec<ExitOutput>) {
        let dirty = self.books.iter().enumerate().filter_map(|(place, traded)| {
            let book = traded.book.as_deref().filter(|book| book.is_dirty())?;
            let price = traded.last.tick.map(|tick| tick.evaluation_price());
            Some((price.map_or(0, |price| book.distance(price)), place))
        });
        let mut dirty: Vec<_> = dirty.collect();
        dirty.sort_unstable();
        let mut left = rows;
        for (_distance, place) in dirty {
            if left == 0 {
                return;
            }
            let traded = &mut self.books[place];
            if let Some(book) = traded.book.as_deref_mut() {
                left = left.saturating_sub(book.tell_levels(&traded.last, left, said));
            }
        }
    }
}

impl Machine<Fact, ExitOutput> for Books {
    fn tick(&mut self, tick: &Tick, said: &mut Vec<ExitOutput>) {
        let place = match self.places.get(&tick.symbol) {
            Some(place) => *place,
            None => {
                self.of(tick.symbol);
                self.books.len() - 1
            }
        };
        let traded = &mut self.books[place];
        traded.last.tick = Some(*tick);
        traded.last.received = tick.time;
        self.desk.work.levels_examined += Bounds::LIMITS;
        if traded.bounds.hold(tick.time, tick.evaluation_price()) {
            return;
        }
        if let Some(book) = traded.book.as_deref_mut() {
            book.tick(tick, &mut self.desk, said);
            traded.bounds = book.bounds();
        }
    }

    fn quote(&mut self, time: Time, quote: &Quote, taken: Taken, said: &mut Vec<ExitOutput>) {
        match taken {
            Taken::Tick => {
                self.tick(&quote.tick(LogicalTime::from_micros(time)), said);
                // Its age is that of its receipt, which may have been a while ago.
                self.of(quote.symbol).last.received = quote.received;
            }
            Taken::Confirmed => {
                let last = &mut self.of(quote.symbol).last;
                last.received = last.received.max(quote.received);
            }
            Taken::Behind(_) | Taken::Late => {}
        }
    }

    fn signal(&mut self, time: Time, signal: Signal, said: &mut Vec<ExitOutput>) {
        let now = LogicalTime::from_micros(time);
        match signal {
            Signal::Session { .. } => {}
            Signal::Clock { .. } => {
                for traded in &mut self.books {
                    let Some(book) = traded.book.as_deref_mut() else {
                        continue;
                    };
                    let changed = book.freshness(now, &traded.last);
                    said.extend(changed.map(ExitOutput::Freshness));
                    if self.are_views_kept {
                        let changed = traded.nearness();
                        said.extend(changed.map(ExitOutput::Nearness));
                    }
                }
            }
            Signal::Levels { rows, .. } => {
                self.tell_levels(usize::try_from(rows).unwrap_or(usize::MAX), said);
            }
        }
    }

    fn facts(&mut self, time: Time, facts: Vec<(Fact, isize)>, said: &mut Vec<ExitOutput>) {
        let now = LogicalTime::from_micros(time);
        let mut happenings: BTreeMap<Symbol, Happening> = BTreeMap::new();
        for (fact, diff) in facts {
            match fact {
                Fact::Plan(plan) => {
                    let symbol = plan.row.position.symbol;
                    let happening = happenings.entry(symbol).or_default();
                    happening.plans.push((plan, diff));
                }
                Fact::Order(order) if diff > 0 => {
                    happenings
                        .entry(order.symbol)
                        .or_default()
                        .orders
                        .push(*order);
                }
                Fact::Closed(symbol, id) if diff > 0 => {
                    happenings.entry(symbol).or_default().closed.push(id);
                }
                Fact::Manual(sale) => {
                    let happening = happenings.entry(sale.symbol).or_default();
                    happening.manual.push((sale, diff > 0));
                }
                Fact::Order(_) | Fact::Closed(..) => {}
            }
        }
        for (symbol, happening) in happenings {
            self.of(symbol);
            let traded = &mut self.books[self.places[&symbol]];
            let book = traded.book.get_or_insert_default();
            book.apply(now, happening, &traded.last, &mut self.desk, said);
            traded.bounds = book.bounds();
        }
    }

    fn deadline(&self) -> Option<Time> {
        None // Times only matter to the tick that comes after them.
    }

    fn rest(&mut self) {
        self.count.add(std::mem::take(&mut self.desk.work));
    }
}
