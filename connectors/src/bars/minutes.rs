//! Bars of one minute, kept up from the stored prices.
//!
//! Bars and how far they reach are one commit, so each price counts once, whatever was killed in
//! between. Only prices up to where the price sink is durable count: below that none is added any more.
//! Expected prices of an auction are stored, and are no trades: no bar has them.

use crate::postgres::Session;

use crate::postgres::{PRICE_SINK, Postgres, PostgresError};

/// Prices that one transaction takes in at most.
const ROWS_MAX: i64 = 50_000;

/// Makes the row of the progress.
const BEGIN: &str = "INSERT INTO system.sink_progress (sink, durable_us) VALUES ('minute_bars', 0)
    ON CONFLICT (sink) DO NOTHING";

/// How far the bars reach, locked against a second writer, and how far they could.
const SPAN: &str = "SELECT bars.durable_us, prices.durable_us
    FROM system.sink_progress bars, system.sink_progress prices
    WHERE bars.sink = 'minute_bars' AND prices.sink = $1 FOR NO KEY UPDATE OF bars";

/// The last logical time of the first `$3` prices after `$1` up to `$2`.
const STEP: &str = "SELECT max(logical_us) FROM (
        SELECT logical_us FROM market.prices
        WHERE trade_date >= (to_timestamp($1::bigint / 1000000) AT TIME ZONE 'Asia/Seoul')::date
            AND logical_us > $1 AND logical_us <= $2
        ORDER BY trade_date, logical_us LIMIT $3) step";

/// Adds what was traded after `$1` up to `$2` to its bars.
const GATHER: &str = "INSERT INTO market.minute_bars AS b
        (symbol, minute, open, high, low, close, volume, ticks)
    SELECT symbol, date_trunc('minute', ts),
        (array_agg(last_price ORDER BY logical_us))[1], max(last_price), min(last_price),
        (array_agg(last_price ORDER BY logical_us DESC))[1], sum(volume)::bigint, count(*)
    FROM market.prices
    WHERE trade_date BETWEEN (to_timestamp($1::bigint / 1000000) AT TIME ZONE 'Asia/Seoul')::date
            AND (to_timestamp($2::bigint / 1000000) AT TIME ZONE 'Asia/Seoul')::date
        AND logical_us > $1 AND logical_us <= $2 AND session <> 'EXPECTED'
    GROUP BY symbol, date_trunc('minute', ts)
    ON CONFLICT (symbol, minute) DO UPDATE SET
        high = greatest(b.high, excluded.high), low = least(b.low, excluded.low),
        close = excluded.close, volume = b.volume + excluded.volume,
        ticks = b.ticks + excluded.ticks";

const END: &str = "UPDATE system.sink_progress SET durable_us = $1, updated_ts = now()
    WHERE sink = 'minute_bars'";

/// Takes in a part of the prices that no bar holds yet. Returns whether more may be left.
///
/// # Errors
/// If the database refuses or cannot be reached; then nothing has changed.
pub async fn gather_minutes(postgres: &Postgres) -> Result<bool, PostgresError> {
    let mut client = postgres.client().await?;
    let transaction = client.transaction().await?;
    run(&transaction, BEGIN, &[]).await?;
    let statement = transaction.prepare_cached(SPAN).await?;
    // Without a price sink there are no prices.
    let Some(span) = transaction.query_opt(&statement, &[&PRICE_SINK]).await? else {
        return Ok(false);
    };
    let (after_us, durable_us): (i64, i64) = (span.try_get(0)?, span.try_get(1)?);
    let statement = transaction.prepare_cached(STEP).await?;
    let step = transaction
        .query_one(&statement, &[&after_us, &durable_us, &ROWS_MAX])
        .await?;
    let Some(through_us) = step.try_get::<_, Option<i64>>(0)? else {
        return Ok(false);
    };
    run(&transaction, GATHER, &[&after_us, &through_us]).await?;
    run(&transaction, END, &[&through_us]).await?;
    transaction.commit().await?;
    Ok(through_us < durable_us)
}

async fn run(
    client: &impl Session,
    sql: &str,
    values: &[&(dyn tokio_postgres::types::ToSql + Sync)],
) -> Result<(), PostgresError> {
    let statement = client.prepare_cached(sql).await?;
    client.execute(&statement, values).await?;
    Ok(())
}
