//! Everything of execution, wired as the process does it, over a scripted broker.

use std::fmt::Debug;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use jiff::civil::time;
use rust_decimal::Decimal;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use turnstile_connectors::execution::{
    Alarms, Book, Broker, CostModel, ExecutionConfig, Executor, ExecutorParts, Fills, Holdings,
    HoldingsParts, Ledger, Market, OrderPoll, OrderSink, PositionCache, PriceProgress, RiskGate,
    SessionSource, SinkItem, Store, wall_clock_us,
};
use turnstile_connectors::postgres::Postgres;
use turnstile_connectors::task;
use uuid::Uuid;

use super::account::{account, tell_seconds};
use super::broker::{FakeBroker, TODAY};
use super::decisions::DECIDED;
use super::postgres::Server;

pub(crate) const ACCOUNT: &str = "50123456-01";
/// A position of 100 shares of 005930 at 65,000 KRW.
pub(crate) const POSITION: &str = "11111111-1111-4111-8111-111111111111";

/// A session that a test opens and closes.
struct Door {
    is_open: AtomicBool,
    made: Instant,
}

impl Default for Door {
    fn default() -> Self {
        Self {
            is_open: AtomicBool::default(),
            made: Instant::now(),
        }
    }
}

impl SessionSource for Door {
    fn market(&self) -> Market {
        let is_open = self.is_open.load(Ordering::SeqCst);
        let closed = (!is_open).then(|| "closed by the test".to_owned());
        Market {
            date: TODAY,
            time: time(10, 0, 0, 0).saturating_add(self.made.elapsed()),
            closed,
        }
    }

    fn trades_on(&self, _day: jiff::civil::Date) -> bool {
        true
    }
}

/// The clock of the executor: decisions of these tests are of its day.
fn soon_after_the_decisions() -> u64 {
    DECIDED.plus_micros(60_000_000).micros()
}

/// Remembers what was forgotten.
#[derive(Default)]
pub(crate) struct Forgotten(pub(crate) Mutex<Vec<Uuid>>);

impl PositionCache for Forgotten {
    fn forget<'p>(&'p self, positions: &'p [Uuid]) -> BoxFuture<'p, ()> {
        self.0.lock().unwrap().extend(positions);
        std::future::ready(()).boxed()
    }
}

/// A database, a broker, and between them one run of execution at a time.
pub(crate) struct Rig {
    pub(crate) broker: Arc<FakeBroker>,
    pub(crate) forgotten: Arc<Forgotten>,
    pub(crate) durable: watch::Sender<u64>,
    pub(crate) items: mpsc::Sender<SinkItem>,
    pub(crate) postgres: Postgres,
    pub(crate) server: Server,
    door: Arc<Door>,
    run: Option<Run>,
    config: ExecutionConfig,
    /// Last logical time of earlier runs.
    pub(crate) begun_us: u64,
}

struct Run {
    gate: RiskGate,
    stop: CancellationToken,
    tasks: Vec<JoinHandle<()>>,
    ready: watch::Receiver<bool>,
}

pub(crate) fn config() -> ExecutionConfig {
    ExecutionConfig {
        scan_interval: Duration::from_millis(100),
        resend_pause: Duration::from_millis(20),
        settle_delay: Duration::from_millis(300),
        cancel_wait: Duration::from_millis(500),
        notice_patience: Duration::from_millis(500),
        poll_live: Duration::from_millis(200),
        poll_spacing: Duration::from_millis(20),
        holdings_open: Duration::from_millis(500),
        holdings_spacing: Duration::from_millis(50),
        stop_grace: Duration::from_secs(2),
        commission_rate: Decimal::new(1, 3),
        fill_workers: NonZeroUsize::new(2).unwrap(),
        ..ExecutionConfig::default()
    }
}

impl Rig {
    /// Starts everything over one position, with the session open.
    pub(crate) async fn start() -> Self {
        Self::start_with(config()).await
    }

    /// Starts everything with these settings.
    pub(crate) async fn start_with(config: ExecutionConfig) -> Self {
        let mut rig = Self::prepare(config).await;
        rig.resume();
        rig
    }

