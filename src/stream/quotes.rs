//! Prices that are asked for: of the broker where its stream is silent, of Naver where the broker is.
//!
//! ```text
//! silent for      ─ held 3 s, watched 10 s (1 s without the stream) ─> KIS REST ─┐
//! longer than ... ─ held and watched 10 s (at once in an outage) ────> Naver ────┴─> sequencer
//! ```
//!
//! 1. A symbol that trades is not asked about. One that does not is confirmed, so that a quiet price is
//!    not taken for a stale one.
//! 2. Only while the exchange takes orders, and only what has traded today: the last price of another
//!    day is no tick of this one.
//! 3. Held symbols come first, then those that were asked about longest ago: one without an answer
//!    keeps nobody from his turn.
//! 4. An error is not an empty list: the symbols of before stay.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use metrics::counter;
use serde::Deserialize;
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};
use turnstile_connectors::execution::SessionSource;
use turnstile_connectors::kis::{Clock, KisClient, Lane};
use turnstile_connectors::naver::{CallOutcome, NaverClient, NaverHealth, QuoteSession};
use turnstile_connectors::postgres::Postgres;
use turnstile_dataflows::model::{LogicalTime, Price, Symbol};
use turnstile_dataflows::price::{self, Source};

const STEP: Duration = Duration::from_secs(1);
const RELOAD_EVERY: Duration = Duration::from_secs(5);
/// Calls under way at once; their order is that of the limiter's lanes.
const PARALLEL: usize = 4;
/// Longer than one call takes at most, so that the client counts its silence.
const ANSWER_MAX: Duration = Duration::from_secs(8);
/// Silence after which held symbols are asked about while the stream is away (domain 2.4).
const WITHOUT_STREAM: Duration = Duration::from_secs(1);
/// Silence of stream and broker after which Naver is asked (domain 2.4).
const NAVER_AFTER: Duration = Duration::from_secs(10);

const FOLLOWED: &str =
    "SELECT symbol, rank <= 1 AS is_held FROM trade.followed ORDER BY rank, symbol";

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
}

impl Default for QuotesConfig {
    /// Intervals of the tiers in domain 2.3.
    fn default() -> Self {
        Self {
            rest: true,
            held_after: Duration::from_secs(3),
            watched_after: Duration::from_secs(10),
        }
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

/// When each symbol was last seen, by any source; at first, when the session opened or this process
/// began to look.
#[derive(Clone, Default)]
pub(super) struct Seen {
    state: Arc<Mutex<Looked>>,
}

#[derive(Default)]
struct Looked {
    is_open: bool,
    begun_us: u64,
    last: BTreeMap<Symbol, u64>,
}

impl Seen {
    pub(super) fn note(&self, symbol: Symbol, received_us: u64) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let last = state.last.entry(symbol).or_default();
        *last = received_us.max(*last);
    }

    /// Notes whether the exchange takes orders: silence before the opening is none.
    fn note_session(&self, is_open: bool, now_us: u64) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if is_open && !state.is_open {
            state.begun_us = now_us;
        }
        state.is_open = is_open;
    }

    fn is_silent(&self, symbol: Symbol, now_us: u64, than: Duration) -> bool {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let last = state.last.get(&symbol).copied().unwrap_or_default();
        !is_within(now_us, last.max(state.begun_us), than)
    }
}

/// Asks for prices.
pub(super) struct Quotes {
    pub(super) config: QuotesConfig,
    pub(super) postgres: Postgres,
    pub(super) client: KisClient,
    pub(super) naver: Option<NaverClient>,
    pub(super) seen: Seen,
    pub(super) clock: Clock,
    /// Whether the exchange takes orders.
    pub(super) session: Arc<dyn SessionSource>,
    /// Whether the broker's stream is connected.
    pub(super) connected: watch::Receiver<bool>,
    /// Whether the broker is away altogether.
    pub(super) is_down: watch::Receiver<bool>,
    /// Until when Naver is not believed, microseconds since the epoch.
    pub(super) naver_off_until: watch::Receiver<u64>,
    pub(super) quotes: mpsc::Sender<Quote>,
}

/// What is followed, held symbols first, and whether they are held.
type Followed = Vec<(Symbol, bool)>;

/// When the broker was last asked about each symbol, microseconds since the epoch.
type Asked = BTreeMap<Symbol, u64>;

impl Quotes {
    /// Asks until `stop`.
    pub(super) async fn run(self, stop: CancellationToken) {
        let followed = watch::Sender::new(Followed::new());
        // None waits for another: a broker that is slow to answer does not hold up Naver.
        let asking = async {
            tokio::join!(
                self.keep_followed(&followed),
                self.keep_asking_broker(followed.subscribe()),
                self.keep_asking_naver(followed.subscribe()),
            )
        };
        stop.run_until_cancelled(asking).await;
    }

    async fn keep_followed(&self, followed: &watch::Sender<Followed>) {
        loop {
            match self.followed().await {
                Ok(symbols) => drop(followed.send_replace(symbols)),
                Err(error) => debug!(%error, "what is followed cannot be read"),
            }
            tokio::time::sleep(RELOAD_EVERY).await;
        }
    }

