//! Prices that the operator waits for (`strategy.watchlist`): the alarm `watch_price` stands while the best
//! price of a symbol is at its alert price or beyond.
//!
//! 1. Prices are compared exactly and inclusively. A stale price says nothing: it raises no alarm.
//! 2. It is over once the price has not been there, as far as anybody knows, for
//!    [`MonitoringConfig::clear_after`](super::MonitoringConfig::clear_after): one that goes to and fro is
//!    one alarm. An alert that is switched off or taken away is over at once.
//! 3. While PostgreSQL is away everything stands as it was.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, timeout};
use tokio_postgres::Row;
use tokio_util::sync::CancellationToken;
use tracing::debug;
use turnstile_dataflows::exit::Side;
use turnstile_dataflows::model::Price;

use super::episodes::{Ends, Episodes, Raise};
use super::hysteresis::{Limits, Standing, Step};
use crate::postgres::{LogLevel, Postgres, PostgresError};

/// Name of the alarm.
const NAME: &str = "watch_price";
const EVERY: Duration = Duration::from_secs(1);
const PATIENCE: Duration = Duration::from_secs(5);

const ALERTS: &str = "SELECT w.symbol, w.category, w.alert_condition, w.alert_price,
        CASE WHEN NOT b.is_stale AND b.fresh_until >= clock_timestamp() THEN b.price END AS price
    FROM strategy.watchlist w LEFT JOIN market.best_prices b USING (symbol)
    WHERE w.alert_enabled";

/// A price that is waited for, and the best price there is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Alert {
    symbol: String,
    /// List of the watchlist on which it stands.
    category: String,
    side: Side,
    price: Price,
    /// None without a fresh one.
    best: Option<Price>,
}

impl Alert {
    /// Returns whether the best price is there; none where nobody knows.
    fn is_reached(&self) -> Option<bool> {
        let best = self.best?;
        Some(match self.side {
            Side::Above => best >= self.price,
            Side::Below => best <= self.price,
        })
    }

    fn key(&self, instance: &str) -> String {
        format!("{NAME}:{}:{}@{instance}", self.category, self.symbol)
    }

    fn raise(&self, instance: &str) -> Raise {
        let side = match self.side {
            Side::Above => "at or above",
            Side::Below => "at or below",
        };
        let best = self.best.map(|best| best.to_string()).unwrap_or_default();
        let number = |price: Price| price.to_decimal().to_f64();
        Raise {
            key: self.key(instance),
            name: NAME.to_owned(),
            subject: Some(self.symbol.clone()),
            level: LogLevel::Warning,
            message: format!("the price {best} is {side} {}", self.price),
            value: self.best.and_then(number),
            limit: number(self.price),
            ends: Ends::WhenCleared,
        }
    }

    /// Says that it is over.
    fn over(&self) -> String {
        match self.best {
            Some(best) => format!("the price is {best} again, {} was waited for", self.price),
            None => format!("there is no fresh price, {} was waited for", self.price),
        }
    }
}

/// Where what is waited for is told. Clones tell the same.
#[derive(Clone, Debug)]
pub struct PriceAlerts(watch::Sender<Option<Vec<Alert>>>);

/// Reads what is waited for, and the prices, until `stop`.
pub async fn watch_prices(postgres: Postgres, alerts: PriceAlerts, stop: CancellationToken) {
    let mut step = tokio::time::interval(EVERY);
    step.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while stop.run_until_cancelled(step.tick()).await.is_some() {
        match timeout(PATIENCE, read(&postgres)).await {
            Ok(Ok(read)) => {
                alerts.0.send_replace(Some(read));
            }
            // The probe tells of PostgreSQL.
            Ok(Err(error)) => debug!(%error, "watched prices not read"),
            Err(_) => debug!("watched prices not read in time"),
        }
    }
}

async fn read(postgres: &Postgres) -> Result<Vec<Alert>, PostgresError> {
    let client = postgres.client().await?;
    let statement = client.prepare_cached(ALERTS).await?;
    let rows = client.query(&statement, &[]).await?;
    let alerts = rows.iter().map(alert);
    alerts.filter_map(Result::transpose).collect()
}

