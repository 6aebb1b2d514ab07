//! Trades: positions that were closed.

use jiff::civil::Date;
use tokio_postgres::Row;
use turnstile_connectors::postgres::Postgres;

use crate::api::trades::{Share, Trade};
use crate::cursor::TimeCursor;
use crate::envelope::Listed;
use crate::extract::Page;
use crate::queries::{QueryError, listed, time_key};

const PAGE: &str = "SELECT t.*, stock.name
    FROM trade.closed_trades AS t LEFT JOIN market.stocks AS stock USING (symbol)
    WHERE t.account_id = $1 AND t.exit_ts >= $2::text::date::timestamp AT TIME ZONE 'Asia/Seoul'
        AND (t.exit_ts, t.exit_event_id) < ($3, $4)
    ORDER BY t.exit_ts DESC, t.exit_event_id DESC LIMIT $5";

/// All three ways of grouping from one reading, so that they agree.
const SHARES: &str = "WITH shares AS (
        SELECT CASE WHEN grouping(exit_reason_code) = 0 THEN 'EXIT_REASON'
                WHEN grouping(strategy_id) = 0 THEN 'STRATEGY' ELSE 'SYMBOL' END AS way,
            coalesce(exit_reason_code, strategy_id, symbol) AS key, symbol,
            count(*) AS trades, count(*) FILTER (WHERE realized_pnl > 0) AS wins,
            sum(realized_pnl) AS realized_pnl, sum(fee) AS fee, sum(tax) AS tax,
            round(avg(extract(epoch FROM exit_ts - entry_ts)))::bigint AS average_holding_seconds
        FROM trade.closed_trades
        WHERE account_id = $1 AND exit_ts >= $2::text::date::timestamp AT TIME ZONE 'Asia/Seoul'
        GROUP BY GROUPING SETS ((exit_reason_code), (strategy_id), (symbol)))
    SELECT s.*, stock.name FROM shares s LEFT JOIN market.stocks AS stock USING (symbol)
    ORDER BY s.realized_pnl DESC, s.key";

/// Closed positions by what they have in common.
#[derive(Default)]
pub(crate) struct Shares {
    pub(crate) by_exit_reason: Vec<Share>,
    pub(crate) by_strategy: Vec<Share>,
    pub(crate) by_symbol: Vec<Share>,
}

/// Returns a page of what `account` has closed from `since` on, last exit first.
pub(crate) async fn list(
    db: &Postgres,
    account: Option<&str>,
    since: Date,
    page: Page<TimeCursor>,
) -> Result<Listed<Trade, TimeCursor>, QueryError> {
    let client = db.client().await?;
    let rows = client
        .query(
            PAGE,
            &[
                &account,
                &since.to_string(),
                &page.below.ts,
                &page.below.id,
                &(page.limit + 1),
            ],
        )
        .await?;
    let key = time_key("exit_ts", "exit_event_id");
    listed(&rows, &page, key, trade)
}

/// Returns what `account` has closed from `since` on, by what it has in common.
pub(crate) async fn shares(
    db: &Postgres,
    account: Option<&str>,
    since: Date,
) -> Result<Shares, QueryError> {
    let client = db.client().await?;
    let rows = client
        .query(SHARES, &[&account, &since.to_string()])
        .await?;
    let mut shares = Shares::default();
    for row in &rows {
        let list = match row.try_get("way")? {
            "EXIT_REASON" => &mut shares.by_exit_reason,
            "STRATEGY" => &mut shares.by_strategy,
            _ => &mut shares.by_symbol,
        };
        list.push(share(row)?);
    }
    Ok(shares)
}

fn share(row: &Row) -> Result<Share, tokio_postgres::Error> {
    Ok(Share {
        key: row.try_get("key")?,
        name: row.try_get("name")?,
        trades: row.try_get("trades")?,
        wins: row.try_get("wins")?,
        realized_pnl: row.try_get("realized_pnl")?,
        fee: row.try_get("fee")?,
        tax: row.try_get("tax")?,
        average_holding_seconds: row.try_get("average_holding_seconds")?,
    })
}

fn trade(row: &Row) -> Result<Trade, tokio_postgres::Error> {
    Ok(Trade {
        exit_event_id: row.try_get("exit_event_id")?,
        position_id: row.try_get("position_id")?,
        symbol: row.try_get("symbol")?,
        name: row.try_get("name")?,
        strategy_id: row.try_get("strategy_id")?,
        entry_ts: row.try_get("entry_ts")?,
        exit_ts: row.try_get("exit_ts")?,
        qty: row.try_get("qty")?,
        entry_avg_price: row.try_get("entry_avg_price")?,
        exit_avg_price: row.try_get("exit_avg_price")?,
        fee: row.try_get("fee")?,
        tax: row.try_get("tax")?,
        realized_pnl: row.try_get("realized_pnl")?,
        realized_pnl_pct: row.try_get("realized_pnl_pct")?,
        exit_reason_code: row.try_get("exit_reason_code")?,
        source: row.try_get("source")?,
    })
}
