//! What news about an order does to the database, in one transaction.
//!
//! ```text
//! news ─ lock order ─ merge ─┬─ execution, order event
//!                            ├─ sale:     lock position ─ result, quantity, phase, floor ─ exit event
//!                            └─ purchase: lock candidate ─ position ─ history
//! ```
//!
//! 1. Locks are taken in the order: order row, candidate, position, state. The order sink takes those
//!    of several positions, always in the same order and no other of theirs before, so no two
//!    transactions wait for each other.
//! 2. Whoever brings news (notices, lists, the executor) comes through here; two about one order
//!    wait for each other at the lock of its row.
//! 3. Applying the same news again changes nothing.

mod closing;
mod entry;
mod holding;
mod result;
mod sale;

use std::sync::Arc;

use crate::postgres::Transaction;
use futures_util::future::BoxFuture;
use jiff::civil::Date;
use metrics::{counter, histogram};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use tokio::time::Instant;
use tokio::try_join;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, error_span};
use turnstile_dataflows::model::{OrderFact, OrderStatus, Price, Quantity};
use uuid::Uuid;

use super::alarm::{Alarm, Alarms, Level};
use super::book::Book;
use super::broker::Side;
use super::costs::{CostModel, Costs, TaxClass};
use super::error::StoreError;
use super::merge::{Merged, News, Progress, Step};
use super::metrics as names;
use super::order::{price, quantity, side};
use super::session::NowUs;
use super::store::{GivenUp, Store};
use crate::seoul::seoul;

/// Forgets what a cache holds about positions. A failure is the cache's own affair: its entries
/// expire.
pub trait PositionCache: Send + Sync {
    /// Deletes `position:{id}` of each.
    fn forget<'p>(&'p self, positions: &'p [Uuid]) -> BoxFuture<'p, ()>;
}

/// Stores what becomes of orders.
#[derive(Clone)]
pub struct Ledger {
    store: Store,
    costs: Arc<CostModel>,
    book: Arc<Book>,
    cache: Arc<dyn PositionCache>,
    alarms: Alarms,
    now_us: NowUs,
}

pub(super) use holding::Reconciled;
use sale::lock_sold;

/// What became of news.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applied {
    /// Nothing new.
    Nothing,
    /// A notice that cannot be told from an earlier one: the order list decides.
    AskBroker,
    /// Stored. The order stands like this now.
    Stored(OrderStatus),
    /// The database refuses it; an alarm was raised.
    Refused,
    /// The process stops.
    Stopped,
}

/// The decision's columns that news needs.
pub(super) struct Subject {
    id: Uuid,
    account: String,
    position: Option<Uuid>,
    candidate: Option<Uuid>,
    symbol: String,
    side: Side,
    qty: Quantity,
    reason: String,
    rule_id: Option<String>,
    cycle: Option<i32>,
    decided_us: i64,
    price: Price,
    tax: TaxClass,
    profile: Option<String>,
    trade_date: Date,
}

/// One execution as it is stored.
struct Execution {
    fill: Uuid,
    qty: Quantity,
    price: Price,
    costs: Costs,
    ts_us: i64,
}

const LOCK_ORDER: &str = "SELECT o.order_id, o.account_id, o.position_id, o.candidate_id, o.symbol,
        o.side, o.qty, o.reason_code, o.rule_id, o.cycle, o.decided_us, o.price,
        o.explanation->>'profile' AS profile, s.market, s.instrument_type
    FROM trade.orders o JOIN market.stocks s USING (symbol)
    WHERE o.order_id = $1 FOR NO KEY UPDATE OF o";

const EVENTS: &str = "SELECT status, send_attempt, sent_qty, filled_qty, notice_qty, poll_qty,
        raw->>'notice' AS notice, broker_date::text AS broker_date,
        (SELECT coalesce(sum(x.qty * x.price), 0) FROM trade.executions x
          WHERE x.order_id = $1) AS amount
    FROM trade.order_events e WHERE e.order_id = $1";

const STORE_EVENT: &str = "INSERT INTO trade.order_events
        (order_id, status, filled_qty, notice_qty, poll_qty, code, message, raw)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";

const STORE_EXECUTION: &str = "INSERT INTO trade.executions
        (fill_id, order_id, exec_key, ts, qty, price, fee, tax, source, raw)
    VALUES ($1, $2, $3, timestamptz 'epoch' + $4::bigint * interval '1 microsecond', $5, $6, $7, $8, $9, $10)";

