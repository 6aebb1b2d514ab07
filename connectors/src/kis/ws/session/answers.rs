//! Answers of the broker, and what the registrations come to by them.

use std::collections::BTreeSet;

use metrics::gauge;
use tokio::time::Instant;
use tracing::{info, warn};

use super::{End, Session};
use crate::kis::error::Malformed;
use crate::kis::metrics::REGISTRATIONS;
use crate::kis::notices::StreamKey;
use crate::kis::tr;
use crate::kis::ws::KisEvent;
use crate::kis::ws::control::Answer;
use crate::kis::ws::registrations::{Fact, Key};
use crate::kis::ws::task::Status;

impl Session<'_> {
    pub(super) async fn on_answer(&mut self, answer: Answer, received_us: u64) -> Result<(), End> {
        let Answer { code, message, .. } = &answer;
        match code.as_str() {
            "OPSP8996" => return Err(End::InUse(format!("{code}: {message}"))),
            // The session itself is refused: approval key, app key, customer type, header.
            "OPSP0010" | "OPSP0011" | "OPSP8997" | "OPSP8998" | "OPSP9994" | "OPSP9996"
            | "OPSP9997" | "OPSP9998" => {
                return Err(End::Lost(format!("refused with {code}: {message}")));
            }
            _ => {}
        }
        if !std::mem::replace(&mut self.is_open, true) {
            info!(session = self.shared.report.session + 1, "session open");
        }
        let Some(key) = self.key_of(&answer) else {
            let tr_id: String = answer.tr_id.chars().take(16).collect();
            let reason = format!("{code} ({message}) about the unknown registration {tr_id:?}");
            let fault = Malformed::new("answer", reason);
            return self.fault(received_us, fault).await;
        };
        if let Some((stream_key, iv)) = &answer.key {
            match StreamKey::new(stream_key, iv) {
                Ok(stream_key) => {
                    self.keys.insert(answer.tr_id.clone(), stream_key);
                }
                Err(fault) => self.fault(received_us, fault).await?,
            }
        }
        let now = Instant::now();
        self.registrations
            .answer(key, answer.is_success, code, message, now);
        self.tell_facts().await
    }

    /// Tells what the registrations have come to.
    pub(super) async fn tell_facts(&mut self) -> Result<(), End> {
        for fact in self.registrations.take_facts() {
            let event = match fact {
                Fact::Subscribed(Key::Trades(symbol))
                | Fact::Unsubscribed(Key::Trades(symbol))
                | Fact::Refused {
                    key: Key::Trades(symbol),
                    ..
                } if self.is_canary(symbol) => continue,
                Fact::Subscribed(Key::Notices) if self.lacks_notice_key() => {
                    // "Already subscribed" brings no key. Leaving and coming back does.
                    self.renewed = true;
                    self.registrations.renew(Key::Notices, Instant::now());
                    continue;
                }
                Fact::Subscribed(Key::Notices) => {
                    info!("execution notices subscribed");
                    KisEvent::NoticesSubscribed
                }
                Fact::Subscribed(Key::Trades(symbol)) => KisEvent::Subscribed(symbol),
                Fact::Unsubscribed(Key::Trades(symbol)) => KisEvent::Unsubscribed(symbol),
                Fact::Unsubscribed(Key::Notices) => continue,
                Fact::Refused { key, code, message } => match key {
                    Key::Trades(symbol) => KisEvent::SubscriptionRefused {
                        symbol,
                        code,
                        message,
                    },
                    Key::Notices => {
                        warn!(code, message, "execution notices refused, trying again");
                        continue;
                    }
                },
                Fact::LimitLearned(registrations) => {
                    info!(registrations, "the session takes so many registrations");
                    KisEvent::LimitLearned { registrations }
                }
            };
            let now_us = (self.shared.clock)();
            self.shared.outbox.push(now_us, event).await?;
        }
        self.gauge_registrations(self.registrations.active());
        let report = &self.shared.report;
        report.tell(Status {
            is_open: self.is_open,
            limit: self.registrations.limit(),
            held: match report.is_shared() {
                true => {
                    let held = self.registrations.held().into_iter();
                    held.filter(|symbol| !self.is_canary(*symbol)).collect()
                }
                false => BTreeSet::new(), // Nobody else could have them.
            },
        });
        Ok(())
    }

    pub(super) fn gauge_registrations(&self, active: usize) {
        let session = (self.shared.report.session + 1).to_string();
        let active = u32::try_from(active).unwrap_or(u32::MAX);
        gauge!(REGISTRATIONS, "session" => session).set(f64::from(active));
    }

    fn lacks_notice_key(&self) -> bool {
        !self.renewed && !self.keys.contains_key(tr::notices(self.environment()))
    }

    fn key_of(&self, answer: &Answer) -> Option<Key> {
        if answer.tr_id == tr::notices(self.environment()) {
            Some(Key::Notices)
        } else if answer.tr_id == tr::TRADES {
            answer.tr_key.parse().ok().map(Key::Trades)
        } else {
            None
        }
    }
}
