//! Whether a hit may be decided (decision contract, 2.9 and section 4).

use crate::model::{ExitOrder, ExitReason, LogicalTime, Quantity};

use super::held::Held;
use super::orders::Orders;
use super::output::Withholding;
use super::trigger::Trigger;

/// Attempts for reasons that are not full stops (decision contract, section 4).
const ATTEMPTS_MAX: u32 = 3;
/// From the fourth attempt of a full stop on, one each this long.
const LATE_ATTEMPT_EVERY_US: u64 = 30_000_000;

/// Whether a hit may be decided.
#[derive(Clone, Copy, Debug)]
pub(super) enum Permit {
    /// As this attempt.
    Now { attempt: u32 },
    /// Not before this time.
    Later(Withholding, LogicalTime),
    /// Not until an event says otherwise.
    No(Withholding),
    /// Its own order is under way.
    Underway,
    /// It has been done: not again in this phase, or cycle for custom rules.
    Spent,
}

/// What the active orders of a position amount to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Active {
    severity: Option<u8>,
    held: Quantity,
}

impl Active {
    pub(super) fn of(orders: &Orders) -> Self {
        let none = Self {
            severity: None,
            held: Quantity::ZERO,
        };
        orders.active().fold(none, |sum, order| Self {
            severity: sum.severity.max(Some(order.reason.severity())),
            held: sum
                .held
                .saturating_add(order.qty.saturating_sub(order.filled)),
        })
    }

    /// Returns the shares of `remaining` that a decision for `reason` could dispose of. A full stop
    /// cancels weaker orders, so it counts them as free; stronger ones do not let it through.
    pub(super) fn available(&self, reason: ExitReason, remaining: Quantity) -> Quantity {
        if reason.is_full_stop() && self.severity < Some(reason.severity()) {
            remaining
        } else {
            remaining.saturating_sub(self.held)
        }
    }
}

/// Returns whether a hit of `trigger` may be decided at `now`.
pub(super) fn permit(held: &Held, trigger: &Trigger, now: LogicalTime, active: &Active) -> Permit {
    let reason = trigger.reason;
    let earlier = held
        .orders
        .all()
        .filter(|order| is_same_action(held, trigger, order));
    let last = earlier.max_by_key(|order| order.attempt);
    match last {
        Some(last) if !last.status.is_terminal() => return Permit::Underway,
        Some(last) if is_spent_by(reason, last) => return Permit::Spent,
        Some(_) | None => {}
    }
    if active.severity >= Some(reason.severity()) {
        return Permit::No(Withholding::Severity);
    }
    if active.available(reason, held.qty).is_zero() {
        return Permit::No(Withholding::Quantity);
    }
    if !held.terms.control.mode.lets_through(reason) {
        return Permit::No(Withholding::Mode);
    }
    let Some(last) = last else {
        return Permit::Now { attempt: 1 };
    };
    let attempt = last.attempt + 1;
    if attempt <= ATTEMPTS_MAX {
        return Permit::Now { attempt };
    }
    if !reason.is_full_stop() {
        return Permit::No(Withholding::Attempts);
    }
    let due = last.decided.plus_micros(LATE_ATTEMPT_EVERY_US);
    if now < due {
        return Permit::Later(Withholding::Attempts, due);
    }
    Permit::Now { attempt }
}

/// Returns whether the ended order `last` was the last attempt of its action.
fn is_spent_by(reason: ExitReason, last: &ExitOrder) -> bool {
    reason == ExitReason::Manual
        || last.filled >= last.qty
        || (reason.is_spent_by_any_fill() && !last.filled.is_zero())
}

/// Returns whether `order` was an attempt of what `trigger` would do: of the same cycle and phase;
/// a custom rule is decided once per cycle, whatever the phase, a request of the operator once.
fn is_same_action(held: &Held, trigger: &Trigger, order: &ExitOrder) -> bool {
    if order.reason.name() != trigger.reason.name() {
        return false;
    }
    let is_of_cycle = order.cycle == held.row.position.cycle;
    match trigger.reason {
        ExitReason::Manual => held
            .manual
            .get(trigger.item)
            .is_some_and(|sale| order.rule_id.as_ref() == Some(&sale.request)),
        ExitReason::CustomLoss | ExitReason::CustomProfit => {
            let rules = &held.terms.rule.profile.custom;
            let rule = rules.get(trigger.item).map(|rule| &rule.id);
            is_of_cycle && order.rule_id.as_ref() == rule
        }
        _ => is_of_cycle && order.phase == held.phase,
    }
}
