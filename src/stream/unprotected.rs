//! For how long nobody judged the positions: from the last sign of the engine before until this one does.

use metrics::gauge;
use serde_json::json;
use tokio_postgres::GenericClient;
use tracing::info;
use turnstile_connectors::execution::{Alarm, Level};
use turnstile_connectors::monitoring::metrics::UNPROTECTED;
use turnstile_connectors::postgres::PostgresError;

const MICROS: u64 = 1_000_000;
/// An engine beats each second. Where something was stored so much later than the last beat, an engine
/// did that beats to nobody.
const BEAT_COUNTS_US: u64 = 5 * MICROS;

/// The last beat of an engine that did not end in order.
#[derive(Clone, Copy, Debug)]
pub(super) struct Beat {
    /// When it beat.
    beat_us: u64,
    /// When it had last evaluated.
    evaluated_us: u64,
}

impl Beat {
    /// Returns the last one of the account; none where the last engine ended in order.
    ///
    /// # Errors
    /// If PostgreSQL does not answer.
    pub(super) async fn last(
        client: &impl GenericClient,
        account: &str,
    ) -> Result<Option<Self>, PostgresError> {
        const LAST: &str = "SELECT trade.micros(beat_ts), trade.micros(evaluated_ts)
            FROM system.engine_beats WHERE account_id = $1 ORDER BY beat_ts DESC LIMIT 1";
        let Some(row) = client.query_opt(LAST, &[&account]).await? else {
            return Ok(None);
        };
        let micros = |us: i64| u64::try_from(us).unwrap_or_default();
        Ok(Some(Self {
            beat_us: micros(row.try_get(0)?),
            evaluated_us: micros(row.try_get(1)?),
        }))
    }
}

/// What an engine finds at its start.
#[derive(Clone, Copy, Debug)]
pub(super) struct Gap {
    /// Last sign of an engine; none where there never was one.
    since_us: Option<u64>,
    /// Live positions.
    positions: usize,
}

impl Gap {
    /// Returns the gap since the last sign of life: when the engine of `beat` had last evaluated, else
    /// the newest of what was stored, `stored_us`, 0 where that is nothing.
    pub(super) fn since(beat: Option<Beat>, stored_us: u64, positions: usize) -> Self {
        let beat = beat.filter(|beat| beat.beat_us + BEAT_COUNTS_US >= stored_us);
        let since_us = beat.map_or(stored_us, |beat| beat.evaluated_us);
        Self {
            since_us: Some(since_us).filter(|since_us| *since_us > 0),
            positions,
        }
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

    const NOW_US: u64 = 100 * MICROS;

    fn beat(beat_s: u64, evaluated_s: u64) -> Option<Beat> {
        Some(Beat {
            beat_us: beat_s * MICROS,
            evaluated_us: evaluated_s * MICROS,
        })
    }

    #[test]
    fn only_positions_that_somebody_judged_before_were_unprotected() {
        for (last, stored_us, positions, seconds) in [
            (None, 97 * MICROS, 2, Some(3)),
            (None, 97 * MICROS - 1, 2, Some(4)),
            (None, 101 * MICROS, 2, Some(0)),
            (None, 97 * MICROS, 0, None),
            (None, 0, 2, None),
            // One that stood still while its process lived and prices were stored.
            (beat(97, 60), 97 * MICROS, 2, Some(40)),
            (beat(92, 60), 97 * MICROS, 2, Some(40)),
            // One that is long gone: another one was there after it.
            (beat(91, 60), 97 * MICROS, 2, Some(3)),
        ] {
            let gap = Gap::since(last, stored_us, positions);
            let told = gap
                .close(NOW_US)
                .map(|alarm| alarm.context["seconds"].clone());
            let expected = seconds.map(serde_json::Value::from);
            assert_eq!(told, expected, "{last:?} {stored_us} {gap:?}");
        }
    }
}
