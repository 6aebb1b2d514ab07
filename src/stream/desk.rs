//! Everything downstream of the engine that makes orders of decisions.

use std::sync::Arc;

use anyhow::Context;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use turnstile_connectors::execution::{
    AlarmWriter, Alarms, Book, BrokerEvent, CostModel, Executor, ExecutorParts, Fills, Holdings,
    HoldingsParts, KeepUnstored, KisBroker, KrxSession, Ledger, Notice, OrderPoll, OrderSink,
    Permit, PositionCache, PriceProgress, RiskGate, RiskMonitor, SessionKind, SessionSource,
    SharedCalendar, SimulatorSession, SinkItem, SinkProgress, Store, wall_clock_us,
};
use turnstile_connectors::invariants::InvariantFeed;
use turnstile_connectors::kis::KisClient;
use turnstile_connectors::monitoring::EventSender;
use turnstile_connectors::postgres::Postgres;
use turnstile_connectors::redis::Cache;
use turnstile_connectors::task;

use super::active::account_id;
use super::tasks::report;
use super::{alarms, jobs};
use crate::config::Config;

/// Outputs of the engine on their way to the order sink.
const OUTPUTS_MAX: usize = 8_192;

/// Order sink, executor, fills, and what they share.
pub(super) struct Desk {
    pub(super) outputs: mpsc::Sender<SinkItem>,
    /// How far the order sink is.
    pub(super) stored: SinkProgress,
    pub(super) notices: mpsc::Sender<BrokerEvent>,
    pub(super) poll: Arc<OrderPoll>,
    pub(super) alarms: Alarms,
    pub(super) holdings: Arc<Holdings>,
    pub(super) book: Arc<Book>,
    /// What every entry passes.
    pub(super) gate: RiskGate,
    pub(super) session: Arc<dyn SessionSource>,
    /// Days of the exchange, as they are known now.
    pub(super) calendar: SharedCalendar,
    ready: watch::Receiver<bool>,
    sink: JoinHandle<()>,
    rest: Vec<JoinHandle<()>>,
}

/// Connections beside those of verdicts and fills: exits, SENDING, outcomes.
const OTHERS: usize = 3;

/// What the desk works with.
pub(super) struct DeskParts<'d> {
    pub(super) config: &'d Config,
    pub(super) postgres: &'d Postgres,
    pub(super) cache: &'d Cache,
    pub(super) invariants: &'d InvariantFeed,
    pub(super) client: &'d KisClient,
    pub(super) progress: PriceProgress,
    pub(super) is_broker_down: watch::Receiver<bool>,
    pub(super) events: Option<EventSender>,
    /// What this process may do with what it decides.
    pub(super) permit: watch::Receiver<Permit>,
    /// Where decisions go that may not be stored any more.
    pub(super) unstored: KeepUnstored,
    /// Notices that were kept while there was no desk.
    pub(super) kept: &'d [Notice],
    pub(super) stop: CancellationToken,
}

