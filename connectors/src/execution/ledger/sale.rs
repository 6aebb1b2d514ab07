//! What news about a sale does to its position.

use crate::postgres::Transaction;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use tokio::try_join;
use tracing::warn;
use turnstile_dataflows::model::{ExitReason, Floor, Phase, Price, Profile, Quantity, floor_after};
use uuid::Uuid;

use super::super::alarm::{Alarm, Level};
use super::super::broker::Side;
use super::super::error::StoreError;
use super::super::merge::Step;
use super::super::order::quantity;
use super::closing::store_sold;
use super::result::Sold;
use super::{Execution, Ledger, Subject};

const LOCK_POSITION: &str = "SELECT p.qty, p.avg_price, p.status, p.cycle, s.phase, s.stop_floor
    FROM trade.positions p JOIN trade.position_state s USING (position_id)
    WHERE p.position_id = $1 FOR NO KEY UPDATE";

/// Sales of a position that have not ended; see `order::FRESH_ORDERS` for the OFFSET.
const HAS_LIVE_SALE: &str = "SELECT EXISTS (
    SELECT 1 FROM trade.orders o CROSS JOIN LATERAL (
        SELECT v.status FROM trade.orders_now v WHERE v.order_id = o.order_id OFFSET 0) n
    WHERE o.position_id = $1 AND o.side = 'SELL' AND n.status NOT IN
        ('FILLED', 'REJECTED', 'CANCELLED', 'CANCELLED_PARTIAL', 'ERROR')) AS is_live";

const SET_POSITION: &str = "UPDATE trade.positions SET qty = $2, status = $3,
        closed_ts = CASE WHEN $3 = 'CLOSED' THEN clock_timestamp() END
    WHERE position_id = $1";

/// A new floor comes from the average as it stands, so later changes are measured against that one.
const SET_STATE: &str = "UPDATE trade.position_state s
    SET phase = $2, stop_floor = $3, stop_floor_price = $4, updated_ts = clock_timestamp(),
        last_avg_price = CASE WHEN s.stop_floor IS DISTINCT FROM $3
            THEN nullif(p.avg_price, 0) ELSE s.last_avg_price END
    FROM trade.positions p WHERE p.position_id = s.position_id AND s.position_id = $1";

/// A position under its lock.
pub(super) struct Held {
    pub(super) id: Uuid,
    pub(super) qty: Quantity,
    pub(super) avg_price: Decimal,
    pub(super) status: String,
    cycle: i32,
    phase: Phase,
    floor: Option<Floor>,
}

impl Ledger {
    /// Stores what a sale brought, and moves quantity, status, phase and floor of its position. Returns
    /// the position if it changed.
    pub(super) async fn after_sale(
        &self,
        tx: &Transaction<'_>,
        subject: &Subject,
        step: &Step,
        execution: Option<&Execution>,
        held: Option<Held>,
    ) -> Result<Option<Uuid>, StoreError> {
        let Some(held) = held else {
            return Ok(None);
        };
        let position = held.id;
        let sold = execution.map_or(Quantity::ZERO, |execution| execution.qty);
        if sold > held.qty {
            self.oversold(subject, &held, sold);
        }
        if held.status == "CLOSED" {
            return Ok(Some(position));
        }
        let left = held.qty.saturating_sub(sold);
        let is_closed = left.is_zero() && !sold.is_zero();
        let status = if is_closed {
            "CLOSED"
        } else if held.status == "CLOSING" && !has_live_sale(tx, position).await? {
            "OPEN"
        } else {
            held.status.as_str()
        };
        let is_moved = !sold.is_zero() || status != held.status;
        try_join!(
            store_result(tx, subject, &held, execution),
            async {
                match is_moved {
                    true => set_position(tx, position, left, status).await,
                    false => Ok(()),
                }
            },
            move_phase(tx, subject, step, &held, is_closed),
        )?;
        if is_closed {
            store_sold(tx, held.id, held.avg_price).await?;
        }
        Ok(Some(position))
    }

    fn oversold(&self, subject: &Subject, held: &Held, sold: Quantity) {
        self.alarms.raise(Alarm {
            level: Level::Critical,
            event: "SOLD_MORE_THAN_HELD",
            symbol: Some(subject.symbol.clone()),
            position: Some(held.id),
            message: format!("{sold} shares sold where {} are held", held.qty),
            context: json!({"order_id": subject.id}),
        });
    }
}

/// Locks the position that a sale is about to move; none where it moves nothing.
pub(super) async fn lock_sold(
    tx: &Transaction<'_>,
    subject: &Subject,
    step: &Step,
) -> Result<Option<Held>, StoreError> {
    let moves =
        subject.side == Side::Sell && (step.execution.is_some() || step.after.is_terminal());
    match subject.position.filter(|_| moves) {
        Some(position) => Ok(Some(lock_position(tx, position).await?)),
        None => Ok(None),
    }
}