/// Reads a row; none where what is waited for is beyond any price.
fn alert(row: &Row) -> Result<Option<Alert>, PostgresError> {
    let best: Option<Decimal> = row.try_get("price")?;
    let price: Decimal = row.try_get("alert_price")?;
    let Ok(price) = Price::try_from(price) else {
        return Ok(None);
    };
    Ok(Some(Alert {
        symbol: row.try_get("symbol")?,
        category: row.try_get("category")?,
        side: match row.try_get::<_, &str>("alert_condition")? {
            "ABOVE" => Side::Above,
            _ => Side::Below,
        },
        price,
        best: best.and_then(|best| best.try_into().ok()),
    }))
}

/// What follows for an alarm.
#[derive(Debug, PartialEq)]
pub(super) enum Turned {
    /// It stands.
    Stands(Raise),
    /// It is over: its key, and why.
    Over(String, String),
}

/// The alarms of all prices that are waited for.
pub(super) struct WatchedPrices {
    /// None until they were read.
    alerts: watch::Receiver<Option<Vec<Alert>>>,
    instance: String,
    limits: Limits,
    standing: BTreeMap<String, Standing>,
}

impl WatchedPrices {
    /// Returns where alerts are told, and the alarms. Those that stand of an earlier run go on.
    pub(super) fn new(
        instance: &str,
        clear_after: Duration,
        episodes: &Episodes,
    ) -> (PriceAlerts, Self) {
        // Whether a price is there is a value of 1 or 0: it was compared before, exactly.
        let step = Step {
            level: LogLevel::Warning,
            limit: 0.5,
        };
        let limits = Limits {
            steps: [Some(step), None],
            is_below: false,
            margin: 0.0,
            hold: Duration::ZERO,
            clear_after,
        };
        let open = episodes.keys_of(NAME);
        let (sender, alerts) = watch::channel(None);
        let watched = Self {
            alerts,
            instance: instance.to_owned(),
            limits,
            standing: open
                .map(|key| (key.to_owned(), Standing::at(Some(step))))
                .collect(),
        };
        (PriceAlerts(sender), watched)
    }

