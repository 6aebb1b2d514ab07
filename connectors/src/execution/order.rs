//! Orders as execution handles them: the decision and where it stands.

use jiff::civil::{Date, Time};
use rust_decimal::Decimal;
use tokio_postgres::Row;
use tracing::{Span, error_span};
use turnstile_dataflows::model::{ExitReason, OrderStatus, Price, Quantity, Symbol};
use uuid::Uuid;

use super::broker::{BrokerRef, Side};
use super::costs::TaxClass;
use super::error::StoreError;

/// One order with its present state (view `trade.orders_now`).
#[derive(Clone, Debug, PartialEq)]
pub struct Order {
    /// Identity.
    pub id: Uuid,
    /// What makes its decision unique.
    pub action_key: String,
    /// Account that trades.
    pub account: String,
    /// Position that it sells, for exits.
    pub position: Option<Uuid>,
    /// Re-entry candidate that it buys for, for entries.
    pub candidate: Option<Uuid>,
    /// What is traded.
    pub symbol: Symbol,
    /// Direction.
    pub side: Side,
    /// Shares decided.
    pub qty: Quantity,
    /// Limit price; none at market.
    pub limit: Option<Price>,
    /// Why, as stored.
    pub reason: String,
    /// Logical time of the decision.
    pub decided_us: i64,
    /// Logical time of the tick it was judged on.
    pub tick_us: Option<i64>,
    /// Keys of weaker orders to cancel first.
    pub cancels: Vec<String>,
    /// Present state.
    pub status: OrderStatus,
    /// How often it was put to the broker.
    pub send_attempt: i32,
    /// What was asked of the broker, if less than decided.
    pub sent_qty: Option<Quantity>,
    /// Shares filled.
    pub filled: Quantity,
    /// Figure of the broker's list.
    pub by_poll: Quantity,
    /// How the broker names it, once it does.
    pub broker: Option<BrokerRef>,
    /// Date and time at the exchange of the last attempt to send.
    pub sending: Option<(Date, Time)>,
    /// What the decision finds lost (below zero) or won of the average cost, in millionths of it.
    pub result_ppm: i64,
    /// Whether the issue has the price grid of funds.
    pub is_fund: bool,
    /// When the frame that caused the decision was read, microseconds since the Unix epoch; known
    /// only in the process that read it.
    pub received_us: Option<u64>,
}

/// Columns of [`Order::read`]; `n` is the view `trade.orders_now`, `s` the stock.
macro_rules! order_columns {
    () => {
        "n.order_id, n.action_key, n.account_id, n.position_id, n.candidate_id, n.symbol, n.side,
         n.qty, n.limit_price, n.reason_code, n.decided_us, n.tick_us, n.cancels, n.status,
         n.send_attempt, n.sent_qty, n.filled_qty, n.poll_qty, n.broker_order_no, n.broker_org_no,
         n.broker_date::text AS broker_date, n.price,
         (SELECT p.avg_price FROM trade.positions p WHERE p.position_id = n.position_id) AS avg_price,
         s.market, s.instrument_type,
         (SELECT e.raw->>'market_time' FROM trade.order_events e
           WHERE e.order_id = n.order_id AND e.status = 'SENDING'
           ORDER BY e.event_id DESC LIMIT 1) AS market_time"
    };
}

/// Every order that has not ended, oldest first.
pub(super) const OPEN_ORDERS: &str = concat!(
    "SELECT ",
    order_columns!(),
    " FROM trade.orders_now n JOIN market.stocks s USING (symbol)
      WHERE n.status NOT IN ('FILLED', 'REJECTED', 'CANCELLED', 'CANCELLED_PARTIAL', 'ERROR')
      ORDER BY n.decided_us, n.order_id"
);

/// Orders of the last `$2` seconds that nobody has begun to send. The lateral query with its OFFSET keeps
/// the planner from grouping the events of every order there is.
pub(super) const FRESH_ORDERS: &str = concat!(
    "SELECT ",
    order_columns!(),
    " FROM trade.orders o
      CROSS JOIN LATERAL (
        SELECT * FROM trade.orders_now v WHERE v.order_id = o.order_id OFFSET 0) n
      JOIN market.stocks s ON s.symbol = n.symbol
      WHERE o.created_ts > now() - make_interval(secs => $2)
        AND NOT EXISTS (
          SELECT 1 FROM trade.order_events e
          WHERE e.order_id = o.order_id AND e.status NOT IN ('NEW', 'PENDING_APPROVAL'))
        AND n.status = 'NEW'
      ORDER BY n.decided_us, n.order_id LIMIT $1"
);

