//! What comes and goes in a soak: positions, orders and their fills, rules, modes.

use std::collections::BTreeMap;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use turnstile_dataflows::engine::Change;
use turnstile_dataflows::exit::ExitDecision;
use turnstile_dataflows::model::{
    ExitMode, ExitOrder, OrderStatus, Phase, Position, PositionId, PositionState, Profile,
    Quantity, floor_after,
};

use crate::input::{HeldRow, Input, PositionRows, Rules, rule_row};

/// Positions that are closed from outside each second; as many as are gone enter.
const CLOSED_PER_SECOND: usize = 5;
/// Seconds between two edits of a rule.
const EDIT_EVERY_S: u64 = 5;
/// Seconds between two changes of the mode.
const MODE_EVERY_S: u64 = 30;
/// One order of so many is refused by the broker.
const REFUSED_ONE_OF: u32 = 10;

/// Rows as they stand in the store.
pub(super) struct Churn {
    live: BTreeMap<PositionId, (Position, PositionState, u16)>,
    /// Every position that ever enters is made like one of these.
    patterns: Vec<HeldRow>,
    rows: PositionRows,
    rules: Vec<(Rules, Profile, u32)>,
    rng: ChaCha8Rng,
    next: u32,
    left: u64,
}

impl Churn {
    /// Takes over the positions of `input`.
    ///
    /// # Errors
    /// If a rule breaks the contract.
    pub(super) fn new(input: &Input, seed: u64) -> anyhow::Result<Self> {
        let rows = PositionRows::new(input)?;
        let live = input.positions.iter().map(|row| {
            let (position, state) = rows.of(row);
            (position.id.clone(), (position, state, row.rules))
        });
        let rules = input.rules.iter().map(|rules| {
            let profile = rules.profile()?;
            Ok((rules.clone(), profile, 1))
        });
        Ok(Self {
            live: live.collect(),
            patterns: input.positions.clone(),
            rules: rules.collect::<anyhow::Result<_>>()?,
            rng: ChaCha8Rng::seed_from_u64(seed ^ 2),
            next: u32::try_from(input.positions.len())?,
            left: 0,
            rows,
        })
    }

    /// Returns how many positions have entered since the load.
    pub(super) fn entered(&self) -> u64 {
        u64::from(self.next) - u64::try_from(self.patterns.len()).unwrap_or_default()
    }

    /// Returns how many positions have left.
    pub(super) fn left(&self) -> u64 {
        self.left
    }

    /// Returns what changes in a second, transaction by transaction.
    ///
    /// # Errors
    /// If a rule breaks the contract.
    pub(super) fn each_second(&mut self, second: u64) -> anyhow::Result<Vec<Vec<Change>>> {
        let mut transactions = Vec::new();
        for _ in 0..CLOSED_PER_SECOND.min(self.live.len()) {
            let at = self.rng.random_range(0..self.live.len());
            let id = self.live.keys().nth(at).cloned();
            transactions.extend(id.and_then(|id| self.close(&id)));
        }
        while self.live.len() < self.patterns.len() {
            transactions.push(self.enter());
        }
        if second.is_multiple_of(EDIT_EVERY_S) {
            transactions.push(vec![self.edit(second / EDIT_EVERY_S)?]);
        }
        if second.is_multiple_of(MODE_EVERY_S) {
            let mode = match second / MODE_EVERY_S % 2 {
                0 => ExitMode::Running,
                _ => ExitMode::PauseProfit,
            };
            transactions.push(vec![Change::ExitMode(mode)]);
        }
        Ok(transactions)
    }

    fn close(&mut self, id: &PositionId) -> Option<Vec<Change>> {
        let (mut position, mut state, _rules) = self.live.remove(id)?;
        self.left += 1;
        position.is_live = false;
        position.version += 1;
        position.qty = Quantity::ZERO;
        state.phase = Phase::Exited;
        Some(row_changes(position, state))
    }

    fn enter(&mut self) -> Vec<Change> {
        let at = self.rng.random_range(0..self.patterns.len());
        // Half of them with tight rules, so that orders follow.
        let rules = self
            .rng
            .random_range(0..u16::try_from(self.rules.len()).unwrap_or(1));
        let pattern = HeldRow {
            number: self.next,
            rules,
            phase: Phase::Open,
            mark: 0,
            ..self.patterns[at]
        };
        self.next += 1;
        let (position, state) = self.rows.of(&pattern);
        let entry = (position.clone(), state.clone(), rules);
        self.live.insert(position.id.clone(), entry);
        row_changes(position, state)
    }

    /// Moves one level of a rule to and fro.
    fn edit(&mut self, turn: u64) -> anyhow::Result<Change> {
        let count = u64::try_from(self.rules.len())?;
        let at = usize::try_from(turn % count)?;
        let (rules, profile, version) = &mut self.rules[at];
        rules.sl2.pnl += if (turn / count).is_multiple_of(2) {
            1
        } else {
            -1
        };
        *profile = rules.profile()?;
        *version += 1;
        let rule = rule_row(rules, *version)?;
        Ok(Change::ExitRule(rule.id.clone(), Some(rule)))
    }

    /// Returns what the broker answers to a decision: it is sent, then filled or refused.
    ///
    /// # Errors
    /// If the decision is not about a position of the store.
    pub(super) fn answer(&mut self, decision: &ExitDecision) -> anyhow::Result<Vec<Vec<Change>>> {
        let is_refused = self.rng.random_ratio(1, REFUSED_ONE_OF);
        let Some((position, state, rules)) = self.live.get_mut(&decision.position) else {
            // It was closed meanwhile; the broker refuses.
            return Ok(vec![vec![order(
                decision,
                Quantity::ZERO,
                OrderStatus::Rejected,
            )]]);
        };
        let mut transactions = vec![vec![order(
            decision,
            Quantity::ZERO,
            OrderStatus::Submitted,
        )]];
        if is_refused {
            transactions.push(vec![order(decision, Quantity::ZERO, OrderStatus::Rejected)]);
            return Ok(transactions);
        }
        let profile = &self.rules[usize::from(*rules)].1;
        position.qty = position.qty.saturating_sub(decision.qty);
        position.version += 1;
        if let Some(avg) = position.avg_price {
            state.floor = floor_after(state.floor, decision.reason, avg, profile);
        }
        state.phase = state.phase.after(decision.reason, profile);
        let mut filled = vec![order(decision, decision.qty, OrderStatus::Filled)];
        if position.qty.is_zero() {
            filled.extend(self.close(&decision.position).into_iter().flatten());
        } else {
            filled.extend(row_changes(position.clone(), state.clone()));
        }
        transactions.push(filled);
        Ok(transactions)
    }
}

fn row_changes(position: Position, state: PositionState) -> Vec<Change> {
    vec![
        Change::PositionState(position.id.clone(), state),
        Change::Position(position),
    ]
}

fn order(decision: &ExitDecision, filled: Quantity, status: OrderStatus) -> Change {
    Change::ExitOrder(ExitOrder {
        action_key: decision.action_key.clone(),
        position: decision.position.clone(),
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
    })
}
