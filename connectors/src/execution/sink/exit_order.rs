//! An exit decision as one transaction: order, first event, position CLOSING.

use deadpool_postgres::GenericClient;
use serde_json::Value;
use turnstile_dataflows::exit::ExitDecision;
use turnstile_dataflows::model::{Price, Quantity};

use super::super::broker::Side;
use super::super::error::StoreError;
use super::super::order::{Order, result_ppm};
use super::policy::Policy;
use super::{Stored, micros, order_id, uuid};

/// One statement, hence one transaction and one round trip. The position is written also where it
/// is CLOSING already: a transaction that has just found no live order and sets it OPEN holds its
/// lock, and only a write waits for that and sees the result.
const STORE: &str = "WITH held AS (
        SELECT position_id, account_id FROM trade.positions WHERE position_id = $2
    ), placed AS (
        INSERT INTO trade.orders
            (order_id, action_key, account_id, position_id, symbol, side, intent_type, qty,
             order_type, reason_code, phase, cycle, attempt, rule_id, price, level, decided_us,
             tick_us, cancels, explanation, limit_price)
        SELECT $1, $3, account_id, position_id, $4, 'SELL', $5, $6,
             CASE WHEN $19::numeric IS NULL THEN 'MKT' ELSE 'LMT' END, $7, $8, $9, $10, $11,
             $12, $13, $14, $15, $16, $17, $19
        FROM held
        ON CONFLICT (action_key) DO NOTHING
        RETURNING order_id, account_id
    ), told AS (
        INSERT INTO trade.order_events (order_id, status) SELECT order_id, $18 FROM placed
    ), closing AS (
        UPDATE trade.positions
        SET status = CASE status WHEN 'OPEN' THEN 'CLOSING' ELSE status END
        WHERE position_id = $2 AND EXISTS (SELECT 1 FROM placed)
    )
    SELECT (SELECT account_id FROM held) AS account_id,
        EXISTS (SELECT 1 FROM placed) AS is_new";

/// Has the server parse the statement, if it has not on this connection.
pub(super) async fn prepare(client: &impl GenericClient) -> Result<(), StoreError> {
    drop(client.prepare_cached(STORE).await?);
    Ok(())
}

/// Stores a decision.
pub(super) async fn store(
    client: &impl GenericClient,
    decision: &ExitDecision,
    policy: Policy,
) -> Result<Stored, StoreError> {
    let (status, limit) = (policy.of_exit(decision), policy.limit(decision));
    let action_key = decision.action_key.as_str();
    let id = order_id(action_key);
    let position = uuid(decision.position.as_str())?;
    let explanation: Value = serde_json::to_value(&decision.explanation)
        .map_err(|error| StoreError::Inconsistent(format!("explanation: {error}")))?;
    let number = |n: u32| i32::try_from(n).map_err(StoreError::inconsistent);
    let intent = if decision.is_full() {
        "EXIT_FULL"
    } else {
        "EXIT_PARTIAL"
    };
    let (decided_us, tick_us) = (
        micros(decision.time.micros()),
        micros(decision.explanation.tick.micros()),
    );
    let cancels: Vec<String> = decision.cancels.iter().map(ToString::to_string).collect();
    let statement = client.prepare_cached(STORE).await?;
    let row = client
        .query_one(
            &statement,
            &[
                &id,
                &position,
                &action_key,
                &&*decision.symbol.text(),
                &intent,
                &decision.qty.shares(),
                &decision.reason.code(),
                &decision.phase.name(),
                &number(decision.cycle)?,
                &number(decision.attempt)?,
                &decision.rule_id.as_deref(),
                &decision.price.to_decimal(),
                &decision.level.to_decimal(),
                &decided_us,
                &tick_us,
                &cancels,
                &explanation,
                &status.name(),
                &limit.map(Price::to_decimal),
            ],
        )
        .await?;
    let account: Option<String> = row.try_get("account_id")?;
    let account = account
        .ok_or_else(|| StoreError::Inconsistent(format!("there is no position {position}")))?;
    if !row.try_get::<_, bool>("is_new")? {
        return Ok(Stored::Repeated(action_key.to_owned()));
    }
    Ok(Stored::Order(Box::new(Order {
        id,
        action_key: action_key.to_owned(),
        account,
        position: Some(position),
        candidate: None,
        symbol: decision.symbol,
        side: Side::Sell,
        qty: decision.qty,
        limit,
        reason: decision.reason.code().to_owned(),
        decided_us,
        tick_us: Some(tick_us),
        cancels,
        status,
        send_attempt: 0,
        sent_qty: None,
        filled: Quantity::ZERO,
        by_poll: Quantity::ZERO,
        broker: None,
        sending: None,
        result_ppm: result_ppm(decision.price, decision.explanation.avg_price),
        is_fund: false,
        received_us: None,
    })))
}
