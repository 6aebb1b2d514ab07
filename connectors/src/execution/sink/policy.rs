//! How a decision is placed: whether the operator must approve it, and at which price.

use serde::Deserialize;
use turnstile_dataflows::exit::ExitDecision;
use turnstile_dataflows::model::{ExitReason, OrderStatus, Price};

use super::super::config::ExecutionConfig;

/// Which orders wait for the operator (domain 3.7). Those that protect never do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Approval {
    /// None.
    #[default]
    Auto,
    /// Take-profits.
    ProfitOnly,
    /// Everything that does not protect: take-profits, time exits, and entries.
    All,
}

/// What take-profits are placed as.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TakeProfit {
    /// Market orders.
    #[default]
    Market,
    /// Limit orders at the price that was judged.
    Limit,
}

/// How decisions are placed.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::execution) struct Policy {
    pub(in crate::execution) approval: Approval,
    pub(in crate::execution) take_profit: TakeProfit,
}

impl Policy {
    /// Returns what is configured.
    pub(in crate::execution) fn of(config: &ExecutionConfig) -> Self {
        Self {
            approval: config.approval,
            take_profit: config.take_profit,
        }
    }

    /// Returns the first status of a sale.
    pub(super) fn of_exit(self, decision: &ExitDecision) -> OrderStatus {
        let waits = match self.approval {
            Approval::Auto => false,
            Approval::ProfitOnly => is_profit(decision.reason),
            Approval::All => is_profit(decision.reason) || decision.reason == ExitReason::Time,
        };
        first(waits)
    }

    /// Returns the first status of a purchase that no person asked for.
    pub(in crate::execution) fn of_entry(self) -> OrderStatus {
        first(self.approval == Approval::All)
    }

    /// Returns the limit of a sale; none at market.
    pub(super) fn limit(self, decision: &ExitDecision) -> Option<Price> {
        let is_limited = self.take_profit == TakeProfit::Limit && is_take_profit(decision.reason);
        is_limited.then_some(decision.price)
    }
}

const fn first(waits: bool) -> OrderStatus {
    if waits {
        OrderStatus::PendingApproval
    } else {
        OrderStatus::New
    }
}

const fn is_take_profit(reason: ExitReason) -> bool {
    matches!(reason, ExitReason::Tp1 | ExitReason::Tp2 | ExitReason::Tp3)
}

const fn is_profit(reason: ExitReason) -> bool {
    is_take_profit(reason) || matches!(reason, ExitReason::CustomProfit)
}
