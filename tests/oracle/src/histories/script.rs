//! Histories written by hand.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use turnstile_dataflows::model::{
    ActionKey, ExitMode, ExitOrder, LogicalTime, OrderStatus, Phase, Position, PositionId,
    PositionMode, Price, Quantity, Symbol, Tick,
};

use super::engine::{Shape, decide};
use super::{Logged, order_of};
use crate::oracle::{Decision, Fills, News, Oracle, Row, Rule, Rules, Scope, State, state_after};

/// 2026-11-24 12:00:00 in Seoul.
const NOON: u64 = 1_795_489_200_000_000;

/// A history of one symbol under one profile, as it is written down. It is played through the
/// oracle at once, and through the engine at the end.
pub struct Script {
    oracle: Oracle,
    fills: Fills,
    rules: Rules,
    log: Vec<Logged>,
    decided: Vec<Decision>,
    held: BTreeMap<PositionId, (Position, State)>,
    last: u64,
}

/// Returns a price.
///
/// # Panics
/// If `text` is none.
pub fn price(text: &str) -> Price {
    text.parse().expect("a price")
}

fn shares(count: i64) -> Quantity {
    Quantity::new(count).expect("not below zero")
}

fn symbol() -> Symbol {
    "005930".parse().expect("a symbol")
}

/// Returns the profile `default` of the contract.
pub fn default_profile() -> Value {
    json!({
        "atr": {"ref": 0.02, "factor_min": 1.0, "factor_max": 1.0},
        "hard_stop": {"pnl": -0.07},
        "gap_down": {"change": 0.0, "window_s": 30},
        "sl2": {"pnl": -0.05, "min": 0.0, "max": 0.0, "qty": 1.0},
        "break_even": {"trigger": 0.0, "buffer": 0.01},
        "sl1": {"pnl": -0.03, "min": 0.0, "max": 0.0, "qty": 0.5},
        "tp1": {"pnl": 0.07, "min": 0.0, "max": 0.0, "qty": 0.10, "floor": 0.006},
        "tp2": {"pnl": 0.10, "min": 0.0, "max": 0.0, "qty": 0.20},
        "tp3": {"pnl": 0.15, "min": 0.0, "max": 0.0, "qty": 0.30, "start_trailing": true},
        "trail": {"pct": 0.03, "atr_k": 2.0, "qty": 0.5},
        "time": {"max_hold_days": 0, "no_momentum_days": 0, "no_momentum_profit": 0.0},
        "custom": [],
    })
}

impl Script {
    /// Begins a history under `profile`, a minute before noon.
    pub fn new(fills: Fills, profile: &Value) -> Self {
        let mut script = Self {
            oracle: Oracle::new(fills),
            fills,
            rules: Rules::read(profile),
            log: Vec::new(),
            decided: Vec::new(),
            held: BTreeMap::new(),
            last: NOON - 60_000_000,
        };
        let rule = Rule {
            scope: Scope::Default,
            version: 1,
            profile: profile.clone(),
        };
        let id = "default".parse().expect("an identifier");
        script.rows(vec![
            Row::Mode(ExitMode::Running),
            Row::Rule(id, Some(rule)),
        ]);
        script
    }

    fn play(&mut self, now: u64, news: News) -> Vec<Decision> {
        assert!(now > self.last, "time goes on");
        self.last = now;
        let time = LogicalTime::from_micros(now);
        let decisions = self.oracle.take(time, &news);
        self.decided.extend(decisions.iter().cloned());
        let history = None;
        self.log.push(Logged {
            time,
            news,
            history,
        });
        decisions
    }

    /// Rows change right after the last event.
    pub fn rows(&mut self, rows: Vec<Row>) -> Vec<Decision> {
        self.play(self.last + 1, News::Rows(rows))
    }

    /// Position `id` enters.
    pub fn open(&mut self, id: &str, qty: i64, avg: &str) -> Vec<Decision> {
        let position = Position {
            id: id.parse().expect("an identifier"),
            symbol: symbol(),
            qty: shares(qty),
            original_qty: shares(qty),
            avg_price: Some(price(avg)),
            entry: LogicalTime::from_micros(self.last),
            is_live: true,
            mode: PositionMode::Enabled,
            profile: None,
            strategy: "MANUAL".into(),
            cycle: 1,
            version: 1,
        };
        self.store(position, State::default(), Vec::new())
    }

