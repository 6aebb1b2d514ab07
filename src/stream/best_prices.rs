//! What follows from the best prices that the engine tells: the table that people read, prices that
//! have fallen to another source, and what is done where Naver and the broker disagree.

use std::collections::BTreeMap;
use std::time::Duration;

use metrics::{counter, gauge};
use serde_json::json;
use tokio::sync::{mpsc, watch};
use tracing::{debug, info};
use turnstile_connectors::execution::{Alarm, Level};
use turnstile_connectors::postgres::BestPriceBoard;
use turnstile_dataflows::model::{LogicalTime, Symbol};
use turnstile_dataflows::price::{Apart, BestPrice, Discrepancy, Source};

use super::alarms;

/// The same discrepancy of a symbol is not told again before (domain 8: alerts are told once a key).
const TOLD_AGAIN_US: u64 = 300_000_000;

/// Takes in best prices.
pub(super) struct BestPrices {
    board: BestPriceBoard,
    /// Symbols whose best price is not that of the stream: it may have to be judged.
    fallen: mpsc::Sender<Symbol>,
    /// Until when Naver is not asked, microseconds; zero where it is.
    distrust: watch::Sender<u64>,
    pause: Duration,
    /// When which level was last told of each symbol.
    told: BTreeMap<(Symbol, Discrepancy), LogicalTime>,
}

impl BestPrices {
    pub(super) fn new(
        board: BestPriceBoard,
        fallen: mpsc::Sender<Symbol>,
        distrust: watch::Sender<u64>,
        pause: Duration,
    ) -> Self {
        Self {
            board,
            fallen,
            distrust,
            pause,
            told: BTreeMap::new(),
        }
    }

    /// Takes in the best price of a symbol as it stands from `time` on. Returns what has to be told.
    pub(super) fn take(&mut self, time: LogicalTime, row: BestPrice) -> Vec<Alarm> {
        self.board.tell(time, row);
        let is_asked = row.best.stale.is_none() && row.best.source != Source::KisWs;
        if is_asked && self.fallen.try_send(row.symbol).is_err() {
            // The next price that is asked for settles it.
            debug!(symbol = %row.symbol, "a price that fell waits for the next one");
        }
        let Some(apart) = row.apart else {
            return Vec::new();
        };
        let is_wrong = apart.level == Discrepancy::High && apart.source == Source::Naver;
        let off = is_wrong
            .then(|| self.leave_naver(time, row.symbol))
            .flatten();
        let told = self.tell_apart(time, &row, apart);
        told.into_iter().chain(off).collect()
    }

    /// Tells a discrepancy, each level of a symbol once in a while.
    fn tell_apart(&mut self, time: LogicalTime, row: &BestPrice, apart: Apart) -> Option<Alarm> {
        let (symbol, best) = (row.symbol, row.best);
        let (source, level) = (apart.source.name(), apart.level.name());
        let is_told = |then: &LogicalTime| time.micros_since(*then) < TOLD_AGAIN_US;
        if self.told.get(&(symbol, apart.level)).is_some_and(is_told) {
            return None;
        }
        self.told.insert((symbol, apart.level), time);
        counter!("price_sync_discrepancies_total", "source" => source, "level" => level)
            .increment(1);
        let message = format!(
            "{symbol}: {} says {}, {source} says {}",
            best.source.name(),
            best.last,
            apart.last
        );
        if apart.level == Discrepancy::Low {
            info!(%symbol, "{message}");
            return None;
        }
        Some(Alarm {
            level: Level::Warning,
            event: "price_discrepancy",
            symbol: Some(symbol.to_string()),
            position: None,
            message,
            context: json!({"level": level, "source": source, "best": best.source.name()}),
        })
    }

    /// Leaves Naver alone for a while (domain 2.2, rule 7).
    fn leave_naver(&mut self, time: LogicalTime, symbol: Symbol) -> Option<Alarm> {
        let pause_us = u64::try_from(self.pause.as_micros()).unwrap_or(u64::MAX);
        let until = time.plus_micros(pause_us);
        let was_left = self.distrust.send_replace(until.micros()) > time.micros();
        gauge!("price_sync_naver_off").set(1.0);
        let pause = self.pause;
        let message = format!("Naver is not asked for {pause:?}: its price of {symbol} is wrong");
        (!was_left).then(|| {
            let context = json!({"until_us": until.micros()});
            alarms::source(Level::Warning, "naver_off", message, context)
        })
    }

