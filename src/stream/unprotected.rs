//! For how long nobody judged the positions: from the last sign of the engine before until this one does.

use metrics::gauge;
use serde_json::json;
use tokio_postgres::GenericClient;
use tracing::info;
use turnstile_connectors::execution::{Alarm, Level};
use turnstile_connectors::monitoring::metrics::UNPROTECTED;
use turnstile_connectors::postgres::PostgresError;

const MICROS: u64 = 1_000_000;

/// What an engine finds at its start.
#[derive(Clone, Copy, Debug)]
pub(super) struct Gap {
    /// Last sign of an engine of the account; none where there never was one.
    since_us: Option<u64>,
    /// Live positions.
    positions: i64,
}

impl Gap {
    /// Looks for the last sign of life: the time as of which an engine said that it evaluates; where one
    /// ended in order, the newest of what it stored, `stored_us`, 0 where that is nothing.
    ///
    /// # Errors
    /// If PostgreSQL does not answer.
    pub(super) async fn look(
        client: &impl GenericClient,
        account: &str,
        stored_us: u64,
    ) -> Result<Self, PostgresError> {
        const LOOK: &str = "SELECT
            (SELECT (extract(epoch FROM max(evaluated_ts)) * 1000000)::bigint
                FROM system.engine_beats WHERE account_id = $1),
            (SELECT count(*) FROM trade.positions WHERE status <> 'CLOSED')";
        let row = client.query_one(LOOK, &[&account]).await?;
        let beat = row.try_get::<_, Option<i64>>(0)?;
        let beat_us = beat.and_then(|beat| u64::try_from(beat).ok());
        let stored_us = Some(stored_us).filter(|stored| *stored > 0);
        Ok(Self {
            since_us: beat_us.or(stored_us),
            positions: row.try_get(1)?,
        })
    }

    /// Notes that the positions are judged from `now_us` on, and tells how long they were not. None
    /// where nothing was unprotected.
    pub(super) fn close(self, now_us: u64) -> Option<Alarm> {
        let since_us = self.since_us.filter(|_| self.positions > 0);
        let seconds = since_us.map(|since_us| now_us.saturating_sub(since_us).div_ceil(MICROS));
        let shown = u32::try_from(seconds.unwrap_or_default()).unwrap_or(u32::MAX);
        gauge!(UNPROTECTED).set(f64::from(shown));
        let (positions, seconds) = (self.positions, seconds?);
        info!(positions, seconds, "positions are judged again");
        Some(Alarm {
            level: Level::Info,
            event: "POSITIONS_UNPROTECTED",
            symbol: None,
            position: None,
            message: format!("{positions} positions were not judged for {seconds} s"),
            context: json!({"positions": positions, "seconds": seconds}),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_positions_that_somebody_judged_before_were_unprotected() {
        for (since_us, positions, now_us, seconds) in [
            (Some(1_000_000), 2, 4_000_000, Some(3)),
            (Some(1_000_000), 2, 4_000_001, Some(4)),
            (Some(4_000_000), 2, 1_000_000, Some(0)),
            (Some(1_000_000), 0, 4_000_000, None),
            (None, 2, 4_000_000, None),
        ] {
            let gap = Gap {
                since_us,
                positions,
            };
            let told = gap
                .close(now_us)
                .map(|alarm| alarm.context["seconds"].clone());
            assert_eq!(told, seconds.map(serde_json::Value::from), "{gap:?}");
        }
    }
}
