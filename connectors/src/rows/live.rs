//! Live positions at start: a million of them in seconds, so not by way of JSON.
//!
//! High-water marks are recomputed from ticks, since the engine that knew them is gone: the ticks of
//! a symbol that no later one exceeds, found in one pass, hold the mark of every position of it.

use std::collections::BTreeMap;

use futures_util::TryStreamExt;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use tokio_postgres::{Error, GenericClient, Row};
use turnstile_dataflows::engine::Change;
use turnstile_dataflows::model::{
    Floor, LogicalTime, Mark, Position, PositionMode, PositionState, Price, Quantity,
};
use uuid::Uuid;

use super::fields::RowFault;

const POSITIONS: &str = "SELECT p.position_id, p.symbol, p.qty, p.original_qty, p.avg_price,
        trade.micros(p.entry_ts) AS entry_us, p.exit_mode, p.exit_profile_id, p.strategy_id,
        p.cycle, p.version, s.phase, s.stop_floor, s.stop_floor_price, s.hwm_price, s.hwm_us,
        coalesce(s.hwm_since_us + 1, trade.micros(p.entry_ts)) AS since_us
    FROM trade.positions p LEFT JOIN trade.position_state s USING (position_id)
    WHERE p.status <> 'CLOSED'";

/// Ticks since the earliest entry of each held symbol that no later one reaches.
const PEAKS: &str = "SELECT symbol, logical_us, price FROM (
        SELECT held.symbol, t.logical_us, t.price, max(t.price) OVER (
            PARTITION BY held.symbol ORDER BY t.logical_us DESC
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS later
        FROM (
            SELECT p.symbol, min(coalesce(s.hwm_since_us + 1, trade.micros(p.entry_ts))) AS since_us
            FROM trade.positions p LEFT JOIN trade.position_state s USING (position_id)
            WHERE p.status <> 'CLOSED' GROUP BY p.symbol
        ) held CROSS JOIN LATERAL (
            SELECT logical_us, CASE WHEN bid > 0 THEN bid ELSE last_price END AS price
            FROM market.prices
            WHERE symbol = held.symbol AND session <> 'EXPECTED' AND logical_us >= held.since_us
                AND trade_date >= (to_timestamp(held.since_us / 1000000) AT TIME ZONE 'Asia/Seoul')::date
        ) t
    ) peaks WHERE later IS NULL OR price > later
    ORDER BY symbol, logical_us";

/// A live position with its state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LivePosition {
    /// The position.
    pub position: Position,
    /// Its state, with the mark that its ticks give.
    pub state: PositionState,
}

/// By symbol, the ticks that no later one reaches, in rising order of time.
type Peaks = BTreeMap<String, Vec<(i64, Decimal)>>;

/// Loads all live positions. One that cannot be read is a fault.
pub(super) async fn load(
    client: &impl GenericClient,
    positions: &mut Vec<LivePosition>,
    faults: &mut Vec<RowFault>,
) -> Result<(), Error> {
    let peaks = peaks(client).await?;
    let none: [i64; 0] = [];
    let mut rows = std::pin::pin!(client.query_raw(POSITIONS, none).await?);
    while let Some(row) = rows.try_next().await? {
        let id: Uuid = row.try_get("position_id")?;
        match read(&row, id, &peaks)? {
            Ok(live) => positions.push(live),
            Err((column, reason)) => faults.push(RowFault {
                table: "trade.positions".to_owned(),
                key: id.to_string(),
                column: column.to_owned(),
                reason,
            }),
        }
    }
    Ok(())
}

async fn peaks(client: &impl GenericClient) -> Result<Peaks, Error> {
    let mut peaks = Peaks::new();
    for row in client.query(PEAKS, &[]).await? {
        let symbol: String = row.try_get("symbol")?;
        let peak = (row.try_get("logical_us")?, row.try_get("price")?);
        peaks.entry(symbol).or_default().push(peak);
    }
    Ok(peaks)
}

type Unreadable = (&'static str, String);

fn read(row: &Row, id: Uuid, peaks: &Peaks) -> Result<Result<LivePosition, Unreadable>, Error> {
    let columns = Columns { row };
    let (symbol, since_us): (&str, i64) = (row.try_get("symbol")?, row.try_get("since_us")?);
    let reached = peaks
        .get(symbol)
        .and_then(|peaks| peaks.get(peaks.partition_point(|(us, _price)| *us < since_us)));
    let saved: Option<Decimal> = row.try_get("hwm_price")?;
    let saved_us: Option<i64> = row.try_get("hwm_us")?;
    let mark = match (saved, reached) {
        (Some(saved), Some((_us, price))) if saved > *price => Some((saved, saved_us)),
        (_, Some((us, price))) => Some((*price, Some(*us))),
        (saved, None) => saved.map(|saved| (saved, saved_us)),
    };
    columns.position(id, mark)
}

/// The columns of one row.
struct Columns<'r> {
    row: &'r Row,
}

