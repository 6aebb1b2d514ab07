//! Execution notices: the fast way in which fills become known.
//!
//! ```text
//! stream ─> router ─┬─ number known ──> worker of the order ─> ledger
//!                   └─ unknown ─> waits for the order's number, then alarm
//! ```
//!
//! A notice may come before the answer that carries its order's number, twice, late, or not at
//! all. The list of [`super::OrderPoll`] makes up for every one that is lost, so a full queue
//! drops notices rather than hold up the stream.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use jiff::civil::Time;
use metrics::counter;
use serde_json::json;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::debug;
use turnstile_dataflows::model::OrderStatus;
use uuid::Uuid;

use super::alarm::{Alarm, Alarms, Level};
use super::book::Book;
use super::broker::{BrokerEvent, Notice, NoticeEvent};
use super::config::ExecutionConfig;
use super::error::StoreError;
use super::holdings::Holdings;
use super::ledger::{Applied, Ledger};
use super::merge::News;
use super::metrics as names;
use super::poll::OrderPoll;
use super::session::SessionSource;
use super::store::Store;
use crate::seoul::seoul;
use crate::task;

/// An order of a day by the broker's number, also one that has ended.
const FIND_ORDER: &str = "SELECT order_id FROM trade.order_events
    WHERE broker_order_no = $1 AND broker_date = $2::text::date ORDER BY event_id DESC LIMIT 1";

/// Stores what execution notices say.
pub struct Fills {
    config: ExecutionConfig,
    store: Store,
    session: Arc<dyn SessionSource>,
    ledger: Ledger,
    book: Arc<Book>,
    poll: Arc<OrderPoll>,
    holdings: Arc<Holdings>,
    alarms: Alarms,
}

/// How long the answer with an order's number may take after the notice of its first fill, as a
/// rule. The whole list of the day is not asked for sooner.
const ANSWER_USUAL: Duration = Duration::from_millis(500);

/// News on its way to the worker of its order.
struct Routed {
    order: Uuid,
    news: News,
}

/// A notice whose order nobody knows yet.
struct Waiting {
    notice: Notice,
    /// When the list is to be asked for; nothing once it was.
    ask_at: Option<Instant>,
    deadline: Instant,
}

impl Waiting {
    /// Returns when something is to be done about it.
    fn due(&self) -> Instant {
        self.ask_at.unwrap_or(self.deadline)
    }
}

impl Fills {
    /// Returns the handler of notices over these parts.
    pub fn new(
        config: ExecutionConfig,
        session: Arc<dyn SessionSource>,
        ledger: Ledger,
        book: Arc<Book>,
        poll: Arc<OrderPoll>,
        holdings: Arc<Holdings>,
        alarms: Alarms,
    ) -> Self {
        Self {
            config,
            store: ledger.store().clone(),
            session,
            ledger,
            book,
            poll,
            holdings,
            alarms,
        }
    }

    /// Stores what notices say that were kept while nobody could handle them, in their order. It is done
    /// before the broker's list is read, which tells sums and no single fills. What is of no order that has
    /// its number is left to the list.
    ///
    /// # Errors
    /// If the database cannot be asked.
    pub async fn take_kept(
        &self,
        notices: &[Notice],
        stop: &CancellationToken,
    ) -> Result<(), StoreError> {
        for notice in notices {
            // A number counts for its day, a notice has only a time of it.
            let day = seoul(notice.received_us).0.to_string();
            let order = self.order_of(subject(notice), &day).await?;
            if let (Some(order), Some(news)) = (order, news(notice)) {
                self.ledger.apply(order, &news, stop).await;
                counter!(names::NOTICES, "result" => "applied").increment(1);
            }
        }
        Ok(())
    }

