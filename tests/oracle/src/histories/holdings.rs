//! Positions enter, grow, change and are asked for.

use turnstile_dataflows::model::{
    ActionKey, ExitOrder, ExitReason, LogicalTime, ManualSale, OrderStatus, Phase, Position,
    PositionMode, Price, Quantity,
};

use super::history::{History, Holding};
use crate::oracle::{Fills, Rate, Row, State, Won};

const DAY: u64 = 86_400_000_000;
/// Live positions of one history at most.
const POSITIONS_MAX: usize = 4;

fn shares(count: i64) -> Quantity {
    Quantity::new(count.max(0)).expect("not below zero")
}

impl History {
    /// A position enters. Nothing, where there are enough.
    pub(super) fn enter(&mut self, now: u64) -> Vec<Row> {
        if self.oracle.positions(self.symbol).count() >= POSITIONS_MAX {
            return Vec::new();
        }
        let holding = self.new_holding(now);
        let id = holding.position.id.clone();
        let mut rows = Vec::new();
        let is_reported = self.fills == Fills::Reported;
        if is_reported && self.dice.percent(15) {
            for _ in 0..self.dice.below(3) {
                rows.extend(self.earlier_order(&holding, now));
            }
        }
        if is_reported {
            self.store(holding, &mut rows);
        } else {
            rows.push(Row::Position(holding.position));
            rows.push(Row::State(id, holding.state));
        }
        rows
    }

    fn new_holding(&mut self, now: u64) -> Holding {
        let count = if self.dice.percent(60) {
            self.dice.between(1, 10)
        } else {
            self.dice.between(11, 500)
        };
        let near = self.dice.between(-25, 25);
        let avg = self.base + self.base * near / 1_000 + self.dice.between(0, 3);
        let avg = match self.last {
            Some(last) if self.dice.percent(50) => last,
            _ => Price::from_units(avg).expect("above zero"),
        };
        let age = match self.dice.below(4) {
            0 => 0,
            1 => self.dice.below(3_600_000_000),
            _ => {
                // Soon held for whole days.
                let soon = self.dice.below(90_000_000);
                (self.dice.below(4) * DAY).saturating_sub(soon)
            }
        };
        let profile = match self.dice.below(10) {
            0..4 => None,
            4 => Some("nowhere".parse().expect("an identifier")),
            _ => self.rules.keys().next_back().cloned(),
        };
        let modes = [
            (88, PositionMode::Enabled),
            (6, PositionMode::ManualOnly),
            (6, PositionMode::Disabled),
        ];
        let is_reported = self.fills == Fills::Reported;
        let name = self.name();
        let strategy = if self.dice.percent(70) {
            self.strategy()
        } else {
            "MANUAL".into()
        };
        let position = Position {
            id: format!("{name}-p").parse().expect("an identifier"),
            symbol: self.symbol,
            qty: shares(count),
            original_qty: shares(count),
            avg_price: Some(avg).filter(|_| !self.dice.percent(1)),
            entry: LogicalTime::from_micros(now - age),
            is_live: true,
            mode: if is_reported {
                self.dice.weighted(&modes)
            } else {
                PositionMode::Enabled
            },
            profile,
            strategy,
            cycle: 1,
            version: 1,
        };
        let state = if is_reported {
            self.new_state(avg)
        } else {
            State::default()
        };
        Holding { position, state }
    }

    /// Draws what fills have made of a position before it came here.
    fn new_state(&mut self, avg: Price) -> State {
        let phases = [
            (55, Phase::Open),
            (15, Phase::Tp1Done),
            (12, Phase::Tp2Done),
            (6, Phase::Tp3Done),
            (12, Phase::TrailingActive),
        ];
        let phase = self.dice.weighted(&phases);
        let rate = Rate::millionths(self.dice.pick(&[6_000, 0, 2_000, 12_345]));
        let has_floor = phase != Phase::Open && self.dice.percent(85);
        let mark = Price::from_units(avg.units() + avg.units() * self.dice.between(0, 40) / 1_000);
        State {
            phase,
            floor: has_floor.then(|| Won::beyond(avg, rate)),
            mark: mark.ok().filter(|_| self.dice.percent(25)),
        }
    }

