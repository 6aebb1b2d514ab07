//! One symbol: its exits, its prices, and the store that keeps what is said of it.

mod store;

use std::collections::{BTreeMap, VecDeque};

use turnstile_dataflows::engine::{Change, Event};
use turnstile_dataflows::exit::SymbolContext;
use turnstile_dataflows::model::{
    ExitEventId, LogicalTime, Position, Price, Quantity, SaleResult, Symbol, Tick,
};
use turnstile_dataflows::reentry::{CandidateState, ExitEvent, StoredCandidate};

use super::{MINUTE, SECOND};
use crate::Dice;

const DAY: u64 = 1_440 * MINUTE;
/// Events of one history, rows of the store apart.
const EVENTS: u64 = 78;
const REASONS: [&str; 14] = [
    "SL1",
    "SL2",
    "SL2",
    "HARDSTOP",
    "STOP_FLOOR",
    "TRAIL",
    "TRAIL_PARTIAL",
    "TRAIL",
    "TP1",
    "TP2",
    "TP3",
    "CUSTOM_PROFIT",
    "TIME",
    "MANUAL",
];

/// A history and its store.
pub(super) struct History {
    dice: Dice,
    number: usize,
    symbol: Symbol,
    /// Last price, in ten-thousandths of a won.
    price: i64,
    left: u64,
    exits: u64,
    sales: u64,
    positions: u64,
    stored: BTreeMap<String, StoredCandidate>,
    held: Vec<Position>,
    /// Rows of the store on their way to the engine, by time.
    coming: VecDeque<(u64, Vec<Change>)>,
    wake: Option<u64>,
}

fn at(time: u64) -> LogicalTime {
    LogicalTime::from_micros(time)
}

impl History {
    pub(super) fn new(seed: u64, number: usize) -> Self {
        let stream = u64::try_from(number).expect("a small number") + 1;
        Self {
            dice: Dice::new(seed, stream),
            number,
            symbol: format!("R{number}").parse().expect("a symbol"),
            price: 100_000_000,
            left: EVENTS,
            exits: 0,
            sales: 0,
            positions: 0,
            stored: BTreeMap::new(),
            held: Vec::new(),
            coming: VecDeque::new(),
            wake: None,
        }
    }

    /// What happened in the days before `now`.
    pub(super) fn before(&mut self, now: u64) -> Vec<Change> {
        let mut rows = Vec::new();
        for _ in 0..self.dice.pick(&[0, 0, 0, 0, 0, 1, 1, 2]) {
            let (id, mut row) = self.exit(now);
            row.exit = at(now - self.dice.below(DAY + DAY / 4));
            rows.push(self.sale(row.exit));
            rows.push(Change::ExitEvent(row));
            rows.push(Change::Candidate(id, self.over()));
        }
        for _ in 0..self.dice.pick(&[0, 0, 0, 0, 1, 2]) {
            let days = self.dice.below(9);
            rows.push(self.purchase("earlier", now - days * DAY));
        }
        if self.dice.percent(30) {
            rows.extend(self.resumed(now));
        }
        rows.push(self.context());
        rows.extend(self.dice.percent(80).then(|| self.ranked(now)));
        rows
    }

    /// The place in a ranking comes with one, goes with one, or is that of an old one. Rankings are of
    /// days in Seoul.
    fn ranked(&mut self, now: u64) -> Change {
        // One of a day to come is as of tomorrow.
        let times = [
            None,
            Some(now + DAY),
            Some(now + DAY),
            Some(now),
            Some(now),
            Some(now - DAY),
            Some(now - 7 * DAY),
            Some(now - 7 * DAY),
            Some(now - 7 * DAY),
            Some(now - 8 * DAY),
            Some(now - 30 * DAY),
        ];
        let time = self.dice.pick(&times);
        Change::Ranked(self.symbol, time.map(|time| at(time).seoul_day()))
    }

    /// A candidate of an earlier run, somewhere on its way.
    fn resumed(&mut self, now: u64) -> Vec<Change> {
        use CandidateState::{Cooldown, Entered, Ready, Watch};
        let (id, event) = self.exit(now);
        let end = now + self.dice.below(MINUTE);
        let row = StoredCandidate {
            symbol: self.symbol,
            state: self.dice.pick(&[Cooldown, Watch, Watch, Ready, Entered]),
            cooldown_until: Some(at(end)),
            watch_until: Some(at(end + self.dice.below(10 * MINUTE))),
            blocked: self
                .dice
                .percent(30)
                .then(|| ("G0".into(), "stored".into())),
            refused: None,
        };
        let key = id.to_string();
        self.stored.insert(key.clone(), row.clone());
        let sale = self.sale(event.exit);
        let mut rows = vec![
            sale,
            Change::ExitEvent(event),
            Change::Candidate(id, row.clone()),
        ];
        if matches!(row.state, Ready | Entered) {
            rows.push(self.purchase(&key, now));
        }
        if row.state == Ready {
            let qty = self.dice.between(1, 100);
            rows.push(self.underway(&key, qty, self.price));
            self.fill(&key, now + 20 * SECOND, (qty, self.price), row);
        }
        rows
    }