    /// Looks at what was read last, at `now`.
    pub(super) fn look(&mut self, now: Duration) -> Vec<Turned> {
        let alerts = self.alerts.borrow();
        let Some(alerts) = alerts.as_ref() else {
            return Vec::new();
        };
        let mut turned = Vec::new();
        let mut keys = BTreeSet::new();
        for alert in alerts {
            let key = alert.key(&self.instance);
            let standing = self.standing.entry(key.clone()).or_default();
            let is_reached = alert.is_reached();
            let value = is_reached.map(|is_reached| f64::from(u8::from(is_reached)));
            let has_changed = standing.take(now, value, &self.limits);
            match (standing.step, is_reached) {
                (Some(_), Some(true)) => turned.push(Turned::Stands(alert.raise(&self.instance))),
                (None, _) if has_changed => turned.push(Turned::Over(key.clone(), alert.over())),
                (Some(_) | None, _) => {}
            }
            keys.insert(key);
        }
        let gone = self.standing.extract_if(.., |key, _| !keys.contains(key));
        let stood = gone.filter(|(_key, standing)| standing.step.is_some());
        turned.extend(stood.map(|(key, _standing)| {
            Turned::Over(key, "the price is waited for no more".to_owned())
        }));
        turned
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CLEAR: u64 = 10;

    fn price(text: &str) -> Price {
        text.parse().unwrap()
    }

    fn alert(side: Side, wanted: &str, best: Option<&str>) -> Alert {
        Alert {
            symbol: "005930".to_owned(),
            category: "watch".to_owned(),
            side,
            price: price(wanted),
            best: best.map(price),
        }
    }

    fn watched(open: &[Alert]) -> (PriceAlerts, WatchedPrices) {
        let mut episodes = Episodes::new("stream".to_owned(), Duration::from_secs(300));
        for alert in open {
            episodes.raise(0, alert.raise("stream"));
        }
        WatchedPrices::new("stream", Duration::from_secs(CLEAR), &episodes)
    }

    /// Whether the alarm stands after a look: none where nothing is said.
    fn said(turned: Vec<Turned>) -> Option<bool> {
        assert!(turned.len() <= 1, "{turned:?}");
        let turned = turned.into_iter().next()?;
        Some(matches!(turned, Turned::Stands(_)))
    }

    #[test]
    fn a_price_that_is_reached_exactly_raises_and_one_short_of_it_does_not() {
        use Side::{Above, Below};
        for (side, wanted, best, stands) in [
            (Above, "70000", Some("70000"), Some(true)),
            (Above, "70000", Some("69999.9999"), None),
            (Above, "70000.0001", Some("70000"), None),
            (Below, "70000", Some("70000"), Some(true)),
            (Below, "70000", Some("70000.0001"), None),
            (Below, "70000", None, None),
        ] {
            let (alerts, mut watched) = watched(&[]);
            assert_eq!(watched.look(Duration::ZERO), [], "nothing was read");
            alerts.0.send_replace(Some(vec![alert(side, wanted, best)]));
            let turned = watched.look(Duration::from_secs(1));
            assert_eq!(said(turned), stands, "{side:?} {wanted} {best:?}");
        }
    }

    #[test]
    fn an_alarm_has_symbol_price_and_limit() {
        let raise = alert(Side::Above, "70000.5", Some("70100")).raise("stream");
        assert_eq!(raise.key, "watch_price:watch:005930@stream");
        assert_eq!(raise.subject.as_deref(), Some("005930"));
        assert_eq!(raise.message, "the price 70100 is at or above 70000.5");
        assert_eq!((raise.value, raise.limit), (Some(70_100.0), Some(70_000.5)));
    }

    #[test]
    fn it_is_over_when_the_price_is_back_for_a_while_and_at_once_without_the_alert() {
        let reached = alert(Side::Above, "70000", Some("70000"));
        let (alerts, mut watched) = watched(std::slice::from_ref(&reached));
        let mut at = |second, rows: Option<Vec<Alert>>| {
            if let Some(rows) = rows {
                alerts.0.send_replace(Some(rows));
            }
            said(watched.look(Duration::from_secs(second)))
        };
        let back = || Some(vec![alert(Side::Above, "70000", Some("69999"))]);
        let stale = || Some(vec![alert(Side::Above, "70000", None)]);
        assert_eq!(at(0, None), None, "of an earlier run; nothing is known yet");
        assert_eq!(at(1, back()), None);
        assert_eq!(at(9, Some(vec![reached.clone()])), Some(true), "to and fro");
        assert_eq!(at(10, stale()), None);
        assert_eq!(at(19, None), None);
        assert_eq!(at(20, back()), Some(false));
        assert_eq!(at(21, None), None);
        assert_eq!(at(22, Some(vec![reached])), Some(true));
        assert_eq!(at(23, Some(vec![])), Some(false));
        assert_eq!(at(24, None), None);
    }

    proptest! {
        /// Whatever the course, nothing is raised by a price that is not there, and nothing that is there
        /// is passed over.
        #[test]
        fn what_stands_is_just_what_is_reached(
            course in prop::collection::vec((1_i64..5, 1_i64..5, any::<bool>(), any::<bool>()), 1..60),
        ) {
            let (alerts, mut watched) = watched(&[]);
            for (second, (wanted, best, is_above, is_fresh)) in (0..).zip(course) {
                let side = if is_above { Side::Above } else { Side::Below };
                let won = |won: i64| Price::from_won(won).unwrap();
                let mut row = alert(side, "1", None);
                (row.price, row.best) = (won(wanted), is_fresh.then(|| won(best)));
                alerts.0.send_replace(Some(vec![row]));
                let is_reached = match is_above {
                    true => best >= wanted,
                    false => best <= wanted,
                };
                let stands = said(watched.look(Duration::from_secs(second))) == Some(true);
                prop_assert_eq!(stands, is_fresh && is_reached);
            }
        }
    }
}
