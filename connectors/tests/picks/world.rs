//! A database with an account, prices and producers, and a router over it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::civil::{Date, date, time};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use turnstile_connectors::execution::{Alarms, Market, SessionSource, Store};
use turnstile_connectors::picks::{Looked, PickParts, PickRouter, PicksConfig};
use turnstile_connectors::postgres::Postgres;
use turnstile_connectors::task;

use crate::postgres::Server;

pub(crate) const ACCOUNT: &str = "50123456-01";
const PATIENCE: Duration = Duration::from_secs(60);

/// Three issues at 100,000 won, whose prices stay fresh, and an account of 100 million won.
const ROWS: &str = "
INSERT INTO market.stocks (symbol, name, market) VALUES
    ('100010', 'one', 'KOSPI'), ('100020', 'two', 'KOSPI'), ('100030', 'three', 'KOSDAQ');
INSERT INTO market.best_prices (symbol, price, source, received_ts, session, fresh_until, logical_us)
SELECT symbol, 100000, 'KIS_WS', clock_timestamp(), 'REGULAR', now() + interval '1 hour', 1
FROM market.stocks;
INSERT INTO trade.account_equity (account_id, equity, cash, asof_ts)
VALUES ('50123456-01', 100000000, 100000000, clock_timestamp());
";

/// Prices and the account are told again and again. What a test has told of another time stays.
const TOLD_EVERY: Duration = Duration::from_millis(200);
const TOLD: &str = "
UPDATE market.best_prices SET received_ts = clock_timestamp() WHERE logical_us = 1;
UPDATE trade.account_equity SET asof_ts = clock_timestamp()
WHERE asof_ts BETWEEN clock_timestamp() - interval '1 minute' AND clock_timestamp();
";

/// Takes everything back that a test may have done. Nothing of it can be taken back in the running system.
const AGAIN: &str = "
DO $$ DECLARE kept regclass; BEGIN
    FOR kept IN SELECT tgrelid::regclass FROM pg_trigger WHERE tgname = 'insert_only' LOOP
        EXECUTE format('ALTER TABLE %s DISABLE TRIGGER insert_only', kept);
    END LOOP;
END $$;
TRUNCATE market.stocks, market.best_prices, trade.account_equity, trade.exit_pauses, trade.pick_runs CASCADE;
DELETE FROM system.emergency_stop;
INSERT INTO system.emergency_stop (reason, updated_by) VALUES ('test', 'test');
DELETE FROM trade.exit_control;
INSERT INTO trade.exit_control (mode, updated_by) VALUES ('RUNNING', 'test');
DELETE FROM system.risk_profile;
INSERT INTO system.risk_profile (profile, updated_by) VALUES ('DEFAULT', 'test');
DELETE FROM system.risk_limits;
INSERT INTO system.risk_limits (profile, positions_max, single_max_pct, sector_max_pct, market_max_pct,
    daily_loss_max_pct, total_loss_max_pct, active_from, updated_by)
VALUES ('DEFAULT', 15, 15, 40, 100, 3, 10, 'epoch', 'test'),
    ('CONSERVATIVE', 10, 10, 30, 100, 2, 6, 'epoch', 'test'),
    ('AGGRESSIVE', 20, 20, 50, 100, 5, 15, 'epoch', 'test');
";

/// A session that a test opens and closes.
pub(crate) struct Door(AtomicBool);

impl SessionSource for Door {
    fn market(&self) -> Market {
        let is_open = self.0.load(Ordering::SeqCst);
        Market {
            date: date(2026, 11, 24),
            time: time(10, 0, 0, 0),
            closed: (!is_open).then(|| "closed by the test".to_owned()),
        }
    }

    fn trades_on(&self, _day: Date) -> bool {
        true
    }
}

