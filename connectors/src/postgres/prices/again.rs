//! Ticks that may be in the database already.

use std::collections::BTreeSet;

use tokio_postgres::Client;
use tokio_postgres::binary_copy::BinaryCopyInWriter;

use super::PriceRow;
use super::batch::{self, TYPES, columns};
use crate::postgres::PostgresError;
use crate::postgres::logs::write_log;

/// Rows wait here for the statement that knows which of them are new. The table is the session's own.
const TABLE: &str = "CREATE TEMPORARY TABLE IF NOT EXISTS kept_prices
    (LIKE market.prices) ON COMMIT DELETE ROWS";
const COPY: &str = concat!(
    "COPY pg_temp.kept_prices ",
    columns!(),
    " FROM STDIN BINARY"
);
const STORE: &str = concat!(
    "INSERT INTO market.prices ",
    columns!(),
    " TABLE pg_temp.kept_prices ON CONFLICT (trade_date, logical_us) DO NOTHING"
);

/// Stores ticks unless they are there: a tick is known by its logical time. The progress of the sink stays
/// where it is. What the database refuses for good goes to `system.logs`. Returns how many were new.
///
/// # Errors
/// If the server cannot be reached.
pub async fn store_again(client: &mut Client, rows: &[PriceRow]) -> Result<u64, PostgresError> {
    if rows.is_empty() {
        return Ok(0);
    }
    client.batch_execute(TABLE).await?;
    batch::ensure_partitions(client, rows, &mut BTreeSet::new()).await?;
    batch::ensure_symbols(client, rows, &mut BTreeSet::new()).await?;
    let mut new = 0;
    let mut parts = vec![rows];
    while let Some(part) = parts.pop() {
        match store(client, part).await {
            Ok(stored) => new += stored,
            Err(error) if !error.refuses_data() => return Err(error),
            Err(refusal) => match part {
                [row] => write_log(client, &batch::refused(row, &refusal)).await?,
                _ => {
                    let (earlier, later) = part.split_at(part.len() / 2);
                    parts.extend([later, earlier]);
                }
            },
        }
    }
    Ok(new)
}

async fn store(client: &mut Client, rows: &[PriceRow]) -> Result<u64, PostgresError> {
    let transaction = client.transaction().await?;
    let writer = BinaryCopyInWriter::new(transaction.copy_in(COPY).await?, &TYPES);
    let mut writer = batch::copy(writer, rows).await?;
    writer.as_mut().finish().await?;
    let stored = transaction.execute(STORE, &[]).await?;
    transaction.commit().await?;
    Ok(stored)
}
