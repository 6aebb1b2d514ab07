//! Orders of the account that this system did not give: by hand in another terminal, or by the
//! broker itself.
//!
//! The broker's list names them; their fills move positions like any other. Such an order becomes a
//! row of ours, reason MANUAL, and is followed from then on. Only one with fills does: what has not
//! traded has moved nothing. An order of ours whose answer has not been stored yet looks the same,
//! so a number must stay unknown for as long as the list may lag, and an order of ours with the
//! same symbol and side whose outcome is unknown comes first.
//!
//! At a start the fills of the day may be in the positions already, as somebody entered them. So only
//! those count that explain by how much the account differs from the positions, the latest first;
//! the others are let be.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::civil::{Date, Time};
use metrics::counter;
use rust_decimal::Decimal;
use serde_json::json;
use tokio::sync::Mutex;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::debug;
use turnstile_dataflows::model::{ActionKey, Quantity, Symbol};
use uuid::Uuid;

use super::alarm::{Alarm, Alarms, Level};
use super::broker::{ListedOrder, Side};
use super::error::StoreError;
use super::merge::average;
use super::metrics as names;
use super::order::quantity;
use super::session::NowUs;
use super::store::{GivenUp, Store};

/// Which of these numbers are ours, and how far their fills are stored. The lateral query with its
/// OFFSET keeps the planner from grouping the events of every order there is.
const KNOWN: &str =
    "SELECT DISTINCT e.broker_date::text AS broker_date, e.broker_order_no, n.order_id,
        n.filled_qty
    FROM trade.order_events e CROSS JOIN LATERAL (
        SELECT * FROM trade.orders_now v WHERE v.order_id = e.order_id OFFSET 0) n
    WHERE e.broker_date BETWEEN $1::text::date AND $2::text::date AND e.broker_order_no = ANY($3)";

/// One statement: the order with its number, unless an order of ours may be meant. An order of ours
/// is of unknown outcome until the very commit that stores its number, so one snapshot sees either
/// that or the number. A sale belongs to the position that was bought by hand, else to the oldest.
const ADOPT: &str = "WITH stock AS (
        INSERT INTO market.stocks (symbol, name, market, instrument_type)
        VALUES ($4, $4, 'UNKNOWN', 'UNKNOWN') ON CONFLICT (symbol) DO NOTHING
    ), held AS (
        SELECT p.position_id, p.cycle, s.phase
        FROM trade.positions p JOIN trade.position_state s USING (position_id)
        WHERE p.account_id = $3 AND p.symbol = $4 AND p.status IN ('OPEN', 'CLOSING')
            AND $5 = 'SELL'
        ORDER BY (p.strategy_id = 'MANUAL') DESC, p.entry_ts, p.position_id LIMIT 1
    ), placed AS (
        INSERT INTO trade.orders
            (order_id, action_key, account_id, position_id, symbol, side, intent_type, qty,
             order_type, reason_code, phase, cycle, price, level, decided_us, explanation)
        SELECT $1, $2, $3, (SELECT position_id FROM held), $4, $5,
             CASE $5 WHEN 'BUY' THEN 'ENTRY' ELSE 'EXIT_PARTIAL' END, $6, 'MKT', 'MANUAL',
             (SELECT phase FROM held), (SELECT cycle FROM held), $7, $7, $8, $9
        WHERE NOT EXISTS (
            SELECT 1 FROM trade.orders o CROSS JOIN LATERAL (
                SELECT v.status FROM trade.orders_now v WHERE v.order_id = o.order_id OFFSET 0) n
            WHERE o.account_id = $3 AND o.symbol = $4 AND o.side = $5
                AND o.created_ts > now() - interval '2 days'
                AND n.status IN ('SENDING', 'UNKNOWN'))
            AND NOT EXISTS (
                SELECT 1 FROM trade.order_events
                WHERE broker_order_no = $11 AND broker_date = $10::text::date)
        ON CONFLICT (action_key) DO NOTHING
        RETURNING order_id
    )
    INSERT INTO trade.order_events
        (order_id, status, send_attempt, broker_date, broker_order_no, broker_org_no, code, message)
    SELECT order_id, 'SUBMITTED', 1, $10::text::date, $11, $12, 'FOREIGN',
        'given by somebody else' FROM placed";

