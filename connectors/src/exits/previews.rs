//! Answers to previews: which positions would sell now if a rule stood.

use std::sync::Arc;
use std::time::Duration;

use metrics::counter;
use rust_decimal::Decimal;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tracing::warn;
use turnstile_dataflows::exit::ExitDecision;
use turnstile_dataflows::model::LogicalTime;
use uuid::Uuid;

use super::metrics as names;
use super::queue::{Told, store};
use crate::postgres::{Postgres, PostgresError};

/// Answers that may wait. An answer that is lost is asked for again.
const QUEUE: usize = 64;
const KIND: &str = "preview";

/// Nobody waits any more for the answer to a question that is gone or answered.
const LOCK: &str = "SELECT 1 FROM trade.rule_previews
    WHERE request_id = $1 AND answered_us IS NULL FOR NO KEY UPDATE";

const WRITE_HITS: &str = "INSERT INTO trade.rule_preview_hits
        (request_id, position_id, symbol, reason, rule_id, qty, price, level)
    SELECT $1, h.* FROM unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::bigint[],
        $7::numeric[], $8::numeric[]) AS h";

const ANSWER: &str = "UPDATE trade.rule_previews
    SET answered_us = $2, answered_ts = clock_timestamp() WHERE request_id = $1";

/// Deletes previews older than `age`, with their answers.
///
/// # Errors
/// If the statement fails.
pub async fn prune_previews(postgres: &Postgres, age: Duration) -> Result<(), PostgresError> {
    let seconds = i64::try_from(age.as_secs()).unwrap_or(i64::MAX);
    let client = postgres.client().await?;
    client
        .execute(
            "DELETE FROM trade.rule_previews
             WHERE created_ts < now() - make_interval(secs => $1::bigint::double precision)",
            &[&seconds],
        )
        .await?;
    Ok(())
}

/// The answer to one preview.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The question.
    pub request: Arc<str>,
    /// Logical time at which it was answered.
    pub time: LogicalTime,
    /// What would be decided.
    pub hits: Vec<ExitDecision>,
}

/// Stores answers.
#[derive(Debug)]
pub struct Answers {
    postgres: Postgres,
    answers: mpsc::Receiver<Answer>,
}

impl Answers {
    /// Returns where answers are told, and the task that stores them.
    pub fn new(postgres: &Postgres) -> (Told<Answer>, Self) {
        let (told, answers) = Told::new(KIND, QUEUE);
        let postgres = postgres.clone();
        (told, Self { postgres, answers })
    }

    /// Stores answers until nobody can tell more.
    pub async fn run(mut self, stop: CancellationToken) {
        while let Some(answer) = self.answers.recv().await {
            let Ok(request) = answer.request.parse::<Uuid>() else {
                warn!(
                    request = &*answer.request,
                    "a preview that nobody asked for"
                );
                continue;
            };
            let is_stored = store(KIND, 1, &stop, || self.write(request, &answer));
            if is_stored.await {
                counter!(names::PREVIEWS).increment(1);
            }
        }
    }

    /// One transaction, so that whoever sees the answer sees all of it.
    async fn write(&self, request: Uuid, answer: &Answer) -> Result<(), PostgresError> {
        let known = answer.hits.iter();
        let known =
            known.filter_map(|hit| Some((hit, hit.position.as_str().parse::<Uuid>().ok()?)));
        let (hits, positions): (Vec<&ExitDecision>, Vec<Uuid>) = known.unzip();
        let symbols: Vec<String> = hits.iter().map(|hit| hit.symbol.to_string()).collect();
        let reasons: Vec<&str> = hits.iter().map(|hit| hit.reason.code()).collect();
        let rules: Vec<Option<&str>> = hits.iter().map(|hit| hit.rule_id.as_deref()).collect();
        let quantities: Vec<i64> = hits.iter().map(|hit| hit.qty.shares()).collect();
        let prices: Vec<Decimal> = hits.iter().map(|hit| hit.price.to_decimal()).collect();
        let levels: Vec<Decimal> = hits.iter().map(|hit| hit.level.to_decimal()).collect();
        let answered_us = i64::try_from(answer.time.micros()).unwrap_or(i64::MAX);
        let mut client = self.postgres.client().await?;
        let transaction = client.transaction().await?;
        if transaction.query_opt(LOCK, &[&request]).await?.is_none() {
            return Ok(());
        }
        transaction
            .execute(
                WRITE_HITS,
                &[
                    &request,
                    &positions,
                    &symbols,
                    &reasons,
                    &rules,
                    &quantities,
                    &prices,
                    &levels,
                ],
            )
            .await?;
        transaction
            .execute(ANSWER, &[&request, &answered_us])
            .await?;
        transaction.commit().await?;
        Ok(())
    }
}
