//! Sectors of issues.

use tokio_postgres::Transaction;

use super::{ImportRow, Stored, placeholders};
use crate::postgres::PostgresError;
use crate::recorded::SectorRow;

const STORE: &str = "UPDATE market.stocks s SET sector = r.sector, sector_source = 'IMPORT',
        industry = coalesce(r.industry, s.industry), updated_ts = now()
    FROM (SELECT DISTINCT ON (symbol) symbol, sector, industry
        FROM unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY
            AS u (symbol, sector, industry, place)
        ORDER BY symbol, place DESC) r
    WHERE s.symbol = r.symbol AND (s.sector, s.sector_source, s.industry) IS DISTINCT FROM
        (r.sector, 'IMPORT', coalesce(r.industry, s.industry))";

impl ImportRow for SectorRow {
    const KIND: &'static str = "sectors";

    async fn store(transaction: &Transaction<'_>, rows: &[Self]) -> Result<Stored, PostgresError> {
        let symbols: Vec<String> = rows.iter().map(|row| row.symbol.to_string()).collect();
        let unknown_symbols = placeholders::add(transaction, &symbols).await?;
        let sectors: Vec<&str> = rows.iter().map(|row| row.sector.as_str()).collect();
        let industries: Vec<Option<&str>> =
            rows.iter().map(|row| row.industry.as_deref()).collect();
        let changed = transaction
            .execute(STORE, &[&symbols, &sectors, &industries])
            .await?;
        Ok(Stored {
            changed,
            unknown_symbols,
        })
    }
}
