//! Faults of PostgreSQL, Redis and the broker, at random moments, with prices moving and an order in
//! flight.
//!
//! ```text
//! positions open ─> prices move ─> a stop leaves ─> fault ─> another stop is hit ─> fault over
//!                                     ─> a third one is decided (recovery) ─> all is sold ─> judge
//! ```

use std::fmt;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::json;
use tokio::time::Instant;
use turnstile_oracle::Dice;

use crate::Ticker;
use crate::eventually;
use crate::judge::Books;
use crate::processes::signal_family;
use crate::random::settle;
use crate::yard::{Held, OPENED_AT, Yard, two_stops};

/// Prices a second beside those of the positions.
const RATE: u32 = 200;
/// A price below every stop, KRW.
const BELOW_ALL: i64 = 94_000;
/// Longest time until something is decided again.
const RECOVERY_MAX: Duration = Duration::from_secs(60);
/// After all symbols are registered, each is printed once more within this time.
const ALL_HEARD: Duration = Duration::from_millis(300);
/// Longest time until nothing in the cache is older than the database.
const FRESH_MAX: Duration = Duration::from_secs(15);

/// Who fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Server {
    /// The database.
    Postgres,
    /// The cache.
    Redis,
    /// The broker.
    Kis,
}

/// How.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Failure {
    /// It is away for a while.
    Stop,
    /// It stands still for a while (SIGSTOP).
    Freeze,
    /// It is stopped and started.
    Restart,
    /// All its connections are cut.
    Cut,
}

/// A fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault(pub Server, pub Failure);

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {:?}", self.0, self.1)
    }
}

impl Fault {
    /// Every failure of every server.
    pub fn all() -> Vec<Self> {
        let servers = [Server::Postgres, Server::Redis, Server::Kis];
        let failures = [
            Failure::Stop,
            Failure::Freeze,
            Failure::Restart,
            Failure::Cut,
        ];
        let of = |server| failures.map(|failure| Self(server, failure));
        servers.into_iter().flat_map(of).collect()
    }
}

/// What one round came to.
#[derive(Debug)]
pub struct Round {
    /// From the end of the fault to the next order.
    pub recovery: Duration,
    /// Prices that moved beside those of the positions.
    pub ticks: usize,
    /// What did not hold.
    pub faults: Vec<String>,
    /// The books at the end.
    pub books: Books,
}

