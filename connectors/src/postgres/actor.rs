//! Who acts, as the audit of the database has it.

use super::{PostgresClient, Transaction};

/// Who acts in which request. Triggers write both to `system.audit_log`.
#[derive(Clone, Debug, Default)]
pub struct Actor {
    /// Name of the token; empty: the role of the database counts.
    pub name: String,
    /// Id of the request; empty: none.
    pub request_id: String,
}

/// Begins a transaction that says who acts.
///
/// # Errors
/// If the database does not answer.
pub async fn begin_as<'c>(
    client: &'c mut PostgresClient,
    actor: &Actor,
) -> Result<Transaction<'c>, tokio_postgres::Error> {
    let transaction = client.transaction().await?;
    transaction
        .execute(
            "SELECT set_config('turnstile.actor', $1, true),
                 set_config('turnstile.request_id', $2, true)",
            &[&actor.name, &actor.request_id],
        )
        .await?;
    Ok(transaction)
}
