//! A book that touches only whom a tick concerns says the same as one that judges everybody at
//! every tick.

use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::exit::plan::{ExitRule, RuleLevel, RuleScope, SymbolContext};
use crate::model::{
    ExitMode, OrderStatus, Phase, Position, PositionState, Profile, Quantity, floor_after,
};

#[derive(Clone, Debug)]
enum Step {
    Open { avg: i64, shares: i64, days: u64 },
    Tick { price: i64, wait_ms: u64 },
    Fill,
    FillHalf,
    Reject,
    Mode(ExitMode),
    Enable(bool),
}

fn step() -> impl Strategy<Value = Step> {
    let mode = prop_oneof![
        3 => Just(ExitMode::Running),
        1 => Just(ExitMode::PauseProfit),
        1 => Just(ExitMode::PauseAll),
        1 => Just(ExitMode::EmergencyFlatten),
    ];
    prop_oneof![
        2 => (90i64..110, 1i64..20, 0u64..4).prop_map(|(avg, shares, days)| Step::Open { avg, shares, days }),
        16 => (80i64..130, 0u64..4_000).prop_map(|(price, wait_ms)| Step::Tick { price, wait_ms }),
        3 => Just(Step::Fill),
        1 => Just(Step::FillHalf),
        1 => Just(Step::Reject),
        1 => mode.prop_map(Step::Mode),
        1 => any::<bool>().prop_map(Step::Enable),
    ]
}

fn profile() -> Value {
    json!({
        "hard_stop": {"pnl": -0.12}, "gap_down": {"change": -0.05, "window_s": 30},
        "sl2": {"pnl": -0.09, "qty": 1.0}, "sl1": {"pnl": -0.04, "qty": 0.5},
        "break_even": {"trigger": 0.03, "buffer": 0.01},
        "tp1": {"pnl": 0.05, "qty": 0.2, "floor": 0.006}, "tp2": {"pnl": 0.09, "qty": 0.2},
        "tp3": {"pnl": 0.14, "qty": 0.2, "start_trailing": true},
        "trail": {"pct": 0.03, "atr_k": 2.0, "qty": 0.5},
        "time": {"max_hold_days": 3, "no_momentum_days": 1, "no_momentum_profit": 0.02},
        "custom": [{"id": "c", "condition": "profit_below", "pnl": -0.02, "qty": 0.1}],
    })
}

/// Two books that get the same events; the second one judges everybody at every tick.
struct Pair {
    quick: Book,
    naive: Book,
    now: u64,
    mode: ExitMode,
    rule: ExitRule,
    positions: Vec<(Position, PositionState)>,
    open: Vec<ExitDecision>,
}

impl Pair {
    fn new() -> Self {
        let profile = Arc::new(Profile::from_value(&profile()).unwrap());
        let id = "default".parse().unwrap();
        let rule = ExitRule {
            id,
            scope: RuleScope::Default,
            version: 1,
            profile,
        };
        // 08:59:50 in Seoul, so that the window of GAP_DOWN opens during the run.
        let now = 1_795_478_390_000_000;
        let (quick, naive) = (Book::default(), Book::default());
        let (mode, positions, open) = (ExitMode::Running, Vec::new(), Vec::new());
        Self {
            quick,
            naive,
            now,
            mode,
            rule,
            positions,
            open,
        }
    }

    fn plan(&self, index: usize) -> (PositionId, Option<Plan>) {
        let (position, state) = self.positions[index].clone();
        let context = SymbolContext {
            atr_pct_millionths: Some(20_000),
            prev_close: Some(Price::from_won(100).unwrap()),
        };
        let rule = self.rule.clone();
        let is_live = position.is_live;
        let id = position.id.clone();
        let plan = Plan {
            position,
            state,
            rule,
            level: RuleLevel::Default,
            context,
            mode: self.mode,
        };
        (id, is_live.then_some(plan))
    }

    fn apply(&mut self, make: impl Fn() -> Happening) {
        self.now += 1;
        let now = LogicalTime::from_micros(self.now);
        let quick = self.quick.apply(now, make());
        for id in self.naive.positions.keys().cloned().collect::<Vec<_>>() {
            if let Some(held) = self.naive.positions.get_mut(&id) {
                let old = std::mem::replace(&mut held.quiet, Quiet::NEVER);
                self.naive.unindex(&id, old);
                self.naive.index(&id, Quiet::NEVER);
            }
        }
        let naive = self.naive.apply(now, make());
        assert_eq!(quick.decisions, naive.decisions);
        self.open.extend(quick.decisions);
    }