/// The namespace of the identities of such orders.
const NAMESPACE: Uuid = Uuid::from_u128(0x6b3b_4ed4_2c55_4d0f_9d63_7c9e_0f1a_52c1);

/// Shares that the account holds of each symbol more, or fewer, than the positions say.
pub(super) type Differences = BTreeMap<Symbol, i64>;

/// Which orders of somebody else become orders of ours.
#[derive(Clone, Copy, Debug)]
pub(super) enum Adopting<'d> {
    /// Those that have been nobody's for so long.
    After(Duration),
    /// Those that explain these differences.
    Explaining(&'d Differences),
}

/// What is remembered of a number of the list.
#[derive(Clone, Copy, Debug)]
enum Memory {
    /// So many of its fills are in the positions.
    Stored(Quantity),
    /// Nobody's yet, since this moment, with so many fills of this symbol.
    Unknown(Instant, Quantity, Symbol),
    /// Had no fills at this moment, by the broker's clock.
    Resting((Date, Time)),
}

/// Sorts out the lines of order lists that belong to no live order.
pub(super) struct Foreign {
    account: String,
    store: Store,
    alarms: Alarms,
    now_us: NowUs,
    memory: Mutex<BTreeMap<(Date, String), Memory>>,
    /// Whether the positions were what the account holds since the start.
    is_settled: AtomicBool,
    /// Until when, by the broker's clock, positions were last made what the account holds.
    reconciled: Mutex<BTreeMap<Symbol, (Date, Time)>>,
}

impl Foreign {
    pub(super) fn new(account: String, store: Store, alarms: Alarms, now_us: NowUs) -> Self {
        Self {
            account,
            store,
            alarms,
            now_us,
            memory: Mutex::default(),
            is_settled: AtomicBool::new(false),
            reconciled: Mutex::default(),
        }
    }

