//! Exit decisions as one statement: orders, first events, positions CLOSING.

use std::collections::BTreeMap;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::Value;
use turnstile_dataflows::exit::ExitDecision;
use turnstile_dataflows::model::{OrderStatus, Price, Quantity, Symbol};
use uuid::Uuid;

use super::super::broker::Side;
use super::super::error::StoreError;
use super::super::order::{Order, result_ppm};
use super::lane::{Item, Storable, Stored};
use super::policy::Policy;
use super::unstored::Unstored;
use super::{micros, order_id, uuid};
use crate::postgres::{PostgresClient, Session};

/// One statement for all decisions that wait together, hence one round trip. Positions are written
/// also where they are CLOSING already: a transaction that has just found no live order and sets its
/// position OPEN holds that lock, and only a write waits for it and sees the result. The plan takes
/// decisions one after the other, so positions are locked in their order.
const STORE: &str = "WITH asked AS (
        SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[],
            $6::bigint[], $7::text[], $8::text[], $9::integer[], $10::integer[], $11::text[],
            $12::numeric[], $13::numeric[], $14::bigint[], $15::bigint[], $16::text[],
            $17::jsonb[], $18::text[], $19::numeric[])
            AS a (order_id, position_id, action_key, symbol, intent_type, qty, reason_code, phase,
                cycle, attempt, rule_id, price, level, decided_us, tick_us, cancels, explanation,
                status, limit_price)
    ), held AS (
        SELECT a.*, p.account_id FROM asked a JOIN trade.positions p USING (position_id)
    ), placed AS (
        INSERT INTO trade.orders
            (order_id, action_key, account_id, position_id, symbol, side, intent_type, qty,
             order_type, reason_code, phase, cycle, attempt, rule_id, price, level, decided_us,
             tick_us, cancels, explanation, limit_price)
        SELECT order_id, action_key, account_id, position_id, symbol, 'SELL', intent_type, qty,
             CASE WHEN limit_price IS NULL THEN 'MKT' ELSE 'LMT' END, reason_code, phase, cycle,
             attempt, rule_id, price, level, decided_us, tick_us,
             string_to_array(cancels, E'\\n'), explanation, limit_price
        FROM held
        ON CONFLICT (action_key) DO NOTHING
        RETURNING order_id, position_id
    ), told AS (
        INSERT INTO trade.order_events (order_id, status)
        SELECT order_id, status FROM placed JOIN held USING (order_id)
    ), closing AS (
        UPDATE trade.positions p
        SET status = CASE p.status WHEN 'OPEN' THEN 'CLOSING' ELSE p.status END
        FROM placed WHERE p.position_id = placed.position_id
    )
    SELECT order_id, account_id, order_id IN (SELECT order_id FROM placed) AS is_new FROM held";

/// A decision in the words of the tables.
struct Row<'a> {
    decision: &'a ExitDecision,
    id: Uuid,
    position: Uuid,
    cycle: i32,
    attempt: i32,
    explanation: Value,
    status: OrderStatus,
    limit: Option<Price>,
}

impl<'a> Row<'a> {
    fn new(decision: &'a ExitDecision, policy: Policy) -> Result<Self, StoreError> {
        let number = |n: u32| i32::try_from(n).map_err(StoreError::inconsistent);
        Ok(Self {
            decision,
            id: order_id(decision.action_key.as_str()),
            position: uuid(decision.position.as_str())?,
            cycle: number(decision.cycle)?,
            attempt: number(decision.attempt)?,
            explanation: serde_json::to_value(&decision.explanation)
                .map_err(|error| StoreError::Inconsistent(format!("explanation: {error}")))?,
            status: policy.of_exit(decision),
            limit: policy.limit(decision),
        })
    }

    fn intent(&self) -> &'static str {
        if self.decision.is_full() {
            "EXIT_FULL"
        } else {
            "EXIT_PARTIAL"
        }
    }

    fn tick_us(&self) -> i64 {
        micros(self.decision.explanation.tick.micros())
    }

    /// Returns the keys of the orders to cancel, as lines.
    fn cancels(&self) -> String {
        let keys: Vec<_> = self
            .decision
            .cancels
            .iter()
            .map(|key| key.as_str())
            .collect();
        keys.join("\n")
    }

    /// Returns the order that was stored for it.
    fn order(&self, account: String) -> Order {
        let decision = self.decision;
        Order {
            id: self.id,
            action_key: decision.action_key.to_string(),
            account,
            position: Some(self.position),
            candidate: None,
            symbol: decision.symbol,
            side: Side::Sell,
            qty: decision.qty,
            limit: self.limit,
            reason: decision.reason.code().to_owned(),
            decided_us: micros(decision.time.micros()),
            tick_us: Some(self.tick_us()),
            cancels: decision.cancels.iter().map(ToString::to_string).collect(),
            status: self.status,
            send_attempt: 0,
            sent_qty: None,
            filled: Quantity::ZERO,
            by_poll: Quantity::ZERO,
            broker: None,
            sending: None,
            result_ppm: result_ppm(decision.price, decision.explanation.avg_price),
            is_fund: false,
            received_us: None,
        }
    }
}

