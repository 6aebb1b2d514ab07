//! Keys of the cache with what they say, and what PostgreSQL says under the same keys.
//!
//! A value is compared by its version and by those of its fields that change with it: what else a value
//! carries, such as names and marks, comes from rows of other versions.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde_json::Value;
use tokio_postgres::Row;
use turnstile_dataflows::invariants::Version;
use turnstile_dataflows::model::LogicalTime;
use uuid::Uuid;

use crate::postgres::{Postgres, PostgresError};
use crate::seoul::seoul_date;

/// Fields of each kind of value. The first is its version.
const POSITION: [&str; 7] = [
    "updated_ts",
    "qty",
    "original_qty",
    "avg_price",
    "status",
    "cycle",
    "version",
];
const PRICE: [&str; 5] = ["logical_us", "price", "bid", "ask", "volume"];
const PORTFOLIO: [&str; 3] = ["activated_ts", "portfolio_id", "status"];
const CONTROL: [&str; 4] = ["updated_ts", "mode", "reason", "updated_by"];
const SETTING: [&str; 2] = ["version", "value"];

/// Modes that the operator sets, and their keys.
const EXIT_CONTROL: &str = "exit_control";
const REENTRY_CONTROL: &str = "reentry_control";

/// The last price of a symbol, of partitions that meet a condition on `wanted.day`.
macro_rules! last_price {
    ($days:literal) => {
        concat!(
            "(SELECT jsonb_build_object('logical_us', logical_us, 'price', last_price, 'bid', bid,
                'ask', ask, 'volume', volume)
            FROM market.prices WHERE symbol = wanted.symbol AND trade_date ",
            $days,
            " ORDER BY logical_us DESC LIMIT 1)"
        )
    };
}

/// What stands now under each key, as the fields above. Of a strategy whose portfolio is in force no more
/// the last one: a value from before is old, not new. A price is looked for from the day of the cached one
/// on, which is one partition or two; only where there is none since, in all before it.
const STORED: &str = concat!(
    "SELECT 'position:' || position_id AS key, to_jsonb(p) AS content
    FROM trade.positions p WHERE position_id = ANY($1)
    UNION ALL
    SELECT 'price:' || wanted.symbol, coalesce(",
    last_price!(">= wanted.day::date"),
    ", ",
    last_price!("< wanted.day::date"),
    ")
    FROM unnest($2::text[], $5::text[]) AS wanted (symbol, day)
    UNION ALL
    SELECT 'portfolio:' || strategy, jsonb_build_object('status', f.status,
        'portfolio_id', f.portfolio_id, 'activated_ts', coalesce(f.archived_ts, f.activated_ts))
    FROM unnest($3::text[]) AS wanted (strategy) CROSS JOIN LATERAL (
        SELECT * FROM strategy.portfolios WHERE strategy_id = wanted.strategy AND status <> 'DRAFT'
        ORDER BY (status = 'ACTIVE') DESC, archived_ts DESC LIMIT 1) f
    UNION ALL
    SELECT 'config:' || key, to_jsonb(c) FROM system.config c WHERE key = ANY($4)
    UNION ALL
    SELECT 'config:exit_control', to_jsonb(c) FROM trade.exit_control c
    WHERE 'exit_control' = ANY($4)
    UNION ALL
    SELECT 'config:reentry_control', to_jsonb(c) FROM trade.reentry_control c
    WHERE 'reentry_control' = ANY($4)"
);

/// What a key is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Subject {
    Position(Uuid),
    Price(String),
    Portfolio(String),
    Config(String),
}

impl Subject {
    /// Returns what `key` is of; none where it is no value of a row.
    pub(super) fn of(key: &str) -> Option<Self> {
        let (kind, name) = key.split_once(':')?;
        Some(match kind {
            "position" => Self::Position(name.parse().ok()?),
            "price" => Self::Price(name.to_owned()),
            "portfolio" => Self::Portfolio(name.to_owned()),
            "config" => Self::Config(name.to_owned()),
            _ => return None,
        })
    }

    fn fields(&self) -> &'static [&'static str] {
        match self {
            Self::Position(_) => &POSITION,
            Self::Price(_) => &PRICE,
            Self::Portfolio(_) => &PORTFOLIO,
            Self::Config(name) if [EXIT_CONTROL, REENTRY_CONTROL].contains(&name.as_str()) => {
                &CONTROL
            }
            Self::Config(_) => &SETTING,
        }
    }

    /// Returns the version that `value` has and what it says. What cannot be read as such a value is of
    /// the last version there is: nothing that is stored can have become it.
    pub(super) fn version(&self, value: &Value) -> Version {
        let (number, rest) = match self.fields() {
            [version, rest @ ..] => (value.get(version).and_then(number), rest),
            [] => (None, &[][..]),
        };
        let said = rest.iter().map(|field| {
            let said = value.get(field).map_or(Value::Null, plain);
            format!("{field} {said}")
        });
        Version {
            number: number.unwrap_or(i64::MAX),
            content: said.collect::<Vec<_>>().join(", ").into(),
        }
    }
}