    /// The row and the state of position `id` change.
    ///
    /// # Panics
    /// If there is no such position.
    pub fn change(
        &mut self,
        id: &str,
        change: impl FnOnce(&mut Position, &mut State),
    ) -> Vec<Decision> {
        let id = id.parse().expect("an identifier");
        let (mut position, mut state) = self.held[&id].clone();
        position.version += 1;
        change(&mut position, &mut state);
        self.store(position, state, Vec::new())
    }

    fn store(&mut self, position: Position, state: State, mut rows: Vec<Row>) -> Vec<Decision> {
        rows.push(Row::State(position.id.clone(), state));
        rows.push(Row::Position(position.clone()));
        self.held.insert(position.id.clone(), (position, state));
        self.rows(rows)
    }

    /// A trade at `seconds` after noon.
    pub fn tick(&mut self, seconds: u64, last: &str) -> Vec<Decision> {
        self.tick_at(seconds * 1_000_000, last)
    }

    /// A trade at `micros` after noon.
    pub fn tick_at(&mut self, micros: u64, last: &str) -> Vec<Decision> {
        let now = NOON + micros;
        let tick = Tick {
            time: LogicalTime::from_micros(now),
            symbol: symbol(),
            last: price(last),
            bid: None,
            volume: 0,
        };
        self.play(now, News::Tick(tick))
    }

    /// The last price is confirmed at `micros` after noon.
    pub fn confirmed_at(&mut self, micros: u64) {
        self.play(NOON + micros, News::Confirmed(symbol()));
    }

    /// The clock tells `micros` after noon.
    pub fn clock_at(&mut self, micros: u64) {
        self.play(NOON + micros, News::Clock);
    }

    /// The order of `decision` has `filled` shares so far and is in `status`; the ledger does what
    /// follows from that in the same transaction.
    pub fn result(&mut self, decision: &Decision, filled: i64, status: OrderStatus) {
        let (mut position, mut state) = self.held[&decision.position].clone();
        let order = ExitOrder {
            filled: shares(filled),
            status,
            ..order_of(decision)
        };
        position.qty = position.qty.saturating_sub(shares(filled));
        position.version += 1;
        position.is_live = !position.qty.is_zero();
        let is_over = ![
            OrderStatus::New,
            OrderStatus::PendingApproval,
            OrderStatus::Submitted,
            OrderStatus::Partial,
        ]
        .contains(&status);
        if is_over && filled > 0 {
            let avg = position.avg_price.expect("it was judged");
            state = state_after(state, order.reason, avg, &self.rules);
        }
        if !position.is_live {
            state.phase = Phase::Exited;
        }
        let decisions = self.store(position, state, vec![Row::Order(order)]);
        assert!(decisions.is_empty(), "results of orders evaluate nothing");
    }

    /// The order of `decision` fills whole.
    pub fn fill(&mut self, decision: &Decision) {
        self.result(decision, decision.qty, OrderStatus::Filled);
    }

    /// Returns the key of a decision, to put into rows.
    pub fn key(decision: &Decision) -> ActionKey {
        ActionKey::stored(&decision.action_key)
    }

    /// Returns everything that the engine decides in this history, as text.
    ///
    /// # Panics
    /// If the oracle decides something else.
    pub fn engine(&self) -> Vec<String> {
        for (batch, workers) in [(1, 1), (1_000, 2)] {
            let decided = decide(&self.log, self.fills, Shape { batch, workers });
            assert_eq!(said(&decided), said(&self.decided), "engine and oracle");
            assert_eq!(decided, self.decided, "engine and oracle");
        }
        said(&self.decided)
    }

    /// Returns everything that the oracle decides in this history, as text.
    pub fn oracle(&self) -> Vec<String> {
        said(&self.decided)
    }
}

/// Returns reason, quantity and level of each decision, as text.
pub fn said(decisions: &[Decision]) -> Vec<String> {
    let one =
        |decision: &Decision| format!("{} {} at {}", decision.reason, decision.qty, decision.level);
    decisions.iter().map(one).collect()
}
