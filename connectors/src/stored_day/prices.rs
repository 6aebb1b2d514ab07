//! Ticks of `market.prices`, page by page in order of their logical times.
//!
//! A page begins where the last one ended: no snapshot is held over the minutes that a day may take, so
//! neither vacuum nor retention waits for it, and a page costs one way through the primary key.

use std::collections::VecDeque;

use rust_decimal::Decimal;
use tokio_postgres::{Client, Row, Statement};
use turnstile_dataflows::engine::{Event, Timed};
use turnstile_dataflows::model::{LogicalTime, Price, Symbol, Tick};
use turnstile_dataflows::price::{Quote, Source, Taken};

use super::error::StoredDayError;
use super::merge::Queue;
use super::runs::Span;
use crate::postgres::Date;

const PAGE: usize = 10_000;
/// What is no trade is stored and not judged.
const ROWS: &str =
    "SELECT logical_us, symbol, source, last_price, bid, volume, trade.micros(recv_ts)
    FROM market.prices
    WHERE trade_date = $1 AND logical_us > $2 AND logical_us <= $3 AND session <> 'EXPECTED'
    ORDER BY logical_us LIMIT $4";

/// The ticks of a span.
pub(super) struct Ticks<'c> {
    client: &'c Client,
    statement: Statement,
    /// Day of the next page, counted from 1970-01-01.
    day: u64,
    last_us: i64,
    through_us: u64,
    pub(super) queue: Queue,
    pub(super) read: u64,
}

impl<'c> Ticks<'c> {
    pub(super) async fn open(client: &'c Client, span: Span) -> Result<Self, StoredDayError> {
        Ok(Self {
            client,
            statement: client.prepare(ROWS).await?,
            day: LogicalTime::from_micros(span.begun_us).seoul_day(),
            last_us: micros(span.begun_us),
            through_us: span.through_us,
            queue: Queue::default(),
            read: 0,
        })
    }

    /// Reads pages until there is an event, or none can come.
    pub(super) async fn fill(&mut self) -> Result<(), StoredDayError> {
        let last_day = LogicalTime::from_micros(self.through_us).seoul_day();
        let page = i64::try_from(PAGE).unwrap_or(i64::MAX);
        while self.queue.is_wanted() {
            let (day, through_us) = (Date::of_day(self.day), micros(self.through_us));
            let rows = self
                .client
                .query(&self.statement, &[&day, &self.last_us, &through_us, &page])
                .await?;
            if let Some(row) = rows.last() {
                self.last_us = row.try_get(0)?;
            }
            let events: Result<VecDeque<Timed>, _> = rows.iter().map(event).collect();
            self.queue.events = events?;
            self.read += u64::try_from(rows.len()).unwrap_or_default();
            if rows.len() < PAGE {
                self.queue.is_over = self.day >= last_day;
                self.day += 1;
            }
        }
        Ok(())
    }
}

fn micros(us: u64) -> i64 {
    i64::try_from(us).unwrap_or(i64::MAX)
}

fn event(row: &Row) -> Result<Timed, StoredDayError> {
    let logical_us: i64 = row.try_get(0)?;
    let (symbol, source): (&str, &str) = (row.try_get(1)?, row.try_get(2)?);
    let (last, bid): (Decimal, Option<Decimal>) = (row.try_get(3)?, row.try_get(4)?);
    let (volume, received_us): (i64, i64) = (row.try_get(5)?, row.try_get(6)?);
    let read = || -> Result<Timed, String> {
        let said = |error: &dyn std::fmt::Display| error.to_string();
        let time = |us: i64| u64::try_from(us).map(LogicalTime::from_micros);
        let at = time(logical_us).map_err(|error| said(&error))?;
        let symbol: Symbol = symbol.parse().map_err(|error| said(&error))?;
        let price = |value: Decimal| Price::try_from(value).map_err(|error| said(&error));
        let last = price(last)?;
        let asked = Source::ALL.into_iter().find(|known| known.name() == source);
        let event = match asked.filter(|source| *source != Source::KisWs) {
            Some(source) => {
                let received = time(received_us).map_err(|error| said(&error))?;
                let quote = Quote {
                    symbol,
                    source,
                    last,
                    received,
                };
                Event::Quote(quote, Taken::Tick)
            }
            None => Event::Tick(Tick {
                time: at,
                symbol,
                last,
                bid: bid.map(price).transpose()?,
                volume: u64::try_from(volume).unwrap_or_default(),
            }),
        };
        Ok(Timed { time: at, event })
    };
    read().map_err(|reason| StoredDayError::Row {
        table: "market.prices",
        logical_us,
        reason,
    })
}