/// The orders of these action keys.
pub(super) const ORDERS_BY_KEY: &str = concat!(
    "SELECT ",
    order_columns!(),
    " FROM trade.orders o
      CROSS JOIN LATERAL (
        SELECT * FROM trade.orders_now v WHERE v.order_id = o.order_id OFFSET 0) n
      JOIN market.stocks s ON s.symbol = n.symbol
      WHERE o.action_key = ANY($1) ORDER BY n.decided_us, n.order_id"
);

/// What the operator asks of orders of account `$1` that have not ended.
pub(super) const DUE_REQUESTS: &str = concat!(
    "SELECT r.kind, r.asked_by, r.reason AS request_reason, ",
    order_columns!(),
    " FROM trade.order_requests r
      CROSS JOIN LATERAL (
        SELECT * FROM trade.orders_now v WHERE v.order_id = r.order_id OFFSET 0) n
      JOIN market.stocks s ON s.symbol = n.symbol
      WHERE r.created_ts > now() - interval '2 days' AND n.account_id = $1
        AND n.status IN ('NEW', 'PENDING_APPROVAL', 'SUBMITTED', 'PARTIAL')
        AND (r.kind = 'CANCEL' OR n.status = 'PENDING_APPROVAL')
      ORDER BY r.created_ts"
);

/// Orders of account `$1` that have waited for the operator for more than `$2` seconds.
pub(super) const EXPIRED_APPROVALS: &str = concat!(
    "SELECT ",
    order_columns!(),
    " FROM trade.order_events w
      CROSS JOIN LATERAL (
        SELECT * FROM trade.orders_now v WHERE v.order_id = w.order_id OFFSET 0) n
      JOIN market.stocks s ON s.symbol = n.symbol
      WHERE w.status = 'PENDING_APPROVAL' AND n.status = 'PENDING_APPROVAL'
        AND n.account_id = $1 AND w.ts < now() - make_interval(secs => $2)
        AND w.ts > now() - interval '30 days'"
);

/// Of the orders `$1`, those to sell above what the best buyer now bids.
pub(super) const RUN_AWAY: &str = concat!(
    "SELECT ",
    order_columns!(),
    " FROM unnest($1::uuid[]) AS resting (order_id)
      CROSS JOIN LATERAL (
        SELECT * FROM trade.orders_now v WHERE v.order_id = resting.order_id OFFSET 0) n
      JOIN market.stocks s ON s.symbol = n.symbol
      WHERE n.side = 'SELL' AND n.limit_price > (
        SELECT coalesce(p.bid, p.last_price) FROM market.prices p
        WHERE p.symbol = n.symbol ORDER BY p.logical_us DESC LIMIT 1)"
);

/// One order.
pub(super) const ORDER_BY_ID: &str = concat!(
    "SELECT ",
    order_columns!(),
    " FROM trade.orders_now n JOIN market.stocks s USING (symbol) WHERE n.order_id = $1"
);

impl Order {
    /// Returns what names this order in every line of the log while it is handled, however few are shown.
    pub(super) fn span(&self) -> Span {
        error_span!("order", id = %self.id, key = %self.action_key)
    }

    /// Reads a row of one of the queries above.
    pub(super) fn read(row: &Row) -> Result<Self, StoreError> {
        let side: &str = row.try_get("side")?;
        let status: &str = row.try_get("status")?;
        Ok(Self {
            id: row.try_get("order_id")?,
            action_key: row.try_get("action_key")?,
            account: row.try_get("account_id")?,
            position: row.try_get("position_id")?,
            candidate: row.try_get("candidate_id")?,
            symbol: symbol(row.try_get("symbol")?)?,
            side: self::side(side)?,
            qty: quantity(row.try_get("qty")?)?,
            limit: optional_price(row.try_get("limit_price")?)?,
            reason: row.try_get("reason_code")?,
            decided_us: row.try_get("decided_us")?,
            tick_us: row.try_get("tick_us")?,
            cancels: row.try_get("cancels")?,
            status: status.parse().map_err(StoreError::inconsistent)?,
            send_attempt: row.try_get("send_attempt")?,
            sent_qty: row
                .try_get::<_, Option<i64>>("sent_qty")?
                .map(quantity)
                .transpose()?,
            filled: quantity(row.try_get("filled_qty")?)?,
            by_poll: quantity(row.try_get("poll_qty")?)?,
            broker: broker_ref(row)?,
            sending: sending(row)?,
            result_ppm: result_ppm(
                price(row.try_get("price")?)?,
                row.try_get::<_, Option<Decimal>>("avg_price")?
                    .and_then(|average| price(average).ok()),
            ),
            is_fund: TaxClass::of(row.try_get("market")?, row.try_get("instrument_type")?)
                == TaxClass::Exempt,
            received_us: None,
        })
    }

