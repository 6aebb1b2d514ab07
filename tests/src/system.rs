//! Servers, simulator and stream job of one test.

mod control;
mod replay;
mod settings;
mod stores;
mod strong_market;

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::Duration;

use nix::sys::signal::Signal;
use serde_json::Value;
use tempfile::TempDir;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, NoTls, Row};
use turnstile_connectors::embedded::{EmbeddedConfig, EmbeddedServers};

use crate::{Program, Replicas};
pub use replay::Replay;
use settings::simulator_settings;
use stores::database_url;

/// The account of the simulator.
pub const ACCOUNT: &str = "50123456-01";
const WAIT_MAX: Duration = Duration::from_secs(60);

/// An issue of the simulated market.
pub struct Stock<'a> {
    /// Short code.
    pub symbol: &'a str,
    /// Previous close, KRW.
    pub close: i64,
    /// Shares that the account holds.
    pub held: i64,
}

/// Private servers and a simulated exchange, with a database ready to trade.
pub struct System {
    /// The servers, to stop and start.
    pub servers: EmbeddedServers,
    /// What stands in for PostgreSQL of [`Self::servers`], to fail over.
    pub replicas: Option<Replicas>,
    /// A connection to the database.
    pub db: Client,
    /// Always there but while it is started again.
    simulator: Option<Program>,
    /// Control address of the simulator.
    pub control: String,
    rest: String,
    ws: String,
    http: reqwest::Client,
    folder: TempDir,
    /// REST calls a second that processes started from now on allow themselves; zero for any number.
    pub rate: u32,
    /// Registrations of a session that they allow themselves; zero for any number.
    pub registrations: u32,
    /// Section `[jobs]` of processes started from now on. The broker is asked for nothing that a test
    /// does not ask for.
    pub jobs: String,
    /// Further keys of section `[naver]` of processes started from now on.
    pub naver: String,
    /// Address of the database for stream jobs started from now on, in place of the owner's.
    pub stream_url: Option<String>,
    /// The same for BFFs.
    pub bff_url: Option<String>,
}

