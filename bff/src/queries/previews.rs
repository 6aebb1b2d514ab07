//! Previews: the question, and the answer of the engine.

use tokio_postgres::Row;
use tokio_postgres::types::Json;
use turnstile_connectors::postgres::Postgres;
use uuid::Uuid;

use crate::api::previews::{Preview, PreviewQuestion, PreviewedSale};
use crate::queries::{QueryError, exit_rules};

/// Positions of one answer that are shown.
const SHOWN_MAX: i64 = 1_000;

/// What became of a question.
pub(crate) enum Asked {
    /// Asked, under this request and for this rule.
    Stored(Uuid, String),
    /// There is no such rule.
    NoRule(String),
}

/// Asks the engine.
pub(crate) async fn ask(db: &Postgres, question: &PreviewQuestion) -> Result<Asked, QueryError> {
    let client = db.client().await?;
    let request = Uuid::new_v4();
    let (mut scope, mut scope_key) = (
        question.scope.map(str::to_owned),
        question.scope_key.clone(),
    );
    let rule_id = match &question.rule_id {
        Some(id) => {
            let query = "SELECT scope, scope_key FROM trade.exit_rules WHERE rule_id = $1";
            let row = client.query_opt(query, &[id]).await?;
            match (row, &scope) {
                (_, Some(_)) => {}
                (None, None) => return Ok(Asked::NoRule(id.clone())),
                (Some(row), None) => {
                    (scope, scope_key) = (Some(row.try_get(0)?), row.try_get(1)?);
                }
            }
            id.clone()
        }
        // Of a scope there is one active rule at most: that one would be replaced.
        None => {
            let scope = question.scope.unwrap_or_default();
            let standing = exit_rules::active(&client, scope, scope_key.as_deref()).await?;
            standing.unwrap_or_else(|| format!("preview-{request}"))
        }
    };
    client
        .execute(
            "INSERT INTO trade.rule_previews (request_id, rule_id, scope, scope_key, rules, asked_by)
             VALUES ($1, $2, $3, $4, $5, $6)",
            &[
                &request,
                &rule_id,
                &scope,
                &scope_key,
                &Json(&question.rules),
                &question.asked_by,
            ],
        )
        .await?;
    Ok(Asked::Stored(request, rule_id))
}

/// Returns the answer, once it is there.
pub(crate) async fn answer(
    db: &Postgres,
    request: Uuid,
    rule_id: &str,
) -> Result<Option<Preview>, QueryError> {
    let client = db.client().await?;
    let row = client
        .query_opt(
            "SELECT answered_ts,
                    (SELECT count(*) FROM trade.rule_preview_hits WHERE request_id = $1) AS count
             FROM trade.rule_previews WHERE request_id = $1 AND answered_ts IS NOT NULL",
            &[&request],
        )
        .await?;
    let Some(row) = row else { return Ok(None) };
    let hits = client
        .query(
            "SELECT position_id, symbol, reason, rule_id, qty, price, level
             FROM trade.rule_preview_hits WHERE request_id = $1 ORDER BY position_id LIMIT $2",
            &[&request, &SHOWN_MAX],
        )
        .await?;
    Ok(Some(Preview {
        request_id: request,
        rule_id: rule_id.to_owned(),
        answered_ts: row.try_get("answered_ts")?,
        count: row.try_get("count")?,
        positions: hits.iter().map(sale).collect::<Result<_, _>>()?,
    }))
}

/// Takes a question back that was not answered in time.
pub(crate) async fn withdraw(db: &Postgres, request: Uuid) -> Result<(), QueryError> {
    let client = db.client().await?;
    client
        .execute(
            "DELETE FROM trade.rule_previews WHERE request_id = $1",
            &[&request],
        )
        .await?;
    Ok(())
}

fn sale(row: &Row) -> Result<PreviewedSale, tokio_postgres::Error> {
    Ok(PreviewedSale {
        position_id: row.try_get("position_id")?,
        symbol: row.try_get("symbol")?,
        reason: row.try_get("reason")?,
        rule_id: row.try_get("rule_id")?,
        qty: row.try_get("qty")?,
        price: row.try_get("price")?,
        level: row.try_get("level")?,
    })
}
