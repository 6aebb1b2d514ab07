//! What the database knows of orders and re-entries, as metrics of the process with the engine.

use std::time::Duration;

use metrics::gauge;
use tokio::time::{MissedTickBehavior, timeout};
use tokio_util::sync::CancellationToken;
use tracing::debug;

use super::metrics as names;
use crate::postgres::{Postgres, PostgresError};

const EVERY: Duration = Duration::from_secs(2);
const PATIENCE: Duration = Duration::from_secs(5);
/// Looks of the first kind for one of the second, which looks back a month.
const MONTH_EVERY: u32 = 5;

/// An order is not sent while it has no events but NEW. The columns are named as their metrics.
const DAY: &str = "WITH today AS (
        SELECT date_trunc('day', now() AT TIME ZONE 'Asia/Seoul') AT TIME ZONE 'Asia/Seoul' AS begin_ts
    ), orders AS MATERIALIZED (
        SELECT o.created_ts,
            EXISTS (SELECT FROM trade.order_events e WHERE e.order_id = o.order_id
                AND e.status = 'SUBMITTED') AS is_submitted,
            NOT EXISTS (SELECT FROM trade.order_events e WHERE e.order_id = o.order_id
                AND e.status <> 'NEW') AS is_new
        FROM trade.orders o, today
        WHERE o.account_id = $1 AND o.created_ts >= today.begin_ts
    ), verdicts AS MATERIALIZED (
        SELECT h.status, h.reason FROM trade.reentry_history h, today WHERE h.ts >= today.begin_ts
    ), refusals AS (
        SELECT count(*)::float8 AS of_day,
            count(*) FILTER (WHERE reason LIKE '%regime%')::float8 AS by_regime
        FROM verdicts WHERE status = 'BLOCKED'
    )
    SELECT coalesce((SELECT extract(epoch FROM now() - min(created_ts)) FROM orders WHERE is_new),
            0)::float8 AS execution_oldest_new_order_seconds,
        (SELECT avg(is_submitted::integer) FROM orders)::float8 AS exit_intent_order_conversion_ratio,
        (SELECT count(*) FROM verdicts WHERE status = 'ENTERED')::float8 AS reentry_entries_today,
        (SELECT CASE WHEN of_day >= 10 THEN by_regime / of_day END FROM refusals)
            AS reentry_regime_blocked_ratio,
        CASE WHEN EXISTS (SELECT FROM trade.reentry_candidates WHERE state IN ('COOLDOWN', 'WATCH', 'READY'))
            THEN (SELECT extract(epoch FROM now() - max(asof_ts)) FROM market.regime_snapshots)::float8
        END AS reentry_regime_age_seconds";
const DAY_METRICS: [&str; 5] = [
    names::OLDEST_NEW_ORDER,
    names::CONVERSION,
    names::REENTRIES_TODAY,
    names::REGIME_BLOCKED,
    names::REGIME_AGE,
];

/// A re-entry that won ends above its cost, after fee and tax.
const MONTH: &str = "WITH closed AS MATERIALIZED (
        SELECT e.realized_pnl > 0 AS has_won, e.exit_ts - p.entry_ts AS held,
            c.exit_reason_code IN ('HARDSTOP', 'SL1', 'SL2', 'STOP_FLOOR') AS was_stop,
            e.exit_reason_code IN ('HARDSTOP', 'SL1', 'SL2', 'STOP_FLOOR') AS is_stop
        FROM trade.exit_events e
        JOIN trade.positions p USING (position_id)
        JOIN trade.reentry_candidates c ON c.candidate_id = p.candidate_id
        WHERE e.account_id = $1 AND e.exit_ts > now() - interval '30 days'
    )
    SELECT CASE WHEN count(*) >= 10 THEN avg(has_won::integer) END::float8 AS reentry_success_ratio,
        CASE WHEN count(*) FILTER (WHERE was_stop) >= 10
            THEN avg(is_stop::integer) FILTER (WHERE was_stop) END::float8 AS reentry_whipsaw_ratio,
        CASE WHEN count(*) >= 10 THEN extract(epoch FROM
            percentile_cont(0.5) WITHIN GROUP (ORDER BY held)) END::float8 AS reentry_holding_seconds
    FROM closed";
const MONTH_METRICS: [&str; 3] = [
    names::REENTRY_SUCCESS,
    names::REENTRY_WHIPSAW,
    names::REENTRY_HOLDING,
];

/// Shows them, until `stop`. While PostgreSQL is away they stand as they were.
pub async fn show_facts(postgres: Postgres, account: String, stop: CancellationToken) {
    let mut step = tokio::time::interval(EVERY);
    step.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut looks: u32 = 0;
    while stop.run_until_cancelled(step.tick()).await.is_some() {
        let mut due: Vec<(&str, &[&'static str])> = vec![(DAY, &DAY_METRICS)];
        if looks.is_multiple_of(MONTH_EVERY) {
            due.push((MONTH, &MONTH_METRICS));
        }
        looks = looks.wrapping_add(1);
        for (query, metrics) in due {
            match timeout(PATIENCE, show(&postgres, &account, query, metrics)).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => debug!(%error, "facts not read"),
                Err(_) => debug!("facts not read in time"),
            }
        }
    }
}

async fn show(
    postgres: &Postgres,
    account: &str,
    query: &str,
    metrics: &[&'static str],
) -> Result<(), PostgresError> {
    let client = postgres.client().await?;
    let statement = client.prepare_cached(query).await?;
    let row = client.query_one(&statement, &[&account]).await?;
    for metric in metrics {
        // Where nothing is known there is no value, and no alarm.
        let value: Option<f64> = row.try_get(*metric)?;
        gauge!(*metric).set(value.unwrap_or(f64::NAN));
    }
    Ok(())
}
