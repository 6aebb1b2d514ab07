//! The days before today: bars of what is followed, and what this session needs to know of them.
//!
//! Once for each session, and for each symbol that comes to be followed during it. What the broker
//! does not answer now is asked again; the other symbols do not wait for it.

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
use tracing::{info, warn};
use turnstile_connectors::bars::{BarSource, refresh, store};
use turnstile_connectors::execution::{Calendar, SessionSource};
use turnstile_connectors::kis::{DailyBar, KisClient, Lane, PriceAdjustment};
use turnstile_connectors::postgres::Postgres;
use turnstile_connectors::recorded::DailyRow;
use turnstile_dataflows::model::Symbol;

const LOOK_EVERY: Duration = Duration::from_secs(30);
/// Days of the calendar that are asked for: some hundred sessions, one call of the broker.
const ASKED_DAYS: i32 = 145;
/// A missing answer is no reason to ask all day.
const ATTEMPTS_MAX: u32 = 5;

/// Symbols that are followed and have no bar of `$1`.
const MISSING: &str = "SELECT DISTINCT symbol FROM (
        SELECT symbol FROM trade.positions WHERE status <> 'CLOSED'
        UNION ALL
        SELECT symbol FROM trade.reentry_candidates
            WHERE state NOT IN ('ENTERED', 'EXPIRED', 'BLOCKED')
        UNION ALL
        SELECT symbol FROM strategy.watchlist
    ) followed JOIN market.stocks USING (symbol)
    WHERE NOT EXISTS (SELECT FROM market.daily_bars b
        WHERE b.symbol = followed.symbol AND b.trade_date = $1::text::date)";

/// Keeps bars and contexts up to date.
pub(super) struct Days {
    pub(super) postgres: Postgres,
    pub(super) client: KisClient,
    pub(super) session: Arc<dyn SessionSource>,
    pub(super) calendar: Calendar,
    /// Whether days without trading exist: the simulator may trade on any.
    pub(super) has_closed_days: bool,
}

/// What was done for a session.
struct Done {
    session: Date,
    attempts: BTreeMap<Symbol, u32>,
    is_refreshed: bool,
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
            if self.has_closed_days && !self.calendar.is_trading_day(today) {
                continue;
            }
            let done = match &mut done {
                Some(done) if done.session == today => done,
                other => other.insert(Done {
                    session: today,
                    attempts: BTreeMap::new(),
                    is_refreshed: false,
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
        let before = self.calendar.trading_day_before(done.session);
        let missing = self.missing(before, done).await?;
        let mut stored = 0;
        for symbol in &missing {
            *done.attempts.entry(*symbol).or_default() += 1;
            stored += self.collect(*symbol, before).await?;
        }
        if stored > 0 || !done.is_refreshed {
            let refreshed = refresh(&self.postgres, done.session, before).await?;
            done.is_refreshed = true;
            counter!("daily_bars_stored_total").increment(stored);
            info!(
                session = %done.session, %before, bars = stored,
                changed = refreshed.changed, dropped = refreshed.dropped,
                "volatility and last closes are those of this session"
            );
        }
        Ok(())
    }

    async fn missing(&self, before: Date, done: &Done) -> anyhow::Result<Vec<Symbol>> {
        let client = self.postgres.client().await?;
        let rows = client.query(MISSING, &[&before.to_string()]).await;
        let rows = rows.context("what is followed cannot be read")?;
        let symbols = rows.iter().map(|row| row.get::<_, &str>(0).parse());
        let symbols = symbols.collect::<Result<Vec<Symbol>, _>>()?;
        let is_due =
            |symbol: &Symbol| done.attempts.get(symbol).copied().unwrap_or_default() < ATTEMPTS_MAX;
        Ok(symbols.into_iter().filter(is_due).collect())
    }

    /// Asks the broker for bars up to `before` and stores them. Returns how many were new. What it
    /// does not answer is told once and tried again.
    async fn collect(&self, symbol: Symbol, before: Date) -> anyhow::Result<u64> {
        let from = before.saturating_sub(Span::new().days(ASKED_DAYS));
        let adjusted = PriceAdjustment::Adjusted;
        let asked = self
            .client
            .daily_bars(symbol, from, before, adjusted, Lane::Tier2);
        let bars = match asked.await {
            Ok(bars) => bars.bars,
            Err(error) => {
                warn!(%symbol, %error, "no daily bars");
                return Ok(0);
            }
        };
        let rows: Vec<DailyRow> = bars.iter().map(|bar| row(symbol, bar)).collect();
        if rows.is_empty() {
            return Ok(0);
        }
        let client = self.postgres.connect_alone().await?;
        Ok(store(&client, &rows, BarSource::Kis).await?)
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
