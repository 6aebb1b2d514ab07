//! Compares positions with what the broker holds, and makes them so.
//!
//! Each 30 s while the exchange is open, each 120 s otherwise, and soon after a fill. Only a complete
//! answer counts. A difference may be a fill that nobody has told yet, so it must stand in two
//! complete answers with a complete order list between them, at least as far apart as that list may
//! lag, and no order of the symbol may be of unknown outcome. An empty answer while several symbols
//! are held is no liquidation but a fault of the broker: it is told, and nothing follows from it. What the
//! account is worth, which the same answer says, is stored beside (`equity.rs`).

mod compared;
mod standing;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use metrics::{counter, gauge};
use serde_json::json;
use tokio::sync::{Mutex, Notify, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};
use turnstile_dataflows::model::{Quantity, Symbol};

use super::alarm::{Alarm, Alarms, Level};
use super::broker::{Broker, BrokerError, ListedAccount, ListedHolding};
use super::config::ExecutionConfig;
use super::equity;
use super::error::StoreError;
use super::foreign::Differences;
use super::ledger::{Ledger, Reconciled};
use super::metrics as names;
use super::order::{quantity, symbol};
use super::poll::OrderPoll;
use super::session::SessionSource;
use super::store::GivenUp;
use crate::invariants::InvariantFeed;
use compared::Compared;

const POSITIONS: &str = "SELECT symbol, sum(qty)::bigint AS qty FROM trade.positions
    WHERE account_id = $1 AND status IN ('OPEN', 'CLOSING') GROUP BY symbol";

/// Age at which a difference that could not be reconciled raises an alarm (domain 4.7).
const DIFFERENT_BEFORE_ALARM: Duration = Duration::from_secs(300);
/// How often it is looked whether a comparison is due.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Symbols held from which on an empty answer is not believed.
const EMPTY_IS_FAULT_FROM: usize = 2;

/// What holdings are compared with.
pub struct HoldingsParts {
    /// Settings.
    pub config: ExecutionConfig,
    /// The account.
    pub account: String,
    /// The broker.
    pub broker: Arc<dyn Broker>,
    /// Whether the exchange is open.
    pub session: Arc<dyn SessionSource>,
    /// What moves positions.
    pub ledger: Ledger,
    /// The order list, which explains most differences.
    pub poll: Arc<OrderPoll>,
    /// Where alarms are raised.
    pub alarms: Alarms,
}

/// Compares positions with holdings.
pub struct Holdings {
    parts: HoldingsParts,
    asked: Notify,
    state: Mutex<State>,
    compared: watch::Sender<Compared>,
    invariants: Option<InvariantFeed>,
}

#[derive(Default)]
struct State {
    differences: BTreeMap<Symbol, Difference>,
    is_empty_told: bool,
}

/// A symbol of which the broker holds another quantity.
#[derive(Clone, Copy, Debug)]
struct Difference {
    ours: Quantity,
    theirs: Quantity,
    /// When exactly this was first seen.
    since: Instant,
    /// When the symbol first differed.
    first: Instant,
    is_told: bool,
}

impl Holdings {
    /// Returns a comparison over these parts.
    pub fn new(parts: HoldingsParts) -> Self {
        Self {
            parts,
            asked: Notify::new(),
            state: Mutex::default(),
            compared: watch::Sender::new(Compared::begin()),
            invariants: None,
        }
    }

    /// Asks for a comparison soon.
    pub fn ask(&self) {
        self.asked.notify_one();
    }

