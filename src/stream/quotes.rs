//! Prices that are asked for: of the broker where its stream is silent, of Naver where the broker is.
//!
//! ```text
//! silent for      ─ held 3 s, watched 10 s, market 30 s (held 1 s without a stream) ─> KIS REST ─┐
//! longer than ... ─ 10 s more (at once in an outage) ─────────────────────────────────> Naver ────┴─> sequencer
//! ```
//!
//! 1. A symbol that trades is not asked about. One that does not is confirmed, so that a quiet price is
//!    not taken for a stale one.
//! 2. Only while the exchange takes orders, and only what has traded today: the last price of another
//!    day is no tick of this one.
//! 3. Held symbols come first, then those that were asked about longest ago: one without an answer
//!    keeps nobody from his turn. Where the calls do not suffice, intervals stretch ([`tiers`]).
//! 4. An error is not an empty list: the symbols of before stay.

mod ages;
mod emergency;
mod naver;
mod seen;
mod strain;
mod tiers;
mod watch_over;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use metrics::{counter, histogram};
use serde::Deserialize;
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::debug;
use turnstile_connectors::execution::{Alarms, SessionSource};
use turnstile_connectors::kis::{Clock, KisClient, KisError, Lane, PriceSnapshot, Standing};
use turnstile_connectors::naver::NaverClient;
use turnstile_connectors::postgres::Postgres;
use turnstile_dataflows::model::{LogicalTime, Price, Symbol};
use turnstile_dataflows::price::{self, Source};

pub(super) use self::seen::Seen;
use self::seen::is_within;
use self::tiers::{TIERS, Tier, Wanted, assign, paced};
use self::watch_over::Mood;

const STEP: Duration = Duration::from_secs(1);
const RELOAD_EVERY: Duration = Duration::from_secs(5);
/// Calls under way at once for each app key; their order is that of the limiter's lanes.
const PARALLEL: usize = 4;
/// Longer than one call takes at most, so that the client counts its silence.
const ANSWER_MAX: Duration = Duration::from_secs(8);
/// Silence after which held symbols are asked about while a stream is away (domain 2.4).
const WITHOUT_STREAM: Duration = Duration::from_secs(1);

const FOLLOWED: &str = "SELECT symbol, rank, score FROM trade.followed";

/// Section `[quotes]` of the configuration.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct QuotesConfig {
    /// Whether the broker is asked for prices that its stream does not bring.
    pub(crate) rest: bool,
    /// Silence after which a held symbol is asked about (tier 0).
    #[serde(with = "humantime_serde")]
    pub(crate) held_after: Duration,
    /// Silence after which a watched symbol is asked about (tier 1).
    #[serde(with = "humantime_serde")]
    pub(crate) watched_after: Duration,
    /// Silence after which a symbol of the market as a whole is asked about (tier 2).
    #[serde(with = "humantime_serde")]
    pub(crate) market_after: Duration,
    /// While no price comes from anywhere, how often is looked whether that is over.
    #[serde(with = "humantime_serde")]
    pub(crate) emergency_look: Duration,
}

impl Default for QuotesConfig {
    /// Intervals of the tiers in domain 2.3.
    fn default() -> Self {
        Self {
            rest: true,
            held_after: Duration::from_secs(3),
            watched_after: Duration::from_secs(10),
            market_after: Duration::from_secs(30),
            emergency_look: Duration::from_secs(300), // Domain 2.4.
        }
    }
}

impl QuotesConfig {
    /// Returns what is wrong, each with its key path.
    pub(crate) fn validate(&self) -> Vec<String> {
        let times = [
            ("held_after", self.held_after),
            ("watched_after", self.watched_after),
            ("market_after", self.market_after),
            ("emergency_look", self.emergency_look),
        ];
        let faulty = times.iter().filter(|(_key, time)| time.is_zero());
        faulty
            .map(|(key, _time)| format!("quotes.{key}: time above zero expected"))
            .collect()
    }
}

/// A price that was asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Quote {
    pub(super) symbol: Symbol,
    pub(super) last: Price,
    pub(super) source: Source,
    pub(super) received_us: u64,
    pub(super) day_volume: i64,
    pub(super) day_value_won: i64,
    pub(super) change_units: i64,
    pub(super) change_rate_units: i64,
}

