//! A re-entry verdict as one transaction: candidate, history and, for a purchase, the order.

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, try_join_all};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use turnstile_dataflows::model::{Quantity, Symbol};
use turnstile_dataflows::reentry::{EntryExplanation, ReentryVerdict, Verdict};
use turnstile_dataflows::risk::Intent;
use uuid::Uuid;

use super::super::broker::Side;
use super::super::error::StoreError;
use super::super::order::Order;
use super::super::risk::{Ruling, record};
use super::lane::{Item, Storable, Stored};
use super::policy::Policy;
use super::unstored::Unstored;
use super::{micros, order_id, uuid};
use crate::postgres::{PostgresClient, Session};

/// One statement. A verdict that history holds already changes nothing, nor does a first one (`$19`)
/// on a candidate that is known, nor one on a candidate that is over. `$4` is the state of the
/// candidate, none where a passing refusal leaves it as it is; one that has entered stays so, unless
/// it buys again. `$22` is the time of a submission that the risk gate refuses.
const STORE: &str = "WITH exit AS (
        SELECT * FROM trade.exit_events WHERE exit_event_id = $2
    ), fresh AS (
        SELECT * FROM exit WHERE NOT EXISTS (
            SELECT 1 FROM trade.reentry_history
            WHERE candidate_id = $1 AND decided_us = $3 AND status = $5)
          AND NOT EXISTS (SELECT 1 FROM trade.reentry_candidates
            WHERE candidate_id = $1 AND ($19 OR state IN ('EXPIRED', 'BLOCKED')))
    ), placed AS (
        INSERT INTO trade.orders
            (order_id, action_key, account_id, candidate_id, symbol, side, intent_type, qty,
             order_type, reason_code, rule_id, price, level, decided_us, tick_us, explanation)
        SELECT $11, $12, account_id, $1, symbol, 'BUY', 'ENTRY', $13, 'MKT', $14, $8,
             coalesce($9::numeric, $15::numeric), $15, $3, $10, $16
        FROM fresh WHERE $12::text IS NOT NULL
        ON CONFLICT (action_key) DO NOTHING
        RETURNING order_id
    ), told AS (
        INSERT INTO trade.order_events (order_id, status) SELECT order_id, $18 FROM placed
    ), candidate AS (
        INSERT INTO trade.reentry_candidates AS c
            (candidate_id, exit_event_id, symbol, origin_position_id, exit_reason_code, exit_ts,
             exit_price, original_qty, prior_hwm, cooldown_until, watch_until, state, rule_id,
             blocked_gate, blocked_reason, refused_us)
        SELECT $1, exit_event_id, symbol, position_id, exit_reason_code, exit_ts,
             exit_avg_price, original_qty, prior_hwm,
             timestamptz 'epoch' + $17::bigint * interval '1 microsecond',
             timestamptz 'epoch' + $20::bigint * interval '1 microsecond',
             coalesce($4::text, 'WATCH'), $8, $6,
             CASE WHEN $6::text IS NOT NULL THEN $7::text END, $22
        FROM fresh
        ON CONFLICT (candidate_id) DO UPDATE SET
            state = CASE WHEN c.state = 'ENTERED' AND $4::text <> 'READY' THEN c.state
                ELSE coalesce($4::text, c.state) END,
            cooldown_until = coalesce(excluded.cooldown_until, c.cooldown_until),
            watch_until = coalesce(excluded.watch_until, c.watch_until),
            rule_id = coalesce(excluded.rule_id, c.rule_id),
            blocked_gate = excluded.blocked_gate,
            blocked_reason = excluded.blocked_reason,
            refused_us = coalesce(excluded.refused_us, c.refused_us),
            updated_ts = clock_timestamp()
        RETURNING candidate_id
    ), noted AS (
        INSERT INTO trade.reentry_history
            (candidate_id, exit_event_id, symbol, decided_us, status, gate, reason, regime, price,
             order_id, rule_id)
        SELECT $1, exit_event_id, symbol, $3, $5, $6, $7, $21, $9, $11, $8 FROM fresh, candidate
        ON CONFLICT (candidate_id, decided_us, status) DO NOTHING
    )
    SELECT (SELECT account_id FROM exit) AS account_id,
        EXISTS (SELECT 1 FROM placed) AS is_new";

