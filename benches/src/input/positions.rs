//! Positions of the input, and the events that load them into the engine.

use std::sync::Arc;

use anyhow::Context;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rust_decimal::Decimal;
use turnstile_dataflows::engine::Change;
use turnstile_dataflows::exit::{ExitRule, RuleScope, SymbolContext};
use turnstile_dataflows::model::{
    ExitMode, Floor, LogicalTime, Mark, Phase, Position, PositionId, PositionMode, PositionState,
    Price, Quantity, Ratio, ReentryMode,
};

use super::walk::Walk;
use super::{Input, OPEN_US, PAUSE_US, Rules};

/// Positions of one event of the load.
const LOAD_EVENT_POSITIONS: usize = 1_000;
const HOUR_US: u64 = 3_600_000_000;
const DAY_US: u64 = 24 * HOUR_US;

/// A position at its load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HeldRow {
    pub(crate) number: u32,
    /// Index of its symbol.
    pub(crate) symbol: u32,
    /// Index of its rules.
    pub(crate) rules: u16,
    pub(crate) phase: Phase,
    pub(crate) qty: i64,
    pub(crate) original_qty: i64,
    /// In units of a price, as all prices here.
    pub(crate) avg: i64,
    pub(crate) entry_us: u64,
    /// High-water mark reached before the load; zero for none.
    pub(crate) mark: i64,
}

/// How far from the price a position of one phase was bought: millionths of the price, from and to,
/// with tight rules and with wide ones. In later phases the price lies above the levels that were
/// taken and the floor.
const BOUGHT: [(Phase, [i64; 2], [i64; 2]); 5] = [
    (Phase::Open, [-8_000, 8_000], [-80_000, 80_000]),
    (Phase::Tp1Done, [-20_000, -8_000], [-200_000, -160_000]),
    (Phase::Tp2Done, [-26_000, -16_000], [-220_000, -180_000]),
    (Phase::Tp3Done, [-40_000, -20_000], [-250_000, -200_000]),
    (
        Phase::TrailingActive,
        [-40_000, -20_000],
        [-250_000, -200_000],
    ),
];
/// Of 20 positions, how many are in each phase.
const PHASES: [usize; 20] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 2, 2, 3, 4, 4, 4];

/// Returns a position of `symbol`. `span_us` is the time that the ticks cover.
pub(crate) fn held(
    number: usize,
    symbol: usize,
    walk: &Walk,
    is_tight: bool,
    span_us: u64,
    rng: &mut ChaCha8Rng,
) -> HeldRow {
    let (phase, tight, wide) = BOUGHT[PHASES[rng.random_range(0..PHASES.len())]];
    let [low, high] = if is_tight { tight } else { wide };
    let original_qty = rng.random_range(10..=500);
    let qty = match phase {
        Phase::Open | Phase::Exited => original_qty,
        Phase::Tp1Done => original_qty * 8 / 10,
        Phase::Tp2Done => original_qty * 6 / 10,
        Phase::Tp3Done | Phase::TrailingActive => original_qty * 4 / 10,
    };
    // A mark at the price itself rises with the next new high; others wait for a higher one.
    let mark = match (phase, rng.random_range(0..3)) {
        (Phase::Open, _) => 0,
        (_, 0) => walk.price(),
        _ if is_tight => walk.near(0, 4_000, rng),
        _ => walk.near(0, 40_000, rng),
    };
    HeldRow {
        number: u32::try_from(number).unwrap_or(u32::MAX),
        symbol: u32::try_from(symbol).unwrap_or(u32::MAX),
        rules: u16::from(rng.random_ratio(1, 2)) + if is_tight { 0 } else { 2 },
        phase,
        qty,
        original_qty,
        avg: walk.near(low, high, rng),
        entry_us: entry_us(is_tight, span_us, rng),
        mark,
    }
}

/// Returns when a position was opened: some of those with tight rules so long ago that a limit of
/// TIME passes while the ticks run.
fn entry_us(is_tight: bool, span_us: u64, rng: &mut ChaCha8Rng) -> u64 {
    if !is_tight {
        return OPEN_US - rng.random_range(HOUR_US..30 * DAY_US);
    }
    let in_span = rng.random_range(0..span_us.max(1)) + PAUSE_US;
    match rng.random_range(0..20) {
        0 => OPEN_US + in_span - 20 * DAY_US,
        1 => OPEN_US + in_span - 3 * DAY_US,
        _ => OPEN_US - rng.random_range(HOUR_US..48 * HOUR_US),
    }
}