impl Ledger {
    /// Returns a ledger over these parts.
    pub fn new(
        store: Store,
        costs: CostModel,
        book: Arc<Book>,
        cache: Arc<dyn PositionCache>,
        alarms: Alarms,
        now_us: NowUs,
    ) -> Self {
        Self {
            store,
            costs: Arc::new(costs),
            book,
            cache,
            alarms,
            now_us,
        }
    }

    /// Returns the store that it writes to.
    pub(super) fn store(&self) -> &Store {
        &self.store
    }

    /// Returns the wall clock that it reads.
    pub(super) fn now_us(&self) -> NowUs {
        self.now_us
    }

    /// Applies news about an order and says what became of it. Waits while the database is away.
    pub async fn apply(&self, order: Uuid, news: &News, stop: &CancellationToken) -> Applied {
        let began = Instant::now();
        let work = |client| self.transact(client, order, news);
        let stored = self.store.persist("news about an order", stop, work);
        let result = stored.instrument(error_span!("news", %order)).await;
        match result {
            Ok((applied, position)) => {
                histogram!(names::APPLY_DURATION).record(began.elapsed());
                if let Applied::Stored(status) = applied {
                    if status.is_terminal() {
                        self.book.strike(order);
                    }
                    if let Some(position) = position {
                        self.cache.forget(&[position]).await;
                    }
                    if let News::Fill { received_us, .. } = news {
                        let micros = (self.now_us)().saturating_sub(*received_us);
                        let latency = std::time::Duration::from_micros(micros);
                        histogram!(names::FILL_LATENCY).record(latency);
                    }
                }
                applied
            }
            Err(GivenUp::Stopped) => Applied::Stopped,
            Err(GivenUp::Refused(error)) => {
                self.alarms.raise(Alarm {
                    level: Level::Critical,
                    event: "ORDER_NEWS_REFUSED",
                    symbol: None,
                    position: None,
                    message: format!("news about order {order} cannot be stored: {error}"),
                    context: json!({"order_id": order, "news": format!("{news:?}")}),
                });
                Applied::Refused
            }
        }
    }

    async fn transact(
        &self,
        mut client: crate::postgres::PostgresClient,
        order: Uuid,
        news: &News,
    ) -> Result<(Applied, Option<Uuid>), StoreError> {
        let tx = client.transaction().await?;
        let (subject, progress) = read_under_lock(&tx, order).await?;
        let step = match progress.merge(news, subject.price) {
            Merged::Nothing => {
                if progress.status().is_terminal() {
                    self.book.strike(order);
                }
                return Ok((Applied::Nothing, None));
            }
            Merged::AskBroker => return Ok((Applied::AskBroker, None)),
            Merged::Step(step) => step,
        };
        // Under way together: none needs the answer of another.
        let ((), execution, held) = try_join!(
            store_event(&tx, order, &step, news),
            self.store_execution(&tx, &subject, &progress, &step, news),
            lock_sold(&tx, &subject, &step),
        )?;
        let position = match subject.side {
            Side::Sell => {
                self.after_sale(&tx, &subject, &step, execution.as_ref(), held)
                    .await?
            }
            Side::Buy => {
                self.after_purchase(&tx, &subject, &step, execution.as_ref(), news)
                    .await?
            }
        };
        tx.commit().await?;
        if let Some((qty, _, source)) = step.execution {
            let shares = u64::try_from(qty.shares()).unwrap_or_default();
            counter!(names::FILLED, "side" => subject.side.name(), "source" => source.name())
                .increment(shares);
        }
        Ok((Applied::Stored(step.after), position))
    }

    async fn store_execution(
        &self,
        tx: &Transaction<'_>,
        subject: &Subject,
        progress: &Progress,
        step: &Step,
        news: &News,
    ) -> Result<Option<Execution>, StoreError> {
        let Some((qty, price, source)) = step.execution else {
            return Ok(None);
        };
        let after = progress.amount + price.to_decimal() * Decimal::from(qty.shares());
        let costs = self.costs.of_piece(
            subject.side,
            subject.tax,
            subject.trade_date,
            progress.amount,
            after,
        );
        let at_us = match news {
            News::Fill { received_us, .. } => *received_us,
            News::Listed { .. } | News::End { .. } => (self.now_us)(),
        };
        let ts_us = i64::try_from(at_us).unwrap_or(i64::MAX);
        let exec_key = format!("{}:{}", source.name(), step.filled);
        let fill = Uuid::new_v5(&subject.id, exec_key.as_bytes());
        let statement = tx.prepare_cached(STORE_EXECUTION).await?;
        tx.execute(
            &statement,
            &[
                &fill,
                &subject.id,
                &exec_key,
                &ts_us,
                &qty.shares(),
                &price.to_decimal(),
                &costs.fee,
                &costs.tax,
                &source.name(),
                &raw(news),
            ],
        )
        .await?;
        Ok(Some(Execution {
            fill,
            qty,
            price,
            costs,
            ts_us,
        }))
    }
}

