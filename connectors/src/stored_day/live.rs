//! What is stored of decisions: rows of `trade.orders` that the engine has decided, and refusals of the
//! risk gate.
//!
//! The engine's own are sales that were judged on a tick, and purchases of a candidate; purchases by hand,
//! those of a rebalance or of picks, and trades of another terminal are decided elsewhere.

use std::collections::{BTreeMap, BTreeSet};

use tokio_postgres::Client;

use super::compare::{Comparison, Known, Live};
use super::decision::{Made, Stated};
use super::error::StoredDayError;

const PAGE: usize = 1_000;

macro_rules! decided_by_the_engine {
    () => {
        "(o.side = 'SELL' AND o.tick_us IS NOT NULL OR o.candidate_id IS NOT NULL)"
    };
}

const BY_KEY: &str = concat!(
    "SELECT o.action_key, coalesce(o.position_id, o.candidate_id)::text AS subject, o.decided_us,
        o.side, o.symbol, o.reason_code, o.rule_id, o.phase, o.cycle, o.attempt, o.tick_us, o.qty,
        o.price, o.level, o.cancels, o.explanation
    FROM trade.orders o WHERE o.action_key = ANY($1) AND ",
    decided_by_the_engine!()
);
const REFUSED: &str = "SELECT h.candidate_id::text, h.decided_us FROM trade.reentry_history h
    JOIN unnest($1::text[], $2::bigint[]) AS asked (candidate, decided_us)
        ON h.candidate_id = asked.candidate::uuid AND h.decided_us = asked.decided_us
    WHERE h.status = 'BLOCKED'";
const OF_DAY: &str = concat!(
    "SELECT o.action_key, coalesce(o.position_id, o.candidate_id)::text, o.decided_us
    FROM trade.orders o
    WHERE o.decided_us >= $1 AND o.decided_us < $2 AND (o.decided_us, o.action_key) > ($3, $4) AND ",
    decided_by_the_engine!(),
    " ORDER BY o.decided_us, o.action_key LIMIT $5"
);

/// Compares decisions that were made now with what is stored of them.
pub(super) async fn judge(
    client: &Client,
    comparison: &mut Comparison,
    made: &[Made],
) -> Result<(), StoredDayError> {
    let mut stated = Vec::with_capacity(made.len());
    let (mut candidates, mut times) = (Vec::new(), Vec::new());
    for one in made {
        let Some(decision) = one.stated().map_err(|error| row_fault(one, &error))? else {
            continue;
        };
        if let Some(candidate) = one.candidate() {
            candidates.push(candidate);
            times.push(micros(decision.decided_us));
        }
        stated.push(decision);
    }
    let keys: Vec<&str> = stated.iter().map(|one| one.action_key.as_str()).collect();
    let mut orders = BTreeMap::new();
    for row in client.query(BY_KEY, &[&keys]).await? {
        let order = Stated::read(&row)?;
        orders.insert(order.action_key.clone(), order);
    }
    let mut refused = BTreeSet::new();
    if !candidates.is_empty() {
        for row in client.query(REFUSED, &[&candidates, &times]).await? {
            let refusal: (String, i64) = (row.try_get(0)?, row.try_get(1)?);
            refused.insert(refusal);
        }
    }
    for decision in &stated {
        let asked = (decision.subject.clone(), micros(decision.decided_us));
        let live = Live {
            order: orders.get(&decision.action_key).cloned(),
            is_refused: refused.contains(&asked),
        };
        comparison.judge(decision, &live);
    }
    Ok(())
}

/// Tells the comparison of every stored decision from `begin_us` to before `end_us`.
pub(super) async fn take_stored(
    client: &Client,
    comparison: &mut Comparison,
    (begin_us, end_us): (u64, u64),
) -> Result<(), StoredDayError> {
    let page = i64::try_from(PAGE).unwrap_or(i64::MAX);
    let mut last = (i64::MIN, String::new());
    loop {
        let (last_us, last_key) = &last;
        let rows = client
            .query(
                OF_DAY,
                &[&micros(begin_us), &micros(end_us), last_us, last_key, &page],
            )
            .await?;
        for row in &rows {
            let decided_us: i64 = row.try_get(2)?;
            let action_key: String = row.try_get(0)?;
            last = (decided_us, action_key.clone());
            comparison.take_stored(Known {
                action_key,
                subject: row.try_get(1)?,
                decided_us: u64::try_from(decided_us).unwrap_or_default(),
            });
        }
        if rows.len() < PAGE {
            return Ok(());
        }
    }
}

fn micros(us: u64) -> i64 {
    i64::try_from(us).unwrap_or(i64::MAX)
}

fn row_fault(made: &Made, error: &serde_json::Error) -> StoredDayError {
    StoredDayError::Row {
        table: "trade.orders",
        logical_us: micros(made.time().micros()),
        reason: format!("the explanation cannot be written: {error}"),
    }
}
