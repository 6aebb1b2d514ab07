//! What the exit dataflow says: decisions with everything they were made from.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::model::{
    ActionKey, ExitMode, ExitReason, Floor, LogicalTime, ManualSale, Mark, Phase, Position,
    PositionId, PositionMode, PositionRow, PositionState, Price, Profile, ProfileId, Quantity,
    Symbol, Tick,
};

use super::held::{Held, Hit, Judgement};
use super::orders::Orders;
use super::permit::Active;
use super::rule::{ExitControl, ExitRule, RuleLevel, RuleScope, SymbolContext, Terms};
use super::trigger::Trigger;

/// A decision to sell. At most one per action key ever becomes an order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ExitDecision {
    /// Logical time of the event that caused it.
    pub time: LogicalTime,
    /// Whose shares are sold.
    pub position: PositionId,
    /// What is sold.
    pub symbol: Symbol,
    /// Why.
    pub reason: ExitReason,
    /// Custom rule, or request of the operator, for the reasons that have one.
    pub rule_id: Option<Arc<str>>,
    /// Phase before the decision.
    pub phase: Phase,
    /// Cycle of the position.
    pub cycle: u32,
    /// Attempt number, from one.
    pub attempt: u32,
    /// Shares to sell, at least one.
    pub qty: Quantity,
    /// Evaluation price.
    pub price: Price,
    /// Price that had to be reached; the evaluation price where there is none.
    pub level: Price,
    /// What makes the decision unique.
    pub action_key: ActionKey,
    /// Weaker open orders to cancel first (full stops only), in order of their keys.
    pub cancels: Vec<ActionKey>,
    /// Every input of the decision with its version.
    pub explanation: Explanation,
}

/// An unbroken run of breaching ticks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Run {
    /// The 3-second slot in which it began.
    pub slot: u64,
    /// Whether a breaching tick has come in a later slot.
    pub is_confirmed: bool,
}

/// The runs of the debounced triggers of a position.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Runs {
    /// At or below the stop floor.
    pub floor: Option<Run>,
    /// At or below the trailing level.
    pub trail: Option<Run>,
}

impl Run {
    /// Returns the run after a tick in `slot` (decision contract, 2.8).
    pub(super) fn after(run: Option<Self>, is_breach: bool, slot: u64) -> Option<Self> {
        let next = match run {
            None => Self {
                slot,
                is_confirmed: false,
            },
            Some(run) => Self {
                is_confirmed: run.is_confirmed || slot > run.slot,
                ..run
            },
        };
        is_breach.then_some(next)
    }
}

impl Runs {
    /// Ends the run that led to a decision.
    pub(super) fn end(&mut self, reason: ExitReason) {
        match reason {
            ExitReason::StopFloor => self.floor = None,
            ExitReason::Trail | ExitReason::TrailPartial => self.trail = None,
            _ => {}
        }
    }
}

/// Every input of a decision with its version. From it alone, [`Explanation::decide`] makes the
/// same decision again.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Explanation {
    /// Logical time of the event.
    pub time: LogicalTime,
    /// Logical time of the tick that was judged.
    pub tick: LogicalTime,
    /// Last price of that tick.
    pub last: Price,
    /// Bid of that tick.
    pub bid: Option<Price>,
    /// The position.
    pub position: PositionId,
    /// What it holds.
    pub symbol: Symbol,
    /// Version of the position row.
    pub position_version: u32,
    /// Who may sell it.
    pub position_mode: PositionMode,
    /// When it was opened.
    pub entry: LogicalTime,
    /// Its cycle.
    pub cycle: u32,
    /// Its phase.
    pub phase: Phase,
    /// Shares held.
    pub remaining: Quantity,
    /// Shares that the decision could dispose of.
    pub available: Quantity,
    /// Shares at entry.
    pub original_qty: Quantity,
    /// Average cost.
    pub avg_price: Option<Price>,
    /// Profile in force.
    pub profile: ProfileId,
    /// Version of the profile.
    pub profile_version: u32,
    /// What chose the profile.
    pub profile_level: RuleLevel,
    /// The profile itself, as the decision contract writes it.
    pub rules: Arc<Profile>,
    /// ATR percent of the symbol in millionths.
    pub atr_pct_millionths: Option<i64>,
    /// Close of the day before.
    pub prev_close: Option<Price>,
    /// High-water mark.
    pub high_water_mark: Option<Price>,
    /// Logical time of a tick that had it, where that is known.
    pub high_water_tick: Option<LogicalTime>,
    /// Stop floor.
    pub floor: Option<Floor>,
    /// Runs of breaches, with the slots in which they began.
    pub runs: Runs,
    /// Control mode.
    pub mode: ExitMode,
    /// Logical time of the event that set it.
    pub mode_since: LogicalTime,
    /// Orders of the cycle as they were known, and active ones of others.
    pub orders: Orders,
    /// What the operator had asked to sell.
    pub manual: Vec<ManualSale>,
}