/// Locks an order and reads its events. Both statements are under way together; the second is run,
/// and takes its snapshot, when the first has the lock.
async fn read_under_lock(
    tx: &Transaction<'_>,
    order: Uuid,
) -> Result<(Subject, Progress), StoreError> {
    let lock = tx.prepare_cached(LOCK_ORDER).await?;
    let events = tx.prepare_cached(EVENTS).await?;
    let ids: [&(dyn ToSql + Sync); 1] = [&order];
    let (row, events) = try_join!(tx.query_opt(&lock, &ids), tx.query(&events, &ids))?;
    let row = row.ok_or_else(|| StoreError::inconsistent(format!("there is no order {order}")))?;
    let mut subject = read_order(order, &row)?;
    let progress = read_events(&mut subject, &events)?;
    Ok((subject, progress))
}

fn read_events(subject: &mut Subject, rows: &[Row]) -> Result<Progress, StoreError> {
    let mut progress = Progress {
        qty: subject.qty,
        ..Progress::default()
    };
    for row in rows {
        let status: &str = row.try_get("status")?;
        let sent: Option<i64> = row.try_get("sent_qty")?;
        let sent = sent.map(quantity).transpose()?;
        let attempt: i32 = row.try_get("send_attempt")?;
        progress.facts.add(OrderFact {
            status: status.parse().map_err(StoreError::inconsistent)?,
            send_attempt: u32::try_from(attempt).map_err(StoreError::inconsistent)?,
            sent_qty: sent,
            filled: quantity(row.try_get("filled_qty")?)?,
        });
        progress.sent_qty = match (progress.sent_qty, sent) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        progress.by_notice = progress
            .by_notice
            .max(quantity(row.try_get("notice_qty")?)?);
        progress.by_poll = progress.by_poll.max(quantity(row.try_get("poll_qty")?)?);
        progress
            .seen
            .extend(row.try_get::<_, Option<String>>("notice")?);
        progress.amount = row.try_get("amount")?;
        if let Some(date) = row.try_get::<_, Option<&str>>("broker_date")? {
            subject.trade_date = date.parse().map_err(StoreError::inconsistent)?;
        }
    }
    Ok(progress)
}

fn read_order(order: Uuid, row: &Row) -> Result<Subject, StoreError> {
    let decided_us: i64 = row.try_get("decided_us")?;
    Ok(Subject {
        id: order,
        account: row.try_get("account_id")?,
        position: row.try_get("position_id")?,
        candidate: row.try_get("candidate_id")?,
        symbol: row.try_get("symbol")?,
        side: side(row.try_get("side")?)?,
        qty: quantity(row.try_get("qty")?)?,
        reason: row.try_get("reason_code")?,
        rule_id: row.try_get("rule_id")?,
        cycle: row.try_get("cycle")?,
        decided_us,
        price: price(row.try_get("price")?)?,
        tax: TaxClass::of(row.try_get("market")?, row.try_get("instrument_type")?),
        profile: row.try_get("profile")?,
        trade_date: seoul(u64::try_from(decided_us).unwrap_or_default()).0,
    })
}

async fn store_event(
    tx: &Transaction<'_>,
    order: Uuid,
    step: &Step,
    news: &News,
) -> Result<(), StoreError> {
    let (code, message) = match news {
        News::End { code, message, .. } => (Some(code), Some(message)),
        News::Fill { .. } | News::Listed { .. } => (None, None),
    };
    let statement = tx.prepare_cached(STORE_EVENT).await?;
    tx.execute(
        &statement,
        &[
            &order,
            &step.event.name(),
            &step.filled.shares(),
            &step.by_notice.shares(),
            &step.by_poll.shares(),
            &code,
            &message,
            &raw(news),
        ],
    )
    .await?;
    Ok(())
}

/// Returns the news as it is kept beside the row; `notice` makes a repeated notice known again.
fn raw(news: &News) -> Option<Value> {
    match news {
        News::Fill { key, .. } => Some(json!({"notice": key})),
        News::Listed { filled, amount, .. } => {
            Some(json!({"listed": filled, "amount": amount.to_string()}))
        }
        News::End { .. } => None,
    }
}