impl Columns<'_> {
    fn position(
        &self,
        id: Uuid,
        mark: Option<(Decimal, Option<i64>)>,
    ) -> Result<Result<LivePosition, Unreadable>, Error> {
        let row = self.row;
        let (symbol, mode): (&str, &str) = (row.try_get("symbol")?, row.try_get("exit_mode")?);
        let (qty, original): (i64, i64) = (row.try_get("qty")?, row.try_get("original_qty")?);
        let avg: Decimal = row.try_get("avg_price")?;
        let profile: Option<&str> = row.try_get("exit_profile_id")?;
        let strategy: &str = row.try_get("strategy_id")?;
        let (cycle, version): (i32, i32) = (row.try_get("cycle")?, row.try_get("version")?);
        let entry: i64 = row.try_get("entry_us")?;
        let phase: Option<&str> = row.try_get("phase")?;
        let floor: Option<&str> = row.try_get("stop_floor")?;
        let by_hand: Option<Decimal> = row.try_get("stop_floor_price")?;
        let parse = || -> Result<LivePosition, Unreadable> {
            let floor = floor.map(|floor| in_column("stop_floor", floor.parse()));
            let by_hand = by_hand.map(|price| price_in("stop_floor_price", price));
            let by_hand = by_hand.transpose()?.flatten().map(Floor::at);
            Ok(LivePosition {
                position: Position {
                    id: in_column("position_id", id.to_string().parse())?,
                    symbol: in_column("symbol", symbol.parse())?,
                    qty: in_column("qty", Quantity::new(qty))?,
                    original_qty: in_column("original_qty", Quantity::new(original))?,
                    avg_price: price_in("avg_price", avg)?,
                    entry: time_in("entry_ts", entry)?,
                    is_live: true,
                    mode: in_column("exit_mode", mode.parse::<PositionMode>())?,
                    profile: profile
                        .map(|profile| in_column("exit_profile_id", profile.parse()))
                        .transpose()?,
                    strategy: strategy.into(),
                    cycle: in_column("cycle", cycle.try_into())?,
                    version: in_column("version", version.try_into())?,
                },
                state: PositionState {
                    phase: phase
                        .map(|phase| in_column("phase", phase.parse()))
                        .transpose()?
                        .unwrap_or_default(),
                    floor: floor.transpose()?.or(by_hand),
                    mark: mark_of(mark)?,
                },
            })
        };
        Ok(parse())
    }
}

fn mark_of(mark: Option<(Decimal, Option<i64>)>) -> Result<Option<Mark>, Unreadable> {
    let Some((price, us)) = mark else {
        return Ok(None);
    };
    let tick = us.map(|us| time_in("hwm_us", us)).transpose()?;
    Ok(price_in("hwm_price", price)?.map(|price| Mark { price, tick }))
}

fn in_column<T, E: std::fmt::Display>(
    column: &'static str,
    value: Result<T, E>,
) -> Result<T, Unreadable> {
    value.map_err(|error| (column, error.to_string()))
}

/// Returns the price, none where it is zero or below.
fn price_in(column: &'static str, value: Decimal) -> Result<Option<Price>, Unreadable> {
    if value <= Decimal::ZERO {
        return Ok(None);
    }
    in_column(column, Price::try_from(value)).map(Some)
}

fn time_in(column: &'static str, micros: i64) -> Result<LogicalTime, Unreadable> {
    u64::try_from(micros)
        .map(LogicalTime::from_micros)
        .map_err(|_| (column, format!("time after 1970 expected, was {micros} us")))
}

impl LivePosition {
    /// Returns what it changes in the engine.
    pub fn changes(&self) -> [Change; 2] {
        [
            Change::PositionState(self.position.id.clone(), self.state.clone()),
            Change::Position(self.position.clone()),
        ]
    }

    /// Returns the row of `trade.positions`, as far as it decides.
    pub(super) fn position_row(&self) -> Value {
        let position = &self.position;
        json!({
            "position_id": position.id.as_str(),
            "symbol": position.symbol.to_string(),
            "qty": position.qty.shares(),
            "original_qty": position.original_qty.shares(),
            "avg_price": position.avg_price.map(|price| number(price.to_decimal())),
            "entry_ts": time(position.entry),
            "status": "OPEN",
            "exit_mode": match position.mode {
                PositionMode::Enabled => "ENABLED",
                PositionMode::ManualOnly => "MANUAL_ONLY",
                PositionMode::Disabled => "DISABLED",
            },
            "exit_profile_id": position.profile.as_ref().map(|profile| profile.as_str()),
            "strategy_id": &*position.strategy,
            "cycle": position.cycle,
            "version": position.version,
        })
    }

    /// Returns the row of `trade.position_state`, as far as it decides.
    pub(super) fn state_row(&self) -> Value {
        let state = &self.state;
        json!({
            "position_id": self.position.id.as_str(),
            "phase": state.phase.name(),
            "stop_floor": state.floor.map(|floor| floor.to_string()),
            "hwm_price": state.mark.map(|mark| number(mark.price.to_decimal())),
            "hwm_us": state.mark.and_then(|mark| mark.tick).map(LogicalTime::micros),
        })
    }
}

fn number(value: Decimal) -> Value {
    value.to_string().parse().map_or(Value::Null, Value::Number)
}

fn time(time: LogicalTime) -> String {
    let micros = i64::try_from(time.micros()).unwrap_or(i64::MAX);
    let time = jiff::Timestamp::from_microsecond(micros).unwrap_or(jiff::Timestamp::MAX);
    time.to_string()
}
