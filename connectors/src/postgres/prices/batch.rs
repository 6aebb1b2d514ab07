//! One batch of ticks, in one transaction.

use std::collections::BTreeSet;
use std::pin::Pin;
use std::time::{Duration, SystemTime};

use futures_util::future::join;
use metrics::counter;
use rust_decimal::Decimal;
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, GenericClient, Statement};
use tracing::warn;
use turnstile_dataflows::model::{LogicalTime, Symbol};

use super::PriceRow;
use crate::postgres::logs::{LogLevel, LogRow, write_log};
use crate::postgres::metrics as names;
use crate::postgres::{Date, PostgresError};

/// Name of this sink in `system.sink_progress`.
pub(crate) const SINK: &str = "prices";

const MOVE_PROGRESS: &str = "UPDATE system.sink_progress SET durable_us = $3, updated_ts = now()
    WHERE sink = $1 AND durable_us = $2";

/// The columns of a row, in the order of [`copy`].
macro_rules! columns {
    () => {
        "(trade_date, logical_us, symbol, ts, recv_ts, source, last_price, bid, ask, volume, \
         acml_volume, trade_value, change_price, change_rate, bid_volume, ask_volume, session)"
    };
}
pub(super) use columns;

const COPY: &str = concat!("COPY market.prices ", columns!(), " FROM STDIN BINARY");
pub(super) const TYPES: [Type; 17] = [
    Type::DATE,
    Type::INT8,
    Type::TEXT,
    Type::TIMESTAMPTZ,
    Type::TIMESTAMPTZ,
    Type::TEXT,
    Type::NUMERIC,
    Type::NUMERIC,
    Type::NUMERIC,
    Type::INT8,
    Type::INT8,
    Type::NUMERIC,
    Type::NUMERIC,
    Type::NUMERIC,
    Type::INT8,
    Type::INT8,
    Type::TEXT,
];

/// Returns the logical time up to which ticks are committed, and makes the row that keeps it.
pub(super) async fn durable_us(client: &Client) -> Result<u64, PostgresError> {
    client
        .execute(
            "INSERT INTO system.sink_progress (sink, durable_us) VALUES ($1, 0)
             ON CONFLICT (sink) DO NOTHING",
            &[&SINK],
        )
        .await?;
    read_progress(client).await
}

async fn read_progress(client: &impl GenericClient) -> Result<u64, PostgresError> {
    let row = client
        .query_one(
            "SELECT durable_us FROM system.sink_progress WHERE sink = $1",
            &[&SINK],
        )
        .await?;
    Ok(u64::try_from(row.try_get::<_, i64>(0)?).unwrap_or_default())
}

/// What a batch runs, known to the server.
pub(super) struct Statements {
    progress: Statement,
    copy: Statement,
}

impl Statements {
    /// Has the server parse them for this connection.
    pub(super) async fn prepare(client: &Client) -> Result<Self, PostgresError> {
        Ok(Self {
            progress: client.prepare(MOVE_PROGRESS).await?,
            copy: client.prepare(COPY).await?,
        })
    }
}

/// Moves the progress in the open transaction. Returns false where it stands there already: the commit
/// that seemed lost had come through.
async fn move_progress(
    client: &impl GenericClient,
    statements: &Statements,
    from_us: u64,
    to_us: u64,
) -> Result<bool, PostgresError> {
    let (from, to) = (micros(from_us), micros(to_us));
    let moved = client
        .execute(&statements.progress, &[&SINK, &from, &to])
        .await?;
    if moved == 1 {
        return Ok(true);
    }
    let found_us = read_progress(client).await?;
    if found_us == to_us {
        return Ok(false);
    }
    Err(PostgresError::ProgressMoved {
        sink: SINK,
        expected_us: from_us,
        found_us,
    })
}

/// Creates the partitions of the coming two days by the clock of the server, so that midnight needs
/// none. Returns them.
pub(super) async fn ensure_ahead(client: &Client) -> Result<BTreeSet<u64>, PostgresError> {
    let row = client
        .query_one(
            "SELECT (now() AT TIME ZONE 'Asia/Seoul')::date - '1970-01-01'::date",
            &[],
        )
        .await?;
    let today = u64::try_from(row.try_get::<_, i32>(0)?).unwrap_or_default();
    let mut known = BTreeSet::new();
    ensure_days(client, today, &mut known).await?;
    Ok(known)
}

/// Creates the partitions of the days of `batch`, each one day ahead.
pub(super) async fn ensure_partitions(
    client: &Client,
    batch: &[PriceRow],
    known: &mut BTreeSet<u64>,
) -> Result<(), PostgresError> {
    for row in batch {
        let day = LogicalTime::from_micros(row.logical_us).seoul_day();
        ensure_days(client, day, known).await?;
    }
    Ok(())
}

/// Creates the partitions of `day` and the next.
async fn ensure_days(
    client: &Client,
    day: u64,
    known: &mut BTreeSet<u64>,
) -> Result<(), PostgresError> {
    for day in [day, day + 1] {
        if !known.contains(&day) {
            client
                .query_one(
                    "SELECT market.ensure_prices_partition($1)",
                    &[&Date::of_day(day)],
                )
                .await?;
            known.insert(day);
        }
    }
    Ok(())
}

