//! Net purchases.

use tokio_postgres::Transaction;

use super::{ImportRow, Stored, placeholders};
use crate::postgres::PostgresError;
use crate::recorded::FlowRow;

const STORE: &str = "INSERT INTO market.investor_flows AS f
        (symbol, trade_date, foreign_net, institution_net, individual_net, source)
    SELECT DISTINCT ON (symbol, day) symbol, day::date, foreign_net, institution_net,
        individual_net, 'IMPORT'
    FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[]) WITH ORDINALITY
        AS r (symbol, day, foreign_net, institution_net, individual_net, place)
    ORDER BY symbol, day, place DESC
    ON CONFLICT (symbol, trade_date) DO UPDATE SET
        foreign_net = coalesce(excluded.foreign_net, f.foreign_net),
        institution_net = coalesce(excluded.institution_net, f.institution_net),
        individual_net = coalesce(excluded.individual_net, f.individual_net),
        source = excluded.source, updated_ts = clock_timestamp()
    WHERE (f.foreign_net, f.institution_net, f.individual_net) IS DISTINCT FROM
        (coalesce(excluded.foreign_net, f.foreign_net),
         coalesce(excluded.institution_net, f.institution_net),
         coalesce(excluded.individual_net, f.individual_net))";

impl ImportRow for FlowRow {
    const KIND: &'static str = "flows";

    async fn store(transaction: &Transaction<'_>, rows: &[Self]) -> Result<Stored, PostgresError> {
        let symbols: Vec<String> = rows.iter().map(|row| row.symbol.to_string()).collect();
        let unknown_symbols = placeholders::add(transaction, &symbols).await?;
        let days: Vec<String> = rows.iter().map(|row| row.date.to_string()).collect();
        let nets = |of: fn(&Self) -> Option<i64>| rows.iter().map(of).collect::<Vec<Option<i64>>>();
        let changed = transaction
            .execute(
                STORE,
                &[
                    &symbols,
                    &days,
                    &nets(|row| row.foreign_net),
                    &nets(|row| row.institution_net),
                    &nets(|row| row.individual_net),
                ],
            )
            .await?;
        Ok(Stored {
            changed,
            unknown_symbols,
        })
    }
}
