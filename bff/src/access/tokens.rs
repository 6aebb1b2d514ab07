//! Tokens in the database.

use std::time::SystemTime;

use jiff::Timestamp;
use secrecy::SecretString;
use tokio_postgres::Row;
use tokio_postgres::error::SqlState;
use turnstile_connectors::postgres::{Postgres, PostgresError};

use super::role::Role;
use super::secret::{self, Digest};

/// Longest name of a token, in characters.
const NAME_LENGTH_MAX: usize = 64;

/// Why a token cannot be made, listed or revoked.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The name cannot be used.
    #[error("name: 1 to {NAME_LENGTH_MAX} characters expected, without control characters")]
    Name,
    /// Another token has the name.
    #[error("there is a token {0:?} already; revoke it or take another name")]
    Taken(String),
    /// There is no such token, or it is revoked.
    #[error("there is no token {0:?} that is not revoked")]
    Unknown(String),
    /// A row cannot be read.
    #[error("token {0:?} cannot be read")]
    Unreadable(String),
    /// The system gives no random bytes.
    #[error("no random bytes")]
    Random(#[from] getrandom::Error),
    /// No connection to the database.
    #[error(transparent)]
    Connection(#[from] PostgresError),
    /// The database does not do it.
    #[error("the database refuses")]
    Database(#[from] tokio_postgres::Error),
}

/// A token to make.
#[derive(Clone, Debug)]
pub struct NewToken {
    /// What it is called in the audit; unique among tokens that are not revoked.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// When it ends; none: when it is revoked.
    pub expires: Option<Timestamp>,
    /// Who makes it.
    pub created_by: String,
    /// Why.
    pub reason: Option<String>,
}

/// A token as it is listed: without its secret, which nobody keeps.
#[derive(Clone, Debug)]
pub struct TokenRow {
    /// Its name.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// Who made it.
    pub created_by: String,
    /// When it was made.
    pub created: Timestamp,
    /// When it ends.
    pub expires: Option<Timestamp>,
    /// When a request last came with it, to the minute.
    pub last_used: Option<Timestamp>,
    /// When it was revoked.
    pub revoked: Option<Timestamp>,
}

/// Makes a token and returns its text, which cannot be had again.
///
/// # Errors
/// If the name is taken or cannot be used, or the database does not answer.
pub async fn create(db: &Postgres, new: &NewToken) -> Result<SecretString, TokenError> {
    let length = new.name.chars().count();
    if !(1..=NAME_LENGTH_MAX).contains(&length) || new.name.chars().any(char::is_control) {
        return Err(TokenError::Name);
    }
    let (text, token) = secret::new_token()?;
    let expires = new.expires.map(SystemTime::from);
    let client = db.client().await?;
    let made = client
        .execute(
            "INSERT INTO system.api_tokens
                 (token_id, name, role, secret_sha256, expires_ts, created_by, reason)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
            &[
                &token.public,
                &new.name,
                &new.role.name(),
                &token.digest.bytes(),
                &expires,
                &new.created_by,
                &new.reason,
            ],
        )
        .await;
    match made {
        Ok(_) => Ok(text),
        Err(error) if error.code() == Some(&SqlState::UNIQUE_VIOLATION) => {
            Err(TokenError::Taken(new.name.clone()))
        }
        Err(error) => Err(error.into()),
    }
}

/// Returns all tokens, the newest first.
///
/// # Errors
/// If the database does not answer or a row cannot be read.
pub async fn list(db: &Postgres) -> Result<Vec<TokenRow>, TokenError> {
    let client = db.client().await?;
    let rows = client
        .query(
            "SELECT name, role, created_by, created_ts, expires_ts, last_used_ts, revoked_ts
             FROM system.api_tokens ORDER BY created_ts DESC, token_id",
            &[],
        )
        .await?;
    rows.iter().map(listed).collect()
}

/// Revokes the token `name`. Its requests and sessions end within a second.
///
/// # Errors
/// If there is none, or the database does not answer.
pub async fn revoke(
    db: &Postgres,
    name: &str,
    revoked_by: &str,
    reason: Option<&str>,
) -> Result<(), TokenError> {
    let client = db.client().await?;
    let revoked = client
        .execute(
            "UPDATE system.api_tokens SET revoked_ts = now(), revoked_by = $2,
                 reason = coalesce($3, reason)
             WHERE name = $1 AND revoked_ts IS NULL",
            &[&name, &revoked_by, &reason],
        )
        .await?;
    if revoked == 0 {
        return Err(TokenError::Unknown(name.to_owned()));
    }
    Ok(())
}

/// A token that may be used, or could be but for its end.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) token_id: String,
    pub(super) name: String,
    pub(super) role: Role,
    pub(super) digest: Digest,
    pub(super) expires: Option<Timestamp>,
}

/// The tokens that count.
pub(super) struct InForce {
    /// Those that are not revoked.
    pub(super) tokens: Vec<Known>,
    /// Whether there was ever one: then nobody gets in without.
    pub(super) has_any: bool,
}

/// Returns the tokens that count.
///
/// # Errors
/// If the database does not answer or a row cannot be read.
pub(super) async fn in_force(db: &Postgres) -> Result<InForce, TokenError> {
    let client = db.client().await?;
    let rows = client
        .query(
            "SELECT token_id, name, role, secret_sha256, expires_ts
             FROM system.api_tokens WHERE revoked_ts IS NULL",
            &[],
        )
        .await?;
    let any = "SELECT EXISTS (SELECT FROM system.api_tokens)";
    let has_any = client.query_one(any, &[]).await?.try_get(0)?;
    Ok(InForce {
        tokens: rows.iter().map(known).collect::<Result<_, _>>()?,
        has_any,
    })
}

/// Notes that tokens were used.
///
/// # Errors
/// If the database does not answer.
pub(super) async fn note_use(db: &Postgres, tokens: &[String]) -> Result<(), TokenError> {
    let client = db.client().await?;
    client
        .execute(
            "UPDATE system.api_tokens SET last_used_ts = now() WHERE token_id = ANY ($1)
             AND (last_used_ts IS NULL OR last_used_ts < now() - interval '1 minute')",
            &[&tokens],
        )
        .await?;
    Ok(())
}

fn known(row: &Row) -> Result<Known, TokenError> {
    let name: String = row.try_get("name")?;
    let unreadable = || TokenError::Unreadable(name.clone());
    Ok(Known {
        token_id: row.try_get("token_id")?,
        role: role(row, &name)?,
        digest: Digest::stored(row.try_get("secret_sha256")?).ok_or_else(unreadable)?,
        expires: moment(row, "expires_ts", &name)?,
        name,
    })
}

fn listed(row: &Row) -> Result<TokenRow, TokenError> {
    let name: String = row.try_get("name")?;
    let unreadable = || TokenError::Unreadable(name.clone());
    Ok(TokenRow {
        role: role(row, &name)?,
        created_by: row.try_get("created_by")?,
        created: moment(row, "created_ts", &name)?.ok_or_else(unreadable)?,
        expires: moment(row, "expires_ts", &name)?,
        last_used: moment(row, "last_used_ts", &name)?,
        revoked: moment(row, "revoked_ts", &name)?,
        name,
    })
}

fn role(row: &Row, name: &str) -> Result<Role, TokenError> {
    let role: &str = row.try_get("role")?;
    let unreadable = |_| TokenError::Unreadable(name.to_owned());
    role.parse().map_err(unreadable)
}

fn moment(row: &Row, column: &str, name: &str) -> Result<Option<Timestamp>, TokenError> {
    let moment: Option<SystemTime> = row.try_get(column)?;
    let moment = moment.map(Timestamp::try_from).transpose();
    moment.map_err(|_out_of_range| TokenError::Unreadable(name.to_owned()))
}