/// A verdict in the words of the tables.
struct Words<'a> {
    state: Option<&'static str>,
    status: &'static str,
    gate: Option<&'a str>,
    reason: Option<&'a str>,
    cooldown_us: Option<i64>,
    watch_us: Option<i64>,
}

fn words(verdict: &Verdict) -> Words<'_> {
    let plain = |state: &'static str, status| Words {
        state: Some(state),
        status,
        gate: None,
        reason: None,
        cooldown_us: None,
        watch_us: None,
    };
    match verdict {
        Verdict::Cooldown { until } => Words {
            cooldown_us: Some(micros(until.micros())),
            ..plain("COOLDOWN", "COOLDOWN")
        },
        Verdict::Watch { until } => Words {
            watch_us: Some(micros(until.micros())),
            ..plain("WATCH", "WATCH")
        },
        Verdict::Submit {
            reason,
            explanation,
            ..
        } => Words {
            reason: Some(reason),
            cooldown_us: Some(micros(explanation.cooldown_until.micros())),
            ..plain("READY", "SUBMITTED")
        },
        Verdict::Blocked {
            gate,
            reason,
            is_final,
        } => Words {
            state: is_final.then_some("BLOCKED"),
            gate: Some(gate),
            reason: Some(reason),
            ..plain("BLOCKED", "BLOCKED")
        },
        Verdict::Expired { reason } => Words {
            reason: reason.as_deref(),
            ..plain("EXPIRED", "EXPIRED")
        },
    }
}

/// A submission that the risk gate refuses: the candidate watches on.
fn refused(ruling: &Ruling) -> Option<(&'static str, String)> {
    ruling.reentry_gate().zip(ruling.refusal())
}

impl Storable for ReentryVerdict {
    const TOGETHER: usize = 16;

    fn store(
        client: PostgresClient,
        items: &[Item<Self>],
        policy: Policy,
    ) -> BoxFuture<'_, Result<Vec<Stored>, StoreError>> {
        store_all(client, items, policy).boxed()
    }

    fn entry(&self) -> Option<(Intent, String)> {
        let Verdict::Submit {
            qty,
            level,
            action_key,
            ..
        } = &self.verdict
        else {
            return None;
        };
        let intent = Intent {
            symbol: self.symbol,
            qty: *qty,
            price: self.price.unwrap_or(*level),
        };
        Some((intent, action_key.to_string()))
    }

    fn subject(&self) -> (Symbol, Option<Uuid>, String) {
        let key = match &self.verdict {
            Verdict::Submit { action_key, .. } => action_key.to_string(),
            Verdict::Cooldown { .. }
            | Verdict::Watch { .. }
            | Verdict::Blocked { .. }
            | Verdict::Expired { .. } => self.candidate.to_string(),
        };
        (self.symbol, None, key)
    }

    fn unstored(&self) -> Option<Unstored> {
        let Verdict::Submit { action_key, .. } = &self.verdict else {
            return None;
        };
        Some(Unstored {
            action_key: action_key.to_string(),
            time: self.time,
            symbol: self.symbol,
            decision: serde_json::to_value(self).ok()?,
        })
    }
}

/// Stores verdicts in one transaction. Their statements are under way together; the server runs them
/// one after the other.
async fn store_all(
    mut client: PostgresClient,
    items: &[Item<ReentryVerdict>],
    policy: Policy,
) -> Result<Vec<Stored>, StoreError> {
    if let [item] = items
        && item.ruling.is_none()
    {
        return Ok(vec![store(&client, item, policy).await?]);
    }
    let tx = client.transaction().await?;
    // Known to the server by now, each is sent as soon as its turn comes.
    drop(tx.prepare_cached(STORE).await?);
    let storing = items.iter().map(|item| store(&tx, item, policy));
    let stored = try_join_all(storing).await?;
    tx.commit().await?;
    Ok(stored)
}

