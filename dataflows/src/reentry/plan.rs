//! Candidates: exit events ⋈ re-entry rules ⋈ recent history ⋈ blacklist ⋈ volatility ⋈ ranking.
//!
//! ```text
//! exit events ─┬─ (symbol, reason) ─⋈─ rules ─> best rule by regime ──────────────⋈──┐
//!              ├─ stored states, orders to expire ────────────────────────────────⋈──┼─> plans
//! entries, losses, blacklist, positions, ATR, ranking ─> one row a followed symbol ⋈──┘
//! mode, regime, windows, limits, cost of positions and purchases under way, sales ─> scene
//! ```
//!
//! Arrangements: open exit events by id, by symbol and reason, and by symbol; rules by what they match
//! (one entry a rule); history of a symbol (one entry an order, loss or live position of the last
//! days); what concerns all (one entry each). An exit event leaves all of them when its candidate
//! ends.

mod scene;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::Rows;
use crate::exit::SymbolContext;
use crate::model::{
    ExitEventId, LogicalTime, PositionId, PositionRow, Price, Quantity, Regime, SaleId, Symbol,
};

use super::rule::{ReentryRule, reason_class};
use super::scene::{SceneFact, SceneKey};
use super::tape::Volatility;

/// Days in Seoul after which a ranking counts for nothing.
const RANKING_DAYS_MAX: u64 = 7;

/// One row of `trade.exit_events`, as far as it decides.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ExitEvent {
    /// Identity, also that of the candidate.
    pub id: ExitEventId,
    /// What was held.
    pub symbol: Symbol,
    /// Reason code as stored; not every one is an [`ExitReason`](crate::model::ExitReason)
    /// (MANUAL, BROKER, UNKNOWN).
    pub reason: Arc<str>,
    /// When the position reached zero.
    pub exit: LogicalTime,
    /// Average price of its sales.
    pub exit_price: Price,
    /// Shares at entry.
    pub original_qty: Quantity,
    /// Highest price of the position, where it is known.
    pub prior_hwm: Option<Price>,
}

/// State of a candidate, as stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum CandidateState {
    /// Waits for the end of the cooldown.
    Cooldown,
    /// Waits for its trigger.
    Watch,
    /// Its order is under way.
    Ready,
    /// Bought; there may be a second entry.
    Entered,
    /// Over: expired or blocked.
    Over,
}

/// One row of `trade.reentry_candidates`, as far as it decides.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct StoredCandidate {
    /// What was held.
    pub symbol: Symbol,
    /// Where it goes on.
    pub state: CandidateState,
    /// End of its cooldown.
    pub cooldown_until: Option<LogicalTime>,
    /// When it expires.
    pub watch_until: Option<LogicalTime>,
    /// Gate and reason of the last refusal, so that it is not written again.
    pub blocked: Option<(Arc<str>, Arc<str>)>,
    /// When it decided on the order that the risk gate refused last.
    pub refused: Option<LogicalTime>,
}

/// A purchase that a candidate made.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Purchase {
    /// What was bought.
    pub symbol: Symbol,
    /// By which candidate.
    pub candidate: ExitEventId,
    /// When it was decided.
    pub decided: LogicalTime,
}

/// A purchase under way: an order to buy that is not over, whoever asked for it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Underway {
    /// What is bought.
    pub symbol: Symbol,
    /// Shares that may still come.
    pub left: Quantity,
    /// Price that they were judged at, or their limit.
    pub price: Price,
}

/// The rule in force for each regime, in the order of [`Regime::ALL`].
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(super) struct RuleSet(pub(super) [Option<Arc<ReentryRule>>; 4]);

impl RuleSet {
    /// Returns the rule in force under `regime`.
    pub(super) fn under(&self, regime: Regime) -> Option<&Arc<ReentryRule>> {
        let place = Regime::ALL.iter().position(|other| *other == regime)?;
        self.0.get(place)?.as_ref()
    }

    /// Returns the rules of all regimes.
    pub(super) fn all(&self) -> impl Iterator<Item = &Arc<ReentryRule>> {
        self.0.iter().flatten()
    }
}

/// What is known of a symbol.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(super) struct SymbolFacts {
    /// Day in Seoul and candidate of each purchase.
    pub(super) purchases: Vec<(u64, ExitEventId)>,
    /// Exits with a loss.
    pub(super) losses: Vec<(LogicalTime, ExitEventId)>,
    /// Until when nothing of it is bought, exclusive.
    pub(super) blacklisted_until: Option<LogicalTime>,
    /// Whether there is a live position of it.
    pub(super) is_held: bool,
    /// Whether an order to buy it is under way.
    pub(super) is_bought: bool,
    pub(super) volatility: Option<Volatility>,
    /// Day in Seoul of the newest ranking, where that selects it.
    pub(super) ranked_as_of: Option<u64>,
}

