//! One system whose engine is killed and started again, over and over.
//!
//! Nothing of the product knows of it: the engine is brought to a point from outside, by locks on
//! tables of the database, by faults of the simulator, by stopping the simulator or pausing Redis.

mod stores;

use std::collections::BTreeSet;
use std::time::Duration;

use nix::sys::signal::Signal;
use redis::aio::MultiplexedConnection;
use serde_json::{Value, json};
use tokio::time::Instant;
use tokio_postgres::Client;

use crate::judge::Books;
use crate::system::connect;
use crate::{ACCOUNT, Program, Replay, Stock, System};

/// Price at which positions are opened, KRW.
pub(crate) const OPENED_AT: i64 = 100_000;
/// The simulator remembers when it is started again.
const SIMULATOR: &str = "state_file = \"simulator.json\"";
/// Everything that waits waits shorter, so that a restart is over in a second or two.
const SETTINGS: &str = "\
[execution]
settle_delay = \"700ms\"
poll_live = \"1s\"
poll_idle = \"2s\"
poll_spacing = \"100ms\"
resend_pause = \"200ms\"
scan_interval = \"250ms\"
cancel_wait = \"1s\"
notice_patience = \"3s\"
[kis.timeouts]
order = \"3s\"
[kis.retry]
query_pause = \"100ms\"
throttled_order_pause = \"200ms\"
[kis.reconnect]
pause_min = \"200ms\"
pause_max = \"1s\"
in_use_pause = \"300ms\"
[kis.stream]
request_spacing = \"1ms\"
refused_pause = \"1s\"
[exits]
levels_every = \"100ms\"
";
const LOOK_EVERY: Duration = Duration::from_millis(3);
/// Lines of the engine's log that a failure shows.
const TOLD_LINES: usize = 25;

/// A position that the yard has opened.
#[derive(Clone, Debug)]
pub struct Held {
    /// Identity.
    pub id: String,
    /// What is held.
    pub symbol: String,
    /// Shares at first.
    pub qty: i64,
}

/// Longest wait until new positions are judged, with a start of the engine in it.
const JUDGED_MAX: Duration = Duration::from_secs(30);

/// A system, its running engine, and the means to hold it up.
pub struct Yard {
    /// The system.
    pub system: System,
    engine: Option<Program>,
    holder: Client,
    redis: MultiplexedConnection,
    runs: u32,
    calls_seen: u64,
    /// Symbols whose holding somebody else changed since the positions were opened.
    pub(crate) by_hand: BTreeSet<String>,
}

impl Yard {
    /// Starts a system with these symbols and an engine.
    ///
    /// # Panics
    /// If anything does not start.
    pub async fn start(symbols: &[String]) -> Self {
        Self::over(System::start(&stocks(symbols), SIMULATOR).await).await
    }

    /// Starts a system as [`Yard::start`] does, with a primary and a standby for its database.
    ///
    /// # Panics
    /// If anything does not start.
    pub async fn start_replicated(symbols: &[String]) -> Self {
        Self::over(System::start_replicated(&stocks(symbols), SIMULATOR).await).await
    }

    async fn over(system: System) -> Self {
        system.exit_rules(two_stops()).await;
        let holder = connect(&system.database_url()).await;
        let redis = stores::redis_connection(&system).await;
        let mut yard = Self {
            system,
            engine: None,
            holder,
            redis,
            runs: 0,
            calls_seen: 0,
            by_hand: BTreeSet::new(),
        };
        yard.restart().await;
        yard
    }

    /// Kills the engine with SIGKILL and waits until it is gone.
    ///
    /// # Panics
    /// If it had ended by itself.
    pub async fn kill(&mut self) {
        let engine = self.engine.take().expect("an engine runs");
        engine.signal(Signal::SIGKILL);
        assert!(!engine.ended().await, "killed");
    }

    /// Starts the engine again if it has ended by itself, as it does where it cannot be sure of
    /// its lock or of the change feed. Returns whether it had.
    pub async fn supervise(&mut self) -> bool {
        let has_ended = self.engine.as_mut().is_some_and(Program::has_ended);
        if has_ended {
            self.engine = None;
            self.restart().await;
        }
        has_ended
    }

    /// Starts the engine again and waits until it listens. The broker answers at once meanwhile: a
    /// start reads the whole order list, page by page.
    ///
    /// # Panics
    /// If it does not come up.
    pub async fn restart(&mut self) {
        self.system.post("/faults", json!({"delay_ms": 0})).await;
        self.begin().await;
        self.system.registered(1).await;
    }

    /// Starts the engine again without waiting for it.
    ///
    /// # Panics
    /// If the simulator still has a session of the last one.
    pub async fn begin(&mut self) {
        let is_alone = async || {
            let status = self.system.get("/status").await;
            status["sessions"].as_array().is_none_or(Vec::is_empty)
        };
        assert!(until(Duration::from_secs(10), is_alone).await);
        self.runs += 1;
        let log = format!("stream-{}.log", self.runs);
        self.engine = Some(self.system.start_stream_logged(SETTINGS, &log));
    }

