//! Sessions of browsers.

use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use turnstile_connectors::postgres::Postgres;

use super::secret::Digest;
use crate::queries::{QueryError, acting};

/// Name of the cookie.
pub(crate) const COOKIE: &str = "turnstile_session";

/// A session that has not ended.
#[derive(Clone, Debug)]
pub(super) struct Session {
    pub(super) digest: Digest,
    pub(super) token_id: String,
    pub(super) expires: Timestamp,
}

/// Stores a session of the token `token_id` that ends after `life`.
///
/// # Errors
/// If the database does not answer.
pub(super) async fn begin(
    db: &Postgres,
    digest: Digest,
    token_id: &str,
    life: Duration,
) -> Result<Session, QueryError> {
    let mut client = db.client().await?;
    let client = acting(&mut client).await?;
    let row = client
        .query_one(
            "INSERT INTO system.api_sessions (secret_sha256, token_id, expires_ts)
             VALUES ($1, $2, now() + $3::bigint * interval '1 second') RETURNING expires_ts",
            &[
                &digest.bytes(),
                &token_id,
                &i64::try_from(life.as_secs()).unwrap_or(i64::MAX),
            ],
        )
        .await?;
    let expires: SystemTime = row.try_get(0)?;
    client.commit().await?;
    Ok(Session {
        digest,
        token_id: token_id.to_owned(),
        expires: Timestamp::try_from(expires).unwrap_or(Timestamp::MAX),
    })
}

/// Ends a session.
///
/// # Errors
/// If the database does not answer.
pub(super) async fn end(db: &Postgres, digest: Digest) -> Result<(), QueryError> {
    let mut client = db.client().await?;
    let client = acting(&mut client).await?;
    client
        .execute(
            "UPDATE system.api_sessions SET ended_ts = now()
             WHERE secret_sha256 = $1 AND ended_ts IS NULL",
            &[&digest.bytes()],
        )
        .await?;
    Ok(client.commit().await?)
}

/// Returns the sessions that have not ended.
///
/// # Errors
/// If the database does not answer.
pub(super) async fn open(db: &Postgres) -> Result<Vec<Session>, QueryError> {
    let client = db.client().await?;
    let rows = client
        .query(
            "SELECT secret_sha256, token_id, expires_ts FROM system.api_sessions
             WHERE ended_ts IS NULL AND expires_ts > now()",
            &[],
        )
        .await?;
    let mut sessions = Vec::with_capacity(rows.len());
    for row in &rows {
        let expires: SystemTime = row.try_get("expires_ts")?;
        // A digest of another length than the table allows is none.
        if let Some(digest) = Digest::stored(row.try_get("secret_sha256")?) {
            sessions.push(Session {
                digest,
                token_id: row.try_get("token_id")?,
                expires: Timestamp::try_from(expires).unwrap_or(Timestamp::MAX),
            });
        }
    }
    Ok(sessions)
}
