//! Rebalances in the database.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::postgres::Session;
use crate::postgres::{PostgresClient, Transaction};
use jiff::civil::Date;
use tokio_postgres::types::ToSql;
use turnstile_dataflows::model::{ActionKey, Symbol};
use turnstile_strategy::rebalance::{Kept, Order, Side, Skip};
use uuid::Uuid;

use super::plan::{Held, Plan};
use crate::jobs::JobError;

/// Whoever asks, in requests.
const WHO: &str = "rebalance";
/// Side of a line that is not traded.
const NONE: &str = "NONE";

const SELLING: &str = "SELECT r.portfolio_id, r.day::text AS day FROM strategy.rebalances r
    JOIN strategy.portfolios p USING (portfolio_id)
    WHERE p.strategy_id = $1 AND r.state = 'SELLING' ORDER BY r.created_ts LIMIT 1";
const UNSERVED: &str = "SELECT portfolio_id FROM strategy.portfolios p
    WHERE strategy_id = $1 AND status = 'ACTIVE'
        AND NOT EXISTS (SELECT FROM strategy.rebalances r WHERE r.portfolio_id = p.portfolio_id)";
const IS_IN_FORCE: &str =
    "SELECT status = 'ACTIVE' FROM strategy.portfolios WHERE portfolio_id = $1 FOR SHARE";
/// Why nothing is traded now.
const HELD_BACK: &str = "SELECT trade.entries_held_back()";
/// What ends from the beginning of the transaction on is not in the plan.
const BEGIN: &str = "INSERT INTO strategy.rebalances
        (portfolio_id, day, account_id, equity, state, created_ts)
    VALUES ($1, $2::text::date, $3, $4, 'SELLING', now())";
const LINE: &str = "INSERT INTO strategy.rebalance_lines
        (portfolio_id, symbol, side, action_key, place, weight, held, target, qty, price, skipped,
         request_id)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
/// At most what is held now, and nothing of what the operator keeps: the plan is a moment old.
const SELL: &str = "INSERT INTO trade.manual_exits
        (request_id, position_id, symbol, qty, asked_by, reason)
    SELECT $1, p.position_id, p.symbol, least($3, p.qty), $4, $5
    FROM (SELECT * FROM trade.positions WHERE position_id = $2 AND status = 'OPEN'
            AND exit_mode = 'ENABLED' AND qty > 0 FOR NO KEY UPDATE) p
    RETURNING qty";

/// How many sales are under way, whether the broker has told the cash since the last one ended, and how
/// long ago the rebalance began.
const SALES: &str = "WITH sale AS (
        SELECT m.state, n.status, n.updated_ts FROM strategy.rebalance_lines l
        JOIN trade.manual_exits m USING (request_id)
        LEFT JOIN LATERAL (SELECT v.status, v.updated_ts FROM trade.orders_now v
            WHERE v.order_id = m.order_id OFFSET 0) n ON true
        WHERE l.portfolio_id = $1 AND l.side = 'SELL'
    ), done AS (
        SELECT count(*) FILTER (WHERE state = 'ASKED' OR status NOT IN
                ('FILLED', 'CANCELLED', 'CANCELLED_PARTIAL', 'REJECTED', 'ERROR')) AS open,
            max(updated_ts) AS last_ts
        FROM sale
    )
    SELECT d.open, coalesce(e.cash IS NOT NULL, false) AS is_known,
        coalesce(e.cash IS NOT NULL AND e.asof_ts > coalesce(d.last_ts, r.created_ts), false) AS is_told,
        extract(epoch FROM clock_timestamp() - r.created_ts)::bigint AS since_s
    FROM strategy.rebalances r CROSS JOIN done d
    LEFT JOIN trade.account_equity e
        ON e.account_id = $2 AND e.asof_ts > clock_timestamp() - interval '5 minutes'
    WHERE r.portfolio_id = $1";

const BUY: &str = "INSERT INTO trade.manual_entries
        (request_id, symbol, qty, limit_price, asked_by, reason, strategy_id, action_key, reason_code)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $6, 'REBALANCE')
    ON CONFLICT DO NOTHING";
const ASKED: &str = "UPDATE strategy.rebalance_lines
    SET qty = $3, request_id = $4,
        skipped = CASE WHEN $5 THEN 'CASH' WHEN $3 < qty THEN 'REDUCED' ELSE skipped END
    WHERE portfolio_id = $1 AND symbol = $2";
/// Without a price now there was no purchase, else no cash.
const LEFT: &str = "UPDATE strategy.rebalance_lines l
    SET qty = 0, side = 'NONE', skipped = coalesce($2, w.kept,
        CASE WHEN w.is_fresh THEN 'CASH' ELSE 'NO_PRICE' END)
    FROM strategy.purchases_left($1) w
    WHERE l.portfolio_id = $1 AND l.symbol = w.symbol";
