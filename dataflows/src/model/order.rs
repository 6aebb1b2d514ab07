//! Orders: the state that a set of facts makes.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{ActionKey, CandidateId, ExitReason, LogicalTime, Phase, PositionId, Quantity, Symbol};

/// Present state of an order (view `trade.orders_now`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum OrderStatus {
    /// Committed, not sent.
    New,
    /// Waits for the operator.
    PendingApproval,
    /// About to be sent, or sent without an answer yet.
    Sending,
    /// The broker may or may not have it.
    Unknown,
    /// The broker has it.
    Submitted,
    /// Filled in part, still open.
    Partial,
    /// Filled whole.
    Filled,
    /// Refused by the broker.
    Rejected,
    /// Cancelled without any fill.
    Cancelled,
    /// Cancelled after a partial fill.
    CancelledPartial,
    /// Given up.
    Error,
}

/// A text that names no order status.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("unknown order status {0:?}")]
pub struct UnknownOrderStatus(String);

impl OrderStatus {
    const ALL: [Self; 11] = [
        Self::New,
        Self::PendingApproval,
        Self::Sending,
        Self::Unknown,
        Self::Submitted,
        Self::Partial,
        Self::Filled,
        Self::Rejected,
        Self::Cancelled,
        Self::CancelledPartial,
        Self::Error,
    ];

    /// Returns the name in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::New => "NEW",
            Self::PendingApproval => "PENDING_APPROVAL",
            Self::Sending => "SENDING",
            Self::Unknown => "UNKNOWN",
            Self::Submitted => "SUBMITTED",
            Self::Partial => "PARTIAL",
            Self::Filled => "FILLED",
            Self::Rejected => "REJECTED",
            Self::Cancelled => "CANCELLED",
            Self::CancelledPartial => "CANCELLED_PARTIAL",
            Self::Error => "ERROR",
        }
    }

    /// Returns whether nothing more can become of the order.
    pub const fn is_terminal(self) -> bool {
        matches!(
            self,
            Self::Filled | Self::Rejected | Self::Cancelled | Self::CancelledPartial | Self::Error
        )
    }
}

impl fmt::Display for OrderStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for OrderStatus {
    type Err = UnknownOrderStatus;

    fn from_str(name: &str) -> Result<Self, UnknownOrderStatus> {
        Self::ALL
            .into_iter()
            .find(|status| status.name() == name)
            .ok_or_else(|| UnknownOrderStatus(name.to_owned()))
    }
}

/// One row of `trade.order_events`, as far as it makes state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderFact {
    /// What was learnt.
    pub status: OrderStatus,
    /// How often the order had been sent by then.
    pub send_attempt: u32,
    /// What was asked of the broker, if less than decided.
    pub sent_qty: Option<Quantity>,
    /// Shares filled by then, all fills together.
    pub filled: Quantity,
}

/// What a set of facts says about one order. Neither the order of the facts nor a repeated one
/// changes the result: everything here is a maximum, a minimum or an "ever".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OrderFacts {
    filled: Quantity,
    sent_qty: Option<Quantity>,
    is_submitted: bool,
    is_cancelled: bool,
    is_rejected: bool,
    is_error: bool,
    /// The furthest point before the broker answered: attempt, then rank within the attempt.
    sending: Option<(u32, u8)>,
}

impl OrderFacts {
    /// Takes one fact in.
    pub fn add(&mut self, fact: OrderFact) {
        self.filled = self.filled.max(fact.filled);
        self.sent_qty = match (self.sent_qty, fact.sent_qty) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        let rank = match fact.status {
            OrderStatus::PendingApproval => Some(0),
            OrderStatus::Sending => Some(1),
            OrderStatus::Unknown => Some(2),
            // NEW after an attempt: the broker was proved not to have it.
            OrderStatus::New => Some(3),
            OrderStatus::Submitted => {
                self.is_submitted = true;
                None
            }
            OrderStatus::Cancelled | OrderStatus::CancelledPartial => {
                self.is_cancelled = true;
                None
            }
            OrderStatus::Rejected => {
                self.is_rejected = true;
                None
            }
            OrderStatus::Error => {
                self.is_error = true;
                None
            }
            OrderStatus::Partial | OrderStatus::Filled => None,
        };
        self.sending = self.sending.max(rank.map(|rank| (fact.send_attempt, rank)));
    }

    /// Returns the shares filled.
    pub fn filled(&self) -> Quantity {
        self.filled
    }

    /// Returns the shares that the broker has, or may have, and has not filled, of an order of `qty`
    /// shares.
    pub fn asked(&self, qty: Quantity) -> Quantity {
        match self.status(qty) {
            OrderStatus::Sending
            | OrderStatus::Unknown
            | OrderStatus::Submitted
            | OrderStatus::Partial => self.sent_qty.unwrap_or(qty).saturating_sub(self.filled),
            OrderStatus::New
            | OrderStatus::PendingApproval
            | OrderStatus::Filled
            | OrderStatus::Rejected
            | OrderStatus::Cancelled
            | OrderStatus::CancelledPartial
            | OrderStatus::Error => Quantity::ZERO,
        }
    }