impl System {
    /// Starts servers and simulator and migrates the database. `extra` goes into the settings of
    /// the simulator.
    ///
    /// # Panics
    /// If anything does not start.
    pub async fn start(stocks: &[Stock<'_>], extra: &str) -> Self {
        let system = Self::start_without_positions(stocks, extra).await;
        system.hold(stocks).await;
        system
    }

    /// Starts a system as [`System::start`] does, with a primary and a standby for its database.
    ///
    /// # Panics
    /// If anything does not start.
    pub async fn start_replicated(stocks: &[Stock<'_>], extra: &str) -> Self {
        let replicas = Replicas::start().await;
        let system = Self::start_with(stocks, extra, Some(replicas)).await;
        system.hold(stocks).await;
        system
    }

    async fn hold(&self, stocks: &[Stock<'_>]) {
        for stock in stocks.iter().filter(|stock| stock.held > 0) {
            self.execute(
                "INSERT INTO trade.positions (position_id, account_id, symbol, qty, original_qty,
                     avg_price, entry_ts)
                 VALUES (gen_random_uuid(), $1, $2, $3, $3, $4::bigint::numeric, now())",
                &[&ACCOUNT, &stock.symbol, &stock.held, &stock.close],
            )
            .await;
        }
    }

    /// Starts servers and simulator as [`System::start`] does, with what the account holds at the
    /// broker but no positions in the database.
    ///
    /// # Panics
    /// If anything does not start.
    pub async fn start_without_positions(stocks: &[Stock<'_>], extra: &str) -> Self {
        Self::start_with(stocks, extra, None).await
    }

    async fn start_with(stocks: &[Stock<'_>], extra: &str, replicas: Option<Replicas>) -> Self {
        // Another client of this process may have installed it.
        drop(rustls::crypto::ring::default_provider().install_default());
        let folder = tempfile::Builder::new()
            .prefix("turnstile-test-")
            .tempdir()
            .expect("folder");
        // The account of the servers has to enter it.
        std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755)).expect("mode");
        let servers = EmbeddedServers::start(EmbeddedConfig {
            data_dir: folder.path().join("data"),
            postgres: replicas.is_none(),
            ..EmbeddedConfig::default()
        })
        .await
        .expect("the servers start");
        let settings = folder.path().join("simulator.toml");
        std::fs::write(&settings, simulator_settings(stocks, extra)).expect("settings");
        let settings = settings.display().to_string();
        let log = folder.path().join("simulator.log");
        let mut simulator = Program::start(&["exchange-sim", "--settings", &settings], &[], &log);
        let rest = simulator.says("REST").await;
        let ws = simulator.says("WebSocket").await;
        let control = simulator.says("control").await;

        let url = database_url(&servers, replicas.as_ref());
        let migrate = folder.path().join("migrate.log");
        let migrated = Program::start(&["migrate"], &[("DATABASE_URL", &url)], &migrate);
        assert!(
            migrated.ended().await,
            "{}",
            std::fs::read_to_string(migrate).unwrap_or_default()
        );
        let db = connect(&url).await;
        let http = reqwest::Client::new();
        let system = Self {
            servers,
            replicas,
            db,
            simulator: Some(simulator),
            control,
            rest,
            ws,
            http,
            folder,
            rate: 0,
            registrations: 0,
            naver: String::new(),
            stream_url: None,
            bff_url: None,
            jobs: "calendar = false\nstocks = false\nfundamentals = false\nreplay = false\n"
                .to_owned(),
        };
        system.list(stocks).await;
        system
    }

    async fn list(&self, stocks: &[Stock<'_>]) {
        for stock in stocks {
            self.execute(
                "INSERT INTO market.stocks (symbol, name, market) VALUES ($1, $1, 'KOSPI')",
                &[&stock.symbol],
            )
            .await;
            self.execute(
                "INSERT INTO strategy.watchlist (symbol) VALUES ($1)",
                &[&stock.symbol],
            )
            .await;
        }
    }

    /// Puts `rules` in force for every position.
    ///
    /// # Panics
    /// If the database refuses.
    pub async fn exit_rules(&self, rules: Value) {
        self.execute(
            "INSERT INTO trade.exit_rules (rule_id, scope, name, rules, created_by)
             VALUES ('default', 'DEFAULT', 'test', $1, 'test')
             ON CONFLICT (rule_id) DO UPDATE SET rules = excluded.rules, version = exit_rules.version + 1",
            &[&rules],
        )
        .await;
    }

    /// Adds a re-entry rule for a class of exit reasons: cooldown in seconds, rebound in percent.
    ///
    /// # Panics
    /// If the database refuses.
    pub async fn reentry_rule(&self, class: &str, cooldown_s: i32, rebound: &str, per_day: i32) {
        let trigger: Value =
            serde_json::from_str(&format!(r#"{{"type": "REBOUND", "rebound": {rebound}}}"#))
                .expect("a trigger");
        self.execute(
            "INSERT INTO trade.reentry_rules (rule_id, name, exit_reason_code, cooldown_minutes,
                 max_reentries_per_day, trigger_params, created_by)
             VALUES ('after-' || $1, 'test', $1, $2::integer / 60.0, $3, $4, 'test')",
            &[&class, &cooldown_s, &per_day, &trigger],
        )
        .await;
    }

    /// Starts a stream job, with `extra` in its configuration, and waits until it listens.
    ///
    /// # Panics
    /// If it does not come up.
    pub async fn stream(&self, extra: &str) -> Program {
        let stream = self.start_stream(extra);
        self.registered(1).await;
        stream
    }

    /// Starts a stream job without waiting.
    pub fn start_stream(&self, extra: &str) -> Program {
        self.start_stream_logged(extra, "stream.log")
    }

    /// Starts a stream job without waiting, with its log in a file of this name.
    pub fn start_stream_logged(&self, extra: &str, log: &str) -> Program {
        let config = self.config_file(extra);
        let arguments = ["--config", &config, "stream"];
        Program::start(
            &arguments,
            &self.environment_at(self.stream_url.as_deref()),
            &self.folder.path().join(log),
        )
    }

    /// Sends a signal to the simulator.
    ///
    /// # Panics
    /// If it is gone.
    pub fn signal_simulator(&self, signal: Signal) {
        let simulator = self.simulator.as_ref().expect("it runs");
        simulator.signal(signal);
    }

    /// Stops the simulator and starts it again at the same addresses. It remembers where its
    /// settings name a state file.
    ///
    /// # Panics
    /// If it does not come up.
    pub async fn restart_simulator(&mut self) {
        self.restart_simulator_after(Duration::ZERO).await;
    }

    /// As [`System::restart_simulator`], after a pause without it.
    ///
    /// # Panics
    /// If it does not come up.
    pub async fn restart_simulator_after(&mut self, pause: Duration) {
        self.simulator.take().expect("it runs").stop().await;
        tokio::time::sleep(pause).await;
        let settings = self.folder.path().join("simulator.toml");
        let mut text = std::fs::read_to_string(&settings).expect("settings");
        if !text.starts_with("listen") {
            let address = |url: &str| url.rsplit('/').next().unwrap_or_default().to_owned();
            let (rest, ws, control) = (
                address(&self.rest),
                address(&self.ws),
                address(&self.control),
            );
            text = format!(
                "listen = \"{rest}\"\nws_listen = \"{ws}\"\ncontrol_listen = \"{control}\"\n{text}"
            );
            std::fs::write(&settings, text).expect("settings");
        }
        let settings = settings.display().to_string();
        let log = self.folder.path().join("simulator.log");
        let mut simulator = Program::start(&["exchange-sim", "--settings", &settings], &[], &log);
        simulator.says("control").await;
        self.simulator = Some(simulator);
    }

    /// Starts the BFF on a free port.
    ///
    /// # Panics
    /// If it does not come up.
    pub async fn bff(&self) -> (Program, String) {
        self.bff_with("").await
    }

    /// Starts the BFF on a free port, with `extra` in its section of the configuration.
    ///
    /// # Panics
    /// If it does not come up.
    pub async fn bff_with(&self, extra: &str) -> (Program, String) {
        let config = self.config_file(&format!("[bff]\nlisten = \"127.0.0.1:0\"\n{extra}"));
        let log = self.folder.path().join("bff.log");
        let environment = self.environment_at(self.bff_url.as_deref());
        let mut bff = Program::start(&["--config", &config, "bff"], &environment, &log);
        let url = bff.says("Turnstile:").await;
        (bff, url)
    }

    /// Returns the folder of the test.
    pub fn folder(&self) -> PathBuf {
        self.folder.path().to_owned()
    }

    /// Runs a statement.
    ///
    /// # Panics
    /// If the database refuses.
    pub async fn execute(&self, statement: &str, values: &[&(dyn ToSql + Sync)]) -> u64 {
        self.db
            .execute(statement, values)
            .await
            .unwrap_or_else(|error| panic!("{statement}: {error}: {:?}", error.as_db_error()))
    }

    /// Runs a query.
    ///
    /// # Panics
    /// If the database refuses.
    pub async fn query(&self, query: &str, values: &[&(dyn ToSql + Sync)]) -> Vec<Row> {
        self.db
            .query(query, values)
            .await
            .unwrap_or_else(|error| panic!("{query}: {error}: {:?}", error.as_db_error()))
    }

    /// Returns the one value of a query.
    ///
    /// # Panics
    /// If the database refuses or there is not one row.
    pub async fn one<T>(&self, query: &str, values: &[&(dyn ToSql + Sync)]) -> T
    where
        T: for<'a> tokio_postgres::types::FromSql<'a>,
    {
        let rows = self.query(query, values).await;
        assert_eq!(rows.len(), 1, "{query}");
        rows[0].get(0)
    }

    /// Waits until `query` counts at least `count`.
    ///
    /// # Panics
    /// If it does not in time.
    pub async fn counts(&self, query: &str, count: i64) {
        eventually(query, async || self.one::<i64>(query, &[]).await >= count).await;
    }

    /// Waits until `query` counts at least `count`, at most for `limit`.
    ///
    /// # Panics
    /// If it does not in time.
    pub async fn counts_within(&self, query: &str, count: i64, limit: Duration) {
        let until = tokio::time::Instant::now() + limit;
        while self.one::<i64>(query, &[]).await < count {
            assert!(tokio::time::Instant::now() < until, "not in time: {query}");
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// Connects to the database again, which was away.
    ///
    /// # Panics
    /// If it does not answer.
    pub async fn reconnect(&mut self) {
        self.db = connect(&self.database_url()).await;
    }

    /// Stops simulator and servers.
    ///
    /// # Panics
    /// If they do not end cleanly.
    pub async fn stop(self) {
        drop(self.db);
        self.simulator.expect("it runs").stop().await;
        self.servers.stop().await.expect("the servers stop");
    }
}

/// Waits until `holds` does.
///
/// # Panics
/// If it does not within a minute.
pub async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let wait = async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    assert!(
        tokio::time::timeout(WAIT_MAX, wait).await.is_ok(),
        "not in time: {what}"
    );
}

/// Waits until the day in Seoul does not end within two minutes, for what counts by days.
pub async fn clear_of_midnight() {
    const DAY: i64 = 86_400;
    let left = || DAY - (jiff::Timestamp::now().as_second() + 9 * 3_600).rem_euclid(DAY);
    while left() < 120 {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

/// Connects to a database.
///
/// # Panics
/// If it does not answer.
pub async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls)
        .await
        .expect("the database answers");
    drop(turnstile_connectors::task::spawn(
        "test connection",
        async move { drop(connection.await) },
    ));
    client
}