impl Quote {
    /// Returns what the rules of the best price need of it.
    pub(super) fn priced(&self) -> price::Quote {
        price::Quote {
            symbol: self.symbol,
            source: self.source,
            last: self.last,
            received: LogicalTime::from_micros(self.received_us),
        }
    }
}

/// Asks for prices.
pub(super) struct Quotes {
    pub(super) config: QuotesConfig,
    pub(super) postgres: Postgres,
    /// One for each app key, that of the account first.
    pub(super) clients: Vec<KisClient>,
    pub(super) naver: Option<NaverClient>,
    pub(super) seen: Seen,
    pub(super) clock: Clock,
    pub(super) session: Arc<dyn SessionSource>,
    pub(super) alarms: Alarms,
    /// The broker's streams.
    pub(super) standing: watch::Receiver<Standing>,
    /// Whether there is an outage of the broker.
    pub(super) is_down: watch::Receiver<bool>,
    /// Until when Naver is not believed.
    pub(super) naver_off_until: watch::Receiver<u64>,
    pub(super) quotes: mpsc::Sender<Quote>,
}

/// What is followed, held symbols first.
type Followed = Vec<(Symbol, Tier)>;

/// What is silent, and how often it is asked about.
struct Pace {
    silent: Followed,
    /// How many of each tier.
    counts: [usize; TIERS],
    /// Silence after which each tier is asked about.
    intervals: [Duration; TIERS],
    /// The same, as the calls allow.
    paced: [Duration; TIERS],
}

/// When the broker was last asked about each symbol, microseconds since the epoch.
type Asked = BTreeMap<Symbol, u64>;

impl Quotes {
    /// Asks until `stop`.
    pub(super) async fn run(self, stop: CancellationToken) {
        let wanted = watch::Sender::new(Vec::new());
        let mood = watch::Sender::new(Mood::default());
        // None waits for another: a broker that is slow to answer does not hold up Naver.
        let asking = async {
            tokio::join!(
                self.keep_wanted(&wanted),
                self.keep_watch(wanted.subscribe(), &mood),
                self.keep_asking_broker(wanted.subscribe(), mood.subscribe()),
                self.keep_asking_naver(wanted.subscribe(), mood.subscribe()),
                self.keep_showing(wanted.subscribe()),
            )
        };
        stop.run_until_cancelled(asking).await;
    }

    async fn keep_wanted(&self, wanted: &watch::Sender<Vec<Wanted>>) {
        loop {
            match self.wanted().await {
                Ok(symbols) => drop(wanted.send_replace(symbols)),
                Err(error) => debug!(%error, "what is followed cannot be read"),
            }
            tokio::time::sleep(RELOAD_EVERY).await;
        }
    }

    async fn keep_asking_broker(
        &self,
        wanted: watch::Receiver<Vec<Wanted>>,
        mood: watch::Receiver<Mood>,
    ) {
        if !self.config.rest {
            return;
        }
        let mut asked = Asked::new();
        loop {
            let mood = *mood.borrow();
            let followed = assign(&wanted.borrow(), mood.is_throttled);
            // What is due beyond one round goes on at once; the limiter sets the pace.
            if !self.may_ask()
                || *self.is_down.borrow()
                || !self.ask_broker(&followed, mood, &mut asked).await
            {
                tokio::time::sleep(STEP).await;
            }
        }
    }

    fn may_ask(&self) -> bool {
        let is_open = self.session.market().is_open();
        self.seen.note_session(is_open, (self.clock)());
        is_open
    }

    async fn wanted(&self) -> anyhow::Result<Vec<Wanted>> {
        let client = self.postgres.client().await?;
        let rows = client.query(FOLLOWED, &[]).await?;
        let read = |row: &tokio_postgres::Row| {
            Ok(Wanted {
                symbol: row.try_get::<_, &str>(0)?.parse()?,
                rank: row.try_get(1)?,
                score: row.try_get(2)?,
            })
        };
        rows.iter().map(read).collect()
    }

    /// Returns the silence after which each tier is asked about.
    fn intervals(&self, mood: Mood) -> [Duration; TIERS] {
        let QuotesConfig {
            held_after,
            watched_after,
            market_after,
            ..
        } = self.config;
        if mood.is_emergency {
            return [WITHOUT_STREAM; TIERS]; // Everything is tier 0 now (domain 2.4).
        }
        let held = match self.standing.borrow().is_whole() {
            true => held_after,
            false => WITHOUT_STREAM,
        };
        let market = match mood.is_throttled {
            true => market_after * 2,
            false => market_after,
        };
        [held, watched_after, market]
    }

