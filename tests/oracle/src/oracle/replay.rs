//! Replay of a recorded day through the oracle (contract, section 6).

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::Value;
use turnstile_dataflows::model::{
    ExitMode, LogicalTime, Position, PositionId, PositionMode, Price, ProfileId, Quantity, Symbol,
    Tick,
};

use super::rows::{Context, Decision, Fills, News, Row, Rule, Scope, State};
use super::{Oracle, Tally};

/// A recorded day.
pub struct Recording<'a> {
    /// Trades as they stand in the file; times never fall.
    pub ticks: &'a [TickRow],
    /// Positions in any order.
    pub positions: &'a [PositionRow],
    /// Profiles by name.
    pub profiles: &'a BTreeMap<String, Value>,
    /// ATR percent and previous close by symbol.
    pub contexts: &'a BTreeMap<Symbol, Context>,
    /// Control modes of exits; times never fall.
    pub control: &'a [(u64, ExitMode)],
    /// Where fills come from: immediate or none.
    pub fills: Fills,
}

/// One line of a tick file.
#[derive(Clone, Copy, Debug)]
pub struct TickRow {
    /// Microseconds since the Unix epoch.
    pub ts: u64,
    /// What traded.
    pub symbol: Symbol,
    /// Last price.
    pub price: Price,
    /// Bid above zero.
    pub bid: Option<Price>,
}

/// One line of a positions file.
#[derive(Clone, Debug)]
pub struct PositionRow {
    /// Identity.
    pub id: PositionId,
    /// What is held.
    pub symbol: Symbol,
    /// Shares; zero or below is not evaluated.
    pub qty: i64,
    /// Average cost, where it is above zero.
    pub avg: Option<Price>,
    /// When it was opened, in microseconds.
    pub entry_ts: u64,
    /// Its profile.
    pub profile: String,
}

impl Recording<'_> {
    /// Returns all decisions by time, then position, and how often each trigger was held back.
    ///
    /// # Panics
    /// If a profile is not valid.
    pub fn replay(&self) -> (Vec<Decision>, Tally) {
        let mut oracle = Oracle::new(self.fills);
        let contexts = self.contexts.iter();
        let contexts = contexts.map(|(symbol, context)| Row::Context(*symbol, *context));
        let rules = self.profiles.iter().map(|(name, profile)| {
            let (scope, version, profile) = (Scope::Position, 1, profile.clone());
            let rule = Rule {
                scope,
                version,
                profile,
            };
            Row::Rule(profile_id(name), Some(rule))
        });
        // In force before the first event; they take no logical time.
        let mut decisions = oracle.take(
            LogicalTime::default(),
            &News::Rows(contexts.chain(rules).collect()),
        );
        let mut last = 0;
        for event in self.events() {
            let ts = match event {
                Event::Control(ts, _) | Event::Position(ts, _) => ts,
                Event::Tick(tick) => tick.ts,
            };
            last = ts.max(last + 1); // An event that would tie gets the time before + 1.
            let now = LogicalTime::from_micros(last);
            decisions.extend(oracle.take(now, &event.news(now)));
        }
        (decisions, oracle.tally().clone())
    }

    /// Returns all events in order: by time; then control, positions by id, ticks as they stand.
    fn events(&self) -> Vec<Event<'_>> {
        let first = self.ticks.first().map_or(0, |tick| tick.ts);
        let mut positions: Vec<_> = self
            .positions
            .iter()
            .map(|row| (row.entry_ts.max(first), row))
            .collect();
        positions.sort_by(|(ts_a, a), (ts_b, b)| (ts_a, &a.id).cmp(&(ts_b, &b.id)));
        let (mut controls, mut positions) = (
            self.control.iter().peekable(),
            positions.into_iter().peekable(),
        );
        let mut events = Vec::new();
        let mut ticks = self.ticks.iter().peekable();
        loop {
            let control = controls.peek().map(|(ts, _)| *ts);
            let position = positions.peek().map(|(ts, _)| *ts);
            let tick = ticks.peek().map(|tick| tick.ts);
            let Some(ts) = [control, position, tick].into_iter().flatten().min() else {
                return events;
            };
            if control == Some(ts) {
                events.extend(controls.next().map(|(ts, mode)| Event::Control(*ts, *mode)));
            } else if position == Some(ts) {
                events.extend(positions.next().map(|(ts, row)| Event::Position(ts, row)));
            } else {
                events.extend(ticks.next().map(Event::Tick));
            }
        }
    }
}

enum Event<'a> {
    Control(u64, ExitMode),
    Position(u64, &'a PositionRow),
    Tick(&'a TickRow),
}

impl Event<'_> {
    fn news(&self, time: LogicalTime) -> News {
        match self {
            Self::Control(_, mode) => News::Rows(vec![Row::Mode(*mode)]),
            Self::Position(_, row) => News::Rows(vec![
                Row::Position(row.position()),
                Row::State(row.id.clone(), State::default()),
            ]),
            Self::Tick(row) => News::Tick(Tick {
                time,
                symbol: row.symbol,
                last: row.price,
                bid: row.bid,
                volume: 0,
            }),
        }
    }
}

impl PositionRow {
    fn position(&self) -> Position {
        let shares = Quantity::new(self.qty.max(0)).expect("not below zero");
        Position {
            id: self.id.clone(),
            symbol: self.symbol,
            qty: shares,
            original_qty: shares,
            avg_price: self.avg,
            entry: LogicalTime::from_micros(self.entry_ts),
            is_live: true,
            mode: PositionMode::Enabled,
            profile: Some(profile_id(&self.profile)),
            strategy: "".into(),
            cycle: 1,
            version: 1,
        }
    }
}

fn profile_id(name: &str) -> ProfileId {
    name.parse().expect("a profile's name is an identifier")
}

/// Returns decisions as the output file of a replay.
pub fn csv(decisions: &[Decision]) -> String {
    let mut text = "ts,position_id,symbol,reason,phase,qty,price,level,action_key\n".to_owned();
    for decision in decisions {
        let name = match decision.reason {
            "CUSTOM_LOSS" | "CUSTOM_PROFIT" => "CUSTOM",
            other => other,
        };
        let fields = [
            decision.time.micros().to_string(),
            decision.position.to_string(),
            decision.symbol.to_string(),
            name.to_owned(),
            decision.phase.name().to_owned(),
            decision.qty.to_string(),
            decision.price.to_decimal().normalize().to_string(),
            decision.level.to_decimal().normalize().to_string(),
            decision.action_key.clone(),
        ];
        let fields: Vec<String> = fields.into_iter().map(quoted).collect();
        writeln!(text, "{}", fields.join(",")).expect("text takes everything");
    }
    text
}

/// Quotes a field where RFC 4180 needs it.
fn quoted(field: String) -> String {
    if field.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field
    }
}
