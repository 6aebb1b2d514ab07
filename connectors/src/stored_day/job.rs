//! The job that replays, each night, the days that are over.

use futures_util::FutureExt;
use jiff::civil::{Date, Time};
use metrics::gauge;
use serde_json::json;
use tokio_util::sync::CancellationToken;
use tracing::info;
use turnstile_dataflows::model::LogicalTime;

use super::error::StoredDayError;
use super::metrics::{DIFFERENCES, UNPROVEN};
use super::record;
use super::replay::{Pace, Replayed, Watch, replay};
use crate::execution::{Alarm, Alarms, Level};
use crate::jobs::{Counts, Days, Job, JobError, JobFuture, Outcome, Schedule};
use crate::postgres::Postgres;
use crate::seoul::seoul_date;

/// Days that are looked back at: what was missed for longer is left to the operator.
const DAYS_BACK: i32 = 7;
/// One worker: a night is long.
const WORKERS: usize = 1;
/// Differences that the alarm names.
const NAMED: usize = 3;

/// Days with a run that reaches into them, of the last `$2` before `$1`, that were not replayed since they
/// are over.
const OPEN: &str = "SELECT day::date::text
    FROM generate_series($1::text::date - $2::integer, $1::text::date - 1, interval '1 day') day
    WHERE NOT EXISTS (
        SELECT FROM system.replay_runs r WHERE r.day = day::date AND r.is_over)
      AND EXISTS (
        SELECT FROM system.engine_runs e
        WHERE e.through_us > trade.micros(day::date::timestamp AT TIME ZONE 'Asia/Seoul')
          AND e.through_us > e.begun_us
          AND e.begun_us < trade.micros((day::date + 1)::timestamp AT TIME ZONE 'Asia/Seoul'))
    ORDER BY day";

/// The job. Each day is replayed once, also one that was missed; by the machine's own clock, which gives
/// logical times, whatever day the exchange has. It takes a connection of its own and half of a core.
pub struct ReplayJob {
    postgres: Postgres,
    alarms: Alarms,
    at: Time,
    now_us: fn() -> u64,
}

/// The job tells nobody in between.
struct Nobody;

impl Watch for Nobody {}

impl ReplayJob {
    /// Returns the job that is due at `at` each day, and raises `alarms` where days differ. `now_us` is the
    /// clock, microseconds since the Unix epoch.
    pub fn new(postgres: Postgres, alarms: Alarms, at: Time, now_us: fn() -> u64) -> Self {
        // Before the first replay nothing differs.
        show(DIFFERENCES, 0);
        show(UNPROVEN, 0);
        Self {
            postgres,
            alarms,
            at,
            now_us,
        }
    }

    async fn open_days(&self) -> Result<Vec<Date>, JobError> {
        let today = seoul_date(LogicalTime::from_micros((self.now_us)()));
        let client = self.postgres.client().await?;
        let rows = client
            .query(OPEN, &[&today.to_string(), &DAYS_BACK])
            .await?;
        let mut days = Vec::with_capacity(rows.len());
        for row in rows {
            let day: &str = row.try_get(0)?;
            days.push((day.parse()).map_err(|error| JobError::Answer(format!("{day}: {error}")))?);
        }
        Ok(days)
    }

    async fn replay(&self, day: Date) -> Result<Replayed, StoredDayError> {
        // Dropping the run is what stops it: what reads ends, and with it the engine.
        let stop = CancellationToken::new();
        let replayed = replay(
            &self.postgres,
            day,
            (WORKERS, Pace::Half),
            &mut Nobody,
            &stop,
        )
        .await?;
        record(&self.postgres, &replayed).await?;
        Ok(replayed)
    }

    /// Raises the alarms where a day came out differently, or where most of it could not be compared.
    fn tell(&self, replayed: &Replayed) {
        let Replayed {
            day,
            decisions,
            unproven,
            differences,
            ..
        } = *replayed;
        show(DIFFERENCES, differences);
        show(UNPROVEN, unproven);
        if unproven > decisions {
            self.alarms.raise(Alarm {
                level: Level::Warning,
                event: "REPLAY_UNPROVEN",
                symbol: None,
                position: None,
                message: format!(
                    "the replay of {day} could not compare {unproven} decisions, and compared {decisions}"
                ),
                context: json!({"day": day.to_string(), "unproven": unproven, "decisions": decisions}),
            });
        }
        if differences == 0 {
            info!(%day, decisions, unproven, "no decision that was compared came out differently");
            return;
        }
        let first = replayed.kept.iter().take(NAMED).map(|one| {
            json!({"kind": one.kind.name(), "action_key": one.action_key, "field": one.field})
        });
        self.alarms.raise(Alarm {
            level: Level::Critical,
            event: "REPLAY_DIFFERS",
            symbol: None,
            position: None,
            message: format!(
                "the replay of {day} differs from what was decided: {differences} differences in \
                 {decisions} decisions"
            ),
            context: json!({"day": day.to_string(), "differences": differences,
                "decisions": decisions, "first": first.collect::<Vec<_>>()}),
        });
    }
}

/// Shows a count as a gauge of this name.
fn show(name: &'static str, count: u64) {
    #[expect(
        clippy::as_conversions,
        clippy::cast_precision_loss,
        reason = "a gauge is a float"
    )]
    gauge!(name).set(count as f64);
}

impl Job for ReplayJob {
    fn name(&self) -> &'static str {
        "replay"
    }

    fn schedule(&self) -> Schedule {
        Schedule::Daily {
            at: self.at,
            on: Days::Every,
        }
    }

    fn has_work(&self, _day: Date) -> JobFuture<'_, bool> {
        async move { Ok(!self.open_days().await?.is_empty()) }.boxed()
    }

    fn run<'j>(&'j self, _day: Date, counts: &'j Counts) -> JobFuture<'j, Outcome> {
        async move {
            let mut first_failure = None;
            for day in self.open_days().await? {
                match self.replay(day).await {
                    Ok(replayed) => {
                        counts.fetched(usize::try_from(replayed.ticks).unwrap_or_default());
                        let differences = usize::try_from(replayed.differences);
                        counts.changed(differences.unwrap_or_default());
                        self.tell(&replayed);
                    }
                    // One that cannot be replayed holds up none of the others.
                    Err(StoredDayError::Store(error)) => return Err(error.into()),
                    Err(error) => {
                        first_failure.get_or_insert(format!("{day}: {error}"));
                    }
                }
            }
            match first_failure {
                None => Ok(Outcome::Done),
                Some(reason) => Err(JobError::Answer(reason)),
            }
        }
        .boxed()
    }
}
