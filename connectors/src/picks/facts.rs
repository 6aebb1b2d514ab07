//! What a pick is judged by, as the database has it at the moment of the decision.

use std::time::Duration;

use crate::postgres::Transaction;
use rust_decimal::Decimal;
use tokio_postgres::Row;
use turnstile_dataflows::model::Price;
use turnstile_dataflows::picks::{Facts, Merged, Offer};

use super::config::PicksConfig;
use super::error::PicksError;
use super::store::sources;
use crate::execution::{Side, on_grid};

/// Units of a price in a won.
const UNITS: i64 = 10_000;

/// One row: of the account `$1`, of the symbol `$2`, with prices no older than `$3` microseconds.
///
/// The pick is what `$4` says of it, `[{producer_id, run_id}, …]`, only as long as each of these runs is the
/// newest of its producer, no older than `$5` microseconds, and its pick has not expired.
///
/// Under way are requests that wait, and what orders that have not ended may still buy. What is held
/// counts at its last price, at cost where there is none. Bought is what has ended with shares, or has not
/// ended.
const FACTS: &str = "WITH clock AS MATERIALIZED (
        SELECT clock_timestamp() AS now_ts
    ), today AS MATERIALIZED (
        SELECT now_ts, (now_ts AT TIME ZONE 'Asia/Seoul')::date AS day,
            date_trunc('day', now_ts AT TIME ZONE 'Asia/Seoul') AT TIME ZONE 'Asia/Seoul' AS since_ts
        FROM clock
    ), buys AS MATERIALIZED (
        SELECT o.symbol, o.created_ts, n.filled_qty > 0 AS has_shares,
            n.status IN ('FILLED', 'CANCELLED', 'CANCELLED_PARTIAL', 'REJECTED', 'ERROR') AS is_over,
            (coalesce(n.sent_qty, o.qty) - n.filled_qty) * coalesce(o.limit_price, o.price) AS left_over
        FROM trade.orders o CROSS JOIN LATERAL (
            SELECT v.status, v.filled_qty, v.sent_qty FROM trade.orders_now v
            WHERE v.order_id = o.order_id OFFSET 0) n
        WHERE o.account_id = $1 AND o.side = 'BUY' AND (o.created_ts >= (SELECT since_ts FROM today)
            OR o.order_id IN (SELECT w.order_id FROM trade.open_orders($1) w))
    ), asked AS MATERIALIZED (
        SELECT e.symbol, e.created_ts, e.qty * coalesce(e.limit_price, b.price) AS amount
        FROM trade.manual_entries e LEFT JOIN market.best_prices b ON b.symbol = e.symbol
        WHERE e.state = 'ASKED'
    ), parts AS MATERIALIZED (
        SELECT p.symbol, p.qty * coalesce(b.price, p.avg_price) AS amount
        FROM trade.positions p LEFT JOIN market.best_prices b ON b.symbol = p.symbol
        WHERE p.account_id = $1 AND p.status IN ('OPEN', 'CLOSING')
        UNION ALL SELECT symbol, left_over FROM buys WHERE NOT is_over
        UNION ALL SELECT symbol, amount FROM asked
    ), entries AS MATERIALIZED (
        SELECT created_ts FROM buys, today
        WHERE symbol = $2 AND created_ts >= since_ts AND (has_shares OR NOT is_over)
        UNION ALL SELECT created_ts FROM asked, today WHERE symbol = $2 AND created_ts >= since_ts
    )
    SELECT t.day::text AS day, to_char(t.day, 'YYYYMMDD') AS key_day,
        EXISTS (SELECT FROM trade.pick_decisions d
            WHERE d.account_id = $1 AND d.day = t.day AND d.symbol = $2) AS is_decided,
        EXISTS (SELECT FROM jsonb_to_recordset($4) AS s (producer_id integer, run_id text)
            WHERE NOT EXISTS (SELECT FROM trade.pick_runs_newest n
                JOIN trade.picks k ON k.pick_run_id = n.id AND k.symbol = $2
                WHERE n.producer_id = s.producer_id AND n.run_id = s.run_id
                    AND n.asof_ts >= t.now_ts - $5::bigint * interval '1 microsecond'
                    AND (k.valid_until IS NULL OR k.valid_until > t.now_ts))) AS is_gone,
        trade.entries_held_back() AS halted,
        (SELECT equity FROM trade.account_equity
            WHERE account_id = $1 AND asof_ts > t.now_ts - interval '5 minutes'
                AND asof_ts <= t.now_ts + interval '10 seconds') AS equity,
        (SELECT CASE WHEN count(*) = count(amount) THEN coalesce(sum(amount), 0) END FROM parts) AS exposure,
        (SELECT coalesce(sum(amount), 0) FROM parts WHERE symbol = $2) AS in_symbol,
        (SELECT price FROM market.best_prices WHERE symbol = $2 AND NOT is_stale
            AND fresh_until > t.now_ts
            AND received_ts > t.now_ts - $3::bigint * interval '1 microsecond'
            -- Clocks may differ a little; a price of a time that has not come is not known to be fresh.
            AND received_ts <= t.now_ts + interval '1 second') AS price,
        (SELECT instrument_type IN ('ETF', 'ETN') FROM market.stocks WHERE symbol = $2) AS is_fund,
        (SELECT coalesce(sum(realized_pnl), 0) FROM trade.sale_results
            WHERE account_id = $1 AND sold_ts >= t.since_ts) AS day_result,
        (SELECT (l.daily_loss_max_pct * 10000)::integer
            FROM system.risk_limits l JOIN system.risk_profile p ON p.profile = l.profile
            WHERE l.active_from <= t.now_ts AND (l.active_to IS NULL OR t.now_ts < l.active_to))
            AS risk_daily_loss_max,
        (SELECT count(*) FROM entries) AS entries,
        (SELECT (extract(epoch FROM t.now_ts - max(created_ts)) * 1000000)::bigint FROM entries)
            AS since_entry_us,
        CASE
            WHEN EXISTS (SELECT FROM trade.positions WHERE account_id = $1 AND symbol = $2
                AND status IN ('OPEN', 'CLOSING')) THEN 'it is held'
            WHEN EXISTS (SELECT FROM buys WHERE symbol = $2 AND NOT is_over)
                OR EXISTS (SELECT FROM asked WHERE symbol = $2) THEN 'a purchase of it is under way'
            WHEN EXISTS (SELECT FROM trade.reentry_candidates WHERE symbol = $2
                AND state NOT IN ('ENTERED', 'EXPIRED', 'BLOCKED')) THEN 'a re-entry of it is under way'
        END AS duplicate
    FROM today t";

