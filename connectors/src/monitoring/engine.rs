//! Whether the engine evaluates: seen from its own process, and from others by its beats in PostgreSQL.
//!
//! The engine hands out what it has evaluated at least once a second, since the clock is an event, too.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use metrics::gauge;
use tokio::time::{MissedTickBehavior, timeout};
use tokio_util::sync::CancellationToken;
use tracing::debug;
use uuid::Uuid;

use super::metrics as names;
use crate::postgres::{Postgres, PostgresError};

const EVERY: Duration = Duration::from_secs(1);
/// A beat that takes longer is left out.
const PATIENCE: Duration = Duration::from_secs(2);

/// When the engine last evaluated. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct EngineProgress(Arc<AtomicU64>);

impl EngineProgress {
    /// Notes that the engine has handed out what it evaluated, at this time of the wall clock,
    /// microseconds.
    pub fn note(&self, now_us: u64) {
        self.0.store(now_us, Ordering::Relaxed);
    }

    fn evaluated_us(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

const BEAT: &str = "INSERT INTO system.engine_beats AS b (engine_id, account_id, instance, beat_ts, evaluated_ts)
    VALUES ($1, $2, $3, clock_timestamp(), clock_timestamp() - make_interval(secs => $4))
    ON CONFLICT (engine_id) DO UPDATE SET beat_ts = excluded.beat_ts, evaluated_ts = excluded.evaluated_ts";
/// Who holds the lock of the account is the one engine: what others have left is of the dead, or of one
/// that beats again.
const TAKE_OVER: &str = "DELETE FROM system.engine_beats WHERE account_id = $1";
const ACTIVE: &str = "SELECT count(*)::float8 FROM system.engine_beats
    WHERE account_id = $1 AND beat_ts > clock_timestamp() - interval '5 seconds'";
const END: &str = "DELETE FROM system.engine_beats WHERE engine_id = $1";
/// Silent is who evaluates no more, and who does not even say so. None where no engine is active.
const AGE: &str =
    "SELECT extract(epoch FROM clock_timestamp() - min(least(evaluated_ts, beat_ts)))::float8
    FROM system.engine_beats";

/// The beats of the active engine of an account.
struct Beats {
    postgres: Postgres,
    engine: Uuid,
    account: String,
    instance: String,
}

/// Shows how long ago the engine evaluated, and tells other processes, until `stop`.
pub async fn beat_engine(
    progress: EngineProgress,
    clock: fn() -> u64,
    (postgres, account, instance): (Postgres, String, String),
    stop: CancellationToken,
) {
    let beats = Beats {
        postgres,
        engine: Uuid::new_v4(),
        account,
        instance,
    };
    let showing = crate::task::spawn(
        "engine watchdog",
        show_age(progress.clone(), clock, stop.clone()),
    );
    let mut has_taken_over = false;
    let mut step = tokio::time::interval(EVERY);
    step.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while stop.run_until_cancelled(step.tick()).await.is_some() {
        let age = age(clock(), progress.evaluated_us());
        let beaten = timeout(PATIENCE, beats.beat(age, &mut has_taken_over)).await;
        match beaten {
            Ok(Ok(active)) => gauge!(names::ACTIVE_ENGINES).set(active),
            // The probe tells of PostgreSQL.
            Ok(Err(error)) => debug!(%error, "no beat"),
            Err(_) => debug!("no beat in time"),
        }
    }
    let ended = timeout(PATIENCE, beats.end()).await;
    if !matches!(ended, Ok(Ok(()))) {
        debug!("the last beat stays");
    }
    drop(showing.await);
}

impl Beats {
    /// Beats, and returns how many engines of the account do.
    async fn beat(&self, age: f64, has_taken_over: &mut bool) -> Result<f64, PostgresError> {
        let client = self.postgres.client().await?;
        if !std::mem::replace(has_taken_over, true) {
            client.execute(TAKE_OVER, &[&self.account]).await?;
        }
        client
            .execute(BEAT, &[&self.engine, &self.account, &self.instance, &age])
            .await?;
        Ok(client
            .query_one(ACTIVE, &[&self.account])
            .await?
            .try_get(0)?)
    }

    async fn end(&self) -> Result<(), PostgresError> {
        let client = self.postgres.client().await?;
        client.execute(END, &[&self.engine]).await?;
        Ok(())
    }
}

async fn show_age(progress: EngineProgress, clock: fn() -> u64, stop: CancellationToken) {
    progress.note(clock());
    let mut step = tokio::time::interval(EVERY / 2);
    while stop.run_until_cancelled(step.tick()).await.is_some() {
        gauge!(names::EVALUATION_AGE).set(age(clock(), progress.evaluated_us()));
    }
    gauge!(names::EVALUATION_AGE).set(0.0);
}

fn age(now_us: u64, evaluated_us: u64) -> f64 {
    Duration::from_micros(now_us.saturating_sub(evaluated_us)).as_secs_f64()
}

/// Shows, in a process without an engine, how long ago that of another process evaluated, until `stop`.
/// Where none is active there is nothing to show; where PostgreSQL is away, nothing new.
pub(super) async fn watch_engine(postgres: Postgres, stop: CancellationToken) {
    let mut step = tokio::time::interval(EVERY);
    step.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while stop.run_until_cancelled(step.tick()).await.is_some() {
        let look = async {
            let client = postgres.client().await?;
            let age: Option<f64> = client.query_one(AGE, &[]).await?.try_get(0)?;
            Ok::<_, PostgresError>(age)
        };
        if let Ok(Ok(age)) = timeout(PATIENCE, look).await {
            gauge!(names::EVALUATION_AGE).set(age.unwrap_or(0.0));
        }
    }
}
