//! The built-in producer of the market regime: once a minute the index funds are judged by their
//! daily bars and their last price; while the exchange is closed, by their last close where there is no
//! price of the day. It says nothing where bars are missing or old, nor where a fund has had no price for
//! five minutes of a session, so that the regime becomes unknown.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use rust_decimal::Decimal;
use serde_json::{Map, Value, json};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use turnstile_connectors::execution::{SessionSource, SharedCalendar};
use turnstile_connectors::kis::Clock;
use turnstile_connectors::postgres::Postgres;
use turnstile_dataflows::model::{Price, Regime};
use turnstile_dataflows::regime::{CLOSES, assess, worst};

const EVERY: Duration = Duration::from_secs(60);
/// How soon it is tried again where nothing could be said.
const AGAIN: Duration = Duration::from_secs(5);
/// Funds on KOSPI 200 and KOSDAQ 150.
const INDICES: [&str; 2] = ["069500", "229200"];

/// Closes before the session, newest first.
const BARS: &str = "SELECT close, trade_date::text FROM market.daily_bars
    WHERE symbol = $1 AND trade_date < $2::text::date ORDER BY trade_date DESC LIMIT $3";
/// The last price since `$2`.
const LAST: &str = "SELECT last_price FROM market.prices
    WHERE symbol = $1 AND session <> 'EXPECTED' AND logical_us > $2
        AND trade_date >= (to_timestamp($2 / 1000000) AT TIME ZONE 'Asia/Seoul')::date
    ORDER BY logical_us DESC LIMIT 1";
const STORE: &str = "INSERT INTO market.regime_snapshots (asof_ts, regime, source, details)
    VALUES (timestamptz 'epoch' + $1::bigint * interval '1 microsecond', $2, 'INDEX_FUNDS', $3)";
const DAY_US: i64 = 24 * 3_600 * 1_000_000;
/// Age beyond which a price tells nothing of an open market: that of a snapshot.
const OPEN_US: i64 = 5 * 60 * 1_000_000;

/// Writes snapshots of the regime.
pub(super) struct Regimes {
    pub(super) postgres: Postgres,
    pub(super) session: Arc<dyn SessionSource>,
    pub(super) calendar: SharedCalendar,
    pub(super) clock: Clock,
}

impl Regimes {
    /// Judges the market once a minute until `stop`.
    pub(super) async fn run(self, stop: CancellationToken) {
        let mut said: Option<Option<Regime>> = None;
        let mut has_failed = false;
        loop {
            let mut pause = AGAIN;
            match stop.run_until_cancelled(self.judge()).await {
                None => return,
                Some(Ok(regime)) => {
                    has_failed = false;
                    if regime.is_some() {
                        pause = EVERY;
                    }
                    if said.replace(regime) != Some(regime) {
                        tell(regime);
                    }
                }
                Some(Err(error)) if !std::mem::replace(&mut has_failed, true) => {
                    let error = format!("{error:#}");
                    warn!(error, "market regime not judged");
                }
                Some(Err(_)) => {}
            }
            let pause = tokio::time::sleep(pause);
            if stop.run_until_cancelled(pause).await.is_none() {
                return;
            }
        }
    }

    /// Stores what the regime is now; none where it cannot be told.
    async fn judge(&self) -> anyhow::Result<Option<Regime>> {
        let market = self.session.market();
        let (session, is_open) = (market.date, market.is_open());
        let before = self.calendar.now().trading_day_before(session).to_string();
        let now_us = i64::try_from((self.clock)())?;
        let client = self.postgres.client().await?;
        let mut found = Vec::new();
        let mut details = Map::new();
        for symbol in INDICES {
            let count = i64::try_from(CLOSES)?;
            let rows = client
                .query(BARS, &[&symbol, &session.to_string(), &count])
                .await
                .context("bars cannot be read")?;
            let newest = rows.first().map(|row| row.try_get::<_, String>(1));
            if newest.transpose()?.is_none_or(|date| date < before) {
                return Ok(None);
            }
            let mut closes = Vec::with_capacity(rows.len());
            for row in rows.iter().rev() {
                closes.push(Price::try_from(row.try_get::<_, Decimal>(0)?)?);
            }
            let since_us = now_us - if is_open { OPEN_US } else { DAY_US };
            let last = client
                .query_opt(LAST, &[&symbol, &since_us])
                .await
                .context("the last price cannot be read")?;
            let last = match last {
                Some(row) => Some(Price::try_from(row.try_get::<_, Decimal>(0)?)?),
                None if is_open => return Ok(None),
                None => closes.last().copied(),
            };
            let Some(judged) = last.and_then(|last| assess(&closes, last)) else {
                return Ok(None);
            };
            found.push(judged.regime);
            details.insert(symbol.to_owned(), json!(judged));
        }
        let regime = worst(found);
        if let Some(regime) = regime {
            let details = Value::Object(details);
            client
                .execute(STORE, &[&now_us, &regime.name(), &details])
                .await
                .context("the snapshot cannot be stored")?;
        }
        Ok(regime)
    }
}

fn tell(regime: Option<Regime>) {
    match regime {
        Some(regime) => info!(%regime, "market regime"),
        None => info!(
            indices = ?INDICES,
            "market regime unknown: daily bars or prices of the index funds are missing"
        ),
    }
}
