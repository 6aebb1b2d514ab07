//! An engine under test: events in, outputs out, fills made by the test.
#![expect(
    unreachable_pub,
    reason = "shared by test binaries, each of which is its own crate"
)]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, channel};

use rust_decimal::Decimal;
use serde_json::Value;
use turnstile_dataflows::engine::{
    Change, Engine, EngineConfig, Event, Output, OutputBatch, Timed,
};
use turnstile_dataflows::exit::{ExitDecision, ExitOutput, ExitRule, Explanation, RuleScope};
use turnstile_dataflows::model::{
    ExitMode, ExitOrder, LogicalTime, OrderStatus, Position, PositionMode, PositionState, Price,
    Profile, Quantity, ReentryMode, Tick, floor_after,
};
use turnstile_dataflows::reentry::{ReentryLimits, ReentryRule, ReentryTrigger, TriggerKind};

/// 2026-11-24 10:00:00 in Seoul.
pub const TEN: u64 = 1_795_482_000_000_000;

pub struct Harness {
    engine: Engine,
    sender: SyncSender<Timed>,
    batches: Receiver<OutputBatch>,
    last: u64,
    profile: Arc<Profile>,
    pub positions: Vec<(Position, PositionState)>,
}

pub fn price(text: &str) -> Price {
    text.parse().unwrap()
}

pub fn qty(shares: i64) -> Quantity {
    Quantity::new(shares).unwrap()
}

pub fn default_profile() -> Value {
    let toml: toml::Value = toml::from_str(
        r#"
        hard_stop  = { pnl = -0.07 }
        sl2        = { pnl = -0.05, qty = 1.0 }
        sl1        = { pnl = -0.03, qty = 0.5 }
        tp1        = { pnl = 0.07, qty = 0.10, floor = 0.006 }
        tp2        = { pnl = 0.10, qty = 0.20 }
        tp3        = { pnl = 0.15, qty = 0.30, start_trailing = true }
        trail      = { pct = 0.03, atr_k = 2.0, qty = 0.5 }
        "#,
    )
    .unwrap();
    serde_json::to_value(toml).unwrap()
}

impl Harness {
    pub fn new(workers: usize, rules: &Value) -> Self {
        let (batch_sender, batches) = channel();
        let config = EngineConfig {
            workers,
            ..EngineConfig::default()
        };
        let (engine, sender) =
            Engine::start(config, move |batch| drop(batch_sender.send(batch))).unwrap();
        let profile = Arc::new(Profile::from_value(rules).unwrap());
        let mut harness = Self {
            engine,
            sender,
            batches,
            last: TEN - 60_000_000,
            profile,
            positions: Vec::new(),
        };
        let rule = ExitRule {
            id: "default".parse().unwrap(),
            scope: RuleScope::Default,
            version: 1,
            profile: harness.profile.clone(),
        };
        harness.changes(vec![
            Change::ExitRule(rule.id.clone(), Some(rule)),
            Change::ExitMode(ExitMode::Running),
            Change::ReentryMode(ReentryMode::Running),
            Change::ReentryLimits(Some(ReentryLimits::default())),
        ]);
        harness
    }

    /// Sends one event at `micros` (or right after the last one) and returns what it led to.
    pub fn send(&mut self, micros: u64, event: impl FnOnce(LogicalTime) -> Event) -> Vec<Output> {
        self.last = micros.max(self.last + 1);
        let time = LogicalTime::from_micros(self.last);
        self.sender
            .send(Timed {
                time,
                event: event(time),
            })
            .unwrap();
        loop {
            let batch = self.batches.recv().unwrap();
            if batch.through == time {
                // What is shown of prices decides nothing.
                return batch
                    .outputs
                    .into_iter()
                    .map(|(_time, output)| output)
                    .filter(|output| !matches!(output, Output::Price(_)))
                    .collect();
            }
        }
    }

    pub fn changes(&mut self, changes: Vec<Change>) -> Vec<Output> {
        self.send(0, |_time| Event::Changes(changes))
    }

    pub fn open(&mut self, id: &str, shares: i64, avg: &str) -> Vec<Output> {
        let position = Position {
            id: id.parse().unwrap(),
            symbol: "005930".parse().unwrap(),
            qty: qty(shares),
            original_qty: qty(shares),
            avg_price: Some(price(avg)),
            entry: LogicalTime::from_micros(TEN - 3_600_000_000),
            is_live: true,
            mode: PositionMode::Enabled,
            profile: None,
            strategy: "MANUAL".into(),
            cycle: 1,
            version: 1,
        };
        let state = PositionState::default();
        self.positions.push((position.clone(), state.clone()));
        self.changes(vec![
            Change::PositionState(position.id.clone(), state),
            Change::Position(position),
        ])
    }

