//! Disclosures.

use tokio_postgres::Transaction;

use super::{ImportRow, Stored, placeholders};
use crate::postgres::PostgresError;
use crate::recorded::DisclosureRow;

const STORE: &str = "INSERT INTO market.disclosures AS d
        (receipt_no, symbol, disclosed_ts, title, url, source)
    SELECT DISTINCT ON (receipt_no) receipt_no, symbol,
        'epoch'::timestamptz + disclosed_us * interval '1 microsecond', title, url, 'IMPORT'
    FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::text[]) WITH ORDINALITY
        AS r (receipt_no, symbol, disclosed_us, title, url, place)
    ORDER BY receipt_no, place DESC
    ON CONFLICT (receipt_no) DO UPDATE SET symbol = excluded.symbol,
        disclosed_ts = excluded.disclosed_ts, title = excluded.title,
        url = coalesce(excluded.url, d.url), source = excluded.source
    WHERE (d.symbol, d.disclosed_ts, d.title, d.url) IS DISTINCT FROM
        (excluded.symbol, excluded.disclosed_ts, excluded.title, coalesce(excluded.url, d.url))";

impl ImportRow for DisclosureRow {
    const KIND: &'static str = "disclosures";

    async fn store(transaction: &Transaction<'_>, rows: &[Self]) -> Result<Stored, PostgresError> {
        let symbols: Vec<String> = rows.iter().map(|row| row.symbol.to_string()).collect();
        let unknown_symbols = placeholders::add(transaction, &symbols).await?;
        let micros = |row: &Self| i64::try_from(row.disclosed.micros()).unwrap_or(i64::MAX);
        let disclosed: Vec<i64> = rows.iter().map(micros).collect();
        let receipts: Vec<&str> = rows.iter().map(|row| row.receipt_no.as_str()).collect();
        let titles: Vec<&str> = rows.iter().map(|row| row.title.as_str()).collect();
        let urls: Vec<Option<&str>> = rows.iter().map(|row| row.url.as_deref()).collect();
        let changed = transaction
            .execute(STORE, &[&receipts, &symbols, &disclosed, &titles, &urls])
            .await?;
        Ok(Stored {
            changed,
            unknown_symbols,
        })
    }
}
