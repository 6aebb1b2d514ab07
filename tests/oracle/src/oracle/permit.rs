//! Which hits become decisions (contract, 2.9 and section 4).

use turnstile_dataflows::model::{ExitMode, ExitOrder, ExitReason, LogicalTime, OrderStatus};

use super::held::Held;
use super::hits::Hit;

const ATTEMPTS_MAX: u32 = 3;
const LATE_ATTEMPT_US: u64 = 30_000_000;

/// What holds a hit back. Several may at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Obstacles {
    /// An active order is at least as severe.
    pub(super) severity: bool,
    /// Nothing is available.
    pub(super) quantity: bool,
    /// The control mode does not let it through.
    pub(super) mode: bool,
    /// Its action key is not new, or the next attempt is not due.
    pub(super) key: bool,
}

impl Obstacles {
    pub(super) fn is_any(self) -> bool {
        self.severity || self.quantity || self.mode || self.key
    }
}

pub(super) fn obstacles(hit: &Hit, held: &Held, mode: ExitMode, now: LogicalTime) -> Obstacles {
    let mut active = held.orders.values().filter(|order| is_active(order));
    Obstacles {
        severity: active.any(|order| severity(order.reason) >= severity(hit.reason)),
        quantity: held.available(hit.reason) <= 0,
        mode: !lets_through(mode, hit.reason),
        key: attempt(hit, held).is_none_or(|attempt| now < attempt.due),
    }
}

/// Severities of domain 3.7, with MANUAL and CUSTOM `profit_above` of contract 2.9.
pub(super) fn severity(reason: ExitReason) -> u32 {
    match reason {
        ExitReason::Flatten | ExitReason::HardStop => 120,
        ExitReason::Manual => 115,
        ExitReason::GapDown => 110,
        ExitReason::Sl2 => 100,
        ExitReason::StopFloor => 95,
        ExitReason::Sl1 => 90,
        ExitReason::BreakEven => 85,
        ExitReason::CustomLoss => 80,
        ExitReason::Trail => 40,
        ExitReason::TrailPartial => 35,
        ExitReason::Tp3 | ExitReason::CustomProfit => 30,
        ExitReason::Tp2 => 20,
        ExitReason::Tp1 => 10,
        ExitReason::Time => 5,
    }
}

/// Returns whether a reason cancels weaker orders and is tried without limit.
pub(super) fn is_full_stop(reason: ExitReason) -> bool {
    [
        ExitReason::Flatten,
        ExitReason::HardStop,
        ExitReason::GapDown,
        ExitReason::Sl2,
        ExitReason::StopFloor,
    ]
    .contains(&reason)
}

/// Returns whether any fill uses up the action of a reason.
fn is_used_up_by_any_fill(reason: ExitReason) -> bool {
    [
        ExitReason::Sl1,
        ExitReason::Tp1,
        ExitReason::Tp2,
        ExitReason::Tp3,
        ExitReason::TrailPartial,
        ExitReason::Trail,
        ExitReason::CustomProfit,
        ExitReason::CustomLoss,
    ]
    .contains(&reason)
}

/// The control modes of domain 3.6.
fn lets_through(mode: ExitMode, reason: ExitReason) -> bool {
    match mode {
        // What the mode itself demands goes before everything else, and hides nothing.
        ExitMode::Running | ExitMode::EmergencyFlatten => true,
        ExitMode::PauseProfit => [
            ExitReason::Flatten,
            ExitReason::HardStop,
            ExitReason::Manual,
            ExitReason::GapDown,
            ExitReason::Sl2,
            ExitReason::StopFloor,
            ExitReason::BreakEven,
            ExitReason::Sl1,
            ExitReason::CustomLoss,
        ]
        .contains(&reason),
        ExitMode::PauseAll => [ExitReason::HardStop, ExitReason::Manual].contains(&reason),
    }
}

/// Returns whether more may become of an order.
pub(super) fn is_active(order: &ExitOrder) -> bool {
    match order.status {
        OrderStatus::New
        | OrderStatus::PendingApproval
        | OrderStatus::Sending
        | OrderStatus::Unknown
        | OrderStatus::Submitted
        | OrderStatus::Partial => true,
        OrderStatus::Filled
        | OrderStatus::Rejected
        | OrderStatus::Cancelled
        | OrderStatus::CancelledPartial
        | OrderStatus::Error => false,
    }
}

/// An attempt whose key is new.
pub(super) struct Attempt {
    pub(super) number: u32,
    /// When it may be decided at the earliest.
    pub(super) due: LogicalTime,
}

/// Returns the attempt that a hit would be; none where its key is used.
pub(super) fn attempt(hit: &Hit, held: &Held) -> Option<Attempt> {
    let same = held
        .orders
        .values()
        .filter(|order| is_same_action(order, hit, held));
    let at_once = LogicalTime::default();
    let Some(last) = same.max_by_key(|order| order.attempt) else {
        let (number, due) = (1, at_once);
        return Some(Attempt { number, due });
    };
    let is_whole = last.filled >= last.qty;
    let is_used = hit.reason == ExitReason::Manual
        || is_active(last)
        || is_whole
        || (is_used_up_by_any_fill(hit.reason) && !last.filled.is_zero());
    let number = last.attempt + 1;
    if is_used || (number > ATTEMPTS_MAX && !is_full_stop(hit.reason)) {
        return None;
    }
    let due = if number > ATTEMPTS_MAX {
        LogicalTime::from_micros(last.decided.micros() + LATE_ATTEMPT_US)
    } else {
        at_once
    };
    Some(Attempt { number, due })
}

/// Returns whether an order was an attempt of what a hit would do: the same reason (both custom
/// reasons are CUSTOM), custom rule, cycle and phase. Custom rules are decided once per cycle,
/// whatever the phase; requests of the operator once at all.
fn is_same_action(order: &ExitOrder, hit: &Hit, held: &Held) -> bool {
    let is_same_cycle = order.cycle == held.position.cycle;
    let is_same_phase = order.phase == held.state.phase;
    let (order_reason, rule_id) = (order.reason, &order.rule_id);
    match hit.reason {
        ExitReason::Manual => order_reason == ExitReason::Manual && *rule_id == hit.rule_id,
        ExitReason::CustomProfit | ExitReason::CustomLoss => {
            [ExitReason::CustomProfit, ExitReason::CustomLoss].contains(&order_reason)
                && *rule_id == hit.rule_id
                && is_same_cycle
        }
        reason => order_reason == reason && is_same_cycle && is_same_phase,
    }
}
