//! Hits that were not decided: every one is a row of `trade.exit_withheld`.

use metrics::counter;
use rust_decimal::Decimal;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use turnstile_dataflows::exit::Withheld;
use uuid::Uuid;

use super::metrics as names;
use super::queue::{Told, store};
use crate::postgres::{Postgres, PostgresError};

const BATCH: usize = 1_000;
const KIND: &str = "withheld";

/// A hit that is there already comes from a commit whose answer was lost.
const WRITE: &str = "INSERT INTO trade.exit_withheld
        (logical_us, position_id, symbol, reason, rule_id, why, price, level)
    SELECT * FROM unnest($1::bigint[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[],
        $7::numeric[], $8::numeric[])
    ON CONFLICT DO NOTHING";

/// Stores withheld hits.
#[derive(Debug)]
pub struct WithheldHits {
    postgres: Postgres,
    hits: mpsc::Receiver<Withheld>,
}

impl WithheldHits {
    /// Returns where hits are told, and the task that stores them. At most `length` wait.
    pub fn new(postgres: &Postgres, length: usize) -> (Told<Withheld>, Self) {
        let (told, hits) = Told::new(KIND, length);
        let postgres = postgres.clone();
        (told, Self { postgres, hits })
    }

    /// Stores hits until nobody can tell more.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut batch = Vec::new();
        while self.hits.recv_many(&mut batch, BATCH).await > 0 {
            for hit in &batch {
                counter!(names::WITHHELD, "why" => hit.why.name()).increment(1);
            }
            store(KIND, batch.len(), &stop, || self.write(&batch)).await;
            batch.clear();
        }
    }

    async fn write(&self, batch: &[Withheld]) -> Result<(), PostgresError> {
        let known = batch
            .iter()
            .filter_map(|hit| Some((hit, hit.position.as_str().parse::<Uuid>().ok()?)));
        let (hits, positions): (Vec<&Withheld>, Vec<Uuid>) = known.unzip();
        let micros = |hit: &&Withheld| i64::try_from(hit.time.micros()).unwrap_or(i64::MAX);
        let times: Vec<i64> = hits.iter().map(micros).collect();
        let symbols: Vec<String> = hits.iter().map(|hit| hit.symbol.to_string()).collect();
        let reasons: Vec<&str> = hits.iter().map(|hit| hit.reason.code()).collect();
        let rules: Vec<Option<&str>> = hits.iter().map(|hit| hit.rule_id.as_deref()).collect();
        let whys: Vec<&str> = hits.iter().map(|hit| hit.why.name()).collect();
        let prices: Vec<Decimal> = hits.iter().map(|hit| hit.price.to_decimal()).collect();
        let levels: Vec<Decimal> = hits.iter().map(|hit| hit.level.to_decimal()).collect();
        let client = self.postgres.client().await?;
        let statement = client.prepare_cached(WRITE).await?;
        client
            .execute(
                &statement,
                &[
                    &times, &positions, &symbols, &reasons, &rules, &whys, &prices, &levels,
                ],
            )
            .await?;
        Ok(())
    }
}
