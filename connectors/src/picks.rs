//! Picks of other programs in the real process: what counts now is merged, and each symbol is decided once
//! a day.
//!
//! ```text
//! POST /api/v1/picks ─> trade.pick_runs, trade.picks ─ notify, or sweep ─> PickRouter
//!                                                                              │ merge, gates
//!            trade.pick_holds (judged again) <─┬─ one transaction a symbol ────┘
//!            trade.pick_decisions, and with PLACED trade.manual_entries ─> executor ─> risk gate ─> order
//! ```
//!
//! 1. One transaction decides one symbol, under a lock of the account's picks; its row is unique by account,
//!    day and symbol, and its request by action key. Arrivals, sweeps, restarts and second processes thus
//!    decide nothing twice.
//! 2. What is not known holds the pick: session, control, equity, price. Such a gate leaves a row whenever
//!    it is another one than before, and uses the decision of the day up never.
//! 3. A decision is not an order: the executor's risk gate judges the request like every other entry.
//! 4. All times of one decision are those of the database's clock.

mod config;
mod error;
mod facts;
pub mod metrics;
mod runs;
mod store;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use ::metrics::counter;
use serde_json::json;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};
use turnstile_dataflows::model::ActionKey;
use turnstile_dataflows::picks::{Gate, Merged, Refusal, judge, merge};

use self::runs::Arrived;
use self::store::{Judged, Written};
use crate::execution::{Alarm, Alarms, Level, SessionSource};
use crate::postgres::{Listener, Postgres};

pub use config::{PickLimits, PicksConfig};
pub use error::PicksError;

/// Name of the strategy that positions of picks belong to.
pub const STRATEGY: &str = "picks";
/// Channel that the trigger of `trade.pick_runs` notifies.
const CHANNEL: &str = "turnstile_picks";
/// How often picks are judged again whose symbols have just begun to be followed, and for how long.
const PRICE_LOOK_EVERY: Duration = Duration::from_secs(1);
const PRICE_WAIT: Duration = Duration::from_secs(60);
/// Pause after the listener could not connect.
const RECONNECT: Duration = Duration::from_secs(5);

/// What the router needs.
pub struct PickParts {
    /// Where from, and where to.
    pub postgres: Postgres,
    /// Whether the exchange is open.
    pub session: Arc<dyn SessionSource>,
    /// Where alarms are raised.
    pub alarms: Alarms,
    /// What is configured.
    pub config: PicksConfig,
    /// The account, `12345678-01`.
    pub account: String,
}

/// Decides on picks.
pub struct PickRouter {
    parts: PickParts,
    /// Picks that came after their symbol had been decided, as far as they still count: each is counted
    /// once.
    late: BTreeSet<String>,
}

/// What became of the picks that count, in one look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Looked {
    /// Decided now: asked to buy.
    pub placed: usize,
    /// Decided now: not bought today.
    pub refused: usize,
    /// Not decided yet.
    pub held: usize,
    /// Of these, without a fresh price.
    pub without_price: usize,
}

impl PickRouter {
    /// Returns a router that has seen nothing.
    pub fn new(parts: PickParts) -> Self {
        let late = BTreeSet::new();
        Self { parts, late }
    }

