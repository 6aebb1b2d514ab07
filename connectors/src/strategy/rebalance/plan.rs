//! What a rebalance is computed from, as the database has it.

use crate::postgres::Transaction;
use rust_decimal::Decimal;
use tokio_postgres::Row;
use turnstile_dataflows::model::{Price, Quantity, Symbol};
use turnstile_strategy::Weight;
use turnstile_strategy::rebalance::{
    Funds, Kept, Order, Quote, Rebalance, Side, Stake, Target, room,
};
use uuid::Uuid;

use super::keeper::Keeper;
use crate::execution::{Side as OrderSide, on_grid};
use crate::jobs::JobError;

/// Units of a price in a won.
const UNITS: i64 = 10_000;
/// Part of the cash that is spent, per mille; the rest pays fees.
const SPENT: i128 = 997;

/// What the account is worth, if it was told within five minutes.
const EQUITY: &str = "SELECT equity FROM trade.account_equity
    WHERE account_id = $1 AND asof_ts > clock_timestamp() - interval '5 minutes'";

/// The cash that the broker told within five minutes, less what purchases take of it, KRW: what is asked
/// for, what is under way, and whole orders of which anything was heard since.
const CASH: &str = "SELECT a.cash - coalesce((
        SELECT sum(e.qty * trade.price_asked(e.symbol, e.limit_price))
        FROM trade.manual_entries e WHERE e.state = 'ASKED'), 0)
    - coalesce((
        SELECT sum(coalesce(o.limit_price, o.price) * CASE
            WHEN n.updated_ts >= a.asof_ts THEN o.qty
            WHEN n.status IN ('FILLED', 'CANCELLED', 'CANCELLED_PARTIAL', 'REJECTED', 'ERROR') THEN 0
            ELSE o.qty - n.filled_qty END)
        FROM trade.orders o
        CROSS JOIN LATERAL (SELECT v.status, v.filled_qty, v.updated_ts FROM trade.orders_now v
            WHERE v.order_id = o.order_id OFFSET 0) n
        WHERE o.account_id = a.account_id AND o.side = 'BUY'
            AND o.created_ts > now() - interval '1 day'), 0) AS cash
    FROM trade.account_equity a
    WHERE a.account_id = $1 AND a.asof_ts > clock_timestamp() - interval '5 minutes'";

/// Names of the portfolio and of what the strategy holds or is buying.
const NAMES: &str = "SELECT symbol, t.rank, t.weight::bigint AS weight, s.position_id,
        coalesce(s.held, 0) AS held, coalesce(s.sellable, 0) AS sellable, s.kept, b.price
    FROM (SELECT symbol, rank, weight FROM strategy.portfolio_holdings WHERE portfolio_id = $1) t
    FULL JOIN strategy.stakes($2, $3) s USING (symbol)
    LEFT JOIN (SELECT symbol, price FROM market.best_prices
        WHERE NOT is_stale AND fresh_until > clock_timestamp()) b USING (symbol)
    ORDER BY symbol";

/// What of the purchases of a rebalance is to be asked for, with what is held of each and the lower of what
/// the account was and is worth.
const WISHES: &str = "SELECT w.symbol, w.qty, w.price, w.is_fresh, l.weight::bigint AS weight,
        coalesce(s.held, 0) AS held, least(r.equity, e.equity) AS equity
    FROM strategy.purchases_left($1) w
    JOIN strategy.rebalance_lines l ON l.portfolio_id = $1 AND l.symbol = w.symbol
    JOIN strategy.rebalances r USING (portfolio_id)
    JOIN strategy.portfolios f USING (portfolio_id)
    LEFT JOIN strategy.stakes(f.strategy_id, r.account_id) s ON s.symbol = w.symbol
    LEFT JOIN trade.account_equity e ON e.account_id = r.account_id
    WHERE w.kept IS NULL ORDER BY w.place";

/// A purchase that is left.
pub(super) struct Wish {
    pub(super) order: Order,
    /// Whether its price is fresh.
    pub(super) is_fresh: bool,
}

/// A name of the portfolio, or of what the strategy holds or is buying, with its position.
pub(super) struct Held {
    pub(super) symbol: Symbol,
    pub(super) target: Option<Target>,
    pub(super) stake: Stake,
    /// A fresh price, as it was seen last, with the limit of a purchase.
    pub(super) quote: Option<Quote>,
    pub(super) position: Option<Uuid>,
}

/// What is traded for a portfolio.
pub(super) struct Plan {
    pub(super) equity: Decimal,
    pub(super) names: Vec<Held>,
    pub(super) rebalance: Rebalance,
}

impl Plan {
    /// Returns how many names have no fresh price.
    pub(super) fn without_price(&self) -> usize {
        let names = self.names.iter();
        names.filter(|held| held.quote.is_none()).count()
    }
}