    /// Sends a tick `seconds` after ten o'clock and returns the decisions.
    pub fn tick(&mut self, seconds: u64, last: &str) -> Vec<ExitDecision> {
        let last = price(last);
        let outputs = self.send(TEN + seconds * 1_000_000, |time| {
            Event::Tick(Tick {
                time,
                symbol: "005930".parse().unwrap(),
                last,
                bid: None,
                volume: 0,
            })
        });
        decisions(outputs)
    }

    pub fn mode(&mut self, mode: ExitMode) -> Vec<ExitDecision> {
        decisions(self.changes(vec![Change::ExitMode(mode)]))
    }

    /// Reports what became of the order of `decision`: `filled` shares, and `status`.
    pub fn result(
        &mut self,
        decision: &ExitDecision,
        filled: i64,
        status: OrderStatus,
    ) -> Vec<Output> {
        let entry = self
            .positions
            .iter_mut()
            .find(|(row, _)| row.id == decision.position)
            .unwrap();
        let (position, state) = entry;
        position.qty = position.qty.saturating_sub(qty(filled));
        position.version += 1;
        if status == OrderStatus::Filled {
            let avg = position.avg_price.unwrap();
            state.floor = floor_after(state.floor, decision.reason, avg, &self.profile);
            state.phase = state.phase.after(decision.reason, &self.profile);
        }
        position.is_live = !position.qty.is_zero();
        let order = ExitOrder {
            action_key: decision.action_key.clone(),
            position: decision.position.clone(),
            symbol: decision.symbol,
            reason: decision.reason,
            rule_id: decision.rule_id.clone(),
            phase: decision.phase,
            cycle: decision.cycle,
            attempt: decision.attempt,
            qty: decision.qty,
            filled: qty(filled),
            status,
            decided: decision.time,
        };
        let changes = vec![
            Change::ExitOrder(order),
            Change::PositionState(position.id.clone(), state.clone()),
            Change::Position(position.clone()),
        ];
        self.changes(changes)
    }

    pub fn fill(&mut self, decision: &ExitDecision) {
        let filled = decision.qty.shares();
        let outputs = self.result(decision, filled, OrderStatus::Filled);
        assert_eq!(decisions(outputs), []);
    }

    pub fn stop(self) {
        drop(self.sender);
        self.engine.join().unwrap();
    }
}

/// Returns the decisions among `outputs`. Each must follow from its explanation alone, as stored.
pub fn decisions(outputs: Vec<Output>) -> Vec<ExitDecision> {
    let decisions = decided(outputs);
    for decision in &decisions {
        let stored = serde_json::to_string(&decision.explanation).unwrap();
        let read: Explanation = serde_json::from_str(&stored).unwrap();
        assert_eq!(read.decide().as_ref(), Some(decision), "{stored}");
    }
    decisions
}

fn decided(outputs: Vec<Output>) -> Vec<ExitDecision> {
    outputs
        .into_iter()
        .filter_map(|output| match output {
            Output::Exit(ExitOutput::Decision(decision)) => Some(*decision),
            Output::Exit(ExitOutput::Withheld(_) | ExitOutput::Levels(_)) => None,
            other => panic!("unexpected output {other:?}"),
        })
        .collect()
}

/// Reason, quantity and level of each decision, as text.
pub fn said(decisions: &[ExitDecision]) -> Vec<String> {
    decisions
        .iter()
        .map(|decision| format!("{} {} at {}", decision.reason, decision.qty, decision.level))
        .collect()
}

/// A rule after stops: at 2 % above the exit a purchase of the whole size, within a minute.
pub fn reentry_rule() -> ReentryRule {
    ReentryRule {
        id: "after-stop".into(),
        symbol: None,
        exit_reason: "SL".into(),
        regime: None,
        allows_candidate: true,
        allows_entry: true,
        cooldown_us: 0,
        watch_us: 60_000_000,
        per_day_max: 9,
        per_week_max: 9,
        total_max: 1,
        size: Decimal::ONE.try_into().unwrap(),
        second_size: None,
        trigger: ReentryTrigger {
            kind: TriggerKind::Rebound(Decimal::new(2, 2).try_into().unwrap()),
            volume_ratio: 0,
            structure_break: false,
            stable_us: 0,
            momentum: 0,
            volatility_atr: 0,
            ranking_held: false,
        },
        priority: 0,
    }
}