    fn replan_all(&mut self) {
        let plans: BTreeMap<_, _> = (0..self.positions.len())
            .map(|index| self.plan(index))
            .collect();
        self.apply(|| Happening {
            plans: plans.clone(),
            ..Happening::default()
        });
    }

    fn result(&mut self, part: i64, status: OrderStatus) {
        if self.open.is_empty() {
            return;
        }
        let decision = self.open.remove(0);
        let index = self
            .positions
            .iter()
            .position(|(row, _)| row.id == decision.position)
            .unwrap();
        let (position, state) = &mut self.positions[index];
        let filled = Quantity::new(decision.qty.shares() * part / 2)
            .unwrap()
            .min(position.qty);
        position.qty = position.qty.saturating_sub(filled);
        position.is_live = !position.qty.is_zero();
        if part == 2 {
            let profile = &self.rule.profile;
            let avg = position.avg_price.unwrap();
            state.floor = floor_after(state.floor, decision.reason, avg, profile);
            state.phase = state.phase.after(decision.reason, profile);
        }
        if !position.is_live {
            state.phase = Phase::Exited;
        }
        let (id, plan) = self.plan(index);
        let order = ExitOrder {
            action_key: decision.action_key.clone(),
            position: id.clone(),
            symbol: decision.symbol,
            reason: decision.reason,
            rule_id: decision.rule_id.clone(),
            phase: decision.phase,
            cycle: decision.cycle,
            attempt: decision.attempt,
            qty: decision.qty,
            filled,
            status,
            decided: decision.time,
        };
        self.apply(|| Happening {
            orders: vec![order.clone()],
            plans: [(id.clone(), plan.clone())].into(),
            closed: plan.is_none().then(|| id.clone()).into_iter().collect(),
            ticks: Vec::new(),
        });
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Open { avg, shares, days } => {
                let number = self.positions.len();
                let shares = Quantity::new(shares).unwrap();
                let position = Position {
                    id: format!("p{number:03}").parse().unwrap(),
                    symbol: "005930".parse().unwrap(),
                    qty: shares,
                    original_qty: shares,
                    avg_price: Some(Price::from_won(avg).unwrap()),
                    entry: LogicalTime::from_micros(self.now - days * 86_400_000_000 + 20_000_000),
                    is_live: true,
                    mode: PositionMode::Enabled,
                    profile: None,
                    strategy: "s".into(),
                    cycle: 1,
                    version: 1,
                };
                self.positions.push((position, PositionState::default()));
                let plan = self.plan(number);
                self.apply(|| Happening {
                    plans: [plan.clone()].into(),
                    ..Happening::default()
                });
            }
            Step::Tick { price, wait_ms } => {
                self.now += wait_ms * 1_000;
                let tick = Tick {
                    time: LogicalTime::from_micros(self.now + 1),
                    symbol: "005930".parse().unwrap(),
                    last: Price::from_won(price).unwrap(),
                    bid: None,
                };
                self.apply(|| Happening {
                    ticks: vec![tick],
                    ..Happening::default()
                });
            }
            Step::Fill => self.result(2, OrderStatus::Filled),
            Step::FillHalf => self.result(1, OrderStatus::CancelledPartial),
            Step::Reject => self.result(0, OrderStatus::Rejected),
            Step::Mode(mode) => {
                self.mode = mode;
                self.replan_all();
            }
            Step::Enable(is_enabled) => {
                if let Some((position, _)) = self.positions.last_mut() {
                    position.mode = if is_enabled {
                        PositionMode::Enabled
                    } else {
                        PositionMode::Disabled
                    };
                    self.replan_all();
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]
    #[test]
    fn touching_only_whom_a_tick_concerns_changes_no_decision(
        steps in proptest::collection::vec(step(), 1..120),
    ) {
        let mut pair = Pair::new();
        steps.into_iter().for_each(|step| pair.take(step));
    }
}
