//! What news about a purchase does: the position it opens and the end of its candidate.

use crate::postgres::Transaction;
use rust_decimal::{Decimal, RoundingStrategy};
use serde_json::json;
use turnstile_dataflows::model::Quantity;
use uuid::Uuid;

use super::super::alarm::{Alarm, Level};
use super::super::error::StoreError;
use super::super::merge::{News, Step};
use super::super::order::quantity;
use super::{Execution, Ledger, Subject};

/// Decimal places of an average cost as stored.
const PRICE_SCALE: u32 = 4;

const LOCK_CANDIDATE: &str = "SELECT c.exit_event_id, c.rule_id, p.strategy_id
    FROM trade.reentry_candidates c
    JOIN trade.positions p ON p.position_id = c.origin_position_id
    WHERE c.candidate_id = $1 FOR NO KEY UPDATE OF c";

/// The strategy that asked for a purchase without a candidate.
const ASKED_STRATEGY: &str = "SELECT strategy_id FROM trade.manual_entries WHERE order_id = $1";

/// The live position of the account, symbol and strategy, and how many of this order have closed
/// again.
const LOCK_LIVE: &str = "SELECT position_id, qty, original_qty, avg_price, candidate_id
    FROM trade.positions
    WHERE account_id = $1 AND symbol = $2 AND strategy_id = $3
      AND status IN ('OPEN', 'CLOSING') FOR NO KEY UPDATE";
const COUNT_OWN: &str = "SELECT count(*) AS closed FROM trade.positions WHERE candidate_id = $1";

const BOUGHT: &str = "SELECT coalesce(sum(qty), 0)::bigint AS qty,
        coalesce(sum(qty * price + fee), 0) AS cost
    FROM trade.executions WHERE order_id = $1";

const OPEN_POSITION: &str = "INSERT INTO trade.positions
        (position_id, account_id, symbol, qty, original_qty, avg_price, entry_ts, strategy_id,
         candidate_id)
    VALUES ($1, $2, $3, $4, $4, $5, timestamptz 'epoch' + $6::bigint * interval '1 microsecond',
         $7, $8)";

/// Whether this is a new cycle is for the trigger `classify` of the table to say, as for any other
/// change of the average.
const GROW_POSITION: &str = "UPDATE trade.positions
    SET qty = $2, original_qty = $3, avg_price = $4 WHERE position_id = $1";

/// The reference that the trigger measures against.
const MOVE_REFERENCE: &str = "UPDATE trade.position_state
    SET last_avg_price = $2, updated_ts = clock_timestamp() WHERE position_id = $1";

const STORE_HISTORY: &str = "INSERT INTO trade.reentry_history
        (candidate_id, exit_event_id, symbol, decided_us, status, gate, reason, price, order_id,
         rule_id)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
    ON CONFLICT (candidate_id, decided_us, status) DO NOTHING";

const END_CANDIDATE: &str = "UPDATE trade.reentry_candidates
    SET state = $2, blocked_gate = $3, blocked_reason = $4, updated_ts = clock_timestamp()
    WHERE candidate_id = $1";

/// The gate that history names where the broker refused an entry.
const BROKER_GATE: &str = "BROKER";

/// The candidate of an entry, under its lock.
struct Candidate {
    id: Uuid,
    exit_event: Uuid,
    rule_id: Option<String>,
    strategy: String,
}

/// A position that an entry grows, under its lock.
struct Growing {
    id: Uuid,
    qty: Quantity,
    original_qty: Quantity,
    avg_price: Decimal,
    candidate: Option<Uuid>,
}

impl Ledger {
    /// Opens or grows the position of an entry and ends its candidate. Returns the position if it
    /// changed.
    pub(super) async fn after_purchase(
        &self,
        tx: &Transaction<'_>,
        subject: &Subject,
        step: &Step,
        execution: Option<&Execution>,
        news: &News,
    ) -> Result<Option<Uuid>, StoreError> {
        let candidate = match subject.candidate {
            Some(id) => Some(lock_candidate(tx, id).await?),
            None => None,
        };
        let position = match execution {
            Some(execution) => {
                let strategy = strategy_of(tx, subject, candidate.as_ref()).await?;
                Some(self.buy(tx, subject, execution, &strategy).await?)
            }
            None => None,
        };
        if let Some(candidate) = candidate.filter(|_| step.after.is_terminal()) {
            end_candidate(tx, subject, &candidate, step, news).await?;
        }
        Ok(position)
    }