    /// Returns the state of an order of `qty` shares.
    pub fn status(&self, qty: Quantity) -> OrderStatus {
        let asked = self.sent_qty.unwrap_or(qty);
        if !self.filled.is_zero() && self.filled >= asked {
            return OrderStatus::Filled;
        }
        match (self.is_cancelled, self.filled.is_zero()) {
            (true, true) => return OrderStatus::Cancelled,
            (true, false) => return OrderStatus::CancelledPartial,
            (false, _) => {}
        }
        if self.is_rejected {
            OrderStatus::Rejected
        } else if self.is_error {
            OrderStatus::Error
        } else if !self.filled.is_zero() {
            OrderStatus::Partial
        } else if self.is_submitted {
            OrderStatus::Submitted
        } else {
            match self.sending {
                Some((_, 0)) => OrderStatus::PendingApproval,
                Some((_, 1)) => OrderStatus::Sending,
                Some((_, 2)) => OrderStatus::Unknown,
                _ => OrderStatus::New,
            }
        }
    }
}

/// An exit order as the engine sees it: the decision and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ExitOrder {
    /// Key of the decision.
    pub action_key: ActionKey,
    /// Whose shares it sells.
    pub position: PositionId,
    /// What it sells.
    pub symbol: Symbol,
    /// Why.
    pub reason: ExitReason,
    /// Custom rule, for the two custom reasons.
    pub rule_id: Option<Arc<str>>,
    /// Phase before the decision.
    pub phase: Phase,
    /// Cycle of the position at the decision.
    pub cycle: u32,
    /// Attempt number, from one.
    pub attempt: u32,
    /// Shares decided.
    pub qty: Quantity,
    /// Shares filled so far.
    pub filled: Quantity,
    /// Present state.
    pub status: OrderStatus,
    /// When it was decided.
    pub decided: LogicalTime,
}

/// An entry order as the engine sees it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct EntryOrder {
    /// Key of the decision.
    pub action_key: ActionKey,
    /// Re-entry candidate that asked for it.
    pub candidate: CandidateId,
    /// Present state.
    pub status: OrderStatus,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn fact() -> impl Strategy<Value = OrderFact> {
        (
            0..OrderStatus::ALL.len(),
            0u32..4,
            proptest::option::of(1i64..10),
            0i64..10,
        )
            .prop_map(|(status, send_attempt, sent, filled)| OrderFact {
                status: OrderStatus::ALL[status],
                send_attempt,
                sent_qty: sent.map(|sent| Quantity::new(sent).unwrap()),
                filled: Quantity::new(filled).unwrap(),
            })
    }

    fn state(facts: impl IntoIterator<Item = OrderFact>) -> (OrderStatus, Quantity) {
        let mut sum = OrderFacts::default();
        facts.into_iter().for_each(|fact| sum.add(fact));
        (sum.status(Quantity::new(10).unwrap()), sum.filled())
    }

    proptest! {
        #[test]
        fn order_and_repetition_of_facts_do_not_matter(
            facts in proptest::collection::vec(fact(), 1..12), turn in 0usize..12, twice in 0usize..12,
        ) {
            let mut other = facts.clone();
            other.reverse();
            let turn = turn % other.len();
            other.rotate_left(turn);
            other.push(other[twice % other.len()]);
            prop_assert_eq!(state(facts), state(other));
        }
    }

    #[test]
    fn the_broker_is_asked_for_what_was_sent_and_is_not_filled() {
        let shares = |shares| Quantity::new(shares).unwrap();
        let fact = |status, sent: Option<i64>, filled| OrderFact {
            status,
            send_attempt: 1,
            sent_qty: sent.map(shares),
            filled: shares(filled),
        };
        let asked = |told: &[OrderFact]| {
            let mut facts = OrderFacts::default();
            told.iter().for_each(|fact| facts.add(*fact));
            facts.asked(shares(10)).shares()
        };
        let sending = fact(OrderStatus::Sending, Some(8), 0);
        let partial = fact(OrderStatus::Partial, None, 3);
        let cancelled = fact(OrderStatus::CancelledPartial, None, 3);
        assert_eq!(asked(&[]), 0, "nobody has sent it");
        assert_eq!(asked(&[fact(OrderStatus::Submitted, None, 0)]), 10);
        assert_eq!(asked(&[sending]), 8);
        assert_eq!(asked(&[sending, partial]), 5);
        assert_eq!(asked(&[sending, partial, cancelled]), 0);
        assert_eq!(asked(&[sending, fact(OrderStatus::New, None, 0)]), 0);
    }

    #[test]
    fn a_fill_after_the_cancel_request_still_counts() {
        let base = OrderFact {
            status: OrderStatus::Submitted,
            send_attempt: 1,
            sent_qty: None,
            filled: Quantity::ZERO,
        };
        let cancelled = OrderFact {
            status: OrderStatus::Cancelled,
            ..base
        };
        let partial = OrderFact {
            status: OrderStatus::Partial,
            filled: Quantity::ONE,
            ..base
        };
        assert_eq!(state([base, cancelled]).0, OrderStatus::Cancelled);
        assert_eq!(
            state([base, cancelled, partial]).0,
            OrderStatus::CancelledPartial
        );
    }
}
