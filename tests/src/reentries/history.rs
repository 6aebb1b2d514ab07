//! One symbol: its exits, its prices, and the store that keeps what is said of it.

use std::collections::{BTreeMap, VecDeque};

use turnstile_dataflows::engine::{Change, Event};
use turnstile_dataflows::exit::SymbolContext;
use turnstile_dataflows::model::{
    ExitEventId, LogicalTime, Position, PositionMode, Price, Quantity, Symbol, Tick,
};
use turnstile_dataflows::reentry::{
    CandidateState, ExitEvent, Purchase, StoredCandidate, Underway,
};

use super::oracle::Said;
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
        rows
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
        let mut rows = vec![Change::ExitEvent(event), Change::Candidate(id, row.clone())];
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
            return Event::Changes(vec![self.leave(now)]);
        }
        self.left = self.left.saturating_sub(1);
        match self.dice.below(100) {
            0..88 => self.tick(now),
            88..91 => Event::Changes(vec![self.leave(now)]),
            91 => {
                let until = self
                    .dice
                    .percent(70)
                    .then(|| now + self.dice.below(5 * MINUTE));
                Event::Changes(vec![Change::Blacklist(self.symbol, until.map(at))])
            }
            92 => Event::Changes(vec![self.context()]),
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
                Event::Changes(vec![Change::Position(position), self.leave(now)])
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
    fn leave(&mut self, now: u64) -> Change {
        Change::ExitEvent(self.exit(now).1)
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
            result: self.dice.between(-1_000_000_000, 800_000_000),
        };
        (id, event)
    }

    fn over(&self) -> StoredCandidate {
        StoredCandidate {
            symbol: self.symbol,
            state: CandidateState::Over,
            cooldown_until: None,
            watch_until: None,
            blocked: None,
            refused: None,
        }
    }

    fn purchase(&mut self, candidate: &str, decided: u64) -> Change {
        self.positions += 1;
        let key = format!("{candidate}:{}:{}", self.number, self.positions);
        let row = Purchase {
            symbol: self.symbol,
            candidate: candidate.parse().expect("an id"),
            decided: at(decided),
        };
        Change::Purchase(key.into(), row)
    }

    /// Stores what is said, and tells the engine of it a moment later.
    pub(super) fn hear(&mut self, now: u64, said: &Said) {
        let own = format!("e{}-", self.number);
        if !said.candidate.starts_with(&own) {
            return;
        }
        let over = self.over();
        let id = said.candidate.clone();
        let row = self.stored.entry(id.clone()).or_insert(over);
        let mut words = said.what.split(' ');
        let kind = words.next().unwrap_or_default();
        let figure = || {
            said.what
                .split(' ')
                .nth(1)
                .and_then(|word| word.parse().ok())
        };
        let mut rows = Vec::new();
        match kind {
            "COOLDOWN" => {
                row.state = CandidateState::Cooldown;
                row.cooldown_until = figure().map(at);
                row.blocked = None;
            }
            "WATCH" => {
                if row.state != CandidateState::Entered {
                    row.state = CandidateState::Watch;
                }
                row.watch_until = figure().map(at);
                row.blocked = None;
            }
            "SUBMIT" => {
                row.state = CandidateState::Ready;
                row.blocked = None;
            }
            "BLOCKED" => {
                let gate = said.what.split(' ').nth(1).unwrap_or_default();
                let is_final = said.what.contains("for good");
                if is_final && row.state != CandidateState::Entered {
                    row.state = CandidateState::Over;
                }
                row.blocked = Some((gate.into(), "stored".into()));
            }
            _ => row.state = CandidateState::Over,
        }
        let row = row.clone();
        let order = figure().zip(said.price);
        let order =
            order.map(|(qty, price): (u64, i64)| (i64::try_from(qty).expect("shares"), price));
        let order = order.filter(|_| kind == "SUBMIT");
        if let Some((qty, price)) = order {
            rows.push(self.purchase(&id, said.time));
            rows.push(self.underway(&id, qty, price));
        }
        let is_over = row.state == CandidateState::Over;
        rows.push(Change::Candidate(id.parse().expect("an id"), row.clone()));
        let late = self.dice.pick(&[SECOND, 20 * SECOND]);
        let mut time = now + 1_000 + self.dice.below(late);
        self.tell(time, rows);
        if let Some(order) = order {
            time += self.dice.below(20 * SECOND);
            self.fill(&id, time, order, row);
        }
        if is_over {
            self.stored.remove(&id);
        }
    }

    /// The order of a candidate ends: with shares, or refused by the broker.
    fn fill(&mut self, id: &str, time: u64, order: (i64, i64), mut row: StoredCandidate) {
        let (qty, price) = order;
        let candidate = id.parse().expect("an id");
        if self.dice.percent(15) {
            self.stored.remove(id);
            let over = self.over();
            let end = self.underway(id, 0, price);
            return self.tell(time, vec![end, Change::Candidate(candidate, over)]);
        }
        if qty > 1 && self.dice.percent(25) {
            let first = self.dice.between(1, qty - 1);
            let position = self.bought(time, first, price);
            let rest = self.underway(id, qty - first, price);
            self.tell(time, vec![rest, Change::Position(position)]);
            let grown = self.held.last_mut().expect("just bought");
            grown.qty = Quantity::new(qty).expect("shares");
            grown.original_qty = grown.qty;
            grown.version += 1;
        } else {
            self.bought(time, qty, price);
        }
        let position = self.held.last().expect("just bought").clone();
        row.state = CandidateState::Entered;
        self.stored.insert(id.to_owned(), row.clone());
        let end = self.underway(id, 0, price);
        self.tell(
            time,
            vec![
                end,
                Change::Position(position),
                Change::Candidate(candidate, row),
            ],
        );
    }

    /// Shares that an order brings.
    fn bought(&mut self, time: u64, qty: i64, price: i64) -> Position {
        self.positions += 1;
        let qty = Quantity::new(qty).expect("shares");
        let position = Position {
            id: format!("p{}-{}", self.number, self.positions)
                .parse()
                .expect("an id"),
            symbol: self.symbol,
            qty,
            original_qty: qty,
            avg_price: Price::from_units(price).ok(),
            entry: at(time),
            is_live: true,
            mode: PositionMode::Enabled,
            profile: None,
            strategy: "S".into(),
            cycle: 1,
            version: 1,
        };
        self.held.push(position.clone());
        position
    }

    /// An order of which `left` shares may still come; none is its end.
    fn underway(&self, of: &str, left: i64, price: i64) -> Change {
        let row = (left > 0).then(|| Underway {
            symbol: self.symbol,
            left: Quantity::new(left).expect("shares"),
            price: Price::from_units(price).expect("above zero"),
        });
        Change::Underway(format!("{of}:{}", self.number).into(), row)
    }

    /// What is told comes in the order in which it was stored.
    fn tell(&mut self, time: u64, rows: Vec<Change>) {
        let last = self.coming.back().map_or(0, |(last, _)| *last);
        let time = time.max(last + 1);
        self.coming.push_back((time, rows));
        self.wake = Some(time);
    }
}