/// Reads a version: a number, or a time in microseconds.
fn number(value: &Value) -> Option<i64> {
    match value {
        Value::String(text) => Some(text.parse::<Timestamp>().ok()?.as_microsecond()),
        other => other.as_i64(),
    }
}

/// Returns a value in which equal numbers are written alike.
fn plain(value: &Value) -> Value {
    match value {
        Value::Number(number) => match Decimal::from_str_exact(&number.to_string()) {
            Ok(exact) => Value::String(exact.normalize().to_string()),
            Err(_) => value.clone(),
        },
        Value::Array(items) => items.iter().map(plain).collect(),
        Value::Object(fields) => {
            let fields = fields.iter();
            Value::Object(
                fields
                    .map(|(name, value)| (name.clone(), plain(value)))
                    .collect(),
            )
        }
        other => other.clone(),
    }
}

/// Reads what is stored under the keys of `subjects`, of which each has what is `cached`.
///
/// # Errors
/// If PostgreSQL does not answer.
pub(super) async fn stored(
    postgres: &Postgres,
    subjects: &BTreeMap<Arc<str>, Subject>,
    cached: &BTreeMap<Arc<str>, Version>,
) -> Result<BTreeMap<Arc<str>, Version>, PostgresError> {
    let mut positions: Vec<Uuid> = Vec::new();
    let (mut symbols, mut days) = (Vec::new(), Vec::new());
    let (mut strategies, mut settings) = (Vec::new(), Vec::new());
    for (key, subject) in subjects {
        match subject {
            Subject::Position(id) => positions.push(*id),
            Subject::Price(symbol) => {
                symbols.push(symbol);
                days.push(day_of(cached.get(key)));
            }
            Subject::Portfolio(strategy) => strategies.push(strategy),
            Subject::Config(key) => settings.push(key),
        }
    }
    let client = postgres.client().await?;
    let statement = client.prepare_cached(STORED).await?;
    let rows = client
        .query(
            &statement,
            &[&positions, &symbols, &strategies, &settings, &days],
        )
        .await?;
    let mut stored = BTreeMap::new();
    for row in &rows {
        let (key, content) = read(row)?;
        let subject = subjects.get_key_value(key.as_str());
        if let (Some((key, subject)), Some(content)) = (subject, content) {
            stored.insert(key.clone(), subject.version(&content));
        }
    }
    // A setting without a row is cached as such.
    for (key, subject) in subjects {
        if matches!(subject, Subject::Config(_)) && !stored.contains_key(key) {
            let none = serde_json::json!({"version": 0, "value": null});
            stored.insert(key.clone(), subject.version(&none));
        }
    }
    Ok(stored)
}

/// Returns the date in Seoul of a cached price.
fn day_of(cached: Option<&Version>) -> String {
    let us = cached.map_or(0, |cached| cached.number);
    let time = LogicalTime::from_micros(u64::try_from(us).unwrap_or_default());
    seoul_date(time).to_string()
}

fn read(row: &Row) -> Result<(String, Option<Value>), tokio_postgres::Error> {
    Ok((row.try_get("key")?, row.try_get("content")?))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn version(key: &str, value: &Value) -> Version {
        Subject::of(key).unwrap().version(value)
    }

    #[test]
    fn only_values_of_rows_are_compared() {
        let id = "00000000-0000-4000-8000-000000000001";
        assert!(matches!(
            Subject::of(&format!("position:{id}")),
            Some(Subject::Position(_))
        ));
        for key in ["guard:position:1", "position:1", "turnstile:epoch", "other"] {
            assert_eq!(Subject::of(key), None, "{key}");
        }
    }

    #[test]
    fn equal_values_are_written_alike_however_they_are_told() {
        let cached = json!({"updated_ts": "2026-11-24T10:00:00.5+09:00", "qty": 10, "original_qty": 10,
            "avg_price": 50000, "status": "OPEN", "cycle": 1, "version": 1, "name": "cached alone"});
        let row = json!({"updated_ts": "2026-11-24T01:00:00.500000+00:00", "qty": 10, "original_qty": 10,
            "avg_price": 50000.0000, "status": "OPEN", "cycle": 1, "version": 1, "account_id": "A"});
        let key = "position:00000000-0000-4000-8000-000000000001";
        assert_eq!(version(key, &cached), version(key, &row));
        assert_eq!(version(key, &cached).number, 1_795_482_000_500_000);
    }

    #[test]
    fn what_cannot_be_read_is_of_the_last_version() {
        assert_eq!(version("price:005930", &json!("torn")).number, i64::MAX);
        assert_eq!(
            version("config:alarms.x", &json!({"value": 1})).number,
            i64::MAX
        );
    }
}
