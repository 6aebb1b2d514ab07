//! Candidates that the operator ends.

use tokio_postgres::Row;
use turnstile_connectors::postgres::Postgres;
use uuid::Uuid;

use crate::api::reentry_expiries::Expiry;
use crate::api::reentry_windows::Removal;
use crate::queries::{QueryError, acting};

/// What became of a request.
pub(crate) enum Requested {
    /// Asked, now or before.
    Stands(Expiry),
    /// There is no such candidate.
    NoCandidate,
    /// It is over by itself.
    Over {
        /// How.
        state: String,
    },
}

/// Asks that a candidate expires, where it is not over.
pub(crate) async fn ask(
    db: &Postgres,
    candidate: Uuid,
    asked: &Removal,
) -> Result<Requested, QueryError> {
    let mut client = db.client().await?;
    let client = acting(&mut client).await?;
    client
        .execute(
            "INSERT INTO trade.reentry_expiries (candidate_id, asked_by, reason)
             SELECT candidate_id, $2, $3 FROM trade.reentry_candidates
             WHERE candidate_id = $1 AND state NOT IN ('EXPIRED', 'BLOCKED')
             ON CONFLICT (candidate_id) DO NOTHING",
            &[&candidate, &asked.asked_by, &asked.reason],
        )
        .await?;
    let row = client
        .query_opt(
            "SELECT c.candidate_id, c.state, e.asked_by, e.reason, e.created_ts
             FROM trade.reentry_candidates c LEFT JOIN trade.reentry_expiries e USING (candidate_id)
             WHERE c.candidate_id = $1",
            &[&candidate],
        )
        .await?;
    client.commit().await?;
    let Some(row) = row else {
        return Ok(Requested::NoCandidate);
    };
    let is_asked: Option<String> = row.try_get("asked_by")?;
    if is_asked.is_none() {
        return Ok(Requested::Over {
            state: row.try_get("state")?,
        });
    }
    Ok(Requested::Stands(expiry(&row)?))
}

fn expiry(row: &Row) -> Result<Expiry, tokio_postgres::Error> {
    Ok(Expiry {
        candidate_id: row.try_get("candidate_id")?,
        asked_by: row.try_get("asked_by")?,
        reason: row.try_get("reason")?,
        created_ts: row.try_get("created_ts")?,
        state: row.try_get("state")?,
    })
}
