//! What came of a replay, as rows of `system.replay_runs` and `system.replay_differences`.

use crate::postgres::{Postgres, PostgresError};

use super::replay::Replayed;

/// One statement: a replay is there with its differences, or not at all.
const RECORD: &str = "WITH run AS (
        INSERT INTO system.replay_runs (day, begun_ts, is_over, ticks, events, decisions, unproven,
            differences)
        VALUES ($1::text::date, $2::text::timestamptz, $3, $4, $5, $6, $7, $8)
        RETURNING replay_id
    ), kept AS (
        INSERT INTO system.replay_differences (replay_id, number, kind, action_key, position,
            decided_us, field, live, replayed)
        SELECT run.replay_id, d.number, d.kind, d.action_key, d.position, d.decided_us, d.field,
            d.live, d.replayed
        FROM run, unnest($9::text[], $10::text[], $11::text[], $12::bigint[], $13::text[],
            $14::text[], $15::text[]) WITH ORDINALITY
            AS d (kind, action_key, position, decided_us, field, live, replayed, number)
    )
    SELECT replay_id FROM run";

/// Stores what came of a replay. Returns its number.
///
/// # Errors
/// If the database does not take it.
pub async fn record(postgres: &Postgres, replayed: &Replayed) -> Result<i64, PostgresError> {
    let count = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    let kept = &replayed.kept;
    let kinds: Vec<&str> = kept.iter().map(|one| one.kind.name()).collect();
    let keys: Vec<&str> = kept.iter().map(|one| one.action_key.as_str()).collect();
    let positions: Vec<&str> = kept.iter().map(|one| one.position.as_str()).collect();
    let times: Vec<i64> = kept.iter().map(|one| count(one.decided_us)).collect();
    let fields: Vec<Option<&str>> = kept.iter().map(|one| one.field.as_deref()).collect();
    let live: Vec<Option<&str>> = kept.iter().map(|one| one.live.as_deref()).collect();
    let now: Vec<Option<&str>> = kept.iter().map(|one| one.replayed.as_deref()).collect();
    let row = postgres
        .client()
        .await?
        .query_one(
            RECORD,
            &[
                &replayed.day.to_string(),
                &replayed.begun.to_string(),
                &replayed.is_over,
                &count(replayed.ticks),
                &count(replayed.events),
                &count(replayed.decisions),
                &count(replayed.unproven),
                &count(replayed.differences),
                &kinds,
                &keys,
                &positions,
                &times,
                &fields,
                &live,
                &now,
            ],
        )
        .await?;
    Ok(row.try_get(0)?)
}
