//! Trades of a file with the columns `ts,symbol,price,volume`, plain or compressed (gzip).
//!
//! The file is read twice: at the start, to check every row and to learn the issues, and while it
//! plays, by a thread that stays a bounded number of rows ahead.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{BufReader, Read},
    path::Path,
    str::FromStr,
    time::Duration,
};

use flate2::read::MultiGzDecoder;
use jiff::Timestamp;
use rust_decimal::{Decimal, prelude::ToPrimitive};
use tokio::{sync::mpsc, time::Instant};

use super::Next;
use crate::{
    config::TicksConfig,
    error::SimError,
    exchange::Exchange,
    issue::{QuoteRule, Trade},
    price::Price,
    symbol::Symbol,
};

/// Rows handed over at once, and batches that the reader may be ahead.
const BATCH: usize = 1_024;
const BATCHES_AHEAD: usize = 4;
/// Most trades printed before what they caused is sent.
const STEP_MAX: usize = 256;

/// One row.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Tick {
    /// Microseconds since 1970 UTC.
    at_us: i64,
    symbol: Symbol,
    price: Price,
    volume: i64,
}

/// What a file holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct FileSummary {
    /// Rows.
    pub(crate) ticks: u64,
    /// First price of each issue.
    pub(crate) first: BTreeMap<Symbol, Price>,
}

/// Reads a file through and returns what it holds.
///
/// # Errors
/// A file that cannot be read, or the first row that cannot be used.
pub(crate) fn read_summary(file: &Path) -> Result<FileSummary, SimError> {
    let mut summary = FileSummary::default();
    for tick in rows(file)? {
        let tick = tick?;
        summary.ticks += 1;
        summary.first.entry(tick.symbol).or_insert(tick.price);
    }
    Ok(summary)
}

fn rows(file: &Path) -> Result<impl Iterator<Item = Result<Tick, SimError>> + use<>, SimError> {
    let place = file.to_owned();
    let unreadable = |source| SimError::TickFile {
        file: place.clone(),
        source,
    };
    let opened = BufReader::new(File::open(file).map_err(unreadable)?);
    let reader: Box<dyn Read + Send> = if file.extension().is_some_and(|end| end == "gz") {
        Box::new(MultiGzDecoder::new(opened))
    } else {
        Box::new(opened)
    };
    let mut row = 0;
    let records = csv::Reader::from_reader(reader).into_records();
    Ok(records.map(move |record| {
        row += 1;
        let refuse = |reason| SimError::TickRow {
            file: place.clone(),
            row,
            reason,
        };
        let record = record.map_err(|error| refuse(error.to_string()))?;
        parse(&record).map_err(refuse)
    }))
}

fn parse(record: &csv::StringRecord) -> Result<Tick, String> {
    let [ts, symbol, price, volume] = [0, 1, 2, 3].map(|column| record.get(column).unwrap_or(""));
    let at = Timestamp::from_str(ts).map_err(|error| format!("ts: {error}, was {ts:?}"))?;
    let symbol = Symbol::new(symbol).map_err(|error| error.to_string())?;
    let price = Price::from_str(price).map_err(|error| error.to_string())?;
    let volume = i64::from_str(volume).ok().filter(|volume| *volume > 0);
    let volume = volume.ok_or_else(|| {
        format!(
            "volume must be a positive integer, was {:?}",
            record.get(3).unwrap_or("")
        )
    })?;
    if !price.is_some() {
        return Err("price must be positive, was 0".to_owned());
    }
    Ok(Tick {
        at_us: at.as_microsecond(),
        symbol,
        price,
        volume,
    })
}

/// Plays a file.
#[derive(Debug)]
pub(crate) struct TickPlayer {
    ahead: mpsc::Receiver<Vec<Tick>>,
    batch: std::vec::IntoIter<Tick>,
    next: Option<Tick>,
    /// Pace in thousandths of the file's; 0 is without pace.
    speed: i64,
    /// File time and real time that belong together.
    anchor: Option<(i64, Instant)>,
    printed: u64,
    total: u64,
}

impl TickPlayer {
    /// Starts a reader of `config.file`, a file of `total` rows. Must be called inside a runtime.
    pub(crate) fn new(config: &TicksConfig, total: u64) -> Self {
        let (ahead_tx, ahead_rx) = mpsc::channel(BATCHES_AHEAD);
        let file = config.file.clone();
        tokio::task::spawn_blocking(move || read_ahead(&file, &ahead_tx));
        Self {
            ahead: ahead_rx,
            batch: Vec::new().into_iter(),
            next: None,
            speed: (config.speed * Decimal::from(1_000))
                .to_i64()
                .unwrap_or(1_000),
            anchor: None,
            printed: 0,
            total,
        }
    }