    async fn keep_asking_broker(&self, followed: watch::Receiver<Followed>) {
        if !self.config.rest {
            return;
        }
        let mut asked = Asked::new();
        loop {
            let followed = followed.borrow().clone();
            // What is due beyond one round goes on at once; the limiter sets the pace.
            if !self.may_ask()
                || *self.is_down.borrow()
                || !self.ask_broker(&followed, &mut asked).await
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

    async fn keep_asking_naver(&self, followed: watch::Receiver<Followed>) {
        let Some(naver) = &self.naver else { return };
        let mut health = NaverHealth::default();
        let mut is_down = self.is_down.clone();
        loop {
            let followed = followed.borrow().clone();
            let pause = self.ask_naver(naver, &followed, &mut health).await;
            // An outage that begins does not wait for the next round.
            drop(timeout(pause, is_down.changed()).await);
        }
    }

    async fn followed(&self) -> anyhow::Result<Followed> {
        let client = self.postgres.client().await?;
        let rows = client.query(FOLLOWED, &[]).await?;
        let read = |row: &tokio_postgres::Row| {
            let symbol: Symbol = row.try_get::<_, &str>(0)?.parse()?;
            Ok((symbol, row.try_get(1)?))
        };
        rows.iter().map(read).collect()
    }

    /// Asks the broker about symbols that have been silent too long. Returns whether more are due.
    async fn ask_broker(&self, followed: &Followed, asked: &mut Asked) -> bool {
        let now_us = (self.clock)();
        let is_streaming = *self.connected.borrow();
        let mut due = Vec::new();
        for (symbol, is_held) in followed {
            let (after, lane) = match (is_held, is_streaming) {
                (true, true) => (self.config.held_after, Lane::Tier0),
                (true, false) => (WITHOUT_STREAM, Lane::Tier0),
                (false, _) => (self.config.watched_after, Lane::Tier1),
            };
            let last = asked.get(symbol).copied().unwrap_or_default();
            let is_asked = is_within(now_us, last, after);
            if !is_asked && self.seen.is_silent(*symbol, now_us, after) {
                due.push((lane, last, *symbol));
            }
        }
        due.sort_unstable();
        let is_more_due = due.len() > PARALLEL;
        due.truncate(PARALLEL);
        asked.extend(due.iter().map(|(_lane, _last, symbol)| (*symbol, now_us)));
        let asking = due.into_iter();
        join_all(asking.map(|(lane, _last, symbol)| self.ask_price(symbol, lane))).await;
        is_more_due
    }

    async fn ask_price(&self, symbol: Symbol, lane: Lane) {
        let price = match timeout(ANSWER_MAX, self.client.price(symbol, lane)).await {
            Ok(Ok(price)) => price,
            Ok(Err(error)) => return debug!(%symbol, %error, "no price"),
            Err(_) => return debug!(%symbol, "no price in time"),
        };
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

    /// Asks Naver about symbols that nobody else has told of for long, or about all while the broker
    /// is away. Returns how long to leave Naver alone.
    async fn ask_naver(
        &self,
        naver: &NaverClient,
        followed: &Followed,
        health: &mut NaverHealth,
    ) -> Duration {
        if !self.may_ask() {
            return STEP;
        }
        let now_us = (self.clock)();
        let is_down = *self.is_down.borrow();
        // The broker has its turn first, and what is watched is not asked of it before it is due.
        let after = |is_held: bool| match (is_down, is_held) {
            (true, _) => Duration::ZERO,
            (false, true) => NAVER_AFTER,
            (false, false) => NAVER_AFTER + self.config.watched_after,
        };
        let due: Vec<Symbol> = followed
            .iter()
            .filter(|(symbol, is_held)| self.seen.is_silent(*symbol, now_us, after(*is_held)))
            .map(|(symbol, _is_held)| *symbol)
            .collect();
        if due.is_empty() {
            return STEP;
        }
        if now_us < *self.naver_off_until.borrow() {
            debug!("Naver is not believed");
            return STEP;
        }
        if let Some(disabled) = health.disabled(now_us) {
            debug!(%disabled, "Naver is left alone");
            return STEP;
        }
        let mut interval = naver.config().round_interval(None);
        for group in naver.groups(&due) {
            let answer = naver.quotes(group).await;
            health.record((self.clock)(), CallOutcome::of(&answer));
            let answer = match answer {
                Ok(answer) => answer,
                Err(error) => {
                    warn!(%error, "no prices of Naver");
                    break;
                }
            };
            interval = naver.config().round_interval(answer.polling_interval);
            for quote in answer.quotes {
                // Only the regular session is a price that exits are judged on.
                if quote.session != QuoteSession::Regular || quote.volume_of_day.is_zero() {
                    continue;
                }
                self.hand_over(Quote {
                    symbol: quote.symbol,
                    last: quote.price,
                    source: Source::Naver,
                    received_us: quote.received_us,
                    day_volume: quote.volume_of_day.shares(),
                    day_value_won: quote.value_of_day_won,
                    change_units: quote.change_units,
                    change_rate_units: quote.change_rate_units,
                })
                .await;
            }
        }
        interval
    }
}

fn is_within(now_us: u64, then_us: u64, span: Duration) -> bool {
    u128::from(now_us.saturating_sub(then_us)) < span.as_micros()
}