impl SymbolFacts {
    /// Returns whether a ranking selects the symbol whose day in Seoul has come and is at most seven
    /// days ago.
    pub(super) fn is_ranked(&self, now: LogicalTime) -> bool {
        let today = now.seoul_day();
        let age = self.ranked_as_of.and_then(|day| today.checked_sub(day));
        age.is_some_and(|days| days <= RANKING_DAYS_MAX)
    }
}

/// One thing that is known of a symbol.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
enum SymbolRow {
    Followed,
    Bought(u64, ExitEventId, Arc<str>),
    Lost(LogicalTime, ExitEventId),
    Blacklisted(LogicalTime),
    Held,
    Underway,
    Volatility(Volatility),
    Ranked(u64),
}

/// Everything that decides about one candidate and nothing else.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(super) struct CandidatePlan {
    pub(super) event: ExitEvent,
    /// Stored state, if the candidate is stored.
    pub(super) stored: Option<StoredCandidate>,
    /// Who asks that it expires.
    pub(super) expired_by: Option<Arc<str>>,
    pub(super) rules: Arc<RuleSet>,
    pub(super) facts: Arc<SymbolFacts>,
}

/// What the crossing takes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(super) enum Fact {
    /// A candidate.
    Plan(Box<CandidatePlan>),
    /// Something that concerns all of them.
    Scene(SceneFact),
}

/// Collections that candidates are made from.
pub(crate) struct ReentryInputs<'s> {
    /// Exit events whose candidates are not over.
    pub(crate) exit_events: Rows<'s, (ExitEventId, ExitEvent)>,
    /// Stored candidates.
    pub(crate) candidates: Rows<'s, (ExitEventId, StoredCandidate)>,
    /// Candidates that somebody wants to expire, and who.
    pub(crate) expiries: Rows<'s, (ExitEventId, Arc<str>)>,
    /// Active rules.
    pub(crate) rules: Rows<'s, ReentryRule>,
    /// Purchases of the last days, by action key.
    pub(crate) purchases: Rows<'s, (Arc<str>, Purchase)>,
    /// Purchases under way, by action key.
    pub(crate) underway: Rows<'s, (Arc<str>, Underway)>,
    /// Exits with a loss of the last days.
    pub(crate) losses: Rows<'s, (ExitEventId, (Symbol, LogicalTime))>,
    /// Symbols of which nothing is bought, and until when.
    pub(crate) blacklist: Rows<'s, (Symbol, LogicalTime)>,
    /// Symbols that the newest ranking selects, and its day in Seoul.
    pub(crate) ranked: Rows<'s, (Symbol, u64)>,
    /// Live positions.
    pub(crate) positions: Rows<'s, (PositionId, Arc<PositionRow>)>,
    /// Volatility of symbols.
    pub(crate) contexts: Rows<'s, (Symbol, SymbolContext)>,
    /// What concerns all candidates, as it was told: mode, regime, windows, limits, equity.
    pub(crate) scene: Rows<'s, (SceneKey, SceneFact)>,
    /// Realised results of sales: day in Seoul, and ten-thousandths of a won.
    pub(crate) results: Rows<'s, (SaleId, (u64, i64))>,
}

/// Renders plans and scene.
pub(super) fn render(inputs: ReentryInputs<'_>) -> Rows<'_, Fact> {
    let scene = scene::render(&inputs);
    let open = inputs.exit_events;
    let states = states(open.clone(), inputs.candidates, inputs.expiries);
    let symbols = open.clone().map(|(_id, event)| event.symbol);
    let known = inputs
        .purchases
        .map(|(key, row)| {
            let day = row.decided.seoul_day();
            (row.symbol, SymbolRow::Bought(day, row.candidate, key))
        })
        .concat(
            inputs
                .losses
                .map(|(id, (symbol, exit))| (symbol, SymbolRow::Lost(exit, id))),
        )
        .concat(
            inputs
                .blacklist
                .map(|(symbol, until)| (symbol, SymbolRow::Blacklisted(until))),
        )
        .concat(
            inputs
                .positions
                .map(|(_id, row)| (row.position.symbol, SymbolRow::Held)),
        )
        .concat(
            inputs
                .underway
                .map(|(_key, row)| (row.symbol, SymbolRow::Underway)),
        )
        .concat(inputs.contexts.flat_map(|(symbol, context)| {
            Volatility::of(context).map(|volatility| (symbol, SymbolRow::Volatility(volatility)))
        }))
        .concat(
            inputs
                .ranked
                .map(|(symbol, day)| (symbol, SymbolRow::Ranked(day))),
        );
    let facts = facts_by_symbol(symbols, known);
    let ruled = rules_by_kind(&open, inputs.rules);
    states
        .map(|(_id, state)| ((state.event.symbol, state.event.reason.clone()), state))
        .join(ruled)
        .map(|((symbol, _reason), row)| (symbol, row))
        .join_map(facts, |_symbol, (state, rules), facts| {
            Fact::Plan(Box::new(CandidatePlan {
                event: state.event.clone(),
                stored: state.stored.clone(),
                expired_by: state.expired_by.clone(),
                rules: rules.clone(),
                facts: facts.clone(),
            }))
        })
        .concat(scene)
}

/// One row about an exit event.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
enum EventRow {
    Event(ExitEvent),
    Stored(StoredCandidate),
    ExpiredBy(Arc<str>),
}

/// An exit event, what is stored of its candidate, and who asks that it expires.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
struct StateRow {
    event: ExitEvent,
    stored: Option<StoredCandidate>,
    expired_by: Option<Arc<str>>,
}

fn states<'s>(
    open: Rows<'s, (ExitEventId, ExitEvent)>,
    candidates: Rows<'s, (ExitEventId, StoredCandidate)>,
    expiries: Rows<'s, (ExitEventId, Arc<str>)>,
) -> Rows<'s, (ExitEventId, StateRow)> {
    open.map(|(id, event)| (id, EventRow::Event(event)))
        .concat(candidates.map(|(id, stored)| (id, EventRow::Stored(stored))))
        .concat(expiries.map(|(id, by)| (id, EventRow::ExpiredBy(by))))
        .reduce_named("candidates: state by event", |_id, rows, output| {
            // There is at most one row of each kind; without the event there is nothing to decide.
            let (mut event, mut stored, mut expired_by) = (None, None, None);
            for (row, _count) in rows {
                match row {
                    EventRow::Event(row) => event = Some(row.clone()),
                    EventRow::Stored(row) => stored = Some(row.clone()),
                    EventRow::ExpiredBy(by) => expired_by = Some(by.clone()),
                }
            }
            output.extend(event.map(|event| {
                let state = StateRow {
                    event,
                    stored,
                    expired_by,
                };
                (state, 1)
            }));
        })
}

