//! One batch of ticks, in one transaction.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use rust_decimal::Decimal;
use tokio_postgres::Client;
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::{ToSql, Type};
use turnstile_dataflows::model::{LogicalTime, Symbol};

use super::PriceRow;
use crate::postgres::PostgresError;
use crate::postgres::logs::{LogLevel, LogRow, write_log};

/// Name of this sink in `system.sink_progress`.
const SINK: &str = "prices";

/// Days from 1970-01-01 to 2000-01-01, where PostgreSQL counts dates from.
const POSTGRES_EPOCH_DAY: i32 = 10_957;

/// A date as PostgreSQL's binary format has it: days since 2000-01-01.
#[derive(Debug)]
struct Date(i32);

impl ToSql for Date {
    fn to_sql(
        &self,
        _ty: &Type,
        out: &mut tokio_postgres::types::private::BytesMut,
    ) -> Result<tokio_postgres::types::IsNull, Box<dyn std::error::Error + Sync + Send>> {
        out.extend_from_slice(&self.0.to_be_bytes());
        Ok(tokio_postgres::types::IsNull::No)
    }

    fn accepts(ty: &Type) -> bool {
        *ty == Type::DATE
    }

    tokio_postgres::types::to_sql_checked!();
}

/// Returns the logical time up to which ticks are committed.
pub(super) async fn durable_us(client: &Client) -> Result<u64, PostgresError> {
    let row = client
        .query_opt(
            "SELECT durable_us FROM system.sink_progress WHERE sink = $1",
            &[&SINK],
        )
        .await?;
    let durable: Option<i64> = row.map(|row| row.try_get(0)).transpose()?;
    Ok(durable
        .and_then(|durable| u64::try_from(durable).ok())
        .unwrap_or_default())
}

/// Creates the partitions of the days of `batch`, each one day ahead.
pub(super) async fn ensure_partitions(
    client: &Client,
    batch: &[PriceRow],
    known: &mut BTreeSet<u64>,
) -> Result<(), PostgresError> {
    for row in batch {
        let day = LogicalTime::from_micros(row.logical_us).seoul_day();
        for day in [day, day + 1] {
            if !known.contains(&day) {
                client
                    .query_one("SELECT market.ensure_prices_partition($1)", &[&date(day)])
                    .await?;
                known.insert(day);
            }
        }
    }
    Ok(())
}

/// Gives every symbol of `batch` a row in `market.stocks`, and returns those that had none.
pub(super) async fn ensure_symbols(
    client: &Client,
    batch: &[PriceRow],
    known: &mut BTreeSet<Symbol>,
) -> Result<Vec<Symbol>, PostgresError> {
    let mut unknown = Vec::new();
    for row in batch {
        if known.contains(&row.symbol) {
            continue;
        }
        let symbol = row.symbol.as_str();
        let inserted = client
            .execute(
                "INSERT INTO market.stocks (symbol, name, market, instrument_type)
                 VALUES ($1, $1, 'UNKNOWN', 'UNKNOWN') ON CONFLICT (symbol) DO NOTHING",
                &[&symbol],
            )
            .await?;
        if inserted > 0 {
            let log = LogRow {
                level: LogLevel::Warning,
                module: "price",
                event: "unknown_symbol",
                symbol: Some(symbol.to_owned()),
                position_id: None,
                message: format!("{symbol} trades but was not in market.stocks"),
                context: serde_json::json!({}),
            };
            write_log(client, &log).await?;
            unknown.push(row.symbol);
        }
        known.insert(row.symbol);
    }
    Ok(unknown)
}

/// Commits `batch` and the progress of the sink together.
pub(super) async fn write(client: &mut Client, batch: &[PriceRow]) -> Result<(), PostgresError> {
    const COPY: &str = "COPY market.prices (trade_date, logical_us, symbol, ts, recv_ts, source,
        last_price, bid, ask, volume, acml_volume, trade_value, change_price, change_rate,
        bid_volume, ask_volume, session) FROM STDIN BINARY";
    const TYPES: [Type; 17] = [
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
    let transaction = client.transaction().await?;
    let writer = BinaryCopyInWriter::new(transaction.copy_in(COPY).await?, &TYPES);
    let mut writer = std::pin::pin!(writer);
    for row in batch {
        let day = LogicalTime::from_micros(row.logical_us).seoul_day();
        let logical_us = i64::try_from(row.logical_us).unwrap_or(i64::MAX);
        let (last, bid, ask) = (
            Decimal::from(row.last),
            row.bid.map(Decimal::from),
            row.ask.map(Decimal::from),
        );
        writer
            .as_mut()
            .write(&[
                &date(day),
                &logical_us,
                &row.symbol.as_str(),
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
    writer.as_mut().finish().await?;
    let last_us = batch.last().map_or(0, |row| row.logical_us);
    transaction
        .execute(
            "INSERT INTO system.sink_progress (sink, durable_us) VALUES ($1, $2)
             ON CONFLICT (sink) DO UPDATE SET durable_us = excluded.durable_us, updated_ts = now()",
            &[&SINK, &i64::try_from(last_us).unwrap_or(i64::MAX)],
        )
        .await?;
    transaction.commit().await?;
    Ok(())
}

fn date(day: u64) -> Date {
    Date(
        i32::try_from(day)
            .unwrap_or(i32::MAX)
            .saturating_sub(POSTGRES_EPOCH_DAY),
    )
}

fn system_time(micros: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_micros(micros)
}