    async fn buy(
        &self,
        tx: &Transaction<'_>,
        subject: &Subject,
        execution: &Execution,
        strategy: &str,
    ) -> Result<Uuid, StoreError> {
        match lock_live(tx, subject, strategy).await? {
            Some(live) if live.candidate.is_some() && live.candidate == subject.candidate => {
                grow_own(tx, subject, execution, &live).await?;
                Ok(live.id)
            }
            Some(live) => {
                self.alarms.raise(Alarm {
                    level: Level::Warning,
                    event: "BOUGHT_INTO_LIVE_POSITION",
                    symbol: Some(subject.symbol.clone()),
                    position: Some(live.id),
                    message: format!("{} shares added to a position held already", execution.qty),
                    context: json!({"order_id": subject.id}),
                });
                grow_other(tx, execution, &live).await?;
                Ok(live.id)
            }
            None => open(tx, subject, execution, strategy).await,
        }
    }
}

async fn lock_candidate(tx: &Transaction<'_>, id: Uuid) -> Result<Candidate, StoreError> {
    let statement = tx.prepare_cached(LOCK_CANDIDATE).await?;
    let row = tx
        .query_opt(&statement, &[&id])
        .await?
        .ok_or_else(|| StoreError::inconsistent(format!("there is no candidate {id}")))?;
    Ok(Candidate {
        id,
        exit_event: row.try_get("exit_event_id")?,
        rule_id: row.try_get("rule_id")?,
        strategy: row.try_get("strategy_id")?,
    })
}

async fn lock_live(
    tx: &Transaction<'_>,
    subject: &Subject,
    strategy: &str,
) -> Result<Option<Growing>, StoreError> {
    let statement = tx.prepare_cached(LOCK_LIVE).await?;
    let row = tx
        .query_opt(&statement, &[&subject.account, &subject.symbol, &strategy])
        .await?;
    let Some(row) = row else {
        return Ok(None);
    };
    Ok(Some(Growing {
        id: row.try_get("position_id")?,
        qty: quantity(row.try_get("qty")?)?,
        original_qty: quantity(row.try_get("original_qty")?)?,
        avg_price: row.try_get("avg_price")?,
        candidate: row.try_get("candidate_id")?,
    }))
}

/// Returns the strategy whose position a purchase is: that of its candidate, or the one that asked
/// for it; else nobody's.
async fn strategy_of(
    tx: &Transaction<'_>,
    subject: &Subject,
    candidate: Option<&Candidate>,
) -> Result<String, StoreError> {
    if let Some(candidate) = candidate {
        return Ok(candidate.strategy.clone());
    }
    let statement = tx.prepare_cached(ASKED_STRATEGY).await?;
    let row = tx.query_opt(&statement, &[&subject.id]).await?;
    let strategy = row.map(|row| row.try_get("strategy_id")).transpose()?;
    Ok(strategy.unwrap_or_else(|| "MANUAL".to_owned()))
}

/// Opens the position of a first fill. Its identity comes from the order; an order that fills on
/// after its position was sold out opens a second one.
async fn open(
    tx: &Transaction<'_>,
    subject: &Subject,
    execution: &Execution,
    strategy: &str,
) -> Result<Uuid, StoreError> {
    let statement = tx.prepare_cached(COUNT_OWN).await?;
    let row = tx.query_one(&statement, &[&subject.candidate]).await?;
    let closed: i64 = row.try_get("closed")?;
    let id = Uuid::new_v5(&subject.id, format!("position:{closed}").as_bytes());
    let average = average_cost(piece_cost(execution), execution.qty);
    let statement = tx.prepare_cached(OPEN_POSITION).await?;
    tx.execute(
        &statement,
        &[
            &id,
            &subject.account,
            &subject.symbol,
            &execution.qty.shares(),
            &average,
            &execution.ts_us,
            &strategy,
            &subject.candidate,
        ],
    )
    .await?;
    Ok(id)
}