/// Stores a verdict, with what the risk gate says of it.
async fn store(
    client: &impl Session,
    item: &Item<ReentryVerdict>,
    policy: Policy,
) -> Result<Stored, StoreError> {
    let verdict = &*item.output;
    if let Some(ruling) = &item.ruling {
        record(client, ruling).await?;
    }
    let refused = item.ruling.as_ref().and_then(refused);
    let status = policy.of_entry();
    let candidate = uuid(verdict.candidate.as_str())?;
    let exit_event = uuid(verdict.exit_event.as_str())?;
    let (words, entry) = match &refused {
        None => (words(&verdict.verdict), entry(verdict)?),
        Some((gate, reason)) => {
            let words = Words {
                state: None,
                status: "BLOCKED",
                gate: Some(gate),
                reason: Some(reason),
                cooldown_us: None,
                watch_us: None,
            };
            (words, None)
        }
    };
    let decided_us = micros(verdict.time.micros());
    let refused_us = refused.is_some().then_some(decided_us);
    let tick_us = verdict.tick.map(|tick| micros(tick.micros()));
    let statement = client.prepare_cached(STORE).await?;
    let row = client
        .query_one(
            &statement,
            &[
                &candidate,
                &exit_event,
                &decided_us,
                &words.state,
                &words.status,
                &words.gate,
                &words.reason,
                &verdict.rule_id.as_deref(),
                &verdict
                    .price
                    .map(turnstile_dataflows::model::Price::to_decimal),
                &tick_us,
                &entry.as_ref().map(|entry| order_id(&entry.action_key)),
                &entry.as_ref().map(|entry| entry.action_key.as_str()),
                &entry.as_ref().map(|entry| entry.qty.shares()),
                &entry.as_ref().map(|entry| entry.reason.as_str()),
                &entry.as_ref().map(|entry| entry.level),
                &entry.as_ref().map(|entry| &entry.explanation),
                &words.cooldown_us,
                &status.name(),
                &verdict.is_first,
                &words.watch_us,
                &verdict.regime.name(),
                &refused_us,
            ],
        )
        .await?;
    let account: Option<String> = row.try_get("account_id")?;
    let account = account
        .ok_or_else(|| StoreError::Inconsistent(format!("there is no exit event {exit_event}")))?;
    let Some(entry) = entry else {
        return Ok(Stored::Noted);
    };
    if !row.try_get::<_, bool>("is_new")? {
        return Ok(Stored::Repeated(entry.action_key));
    }
    Ok(Stored::Order(Box::new(Order {
        id: order_id(&entry.action_key),
        action_key: entry.action_key,
        account,
        position: None,
        candidate: Some(candidate),
        symbol: verdict.symbol,
        side: Side::Buy,
        qty: entry.qty,
        limit: None,
        reason: entry.reason,
        decided_us,
        tick_us,
        cancels: Vec::new(),
        status,
        send_attempt: 0,
        sent_qty: None,
        filled: Quantity::ZERO,
        by_poll: Quantity::ZERO,
        broker: None,
        sending: None,
        result_ppm: 0,
        is_fund: false,
        received_us: None,
    })))
}

/// Returns the explanation of a purchase as it is stored, with the price judged and its tick.
pub(crate) fn explained(
    verdict: &ReentryVerdict,
    explanation: &EntryExplanation,
) -> serde_json::Result<Value> {
    let mut content = serde_json::to_value(explanation)?;
    content["tick"] = json!(verdict.tick);
    content["price"] = json!(verdict.price);
    Ok(content)
}

/// The order that a verdict asks for.
struct Entry {
    action_key: String,
    qty: Quantity,
    reason: String,
    level: Decimal,
    explanation: Value,
}

fn entry(verdict: &ReentryVerdict) -> Result<Option<Entry>, StoreError> {
    let Verdict::Submit {
        qty,
        level,
        reason,
        action_key,
        explanation,
    } = &verdict.verdict
    else {
        return Ok(None);
    };
    let content = explained(verdict, explanation)
        .map_err(|error| StoreError::Inconsistent(format!("explanation: {error}")))?;
    Ok(Some(Entry {
        action_key: action_key.to_string(),
        qty: *qty,
        reason: reason.to_string(),
        level: level.to_decimal(),
        explanation: content,
    }))
}
