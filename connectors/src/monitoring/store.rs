//! What the database keeps of alarms. While PostgreSQL is away what has to be written waits.

use std::collections::BTreeMap;
use std::time::Duration;

use metrics::counter;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};
use uuid::Uuid;

use super::delivery::Delivered;
use super::episodes::{Ends, Episode, Raise};
use super::metrics as names;
use crate::postgres::{LogLevel, Postgres, PostgresError};

/// What may wait. A day of an outage with an alarm a minute fits.
const QUEUE: usize = 2_048;
const RETRY: Duration = Duration::from_millis(500);

const UPDATE: &str = "UPDATE system.alarms SET
        acknowledged_by = CASE WHEN level = $2 THEN acknowledged_by END,
        acknowledged_ts = CASE WHEN level = $2 THEN acknowledged_ts END,
        acknowledge_reason = CASE WHEN level = $2 THEN acknowledge_reason END,
        level = $2, message = $3, value = $4, threshold = $5,
        last_ts = timestamptz 'epoch' + $6::bigint * interval '1 microsecond', repeats = $7,
        cleared_ts = timestamptz 'epoch' + $8::bigint * interval '1 microsecond'
    WHERE id = $1";
/// Another process of this name may have the episode open.
const INSERT: &str = "INSERT INTO system.alarms AS a
        (id, level, message, value, threshold, last_ts, repeats, cleared_ts,
         key, name, instance, subject, raised_ts)
    VALUES ($1, $2, $3, $4, $5, timestamptz 'epoch' + $6::bigint * interval '1 microsecond', $7,
        timestamptz 'epoch' + $8::bigint * interval '1 microsecond', $9, $10, $11, $12,
        timestamptz 'epoch' + $13::bigint * interval '1 microsecond')
    ON CONFLICT (key) WHERE cleared_ts IS NULL DO UPDATE SET
        message = excluded.message, value = excluded.value, last_ts = excluded.last_ts
    RETURNING id";
const DELIVERED: &str =
    "INSERT INTO system.alarm_deliveries (alarm_id, turn, channel, ts, attempts, fault)
    VALUES ($1, $2, $3, timestamptz 'epoch' + $4::bigint * interval '1 microsecond', $5, $6)";
const OPEN: &str = "SELECT id, key, name, subject, level, message, value, threshold,
        (extract(epoch FROM raised_ts) * 1000000)::bigint, (extract(epoch FROM last_ts) * 1000000)::bigint
    FROM system.alarms WHERE instance = $1 AND cleared_ts IS NULL";

/// Something to be kept.
#[derive(Debug)]
pub(super) enum Record {
    /// An episode as it stands.
    Episode(Box<Episode>),
    /// What became of a message, and when.
    Delivered(Delivered, i64),
}

/// The way into the database. Never waits.
#[derive(Clone, Debug)]
pub(super) struct AlarmStore(mpsc::Sender<Record>);

impl AlarmStore {
    pub(super) fn keep(&self, record: Record) {
        if self.0.try_send(record).is_err() {
            counter!(names::WRITES_LOST).increment(1);
        }
    }
}

/// Writes what is to be kept, in order.
pub(super) struct AlarmWriter {
    records: mpsc::Receiver<Record>,
    postgres: Postgres,
    instance: String,
    /// Episodes that another process has opened under another id.
    known_as: BTreeMap<Uuid, Uuid>,
}

impl AlarmWriter {
    /// Returns the way in, and the task that writes.
    pub(super) fn new(postgres: Postgres, instance: String) -> (AlarmStore, Self) {
        let (sender, records) = mpsc::channel(QUEUE);
        let writer = Self {
            records,
            postgres,
            instance,
            known_as: BTreeMap::new(),
        };
        (AlarmStore(sender), writer)
    }

    /// Returns the episodes of earlier runs that stand still.
    pub(super) async fn open(&self) -> Result<Vec<Episode>, PostgresError> {
        let client = self.postgres.client().await?;
        let rows = client.query(OPEN, &[&self.instance]).await?;
        let episodes = rows.iter().map(|row| {
            let name: String = row.try_get(2)?;
            let level: String = row.try_get(4)?;
            let key: String = row.try_get(1)?;
            let ends = super::events::ends_of(&key);
            let raise = Raise {
                key,
                name,
                subject: row.try_get(3)?,
                level: LogLevel::of_name(&level).unwrap_or(LogLevel::Critical),
                message: row.try_get(5)?,
                value: row.try_get(6)?,
                limit: row.try_get(7)?,
                ends: ends.unwrap_or(Ends::WhenCleared),
            };
            let (raised_us, last_us) = (row.try_get(8)?, row.try_get(9)?);
            Ok(Episode::adopted(row.try_get(0)?, raise, raised_us, last_us))
        });
        episodes.collect()
    }

    /// Writes until every way in is dropped. After `stop` what waits is tried once more.
    pub(super) async fn run(mut self, stop: CancellationToken) {
        while let Some(record) = self.records.recv().await {
            let mut has_failed = false;
            while let Err(error) = self.write(&record).await {
                if !error.is_transient() {
                    error!(%error, "an alarm cannot be stored");
                    break;
                }
                if !std::mem::replace(&mut has_failed, true) {
                    warn!(%error, "alarms not stored, retrying");
                }
                let pause = tokio::time::sleep(RETRY);
                if stop.run_until_cancelled(pause).await.is_none() {
                    break;
                }
            }
        }
    }

    async fn write(&mut self, record: &Record) -> Result<(), PostgresError> {
        match record {
            Record::Episode(episode) => self.write_episode(episode).await,
            Record::Delivered(delivered, at_us) => {
                let alarm = self.id(delivered.alarm);
                let attempts = i32::try_from(delivered.attempts).unwrap_or(i32::MAX);
                let (turn, fault) = (delivered.turn.name(), &delivered.fault);
                let client = self.postgres.client().await?;
                let values: &[&(dyn tokio_postgres::types::ToSql + Sync)] =
                    &[&alarm, &turn, &delivered.channel, at_us, &attempts, fault];
                client.execute(DELIVERED, values).await?;
                Ok(())
            }
        }
    }

    async fn write_episode(&mut self, episode: &Episode) -> Result<(), PostgresError> {
        let id = self.id(episode.id);
        let Raise {
            key,
            name,
            subject,
            message,
            value,
            limit,
            ..
        } = &episode.raise;
        let level = episode.worst.name();
        let Episode {
            last_us,
            repeats,
            cleared_us,
            raised_us,
            ..
        } = episode;
        let client = self.postgres.client().await?;
        let updated = client
            .execute(
                UPDATE,
                &[
                    &id, &level, message, value, limit, last_us, repeats, cleared_us,
                ],
            )
            .await?;
        if updated == 0 {
            let row = client
                .query_one(
                    INSERT,
                    &[
                        &id,
                        &level,
                        message,
                        value,
                        limit,
                        last_us,
                        repeats,
                        cleared_us,
                        key,
                        name,
                        &self.instance,
                        subject,
                        raised_us,
                    ],
                )
                .await?;
            let stored: Uuid = row.try_get(0)?;
            if stored != id {
                self.known_as.insert(episode.id, stored);
            }
        }
        if cleared_us.is_some() {
            self.known_as.remove(&episode.id);
        }
        Ok(())
    }

    fn id(&self, ours: Uuid) -> Uuid {
        self.known_as.get(&ours).copied().unwrap_or(ours)
    }
}
