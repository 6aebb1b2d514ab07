//! Alarms: episodes, and who has taken note.

use tokio_postgres::Row;
use tokio_postgres::types::Json;
use turnstile_connectors::postgres::Postgres;
use uuid::Uuid;

use crate::api::alarms::{Acknowledgement, AlarmEpisode};
use crate::cursor::TimeCursor;
use crate::envelope::Listed;
use crate::extract::Page;
use crate::queries::{QueryError, acting, listed, time_key};
use crate::seoul::SeoulTime;

const COLUMNS: &str =
    "a.id, a.key, a.name, a.level, a.instance, a.subject, a.message, a.value, a.threshold,
    a.raised_ts, a.last_ts, a.repeats, a.cleared_ts, a.acknowledged_by, a.acknowledged_ts,
    a.acknowledge_reason,
    coalesce((SELECT jsonb_agg(jsonb_build_object('turn', d.turn, 'channel', d.channel, 'ts', d.ts,
            'attempts', d.attempts, 'fault', d.fault) ORDER BY d.id)
        FROM system.alarm_deliveries d WHERE d.alarm_id = a.id), '[]') AS deliveries";

/// Which episodes are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Those that stand.
    Open,
    /// Those that are over.
    Cleared,
    /// All.
    All,
}

/// What became of an acknowledgement.
pub(crate) enum Acknowledged {
    /// It stands, now or since before.
    Stands(Box<AlarmEpisode>),
    /// There is no such alarm.
    NoAlarm,
    /// The alarm was over before anybody took note.
    Over {
        /// Since when.
        cleared_ts: SeoulTime,
    },
}

/// Returns a page of episodes of these levels, raised last first.
pub(crate) async fn list(
    db: &Postgres,
    state: State,
    levels: &[&str],
    page: Page<TimeCursor>,
) -> Result<Listed<AlarmEpisode, TimeCursor>, QueryError> {
    let client = db.client().await?;
    let is_cleared = match state {
        State::Open => Some(false),
        State::Cleared => Some(true),
        State::All => None,
    };
    let query = format!(
        "SELECT {COLUMNS} FROM system.alarms a
         WHERE (a.raised_ts, a.id) < ($1, $2) AND a.level = ANY($3)
             AND (a.cleared_ts IS NOT NULL) = coalesce($4, a.cleared_ts IS NOT NULL)
         ORDER BY a.raised_ts DESC, a.id DESC LIMIT $5"
    );
    let rows = client
        .query(
            &query,
            &[
                &page.below.ts,
                &page.below.id,
                &levels,
                &is_cleared,
                &(page.limit + 1),
            ],
        )
        .await?;
    let key = time_key("raised_ts", "id");
    listed(&rows, &page, key, episode)
}

/// Returns the episodes `ids`, whatever their state, raised last first.
pub(crate) async fn of(db: &Postgres, ids: &[Uuid]) -> Result<Vec<AlarmEpisode>, QueryError> {
    let client = db.client().await?;
    let query = format!(
        "SELECT {COLUMNS} FROM system.alarms a WHERE a.id = ANY($1)
         ORDER BY a.raised_ts DESC, a.id DESC"
    );
    let rows = client.query(&query, &[&ids]).await?;
    Ok(rows.iter().map(episode).collect::<Result<_, _>>()?)
}

/// Takes note of an alarm that stands and of which nobody has.
pub(crate) async fn acknowledge(
    db: &Postgres,
    id: Uuid,
    asked: &Acknowledgement,
) -> Result<Acknowledged, QueryError> {
    let mut client = db.client().await?;
    let client = acting(&mut client).await?;
    client
        .execute(
            "UPDATE system.alarms SET acknowledged_by = $2, acknowledge_reason = $3,
                 acknowledged_ts = clock_timestamp()
             WHERE id = $1 AND cleared_ts IS NULL AND acknowledged_by IS NULL",
            &[&id, &asked.by, &asked.reason],
        )
        .await?;
    let query = format!("SELECT {COLUMNS} FROM system.alarms a WHERE a.id = $1");
    let row = client.query_opt(&query, &[&id]).await?;
    client.commit().await?;
    let Some(row) = row else {
        return Ok(Acknowledged::NoAlarm);
    };
    let alarm = episode(&row)?;
    Ok(match (alarm.cleared_ts, &alarm.acknowledged_by) {
        (Some(cleared_ts), None) => Acknowledged::Over { cleared_ts },
        _ => Acknowledged::Stands(Box::new(alarm)),
    })
}

fn episode(row: &Row) -> Result<AlarmEpisode, tokio_postgres::Error> {
    Ok(AlarmEpisode {
        id: row.try_get("id")?,
        key: row.try_get("key")?,
        name: row.try_get("name")?,
        level: row.try_get("level")?,
        instance: row.try_get("instance")?,
        subject: row.try_get("subject")?,
        message: row.try_get("message")?,
        value: row.try_get("value")?,
        threshold: row.try_get("threshold")?,
        raised_ts: row.try_get("raised_ts")?,
        last_ts: row.try_get("last_ts")?,
        repeats: row.try_get("repeats")?,
        cleared_ts: row.try_get("cleared_ts")?,
        acknowledged_by: row.try_get("acknowledged_by")?,
        acknowledged_ts: row.try_get("acknowledged_ts")?,
        acknowledge_reason: row.try_get("acknowledge_reason")?,
        deliveries: row.try_get::<_, Json<_>>("deliveries")?.0,
    })
}