/// Everything a test needs.
pub(crate) struct World {
    pub(crate) postgres: Postgres,
    pub(crate) config: PicksConfig,
    pub(crate) door: Arc<Door>,
    alarms: Alarms,
    _teller: AbortOnDropHandle<()>,
    _writer: JoinHandle<()>,
    _server: Server,
}

impl World {
    pub(crate) async fn start() -> Self {
        let server = Server::start().await;
        let postgres = server.connect().await;
        let stop = CancellationToken::new();
        let (alarms, writer) = Alarms::new(Store::new(&postgres, stop.clone()));
        let teller = postgres.clone();
        let teller = async move {
            let client = teller.client().await.unwrap();
            loop {
                client.batch_execute(TOLD).await.unwrap();
                tokio::time::sleep(TOLD_EVERY).await;
            }
        };
        let world = Self {
            _teller: AbortOnDropHandle::new(task::spawn("prices", teller)),
            config: PicksConfig {
                enabled: true,
                ..PicksConfig::default()
            },
            door: Arc::new(Door(AtomicBool::new(true))),
            _writer: task::spawn("alarms", writer.run(stop)),
            postgres,
            alarms,
            _server: server,
        };
        world.sql(ROWS).await;
        world
    }

    /// Makes the world as it was at the start.
    pub(crate) async fn again(&self) {
        self.sql(AGAIN).await;
        self.sql(ROWS).await;
    }

    pub(crate) fn open(&self, is_open: bool) {
        self.door.0.store(is_open, Ordering::SeqCst);
    }

    /// Returns a router that has seen nothing, as one after a restart.
    pub(crate) fn router(&self) -> PickRouter {
        PickRouter::new(PickParts {
            postgres: self.postgres.clone(),
            session: self.door.clone(),
            alarms: self.alarms.clone(),
            config: self.config.clone(),
            account: ACCOUNT.to_owned(),
        })
    }

    /// Judges what counts now.
    pub(crate) async fn look(&self) -> Looked {
        self.router().look().await.unwrap()
    }

    /// Stores a run of a producer: picks as rows of SQL, `('100010', 0.8, 'HIGH', 1)`.
    pub(crate) async fn send(&self, producer: i32, run_id: &str, picks: &[&str]) {
        let run = format!(
            "INSERT INTO trade.pick_runs (producer_id, run_id, asof_ts, sent_by, body_digest)
             VALUES ({producer}, '{run_id}', clock_timestamp(), 'test', repeat('a', 64));"
        );
        let rows = picks.iter().map(|pick| {
            format!(
                "INSERT INTO trade.picks (pick_run_id, side, symbol, score, confidence, rank)
                 SELECT r.id, 'LONG', p.* FROM trade.pick_runs r,
                     (VALUES {pick}) p (symbol, score, confidence, rank)
                 WHERE (r.producer_id, r.run_id) = ({producer}, '{run_id}');"
            )
        });
        let rows: String = rows.collect();
        // Both or none, as the API stores them.
        self.sql(&format!("BEGIN; {run} {rows} COMMIT;")).await;
    }

    pub(crate) async fn sql(&self, sql: &str) {
        let client = self.postgres.client().await.unwrap();
        let done = client.batch_execute(sql).await;
        done.unwrap_or_else(|error| panic!("{sql}: {:?}", error.as_db_error()));
    }

    /// Returns the one text of a query.
    pub(crate) async fn text(&self, query: &str) -> String {
        let client = self.postgres.client().await.unwrap();
        let row = client.query_one(query, &[]).await;
        let row = row.unwrap_or_else(|error| panic!("{query}: {:?}", error.as_db_error()));
        row.get::<_, Option<String>>(0).unwrap_or_default()
    }

    /// Waits until a query gives `expected`.
    pub(crate) async fn expect(&self, query: &str, expected: &str) {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            let was = self.text(query).await;
            if was == expected {
                return;
            }
            let is_over = tokio::time::Instant::now() >= deadline;
            assert!(!is_over, "{query}: expected {expected}, was {was}");
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
    }
}