    /// Stores what `events` say until their channel closes or `stop`.
    pub async fn run(self, mut events: mpsc::Receiver<BrokerEvent>, stop: CancellationToken) {
        let count = self.config.fill_workers.get();
        let (mut workers, mut tasks) = (Vec::new(), Vec::new());
        for _ in 0..count {
            let (sender, receiver) = mpsc::channel(self.config.notice_queue.get());
            workers.push(sender);
            let work = work(
                self.ledger.clone(),
                Arc::clone(&self.poll),
                Arc::clone(&self.holdings),
                receiver,
                stop.clone(),
            );
            tasks.push(task::spawn("fills", work));
        }
        let mut waiting: Vec<Waiting> = Vec::new();
        let mut changes = self.book.changes();
        loop {
            let first_due = waiting.iter().map(Waiting::due).min();
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                event = events.recv() => match event {
                    None => break,
                    Some(BrokerEvent::Reconnected) => self.poll.ask(),
                    Some(BrokerEvent::Notice(notice)) => self.take(notice, &workers, &mut waiting).await,
                },
                Ok(()) = changes.changed(), if !waiting.is_empty() => {
                    self.retry(&workers, &mut waiting);
                }
                () = sleep_until(first_due) => {
                    self.ask_for_overdue(&mut waiting);
                    self.give_up(&workers, &mut waiting).await;
                }
            }
        }
        drop(workers);
        for ended in join_all(tasks).await {
            if let Err(error) = ended {
                std::panic::resume_unwind(error.into_panic());
            }
        }
    }

    async fn take(
        &self,
        notice: Notice,
        workers: &[mpsc::Sender<Routed>],
        waiting: &mut Vec<Waiting>,
    ) {
        let number = subject(&notice);
        let found = match self.book.find(number) {
            Some(order) => Some(order),
            None => self.stored_order(number).await.unwrap_or_else(|error| {
                debug!(%error, "order of a notice not looked up");
                None
            }),
        };
        if let Some(order) = found {
            self.route(order, &notice, workers);
            return;
        }
        if notice.original.is_none() {
            self.book.remember_stranger(&notice);
        }
        if waiting.len() >= self.config.notice_queue.get() {
            counter!(names::NOTICES, "result" => "dropped").increment(1);
            self.poll.ask();
            return;
        }
        counter!(names::NOTICES, "result" => "buffered").increment(1);
        let now = Instant::now();
        waiting.push(Waiting {
            notice,
            ask_at: Some(now + ANSWER_USUAL),
            deadline: now + self.config.notice_patience,
        });
        // The number may have become known since it was looked up.
        self.retry(workers, waiting);
    }

    /// Routes the notices whose orders have become known.
    fn retry(&self, workers: &[mpsc::Sender<Routed>], waiting: &mut Vec<Waiting>) {
        waiting.retain(|waiting| match self.book.find(subject(&waiting.notice)) {
            Some(order) => {
                self.route(order, &waiting.notice, workers);
                false
            }
            None => true,
        });
    }

    /// Asks for the list where no answer has brought the number: somebody else gave the order, or the
    /// answer is lost.
    fn ask_for_overdue(&self, waiting: &mut [Waiting]) {
        let now = Instant::now();
        for waiting in waiting {
            if waiting.ask_at.take_if(|at| *at <= now).is_some() {
                self.poll.ask();
            }
        }
    }

    /// Looks once more for the orders of notices that have waited long enough, then says so.
    async fn give_up(&self, workers: &[mpsc::Sender<Routed>], waiting: &mut Vec<Waiting>) {
        let now = Instant::now();
        let (over, still): (Vec<_>, Vec<_>) = std::mem::take(waiting)
            .into_iter()
            .partition(|waiting| waiting.deadline <= now);
        *waiting = still;
        for Waiting { notice, .. } in over {
            match self.stored_order(subject(&notice)).await {
                Ok(Some(order)) => self.route(order, &notice, workers),
                Ok(None) => self.report_unmatched(&notice),
                Err(error) => {
                    debug!(%error, "order of a notice not looked up");
                    waiting.push(Waiting {
                        notice,
                        ask_at: None,
                        deadline: now + self.config.notice_patience,
                    });
                }
            }
        }
    }

    async fn stored_order(&self, number: &str) -> Result<Option<Uuid>, StoreError> {
        let date = self.session.market().date.to_string();
        self.order_of(number, &date).await
    }

    async fn order_of(&self, number: &str, date: &str) -> Result<Option<Uuid>, StoreError> {
        let client = self.store.client().await?;
        let statement = client.prepare_cached(FIND_ORDER).await?;
        let row = client.query_opt(&statement, &[&number, &date]).await?;
        Ok(row.map(|row| row.try_get(0)).transpose()?)
    }

    fn route(&self, order: Uuid, notice: &Notice, workers: &[mpsc::Sender<Routed>]) {
        let Some(news) = news(notice) else {
            return;
        };
        let count = u128::try_from(workers.len()).unwrap_or(1);
        let worker = usize::try_from(order.as_u128() % count).unwrap_or_default();
        if workers[worker].try_send(Routed { order, news }).is_err() {
            counter!(names::NOTICES, "result" => "dropped").increment(1);
            self.poll.ask();
        }
    }

    fn report_unmatched(&self, notice: &Notice) {
        if matches!(
            notice.event,
            NoticeEvent::Accepted | NoticeEvent::ChangeRefused
        ) {
            return;
        }
        counter!(names::NOTICES, "result" => "unmatched").increment(1);
        self.alarms.raise(Alarm {
            level: Level::Warning,
            event: "NOTICE_UNMATCHED",
            symbol: Some(notice.symbol.to_string()),
            position: None,
            message: format!("notice of order {} that is not ours", notice.number),
            context: json!({"broker_order_no": notice.number, "event": format!("{:?}", notice.event)}),
        });
    }
}