/// A sale that the engine has not decided by the end is not to come on another day.
const WITHDRAW: &str = "WITH gone AS (
        UPDATE trade.manual_exits m
        SET state = 'WITHDRAWN', message = 'the rebalance is over', updated_ts = clock_timestamp()
        FROM strategy.rebalance_lines l
        WHERE l.portfolio_id = $1 AND l.side = 'SELL' AND m.request_id = l.request_id
            AND m.state = 'ASKED'
        RETURNING m.request_id)
    UPDATE strategy.rebalance_lines l SET skipped = 'WITHDRAWN' FROM gone
    WHERE l.portfolio_id = $1 AND l.request_id = gone.request_id";
const END: &str = "UPDATE strategy.rebalances
    SET state = 'DONE', reason = $2, updated_ts = clock_timestamp() WHERE portfolio_id = $1";

/// Returns the portfolio of `strategy` whose rebalance is under way, and the day on which it began.
pub(super) async fn selling(
    client: &PostgresClient,
    strategy: &str,
) -> Result<Option<(Uuid, Date)>, JobError> {
    let Some(row) = client.query_opt(SELLING, &[&strategy]).await? else {
        return Ok(None);
    };
    let day: &str = row.try_get("day")?;
    let day = day.parse();
    let day = day.map_err(|error| JobError::Answer(format!("strategy.rebalances.day: {error}")))?;
    Ok(Some((row.try_get("portfolio_id")?, day)))
}

/// Returns why nothing is traded now, where that is so.
pub(super) async fn held_back(client: &impl Session) -> Result<Option<String>, JobError> {
    let statement = client.prepare_cached(HELD_BACK).await?;
    Ok(client.query_one(&statement, &[]).await?.try_get(0)?)
}

/// Returns the portfolio in force of `strategy`, where it has had no rebalance.
pub(super) async fn unserved(
    client: &PostgresClient,
    strategy: &str,
) -> Result<Option<Uuid>, JobError> {
    let row = client.query_opt(UNSERVED, &[&strategy]).await?;
    Ok(row.map(|row| row.try_get(0)).transpose()?)
}

/// Returns whether `portfolio` is in force; it stays so until the end of the transaction.
pub(super) async fn is_in_force(tx: &Transaction<'_>, portfolio: Uuid) -> Result<bool, JobError> {
    Ok(tx.query_one(IS_IN_FORCE, &[&portfolio]).await?.try_get(0)?)
}

/// Stores what is traded, and asks to sell. Returns how many lines there are.
pub(super) async fn begin(
    tx: &Transaction<'_>,
    plan: &Plan,
    portfolio: Uuid,
    day: Date,
    account: &str,
) -> Result<usize, JobError> {
    let day = day.to_string();
    tx.execute(BEGIN, &[&portfolio, &day, &account, &plan.equity])
        .await?;
    let names: BTreeMap<Symbol, &Held> =
        plan.names.iter().map(|held| (held.symbol, held)).collect();
    let line = tx.prepare(LINE).await?;
    let mut place = 0_i32;
    let traded = plan
        .rebalance
        .orders
        .iter()
        .map(|order| (order.symbol, Ok(order)));
    let skipped = plan.rebalance.skipped.iter();
    let skipped = skipped.map(|(symbol, skip)| (*symbol, Err(skip)));
    for (symbol, traded) in traded.chain(skipped) {
        let Some(held) = names.get(&symbol) else {
            continue;
        };
        place += 1;
        let asked = match (traded, held.position) {
            (Ok(order), position) if order.side == Side::Sell => match position {
                Some(position) => sell(tx, portfolio, order, position).await?,
                None => None,
            },
            (Ok(order), _) => Some((None, order.quantity.shares())),
            (Err(_), _) => None,
        };
        let (request, quantity) = asked.unwrap_or_default();
        let side = match traded {
            Ok(order) if asked.is_some() => side(order.side),
            _ => NONE,
        };
        let why = match traded {
            Err(skip) => Some(skip_name(*skip)),
            Ok(_) if asked.is_none() => Some(skip_name(Skip::NothingSellable)),
            Ok(order) => (quantity < order.wanted.shares()).then_some("REDUCED"),
        };
        let key = ActionKey::rebalance(portfolio, symbol, side);
        let shares = held.stake.held.shares();
        let weight = held.target.map_or(0, |target| target.weight.0);
        let target = traded.ok().map(|order| match order.side {
            Side::Sell => shares - order.wanted.shares(),
            Side::Buy => shares + order.wanted.shares(),
        });
        let price = held.quote.map(|quote| quote.price.to_decimal());
        let symbol = symbol.to_string();
        tx.execute(
            &line,
            &[
                &portfolio,
                &symbol,
                &side,
                &key.as_str(),
                &place,
                &weight,
                &shares,
                &target,
                &quantity,
                &price,
                &why,
                &request,
            ],
        )
        .await?;
    }
    Ok(usize::try_from(place).unwrap_or_default())
}

