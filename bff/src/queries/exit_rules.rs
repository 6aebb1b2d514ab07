//! Exit rules.

use tokio_postgres::Row;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::{Json, ToSql};
use turnstile_connectors::postgres::{Postgres, PostgresClient};

use crate::api::exit_rules::{ExitRule, RuleChange};
use crate::cursor::NameCursor;
use crate::envelope::Listed;
use crate::extract::Page;
use crate::queries::{QueryError, Saved, acting, listed};

const COLUMNS: &str = "rule_id, scope, scope_key, name, description, rules, version, is_active,
    effective_from::text AS effective_from, reason, created_by, updated_by, created_ts, updated_ts";

/// Returns a page of rules, by id in the order of bytes.
pub(crate) async fn list(
    db: &Postgres,
    page: Page<NameCursor>,
) -> Result<Listed<ExitRule, NameCursor>, QueryError> {
    let client = db.client().await?;
    let query = format!(
        "SELECT {COLUMNS} FROM trade.exit_rules WHERE rule_id COLLATE \"C\" > $1
         ORDER BY rule_id COLLATE \"C\" LIMIT $2"
    );
    let rows = client
        .query(&query, &[&page.below.0, &(page.limit + 1)])
        .await?;
    let key = |row: &Row| Ok(NameCursor(row.try_get("rule_id")?));
    listed(&rows, &page, key, rule)
}

/// Returns the rule `id`.
pub(crate) async fn one(db: &Postgres, id: &str) -> Result<Option<ExitRule>, QueryError> {
    let client = db.client().await?;
    let query = format!("SELECT {COLUMNS} FROM trade.exit_rules WHERE rule_id = $1");
    let row = client.query_opt(&query, &[&id]).await?;
    Ok(row.as_ref().map(rule).transpose()?)
}

/// Another active rule has the scope that is asked for.
pub(crate) struct ScopeTaken {
    /// That rule, unless it has gone meanwhile.
    pub(crate) rule_id: Option<String>,
}

/// Saves a rule if it stands at the version that the change was made from.
pub(crate) async fn save(
    db: &Postgres,
    id: &str,
    change: &RuleChange,
) -> Result<Result<Saved<ExitRule>, ScopeTaken>, QueryError> {
    let mut client = db.client().await?;
    let rules = Json(&change.rules);
    let name = change.name.as_deref().unwrap_or(id);
    let mut values: Vec<&(dyn ToSql + Sync)> = vec![
        &id,
        &change.scope,
        &change.scope_key,
        &name,
        &change.description,
        &rules,
        &change.is_active,
        &change.effective_from,
        &change.reason,
        &change.updated_by,
    ];
    let statement = match &change.version {
        Some(version) => {
            values.push(version);
            format!(
                "UPDATE trade.exit_rules SET scope = $2, scope_key = $3, name = $4, description = $5,
                     rules = $6, is_active = $7, effective_from = $8::text::date, reason = $9,
                     updated_by = $10, version = version + 1
                 WHERE rule_id = $1 AND version = $11 RETURNING {COLUMNS}"
            )
        }
        None => format!(
            "INSERT INTO trade.exit_rules (rule_id, scope, scope_key, name, description, rules,
                 is_active, effective_from, reason, created_by, updated_by)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8::text::date, $9, $10, $10)
             ON CONFLICT (rule_id) DO NOTHING RETURNING {COLUMNS}"
        ),
    };
    let transaction = acting(&mut client).await?;
    match transaction.query_opt(&statement, &values).await {
        Ok(Some(row)) => {
            let saved = rule(&row)?;
            transaction.commit().await?;
            Ok(Ok(Saved::Done(saved)))
        }
        Ok(None) => {
            let version = "SELECT version FROM trade.exit_rules WHERE rule_id = $1";
            let row = transaction.query_opt(version, &[&id]).await?;
            let version = row.map(|row| row.try_get(0)).transpose()?;
            Ok(Ok(Saved::unsaved(version)))
        }
        Err(error) if error.code() == Some(&SqlState::UNIQUE_VIOLATION) => {
            transaction.rollback().await?;
            let rule_id = active(&client, change.scope, change.scope_key.as_deref()).await?;
            Ok(Err(ScopeTaken { rule_id }))
        }
        Err(error) => Err(error.into()),
    }
}

/// Returns the active rule of a scope that has one at most.
pub(crate) async fn active(
    client: &PostgresClient,
    scope: &str,
    scope_key: Option<&str>,
) -> Result<Option<String>, QueryError> {
    let row = client
        .query_opt(
            "SELECT rule_id FROM trade.exit_rules
             WHERE is_active AND scope <> 'POSITION' AND scope = $1
               AND scope_key IS NOT DISTINCT FROM $2",
            &[&scope, &scope_key],
        )
        .await?;
    Ok(row.map(|row| row.try_get(0)).transpose()?)
}

fn rule(row: &Row) -> Result<ExitRule, tokio_postgres::Error> {
    Ok(ExitRule {
        rule_id: row.try_get("rule_id")?,
        scope: row.try_get("scope")?,
        scope_key: row.try_get("scope_key")?,
        name: row.try_get("name")?,
        description: row.try_get("description")?,
        rules: row.try_get::<_, Json<_>>("rules")?.0,
        version: row.try_get("version")?,
        is_active: row.try_get("is_active")?,
        effective_from: row.try_get("effective_from")?,
        reason: row.try_get("reason")?,
        created_by: row.try_get("created_by")?,
        updated_by: row.try_get("updated_by")?,
        created_ts: row.try_get("created_ts")?,
        updated_ts: row.try_get("updated_ts")?,
    })
}
