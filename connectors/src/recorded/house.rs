//! The house of a replay with re-entries: it fills every decision at once, keeps positions, and tells
//! the engine what follows, as the store would.
//!
//! What follows is an event of its own at the next logical time, before anything recorded: a position
//! that reached zero with its exit event, a purchase with the position it opens, a candidate that is
//! over.

use std::collections::{BTreeMap, VecDeque};

use turnstile_dataflows::engine::Change;
use turnstile_dataflows::exit::ExitDecision;
use turnstile_dataflows::model::{
    ExitEventId, LogicalTime, Position, PositionId, PositionState, Price, Quantity, half_even,
};
use turnstile_dataflows::reentry::{
    CandidateState, ExitEvent, Purchase, ReentryVerdict, StoredCandidate, Verdict,
};

/// A position and what was sold of it.
#[derive(Debug)]
struct Held {
    position: Position,
    sold_qty: i64,
    /// In ten-thousandths of a won.
    sold_value: i128,
}

/// A purchase that a verdict made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bought {
    /// The position it opens: `{candidate_id}:{n}`.
    pub position: PositionId,
    /// Shares.
    pub qty: Quantity,
    /// Price paid.
    pub price: Price,
    /// Price that had to be reached.
    pub level: Price,
}

/// Positions and candidates of a replay.
#[derive(Debug, Default)]
pub struct House {
    held: BTreeMap<PositionId, Held>,
    /// Closed positions that candidates come from: what was bought is held alike.
    left: BTreeMap<ExitEventId, Position>,
    candidates: BTreeMap<ExitEventId, StoredCandidate>,
    coming: VecDeque<Vec<Change>>,
}

impl House {
    /// Takes in a position that enters.
    pub(super) fn enter(&mut self, position: &Position) {
        let held = Held {
            position: position.clone(),
            sold_qty: 0,
            sold_value: 0,
        };
        self.held.insert(position.id.clone(), held);
    }

    /// Returns what the engine has to be told next.
    pub(super) fn next(&mut self) -> Option<Vec<Change>> {
        self.coming.pop_front()
    }

    /// Fills a decision whole, at the price that was judged. A position that is sold out is left.
    pub fn sell(&mut self, time: LogicalTime, decision: &ExitDecision) {
        let Some(held) = self.held.get_mut(&decision.position) else {
            return;
        };
        let (qty, price) = (decision.qty.shares(), decision.price);
        held.sold_qty += qty;
        held.sold_value += i128::from(qty) * i128::from(price.units());
        held.position.qty = held.position.qty.saturating_sub(decision.qty);
        if !held.position.qty.is_zero() {
            return;
        }
        let Some(held) = self.held.remove(&decision.position) else {
            return;
        };
        let mut position = held.position;
        position.is_live = false;
        // A position has one exit event, under its own identity: both are texts of the same form.
        let Ok(id) = position.id.as_str().parse::<ExitEventId>() else {
            return;
        };
        let event = ExitEvent {
            id: id.clone(),
            symbol: position.symbol,
            reason: decision.reason.code().into(),
            exit: time,
            exit_price: average(held.sold_value, held.sold_qty).unwrap_or(price),
            original_qty: position.original_qty,
            prior_hwm: decision.explanation.high_water_mark,
        };
        self.left.insert(id, position.clone());
        self.coming
            .push_back(vec![Change::Position(position), Change::ExitEvent(event)]);
    }

    /// Follows a verdict. A purchase is filled whole, at the price that was judged.
    pub fn follow(&mut self, verdict: &ReentryVerdict) -> Option<Bought> {
        let id = verdict.exit_event.clone();
        let stored = self.candidates.entry(id.clone());
        let stored = stored.or_insert_with(|| StoredCandidate {
            symbol: verdict.symbol,
            state: CandidateState::Cooldown,
            cooldown_until: None,
            watch_until: None,
            blocked: None,
            refused: None,
        });
        match &verdict.verdict {
            Verdict::Cooldown { until } => stored.cooldown_until = Some(*until),
            Verdict::Watch { until } => stored.watch_until = Some(*until),
            Verdict::Blocked {
                is_final: false, ..
            } => {}
            Verdict::Blocked { .. } | Verdict::Expired { .. } => {
                stored.state = CandidateState::Over;
                let row = stored.clone();
                self.candidates.remove(&id);
                self.coming.push_back(vec![Change::Candidate(id, row)]);
            }
            Verdict::Submit {
                qty,
                level,
                action_key,
                ..
            } => {
                stored.state = CandidateState::Entered;
                let row = stored.clone();
                let price = verdict.price?;
                let n = action_key.as_str().rsplit(':').next().unwrap_or_default();
                let mut position = self.left.get(&id)?.clone();
                position.id = format!("{id}:{n}").parse().ok()?;
                position.qty = *qty;
                position.original_qty = *qty;
                position.avg_price = Some(price);
                position.entry = verdict.time;
                position.is_live = true;
                let purchase = Purchase {
                    symbol: verdict.symbol,
                    candidate: id.clone(),
                    decided: verdict.time,
                };
                let opened = position.id.clone();
                self.enter(&position);
                self.coming.push_back(vec![
                    Change::Purchase(action_key.as_str().into(), purchase),
                    Change::PositionState(opened.clone(), PositionState::default()),
                    Change::Position(position),
                    Change::Candidate(id, row),
                ]);
                return Some(Bought {
                    position: opened,
                    qty: *qty,
                    price,
                    level: *level,
                });
            }
        }
        None
    }
}

/// Returns the average price, half to even to four decimals.
fn average(value: i128, qty: i64) -> Option<Price> {
    let qty = (qty > 0).then(|| i128::from(qty))?;
    let units = i64::try_from(half_even(value, qty)).ok()?;
    Price::from_units(units).ok()
}