    /// Looks when picks arrive, and from time to time, until `stop`.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut listener = Listener::new(&self.parts.postgres, CHANNEL);
        let (mut has_failed, mut awaits_price) = (false, false);
        let mut arrived = Instant::now();
        loop {
            let is_near = awaits_price && arrived.elapsed() < PRICE_WAIT;
            let pause = if is_near {
                PRICE_LOOK_EVERY
            } else {
                self.parts.config.sweep
            };
            let next = timeout(pause, hear(&mut listener));
            match stop.run_until_cancelled(next).await {
                None => return,
                Some(Ok(())) => arrived = Instant::now(),
                Some(Err(_elapsed)) => {}
            }
            match stop.run_until_cancelled(Box::pin(self.look())).await {
                None => return,
                Some(Ok(looked)) => {
                    has_failed = false;
                    awaits_price = looked.without_price > 0;
                }
                Some(Err(error)) => {
                    counter!(metrics::FAILURES).increment(1);
                    if !std::mem::replace(&mut has_failed, true) {
                        let message = format!("picks wait: {error}");
                        self.raise("picks_fail", None, message, json!({}));
                    }
                }
            }
        }
    }

    /// Judges every pick that counts now and is not decided.
    ///
    /// # Errors
    /// If the database does not answer, or a row cannot be used. What was decided before stands; the rest
    /// waits for the next look.
    pub async fn look(&mut self) -> Result<Looked, PicksError> {
        let config = &self.parts.config;
        let client = self.parts.postgres.client().await?;
        let arrived = runs::load(&client).await?;
        let decided = store::decided(&client, &self.parts.account).await?;
        drop(client);
        let list = merge(&config.rules(), arrived.now, &arrived.runs);
        let mut looked = Looked::default();
        let mut late = BTreeSet::new();
        for pick in &list {
            match decided.keys.get(&pick.symbol) {
                None => self.decide(pick, &arrived, &mut looked).await?,
                Some(used) => {
                    let key = key(&decided.day, pick);
                    if key.as_str() != used {
                        late.insert(key.as_str().to_owned());
                    }
                }
            }
        }
        let conflicts = late.difference(&self.late).count();
        counter!(metrics::CONFLICTS).increment(u64::try_from(conflicts).unwrap_or_default());
        self.late = late;
        Ok(looked)
    }

    /// Decides on one pick, or notes what holds it.
    async fn decide(
        &self,
        pick: &Merged,
        arrived: &Arrived,
        looked: &mut Looked,
    ) -> Result<(), PicksError> {
        let PickParts {
            postgres,
            session,
            config,
            account,
            ..
        } = &self.parts;
        let mut client = postgres.client().await?;
        let tx = client.transaction().await?;
        store::lock(&tx, account).await?;
        let closed = session.market().closed;
        let Some(now) = facts::load(&tx, pick, closed, config, account).await? else {
            return Ok(()); // Decided meanwhile, or its producers say something else by now.
        };
        let judged = Judged {
            account,
            mode: config.mode,
            pick,
            key: key(&now.key_day, pick),
            day: &now.day,
            equity: now.equity,
        };
        let written = match judge(&config.limits(), &now.facts) {
            Ok(shares) => store::place(&tx, &judged, shares, now.facts.offer).await?,
            Err(refusal) if refusal.gate.is_transient() => {
                looked.held += 1;
                looked.without_price += usize::from(refusal.gate == Gate::Price);
                store::hold(&tx, &judged, &refusal).await?
            }
            Err(refusal) => store::refuse(&tx, &judged, refusal).await?,
        };
        tx.commit().await?;
        self.tell(&judged, &written, arrived, looked);
        Ok(())
    }

    /// Counts and logs what was written, and tells the operator what he should see.
    fn tell(&self, judged: &Judged<'_>, written: &Written, arrived: &Arrived, looked: &mut Looked) {
        let (symbol, key) = (judged.pick.symbol, &judged.key);
        match written {
            Written::Nothing => return,
            Written::Placed { .. } => {
                looked.placed += 1;
                counter!(metrics::DECISIONS, "decision" => "PLACED").increment(1);
                info!(%symbol, %key, "a pick is to be bought");
            }
            Written::Refused { refusal, .. } => {
                looked.refused += 1;
                counter!(metrics::DECISIONS, "decision" => "REFUSED").increment(1);
                self.reject(judged, refusal, "refused");
            }
            Written::Held { refusal, .. } => self.reject(judged, refusal, "held"),
        }
        if let Some(at) = written.first_at() {
            let since = arrived
                .latest(judged.pick)
                .map(|came| at.micros_since(came));
            let latency = Duration::from_micros(since.unwrap_or_default());
            ::metrics::histogram!(metrics::LATENCY).record(latency.as_secs_f64());
        }
    }

    fn reject(&self, judged: &Judged<'_>, refusal: &Refusal, what: &'static str) {
        let Refusal { gate, reason } = refusal;
        let (symbol, key) = (judged.pick.symbol, &judged.key);
        counter!(metrics::REJECTS, "gate" => gate.name()).increment(1);
        match gate {
            Gate::Exposure | Gate::Symbol | Gate::DailyLoss | Gate::Key | Gate::Equity => {
                let message = format!("pick {key} is {what}: {}: {reason}", gate.name());
                let context = json!({"action_key": key.as_str(), "gate": gate.name()});
                let event = if gate.is_transient() {
                    "pick_held"
                } else {
                    "pick_refused"
                };
                self.raise(event, Some(symbol.to_string()), message, context);
            }
            Gate::Entries | Gate::Duplicate => {
                info!(%symbol, %key, gate = gate.name(), reason, "a pick is refused");
            }
            // Expected as the day goes.
            Gate::Session | Gate::Control | Gate::Price | Gate::Constraint | Gate::Spacing => {
                debug!(%symbol, %key, gate = gate.name(), reason, "a pick is held");
            }
        }
    }

    fn raise(
        &self,
        event: &'static str,
        symbol: Option<String>,
        message: String,
        context: serde_json::Value,
    ) {
        self.parts.alarms.raise(Alarm {
            level: Level::Warning,
            event,
            symbol,
            position: None,
            message,
            context,
        });
    }
}

/// Returns once something has arrived, or may have.
async fn hear(listener: &mut Listener) {
    while let Err(error) = listener.heard().await {
        warn!(%error, "arrivals of picks are not heard, they are looked for");
        tokio::time::sleep(RECONNECT).await;
    }
}

/// Returns the key of a purchase on a day, `yyyymmdd`: that of the producer that leads.
fn key(day: &str, pick: &Merged) -> ActionKey {
    let lead = pick.lead();
    ActionKey::pick(day, pick.symbol, lead.producer.id, &lead.run_id)
}
