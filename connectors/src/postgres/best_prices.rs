//! The table `market.best_prices`: the best price of each symbol, kept by change.
//!
//! Only the newest row of a symbol matters, so each has one place on a board; behind a slow database
//! the board does not grow, it gets newer.

use std::collections::BTreeMap;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use metrics::counter;
use rust_decimal::Decimal;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};
use turnstile_dataflows::model::{LogicalTime, Symbol};
use turnstile_dataflows::price::{BestPrice, Stale};

use super::{Postgres, PostgresError};

/// How often the board is written (domain 2.5: freshness is written once a second at most).
const EVERY: Duration = Duration::from_secs(1);
/// Rows of one statement at most.
const ROWS_MAX: usize = 2_000;

const WRITE: &str = "INSERT INTO market.best_prices AS b (symbol, price, source, received_ts, session,
        fresh_until, stale_reason, apart_source, apart_price, apart_level, logical_us)
    SELECT symbol, price, source, timestamptz 'epoch' + received_us * interval '1 microsecond', session,
        timestamptz 'epoch' + until_us * interval '1 microsecond', stale, apart_source, apart_price,
        apart_level, logical_us
    FROM unnest($1::text[], $2::numeric[], $3::text[], $4::bigint[], $5::text[], $6::bigint[],
        $7::text[], $8::text[], $9::numeric[], $10::text[], $11::bigint[])
        AS t(symbol, price, source, received_us, session, until_us, stale, apart_source, apart_price,
            apart_level, logical_us)
    ON CONFLICT (symbol) DO UPDATE SET price = excluded.price, source = excluded.source,
        received_ts = excluded.received_ts, session = excluded.session,
        fresh_until = excluded.fresh_until, stale_reason = excluded.stale_reason,
        apart_source = excluded.apart_source, apart_price = excluded.apart_price,
        apart_level = excluded.apart_level, logical_us = excluded.logical_us";

type Rows = BTreeMap<Symbol, (LogicalTime, BestPrice)>;

/// Where best prices are told.
#[derive(Clone, Debug, Default)]
pub struct BestPriceBoard(Arc<Mutex<Rows>>);

impl BestPriceBoard {
    /// Puts up the row of a symbol, in place of an older one that was not written yet.
    pub fn tell(&self, time: LogicalTime, row: BestPrice) {
        self.rows().insert(row.symbol, (time, row));
    }

    fn rows(&self) -> MutexGuard<'_, Rows> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts back what could not be written, unless something newer came.
    fn put_back(&self, taken: Rows) {
        let mut rows = self.rows();
        for (symbol, row) in taken {
            rows.entry(symbol).or_insert(row);
        }
    }
}

/// Writes best prices.
#[derive(Debug)]
pub struct BestPriceWriter {
    postgres: Postgres,
    board: BestPriceBoard,
    is_clean: bool,
}

impl BestPriceWriter {
    /// Returns where best prices are told, and the task that writes them.
    pub fn new(postgres: &Postgres) -> (BestPriceBoard, Self) {
        let board = BestPriceBoard::default();
        let writer = Self {
            postgres: postgres.clone(),
            board: board.clone(),
            is_clean: false,
        };
        (board, writer)
    }

