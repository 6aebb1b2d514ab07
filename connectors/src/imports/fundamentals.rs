//! Figures of companies.

use rust_decimal::Decimal;
use tokio_postgres::Transaction;

use super::{ImportRow, Stored, placeholders};
use crate::postgres::PostgresError;
use crate::recorded::FundamentalRow;

const STORE: &str = "INSERT INTO market.fundamentals AS f
        (symbol, report_date, per, pbr, psr, roe, debt_ratio, eps, bps, source)
    SELECT DISTINCT ON (symbol, day) symbol, day::date, per, pbr, psr, roe, debt_ratio, eps, bps,
        'IMPORT'
    FROM unnest($1::text[], $2::text[], $3::numeric[], $4::numeric[], $5::numeric[], $6::numeric[],
        $7::numeric[], $8::numeric[], $9::numeric[]) WITH ORDINALITY
        AS r (symbol, day, per, pbr, psr, roe, debt_ratio, eps, bps, place)
    ORDER BY symbol, day, place DESC
    ON CONFLICT (symbol, report_date) DO UPDATE SET
        per = coalesce(excluded.per, f.per), pbr = coalesce(excluded.pbr, f.pbr),
        psr = coalesce(excluded.psr, f.psr), roe = coalesce(excluded.roe, f.roe),
        debt_ratio = coalesce(excluded.debt_ratio, f.debt_ratio),
        eps = coalesce(excluded.eps, f.eps), bps = coalesce(excluded.bps, f.bps),
        source = excluded.source, updated_ts = clock_timestamp()
    WHERE (f.per, f.pbr, f.psr, f.roe, f.debt_ratio, f.eps, f.bps) IS DISTINCT FROM
        (coalesce(excluded.per, f.per), coalesce(excluded.pbr, f.pbr),
         coalesce(excluded.psr, f.psr), coalesce(excluded.roe, f.roe),
         coalesce(excluded.debt_ratio, f.debt_ratio), coalesce(excluded.eps, f.eps),
         coalesce(excluded.bps, f.bps))";

impl ImportRow for FundamentalRow {
    const KIND: &'static str = "fundamentals";

    async fn store(transaction: &Transaction<'_>, rows: &[Self]) -> Result<Stored, PostgresError> {
        let symbols: Vec<String> = rows.iter().map(|row| row.symbol.to_string()).collect();
        let unknown_symbols = placeholders::add(transaction, &symbols).await?;
        let days: Vec<String> = rows.iter().map(|row| row.report_date.to_string()).collect();
        let figures = |of: fn(&Self) -> Option<Decimal>| {
            rows.iter().map(of).collect::<Vec<Option<Decimal>>>()
        };
        let changed = transaction
            .execute(
                STORE,
                &[
                    &symbols,
                    &days,
                    &figures(|row| row.per),
                    &figures(|row| row.pbr),
                    &figures(|row| row.psr),
                    &figures(|row| row.roe),
                    &figures(|row| row.debt_ratio),
                    &figures(|row| row.eps),
                    &figures(|row| row.bps),
                ],
            )
            .await?;
        Ok(Stored {
            changed,
            unknown_symbols,
        })
    }
}