/// Runs the statement for no decision: it is planned then, and what it reads of the catalog is at
/// hand.
pub(in crate::execution) async fn warm(client: &impl Session) -> Result<(), StoreError> {
    run(client, &[]).await?;
    Ok(())
}

impl Storable for ExitDecision {
    const TOGETHER: usize = 64;

    fn sort(items: &mut [Item<Self>]) {
        items.sort_by(|one, other| one.output.position.cmp(&other.output.position));
    }

    fn store(
        client: PostgresClient,
        items: &[Item<Self>],
        policy: Policy,
    ) -> BoxFuture<'_, Result<Vec<Stored>, StoreError>> {
        store(client, items, policy).boxed()
    }

    fn subject(&self) -> (Symbol, Option<Uuid>, String) {
        let position = Uuid::parse_str(self.position.as_str()).ok();
        (self.symbol, position, self.action_key.to_string())
    }

    fn unstored(&self) -> Option<Unstored> {
        Some(Unstored {
            action_key: self.action_key.to_string(),
            time: self.time,
            symbol: self.symbol,
            decision: serde_json::to_value(self).ok()?,
        })
    }
}

async fn store(
    client: PostgresClient,
    items: &[Item<ExitDecision>],
    policy: Policy,
) -> Result<Vec<Stored>, StoreError> {
    let rows = items.iter().map(|item| Row::new(&item.output, policy));
    let rows = rows.collect::<Result<Vec<_>, _>>()?;
    let stored = run(&client, &rows).await?;
    let outcome = |row: &Row<'_>| {
        let (account, is_new) = stored.get(&row.id).ok_or_else(|| {
            StoreError::Inconsistent(format!("there is no position {}", row.position))
        })?;
        Ok(if *is_new {
            Stored::Order(Box::new(row.order(account.clone())))
        } else {
            Stored::Repeated(row.decision.action_key.to_string())
        })
    };
    rows.iter().map(outcome).collect()
}

/// Runs the statement. Returns, by order, the account of its position and whether the order is new.
async fn run(
    client: &impl Session,
    rows: &[Row<'_>],
) -> Result<BTreeMap<Uuid, (String, bool)>, StoreError> {
    fn column<'r, T>(rows: &'r [Row<'r>], of: impl Fn(&'r Row<'r>) -> T) -> Vec<T> {
        rows.iter().map(of).collect()
    }
    let symbols = column(rows, |row| row.decision.symbol.to_string());
    let cancels = column(rows, Row::cancels);
    let statement = client.prepare_cached(STORE).await?;
    let stored = client
        .query(
            &statement,
            &[
                &column(rows, |row| row.id),
                &column(rows, |row| row.position),
                &column(rows, |row| row.decision.action_key.as_str()),
                &symbols,
                &column(rows, Row::intent),
                &column(rows, |row| row.decision.qty.shares()),
                &column(rows, |row| row.decision.reason.code()),
                &column(rows, |row| row.decision.phase.name()),
                &column(rows, |row| row.cycle),
                &column(rows, |row| row.attempt),
                &column(rows, |row| row.decision.rule_id.as_deref()),
                &column(rows, |row| row.decision.price.to_decimal()),
                &column(rows, |row| row.decision.level.to_decimal()),
                &column(rows, |row| micros(row.decision.time.micros())),
                &column(rows, Row::tick_us),
                &cancels,
                &column(rows, |row| &row.explanation),
                &column(rows, |row| row.status.name()),
                &column(rows, |row| row.limit.map(Price::to_decimal)),
            ],
        )
        .await?;
    let mut outcomes = BTreeMap::new();
    for row in &stored {
        let outcome = (row.try_get("account_id")?, row.try_get("is_new")?);
        outcomes.insert(row.try_get("order_id")?, outcome);
    }
    Ok(outcomes)
}