/// Gives every symbol of `batch` a row in `market.stocks`. A symbol that had none is told once, in
/// the transaction of its row.
pub(super) async fn ensure_symbols(
    client: &mut Client,
    batch: &[PriceRow],
    known: &mut BTreeSet<Symbol>,
) -> Result<(), PostgresError> {
    let new: BTreeSet<Symbol> = batch.iter().map(|row| row.symbol).collect();
    let new: Vec<Symbol> = new.difference(known).copied().collect();
    if new.is_empty() {
        return Ok(());
    }
    let codes: Vec<String> = new.iter().map(Symbol::to_string).collect();
    let transaction = client.transaction().await?;
    let inserted = transaction
        .query(
            "INSERT INTO market.stocks (symbol, name, market, instrument_type)
             SELECT code, code, 'UNKNOWN', 'UNKNOWN' FROM unnest($1::text[]) code
             ON CONFLICT (symbol) DO NOTHING RETURNING symbol",
            &[&codes],
        )
        .await?;
    for row in &inserted {
        let symbol: String = row.try_get(0)?;
        let log = LogRow {
            level: LogLevel::Warning,
            module: "price",
            event: "unknown_symbol",
            message: format!("{symbol} trades but was not in market.stocks"),
            symbol: Some(symbol),
            position_id: None,
            context: serde_json::json!({}),
        };
        write_log(&transaction, &log).await?;
    }
    transaction.commit().await?;
    for row in &inserted {
        let symbol: &str = row.try_get(0)?;
        counter!(names::UNKNOWN_SYMBOLS).increment(1);
        warn!(
            symbol,
            "unknown symbol trades; a placeholder row stands for it"
        );
    }
    known.extend(new);
    Ok(())
}

/// Keeps `row` in `system.logs` in place of its table, and moves the progress over it.
pub(super) async fn log_refused(
    client: &mut Client,
    statements: &Statements,
    row: &PriceRow,
    refusal: &PostgresError,
    durable_us: u64,
) -> Result<(), PostgresError> {
    let transaction = client.transaction().await?;
    if !move_progress(&transaction, statements, durable_us, row.logical_us).await? {
        return Ok(());
    }
    write_log(&transaction, &refused(row, refusal)).await?;
    transaction.commit().await?;
    Ok(())
}

/// Returns what `system.logs` keeps in place of a row.
pub(super) fn refused(row: &PriceRow, refusal: &PostgresError) -> LogRow {
    LogRow {
        level: LogLevel::Critical,
        module: "price",
        event: "tick_refused",
        symbol: Some(row.symbol.to_string()),
        position_id: None,
        message: format!("market.prices does not take the tick: {refusal}"),
        context: serde_json::json!({ "row": format!("{row:?}") }),
    }
}

/// Commits `batch` and the progress of the sink together, unless that was done before. `durable_us`
/// is where the progress stood. Where it fails, the transaction is rolled back or the connection is
/// of no use any more.
pub(super) async fn write(
    client: &Client,
    statements: &Statements,
    batch: &[PriceRow],
    durable_us: u64,
) -> Result<(), PostgresError> {
    let written = write_open(client, statements, batch, durable_us).await;
    if written.is_err() {
        // What is wrong was said before; a connection that is lost has rolled back by itself.
        drop(client.batch_execute("ROLLBACK").await);
    }
    written
}

/// The end of the rows and the commit travel together: orders wait for some of these prices, and each
/// way to the server and back costs both sides.
async fn write_open(
    client: &Client,
    statements: &Statements,
    batch: &[PriceRow],
    durable_us: u64,
) -> Result<(), PostgresError> {
    let Some(last) = batch.last() else {
        return Ok(());
    };
    // Alone: were it refused, a progress under way behind it would be a commit without its rows.
    client.batch_execute("BEGIN").await?;
    if !move_progress(client, statements, durable_us, last.logical_us).await? {
        client.batch_execute("ROLLBACK").await?;
        return Ok(());
    }
    let writer = BinaryCopyInWriter::new(client.copy_in(&statements.copy).await?, &TYPES);
    let mut writer = copy(writer, batch).await?;
    // The commit of a transaction whose rows were refused rolls it back.
    let (written, committed) = join(writer.as_mut().finish(), client.batch_execute("COMMIT")).await;
    written?;
    committed?;
    Ok(())
}

/// Sends rows to a writer of the columns, and returns it to be finished.
pub(super) async fn copy(
    writer: BinaryCopyInWriter,
    rows: &[PriceRow],
) -> Result<Pin<Box<BinaryCopyInWriter>>, PostgresError> {
    let mut writer = Box::pin(writer);
    for row in rows {
        let day = LogicalTime::from_micros(row.logical_us).seoul_day();
        let logical_us = micros(row.logical_us);
        let (last, bid, ask) = (
            Decimal::from(row.last),
            row.bid.map(Decimal::from),
            row.ask.map(Decimal::from),
        );
        writer
            .as_mut()
            .write(&[
                &Date::of_day(day),
                &logical_us,
                &&*row.symbol.text(),
                &system_time(row.exchange_us),
                &system_time(row.received_us),
                &row.source,
                &last,
                &bid,
                &ask,
                &row.volume,
                &row.day_volume,
                &row.day_value,
                &row.change,
                &row.change_rate,
                &row.bid_volume,
                &row.ask_volume,
                &row.session,
            ])
            .await?;
    }
    Ok(writer)
}

fn system_time(micros: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_micros(micros)
}

/// Returns the column of a logical time. The column ends in the year 294246.
fn micros(logical_us: u64) -> i64 {
    i64::try_from(logical_us).unwrap_or(i64::MAX)
}
