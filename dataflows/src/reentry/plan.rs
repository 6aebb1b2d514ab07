//! Candidates: exit events ⋈ re-entry rules ⋈ recent history ⋈ control.
//!
//! ```text
//! exit events ─ not closed candidates ─┬─⋈─ best rule (or none) ─⋈─ entries of the symbol ─┐
//! candidates (READY, …) ───────────────┘                                                   │
//! positions, READY candidates ─> busy symbols ─────────────────────────────⋈─ control ─────┴─> plans
//! ```
//!
//! Arrangements: open exit events by id and by symbol, rules by what they match (one entry a rule),
//! entries by symbol (one entry an order of the last days). An exit event leaves all of them when
//! its candidate ends.

use std::sync::Arc;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Rows;
use crate::model::{
    ExitEventId, ExitReason, LogicalTime, Price, Quantity, Ratio, ReentryMode, Symbol,
};

/// One row of `trade.exit_events`, as far as it decides.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ExitEvent {
    /// Identity, also that of the candidate.
    pub id: ExitEventId,
    /// What was held.
    pub symbol: Symbol,
    /// Reason code as stored; not every one is an [`ExitReason`] (MANUAL, BROKER, UNKNOWN).
    pub reason: Arc<str>,
    /// When the position reached zero.
    pub exit: LogicalTime,
    /// Average price of its sales.
    pub exit_price: Price,
    /// Shares at entry.
    pub original_qty: Quantity,
}

/// State of a candidate, as stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum CandidateState {
    /// Waits for the end of the cooldown.
    Cooldown,
    /// Waits for its trigger.
    Watch,
    /// Its order is under way.
    Ready,
    /// Over: entered, expired or blocked.
    Over,
}

/// One active row of `trade.reentry_rules`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ReentryRule {
    /// Identity.
    pub id: Arc<str>,
    /// The symbol it serves; none: every one.
    pub symbol: Option<Symbol>,
    /// Reason code or class ([`reason_class`]) it serves.
    pub exit_reason: Arc<str>,
    /// Whether exits make candidates at all, and candidates may enter.
    pub is_allowed: bool,
    /// Cooldown after the exit, microseconds.
    pub cooldown_us: u64,
    /// How long a candidate watches after the cooldown, microseconds.
    pub watch_us: u64,
    /// Entries of a symbol on one day of Seoul, at most.
    pub per_day_max: u32,
    /// Part of the original quantity to buy back.
    pub size: Ratio,
    /// What must happen.
    pub trigger: ReentryTrigger,
    /// The highest wins.
    pub priority: i32,
}

/// What must happen for a candidate to enter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ReentryTrigger {
    /// The price is at or above `exit price × (1 + rebound)`.
    Rebound(Ratio),
}

impl ReentryTrigger {
    /// Reads `{"type": "REBOUND", "rebound": 0.02}`; `0 ≤ rebound < 0.5`.
    ///
    /// # Errors
    /// What is wrong, with the path of the key below `trigger_params`.
    pub fn from_value(value: &Value) -> Result<Self, String> {
        let object = value.as_object().ok_or("trigger_params: object expected")?;
        if let Some(key) = object
            .keys()
            .find(|key| !["type", "rebound"].contains(&key.as_str()))
        {
            return Err(format!(
                "trigger_params.{key}: unknown key, expected type or rebound"
            ));
        }
        match object.get("type").and_then(Value::as_str) {
            Some("REBOUND") => {}
            other => {
                return Err(format!(
                    "trigger_params.type: REBOUND expected, was {other:?}"
                ));
            }
        }
        let text = object
            .get("rebound")
            .map(Value::to_string)
            .unwrap_or_default();
        let rebound = Decimal::from_str_exact(&text)
            .map_err(|_| format!("trigger_params.rebound: number expected, was {text:?}"))?;
        if !(Decimal::ZERO..Decimal::new(5, 1)).contains(&rebound) {
            return Err(format!(
                "trigger_params.rebound: 0 <= x < 0.5 expected, was {rebound}"
            ));
        }
        let rebound = Ratio::try_from(rebound);
        rebound
            .map(Self::Rebound)
            .map_err(|error| format!("trigger_params.rebound: {error}"))
    }
}

/// Returns the class of reasons that `code` belongs to, none where it never leads to a re-entry
/// (domain 5.1: time, manual and broker exits, and the operator's flattening).
pub fn reason_class(code: &str) -> Option<&'static str> {
    match code.parse::<ExitReason>().ok()? {
        ExitReason::Sl1
        | ExitReason::Sl2
        | ExitReason::HardStop
        | ExitReason::StopFloor
        | ExitReason::GapDown
        | ExitReason::BreakEven
        | ExitReason::CustomLoss => Some("SL"),
        ExitReason::Trail | ExitReason::TrailPartial => Some("TRAIL"),
        ExitReason::Tp1 | ExitReason::Tp2 | ExitReason::Tp3 | ExitReason::CustomProfit => {
            Some("TP")
        }
        ExitReason::Flatten | ExitReason::Manual | ExitReason::Time => None,
    }
}