    /// Returns what is silent for the interval of its tier, and how often it is asked about.
    fn pace(&self, followed: &Followed, mood: Mood, now_us: u64) -> Pace {
        let intervals = self.intervals(mood);
        let is_silent = |(symbol, tier): &&(Symbol, Tier)| {
            self.seen
                .is_silent(*symbol, now_us, intervals[tier.index()])
        };
        let silent: Followed = followed.iter().filter(is_silent).copied().collect();
        let mut counts = [0; TIERS];
        for (_symbol, tier) in &silent {
            counts[tier.index()] += 1;
        }
        Pace {
            silent,
            intervals,
            counts,
            paced: paced(counts, intervals, mood.budget()),
        }
    }

    /// Asks the broker about symbols that have been silent too long. Returns whether more are due.
    async fn ask_broker(&self, followed: &Followed, mood: Mood, asked: &mut Asked) -> bool {
        let now_us = (self.clock)();
        let Pace {
            silent,
            intervals,
            paced,
            ..
        } = self.pace(followed, mood, now_us);
        let last_asked = |symbol: &Symbol| asked.get(symbol).copied().unwrap_or_default();
        let mut due: Vec<(Lane, u64, Symbol, Tier)> = silent
            .into_iter()
            .map(|(symbol, tier)| (tier.lane(), last_asked(&symbol), symbol, tier))
            .filter(|(_lane, last, _symbol, tier)| !is_within(now_us, *last, paced[tier.index()]))
            .collect();
        due.sort_unstable();
        let parallel = PARALLEL * self.clients.len();
        let is_more_due = due.len() > parallel;
        due.truncate(parallel);
        for (_lane, last, symbol, tier) in &due {
            let since_us = self.seen.last_us(*symbol).max(*last);
            let waited = Duration::from_micros(now_us.saturating_sub(since_us));
            histogram!("price_sync_ask_lateness_seconds", "tier" => tier.label())
                .record(waited.saturating_sub(intervals[tier.index()]));
        }
        asked.extend(due.iter().map(|(_, _, symbol, _)| (*symbol, now_us)));
        let asking = due.into_iter();
        join_all(asking.map(|(lane, _, symbol, _)| self.ask_price(symbol, lane))).await;
        is_more_due
    }

    /// Asks with the app key that has least else to do; where it fails, with the next one: a key that is
    /// wrong costs its calls, not the price.
    async fn ask_price(&self, symbol: Symbol, lane: Lane) {
        let mut clients: Vec<&KisClient> = self.clients.iter().rev().collect();
        clients.sort_by_key(|client| client.backlog(lane));
        for client in clients {
            match timeout(ANSWER_MAX, client.price(symbol, lane)).await {
                Ok(Ok(price)) => return self.take_price(symbol, &price).await,
                // Another key would hear the same.
                Ok(Err(error @ KisError::Rejected { .. })) => {
                    return debug!(%symbol, %error, "no price");
                }
                Ok(Err(error)) => debug!(%symbol, %error, "no price"),
                Err(_) => debug!(%symbol, "no price in time"),
            }
        }
    }

    async fn take_price(&self, symbol: Symbol, price: &PriceSnapshot) {
        // Nothing trades: what stands grows old, and exits hold. Naver could say no more.
        if price.halted || price.cumulative_volume.is_zero() {
            self.seen.note(symbol, price.received_us);
            return;
        }
        self.hand_over(Quote {
            symbol,
            last: price.last,
            source: Source::KisRest,
            received_us: price.received_us,
            day_volume: price.cumulative_volume.shares(),
            day_value_won: price.cumulative_value_won,
            change_units: price.change_units,
            change_rate_units: price.change_rate_units,
        })
        .await;
    }

    /// The sequencer takes quotes until it stops.
    async fn hand_over(&self, quote: Quote) {
        counter!("price_sync_quotes_total", "source" => quote.source.name()).increment(1);
        if self.quotes.send(quote).await.is_err() {
            debug!(symbol = %quote.symbol, "a price came after the end");
        }
    }
}