/// Plays one round with positions in `held`, three of them, and prices that move in `moving`.
///
/// # Panics
/// If a server does not come back.
pub async fn play(
    yard: &mut Yard,
    fault: Fault,
    (held, moving): (&[String], &[String]),
    seed: u64,
) -> Round {
    let mut dice = Dice::new(seed, 1);
    let runs = yard.runs();
    yard.system.exit_rules(two_stops()).await;
    let after = yard.last_order().await;
    let after_us: i64 = yard
        .system
        .one(
            "SELECT coalesce(max(logical_us), 0) FROM market.prices",
            &[],
        )
        .await;
    hear_opening_prices(yard, held).await;
    let held = yard.open(held, 10).await;
    yard.cache(&held).await;
    let ticker = Ticker::start(&yard.system, moving, RATE);
    tokio::time::sleep(Duration::from_millis(dice.below(300))).await;

    // An order in flight: the broker is slow to answer.
    let delay = json!({"delay_ms": dice.below(400)});
    yard.system.post("/faults", delay).await;
    yard.fall(&held[..1], BELOW_ALL).await;
    tokio::time::sleep(Duration::from_millis(dice.below(300))).await;
    let pause = Duration::from_millis(300 + dice.below(2_500));
    fail(yard, fault, pause, &held[1..2]).await;
    let over = Instant::now();
    yard.system.post("/faults", json!({"clear": true})).await;
    let recovery = recover(yard, &held[2], over).await;

    yard.calm().await;
    let (books, mut faults) = settle(yard, &held, after).await;
    yard.system.registered(1).await;
    tokio::time::sleep(ALL_HEARD).await;
    let told = ticker.stop().await;
    let is_whole = fault.0 != Server::Kis;
    let until = Instant::now() + FRESH_MAX;
    loop {
        // The last ones are on their way.
        let found = told.faults(&yard.system, after_us, is_whole).await;
        let stale = yard.stale(&held).await;
        if (found.is_empty() && stale.is_empty()) || Instant::now() > until {
            faults.extend(found);
            faults.extend(stale);
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    if yard.runs() != runs {
        faults.push("the process ended, and was started again".to_owned());
    }
    if recovery.is_none() {
        faults.push("nothing was decided after the fault".to_owned());
    }
    Round {
        recovery: recovery.unwrap_or(RECOVERY_MAX),
        ticks: told.count(),
        faults,
        books,
    }
}

/// Waits until the engine has heard the price at which positions are opened: on the last one of the round
/// before they would be sold at once.
async fn hear_opening_prices(yard: &Yard, symbols: &[String]) {
    let last = "SELECT last_price::bigint FROM market.prices WHERE symbol = $1
        ORDER BY logical_us DESC LIMIT 1";
    for symbol in symbols {
        eventually("the opening price is heard", async || {
            yard.system.trade(symbol, OPENED_AT).await;
            tokio::time::sleep(Duration::from_millis(50)).await;
            let rows = yard.system.query(last, &[symbol]).await;
            rows.first()
                .is_some_and(|row| row.get::<_, i64>(0) == OPENED_AT)
        })
        .await;
    }
}

/// Decides something: returns how long after `over` the order of a stop is there.
async fn recover(yard: &mut Yard, probe: &Held, over: Instant) -> Option<Duration> {
    let orders = "SELECT count(*) FROM trade.orders WHERE position_id = $1::text::uuid";
    while over.elapsed() < RECOVERY_MAX {
        yard.supervise().await;
        yard.fall(std::slice::from_ref(probe), BELOW_ALL).await;
        if yard.system.one::<i64>(orders, &[&probe.id]).await > 0 {
            return Some(over.elapsed());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    None
}

/// Lets a server fail for `pause`; meanwhile the stops of `hit` are reached, where there is an exchange.
async fn fail(yard: &mut Yard, Fault(server, failure): Fault, pause: Duration, hit: &[Held]) {
    let Some(pid) = pid(yard, server) else {
        panic!("{server:?} runs");
    };
    match (server, failure) {
        (Server::Postgres, Failure::Stop) => yard.restart_postgres(pause).await,
        (Server::Postgres, Failure::Restart) => yard.restart_postgres(Duration::ZERO).await,
        (Server::Postgres, Failure::Cut) => yard.cut_sessions().await,
        (Server::Redis, Failure::Stop) => yard.restart_redis(pause).await,
        (Server::Redis, Failure::Restart) => yard.restart_redis(Duration::ZERO).await,
        (Server::Redis, Failure::Cut) => yard.cut_redis().await,
        (Server::Kis, Failure::Stop) => yard.system.restart_simulator_after(pause).await,
        (Server::Kis, Failure::Restart) => yard.system.restart_simulator().await,
        (Server::Kis, Failure::Cut) => {
            let cut = json!({"drop_connections": true});
            yard.system.post("/faults", cut).await;
        }
        (Server::Postgres, Failure::Freeze) => {
            signal_family(pid, Signal::SIGSTOP);
            yard.fall(hit, BELOW_ALL).await;
            tokio::time::sleep(4 * pause).await;
            signal_family(pid, Signal::SIGCONT);
        }
        (Server::Redis, Failure::Freeze) => {
            freeze(pid, Signal::SIGSTOP);
            yard.fall(hit, BELOW_ALL).await;
            tokio::time::sleep(pause).await;
            freeze(pid, Signal::SIGCONT);
        }
        (Server::Kis, Failure::Freeze) => {
            yard.system.signal_simulator(Signal::SIGSTOP);
            tokio::time::sleep(pause).await;
            yard.system.signal_simulator(Signal::SIGCONT);
        }
    }
    if failure != Failure::Freeze {
        yard.fall(hit, BELOW_ALL).await;
    }
}

/// Returns the process of a server; any number for the broker, which is signalled otherwise.
fn pid(yard: &mut Yard, server: Server) -> Option<u32> {
    let servers = &mut yard.system.servers;
    let pid = match server {
        Server::Postgres => servers.postgres()?.pid()?,
        Server::Redis => servers.redis()?.pid()?,
        Server::Kis => 0,
    };
    u32::try_from(pid).ok()
}

fn freeze(pid: u32, signal: Signal) {
    kill(Pid::from_raw(pid.cast_signed()), signal).expect("it runs");
}