    /// Starts everything, without reading the order list unless asked.
    pub(crate) async fn start_without_poll() -> Self {
        let slow = Duration::from_secs(3_600);
        Self::start_with(ExecutionConfig {
            poll_live: slow,
            ..config()
        })
        .await
    }

    /// Prepares the database; nothing runs yet.
    pub(crate) async fn at_rest() -> Self {
        Self::prepare(config()).await
    }

    async fn prepare(config: ExecutionConfig) -> Self {
        let server = Server::start().await;
        let postgres = server.connect().await;
        let client = postgres.client().await.unwrap();
        let fixture = format!(
            "INSERT INTO market.stocks (symbol, name, market) VALUES ('005930', 'Samsung', 'KOSPI');
             INSERT INTO trade.exit_rules (rule_id, scope, name, rules, created_by) VALUES
                ('default', 'DEFAULT', 'default',
                 '{{\"tp1\": {{\"pnl\": 0.07, \"qty\": 0.1, \"floor\": 0.006}},
                    \"tp2\": {{\"pnl\": 0.1, \"qty\": 0.2}}}}', 'test');
             INSERT INTO trade.positions
                (position_id, account_id, symbol, qty, original_qty, avg_price, entry_ts, strategy_id)
             VALUES ('{POSITION}', '{ACCOUNT}', '005930', 100, 100, 65000, now(), 'momentum');
             UPDATE trade.position_state SET hwm_price = 71000;"
        );
        client.batch_execute(&fixture).await.unwrap();
        let (items, _) = mpsc::channel(1);
        let rig = Self {
            broker: Arc::new(FakeBroker::new(postgres.clone())),
            forgotten: Arc::default(),
            durable: watch::Sender::new(u64::MAX),
            items,
            postgres,
            server,
            door: Arc::default(),
            run: None,
            config,
            begun_us: 0,
        };
        rig.open_session(true);
        rig
    }

    /// Adds a position of 100 shares of another issue.
    pub(crate) async fn add_position(&self, position: &str, symbol: &str) {
        let client = self.postgres.client().await.unwrap();
        let rows = format!(
            "INSERT INTO market.stocks (symbol, name, market) VALUES ('{symbol}', 'Other', 'KOSDAQ');
             INSERT INTO trade.positions
                (position_id, account_id, symbol, qty, original_qty, avg_price, entry_ts)
             VALUES ('{position}', '{ACCOUNT}', '{symbol}', 100, 100, 65000, now())"
        );
        client.batch_execute(&rows).await.unwrap();
    }

    pub(crate) fn open_session(&self, is_open: bool) {
        self.door.is_open.store(is_open, Ordering::SeqCst);
    }

    /// Starts a run over the database as it is.
    pub(crate) fn resume(&mut self) {
        let config = self.config.clone();
        let stop = CancellationToken::new();
        let store = Store::new(&self.postgres, stop.clone());
        let (alarms, alarm_writer) = Alarms::new(store.clone());
        let book = Arc::new(Book::default());
        let cache: Arc<dyn PositionCache> = self.forgotten.clone();
        let broker: Arc<dyn Broker> = self.broker.clone();
        let session: Arc<dyn SessionSource> = self.door.clone();
        let costs = CostModel::new(config.commission_rate, config.calendar());
        let ledger = Ledger::new(
            store.clone(),
            costs,
            Arc::clone(&book),
            Arc::clone(&cache),
            alarms.clone(),
            wall_clock_us,
        );
        let poll = Arc::new(OrderPoll::new(
            config.clone(),
            ACCOUNT.to_owned(),
            Arc::clone(&broker),
            Arc::clone(&session),
            ledger.clone(),
            Arc::clone(&book),
            alarms.clone(),
        ));
        let holdings = Arc::new(Holdings::new(HoldingsParts {
            config: config.clone(),
            account: ACCOUNT.to_owned(),
            broker: Arc::clone(&broker),
            session: Arc::clone(&session),
            ledger: ledger.clone(),
            poll: Arc::clone(&poll),
            alarms: alarms.clone(),
        }));
        let fills = Fills::new(
            config.clone(),
            Arc::clone(&session),
            ledger.clone(),
            Arc::clone(&book),
            Arc::clone(&poll),
            Arc::clone(&holdings),
            alarms.clone(),
        );
        let prices = PriceProgress::new(self.durable.subscribe(), self.begun_us, |_| {});
        let gate = RiskGate::new(alarms.clone(), wall_clock_us);
        gate.update(account());
        let executor = Executor::new(ExecutorParts {
            config: config.clone(),
            account: ACCOUNT.to_owned(),
            store: store.clone(),
            broker,
            session,
            is_broker_down: watch::channel(false).1,
            prices: prices.clone(),
            ledger,
            book,
            holdings: Arc::clone(&holdings),
            poll: Arc::clone(&poll),
            gate: gate.clone(),
            alarms: alarms.clone(),
            now_us: soon_after_the_decisions,
        });
        let (orders_tx, orders) = mpsc::channel(16);
        let sink = OrderSink::new(
            &config,
            store,
            prices,
            cache,
            alarms,
            gate.clone(),
            orders_tx,
            wall_clock_us,
        );
        let (items, item_queue) = mpsc::channel(16);
        self.items = items;
        let notices = self.broker.connect();
        self.run = Some(Run {
            ready: executor.ready(),
            tasks: vec![
                task::spawn("seconds", tell_seconds(gate.clone(), stop.clone())),
                task::spawn("alarms", alarm_writer.run(stop.clone())),
                task::spawn("poll", poll.run(stop.clone())),
                task::spawn("holdings", holdings.run(stop.clone())),
                task::spawn("fills", fills.run(notices, stop.clone())),
                task::spawn("executor", executor.run(orders, stop.clone())),
                task::spawn("sink", sink.run(item_queue, stop.clone())),
            ],
            gate,
            stop,
        });
    }

    /// Ends the run wherever it is, as a crash would.
    pub(crate) async fn crash(&mut self) {
        let run = self.run.take().expect("a run");
        for task in &run.tasks {
            task.abort();
        }
        for task in run.tasks {
            drop(task.await);
        }
    }

    /// Ends the run in order.
    pub(crate) async fn stop(&mut self) {
        let run = self.run.take().expect("a run");
        run.stop.cancel();
        for task in run.tasks {
            task.await.unwrap();
        }
    }

    /// Returns the gate that entries pass.
    pub(crate) fn gate(&self) -> &RiskGate {
        &self.run.as_ref().expect("a run").gate
    }

    pub(crate) fn is_ready(&self) -> bool {
        self.run.as_ref().is_some_and(|run| *run.ready.borrow())
    }

    pub(crate) async fn send(&self, item: SinkItem) {
        self.items.send(item).await.unwrap();
    }

    /// Returns the first column of the first row as text.
    pub(crate) async fn value(&self, query: &str) -> String {
        let client = self.postgres.client().await.unwrap();
        let query = format!("SELECT q.v::text FROM ({query}) AS q(v)");
        let row = client.query_opt(&query, &[]).await.unwrap();
        row.and_then(|row| row.get::<_, Option<String>>(0))
            .unwrap_or_default()
    }

    /// Waits until a query gives `expected`.
    pub(crate) async fn expect(&self, query: &str, expected: &str) {
        let mut was = String::new();
        for _ in 0..400 {
            was = self.value(query).await;
            if was == expected {
                return;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        let logs = "SELECT string_agg(event || ': ' || message, '; ') FROM system.logs";
        let logs = self.value(logs).await;
        panic!("{query}: expected {expected}, was {was}; logs: {logs}");
    }

    /// Waits until `probe` gives `expected`.
    pub(crate) async fn until<T: PartialEq + Debug>(
        &self,
        probe: impl Fn(&Self) -> T,
        expected: T,
    ) {
        for _ in 0..400 {
            if probe(self) == expected {
                return;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("expected {expected:?}, was {:?}", probe(self));
    }

    /// Waits until the order of an action key stands like this.
    pub(crate) async fn expect_status(&self, action_key: &str, status: &str) {
        let query =
            format!("SELECT status FROM trade.orders_now WHERE action_key = '{action_key}'");
        self.expect(&query, status).await;
    }

    /// Returns the history of all orders, as `STATUS` in the order of their storage.
    pub(crate) async fn events(&self) -> String {
        self.value("SELECT string_agg(status, ' ' ORDER BY event_id) FROM trade.order_events")
            .await
    }
}