impl ExitDecision {
    /// Returns whether nothing of the position is left if this fills whole.
    pub fn is_full(&self) -> bool {
        self.qty == self.explanation.remaining
    }
}

impl Explanation {
    /// Makes the decision again that these inputs led to; none where they lead to none.
    pub fn decide(&self) -> Option<ExitDecision> {
        let tick = Tick {
            time: self.tick,
            symbol: self.symbol,
            last: self.last,
            bid: self.bid,
            volume: 0, // No exit depends on it.
        };
        let mark = self.high_water_mark.map(|price| Mark {
            price,
            tick: self.high_water_tick,
        });
        self.held().would_decide(Judgement {
            now: self.time,
            tick: &tick,
            is_tick: false, // The runs are those after the tick.
            mark,
        })
    }

    fn held(&self) -> Held {
        let row = PositionRow {
            position: Position {
                id: self.position.clone(),
                symbol: self.symbol,
                qty: self.remaining,
                original_qty: self.original_qty,
                avg_price: self.avg_price,
                entry: self.entry,
                is_live: true,
                mode: self.position_mode,
                profile: None,
                strategy: "".into(),
                cycle: self.cycle,
                version: self.position_version,
            },
            state: PositionState {
                phase: self.phase,
                floor: self.floor,
                mark: None,
            },
        };
        let terms = Terms {
            rule: Arc::new(ExitRule {
                id: self.profile.clone(),
                scope: RuleScope::Position,
                version: self.profile_version,
                profile: self.rules.clone(),
            }),
            level: self.profile_level,
            context: SymbolContext {
                atr_pct_millionths: self.atr_pct_millionths,
                prev_close: self.prev_close,
            },
            control: ExitControl {
                mode: self.mode,
                since: self.mode_since,
            },
        };
        let mut held = Held::new(Arc::new(row), Some(Arc::new(terms)));
        held.runs = self.runs;
        held.orders = self.orders.clone();
        held.manual = self.manual.clone();
        held
    }
}

impl Held {
    /// Returns the decision to do what `trigger` asks for, explained.
    pub(super) fn decide(
        &self,
        trigger: &Trigger,
        hit: Hit,
        attempt: u32,
        active: &Active,
        by: Judgement<'_>,
    ) -> ExitDecision {
        let position = &self.row.position;
        let available = active.available(trigger.reason, self.qty);
        let sells = trigger.sells;
        let rule_id = self.subject().and_then(|subject| trigger.rule_id(&subject));
        let cancels = if trigger.reason.is_full_stop() {
            let active = self.orders.active();
            active.map(|order| order.action_key.clone()).collect()
        } else {
            Vec::new()
        };
        ExitDecision {
            time: by.now,
            position: position.id.clone(),
            symbol: position.symbol,
            reason: trigger.reason,
            phase: self.phase,
            cycle: position.cycle,
            attempt,
            qty: sells.quantity(self.qty, position.original_qty, available),
            price: by.price(),
            level: hit.level,
            action_key: ActionKey::exit(
                &position.id,
                position.cycle,
                self.phase,
                trigger.reason,
                rule_id.as_deref(),
                attempt,
            ),
            rule_id,
            cancels,
            explanation: self.explain(by, available),
        }
    }

    fn explain(&self, by: Judgement<'_>, available: Quantity) -> Explanation {
        let (position, terms) = (&self.row.position, &self.terms);
        Explanation {
            time: by.now,
            tick: by.tick.time,
            last: by.tick.last,
            bid: by.tick.bid,
            position: position.id.clone(),
            symbol: position.symbol,
            position_version: position.version,
            position_mode: position.mode,
            entry: position.entry,
            cycle: position.cycle,
            phase: self.phase,
            remaining: self.qty,
            available,
            original_qty: position.original_qty,
            avg_price: position.avg_price,
            profile: terms.rule.id.clone(),
            profile_version: terms.rule.version,
            profile_level: terms.level,
            rules: terms.rule.profile.clone(),
            atr_pct_millionths: terms.context.atr_pct_millionths,
            prev_close: terms.context.prev_close,
            high_water_mark: by.mark.map(|mark| mark.price),
            high_water_tick: by.mark.and_then(|mark| mark.tick),
            floor: self.floor,
            runs: self.runs,
            mode: terms.control.mode,
            mode_since: terms.control.since,
            orders: self.orders.of_cycle(position.cycle),
            manual: self.manual.clone(),
        }
    }
}
