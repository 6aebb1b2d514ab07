//! The gate: a view of the account, and the room that rulings under way have taken.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use metrics::counter;
use serde_json::{Value, json};
use turnstile_dataflows::model::LogicalTime;
use turnstile_dataflows::risk::{
    CheckKind, Checked, Intent, Reservation, RiskReport, RiskView, ViewChange, check,
};

use super::super::alarm::{Alarm, Alarms, Level};
use super::super::metrics as names;
use super::super::session::NowUs;
use super::record;

/// Judges entries. Its clones share one view.
#[derive(Clone)]
pub struct RiskGate {
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    alarms: Alarms,
    now_us: NowUs,
}

#[derive(Default)]
struct State {
    view: RiskView,
    reserved: BTreeMap<Arc<str>, Reservation>,
    /// Whether changes were lost, so that the view cannot be trusted any more.
    is_lost: bool,
}

/// What the gate found of one entry.
#[derive(Clone, Debug)]
pub struct Ruling {
    /// Of the order that it is about.
    pub action_key: Arc<str>,
    /// What was asked.
    pub intent: Intent,
    /// When, by the clock of the gate.
    pub judged: LogicalTime,
    /// The row of limits that it was judged by.
    pub limits_id: Option<i64>,
    /// Every result up to the first refusal.
    pub checked: Checked,
}

impl Ruling {
    /// Returns whether the order may be placed.
    pub fn is_approved(&self) -> bool {
        self.checked.refusal().is_none()
    }

    /// Returns why it may not, such as `SINGLE_WEIGHT: the name comes to …`.
    pub fn refusal(&self) -> Option<String> {
        let (result, reason) = self.checked.refusal()?;
        Some(format!("{}: {reason}", result.kind.name()))
    }

    /// Returns the gate of a re-entry that the refusal belongs to (domain 5.2).
    pub fn reentry_gate(&self) -> Option<&'static str> {
        let (result, _reason) = self.checked.refusal()?;
        Some(match result.kind {
            CheckKind::EmergencyStop => "CONTROL",
            CheckKind::DailyLoss | CheckKind::TotalLoss => "G4",
            CheckKind::Limits
            | CheckKind::TotalPositions
            | CheckKind::SingleWeight
            | CheckKind::SectorWeight
            | CheckKind::MarketWeight => "G3",
        })
    }
}

impl RiskGate {
    /// Returns a gate that knows nothing yet, and so refuses.
    pub fn new(alarms: Alarms, now_us: NowUs) -> Self {
        let shared = Shared {
            state: Mutex::default(),
            alarms,
            now_us,
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// Takes in what the risk desk says: orders that it has seen are not reserved for any more.
    pub fn update(&self, changes: Vec<ViewChange>) {
        let mut state = self.state();
        let was_stopped = state.view.stop().map(|stop| stop.is_enabled);
        let ordered = state.view.apply(changes);
        for key in ordered {
            state.release(&key);
        }
        let stop = state.view.stop().cloned();
        drop(state);
        if let Some(stop) = stop
            && was_stopped != Some(stop.is_enabled)
            && (stop.is_enabled || was_stopped.is_some())
        {
            let (level, what) = if stop.is_enabled {
                (Level::Critical, "nothing is entered")
            } else {
                (Level::Info, "entries go on")
            };
            let message = format!("emergency stop by {}: {what}: {}", stop.by, stop.reason);
            let context = json!({"is_enabled": stop.is_enabled, "by": &*stop.by});
            self.raise(level, "emergency_stop", None, message, context);
        }
    }

    /// Says that changes were lost: nothing is approved any more.
    pub fn lose(&self) {
        if !std::mem::replace(&mut self.state().is_lost, true) {
            let message = "the risk desk has fallen behind: no entry is approved until a restart";
            let message = message.to_owned();
            self.raise(Level::Critical, "risk_desk_lost", None, message, json!({}));
        }
    }

    /// Returns whether the gate has heard of the account.
    pub fn is_ready(&self) -> bool {
        self.state().view.is_known()
    }

    /// Returns whether the emergency stop keeps entries back; none where that is not known, as by a view
    /// that is no longer kept.
    pub fn is_stopped(&self) -> Option<bool> {
        let now = LogicalTime::from_micros((self.shared.now_us)());
        let state = self.state();
        let is_known = !state.is_lost && state.view.counts(now).is_ok();
        let stop = state.view.stop().filter(|_| is_known);
        stop.map(|stop| stop.is_enabled)
    }

    /// Judges an entry, and reserves the room of an approved one under its action key. The ruling
    /// has to be stored, with [`record::record`].
    pub fn judge(&self, intent: &Intent, action_key: &str) -> Ruling {
        let judged = LogicalTime::from_micros((self.shared.now_us)());
        let mut state = self.state();
        // Judged again, it does not stand in its own way.
        state.release(action_key);
        let limits = if state.is_lost {
            Err("the risk desk has fallen behind")
        } else {
            state.view.limits(judged)
        };
        let limits_id = limits.ok().map(|limits| limits.id);
        let (exposure, stop) = (&state.view.exposure, state.view.stop());
        let checked = check(intent, exposure, limits, stop, judged);
        let ruling = Ruling {
            action_key: action_key.into(),
            intent: *intent,
            judged,
            limits_id,
            checked,
        };
        if ruling.is_approved() {
            let Intent {
                symbol, qty, price, ..
            } = *intent;
            let reservation = state.view.exposure.reserve(symbol, qty, price);
            state
                .reserved
                .insert(ruling.action_key.clone(), reservation);
        }
        drop(state);
        self.tell(&ruling);
        ruling
    }

    /// Gives back the room of an order that is not placed.
    pub fn release(&self, action_key: &str) {
        self.state().release(action_key);
    }

    /// Returns the account beside its limits, now.
    pub fn report(&self) -> RiskReport {
        let now = LogicalTime::from_micros((self.shared.now_us)());
        let state = self.state();
        let mut report = RiskReport::of(&state.view, now);
        if state.is_lost {
            report.lose("the risk desk has fallen behind");
        }
        report
    }

    fn tell(&self, ruling: &Ruling) {
        let Some((result, _reason)) = ruling.checked.refusal() else {
            counter!(names::RISK_APPROVED).increment(1);
            return;
        };
        counter!(names::RISK_REJECTED, "check_type" => result.kind.name()).increment(1);
        let (key, symbol) = (&ruling.action_key, ruling.intent.symbol);
        let why = ruling.refusal().unwrap_or_default();
        let message = format!("entry {key} is refused: {why}");
        let context = json!({"action_key": &**key, "check_type": result.kind.name(),
            "results": record::results(ruling)});
        let symbol = Some(symbol.to_string());
        self.raise(Level::Warning, "risk_rejected", symbol, message, context);
    }

    fn raise(
        &self,
        level: Level,
        event: &'static str,
        symbol: Option<String>,
        message: String,
        context: Value,
    ) {
        self.shared.alarms.raise(Alarm {
            level,
            event,
            symbol,
            position: None,
            message,
            context,
        });
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn release(&mut self, action_key: &str) {
        if let Some(reservation) = self.reserved.remove(action_key) {
            self.view.exposure.release(&reservation);
        }
    }
}