    /// Writes until `stop`, and then once more what waits.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut next = tokio::time::interval(EVERY);
        next.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut has_failed = false;
        loop {
            let is_stopping = stop.run_until_cancelled(next.tick()).await.is_none();
            let written = self.write_all().await;
            match (&written, has_failed) {
                (Err(error), false) => warn!(%error, "best prices not written, retrying"),
                (Ok(()), true) => info!("best prices written again"),
                _ => {}
            }
            has_failed = written.is_err();
            if is_stopping {
                return;
            }
        }
    }

    async fn write_all(&mut self) -> Result<(), PostgresError> {
        if !self.is_clean {
            // What an earlier run has left says nothing of this one.
            let client = self.postgres.client().await?;
            client
                .execute("DELETE FROM market.best_prices", &[])
                .await?;
            self.is_clean = true;
        }
        let mut waiting = mem::take(&mut *self.board.rows());
        while !waiting.is_empty() {
            let after = waiting.keys().nth(ROWS_MAX).copied();
            let rest = after.map(|first| waiting.split_off(&first));
            let part = mem::replace(&mut waiting, rest.unwrap_or_default());
            if let Err(error) = write(&self.postgres, &part).await {
                self.board.put_back(waiting);
                if error.is_transient() {
                    self.board.put_back(part);
                } else {
                    // It would be refused again; what comes next is written.
                    error!(%error, rows = part.len(), "best prices refused");
                }
                return Err(error);
            }
            let rows = u64::try_from(part.len()).unwrap_or_default();
            counter!("price_sync_best_rows_total").increment(rows);
        }
        Ok(())
    }
}

/// The columns of one statement.
#[derive(Default)]
struct Columns {
    symbols: Vec<String>,
    prices: Vec<Decimal>,
    sources: Vec<&'static str>,
    received: Vec<i64>,
    sessions: Vec<&'static str>,
    until: Vec<i64>,
    stale: Vec<Option<&'static str>>,
    apart_sources: Vec<Option<&'static str>>,
    apart_prices: Vec<Option<Decimal>>,
    apart_levels: Vec<Option<&'static str>>,
    times: Vec<i64>,
}

impl Columns {
    fn add(&mut self, time: LogicalTime, row: &BestPrice) {
        let BestPrice {
            symbol,
            best,
            apart,
        } = row;
        self.symbols.push(symbol.to_string());
        self.prices.push(best.last.to_decimal());
        self.sources.push(best.source.name());
        self.received.push(micros(best.received));
        self.sessions.push(best.session.name());
        self.until.push(micros(best.fresh_until()));
        self.stale.push(best.stale.map(Stale::name));
        self.apart_sources
            .push(apart.map(|apart| apart.source.name()));
        self.apart_prices
            .push(apart.map(|apart| apart.last.to_decimal()));
        self.apart_levels
            .push(apart.map(|apart| apart.level.name()));
        self.times.push(micros(time));
    }
}

fn micros(time: LogicalTime) -> i64 {
    i64::try_from(time.micros()).unwrap_or(i64::MAX)
}

async fn write(postgres: &Postgres, rows: &Rows) -> Result<(), PostgresError> {
    let mut columns = Columns::default();
    for (time, row) in rows.values() {
        columns.add(*time, row);
    }
    let client = postgres.client().await?;
    let statement = client.prepare_cached(WRITE).await?;
    client
        .execute(
            &statement,
            &[
                &columns.symbols,
                &columns.prices,
                &columns.sources,
                &columns.received,
                &columns.sessions,
                &columns.until,
                &columns.stale,
                &columns.apart_sources,
                &columns.apart_prices,
                &columns.apart_levels,
                &columns.times,
            ],
        )
        .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use turnstile_dataflows::model::Price;
    use turnstile_dataflows::price::{Best, Session, Source};

    use super::*;

    fn row(symbol: &str, won: i64) -> BestPrice {
        BestPrice {
            symbol: symbol.parse().unwrap(),
            best: Best {
                received: LogicalTime::from_micros(1),
                last: Price::from_won(won).unwrap(),
                source: Source::KisWs,
                session: Session::Regular,
                stale: None,
            },
            apart: None,
        }
    }

    #[test]
    fn what_could_not_be_written_gives_way_to_newer() {
        let board = BestPriceBoard::default();
        board.tell(LogicalTime::from_micros(1), row("005930", 100));
        board.tell(LogicalTime::from_micros(1), row("000660", 200));
        let taken = mem::take(&mut *board.rows());
        board.tell(LogicalTime::from_micros(2), row("005930", 101));
        board.put_back(taken);
        let times: Vec<_> = board
            .rows()
            .values()
            .map(|(time, _)| time.micros())
            .collect();
        assert_eq!(times, [1, 2]);
    }
}