    /// Compares until `stop`.
    pub async fn run(self: Arc<Self>, stop: CancellationToken) {
        let mut has_failed = false;
        let mut compared = Instant::now();
        while !stop.is_cancelled() {
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                () = self.asked.notified() => {
                    let spacing = tokio::time::sleep(self.parts.config.holdings_spacing);
                    if stop.run_until_cancelled(spacing).await.is_none() {
                        return;
                    }
                }
                () = self.due(compared) => {}
            }
            match stop.run_until_cancelled(self.compare(&stop)).await {
                Some(Err(error)) if std::mem::replace(&mut has_failed, true) => {
                    debug!(%error, "no complete list of holdings");
                }
                Some(Err(error)) => warn!(%error, "no complete list of holdings, asking again"),
                Some(Ok(_)) => has_failed = false,
                None => return,
            }
            compared = Instant::now();
        }
    }

    /// Compares until positions are what the broker holds, before anything is decided or sent. Returns
    /// false if the process stops first.
    pub async fn settle(&self, stop: &CancellationToken) -> bool {
        loop {
            match stop.run_until_cancelled(self.compare(stop)).await {
                None => return false,
                Some(Ok(true)) => {
                    self.parts.poll.let_be().await;
                    return true;
                }
                Some(Ok(false)) => info!("positions differ from holdings, looking again"),
                Some(Err(error)) => warn!(%error, "no complete list of holdings yet"),
            }
            let differences = self.differences().await;
            if !self
                .parts
                .poll
                .read_until_complete(&differences, stop)
                .await
            {
                return false;
            }
            let pause = tokio::time::sleep(self.parts.config.settle_delay);
            if stop.run_until_cancelled(pause).await.is_none() {
                return false;
            }
        }
    }

    async fn differences(&self) -> Differences {
        let state = self.state.lock().await;
        let differences = state.differences.iter();
        differences
            .map(|(symbol, known)| (*symbol, known.theirs.shares() - known.ours.shares()))
            .collect()
    }

    /// Returns once a comparison is due, by the session as it is by then: it may have opened since the
    /// last one, or may not have been known.
    async fn due(&self, compared: Instant) {
        loop {
            let due = compared + self.pause().await;
            let now = Instant::now();
            if now >= due {
                return;
            }
            tokio::time::sleep_until(due.min(now + LOOK_EVERY)).await;
        }
    }

    async fn pause(&self) -> Duration {
        let config = &self.parts.config;
        if !self.state.lock().await.differences.is_empty() {
            return config.settle_delay + config.poll_spacing;
        }
        if self.parts.session.market().is_open() {
            config.holdings_open
        } else {
            config.holdings_closed
        }
    }

    /// Compares once. Returns whether positions are known to be what the broker holds.
    async fn compare(&self, stop: &CancellationToken) -> Result<bool, BrokerError> {
        let asked_at = self.parts.session.market();
        let asked = Instant::now();
        let ListedAccount {
            holdings: listed,
            worth,
        } = match self.parts.broker.holdings().await {
            Ok(account) => account,
            Err(error) => {
                counter!(names::HOLDINGS_FAILURES).increment(1);
                return Err(error);
            }
        };
        counter!(names::HOLDINGS).increment(1);
        let ours = match self.positions(stop).await {
            Ok(ours) => ours,
            Err(GivenUp::Stopped) => return Ok(false),
            Err(GivenUp::Refused(error)) => {
                warn!(%error, "quantities of positions cannot be read");
                return Ok(false);
            }
        };
        let mut state = self.state.lock().await;
        let is_fault = listed.is_empty() && ours.len() >= EMPTY_IS_FAULT_FROM;
        if is_fault {
            if !std::mem::replace(&mut state.is_empty_told, true) {
                self.report_empty(ours.len());
            }
            return Ok(false);
        }
        state.is_empty_told = false;
        if let Some(worth) = worth {
            let store = self.parts.ledger.store();
            equity::note(store, &self.parts.account, worth, asked, stop).await;
        }
        let theirs: BTreeMap<Symbol, &ListedHolding> = listed
            .iter()
            .map(|holding| (holding.symbol, holding))
            .collect();
        let symbols: BTreeSet<Symbol> = theirs.keys().chain(ours.keys()).copied().collect();
        state
            .differences
            .retain(|symbol, _| symbols.contains(symbol));
        for symbol in symbols {
            let ours = ours.get(&symbol).copied().unwrap_or_default();
            let theirs = theirs.get(&symbol).copied();
            let target = theirs.map_or(Quantity::ZERO, |holding| holding.qty);
            if ours == target {
                state.differences.remove(&symbol);
            } else if !self.is_proved(&mut state, symbol, ours, target)
                || self.parts.poll.may_explain(symbol).await
            {
                self.parts.poll.ask();
            } else {
                let is_done = self.reconcile(&mut state, symbol, ours, theirs, stop).await;
                if is_done {
                    self.parts.poll.reconciled(symbol, &asked_at).await;
                }
            }
        }
        let different = u32::try_from(state.differences.len()).unwrap_or(u32::MAX);
        gauge!(names::HOLDINGS_DIFFERENT).set(different);
        let first = state.differences.values().map(|known| known.first).min();
        self.compared.send_replace(Compared::new(asked, first));
        self.tell_standing(&state, asked);
        Ok(state.differences.is_empty())
    }

    /// Returns whether a difference has stood for long enough, also after a whole order list that might
    /// have explained it; notes it, and tells of one that stays.
    fn is_proved(
        &self,
        state: &mut State,
        symbol: Symbol,
        ours: Quantity,
        theirs: Quantity,
    ) -> bool {
        let now = Instant::now();
        let fresh = Difference {
            ours,
            theirs,
            since: now,
            first: now,
            is_told: false,
        };
        let known = state.differences.entry(symbol).or_insert_with(|| {
            counter!(names::MISMATCHES).increment(1);
            fresh
        });
        if (known.ours, known.theirs) != (ours, theirs) {
            *known = Difference {
                first: known.first,
                is_told: known.is_told,
                ..fresh
            };
        }
        let is_old = now.duration_since(known.since) >= self.parts.config.settle_delay;
        let is_proved = is_old && self.parts.poll.complete_since() > Some(known.since);
        let is_overdue = now.duration_since(known.first) >= DIFFERENT_BEFORE_ALARM;
        if is_overdue && !std::mem::replace(&mut known.is_told, true) {
            self.report(
                Level::Critical,
                "HOLDING_DIFFERS",
                symbol,
                (ours, theirs),
                "positions and holdings differ for five minutes",
            );
        }
        is_proved
    }

    async fn reconcile(
        &self,
        state: &mut State,
        symbol: Symbol,
        ours: Quantity,
        theirs: Option<&ListedHolding>,
        stop: &CancellationToken,
    ) -> bool {
        let target = theirs.map_or(Quantity::ZERO, |holding| holding.qty);
        let HoldingsParts {
            ledger, account, ..
        } = &self.parts;
        let done = ledger.reconcile(account, symbol, ours, theirs, stop).await;
        match done {
            Ok(Reconciled::Done) => {
                state.differences.remove(&symbol);
                let (level, event, what) = if target > ours {
                    (
                        Level::Warning,
                        "HOLDING_APPEARED",
                        "shares appeared at the broker",
                    )
                } else {
                    (
                        Level::Critical,
                        "HOLDING_VANISHED",
                        "shares are gone without a fill",
                    )
                };
                self.report(level, event, symbol, (ours, target), what);
                return true;
            }
            Ok(Reconciled::NotYet | Reconciled::Stopped) => {}
            Err(error) => {
                warn!(%error, %symbol, "positions cannot be made what the broker holds");
                let known = state.differences.get_mut(&symbol);
                if known.is_none_or(|known| std::mem::replace(&mut known.is_told, true)) {
                    return false;
                }
                self.report(
                    Level::Critical,
                    "HOLDING_REFUSED",
                    symbol,
                    (ours, target),
                    "the database refuses what the broker holds",
                );
            }
        }
        false
    }

    async fn positions(
        &self,
        stop: &CancellationToken,
    ) -> Result<BTreeMap<Symbol, Quantity>, GivenUp> {
        let account = &self.parts.account;
        let work = |client: crate::postgres::PostgresClient| async move {
            let statement = client.prepare_cached(POSITIONS).await?;
            let rows = client.query(&statement, &[account]).await?;
            rows.iter()
                .map(|row| {
                    Ok((
                        symbol(row.try_get("symbol")?)?,
                        quantity(row.try_get("qty")?)?,
                    ))
                })
                .collect::<Result<_, StoreError>>()
        };
        let store = self.parts.ledger.store();
        store.persist("quantities of positions", stop, work).await
    }

    fn report(
        &self,
        level: Level,
        event: &'static str,
        symbol: Symbol,
        (ours, theirs): (Quantity, Quantity),
        what: &str,
    ) {
        self.parts.alarms.raise(Alarm {
            level,
            event,
            symbol: Some(symbol.to_string()),
            position: None,
            message: format!("{what}: {ours} in positions, {theirs} at the broker"),
            context: json!({"positions": ours, "broker": theirs}),
        });
    }

    fn report_empty(&self, symbols: usize) {
        self.parts.alarms.raise(Alarm {
            level: Level::Critical,
            event: "HOLDINGS_EMPTY",
            symbol: None,
            position: None,
            message: format!("the broker lists no holding while {symbols} symbols are held"),
            context: json!({"symbols": symbols}),
        });
    }
}
