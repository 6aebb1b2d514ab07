//! Reads the broker's order list: the truth about what was filled and what has ended.
//!
//! Each 5 s while orders are live, each 60 s otherwise, and at once when someone asks. Only a
//! complete list counts. It may lag behind the market, so an order that is missing proves nothing
//! by itself. Lines of orders that are not live bring fills that came after the end, and orders
//! that somebody else gave.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::civil::{Date, Time};
use metrics::counter;
use serde_json::json;
use tokio::sync::{Mutex, Notify, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};
use turnstile_dataflows::model::{OrderStatus, Symbol};

use super::alarm::{Alarm, Alarms, Level};
use super::book::{Book, Live};
use super::broker::{Broker, BrokerError, ListedOrder};
use super::config::ExecutionConfig;
use super::foreign::{Adopting, Differences, Foreign};
use super::ledger::{Applied, Ledger};
use super::merge::News;
use super::metrics as names;
use super::session::{Market, SessionSource};

/// Complete lists without a live order after which an alarm is raised (domain 4.5).
const MISSING_BEFORE_ALARM: u32 = 3;

/// Reads the broker's order list.
pub struct OrderPoll {
    config: ExecutionConfig,
    broker: Arc<dyn Broker>,
    session: Arc<dyn SessionSource>,
    ledger: Ledger,
    book: Arc<Book>,
    alarms: Alarms,
    foreign: Foreign,
    asked: Notify,
    /// When the last list that was complete and has been applied was asked for.
    complete: watch::Sender<Option<Instant>>,
    /// When the last list was asked for; held while one is read.
    last: Mutex<Option<Instant>>,
    begun: Instant,
}

impl OrderPoll {
    /// Returns a poll over these parts, of the orders of `account`.
    pub fn new(
        config: ExecutionConfig,
        account: String,
        broker: Arc<dyn Broker>,
        session: Arc<dyn SessionSource>,
        ledger: Ledger,
        book: Arc<Book>,
        alarms: Alarms,
    ) -> Self {
        let (store, now_us) = (ledger.store().clone(), ledger.now_us());
        Self {
            foreign: Foreign::new(account, store, alarms.clone(), now_us),
            complete: watch::Sender::new(None),
            config,
            broker,
            session,
            ledger,
            book,
            alarms,
            asked: Notify::new(),
            last: Mutex::new(None),
            begun: Instant::now(),
        }
    }

    /// Asks for a list at once.
    pub fn ask(&self) {
        self.asked.notify_one();
    }