    pub(crate) const fn progress(&self) -> (u64, bool) {
        (self.printed, self.printed >= self.total)
    }

    /// Prints what is due at `now`.
    pub(crate) fn step(&mut self, exchange: &mut Exchange, now: Instant) -> Next {
        if exchange.is_paused {
            // The time of the pause does not count.
            self.anchor = None;
            return Next::Never;
        }
        for _ in 0..STEP_MAX {
            let tick = match self.take() {
                Ok(tick) => tick,
                Err(next) => return next.map_or(Next::Never, |wait| Next::At(now + wait)),
            };
            if let Some(due) = self.due(&tick, now)
                && due > now
            {
                self.next = Some(tick);
                return Next::At(due);
            }
            if let Some(issue) = exchange.find(tick.symbol.as_str()) {
                let trade = Trade {
                    price: tick.price,
                    volume: tick.volume,
                    aggressor: None,
                    quotes: QuoteRule::Unknown,
                };
                exchange.print(issue, &trade, now);
            }
            self.printed += 1;
        }
        Next::AtOnce
    }

    /// Returns the next tick; else how long to wait for the reader, or nothing at the end.
    fn take(&mut self) -> Result<Tick, Option<Duration>> {
        if let Some(tick) = self.next.take().or_else(|| self.batch.next()) {
            return Ok(tick);
        }
        match self.ahead.try_recv() {
            Ok(batch) => {
                self.batch = batch.into_iter();
                self.batch.next().ok_or(Some(Duration::ZERO))
            }
            Err(mpsc::error::TryRecvError::Empty) => Err(Some(Duration::from_millis(1))),
            Err(mpsc::error::TryRecvError::Disconnected) => Err(None),
        }
    }

    fn due(&mut self, tick: &Tick, now: Instant) -> Option<Instant> {
        if self.speed == 0 {
            return None;
        }
        let (file_us, real) = *self.anchor.get_or_insert((tick.at_us, now));
        let gone = u64::try_from(tick.at_us.saturating_sub(file_us)).unwrap_or(0);
        let speed = u64::try_from(self.speed).unwrap_or(1_000);
        Some(real + Duration::from_micros(gone.saturating_mul(1_000) / speed))
    }
}

fn read_ahead(file: &Path, ahead: &mpsc::Sender<Vec<Tick>>) {
    let ticks = match rows(file) {
        Ok(ticks) => ticks,
        Err(error) => {
            tracing::error!(%error, "tick file vanished");
            return;
        }
    };
    let mut batch = Vec::with_capacity(BATCH);
    for tick in ticks {
        match tick {
            Ok(tick) => batch.push(tick),
            Err(error) => {
                tracing::error!(%error, "tick file changed after it was checked");
                break;
            }
        }
        if batch.len() == BATCH && ahead.blocking_send(std::mem::take(&mut batch)).is_err() {
            return;
        }
    }
    // An error means that the player is gone.
    drop(ahead.blocking_send(batch));
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn file(rows: &str) -> tempfile::NamedTempFile {
        let mut file = tempfile::Builder::new().suffix(".csv").tempfile().unwrap();
        write!(file, "ts,symbol,price,volume\n{rows}").unwrap();
        file
    }

    #[test]
    fn summary_counts_rows_and_keeps_first_prices() {
        let file = file(
            "2013-10-07T08:00:00.464000Z,SPY,167.41,100\n\
             2013-10-07T08:00:00.465000Z,SPY,167.42,1400\n\
             2013-10-07T08:00:00.465001Z,BAC,13.9,7\n",
        );
        let summary = read_summary(file.path()).unwrap();
        assert_eq!(summary.ticks, 3);
        let first: Vec<_> = summary
            .first
            .iter()
            .map(|(symbol, price)| format!("{symbol} {price}"))
            .collect();
        assert_eq!(first, ["BAC 13.9", "SPY 167.41"]);
    }

    #[test]
    fn bad_rows_are_named() {
        for (row, what) in [
            (
                "2013-10-07T08:00:00Z,SPY,167.41,0",
                "volume must be a positive integer, was \"0\"",
            ),
            (
                "2013-10-07T08:00:00Z,SPY,0,1",
                "price must be positive, was 0",
            ),
            ("2013-10-07T08:00:00Z,spy,1,1", "symbol must be"),
            ("yesterday,SPY,1,1", "ts: "),
            ("2013-10-07T08:00:00Z,SPY,1", "found record with 3 fields"),
        ] {
            let file = file(&format!("2013-10-07T08:00:00Z,SPY,167.41,1\n{row}\n"));
            let error = read_summary(file.path()).unwrap_err().to_string();
            assert!(error.contains("row 2: "), "{error}");
            assert!(error.contains(what), "{error}");
        }
    }
}