    /// Returns when the next event comes, none at the end.
    pub(super) fn next_time(&mut self, now: u64) -> Option<u64> {
        let gap = self.dice.pick(&[SECOND, 4 * SECOND, MINUTE, MINUTE]);
        (self.left > 0).then(|| now + 1 + self.dice.below(gap + gap / 2))
    }

    /// Returns when the store has something to tell, once.
    pub(super) fn take_wake(&mut self) -> Option<u64> {
        self.wake.take()
    }

    pub(super) fn draw(&mut self, now: u64) -> Event {
        if self.coming.front().is_some_and(|(time, _)| *time <= now)
            && let Some((_, rows)) = self.coming.pop_front()
        {
            return Event::Changes(rows);
        }
        if self.left == EVENTS {
            self.left -= 1;
            return Event::Changes(self.leave(now));
        }
        self.left = self.left.saturating_sub(1);
        match self.dice.below(100) {
            0..88 => self.tick(now),
            88..91 => Event::Changes(self.leave(now)),
            91 => {
                let until = self
                    .dice
                    .percent(70)
                    .then(|| now + self.dice.below(5 * MINUTE));
                Event::Changes(vec![Change::Blacklist(self.symbol, until.map(at))])
            }
            92 => Event::Changes(vec![self.context()]),
            98 => Event::Changes(vec![self.ranked(now)]),
            // Part of something is sold.
            99 => Event::Changes(vec![self.sale(at(now))]),
            // Somebody buys by hand, or has done so.
            97 => {
                let qty = self.dice.pick(&[0, 0, 0, 60]);
                Event::Changes(vec![self.underway("hand", qty, self.price)])
            }
            93..95 if !self.stored.is_empty() => {
                let ids: Vec<String> = self.stored.keys().cloned().collect();
                let id = self.dice.pick(&ids).parse().expect("an id");
                Event::Changes(vec![Change::Expiry(id, "operator".into())])
            }
            95..97 if !self.held.is_empty() => {
                let mut position = self.held.remove(0);
                position.is_live = false;
                let mut rows = vec![Change::Position(position)];
                rows.extend(self.leave(now));
                Event::Changes(rows)
            }
            _ => self.tick(now),
        }
    }

    fn tick(&mut self, now: u64) -> Event {
        let step = self.dice.between(-8, 9) * 80_000;
        let jump = self.dice.pick(&[1, 1, 1, 1, 4]);
        self.price = (self.price + step * jump).clamp(97_000_000, 106_000_000);
        let price = Price::from_units(self.price).expect("above zero");
        let bid = self.dice.percent(20).then_some(price);
        let last = if bid.is_some() {
            self.price + 100_000
        } else {
            self.price
        };
        Event::Tick(Tick {
            time: at(now),
            symbol: self.symbol,
            last: Price::from_units(last).expect("above zero"),
            bid,
            volume: self.dice.below(100),
        })
    }

    fn context(&mut self) -> Change {
        let context = SymbolContext {
            atr_pct_millionths: self.dice.percent(85).then(|| self.dice.between(0, 30_000)),
            prev_close: self
                .dice
                .percent(90)
                .then(|| Price::from_units(100_000_000).expect("above zero")),
        };
        Change::Context(self.symbol, context)
    }

    /// A position is left at about the present price.
    fn leave(&mut self, now: u64) -> Vec<Change> {
        let (_id, event) = self.exit(now);
        vec![self.sale(event.exit), Change::ExitEvent(event)]
    }

    /// What a sale brought.
    fn sale(&mut self, sold: LogicalTime) -> Change {
        self.sales += 1;
        let id = format!("s{}-{}", self.number, self.sales);
        Change::Sale(SaleResult {
            id: id.parse().expect("an id"),
            sold,
            units: self.dice.between(-1_000_000_000, 800_000_000),
        })
    }

    fn exit(&mut self, now: u64) -> (ExitEventId, ExitEvent) {
        self.exits += 1;
        let id = format!("e{}-{}", self.number, self.exits);
        let id: ExitEventId = id.parse().expect("an id");
        let price = self.price + self.dice.between(-1_000_000, 1_000_000);
        let mark = price + self.dice.between(0, 1_000_000);
        let event = ExitEvent {
            id: id.clone(),
            symbol: self.symbol,
            reason: self.dice.pick(&REASONS).into(),
            exit: at(now - self.dice.below(2 * SECOND)),
            exit_price: Price::from_units(price).expect("above zero"),
            original_qty: Quantity::new(self.dice.between(0, 200)).expect("shares"),
            prior_hwm: self
                .dice
                .percent(85)
                .then(|| Price::from_units(mark).expect("above zero")),
        };
        (id, event)
    }
}
