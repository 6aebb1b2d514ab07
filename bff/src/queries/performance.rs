//! What an account has earned: its days, and the results of its closed positions.

use jiff::civil::Date;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use tokio_postgres::Row;
use turnstile_connectors::postgres::Postgres;

use crate::number::Number;
use crate::performance::{Session, StoredDay, Tally};
use crate::queries::QueryError;

/// Of several accounts the one whose equity was told last; where that of none was, the one that closed a
/// position last.
const NEWEST_ACCOUNT: &str = "SELECT account_id FROM (SELECT coalesce(
        (SELECT account_id FROM trade.account_equity ORDER BY asof_ts DESC LIMIT 1),
        (SELECT account_id FROM trade.exit_events ORDER BY exit_ts DESC LIMIT 1)) AS account_id) newest
    WHERE account_id IS NOT NULL";

/// A session is measured against the one before it, and holds what was paid since. The calendar says which
/// days have one; a day that nobody knows is closed, as everywhere.
const DAYS: &str = "WITH sessions AS MATERIALIZED (
        SELECT day, lag(day) OVER (ORDER BY day) AS before FROM market.calendar_days WHERE is_open
    ), flows AS MATERIALIZED (
        SELECT day, sum(amount) AS amount FROM trade.cash_flows WHERE account_id = $1 GROUP BY day
    ), results AS MATERIALIZED (
        SELECT (exit_ts AT TIME ZONE 'Asia/Seoul')::date AS day, sum(realized_pnl) AS amount
        FROM trade.exit_events
        WHERE account_id = $1 AND exit_ts >= $2::text::date::timestamp AT TIME ZONE 'Asia/Seoul'
        GROUP BY 1
    ), days AS (
        SELECT day FROM trade.equity_days WHERE account_id = $1
        UNION SELECT day FROM flows UNION SELECT day FROM results
    )
    SELECT d.day::text AS day, e.equity, coalesce(f.amount, 0) AS flows,
        coalesce(r.amount, 0) AS realized, s.day IS NOT NULL AS is_session,
        b.equity AS equity_before, bar.close AS benchmark, bar_before.close AS benchmark_before,
        (SELECT coalesce(sum(amount), 0) FROM flows WHERE day > s.before AND day <= d.day) AS flows_since
    FROM days d
    LEFT JOIN trade.equity_days e ON e.account_id = $1 AND e.day = d.day
    LEFT JOIN flows f ON f.day = d.day
    LEFT JOIN results r ON r.day = d.day
    LEFT JOIN sessions s ON s.day = d.day
    LEFT JOIN trade.equity_days b ON b.account_id = $1 AND b.day = s.before
    LEFT JOIN market.daily_bars bar ON bar.symbol = $3 AND bar.trade_date = d.day
    LEFT JOIN market.daily_bars bar_before ON bar_before.symbol = $3 AND bar_before.trade_date = s.before
    WHERE d.day >= $2::text::date ORDER BY d.day";

const RESULTS: &str = "SELECT count(*) AS trades, coalesce(sum(realized_pnl), 0) AS result,
        count(*) FILTER (WHERE realized_pnl > 0) AS wins,
        count(*) FILTER (WHERE realized_pnl < 0) AS losses,
        coalesce(sum(realized_pnl) FILTER (WHERE realized_pnl > 0), 0) AS gained,
        coalesce(sum(realized_pnl) FILTER (WHERE realized_pnl < 0), 0) AS lost
    FROM trade.exit_events
    WHERE account_id = $1 AND exit_ts >= $2::text::date::timestamp AT TIME ZONE 'Asia/Seoul'";

/// Results of closed positions.
pub(crate) struct Results {
    /// KRW, exact.
    pub(crate) sum: Number,
    pub(crate) tally: Tally,
}

/// Returns the account that is meant: the one that was `named`, else the newest. None while nothing is known
/// of any.
pub(crate) async fn account(
    db: &Postgres,
    named: Option<String>,
) -> Result<Option<String>, QueryError> {
    if named.is_some() {
        return Ok(named);
    }
    let row = db.client().await?.query_opt(NEWEST_ACCOUNT, &[]).await?;
    Ok(row.map(|row| row.try_get("account_id")).transpose()?)
}

/// Returns the days of `account` from `since` on, in order, beside the closes of `benchmark`.
pub(crate) async fn days(
    db: &Postgres,
    account: Option<&str>,
    since: Date,
    benchmark: &str,
) -> Result<Vec<StoredDay>, QueryError> {
    let client = db.client().await?;
    let rows = client
        .query(DAYS, &[&account, &since.to_string(), &benchmark])
        .await?;
    Ok(rows.iter().map(day).collect::<Result<_, _>>()?)
}

/// Returns the results of the positions that `account` has closed from `since` on.
pub(crate) async fn results(
    db: &Postgres,
    account: Option<&str>,
    since: Date,
) -> Result<Results, QueryError> {
    let client = db.client().await?;
    let row = client
        .query_one(RESULTS, &[&account, &since.to_string()])
        .await?;
    let count = |name| {
        let count = row.try_get::<_, i64>(name)?;
        Ok::<_, tokio_postgres::Error>(usize::try_from(count).unwrap_or_default())
    };
    let amount = |name| {
        let amount = row.try_get::<_, Decimal>(name)?;
        Ok::<_, tokio_postgres::Error>(amount.to_f64().unwrap_or_default())
    };
    Ok(Results {
        sum: row.try_get("result")?,
        tally: Tally {
            all: count("trades")?,
            wins: count("wins")?,
            losses: count("losses")?,
            gained: amount("gained")?,
            lost: amount("lost")?,
        },
    })
}

fn day(row: &Row) -> Result<StoredDay, tokio_postgres::Error> {
    let session = match row.try_get("is_session")? {
        true => Some(Session {
            equity_before: row.try_get("equity_before")?,
            flows_since: row.try_get("flows_since")?,
            benchmark: row.try_get("benchmark")?,
            benchmark_before: row.try_get("benchmark_before")?,
        }),
        false => None,
    };
    Ok(StoredDay {
        date: row.try_get("day")?,
        equity: row.try_get("equity")?,
        flows: row.try_get("flows")?,
        realized: row.try_get("realized")?,
        session,
    })
}
