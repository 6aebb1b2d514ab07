//! Issues that nobody has told of.

use tokio_postgres::GenericClient;

use crate::postgres::PostgresError;

const INSERT: &str = "INSERT INTO market.stocks (symbol, name, market, instrument_type)
    SELECT DISTINCT symbol, symbol, 'UNKNOWN', 'UNKNOWN' FROM unnest($1::text[]) symbol
    ORDER BY symbol
    ON CONFLICT (symbol) DO NOTHING";

/// Makes a row for each of `symbols` that has none. Returns how many had none.
pub(super) async fn add(
    client: &impl GenericClient,
    symbols: &[String],
) -> Result<u64, PostgresError> {
    Ok(client.execute(INSERT, &[&symbols]).await?)
}