    /// Returns the lines that say more about an order of ours than is stored, with the order; takes
    /// up orders of nobody as `adopting` says.
    pub(super) async fn sort_out<'l>(
        &self,
        lines: impl Iterator<Item = &'l ListedOrder>,
        adopting: Adopting<'_>,
        stop: &CancellationToken,
    ) -> Vec<(Uuid, &'l ListedOrder)> {
        let mut memory = self.memory.lock().await;
        let news: Vec<&ListedOrder> = lines
            .filter(|line| !line.filled.is_zero())
            .filter(|line| match memory.get(&key(line)) {
                Some(Memory::Stored(filled)) => *filled < line.filled,
                Some(Memory::Unknown(..) | Memory::Resting(_)) | None => true,
            })
            .collect();
        let Ok(known) = self.known(&news, stop).await else {
            return Vec::new();
        };
        let mut ours = Vec::new();
        let mut unknown = Vec::new();
        for line in news {
            if let Some((order, filled)) = known.get(&key(line)) {
                memory.insert(key(line), Memory::Stored((*filled).max(line.filled)));
                if *filled < line.filled {
                    ours.push((*order, line));
                }
                continue;
            }
            match memory.get(&key(line)).copied() {
                // Let be at the start: what it has filled since, the holdings tell.
                Some(Memory::Stored(_)) => continue,
                Some(Memory::Unknown(since, ..)) => unknown.push((since, line)),
                Some(Memory::Resting(seen)) if !self.is_reconciled_since(line, seen).await => {
                    unknown.push((Instant::now(), line));
                }
                Some(Memory::Resting(_)) | None => {
                    if self.is_in_positions(line).await {
                        memory.insert(key(line), Memory::Stored(line.filled));
                    } else {
                        unknown.push((Instant::now(), line));
                    }
                }
            }
        }
        for (since, line) in &unknown {
            memory.insert(key(line), Memory::Unknown(*since, line.filled, line.symbol));
        }
        let chosen = match adopting {
            // Until then nobody knows which of them the positions hold already.
            Adopting::After(_) if !self.is_settled.load(Ordering::Acquire) => Vec::new(),
            _ => adopting.choose(unknown),
        };
        for line in chosen {
            if let Some(order) = self.adopt(line, stop).await {
                memory.insert(key(line), Memory::Stored(line.filled));
                ours.push((order, line));
            }
        }
        ours
    }

    /// Notes which lines had no fills at the moment `shown`, by the broker's clock: what they fill later
    /// is not in positions that were reconciled before.
    pub(super) async fn note_resting(&self, lines: &[ListedOrder], shown: (Date, Time)) {
        let mut memory = self.memory.lock().await;
        for line in lines.iter().filter(|line| line.filled.is_zero()) {
            let known = memory.entry(key(line)).or_insert(Memory::Resting(shown));
            if let Memory::Resting(seen) = known {
                *seen = shown.max(*seen);
            }
        }
    }

    /// Notes that the positions are what the account holds: what nobody knows is in them.
    pub(super) async fn let_be(&self) {
        let mut memory = self.memory.lock().await;
        self.is_settled.store(true, Ordering::Release);
        for known in memory.values_mut() {
            if let Memory::Unknown(_, filled, _) = *known {
                *known = Memory::Stored(filled);
            }
        }
    }

    /// Returns whether fills of the symbol wait to be taken up, which would explain a difference.
    pub(super) async fn may_explain(&self, symbol: Symbol) -> bool {
        let waits = |known: &Memory| matches!(known, Memory::Unknown(_, _, of) if *of == symbol);
        self.is_settled.load(Ordering::Acquire) && self.memory.lock().await.values().any(waits)
    }

    /// Notes that positions of the symbol were made what the account held at this moment: orders of
    /// before that the list shows only now are in them.
    pub(super) async fn reconciled(&self, symbol: Symbol, date: Date, time: Time) {
        self.reconciled.lock().await.insert(symbol, (date, time));
    }

    async fn is_reconciled_since(&self, line: &ListedOrder, seen: (Date, Time)) -> bool {
        let reconciled = self.reconciled.lock().await;
        reconciled
            .get(&line.symbol)
            .is_some_and(|until| seen < *until)
    }

    async fn is_in_positions(&self, line: &ListedOrder) -> bool {
        let reconciled = self.reconciled.lock().await;
        reconciled.get(&line.symbol).is_some_and(|until| {
            line.time
                .is_some_and(|time| (line.order.date, time) <= *until)
        })
    }

    /// Forgets what was said about days before `first`.
    pub(super) async fn forget_before(&self, first: Date) {
        let mut memory = self.memory.lock().await;
        memory.retain(|(date, _number), _| *date >= first);
    }

    async fn known(
        &self,
        lines: &[&ListedOrder],
        stop: &CancellationToken,
    ) -> Result<BTreeMap<(Date, String), (Uuid, Quantity)>, GivenUp> {
        let dates = lines.iter().map(|line| line.order.date);
        let (Some(first), Some(last)) = (dates.clone().min(), dates.max()) else {
            return Ok(BTreeMap::new());
        };
        let numbers: Vec<&str> = lines
            .iter()
            .map(|line| line.order.number.as_str())
            .collect();
        let (first, last) = (first.to_string(), last.to_string());
        let (first, last, numbers) = (&first, &last, &numbers);
        self.store
            .persist("numbers of the order list", stop, |client| async move {
                let statement = client.prepare_cached(KNOWN).await?;
                let rows = client.query(&statement, &[first, last, numbers]).await?;
                rows.iter()
                    .map(|row| {
                        let date: &str = row.try_get("broker_date")?;
                        let date: Date = date.parse().map_err(StoreError::inconsistent)?;
                        let filled = quantity(row.try_get("filled_qty")?)?;
                        let order = (row.try_get("order_id")?, filled);
                        Ok(((date, row.try_get("broker_order_no")?), order))
                    })
                    .collect()
            })
            .await
    }

    /// Makes a row of an order that somebody else gave. Returns its identity; none where an order of
    /// ours may be meant, or the database is away.
    async fn adopt(&self, line: &ListedOrder, stop: &CancellationToken) -> Option<Uuid> {
        let action_key = ActionKey::foreign(line.order.date, &line.order.number);
        let order = Uuid::new_v5(&NAMESPACE, action_key.as_str().as_bytes());
        let price = average(line.amount, line.filled)?.to_decimal();
        let decided_us = i64::try_from((self.now_us)()).unwrap_or(i64::MAX);
        let explanation = json!({
            "foreign": {
                "broker_date": line.order.date.to_string(),
                "broker_order_no": line.order.number,
                "time": line.time.map(|time| time.to_string()),
                "qty": line.qty,
                "filled": line.filled,
                "amount": line.amount.to_string(),
            }
        });
        let (symbol, date) = (line.symbol.to_string(), line.order.date.to_string());
        let (action_key, explanation, symbol, date) = (&action_key, &explanation, &symbol, &date);
        let work = |client: crate::postgres::PostgresClient| async move {
            let statement = client.prepare_cached(ADOPT).await?;
            Ok(client
                .execute(
                    &statement,
                    &[
                        &order,
                        &action_key.as_str(),
                        &self.account,
                        symbol,
                        &line.side.name(),
                        &line.qty.shares(),
                        &price,
                        &decided_us,
                        explanation,
                        date,
                        &line.order.number,
                        &line.order.org,
                    ],
                )
                .await?)
        };
        match self
            .store
            .persist("an order of somebody else", stop, work)
            .await
        {
            Ok(0) => {
                debug!(number = line.order.number, "may be an order of ours");
                None
            }
            Ok(_) => {
                self.report(order, line, price);
                Some(order)
            }
            Err(GivenUp::Stopped) => None,
            Err(GivenUp::Refused(error)) => {
                self.alarms.raise(Alarm {
                    level: Level::Critical,
                    event: "FOREIGN_ORDER_REFUSED",
                    symbol: Some(line.symbol.to_string()),
                    position: None,
                    message: format!(
                        "order {} of somebody else cannot be stored: {error}",
                        line.order.number
                    ),
                    context: json!({"broker_order_no": line.order.number}),
                });
                None
            }
        }
    }

    fn report(&self, order: Uuid, line: &ListedOrder, price: Decimal) {
        counter!(names::FOREIGN, "side" => line.side.name()).increment(1);
        self.alarms.raise(Alarm {
            level: Level::Warning,
            event: "FOREIGN_ORDER",
            symbol: Some(line.symbol.to_string()),
            position: None,
            message: format!(
                "{} of {} shares at {price} was not given by this system",
                line.side, line.filled
            ),
            context: json!({"order_id": order, "broker_order_no": line.order.number}),
        });
    }
}

