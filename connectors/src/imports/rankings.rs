//! Lists that others keep.

use tokio_postgres::Transaction;

use super::{ImportRow, Stored, placeholders};
use crate::postgres::PostgresError;
use crate::recorded::RankingRow;

const STORE: &str = "INSERT INTO market.stock_rankings AS k
        (category, market, rank, symbol, collected_on, source)
    SELECT DISTINCT ON (day, category, market, rank) category, market, rank, symbol, day::date,
        'IMPORT'
    FROM unnest($1::text[], $2::text[], $3::integer[], $4::text[], $5::text[]) WITH ORDINALITY
        AS r (category, market, rank, symbol, day, place)
    ORDER BY day, category, market, rank, place DESC
    ON CONFLICT (collected_on, category, market, rank) DO UPDATE SET symbol = excluded.symbol,
        source = excluded.source
    WHERE k.symbol <> excluded.symbol";

impl ImportRow for RankingRow {
    const KIND: &'static str = "rankings";

    async fn store(transaction: &Transaction<'_>, rows: &[Self]) -> Result<Stored, PostgresError> {
        let symbols: Vec<String> = rows.iter().map(|row| row.symbol.to_string()).collect();
        let unknown_symbols = placeholders::add(transaction, &symbols).await?;
        let categories: Vec<&str> = rows.iter().map(|row| row.category).collect();
        let markets: Vec<&str> = rows.iter().map(|row| row.market).collect();
        let ranks: Vec<i32> = rows.iter().map(|row| row.rank).collect();
        let days: Vec<String> = rows
            .iter()
            .map(|row| row.collected_on.to_string())
            .collect();
        let changed = transaction
            .execute(STORE, &[&categories, &markets, &ranks, &symbols, &days])
            .await?;
        Ok(Stored {
            changed,
            unknown_symbols,
        })
    }
}