/// Collections that candidates are made from.
pub(crate) struct ReentryInputs<'s> {
    /// All exit events.
    pub(crate) exit_events: Rows<'s, (ExitEventId, ExitEvent)>,
    /// Stored state of each candidate, with its symbol.
    pub(crate) candidates: Rows<'s, (ExitEventId, (Symbol, CandidateState))>,
    /// Active rules.
    pub(crate) rules: Rows<'s, ReentryRule>,
    /// Entry orders: symbol and day of Seoul of each.
    pub(crate) entries: Rows<'s, (Symbol, (u64, ExitEventId))>,
    /// Symbols of live positions.
    pub(crate) held: Rows<'s, Symbol>,
    /// The control mode.
    pub(crate) control: Rows<'s, ((), ReentryMode)>,
}

/// Everything that decides about one candidate.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(super) struct CandidatePlan {
    pub(super) event: ExitEvent,
    pub(super) rule: Option<ReentryRule>,
    /// Stored state, if the candidate is stored.
    pub(super) stored: Option<CandidateState>,
    /// Entries of the symbol by day.
    pub(super) entries: Vec<(u64, u32)>,
    /// Whether the symbol is held or an entry of it is under way.
    pub(super) is_busy: bool,
    pub(super) mode: ReentryMode,
}

/// Renders one plan per candidate that is not over.
pub(super) fn render(inputs: ReentryInputs<'_>) -> Rows<'_, CandidatePlan> {
    let ended = inputs
        .candidates
        .clone()
        .filter(|(_id, (_symbol, state))| {
            matches!(state, CandidateState::Ready | CandidateState::Over)
        })
        .map(|(id, _row)| id);
    let open = inputs.exit_events.antijoin(ended);
    let stored = open
        .clone()
        .map(|(id, _event)| (id, None))
        .concat(
            inputs
                .candidates
                .clone()
                .map(|(id, (_symbol, state))| (id, Some(state))),
        )
        .reduce_named("candidates: stored state by event", |_id, rows, output| {
            output.push((*rows[rows.len() - 1].0, 1)); // `None` sorts before any state.
        });
    let ruled = best_rules(&open, inputs.rules);
    let busy = inputs
        .candidates
        .filter(|(_id, (_symbol, state))| *state == CandidateState::Ready)
        .map(|(_id, (symbol, _state))| symbol)
        .concat(inputs.held)
        .distinct();
    let symbols = open.clone().map(|(_id, event)| event.symbol).distinct();
    let entries = entries_by_day(symbols.clone(), inputs.entries);
    let busy = symbols
        .map(|symbol| (symbol, false))
        .concat(busy.map(|symbol| (symbol, true)))
        .reduce_named("candidates: busy by symbol", |_symbol, rows, output| {
            output.push((*rows[rows.len() - 1].0, 1)); // `false` sorts before `true`.
        });
    open.join(stored)
        .join(ruled)
        .map(|(_id, ((event, stored), rule))| (event.symbol, (event, stored, rule)))
        .join(entries)
        .join(busy)
        .map(|(_symbol, row)| ((), row))
        .join_map(
            inputs.control,
            |_key, (((event, stored, rule), entries), is_busy), mode| CandidatePlan {
                event: event.clone(),
                rule: rule.clone(),
                stored: *stored,
                entries: entries.clone(),
                is_busy: *is_busy,
                mode: *mode,
            },
        )
}

/// Returns the rule of each event: the highest priority, then the most specific, then the lower
/// id; none where none matches.
fn best_rules<'s>(
    open: &Rows<'s, (ExitEventId, ExitEvent)>,
    rules: Rows<'s, ReentryRule>,
) -> Rows<'s, (ExitEventId, Option<ReentryRule>)> {
    let keys = open.clone().flat_map(|(id, event)| {
        let class = reason_class(&event.reason).map(Arc::<str>::from);
        let codes = [class.is_some().then_some(event.reason), class]
            .into_iter()
            .flatten();
        let mut keys = Vec::with_capacity(4);
        for (rank, code) in codes.enumerate() {
            keys.push(((Some(event.symbol), code.clone()), (id.clone(), rank)));
            keys.push(((None, code), (id.clone(), rank + 2)));
        }
        keys
    });
    let by_match = rules.map(|rule| ((rule.symbol, rule.exit_reason.clone()), rule));
    let found = keys.join_map(by_match, |_key, (id, rank), rule| {
        (
            id.clone(),
            Some((-i64::from(rule.priority), *rank, rule.clone())),
        )
    });
    open.clone()
        .map(|(id, _event)| (id, None))
        .concat(found)
        .reduce_named("candidates: best rule by event", |_id, rows, output| {
            // `None` sorts first and counts only alone.
            let best = rows.iter().find_map(|(row, _count)| row.as_ref());
            output.push((best.map(|(_priority, _rank, rule)| rule.clone()), 1));
        })
}

fn entries_by_day<'s>(
    symbols: Rows<'s, Symbol>,
    entries: Rows<'s, (Symbol, (u64, ExitEventId))>,
) -> Rows<'s, (Symbol, Vec<(u64, u32)>)> {
    symbols
        .map(|symbol| (symbol, None))
        .concat(entries.map(|(symbol, entry)| (symbol, Some(entry))))
        .reduce_named("candidates: entries by symbol", |_symbol, rows, output| {
            let mut days: Vec<(u64, u32)> = Vec::new();
            for (day, _id) in rows.iter().filter_map(|(row, _count)| row.as_ref()) {
                match days.last_mut().filter(|(last, _)| last == day) {
                    Some((_, count)) => *count += 1,
                    None => days.push((*day, 1)),
                }
            }
            output.push((days, 1));
        })
}