    /// Reads lists until `stop`.
    pub async fn run(self: Arc<Self>, stop: CancellationToken) {
        let mut has_failed = false;
        let mut changes = self.book.changes();
        let mut read_at = Instant::now();
        while !stop.is_cancelled() {
            let pause = if self.book.is_empty() {
                self.config.poll_idle
            } else {
                self.config.poll_live
            };
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                () = self.asked.notified() => {}
                () = tokio::time::sleep_until(read_at + pause) => {}
                // An order has come or gone: the pace changes.
                _ = changes.changed() => continue,
            }
            read_at = Instant::now();
            let read = Box::pin(self.read(Adopting::After(self.config.settle_delay), &stop));
            if let Some(Err(error)) = stop.run_until_cancelled(read).await {
                if std::mem::replace(&mut has_failed, true) {
                    debug!(%error, "no complete order list");
                } else {
                    warn!(%error, "no complete order list, asking again");
                }
                let pause = self.config.poll_live.min(Duration::from_secs(1));
                stop.run_until_cancelled(tokio::time::sleep(pause)).await;
                self.ask();
            } else {
                has_failed = false;
            }
        }
    }

    /// Reads until one list was complete, while nothing of ours is under way. Of what nobody knows,
    /// that counts as given by somebody else which explains `differences`. Returns false if the
    /// process stops first.
    pub(super) async fn read_until_complete(
        &self,
        differences: &Differences,
        stop: &CancellationToken,
    ) -> bool {
        loop {
            let read = Box::pin(self.read(Adopting::Explaining(differences), stop));
            match stop.run_until_cancelled(read).await {
                None => return false,
                Some(Ok(())) => return true,
                Some(Err(error)) => warn!(%error, "no complete order list yet"),
            }
            let pause = tokio::time::sleep(self.config.poll_live.min(Duration::from_secs(1)));
            if stop.run_until_cancelled(pause).await.is_none() {
                return false;
            }
        }
    }

    /// Notes that the positions are what the account holds.
    pub(super) async fn let_be(&self) {
        self.foreign.let_be().await;
    }

    /// Returns whether orders that somebody else gave, and that are not taken up yet, may explain
    /// holdings of the symbol.
    pub(super) async fn may_explain(&self, symbol: Symbol) -> bool {
        self.foreign.may_explain(symbol).await
    }

    /// Notes that positions of the symbol were made what the account held at this moment.
    pub(super) async fn reconciled(&self, symbol: Symbol, market: &Market) {
        self.foreign
            .reconciled(symbol, market.date, market.time)
            .await;
    }

    /// Returns when the last list that was complete and has been applied was asked for.
    pub fn complete_since(&self) -> Option<Instant> {
        *self.complete.borrow()
    }

    /// Returns by how much the last list that was complete and has been applied is older than it should
    /// be: first for orders that are open, zero where none is; then for fills.
    pub fn lateness(&self) -> (Duration, Duration) {
        let is_idle = self.book.is_empty();
        let pace = match is_idle {
            true => self.config.poll_idle,
            false => self.config.poll_live,
        };
        let read = self.complete_since().unwrap_or(self.begun);
        let late = read.elapsed().saturating_sub(pace);
        (if is_idle { Duration::ZERO } else { late }, late)
    }

    /// Reads one list and applies it.
    async fn read(
        &self,
        adopting: Adopting<'_>,
        stop: &CancellationToken,
    ) -> Result<(), BrokerError> {
        let mut last = self.last.lock().await;
        if let Some(last) = *last {
            tokio::time::sleep_until(last + self.config.poll_spacing).await;
        }
        let asked = Instant::now();
        *last = Some(asked);
        let live = self.book.live();
        let market = self.session.market();
        let today = market.date;
        let first = live.iter().map(|order| order.broker.date).min();
        let first = first.unwrap_or(today).min(today);
        let shown = (market.date, self.surely_shown(&market));
        let listed = match self.broker.orders(first, today).await {
            Ok(listed) => listed,
            Err(error) => {
                counter!(names::POLL_FAILURES).increment(1);
                return Err(error);
            }
        };
        counter!(names::POLLS).increment(1);
        let lines: BTreeMap<(Date, &str), &ListedOrder> = listed
            .iter()
            .map(|line| ((line.order.date, line.order.number.as_str()), line))
            .collect();
        for order in &live {
            match lines.get(&(order.broker.date, order.broker.number.as_str())) {
                Some(line) => self.apply(order, line, &market, stop).await,
                None => self.missing(order),
            }
            self.report_age(order);
        }
        self.foreign.note_resting(&listed, shown).await;
        self.take_up(&live, &listed, &market, adopting, stop).await;
        self.foreign.forget_before(first).await;
        self.complete.send_replace(Some(asked));
        Ok(())
    }

    /// Applies the lines that belong to no live order.
    async fn take_up(
        &self,
        live: &[Live],
        listed: &[ListedOrder],
        market: &Market,
        adopting: Adopting<'_>,
        stop: &CancellationToken,
    ) {
        let followed: BTreeSet<_> = live
            .iter()
            .map(|order| (order.broker.date, order.broker.number.as_str()))
            .collect();
        let others = listed
            .iter()
            .filter(|line| !followed.contains(&(line.order.date, line.order.number.as_str())));
        for (order, line) in self.foreign.sort_out(others, adopting, stop).await {
            let news = listed_news(line, self.has_lapsed(line.order.date, market));
            let is_open = matches!(news, News::Listed { end: None, .. }) && line.filled < line.qty;
            self.ledger.apply(order, &news, stop).await;
            if is_open {
                self.book.follow(order, line);
            }
        }
    }

    /// Returns until when, by the broker's clock, a list that is asked for now is surely whole: it may
    /// lag.
    fn surely_shown(&self, market: &Market) -> Time {
        market.time.saturating_sub(self.config.settle_delay)
    }

    /// Returns whether orders of a day can trade no more: they are day orders.
    fn has_lapsed(&self, date: Date, market: &Market) -> bool {
        let is_over = !market.is_open() && market.time >= self.config.lapse_at;
        date < market.date || (date == market.date && is_over)
    }

    async fn apply(
        &self,
        order: &Live,
        line: &ListedOrder,
        market: &Market,
        stop: &CancellationToken,
    ) {
        let news = listed_news(line, self.has_lapsed(order.broker.date, market));
        let has_end = matches!(news, News::Listed { end: Some(_), .. });
        let is_whole = line.filled >= line.qty;
        if line.filled == order.by_poll && !has_end && !is_whole {
            self.book.note(order.id, |live| live.missing = 0);
            return;
        }
        let applied = self.ledger.apply(order.id, &news, stop).await;
        let is_stored = matches!(applied, Applied::Stored(_) | Applied::Nothing);
        self.book.note(order.id, |live| {
            live.missing = 0;
            if is_stored {
                live.by_poll = live.by_poll.max(line.filled);
            }
        });
    }

    fn missing(&self, order: &Live) {
        self.book.note(order.id, |live| {
            live.missing = live.missing.saturating_add(1)
        });
        if order.missing + 1 == MISSING_BEFORE_ALARM {
            self.raise(
                order,
                "ORDER_NOT_LISTED",
                format!(
                    "{MISSING_BEFORE_ALARM} complete lists without order {}",
                    order.broker.number
                ),
            );
        }
    }

    fn report_age(&self, order: &Live) {
        let is_old = order.is_market && order.since.elapsed() >= self.config.market_order_max;
        if is_old && !order.is_reported {
            self.book.note(order.id, |live| live.is_reported = true);
            let number = &order.broker.number;
            self.raise(
                order,
                "MARKET_ORDER_OPEN",
                format!("market order {number} has not ended"),
            );
        }
    }

    fn raise(&self, order: &Live, event: &'static str, message: String) {
        self.alarms.raise(Alarm {
            level: Level::Warning,
            event,
            symbol: Some(order.symbol.to_string()),
            position: None,
            message,
            context: json!({"order_id": order.id, "broker_order_no": order.broker.number}),
        });
    }
}

/// Returns what a line of the list says. Where its day is over, what is open has lapsed.
pub(super) fn listed_news(line: &ListedOrder, has_lapsed: bool) -> News {
    let is_whole = line.filled >= line.qty;
    let is_refused =
        !line.rejected.is_zero() && line.rejected.saturating_add(line.filled) >= line.qty;
    let is_cancelled =
        !line.cancelled.is_zero() && line.cancelled.saturating_add(line.filled) >= line.qty;
    let is_gone = line.remaining.is_zero() || is_cancelled || has_lapsed;
    let end = match (is_whole, is_refused, is_gone) {
        (true, _, _) | (_, false, false) => None,
        (_, true, _) => Some(OrderStatus::Rejected),
        (_, false, true) => Some(OrderStatus::Cancelled),
    };
    News::Listed {
        filled: line.filled,
        amount: line.amount,
        end,
    }
}
