//! Runs of an engine: where each begins, and how far it is stored without a gap.

use jiff::civil::Date;
use tokio_postgres::GenericClient;
use uuid::Uuid;

use super::error::StoredDayError;
use super::times_of;
use crate::postgres::{Postgres, PostgresError};

const BEGIN: &str = "INSERT INTO system.engine_runs (run_id, account_id, begun_us, through_us)
    VALUES ($1, $2, $3, $3)";
const PROVE: &str =
    "UPDATE system.engine_runs SET through_us = greatest(through_us, $2) WHERE run_id = $1";
const END: &str = "UPDATE system.engine_runs
    SET through_us = greatest(through_us, $2), ended_ts = clock_timestamp() WHERE run_id = $1";
/// Of runs from before the day only the last can reach into it.
const RUNS: &str = "SELECT begun_us, through_us FROM system.engine_runs
    WHERE begun_us < $2 AND begun_us >= coalesce(
        (SELECT max(begun_us) FROM system.engine_runs WHERE begun_us <= $1), 0)
    ORDER BY begun_us";
/// A day that was put back since is whole again.
const ARCHIVED: &str = "SELECT day::text, string_agg(file, ', ' ORDER BY part)
    FROM system.archives a
    WHERE day >= $1::text::date AND day <= $2::text::date AND rows > 0 AND NOT EXISTS (
        SELECT FROM system.archive_restores r
        WHERE r.day = a.day AND r.restored_ts > a.archived_ts)
    GROUP BY day ORDER BY day LIMIT 1";

/// A row of `system.engine_runs`, as the engine of the run moves it.
#[derive(Clone, Debug)]
pub struct EngineRun {
    postgres: Postgres,
    run_id: Uuid,
}

impl EngineRun {
    /// Notes that a run of the account's engine begins: its load, and everything after it, has logical
    /// times later than `begun_us`.
    ///
    /// # Errors
    /// If the database does not take it.
    pub async fn begin(
        postgres: &Postgres,
        account: &str,
        begun_us: u64,
    ) -> Result<Self, PostgresError> {
        let run_id = Uuid::new_v4();
        let begun_us = micros(begun_us);
        let client = postgres.client().await?;
        client
            .execute(BEGIN, &[&run_id, &account, &begun_us])
            .await?;
        Ok(Self {
            postgres: postgres.clone(),
            run_id,
        })
    }

    /// Notes that everything up to and including `through_us` is stored: inputs, and decisions.
    ///
    /// # Errors
    /// If the database does not take it.
    pub async fn prove(&self, through_us: u64) -> Result<(), PostgresError> {
        self.note(PROVE, through_us).await
    }

    /// Notes that the run has ended in order, at `through_us`.
    ///
    /// # Errors
    /// If the database does not take it.
    pub async fn end(&self, through_us: u64) -> Result<(), PostgresError> {
        self.note(END, through_us).await
    }

    async fn note(&self, statement: &str, through_us: u64) -> Result<(), PostgresError> {
        let client = self.postgres.client().await?;
        let through_us = micros(through_us);
        client
            .execute(statement, &[&self.run_id, &through_us])
            .await?;
        Ok(())
    }
}

fn micros(us: u64) -> i64 {
    i64::try_from(us).unwrap_or(i64::MAX)
}

/// The part of a run that is replayed, logical times in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    /// Before its load, exclusive.
    pub(super) begun_us: u64,
    /// The last one, inclusive.
    pub(super) through_us: u64,
}

impl Span {
    /// Returns whether a logical time belongs to it.
    pub(super) const fn holds(&self, us: u64) -> bool {
        self.begun_us < us && us <= self.through_us
    }
}

/// Returns what has to be replayed for a day, in order.
pub(super) async fn spans(
    client: &impl GenericClient,
    day: Date,
) -> Result<Vec<Span>, StoredDayError> {
    let (begin_us, end_us) = times_of(day)?;
    let rows = client
        .query(RUNS, &[&micros(begin_us), &micros(end_us)])
        .await?;
    let mut runs = Vec::with_capacity(rows.len());
    for row in rows {
        let us = |us: i64| u64::try_from(us).unwrap_or_default();
        runs.push(Span {
            begun_us: us(row.try_get(0)?),
            through_us: us(row.try_get(1)?),
        });
    }
    Ok(within(runs, (begin_us, end_us)))
}

/// Cuts runs, in order of their begin, to what belongs to a day, so that each time is of one run at most. A
/// process that lost its lock may go on to prove what it has while the next one has begun: from there on
/// it is the next one's word that counts.
fn within(mut runs: Vec<Span>, (begin_us, end_us): (u64, u64)) -> Vec<Span> {
    let mut next_us = end_us - 1;
    for run in runs.iter_mut().rev() {
        run.through_us = run.through_us.min(next_us);
        next_us = run.begun_us.min(next_us);
    }
    // One that ended before the day, or before it proved anything, has nothing to say.
    runs.retain(|run| run.through_us > run.begun_us.max(begin_us));
    runs
}

/// Refuses a day whose prices are not all in `market.prices`.
pub(super) async fn check_archives(
    client: &impl GenericClient,
    first: Date,
    last: Date,
) -> Result<(), StoredDayError> {
    let row = client
        .query_opt(ARCHIVED, &[&first.to_string(), &last.to_string()])
        .await?;
    let Some(row) = row else { return Ok(()) };
    let day: &str = row.try_get(0)?;
    Err(StoredDayError::Archived {
        day: day.parse().unwrap_or(first),
        files: row.try_get(1)?,
    })
}

/// Returns how much of the spans is played, microseconds of logical time.
pub(super) fn length_us(spans: &[Span]) -> u64 {
    let lengths = spans.iter().map(|span| span.through_us - span.begun_us);
    lengths.sum::<u64>().max(1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn span((begun_us, through_us): (u64, u64)) -> Span {
        Span {
            begun_us,
            through_us,
        }
    }

    #[test]
    fn a_run_is_cut_where_the_next_one_begins_and_where_the_day_ends() {
        let runs = [(50, 90), (95, 180), (150, 260), (160, 160)].map(span);
        let expected = [(95, 150), (150, 160)].map(span);
        assert_eq!(within(runs.to_vec(), (100, 200)), expected);
        let whole = [(50, 120), (130, 199)].map(span);
        let longer = [(50, 120), (130, 500)].map(span);
        assert_eq!(within(longer.to_vec(), (100, 200)), whole);
    }

    proptest! {
        #[test]
        fn every_time_is_of_one_run_at_most_and_of_the_last_that_has_begun(
            runs in prop::collection::vec((0..300_u64, 0..100_u64), 0..8),
        ) {
            let mut runs: Vec<Span> = runs
                .into_iter()
                .map(|(begun_us, length)| span((begun_us, begun_us + length)))
                .collect();
            runs.sort_by_key(|run| run.begun_us);
            let cut = within(runs.clone(), (100, 200));
            for us in 100..200 {
                let last = runs.iter().rev().find(|run| run.begun_us < us);
                let expected = last.filter(|run| run.holds(us)).map(|run| run.begun_us);
                let held: Vec<u64> = cut.iter().filter(|run| run.holds(us)).map(|run| run.begun_us).collect();
                // A run that has proven nothing of the day is left out, and so is its single first moment.
                if us > 100 {
                    prop_assert_eq!(held, Vec::from_iter(expected));
                }
            }
        }
    }
}