/// Adds a further fill of the order that opened the position: the same cycle however far its price
/// is from the first, and the average of the order as a whole while all of it is in this position.
async fn grow_own(
    tx: &Transaction<'_>,
    subject: &Subject,
    execution: &Execution,
    live: &Growing,
) -> Result<(), StoreError> {
    let statement = tx.prepare_cached(BOUGHT).await?;
    let row = tx.query_one(&statement, &[&subject.id]).await?;
    let bought = quantity(row.try_get("qty")?)?;
    let cost: Decimal = row.try_get("cost")?;
    let original = live.original_qty.saturating_add(execution.qty);
    let average = if bought == original {
        average_cost(cost, bought)
    } else {
        grown_average(live, execution)
    };
    if !average.is_zero() {
        let statement = tx.prepare_cached(MOVE_REFERENCE).await?;
        tx.execute(&statement, &[&live.id, &average]).await?;
    }
    store_growth(tx, live, execution, original, average).await
}

/// Adds shares to a position that another purchase opened.
async fn grow_other(
    tx: &Transaction<'_>,
    execution: &Execution,
    live: &Growing,
) -> Result<(), StoreError> {
    let original = live.original_qty.saturating_add(execution.qty);
    let average = grown_average(live, execution);
    store_growth(tx, live, execution, original, average).await
}

async fn store_growth(
    tx: &Transaction<'_>,
    live: &Growing,
    execution: &Execution,
    original: Quantity,
    average: Decimal,
) -> Result<(), StoreError> {
    let qty = live.qty.saturating_add(execution.qty);
    let statement = tx.prepare_cached(GROW_POSITION).await?;
    tx.execute(
        &statement,
        &[&live.id, &qty.shares(), &original.shares(), &average],
    )
    .await?;
    Ok(())
}

async fn end_candidate(
    tx: &Transaction<'_>,
    subject: &Subject,
    candidate: &Candidate,
    step: &Step,
    news: &News,
) -> Result<(), StoreError> {
    let is_entered = !step.filled.is_zero();
    let (state, gate, reason) = if is_entered {
        ("ENTERED", None, None)
    } else {
        let reason = match news {
            News::End { code, message, .. } => format!("{code}: {message}"),
            News::Fill { .. } | News::Listed { .. } => {
                format!("the order ended as {} without a fill", step.after)
            }
        };
        ("BLOCKED", Some(BROKER_GATE), Some(reason))
    };
    let statement = tx.prepare_cached(STORE_HISTORY).await?;
    tx.execute(
        &statement,
        &[
            &candidate.id,
            &candidate.exit_event,
            &subject.symbol,
            &subject.decided_us,
            &state,
            &gate,
            &reason,
            &subject.price.to_decimal(),
            &subject.id,
            &subject.rule_id.as_ref().or(candidate.rule_id.as_ref()),
        ],
    )
    .await?;
    let statement = tx.prepare_cached(END_CANDIDATE).await?;
    tx.execute(&statement, &[&candidate.id, &state, &gate, &reason])
        .await?;
    Ok(())
}

/// Returns what a fill cost, fee included.
fn piece_cost(execution: &Execution) -> Decimal {
    execution.price.to_decimal() * Decimal::from(execution.qty.shares()) + execution.costs.fee
}

fn grown_average(live: &Growing, execution: &Execution) -> Decimal {
    let held = live.avg_price * Decimal::from(live.qty.shares());
    let qty = live.qty.saturating_add(execution.qty);
    average_cost(held + piece_cost(execution), qty)
}

/// Returns the average cost to four decimals, half to even.
fn average_cost(cost: Decimal, qty: Quantity) -> Decimal {
    let mean = cost.checked_div(qty.shares().into()).unwrap_or_default();
    mean.round_dp_with_strategy(PRICE_SCALE, RoundingStrategy::MidpointNearestEven)
}