/// Returns the changes that load `input`, event by event: rules, symbols and modes first. Takes the
/// positions out of it.
///
/// # Errors
/// If a row of the input is no row of the engine.
pub(crate) fn load_events(
    input: &mut Input,
) -> anyhow::Result<impl Iterator<Item = Vec<Change>> + use<>> {
    let mut first = vec![
        Change::ExitMode(ExitMode::Running),
        Change::ReentryMode(ReentryMode::Running),
    ];
    for listed in &input.listed {
        let context = SymbolContext {
            atr_pct_millionths: listed.atr,
            prev_close: Some(Price::from_units(listed.prev_close)?),
        };
        first.push(Change::Context(listed.symbol, context));
    }
    for rules in &input.rules {
        let rule = rule_row(rules, 1)?;
        first.push(Change::ExitRule(rule.id.clone(), Some(rule)));
    }
    let rows = PositionRows::new(input)?;
    let mut positions = std::mem::take(&mut input.positions).into_iter();
    let events = std::iter::from_fn(move || {
        let changes: Vec<Change> = positions
            .by_ref()
            .take(LOAD_EVENT_POSITIONS)
            .flat_map(|row| {
                let (position, state) = rows.of(&row);
                [
                    Change::PositionState(position.id.clone(), state),
                    Change::Position(position),
                ]
            })
            .collect();
        (!changes.is_empty()).then_some(changes)
    });
    Ok(std::iter::once(first).chain(events))
}

/// Returns the row of a rule that serves the strategy of its own name.
///
/// # Errors
/// If the rules break the contract.
pub(crate) fn rule_row(rules: &Rules, version: u32) -> anyhow::Result<ExitRule> {
    Ok(ExitRule {
        id: rules.name.parse()?,
        scope: RuleScope::Strategy(rules.name.clone()),
        version,
        profile: Arc::new(rules.profile()?),
    })
}

/// Makes the rows of positions.
pub(crate) struct PositionRows {
    symbols: Vec<turnstile_dataflows::model::Symbol>,
    strategies: Vec<Arc<str>>,
    floors: Vec<Ratio>,
}

impl PositionRows {
    /// Takes what the positions of `input` share.
    ///
    /// # Errors
    /// Never: a floor is below one.
    pub(crate) fn new(input: &Input) -> anyhow::Result<Self> {
        let floors = input.rules.iter().map(|rules| ratio(rules.floor));
        Ok(Self {
            symbols: input.listed.iter().map(|listed| listed.symbol).collect(),
            strategies: input.rules.iter().map(|rules| rules.name.clone()).collect(),
            floors: floors.collect::<anyhow::Result<_>>()?,
        })
    }

    /// Returns position and state of a row.
    pub(crate) fn of(&self, row: &HeldRow) -> (Position, PositionState) {
        let id = position_id(row.number);
        let rules = usize::from(row.rules);
        let avg = price(row.avg);
        let state = PositionState {
            phase: row.phase,
            floor: avg
                .filter(|_| row.phase != Phase::Open)
                .map(|avg| Floor::of(avg, self.floors[rules])),
            mark: price(row.mark).map(|price| Mark { price, tick: None }),
        };
        let position = Position {
            id,
            symbol: self.symbols[usize::try_from(row.symbol).unwrap_or_default()],
            qty: quantity(row.qty),
            original_qty: quantity(row.original_qty),
            avg_price: avg,
            entry: LogicalTime::from_micros(row.entry_us),
            is_live: true,
            mode: PositionMode::Enabled,
            profile: None,
            strategy: self.strategies[rules].clone(),
            cycle: 1,
            version: 1,
        };
        (position, state)
    }
}

/// Returns the price of `units`; none for zero.
fn price(units: i64) -> Option<Price> {
    Price::from_units(units).ok()
}

fn quantity(shares: i64) -> Quantity {
    Quantity::new(shares).unwrap_or_default()
}

fn ratio(millionths: i64) -> anyhow::Result<Ratio> {
    Ratio::try_from(Decimal::new(millionths, 6)).context("a ratio of the input")
}

/// Returns the identifier of a position: in the order of its number.
pub(crate) fn position_id(number: u32) -> PositionId {
    format!("p{number:07}")
        .parse()
        .unwrap_or_else(|error| unreachable!("eight letters and digits: {error}"))
}

/// Returns the number of a position.
///
/// # Errors
/// If the identifier is not one of the input's.
pub(crate) fn position_number(id: &PositionId) -> anyhow::Result<u32> {
    let digits = id.as_str().strip_prefix('p').unwrap_or_default();
    digits
        .parse()
        .with_context(|| format!("position {id} is not of the input"))
}
