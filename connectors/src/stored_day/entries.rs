//! The journal, `system.engine_events`, read as the engine was told it.

use std::collections::VecDeque;

use serde_json::Value;
use tokio_postgres::{Client, Statement};
use turnstile_dataflows::engine::{Event, Timed};
use turnstile_dataflows::model::LogicalTime;
use turnstile_dataflows::price::{Quote, Source, Taken};

use super::error::StoredDayError;
use super::merge::Queue;
use super::runs::Span;
use crate::rows::RowReader;
use crate::seoul::seoul_date;

/// One entry of a load holds a thousand rows.
const PAGE: usize = 64;
/// Only what decides: the rest is for views, or follows from it.
const ROWS: &str = "SELECT logical_us, kind, payload FROM system.engine_events
    WHERE logical_us > $1 AND logical_us <= $2 AND kind IN ('load', 'changes', 'confirmed', 'day')
    ORDER BY logical_us, seq LIMIT $3";

/// The entries of a span.
pub(super) struct Entries<'c> {
    client: &'c Client,
    statement: Statement,
    last_us: i64,
    through_us: i64,
    reading: Reading,
    pub(super) queue: Queue,
    pub(super) read: u64,
}

/// What reading depends on: rows of before, and the date.
#[derive(Debug)]
struct Reading {
    reader: RowReader,
    day: String,
}

impl<'c> Entries<'c> {
    pub(super) async fn open(client: &'c Client, span: Span) -> Result<Self, StoredDayError> {
        let micros = |us: u64| i64::try_from(us).unwrap_or(i64::MAX);
        Ok(Self {
            client,
            statement: client.prepare(ROWS).await?,
            last_us: micros(span.begun_us),
            through_us: micros(span.through_us),
            reading: Reading {
                reader: RowReader::default(),
                day: seoul_date(LogicalTime::from_micros(span.begun_us)).to_string(),
            },
            queue: Queue::default(),
            read: 0,
        })
    }

    /// Reads pages until there is an event, or none can come.
    pub(super) async fn fill(&mut self) -> Result<(), StoredDayError> {
        let page = i64::try_from(PAGE).unwrap_or(i64::MAX);
        while self.queue.is_wanted() {
            let rows = self
                .client
                .query(&self.statement, &[&self.last_us, &self.through_us, &page])
                .await?;
            let mut events = VecDeque::with_capacity(rows.len());
            for row in &rows {
                let (logical_us, kind): (i64, &str) = (row.try_get(0)?, row.try_get(1)?);
                let payload: Value = row.try_get(2)?;
                self.last_us = logical_us;
                let event = self.reading.event(kind, &payload);
                let event = event.map_err(|reason| StoredDayError::Row {
                    table: "system.engine_events",
                    logical_us,
                    reason,
                })?;
                let time = LogicalTime::from_micros(u64::try_from(logical_us).unwrap_or_default());
                events.extend(event.map(|event| Timed { time, event }));
            }
            self.queue.events = events;
            self.queue.is_over = rows.len() < PAGE;
            self.read += u64::try_from(rows.len()).unwrap_or_default();
        }
        Ok(())
    }
}

impl Reading {
    /// Returns what the engine was told; none where it was told nothing. The error says what is wrong.
    fn event(&mut self, kind: &str, payload: &Value) -> Result<Option<Event>, String> {
        match kind {
            "day" => {
                text(payload, "day")?.clone_into(&mut self.day);
                Ok(None)
            }
            "confirmed" => confirmed(payload).map(Some),
            _ => self.changes(payload).map(Some),
        }
    }

    /// Rows that could not be read then cannot be read now: the engine was not told of them.
    fn changes(&mut self, payload: &Value) -> Result<Event, String> {
        let rows = payload.as_array().ok_or("a list of rows expected")?;
        let rows: Result<Vec<_>, String> = rows
            .iter()
            .map(|row| Ok((text(row, "table")?, row["deleted"] == true, &row["row"])))
            .collect();
        Ok(Event::Changes(self.reader.read(rows?, &self.day).changes))
    }
}

fn confirmed(payload: &Value) -> Result<Event, String> {
    let said = |error: &dyn std::fmt::Display| error.to_string();
    let source = text(payload, "source")?;
    let known = Source::ALL.into_iter().find(|known| known.name() == source);
    let last = text(payload, "last")?;
    let received_us = payload["received_us"].as_u64();
    let quote = Quote {
        symbol: (text(payload, "symbol")?.parse()).map_err(|error| said(&error))?,
        source: known.ok_or_else(|| format!("source: unknown, was {source:?}"))?,
        last: last.parse().map_err(|error| said(&error))?,
        received: LogicalTime::from_micros(received_us.ok_or("received_us: a time expected")?),
    };
    Ok(Event::Quote(quote, Taken::Confirmed))
}

fn text<'v>(value: &'v Value, field: &str) -> Result<&'v str, String> {
    let text = value[field].as_str();
    text.ok_or_else(|| format!("{field}: text expected, was {}", value[field]))
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use turnstile_dataflows::engine::Change;

    use super::*;

    fn reading() -> Reading {
        Reading {
            reader: RowReader::default(),
            day: "2026-11-27".to_owned(),
        }
    }

    fn early_rule() -> Value {
        let row = json!({"rule_id": "r", "scope": "DEFAULT", "version": 1, "is_active": true,
            "effective_from": "2026-11-28", "rules": {"sl2": {"pnl": -0.05}}});
        json!([{"table": "trade.exit_rules", "deleted": false, "row": row}])
    }

    #[test]
    fn a_rule_of_the_next_day_is_in_force_once_the_journal_says_so() {
        let mut reading = reading();
        let is_in_force = |reading: &mut Reading| {
            let read = reading.event("changes", &early_rule()).unwrap();
            match read {
                Some(Event::Changes(changes)) => {
                    matches!(changes[..], [Change::ExitRule(_, Some(_))])
                }
                other => panic!("{other:?}"),
            }
        };
        assert!(!is_in_force(&mut reading));
        let day = json!({"day": "2026-11-28"});
        assert!(reading.event("day", &day).unwrap().is_none());
        assert!(is_in_force(&mut reading));
    }

    #[test]
    fn a_confirmation_is_as_old_as_its_receipt() {
        let payload = json!({"symbol": "005930", "source": "KIS_REST", "last": "70000",
            "received_us": 17});
        let event = reading().event("confirmed", &payload).unwrap().unwrap();
        let Event::Quote(quote, Taken::Confirmed) = event else {
            panic!("{event:?}")
        };
        assert_eq!(quote.received.micros(), 17);
        assert_eq!(
            (quote.source, quote.last.to_string()),
            (Source::KisRest, "70000".to_owned())
        );
    }

    #[test]
    fn what_no_engine_has_written_is_named() {
        for (kind, payload, reason) in [
            ("changes", json!({}), "a list of rows expected"),
            (
                "load",
                json!([{"row": {}}]),
                "table: text expected, was null",
            ),
            ("day", json!({}), "day: text expected, was null"),
            (
                "confirmed",
                json!({"symbol": "005930", "source": "NAVER", "last": "1"}),
                "received_us: a time expected",
            ),
        ] {
            assert_eq!(reading().event(kind, &payload).unwrap_err(), reason);
        }
    }
}
