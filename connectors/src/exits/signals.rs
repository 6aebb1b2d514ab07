//! Samples: every rule's verdict and distance of held positions, from the levels as they are stored
//! and the newest price of each symbol.

use std::time::Duration;

use metrics::{counter, histogram};
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::config::ExitsConfig;
use super::metrics as names;
use crate::postgres::{Postgres, PostgresError};

/// Partitions of today and tomorrow, so that midnight needs none.
const PREPARE: &str = "SELECT trade.ensure_exit_signals_partition(
        (now() AT TIME ZONE 'Asia/Seoul')::date + ahead) FROM generate_series(0, 1) AS ahead";

/// One sample. A symbol that never traded has no distance.
const SAMPLE: &str = "WITH prices AS (
        SELECT held.symbol, CASE WHEN newest.bid > 0 THEN newest.bid ELSE newest.last_price END AS price
        FROM (SELECT DISTINCT symbol FROM trade.positions WHERE status <> 'CLOSED') held
        CROSS JOIN LATERAL (
            SELECT bid, last_price FROM market.prices
            WHERE symbol = held.symbol AND session <> 'EXPECTED'
            ORDER BY logical_us DESC LIMIT 1) newest
    ), judged AS (
        SELECT l.*, price, CASE l.side WHEN 'BELOW' THEN price - l.level ELSE l.level - price END AS way
        FROM trade.exit_levels l JOIN prices USING (symbol)
    ), nearest AS (
        SELECT * FROM judged ORDER BY way / price, position_id, reason, rule_id LIMIT $1
    )
    INSERT INTO trade.exit_signals
        (trade_date, evaluated_ts, position_id, symbol, rule_name, rule_id, side, level, price,
         distance, is_triggered, pnl_pct, hwm, stop_floor)
    SELECT (now() AT TIME ZONE 'Asia/Seoul')::date, now(), n.position_id, n.symbol, n.reason,
        n.rule_id, n.side, n.level, n.price, round(n.way / n.price, 12), n.way <= 0,
        round((n.price / nullif(p.avg_price, 0) - 1) * 100, 6), n.hwm_price, s.stop_floor_price
    FROM nearest n
    JOIN trade.positions p USING (position_id)
    JOIN trade.position_state s USING (position_id)
    WHERE p.status <> 'CLOSED'";

/// Takes samples.
#[derive(Debug)]
pub struct Signals {
    postgres: Postgres,
    every: Duration,
    rows_max: i64,
}

impl Signals {
    /// Returns the task that takes samples.
    pub fn new(postgres: &Postgres, config: &ExitsConfig) -> Self {
        Self {
            postgres: postgres.clone(),
            every: config.signals_every,
            rows_max: i64::try_from(config.signals_rows_max).unwrap_or(i64::MAX),
        }
    }

    /// Takes samples until `stop`, the first one after one interval. One that fails is left out.
    pub async fn run(self, stop: CancellationToken) {
        let mut next = tokio::time::interval_at(Instant::now() + self.every, self.every);
        next.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while stop.run_until_cancelled(next.tick()).await.is_some() {
            let began = Instant::now();
            match self.sample().await {
                Ok(rows) => {
                    counter!(names::SIGNALS_ROWS).increment(rows);
                    histogram!(names::SIGNALS_SECONDS).record(began.elapsed());
                }
                Err(error) => {
                    counter!(names::SIGNALS_FAILURES).increment(1);
                    warn!(%error, "verdicts not sampled");
                }
            }
        }
    }

    /// Takes one sample and returns its rows.
    ///
    /// # Errors
    /// If a statement fails.
    pub async fn sample(&self) -> Result<u64, PostgresError> {
        let client = self.postgres.client().await?;
        client.query(PREPARE, &[]).await?;
        Ok(client.execute(SAMPLE, &[&self.rows_max]).await?)
    }
}