    /// Draws an order that was decided before the position came here.
    fn earlier_order(&mut self, holding: &Holding, now: u64) -> Option<Row> {
        let position = &holding.position;
        let reason = self.any_reason();
        if reason == ExitReason::Manual {
            return None;
        }
        let is_custom = [ExitReason::CustomLoss, ExitReason::CustomProfit].contains(&reason);
        let rule_id = is_custom.then(|| self.dice.pick(&["c1", "c2", "c3"]).into());
        let attempt = self.dice.pick(&[1, 1, 2, 3, 4]);
        let qty = self.dice.between(1, position.qty.shares().max(1));
        let (status, filled) = self.dice.pick(&[
            (OrderStatus::Submitted, 0),
            (OrderStatus::Partial, qty / 2),
            (OrderStatus::Filled, qty),
            (OrderStatus::Rejected, 0),
            (OrderStatus::Cancelled, 0),
            (OrderStatus::CancelledPartial, qty / 2),
        ]);
        let phase = holding.state.phase;
        let (id, cycle) = (&position.id, position.cycle);
        let order = ExitOrder {
            action_key: ActionKey::exit(
                id,
                cycle,
                phase.name(),
                reason.name(),
                rule_id.as_deref(),
                attempt,
            ),
            position: position.id.clone(),
            symbol: self.symbol,
            reason,
            rule_id,
            phase,
            cycle,
            attempt,
            qty: shares(qty),
            filled: shares(filled),
            status,
            decided: LogicalTime::from_micros(now - 1 - self.dice.below(40_000_000)),
        };
        let is_known = self
            .orders
            .iter()
            .any(|known| known.action_key == order.action_key);
        if is_known {
            return None;
        }
        self.orders.push(order.clone());
        Some(Row::Order(order))
    }

    /// More is bought: a new cycle begins.
    pub(super) fn add_on(&mut self) -> Vec<Row> {
        let Some(mut holding) = self.any_holding() else {
            return Vec::new();
        };
        let position = &mut holding.position;
        position.qty = shares(position.qty.shares() + self.dice.between(1, 50));
        position.original_qty = position.qty;
        position.avg_price = self.last.or(position.avg_price);
        position.cycle += 1;
        position.version += 1;
        holding.state = State::default();
        let mut rows = Vec::new();
        self.store(holding, &mut rows);
        rows
    }

    /// The row of a position changes without a new cycle.
    pub(super) fn disturb(&mut self) -> Vec<Row> {
        let Some(mut holding) = self.any_holding() else {
            return Vec::new();
        };
        let avg = holding.position.avg_price.map_or(self.base, Price::units);
        let position = &mut holding.position;
        position.version += 1;
        match self.dice.below(12) {
            // Rounding at the broker.
            0..5 => {
                let noise = avg + self.dice.between(-30, 30);
                position.avg_price = Price::from_units(noise.max(1)).ok();
            }
            5..7 => {
                let noise = avg + avg * self.dice.between(-15, 15) / 1_000;
                position.avg_price = Price::from_units(noise.max(1)).ok();
            }
            7 => self.split(position),
            8 => position.avg_price = None,
            9 => position.qty = shares(self.dice.between(0, position.qty.shares() + 1)),
            10 => position.profile = self.rules.keys().next().cloned(),
            // A floor only rises; the phase stays.
            _ => {
                let price = Price::from_units(avg + avg / 200).expect("above zero");
                holding.state.floor = holding.state.floor.max(Some(Won::of(price)));
            }
        }
        let mut rows = Vec::new();
        self.store(holding, &mut rows);
        rows
    }

    /// The same holding in other units: a split, or a reverse one where the quantity allows it.
    fn split(&mut self, position: &mut Position) {
        let avg = position.avg_price.map_or(self.base, Price::units);
        let by = self.dice.pick(&[2, 2, 3, 10]);
        let (qty, original) = (position.qty.shares(), position.original_qty.shares());
        let noise = self.dice.pick(&[0, 0, 1, 200]);
        if qty % by == 0 && self.dice.percent(50) {
            position.qty = shares(qty / by);
            position.original_qty = shares(original / by);
            position.avg_price = Price::from_units(avg * by + noise).ok();
        } else {
            position.qty = shares(qty * by);
            position.original_qty = shares(original * by);
            position.avg_price = Price::from_units(avg / by + noise).ok();
        }
    }

    /// Somebody says who may sell a position, or closes it by hand.
    pub(super) fn change_mode(&mut self) -> Vec<Row> {
        let Some(mut holding) = self.any_holding() else {
            return Vec::new();
        };
        let modes = [
            (6, PositionMode::Enabled),
            (2, PositionMode::ManualOnly),
            (2, PositionMode::Disabled),
        ];
        holding.position.mode = self.dice.weighted(&modes);
        if self.dice.percent(10) {
            holding.position.is_live = false;
            holding.state.phase = Phase::Exited;
        }
        let mut rows = Vec::new();
        self.store(holding, &mut rows);
        rows
    }

    /// The operator asks for shares, or takes it back.
    pub(super) fn request(&mut self) -> Vec<Row> {
        let known: Vec<_> = self.requests.keys().cloned().collect();
        if !known.is_empty() && self.dice.percent(50) {
            let request = self.dice.pick(&known);
            self.requests.remove(&request);
            return vec![Row::Manual(request, None)];
        }
        let Some(holding) = self.any_holding() else {
            return Vec::new();
        };
        let most = holding.position.qty.shares() * 3 / 2 + 1;
        let request: std::sync::Arc<str> = self.name().into();
        let sale = ManualSale {
            request: request.clone(),
            position: holding.position.id,
            symbol: self.symbol,
            qty: shares(self.dice.between(0, most)),
        };
        self.requests.insert(request.clone(), sale.clone());
        vec![Row::Manual(request, Some(sale))]
    }
}
