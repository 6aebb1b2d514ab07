//! Prices on their way into the engine.

use serde_json::json;
use turnstile_connectors::kis::Trade;
use turnstile_connectors::monitoring::metrics::PRICE_LATENCY;
use turnstile_dataflows::engine::Event;
use turnstile_dataflows::model::{Symbol, Tick};
use turnstile_dataflows::price::Taken;

use super::super::events::{send_event, timed};
use super::super::price_rows::{is_trade, price_row, quote_row, settled_row};
use super::super::quotes::Quote;
use super::Sequencer;

impl Sequencer {
    /// Tells where prices begin to grow old by other limits.
    pub(super) async fn begin_session(&mut self) -> bool {
        let session = self.session.of_prices();
        if !self.board.begin(session) {
            return true;
        }
        let time = self.stamp.now();
        self.note(time, "session", json!({"session": session.name()}))
            .await;
        send_event(&self.events, timed(time, Event::Session(session))).await
    }

    /// Shows how old the first trade of a frame is, by the exchange's own clock.
    pub(super) fn show_lag(&self, trade: Option<&Trade>) {
        let Some(trade) = trade else { return };
        let lag = trade.time.duration_until(self.session.time());
        // Clocks differ by a little, and trades are told to the second.
        metrics::histogram!(PRICE_LATENCY).record(lag.as_secs_f64().max(0.0));
    }

    pub(super) async fn take_trade(&mut self, trade: &Trade) -> bool {
        let time = self.stamp.at(trade.received_us);
        if !self.prices.send(price_row(trade, time)).await {
            return false;
        }
        if !is_trade(trade) {
            return true;
        }
        self.seen.note(trade.symbol, trade.received_us);
        self.board.tick(trade.symbol, time, trade.last);
        self.risk.price(trade.symbol, trade.last);
        let tick = Tick {
            time,
            symbol: trade.symbol,
            last: trade.last,
            bid: trade.bid,
            volume: u64::try_from(trade.volume.shares()).unwrap_or_default(),
        };
        send_event(&self.events, timed(time, Event::Tick(tick))).await
    }

    /// Takes a price that was asked for: another one is a tick, the same one confirms the last.
    pub(super) async fn take_quote(&mut self, quote: &Quote) -> bool {
        self.seen.note(quote.symbol, quote.received_us);
        if !self.settle(quote.symbol).await {
            return false;
        }
        let time = self.stamp.at(quote.received_us);
        let priced = quote.priced();
        let taken = self.board.take(&priced, time);
        let source = quote.source.name();
        match taken {
            Taken::Tick => {
                self.risk.price(priced.symbol, priced.last);
                metrics::counter!("price_sync_ticks_total", "source" => source).increment(1);
                if !self.prices.send(quote_row(quote, time)).await {
                    return false;
                }
            }
            Taken::Confirmed => {
                // By its receipt the price grows old, and what is old is not judged.
                let last = priced.last.to_decimal().to_string();
                let payload = json!({"symbol": quote.symbol, "source": source, "last": last,
                    "received_us": quote.received_us});
                self.note(time, "confirmed", payload).await;
            }
            Taken::Behind(level) => {
                let level = level.name();
                metrics::counter!("price_sync_behind_total", "source" => source, "level" => level)
                    .increment(1);
                let last = priced.last.to_decimal().to_string();
                let payload = json!({"symbol": quote.symbol, "source": source,
                    "last": last, "level": level});
                self.note(time, "behind", payload).await;
            }
            Taken::Late => {
                metrics::counter!("price_sync_late_total", "source" => source).increment(1);
                return true;
            }
        }
        send_event(&self.events, timed(time, Event::Quote(priced, taken))).await
    }

    /// Lets a price to which the best one has fallen count, where it is another one: a tick of its
    /// source, as old as its receipt.
    pub(super) async fn settle(&mut self, symbol: Symbol) -> bool {
        let Some(fallen) = self.board.settle(symbol, self.stamp.look()) else {
            return true;
        };
        self.risk.price(fallen.symbol, fallen.last);
        let time = self.stamp.now();
        let source = fallen.source.name();
        metrics::counter!("price_sync_ticks_total", "source" => source).increment(1);
        self.prices.send(settled_row(&fallen, time)).await
            && send_event(&self.events, timed(time, Event::Quote(fallen, Taken::Tick))).await
    }
}