    /// Opens a position in each of `symbols`, at the broker and in the database, and waits until
    /// the engine judges them.
    ///
    /// # Panics
    /// If the engine does not take them.
    pub async fn open(&mut self, symbols: &[String], qty: i64) -> Vec<Held> {
        self.by_hand.clear();
        let mut opened = Vec::new();
        for symbol in symbols {
            self.system.trade(symbol, OPENED_AT).await;
            self.system
                .post("/holdings", json!({"symbol": symbol, "qty": qty}))
                .await;
            let id: String = self
                .system
                .one(
                    "INSERT INTO trade.positions (position_id, account_id, symbol, qty,
                         original_qty, avg_price, entry_ts)
                     VALUES (gen_random_uuid(), $1, $2, $3, $3, $4::bigint::numeric, now())
                     RETURNING position_id::text",
                    &[&ACCOUNT, symbol, &qty, &OPENED_AT],
                )
                .await;
            opened.push(Held {
                id,
                symbol: symbol.clone(),
                qty,
            });
        }
        let query = "SELECT count(DISTINCT position_id) FROM trade.exit_levels
            WHERE position_id = ANY($1::text[]::uuid[])";
        let ids = ids(&opened);
        let began = Instant::now();
        loop {
            // It may have lost its lock before and end only now.
            self.supervise().await;
            let known: i64 = self.system.one(query, &[&ids]).await;
            if usize::try_from(known).is_ok_and(|known| known == ids.len()) {
                return opened;
            }
            if began.elapsed() > JUDGED_MAX {
                let books = self.books(&opened, 0).await;
                let positions = books.positions;
                panic!("{known} judged of {positions:#?}: {}", self.told());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Prints a trade in the symbol of each position.
    pub async fn fall(&self, held: &[Held], won: i64) {
        for held in held {
            self.system.trade(&held.symbol, won).await;
        }
    }

    /// Returns the books of these positions.
    pub async fn books(&self, held: &[Held], after: u64) -> Books {
        Books::read(&self.system, &ids(held), after, &self.by_hand).await
    }

    /// Returns the number of the broker's last order.
    pub async fn last_order(&self) -> u64 {
        let orders = self.system.get("/orders").await;
        let last = orders["orders"].as_array().and_then(|orders| orders.last());
        last.and_then(|order| order["number"].as_u64())
            .unwrap_or_default()
    }

    /// Returns the orders since the last call that the broker refused since they sell more than is
    /// held: it kept us from selling twice, we did not.
    pub async fn oversales(&mut self) -> Vec<String> {
        let log = self
            .system
            .get(&format!("/log?after={}", self.calls_seen))
            .await;
        let calls = log["calls"].as_array().cloned().unwrap_or_default();
        if let Some(last) = calls.last() {
            self.calls_seen = last["seq"].as_u64().unwrap_or_default();
        }
        let is_oversale = |call: &&Value| {
            let code = call["outcome"]["msg_cd"].as_str();
            matches!(code, Some("APBK0400" | "APBK1234"))
        };
        calls
            .iter()
            .filter(is_oversale)
            .map(|call| format!("asked to sell more than is held: {call}"))
            .collect()
    }

    /// Returns how often the engine's process was started.
    pub fn runs(&self) -> u32 {
        self.runs
    }

    /// Returns the end of the engine's log.
    pub fn told(&self) -> String {
        let log = self.engine.as_ref().map(Program::log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(TOLD_LINES)..].join("\n")
    }

    /// Stops the engine in order, and replays the day.
    ///
    /// # Panics
    /// If the engine does not end cleanly.
    pub async fn replay(&mut self) -> Replay {
        if let Some(engine) = self.engine.take() {
            engine.stop().await;
        }
        let today = self.system.today().await;
        self.system.replay(&today, &[]).await
    }

    /// Stops everything.
    ///
    /// # Panics
    /// If anything does not end cleanly.
    pub async fn stop(mut self) {
        if let Some(engine) = self.engine.take() {
            engine.stop().await;
        }
        drop(self.holder);
        self.system.stop().await;
    }
}

fn stocks(symbols: &[String]) -> Vec<Stock<'_>> {
    let stock = |symbol| Stock {
        symbol,
        close: OPENED_AT,
        held: 0,
    };
    symbols.iter().map(|symbol| stock(symbol)).collect()
}

/// Rules that sell a half at 3 % below the average cost, and everything at 5 %.
pub(crate) fn two_stops() -> Value {
    json!({"sl2": {"pnl": -0.05}, "sl1": {"pnl": -0.03, "qty": 0.5}})
}

/// Returns the identities of positions.
pub(crate) fn ids(held: &[Held]) -> Vec<String> {
    held.iter().map(|held| held.id.clone()).collect()
}

/// Waits until `holds` does, and returns whether it does in time.
pub(crate) async fn until(patience: Duration, mut holds: impl AsyncFnMut() -> bool) -> bool {
    let deadline = Instant::now() + patience;
    loop {
        if holds().await {
            return true;
        }
        if Instant::now() >= deadline {
            return false;
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Returns a whole number of the environment.
///
/// # Panics
/// If it is set to something else.
pub fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| {
        text.parse()
            .unwrap_or_else(|_| panic!("{name}: a whole number expected, was {text:?}"))
    })
}
