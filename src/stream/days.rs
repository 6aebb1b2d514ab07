//! The days before today: bars of what is followed, and what this session needs to know of them.
//!
//! At the begin of each session, and for each symbol that comes to be followed during it. What the
//! broker does not answer now is asked again, also an hour later; the other symbols do not wait for it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use jiff::Span;
use jiff::civil::Date;
use metrics::counter;
use rust_decimal::Decimal;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};
use turnstile_connectors::bars::{BarSource, refresh, store};
use turnstile_connectors::execution::{SessionSource, SharedCalendar};
use turnstile_connectors::kis::{DailyBar, KisClient, KisError, Lane, PriceAdjustment};
use turnstile_connectors::postgres::Postgres;
use turnstile_connectors::recorded::DailyRow;
use turnstile_dataflows::model::Symbol;

const LOOK_EVERY: Duration = Duration::from_secs(30);
/// Days of the calendar that are asked for: some hundred sessions, one call of the broker.
const ASKED_DAYS: i32 = 145;
/// Answers without the bar that is missed, after which the session goes on without it.
const ANSWERS_MAX: u32 = 5;

/// Symbols that are followed and have no bar of `$1`.
const MISSING: &str = "SELECT symbol FROM trade.followed JOIN market.stocks USING (symbol)
    WHERE NOT EXISTS (SELECT FROM market.daily_bars b
        WHERE b.symbol = followed.symbol AND b.trade_date = $1::text::date)
    ORDER BY rank, symbol";

/// Keeps bars and contexts up to date.
pub(super) struct Days {
    pub(super) postgres: Postgres,
    pub(super) client: KisClient,
    pub(super) session: Arc<dyn SessionSource>,
    pub(super) calendar: SharedCalendar,
    /// Whether days without trading exist: the simulator may trade on any.
    pub(super) has_closed_days: bool,
}

/// What was done for a session.
struct Done {
    session: Date,
    answers: BTreeMap<Symbol, u32>,
    is_refreshed: bool,
    /// Symbols with bars that their contexts do not hold yet.
    stored: Vec<String>,
}

impl Days {
    /// Looks for what is missing until `stop`.
    pub(super) async fn run(self, stop: CancellationToken) {
        let mut done: Option<Done> = None;
        let mut has_failed = false;
        let mut look = tokio::time::interval(LOOK_EVERY);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while stop.run_until_cancelled(look.tick()).await.is_some() {
            let today = self.session.market().date;
            if self.has_closed_days && !self.calendar.now().is_trading_day(today) {
                continue;
            }
            let done = match &mut done {
                Some(done) if done.session == today => done,
                other => other.insert(Done {
                    session: today,
                    answers: BTreeMap::new(),
                    is_refreshed: false,
                    stored: Vec::new(),
                }),
            };
            match stop.run_until_cancelled(self.bring_up(done)).await {
                None => return,
                Some(Ok(())) => has_failed = false,
                Some(Err(error)) if !std::mem::replace(&mut has_failed, true) => {
                    warn!(
                        error = format!("{error:#}"),
                        "daily bars not brought up to date"
                    );
                }
                Some(Err(_)) => {}
            }
        }
    }

    async fn bring_up(&self, done: &mut Done) -> anyhow::Result<()> {
        let before = self.calendar.now().trading_day_before(done.session);
        // First what is there, such as bars of a file.
        if !done.is_refreshed {
            let refreshed = refresh(&self.postgres, done.session, before, None).await?;
            done.is_refreshed = true;
            info!(
                session = %done.session, %before,
                changed = refreshed.changed, dropped = refreshed.dropped,
                "volatility and last closes are those of this session"
            );
        }
        // What an earlier look stored and could not take in comes first.
        self.take_in(done, before).await?;
        for symbol in self.missing(before, done).await? {
            self.collect(symbol, before, done).await?;
            self.take_in(done, before).await?;
        }
        Ok(())
    }

    /// Brings the contexts of symbols with new bars up to date.
    async fn take_in(&self, done: &mut Done, before: Date) -> anyhow::Result<()> {
        if done.stored.is_empty() {
            return Ok(());
        }
        let symbols = Some(done.stored.as_slice());
        refresh(&self.postgres, done.session, before, symbols).await?;
        debug!(session = %done.session, symbols = ?done.stored, "daily bars collected");
        done.stored.clear();
        Ok(())
    }

    async fn missing(&self, before: Date, done: &Done) -> anyhow::Result<Vec<Symbol>> {
        let client = self.postgres.client().await?;
        let rows = client.query(MISSING, &[&before.to_string()]).await;
        let rows = rows.context("what is followed cannot be read")?;
        let read = |row: &tokio_postgres::Row| Ok(row.try_get::<_, &str>(0)?.parse()?);
        let symbols = rows
            .iter()
            .map(read)
            .collect::<anyhow::Result<Vec<Symbol>>>()?;
        let is_due =
            |symbol: &Symbol| done.answers.get(symbol).copied().unwrap_or_default() < ANSWERS_MAX;
        Ok(symbols.into_iter().filter(is_due).collect())
    }

    /// Asks the broker for bars up to `before` and stores them.
    async fn collect(&self, symbol: Symbol, before: Date, done: &mut Done) -> anyhow::Result<()> {
        let from = before.saturating_sub(Span::new().days(ASKED_DAYS));
        let adjusted = PriceAdjustment::Adjusted;
        let asked = self
            .client
            .daily_bars(symbol, from, before, adjusted, Lane::Tier2);
        let bars = match asked.await {
            Ok(bars) => bars.bars,
            Err(error @ KisError::Rejected { .. }) => {
                *done.answers.entry(symbol).or_default() += 1;
                warn!(%symbol, %error, "no daily bars");
                return Ok(());
            }
            Err(error) => {
                debug!(%symbol, %error, "no daily bars");
                return Ok(());
            }
        };
        *done.answers.entry(symbol).or_default() += 1;
        let rows: Vec<DailyRow> = bars.iter().map(|bar| row(symbol, bar)).collect();
        if rows.is_empty() {
            return Ok(());
        }
        let client = self.postgres.client().await?;
        let stored = store(&**client, &rows, BarSource::Kis).await?;
        counter!("daily_bars_stored_total").increment(stored);
        done.stored.push(symbol.to_string());
        Ok(())
    }
}

fn row(symbol: Symbol, bar: &DailyBar) -> DailyRow {
    DailyRow {
        date: bar.date,
        symbol,
        listing: None,
        open: bar.open.to_decimal(),
        high: bar.high.to_decimal(),
        low: bar.low.to_decimal(),
        close: bar.close.to_decimal(),
        volume: bar.volume.shares(),
        value: Decimal::from(bar.value_won),
        market_cap: None,
        shares: None,
    }
}