/// Returns what is known of each followed symbol.
fn facts_by_symbol<'s>(
    symbols: Rows<'s, Symbol>,
    known: Rows<'s, (Symbol, SymbolRow)>,
) -> Rows<'s, (Symbol, Arc<SymbolFacts>)> {
    let symbols = symbols.distinct();
    known
        .semijoin(symbols.clone())
        .concat(symbols.map(|symbol| (symbol, SymbolRow::Followed)))
        .reduce_named("candidates: history by symbol", |_symbol, rows, output| {
            let mut facts = SymbolFacts::default();
            for (row, _count) in rows {
                match row {
                    SymbolRow::Followed => {}
                    SymbolRow::Bought(day, candidate, _key) => {
                        facts.purchases.push((*day, candidate.clone()));
                    }
                    SymbolRow::Lost(exit, id) => facts.losses.push((*exit, id.clone())),
                    SymbolRow::Blacklisted(until) => facts.blacklisted_until = Some(*until),
                    SymbolRow::Held => facts.is_held = true,
                    SymbolRow::Underway => facts.is_bought = true,
                    SymbolRow::Volatility(volatility) => facts.volatility = Some(*volatility),
                    SymbolRow::Ranked(day) => facts.ranked_as_of = Some(*day),
                }
            }
            output.push((Arc::new(facts), 1));
        })
}

type Kind = (Symbol, Arc<str>);

/// Returns the rules of each symbol and exit reason. Of those that match, for each regime: the
/// highest priority, then the most specific (symbol, then reason, then regime), then the lower id.
fn rules_by_kind<'s>(
    open: &Rows<'s, (ExitEventId, ExitEvent)>,
    rules: Rows<'s, ReentryRule>,
) -> Rows<'s, (Kind, Arc<RuleSet>)> {
    let kinds = open
        .clone()
        .map(|(_id, event)| (event.symbol, event.reason))
        .distinct();
    let keys = kinds.clone().flat_map(|(symbol, reason)| {
        let class = reason_class(&reason).map(Arc::<str>::from);
        let codes = [class.is_some().then(|| reason.clone()), class];
        let mut keys = Vec::with_capacity(4);
        for (rank, code) in codes.into_iter().flatten().enumerate() {
            let kind = (symbol, reason.clone());
            keys.push(((Some(symbol), code.clone()), (kind.clone(), rank)));
            keys.push(((None, code), (kind, rank + 2)));
        }
        keys
    });
    let by_match = rules.map(|rule| ((rule.symbol, rule.exit_reason.clone()), Arc::new(rule)));
    let found = keys.join_map(by_match, |_key, (kind, rank), rule| {
        let order = (-i64::from(rule.priority), *rank, rule.regime.is_none());
        (kind.clone(), Some((order, rule.clone())))
    });
    kinds.map(|kind| (kind, None)).concat(found).reduce_named(
        "candidates: rules by symbol and reason",
        |_kind, rows, output| {
            // They are sorted by order, then id.
            let found = || rows.iter().filter_map(|(row, _count)| row.as_ref());
            let best = Regime::ALL.map(|regime| {
                let serves = |rule: &ReentryRule| rule.regime.is_none_or(|of| of == regime);
                let mut found = found();
                let best = found.find(|(_order, rule)| serves(rule));
                best.map(|(_order, rule)| rule.clone())
            });
            output.push((Arc::new(RuleSet(best)), 1));
        },
    )
}
