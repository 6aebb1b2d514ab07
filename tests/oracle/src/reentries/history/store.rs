//! The store of a history: it keeps what is said, and tells the engine of it a moment later.

use turnstile_dataflows::engine::Change;
use turnstile_dataflows::model::{Position, PositionMode, Price, Quantity};
use turnstile_dataflows::reentry::{CandidateState, Purchase, StoredCandidate, Underway};

use super::super::SECOND;
use super::super::oracle::Said;
use super::{History, at};

impl History {
    pub(super) fn over(&self) -> StoredCandidate {
        StoredCandidate {
            symbol: self.symbol,
            state: CandidateState::Over,
            cooldown_until: None,
            watch_until: None,
            blocked: None,
            refused: None,
        }
    }

    pub(super) fn purchase(&mut self, candidate: &str, decided: u64) -> Change {
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
    pub(in crate::reentries) fn hear(&mut self, now: u64, said: &Said) {
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
    pub(super) fn fill(
        &mut self,
        id: &str,
        time: u64,
        order: (i64, i64),
        mut row: StoredCandidate,
    ) {
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
    pub(super) fn underway(&self, of: &str, left: i64, price: i64) -> Change {
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
