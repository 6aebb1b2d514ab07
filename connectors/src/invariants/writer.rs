//! The table `system.invariant_violations`.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};
use turnstile_dataflows::invariants::Violation;
use turnstile_dataflows::model::LogicalTime;
use uuid::Uuid;

use super::board::{InvariantBoard, Stood, Write};
use super::feed::InvariantFeed;
use crate::postgres::{Postgres, PostgresError, Transaction};

/// How long it is waited before what failed is tried again, and how often it is looked whether the desk
/// is still told everything.
const PAUSE: Duration = Duration::from_secs(1);

/// What stands stays as it is, but for its words.
const STANDS: &str = "INSERT INTO system.invariant_violations
        (kind, key, symbol, position_id, detail, since)
    VALUES ($1, $2, $3, $4, $5, timestamptz 'epoch' + $6::bigint * interval '1 microsecond')
    ON CONFLICT (kind, key) WHERE until IS NULL DO UPDATE SET detail = excluded.detail";

const OVER: &str = "UPDATE system.invariant_violations
    SET until = greatest(since, timestamptz 'epoch' + $3::bigint * interval '1 microsecond')
    WHERE kind = $1 AND key = $2 AND until IS NULL";

/// Everything that stands is over but for `$1`, `$2`.
const OTHERS_OVER: &str = "UPDATE system.invariant_violations v
    SET until = greatest(since, timestamptz 'epoch' + $3::bigint * interval '1 microsecond')
    WHERE until IS NULL AND NOT EXISTS (
        SELECT FROM unnest($1::text[], $2::text[]) AS s (kind, key)
        WHERE s.kind = v.kind AND s.key = v.key)";

/// Stores what does not hold, from when on and until when.
pub struct InvariantWriter {
    postgres: Postgres,
    board: InvariantBoard,
    feed: InvariantFeed,
}

impl InvariantWriter {
    /// Returns what stores that which is told on `board`, and says if `feed` is lost.
    pub fn new(postgres: &Postgres, board: InvariantBoard, feed: InvariantFeed) -> Self {
        Self {
            postgres: postgres.clone(),
            board,
            feed,
        }
    }

    /// Stores until `stop`, and then once more what waits.
    pub async fn run(self, stop: CancellationToken) {
        let mut has_failed = false;
        let mut is_loss_told = false;
        loop {
            let is_stopping = tokio::select! {
                biased;
                () = stop.cancelled() => true,
                () = self.board.woken(), if !has_failed => false,
                () = tokio::time::sleep(PAUSE) => false,
            };
            if self.feed.is_lost() && !std::mem::replace(&mut is_loss_told, true) {
                self.board.report_lost();
            }
            let written = self.write_all().await;
            match (&written, has_failed) {
                (Err(error), false) if error.is_transient() => {
                    warn!(%error, "violations not stored, retrying");
                }
                (Err(error), false) => error!(%error, "violations refused, storing what stands"),
                (Ok(()), true) => info!("violations stored again"),
                _ => {}
            }
            has_failed = written.is_err();
            if is_stopping {
                return;
            }
        }
    }

    async fn write_all(&self) -> Result<(), PostgresError> {
        let writes = self.board.writes();
        if writes.is_empty() {
            return Ok(());
        }
        let written = async {
            let mut client = self.postgres.client().await?;
            let transaction = client.transaction().await?;
            for write in &writes {
                store(&transaction, write).await?;
            }
            Ok(transaction.commit().await?)
        };
        let written: Result<(), PostgresError> = written.await;
        match &written {
            Err(error) if error.is_transient() => self.board.put_back(writes),
            // The same would be refused again. What stands by then may not be.
            Err(_) => self.board.begin_anew(),
            Ok(()) => {}
        }
        written
    }
}

async fn store(transaction: &Transaction<'_>, write: &Write) -> Result<(), PostgresError> {
    match write {
        Write::Stands(stood) => stands(transaction, stood).await,
        Write::Over((kind, key), time) => {
            let statement = transaction.prepare_cached(OVER).await?;
            transaction
                .execute(&statement, &[&kind.name(), &&**key, &micros(*time)])
                .await?;
            Ok(())
        }
        Write::All(time, all) => {
            let violations = all.iter().map(|stood| &stood.violation);
            let (kinds, keys): (Vec<&str>, Vec<&str>) = violations
                .map(|violation| (violation.kind.name(), &*violation.key))
                .unzip();
            let statement = transaction.prepare_cached(OTHERS_OVER).await?;
            transaction
                .execute(&statement, &[&kinds, &keys, &micros(*time)])
                .await?;
            for stood in all {
                stands(transaction, stood).await?;
            }
            Ok(())
        }
    }
}

async fn stands(transaction: &Transaction<'_>, stood: &Stood) -> Result<(), PostgresError> {
    let Violation {
        kind,
        key,
        symbol,
        position,
        detail,
    } = &stood.violation;
    let symbol = symbol.map(|symbol| symbol.to_string());
    let position = position.as_ref();
    let position: Option<Uuid> = position.and_then(|id| id.as_str().parse().ok());
    let statement = transaction.prepare_cached(STANDS).await?;
    transaction
        .execute(
            &statement,
            &[
                &kind.name(),
                &&**key,
                &symbol,
                &position,
                &&**detail,
                &micros(stood.since),
            ],
        )
        .await?;
    Ok(())
}

fn micros(time: LogicalTime) -> i64 {
    i64::try_from(time.micros()).unwrap_or(i64::MAX)
}
