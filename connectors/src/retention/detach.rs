//! The one step that changes what is attached.
//!
//! First late prices of the day are kept out, and only they: a lock on the partition alone, under which
//! it is compared with its archive. Then the partition leaves, is moved and recorded, in one commit. A
//! concurrent detachment (`DETACH PARTITION … CONCURRENTLY`) would need no lock on the parent, but leaves
//! a time, or after a crash a state, in which the partition takes no prices and its day cannot have
//! another one: a late price would be refused. So the lock on the parent is tried, without waiting, until
//! it is free between two batches of the price sink.

use std::time::Duration;

use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Transaction};

use super::archive::open;
use super::days::{Hold, hold_of, holds};
use super::error::RetentionError;
use super::record::Archive;
use crate::postgres::Postgres;

/// How often the locks are tried, and the pause between: three seconds in all.
const TRIES: u32 = 150;
const PAUSE: Duration = Duration::from_millis(20);

/// What came of it.
#[derive(Debug)]
pub(super) enum Detached {
    /// It is detached and recorded.
    Done,
    /// Something needs it by now.
    Held(Hold),
    /// Somebody has had a lock all the time; nothing has changed.
    Busy,
    /// The archive does not have all prices any more; nothing has changed.
    Changed,
}

pub(super) async fn detach(
    postgres: &Postgres,
    archive: &Archive,
    has_bars: bool,
) -> Result<Detached, RetentionError> {
    let mut client = open(postgres).await?;
    for _ in 0..TRIES {
        if let Some(transaction) = keep_late_prices_out(&mut client, archive).await? {
            return detach_kept(transaction, archive, has_bars).await;
        }
        tokio::time::sleep(PAUSE).await;
    }
    Ok(Detached::Busy)
}

/// Begins a transaction in which nobody writes to the partition; none where somebody does now.
async fn keep_late_prices_out<'c>(
    client: &'c mut Client,
    archive: &Archive,
) -> Result<Option<Transaction<'c>>, RetentionError> {
    let transaction = client.transaction().await?;
    let row = transaction
        .query_one(
            "SELECT partition::text FROM market.prices_partitions WHERE day = $1::text::date",
            &[&archive.day.to_string()],
        )
        .await?;
    let partition: &str = row.try_get(0)?;
    let lock = format!("LOCK TABLE ONLY {partition} IN SHARE ROW EXCLUSIVE MODE NOWAIT");
    match transaction.batch_execute(&lock).await {
        Ok(()) => Ok(Some(transaction)),
        Err(error) if is_busy(&error) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

async fn detach_kept(
    mut transaction: Transaction<'_>,
    archive: &Archive,
    has_bars: bool,
) -> Result<Detached, RetentionError> {
    let day = archive.day.to_string();
    // Insert-only: as many rows between the same two times are the same rows.
    let found = transaction
        .query_one(
            "SELECT count(*), min(logical_us), max(logical_us) FROM market.prices
             WHERE trade_date = $1::text::date",
            &[&day],
        )
        .await?;
    let first: Option<i64> = found.try_get(1)?;
    let span = first.zip(found.try_get(2)?);
    if (found.try_get::<_, i64>(0)?, span) != (archive.rows(), archive.span()) {
        return Ok(Detached::Changed);
    }
    let all = holds(&transaction).await?;
    if let Some(hold) = hold_of(&transaction, &all, archive.day, has_bars).await? {
        return Ok(Detached::Held(hold));
    }
    for _ in 0..TRIES {
        let attempt = transaction.transaction().await?;
        let detached = attempt
            .execute(
                "SELECT market.detach_prices($1::text::date, $2)",
                &[&day, &archive.table],
            )
            .await;
        match detached {
            Ok(_) => {
                archive.insert(&attempt).await?;
                attempt.commit().await?;
                transaction.commit().await?;
                return Ok(Detached::Done);
            }
            Err(error) if is_busy(&error) => attempt.rollback().await?,
            Err(error) => return Err(error.into()),
        }
        tokio::time::sleep(PAUSE).await;
    }
    Ok(Detached::Busy)
}

fn is_busy(error: &tokio_postgres::Error) -> bool {
    error.code() == Some(&SqlState::LOCK_NOT_AVAILABLE)
}