    /// Returns to Naver once its time is over.
    pub(super) fn pass(&mut self, now: LogicalTime) -> Option<Alarm> {
        let until_us = *self.distrust.borrow();
        if until_us == 0 || now.micros() < until_us {
            return None;
        }
        self.distrust.send_replace(0);
        gauge!("price_sync_naver_off").set(0.0);
        let message = "Naver is asked again".to_owned();
        let context = json!({"until_us": now.micros()});
        Some(alarms::source(Level::Info, "naver_on", message, context))
    }
}

#[cfg(test)]
mod tests {
    use turnstile_dataflows::model::Price;
    use turnstile_dataflows::price::{Best, Session, Stale};

    use super::*;

    const PAUSE: Duration = Duration::from_secs(60);

    fn at(seconds: u64) -> LogicalTime {
        LogicalTime::from_micros(1_795_482_000_000_000 + seconds * 1_000_000)
    }

    fn row(source: Source, naver_won: Option<i64>) -> BestPrice {
        let won = |won| Price::from_won(won).unwrap();
        BestPrice {
            symbol: "005930".parse().unwrap(),
            best: Best {
                received: at(0),
                last: won(10_000),
                source,
                session: Session::Regular,
                stale: None,
            },
            apart: naver_won.map(|naver| Apart {
                level: Discrepancy::between(won(10_000), won(naver)),
                source: Source::Naver,
                last: won(naver),
            }),
        }
    }

    fn prices() -> (BestPrices, mpsc::Receiver<Symbol>, watch::Receiver<u64>) {
        let (fallen_sender, fallen) = mpsc::channel(1);
        let (distrust, off_until) = watch::channel(0);
        let board = BestPriceBoard::default();
        let prices = BestPrices::new(board, fallen_sender, distrust, PAUSE);
        (prices, fallen, off_until)
    }

    fn events(alarms: impl IntoIterator<Item = Alarm>) -> Vec<&'static str> {
        alarms.into_iter().map(|alarm| alarm.event).collect()
    }

    #[test]
    fn a_high_discrepancy_leaves_naver_alone_until_the_pause_is_over() {
        let (mut prices, _fallen, off_until) = prices();
        let of_naver = |naver| row(Source::KisRest, Some(naver));
        assert_eq!(events(prices.take(at(0), of_naver(10_010))), [""; 0]);
        assert_eq!(
            events(prices.take(at(0), of_naver(10_050))),
            ["price_discrepancy"]
        );
        assert_eq!(*off_until.borrow(), 0);
        let both = ["price_discrepancy", "naver_off"];
        assert_eq!(events(prices.take(at(1), of_naver(9_899))), both);
        assert_eq!(*off_until.borrow(), at(61).micros());
        // Seen again it lasts longer, and is told no more.
        assert_eq!(events(prices.take(at(2), of_naver(9_899))), [""; 0]);
        assert_eq!(events(prices.pass(at(61))), [""; 0]);
        assert_eq!(events(prices.pass(at(62))), ["naver_on"]);
        assert_eq!(*off_until.borrow(), 0);
        assert_eq!(events(prices.pass(at(63))), [""; 0]);
        // It is left alone anew although the discrepancy itself was told before.
        assert_eq!(events(prices.take(at(64), of_naver(9_899))), ["naver_off"]);
    }

    #[test]
    fn a_fresh_price_of_another_source_is_handed_back_to_be_judged() {
        let (mut prices, mut fallen, _off_until) = prices();
        prices.take(at(0), row(Source::KisWs, None));
        assert!(fallen.try_recv().is_err());
        let mut stale = row(Source::KisRest, None);
        stale.best.stale = Some(Stale::AllSources);
        prices.take(at(1), stale);
        assert!(fallen.try_recv().is_err());
        prices.take(at(2), row(Source::KisRest, None));
        assert_eq!(fallen.try_recv().unwrap().to_string(), "005930");
        // Nobody waits where it is full.
        prices.take(at(3), row(Source::KisRest, None));
        prices.take(at(3), row(Source::KisRest, None));
    }
}