impl Desk {
    pub(super) async fn start(parts: DeskParts<'_>) -> anyhow::Result<Self> {
        let DeskParts {
            config,
            postgres,
            cache,
            invariants,
            client,
            progress,
            is_broker_down,
            events,
            permit,
            unstored,
            kept,
            stop,
        } = parts;
        let settings = &config.execution;
        let calendar = jobs::calendar(settings, postgres).await?;
        let store = Store::new(postgres, stop.clone()).with_permit(permit);
        let at_once = settings.sink_lanes.get() + settings.fill_workers.get() + OTHERS;
        store.warm(at_once.min(postgres.size_max())).await?;
        let (alarms, alarm_writer): (Alarms, AlarmWriter) = Alarms::new(store.clone());
        let alarms = alarms.telling(events);
        let mut rest = vec![task::spawn("alarms", alarm_writer.run(stop.clone()))];
        let session: Arc<dyn SessionSource> = match settings.session {
            SessionKind::Krx => Arc::new(KrxSession::new(calendar.clone(), wall_clock_us)),
            SessionKind::Simulator => {
                let url = config.stream.simulator_url.as_deref().unwrap_or_default();
                let session =
                    SimulatorSession::new(url, wall_clock_us).with_calendar(calendar.clone());
                rest.push(task::spawn("session", session.clone().run(stop.clone())));
                Arc::new(session)
            }
        };
        let gate = RiskGate::new(alarms.clone(), wall_clock_us);
        let monitor = RiskMonitor {
            gate: gate.clone(),
            store: store.clone(),
            alarms: alarms.clone(),
            config: config.risk.clone(),
        };
        rest.push(task::spawn("risk monitor", monitor.run(stop.clone())));
        let forget: Arc<dyn PositionCache> = Arc::new(alarms::PositionKeys(cache.clone()));
        let book = Arc::new(Book::default());
        let costs = CostModel::new(settings.commission_rate, calendar.clone());
        let ledger = Ledger::new(
            store.clone(),
            costs,
            book.clone(),
            forget.clone(),
            alarms.clone(),
            wall_clock_us,
        );
        let broker = Arc::new(KisBroker::new(client.clone()));
        let account = account_id(client.settings());
        let poll = Arc::new(OrderPoll::new(
            settings.clone(),
            account.clone(),
            broker.clone(),
            session.clone(),
            ledger.clone(),
            book.clone(),
            alarms.clone(),
        ));
        let holdings = Holdings::new(HoldingsParts {
            config: settings.clone(),
            account: account.clone(),
            broker: broker.clone(),
            session: session.clone(),
            ledger: ledger.clone(),
            poll: poll.clone(),
            alarms: alarms.clone(),
        });
        let holdings = Arc::new(holdings.telling(invariants.clone()));
        let executor = Executor::new(ExecutorParts {
            config: settings.clone(),
            account,
            store: store.clone(),
            broker,
            session: session.clone(),
            is_broker_down,
            prices: progress.clone(),
            ledger: ledger.clone(),
            book: book.clone(),
            holdings: holdings.clone(),
            poll: poll.clone(),
            gate: gate.clone(),
            alarms: alarms.clone(),
            now_us: wall_clock_us,
        });
        let ready = executor.ready();
        let (orders, order_rows) = mpsc::channel(settings.order_queue.get());
        let order_sink = OrderSink::new(
            settings,
            store,
            progress,
            forget,
            alarms.clone(),
            gate.clone(),
            orders,
            wall_clock_us,
        )
        .telling(invariants.clone())
        .keeping(unstored);
        let stored = order_sink.progress();
        let (outputs, items) = mpsc::channel(OUTPUTS_MAX);
        let (notices, notice_events) = mpsc::channel(settings.notice_queue.get());
        let fills = Fills::new(
            settings.clone(),
            session.clone(),
            ledger,
            book.clone(),
            poll.clone(),
            holdings.clone(),
            alarms.clone(),
        );
        fills.take_kept(kept, &stop).await?;
        let sink = task::spawn("order sink", order_sink.run(items, stop.clone()));
        rest.push(task::spawn(
            "executor",
            executor.run(order_rows, stop.clone()),
        ));
        rest.push(task::spawn("order poll", poll.clone().run(stop.clone())));
        rest.push(task::spawn("holdings", holdings.clone().run(stop.clone())));
        rest.push(task::spawn(
            "notices",
            fills.run(notice_events, stop.clone()),
        ));
        Ok(Self {
            outputs,
            stored,
            notices,
            poll,
            alarms,
            holdings,
            book,
            gate,
            session,
            calendar,
            ready,
            sink,
            rest,
        })
    }

    /// Returns once everything that an earlier run left open is settled with the broker.
    pub(super) async fn wait_until_ready(&self, stop: &CancellationToken) -> anyhow::Result<()> {
        let mut ready = self.ready.clone();
        stop.run_until_cancelled(ready.wait_for(|ready| *ready))
            .await
            .context("stopped before it was ready")?
            .context("the executor ended before it was ready")?;
        Ok(())
    }

    /// Lets the order sink store what it has, then stops the rest.
    pub(super) async fn drain(self, stop: &CancellationToken) {
        drop(self.outputs);
        drop(self.notices);
        report(self.sink.await);
        stop.cancel();
        for task in self.rest {
            report(task.await);
        }
    }
}