async fn lock_position(tx: &Transaction<'_>, position: Uuid) -> Result<Held, StoreError> {
    let statement = tx.prepare_cached(LOCK_POSITION).await?;
    let row = tx
        .query_opt(&statement, &[&position])
        .await?
        .ok_or_else(|| StoreError::inconsistent(format!("there is no position {position}")))?;
    let phase: &str = row.try_get("phase")?;
    let floor: Option<&str> = row.try_get("stop_floor")?;
    let floor = floor.map(str::parse::<Floor>).transpose();
    Ok(Held {
        id: position,
        qty: quantity(row.try_get("qty")?)?,
        avg_price: row.try_get("avg_price")?,
        status: row.try_get("status")?,
        cycle: row.try_get("cycle")?,
        phase: phase.parse().map_err(StoreError::inconsistent)?,
        floor: floor.map_err(StoreError::inconsistent)?,
    })
}

/// Stores what an execution brought, if there is one, of the shares that the position held: any more are
/// those of another one, or counted when they were gone.
async fn store_result(
    tx: &Transaction<'_>,
    subject: &Subject,
    held: &Held,
    execution: Option<&Execution>,
) -> Result<(), StoreError> {
    let Some(execution) = execution else {
        return Ok(());
    };
    let qty = execution.qty.min(held.qty);
    if qty.is_zero() {
        return Ok(());
    }
    let sold = Sold {
        id: execution.fill,
        position: held.id,
        order: Some(subject.id),
        ts_us: Some(execution.ts_us),
        qty,
        price: execution.price.to_decimal(),
        avg_price: held.avg_price,
        costs: execution.costs.fee + execution.costs.tax,
    };
    sold.store(tx).await
}

async fn set_position(
    tx: &Transaction<'_>,
    position: Uuid,
    left: Quantity,
    status: &str,
) -> Result<(), StoreError> {
    let statement = tx.prepare_cached(SET_POSITION).await?;
    tx.execute(&statement, &[&position, &left.shares(), &status])
        .await?;
    Ok(())
}

async fn has_live_sale(tx: &Transaction<'_>, position: Uuid) -> Result<bool, StoreError> {
    let statement = tx.prepare_cached(HAS_LIVE_SALE).await?;
    Ok(tx
        .query_one(&statement, &[&position])
        .await?
        .try_get("is_live")?)
}

/// Moves phase and floor once the order has ended with any fill, in the cycle it was decided in.
async fn move_phase(
    tx: &Transaction<'_>,
    subject: &Subject,
    step: &Step,
    held: &Held,
    is_closed: bool,
) -> Result<(), StoreError> {
    let took_effect =
        step.after.is_terminal() && !step.filled.is_zero() && subject.cycle == Some(held.cycle);
    let reason = subject.reason.parse::<ExitReason>().ok();
    let reason = reason.filter(|_| took_effect);
    if !is_closed && reason.is_none() {
        return Ok(());
    }
    let (phase, floor) = (held.phase, held.floor);
    let (mut next_phase, mut next_floor) = (phase, floor);
    if let Some(reason) = reason {
        let profile = profile(tx, subject).await?;
        next_phase = phase.after(reason, &profile);
        if next_phase != phase
            && let Ok(avg) = held.avg_price.try_into()
        {
            next_floor = floor_after(floor, reason, avg, &profile);
        }
    }
    if is_closed {
        next_phase = Phase::Exited;
    }
    if (next_phase, next_floor) == (phase, floor) {
        return Ok(());
    }
    let statement = tx.prepare_cached(SET_STATE).await?;
    let exact = next_floor.map(|floor| floor.to_string());
    let level = next_floor.and_then(Floor::level).map(Price::to_decimal);
    tx.execute(&statement, &[&held.id, &next_phase.name(), &exact, &level])
        .await?;
    Ok(())
}

/// Returns the profile that the order's explanation names, as it stands now. One that is gone or
/// cannot be read has everything off.
async fn profile(tx: &Transaction<'_>, subject: &Subject) -> Result<Profile, StoreError> {
    let Some(rule_id) = &subject.profile else {
        return Ok(Profile::default());
    };
    let statement = tx
        .prepare_cached("SELECT rules FROM trade.exit_rules WHERE rule_id = $1")
        .await?;
    let Some(row) = tx.query_opt(&statement, &[rule_id]).await? else {
        warn!(rule_id, order = %subject.id, "the profile of a filled order is gone");
        return Ok(Profile::default());
    };
    let rules: Value = row.try_get("rules")?;
    Ok(Profile::from_value(&rules).unwrap_or_else(|faults| {
        warn!(rule_id, order = %subject.id, %faults, "the profile of a filled order is unusable");
        Profile::default()
    }))
}
