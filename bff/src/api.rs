//! The API, one file per resource. A handler extracts its input, calls one query and wraps the
//! result; response types are this crate's own.

pub(crate) mod alarms;
pub(crate) mod best_prices;
pub(crate) mod calendar;
pub(crate) mod control;
pub(crate) mod emergency_stop;
pub(crate) mod executions;
pub(crate) mod exit_events;
pub(crate) mod exit_rules;
pub(crate) mod jobs;
pub(crate) mod levels;
pub(crate) mod logs;
pub(crate) mod manual_entries;
pub(crate) mod manual_exits;
pub(crate) mod order_requests;
pub(crate) mod orders;
pub(crate) mod pick_decisions;
pub(crate) mod picks;
pub(crate) mod portfolios;
pub(crate) mod positions;
pub(crate) mod previews;
pub(crate) mod prices;
pub(crate) mod rankings;
pub(crate) mod rebalances;
pub(crate) mod reentry;
pub(crate) mod reentry_blacklist;
pub(crate) mod reentry_expiries;
pub(crate) mod reentry_limits;
pub(crate) mod reentry_windows;
pub(crate) mod regime;
pub(crate) mod risk;
pub(crate) mod risk_limits;
pub(crate) mod signals;
pub(crate) mod strategy_runs;
pub(crate) mod universe;
