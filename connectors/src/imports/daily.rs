//! Daily bars; they tell their issues themselves.

use tokio_postgres::Transaction;

use super::{ImportRow, Stored};
use crate::bars::{self, BarSource};
use crate::postgres::PostgresError;
use crate::recorded::DailyRow;

impl ImportRow for DailyRow {
    const KIND: &'static str = "daily";

    async fn store(transaction: &Transaction<'_>, rows: &[Self]) -> Result<Stored, PostgresError> {
        Ok(Stored {
            changed: bars::store(transaction, rows, BarSource::Import).await?,
            unknown_symbols: 0,
        })
    }
}