/// Stores news of orders, one after the other.
async fn work(
    ledger: Ledger,
    poll: Arc<OrderPoll>,
    holdings: Arc<Holdings>,
    mut routed: mpsc::Receiver<Routed>,
    stop: CancellationToken,
) {
    while let Some(Some(Routed { order, news })) = stop.run_until_cancelled(routed.recv()).await {
        let result = match ledger.apply(order, &news, &stop).await {
            Applied::Stored(_) => {
                holdings.ask();
                "applied"
            }
            Applied::Nothing => "applied",
            Applied::AskBroker => {
                poll.ask();
                "repeated"
            }
            Applied::Refused => "dropped",
            Applied::Stopped => return,
        };
        counter!(names::NOTICES, "result" => result).increment(1);
    }
}

/// Returns the number of the order that a notice is about.
fn subject(notice: &Notice) -> &str {
    notice.original.as_ref().unwrap_or(&notice.number)
}

/// Returns what a notice says about its order; nothing where it only confirms receipt.
fn news(notice: &Notice) -> Option<News> {
    match notice.event {
        NoticeEvent::Fill { qty, price } => Some(News::Fill {
            key: key(
                &notice.number,
                notice.time,
                qty.shares(),
                &price.to_string(),
            ),
            qty,
            price,
            received_us: notice.received_us,
        }),
        NoticeEvent::Cancelled { qty } => Some(News::End {
            status: OrderStatus::Cancelled,
            open: Some(qty),
            code: "CANCELLED".to_owned(),
            message: "cancelled at the exchange".to_owned(),
        }),
        NoticeEvent::Rejected { qty } => Some(News::End {
            status: OrderStatus::Rejected,
            open: Some(qty),
            code: "REJECTED".to_owned(),
            message: "rejected after its receipt".to_owned(),
        }),
        NoticeEvent::Accepted | NoticeEvent::ChangeRefused => None,
    }
}

/// Returns everything that tells one fill from another, to the letter.
fn key(number: &str, time: Time, qty: i64, price: &str) -> String {
    format!("{number}:{time}:{qty}:{price}")
}

async fn sleep_until(moment: Option<Instant>) {
    match moment {
        Some(moment) => tokio::time::sleep_until(moment).await,
        None => std::future::pending().await,
    }
}