/// Computes what is traded for `portfolio`. The cash does not bound it yet: sales come before. A name
/// whose price is not fresh now has the one that `keeper` saw last. Limits of purchases are `above` prices.
pub(super) async fn load(
    tx: &Transaction<'_>,
    portfolio: Uuid,
    strategy: &str,
    account: &str,
    above: Decimal,
    keeper: &Keeper,
) -> Result<Plan, JobError> {
    let worth = tx.query_opt(EQUITY, &[&account]).await?;
    let worth = worth.ok_or_else(|| unusable("what the account is worth is not known"))?;
    let equity: Decimal = worth.try_get("equity")?;
    if equity <= Decimal::ZERO {
        return Err(unusable("what the account is worth is not above zero"));
    }
    let rows = tx.query(NAMES, &[&portfolio, &strategy, &account]).await?;
    let names = rows
        .iter()
        .map(|row| held(row, above))
        .collect::<Result<Vec<_>, _>>()?;
    let funds = Funds {
        equity: units(equity)?,
        cash: i128::from(i64::MAX) * i128::from(UNITS),
    };
    let (names, rebalance) = keeper.look(funds, names).await?;
    Ok(Plan {
        equity,
        names,
        rebalance,
    })
}

/// Returns the purchases that are left, their limits `above` the prices and on the grid. Prices and equity
/// have moved since the beginning: a name is bought up to its weight at most, at its limit of now.
pub(super) async fn wishes(
    tx: &Transaction<'_>,
    portfolio: Uuid,
    above: Decimal,
) -> Result<Vec<Wish>, JobError> {
    let rows = tx.query(WISHES, &[&portfolio]).await?;
    let mut wishes = Vec::with_capacity(rows.len());
    for row in &rows {
        let Some(quote) = price(row)?.and_then(|price| quote(price, above)) else {
            continue;
        };
        let equity = units(row.try_get("equity")?)?;
        let weight = Weight(row.try_get("weight")?);
        let room = room(equity, weight, quantity(row, "held")?, quote);
        let quantity = quantity(row, "qty")?.min(room);
        if quantity == Quantity::ZERO {
            continue;
        }
        let order = Order {
            side: Side::Buy,
            symbol: symbol(row)?,
            quantity,
            wanted: quantity,
            price: quote.limit,
        };
        wishes.push(Wish {
            order,
            is_fresh: row.try_get("is_fresh")?,
        });
    }
    Ok(wishes)
}

/// Returns the cash that may be spent, in units of a price.
pub(super) async fn cash(tx: &Transaction<'_>, account: &str) -> Result<i128, JobError> {
    let told = tx.query_opt(CASH, &[&account]).await?;
    let cash: Option<Decimal> = told.map(|row| row.try_get("cash")).transpose()?.flatten();
    let cash = cash.ok_or_else(|| unusable("the cash of the account is not known"))?;
    Ok(units(cash)? * SPENT / 1_000)
}

/// Returns a price with the limit of a purchase, which is `above` it and on the grid below; none where there
/// is no such limit.
fn quote(price: Price, above: Decimal) -> Option<Quote> {
    let limit = price.to_decimal().checked_mul(Decimal::ONE + above)?;
    let limit: Price = limit.trunc_with_scale(4).try_into().ok()?;
    let limit = on_grid(limit, OrderSide::Buy, false)?;
    Some(Quote { price, limit })
}

fn held(row: &Row, above: Decimal) -> Result<Held, JobError> {
    let (rank, weight): (Option<i32>, Option<i64>) = (row.try_get("rank")?, row.try_get("weight")?);
    let rank = rank.and_then(|rank| u32::try_from(rank).ok());
    let target = rank.zip(weight.map(Weight));
    Ok(Held {
        symbol: symbol(row)?,
        target: target.map(|(rank, weight)| Target { rank, weight }),
        stake: Stake {
            held: quantity(row, "held")?,
            sellable: quantity(row, "sellable")?,
            kept: row
                .try_get::<_, Option<&str>>("kept")?
                .map(kept)
                .transpose()?,
        },
        quote: price(row)?.and_then(|price| quote(price, above)),
        position: row.try_get("position_id")?,
    })
}

fn kept(name: &str) -> Result<Kept, JobError> {
    Ok(match name {
        "UNDER_WAY" => Kept::UnderWay,
        "ACTIVE_EXIT" => Kept::ActiveExit,
        "EXIT_MODE" => Kept::ExitMode,
        _ => return Err(unusable(format!("{name:?} keeps no name"))),
    })
}

fn symbol(row: &Row) -> Result<Symbol, JobError> {
    let text: &str = row.try_get("symbol")?;
    text.parse()
        .map_err(|error| unusable(format!("{text}: {error}")))
}

fn price(row: &Row) -> Result<Option<Price>, JobError> {
    let price: Option<Decimal> = row.try_get("price")?;
    let price = price.map(Price::try_from).transpose();
    price.map_err(|error| unusable(error.to_string()))
}

fn quantity(row: &Row, column: &str) -> Result<Quantity, JobError> {
    let shares: i64 = row.try_get(column)?;
    Quantity::new(shares).map_err(|error| unusable(error.to_string()))
}

fn units(won: Decimal) -> Result<i128, JobError> {
    let units = won.checked_mul(UNITS.into()).map(|units| units.trunc());
    units
        .and_then(|units| i128::try_from(units).ok())
        .ok_or_else(|| unusable(format!("{won} KRW is too much")))
}

fn unusable(reason: impl Into<String>) -> JobError {
    JobError::Answer(reason.into())
}