/// Asks to sell. Returns the request and its shares; none where the position is gone, or the operator
/// keeps it now.
async fn sell(
    tx: &Transaction<'_>,
    portfolio: Uuid,
    order: &Order,
    position: Uuid,
) -> Result<Option<(Option<Uuid>, i64)>, JobError> {
    let key = ActionKey::rebalance(portfolio, order.symbol, side(Side::Sell));
    let (request, quantity, key) = (request_id(&key), order.quantity.shares(), key.as_str());
    let values: [&(dyn ToSql + Sync); 5] = [&request, &position, &quantity, &WHO, &key];
    let asked = tx.query_opt(SELL, &values).await?;
    let shares: Option<i64> = asked.map(|row| row.try_get("qty")).transpose()?;
    Ok(shares.map(|shares| (Some(request), shares)))
}

/// What is known of the sales of a rebalance.
pub(super) struct Sales {
    /// Sales under way.
    pub(super) open: i64,
    /// Whether the broker has told the cash of late.
    pub(super) is_cash_known: bool,
    /// Whether it has since the last sale ended.
    pub(super) is_cash_told: bool,
    /// Since the rebalance began.
    pub(super) since: Duration,
}

/// Returns what is known of the sales of a rebalance.
pub(super) async fn sales(
    client: &PostgresClient,
    portfolio: Uuid,
    account: &str,
) -> Result<Sales, JobError> {
    let row = client.query_one(SALES, &[&portfolio, &account]).await?;
    let since: i64 = row.try_get("since_s")?;
    Ok(Sales {
        open: row.try_get("open")?,
        is_cash_known: row.try_get("is_known")?,
        is_cash_told: row.try_get("is_told")?,
        since: Duration::from_secs(u64::try_from(since).unwrap_or_default()),
    })
}

/// Asks for `purchases`.
pub(super) async fn ask(
    tx: &Transaction<'_>,
    portfolio: Uuid,
    strategy: &str,
    purchases: &[Order],
) -> Result<(), JobError> {
    for order in purchases {
        let key = ActionKey::rebalance(portfolio, order.symbol, side(Side::Buy));
        let (request, symbol) = (request_id(&key), order.symbol.to_string());
        let (quantity, limit) = (order.quantity.shares(), order.price.to_decimal());
        let key = key.as_str();
        tx.execute(
            BUY,
            &[&request, &symbol, &quantity, &limit, &WHO, &key, &strategy],
        )
        .await?;
        let is_short_of_cash = order.quantity < order.wanted;
        let values: [&(dyn ToSql + Sync); 5] =
            [&portfolio, &symbol, &quantity, &request, &is_short_of_cash];
        tx.execute(ASKED, &values).await?;
    }
    Ok(())
}

/// Ends the rebalance. What is not asked for by then was halted for a reason, or has no fresh price or
/// no cash; `reason` says why its sales were not waited for.
pub(super) async fn finish(
    tx: &Transaction<'_>,
    portfolio: Uuid,
    halt: Option<&str>,
    reason: Option<&str>,
) -> Result<(), JobError> {
    let why = halt.map(|_| "NOT_ASKED");
    tx.execute(LEFT, &[&portfolio, &why]).await?;
    tx.execute(WITHDRAW, &[&portfolio]).await?;
    tx.execute(END, &[&portfolio, &halt.or(reason)]).await?;
    Ok(())
}

/// A request has the identity of its key.
fn request_id(key: &ActionKey) -> Uuid {
    Uuid::new_v5(&Uuid::NAMESPACE_OID, key.as_str().as_bytes())
}

fn side(side: Side) -> &'static str {
    match side {
        Side::Sell => "SELL",
        Side::Buy => "BUY",
    }
}

fn skip_name(skip: Skip) -> &'static str {
    match skip {
        Skip::Kept(Kept::UnderWay) => "UNDER_WAY",
        Skip::Kept(Kept::ActiveExit) => "ACTIVE_EXIT",
        Skip::Kept(Kept::ExitMode) => "EXIT_MODE",
        Skip::NoPrice => "NO_PRICE",
        Skip::SmallWeight => "SMALL_WEIGHT",
        Skip::SmallOrder => "SMALL_ORDER",
        Skip::NothingSellable => "NOTHING_SELLABLE",
        Skip::Cash => "CASH",
        Skip::Turnover => "TURNOVER",
    }
}