/// What is known at the moment of a decision.
pub(super) struct Now {
    pub(super) facts: Facts,
    /// Day in Seoul, `yyyy-mm-dd`.
    pub(super) day: String,
    /// The same, `yyyymmdd`.
    pub(super) key_day: String,
    /// What the account is worth, KRW.
    pub(super) equity: Option<Decimal>,
}

/// Returns what is known of `pick`; none where it is decided today already, or its producers say
/// something else by now.
pub(super) async fn load(
    tx: &Transaction<'_>,
    pick: &Merged,
    closed: Option<String>,
    config: &PicksConfig,
    account: &str,
) -> Result<Option<Now>, PicksError> {
    let symbol = pick.symbol.to_string();
    let micros = |age: Duration| i64::try_from(age.as_micros()).unwrap_or(i64::MAX);
    let (price_age, run_age) = (micros(config.price_age_max), micros(config.age_max));
    let statement = tx.prepare_cached(FACTS).await?;
    let row = tx
        .query_one(
            &statement,
            &[&account, &symbol, &price_age, &sources(pick), &run_age],
        )
        .await?;
    if row.try_get("is_decided")? || row.try_get("is_gone")? {
        return Ok(None);
    }
    let amount = |column: &'static str| amount(&row, column, &symbol);
    let entries: i64 = row.try_get("entries")?;
    let since: Option<i64> = row.try_get("since_entry_us")?;
    let risk: Option<i32> = row.try_get("risk_daily_loss_max")?;
    let price_max = pick.price_max();
    let facts = Facts {
        closed,
        halted: row.try_get("halted")?,
        equity: amount("equity")?,
        exposure: amount("exposure")?,
        in_symbol: amount("in_symbol")?.unwrap_or_default(),
        offer: offer(&row, price_max, config, &symbol)?,
        price_max,
        day_result: amount("day_result")?.unwrap_or_default(),
        risk_daily_loss_max: risk.map(|most| u32::try_from(most).unwrap_or_default()),
        entries: u32::try_from(entries).unwrap_or(u32::MAX),
        since_entry_us: since.map(|since| u64::try_from(since).unwrap_or_default()),
        duplicate: row.try_get("duplicate")?,
    };
    Ok(Some(Now {
        facts,
        day: row.try_get("day")?,
        key_day: row.try_get("key_day")?,
        equity: row.try_get("equity")?,
    }))
}

/// Returns the fresh price with the limit of a purchase: so far above it, at most what the producers would
/// pay, on the grid. A price that is above that has its own limit; a gate refuses it.
fn offer(
    row: &Row,
    price_max: Option<Price>,
    config: &PicksConfig,
    symbol: &str,
) -> Result<Option<Offer>, PicksError> {
    let price: Option<Decimal> = row.try_get("price")?;
    let price = price.map(Price::try_from).transpose();
    let price = price.map_err(|error| fault("market.best_prices", symbol, error.to_string()))?;
    let Some(price) = price else {
        return Ok(None);
    };
    let is_fund = row
        .try_get::<_, Option<bool>>("is_fund")?
        .unwrap_or_default();
    let above = price.to_decimal() * (Decimal::ONE + config.limit_above);
    let above = Price::try_from(above.trunc_with_scale(4)).ok();
    let most = price_max.filter(|most| *most >= price);
    let limit = above.map(|above| most.map_or(above, |most| most.min(above)));
    let limit = limit.and_then(|limit| on_grid(limit, Side::Buy, is_fund));
    Ok(limit.map(|limit| Offer { price, limit }))
}

/// Returns an amount in units of a price.
fn amount(row: &Row, column: &'static str, symbol: &str) -> Result<Option<i128>, PicksError> {
    let won: Option<Decimal> = row.try_get(column)?;
    let Some(won) = won else {
        return Ok(None);
    };
    let units = won.checked_mul(UNITS.into()).map(|units| units.trunc());
    let units = units.and_then(|units| i128::try_from(units).ok());
    let beyond = || {
        fault(
            "account",
            symbol,
            format!("{column}: {won} KRW is too much"),
        )
    };
    units.ok_or_else(beyond).map(Some)
}

fn fault(table: &'static str, symbol: &str, reason: String) -> PicksError {
    PicksError::Row {
        table,
        key: symbol.to_owned(),
        reason,
    }
}