impl Adopting<'_> {
    /// Returns those to adopt of the lines that nobody knows, in the order of their times.
    fn choose(self, mut unknown: Vec<(Instant, &ListedOrder)>) -> Vec<&ListedOrder> {
        unknown.sort_by_key(|(_, line)| (line.order.date, line.time, &line.order.number));
        match self {
            Self::After(patience) => unknown
                .into_iter()
                .filter(|(since, _)| since.elapsed() >= patience)
                .map(|(_, line)| line)
                .collect(),
            Self::Explaining(differences) => differences
                .iter()
                .flat_map(|(symbol, difference)| {
                    let of_symbol = unknown.iter().map(|(_, line)| *line);
                    let of_symbol = of_symbol.filter(|line| line.symbol == *symbol).collect();
                    explaining(of_symbol, *difference)
                })
                .collect(),
        }
    }
}

/// Returns the latest of `lines`, which are in the order of their times, that together make the
/// difference; none where no number of them does.
fn explaining(lines: Vec<&ListedOrder>, difference: i64) -> Vec<&ListedOrder> {
    let mut sum: i64 = 0;
    for (index, line) in lines.iter().enumerate().rev() {
        let shares = line.filled.shares();
        sum = sum.saturating_add(match line.side {
            Side::Buy => shares,
            Side::Sell => -shares,
        });
        if sum == difference {
            return lines[index..].to_vec();
        }
    }
    Vec::new()
}

fn key(line: &ListedOrder) -> (Date, String) {
    (line.order.date, line.order.number.clone())
}