    /// Returns the shares that the broker is or will be asked for, at most.
    pub fn asked(&self) -> Quantity {
        self.sent_qty.unwrap_or(self.qty)
    }

    /// Returns the rank by which orders leave: exits before entries, the more severe reason first,
    /// then the larger loss, then the earlier decision.
    pub(super) fn rank(&self) -> Rank {
        let severity = match self.side {
            Side::Sell => self
                .reason
                .parse::<ExitReason>()
                .map_or(1, ExitReason::severity),
            Side::Buy => 0,
        };
        (
            u8::MAX - severity,
            self.result_ppm,
            self.decided_us,
            self.id,
        )
    }
}

/// The order in which orders leave, the lowest first.
pub(super) type Rank = (u8, i64, i64, Uuid);

/// Returns what `price` is above `average`, in millionths of it; zero without an average.
pub(super) fn result_ppm(price: Price, average: Option<Price>) -> i64 {
    let Some(average) = average else { return 0 };
    let (price, average) = (i128::from(price.units()), i128::from(average.units()));
    i64::try_from((price - average) * 1_000_000 / average).unwrap_or(i64::MAX)
}

fn broker_ref(row: &Row) -> Result<Option<BrokerRef>, StoreError> {
    let number: Option<String> = row.try_get("broker_order_no")?;
    let date: Option<&str> = row.try_get("broker_date")?;
    let (Some(number), Some(date)) = (number, date) else {
        return Ok(None);
    };
    Ok(Some(BrokerRef {
        date: date.parse().map_err(StoreError::inconsistent)?,
        number,
        org: row
            .try_get::<_, Option<String>>("broker_org_no")?
            .unwrap_or_default(),
    }))
}

fn sending(row: &Row) -> Result<Option<(Date, Time)>, StoreError> {
    let date: Option<&str> = row.try_get("broker_date")?;
    let time: Option<&str> = row.try_get("market_time")?;
    let (Some(date), Some(time)) = (date, time) else {
        return Ok(None);
    };
    let date = date.parse().map_err(StoreError::inconsistent)?;
    let time = time.parse().map_err(StoreError::inconsistent)?;
    Ok(Some((date, time)))
}

/// Reads a stored side.
pub(super) fn side(name: &str) -> Result<Side, StoreError> {
    match name {
        "SELL" => Ok(Side::Sell),
        "BUY" => Ok(Side::Buy),
        other => Err(StoreError::Inconsistent(format!(
            "side SELL or BUY expected, was {other:?}"
        ))),
    }
}

/// Reads a stored symbol.
pub(super) fn symbol(text: &str) -> Result<Symbol, StoreError> {
    text.parse().map_err(StoreError::inconsistent)
}

/// Reads a stored quantity.
pub(super) fn quantity(shares: i64) -> Result<Quantity, StoreError> {
    Quantity::new(shares).map_err(StoreError::inconsistent)
}

/// Reads a stored price.
pub(super) fn price(value: Decimal) -> Result<Price, StoreError> {
    Price::try_from(value).map_err(StoreError::inconsistent)
}

/// Reads a stored price that may be missing.
pub(super) fn optional_price(value: Option<Decimal>) -> Result<Option<Price>, StoreError> {
    value.map(price).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_larger_loss_leaves_first() {
        let ppm = |price, average| {
            let won = |won| Price::from_won(won).unwrap();
            result_ppm(won(price), Some(won(average)))
        };
        assert_eq!((ppm(90, 100), ppm(105, 100)), (-100_000, 50_000));
        assert!(ppm(80, 100) < ppm(900, 1_000));
        assert_eq!(result_ppm(Price::from_won(5).unwrap(), None), 0);
    }
}
