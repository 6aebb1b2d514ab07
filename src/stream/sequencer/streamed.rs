//! What the broker's streams say.

use tracing::{debug, info, warn};
use turnstile_connectors::execution::{BrokerEvent, broker_event};
use turnstile_connectors::kis::{KisEvent, Stamped, Standing};
use turnstile_connectors::monitoring::metrics::WS_CONNECTED;
use turnstile_dataflows::engine::Change;

use super::Sequencer;

impl Sequencer {
    /// Takes in how many symbols can be streamed: a limit that was learned ends with its session.
    pub(super) async fn take_standing(&mut self) -> bool {
        let Standing {
            open,
            sessions,
            slots,
        } = *self.standing.borrow_and_update();
        let before = std::mem::replace(&mut self.open, open);
        if open < before {
            warn!(open, sessions, "broker stream lost, connecting again");
        } else if open > before {
            info!(open, sessions, "broker stream connected");
        }
        metrics::gauge!(WS_CONNECTED).set(f64::from(u8::from(open > 0)));
        let away = u32::try_from(sessions - open).unwrap_or(u32::MAX);
        metrics::gauge!("price_sync_ws_sessions_away").set(f64::from(away));
        let slots = slots.min(self.slots_max);
        if std::mem::replace(&mut self.slots, slots) == slots {
            return true;
        }
        self.take_wishes(vec![Change::Slots(slots)]).await
    }

    pub(super) async fn take_broker(&mut self, stamped: Stamped) -> bool {
        if let Some(event) = broker_event(&stamped.event) {
            if event == BrokerEvent::Reconnected {
                self.poll.ask();
            }
            return self.tell(event).await;
        }
        match stamped.event {
            KisEvent::Trades(trades) => {
                metrics::counter!("price_sync_ticks_total", "source" => "KIS_WS")
                    .increment(u64::try_from(trades.len()).unwrap_or_default());
                self.show_lag(trades.first());
                for trade in &trades {
                    if !self.take_trade(trade).await {
                        return false;
                    }
                }
            }
            KisEvent::Subscribed(symbol) => {
                self.awaited.remove(&symbol);
                self.tell_subscribed();
            }
            // The stream has told and counted what does not read as documented.
            KisEvent::Malformed { .. }
            | KisEvent::Unsubscribed(_)
            | KisEvent::Notice(_)
            | KisEvent::NoticesSubscribed
            | KisEvent::Connected => {}
            KisEvent::Disconnected { reason } => {
                debug!(%reason, "a session was lost");
            }
            KisEvent::SubscriptionRefused {
                symbol,
                code,
                message,
            } => {
                warn!(%symbol, %code, %message, "subscription refused");
                self.awaited.remove(&symbol);
                self.tell_subscribed();
            }
            KisEvent::LimitLearned { registrations } => {
                if registrations >= self.registrations_max {
                    info!(registrations, "as many are tried again as are configured");
                } else {
                    warn!(
                        registrations,
                        "the broker takes fewer registrations than configured"
                    );
                }
            }
        }
        true
    }

    /// Hands a notice on. One that nobody takes before the database is given up is left.
    async fn tell(&mut self, event: BrokerEvent) -> bool {
        let room = self.abandon.run_until_cancelled(self.notices.reserve());
        match (room.await, event) {
            (Some(Ok(room)), event) => {
                room.send(event);
                true
            }
            (None, BrokerEvent::Notice(notice)) => {
                self.left = Some(notice);
                false
            }
            (None, BrokerEvent::Reconnected) | (Some(Err(_)), _) => false,
        }
    }
}
