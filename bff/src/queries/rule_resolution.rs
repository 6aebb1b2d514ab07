//! Resolution of exit rules: the rows are read here, the choice is the engine's own.

use std::sync::Arc;

use jiff::civil::Date;
use serde_json::Value;
use tokio_postgres::types::Json;
use tokio_postgres::{GenericClient, Row};
use turnstile_connectors::exit_rules::StoredRule;
use turnstile_connectors::postgres::Postgres;
use turnstile_dataflows::exit::{ExitRule, RuleLevel, rules_serving};
use turnstile_dataflows::model::{ProfileId, Symbol};
use uuid::Uuid;

use crate::api::rule_resolution::{PassedOver, Resolution, ServingRule};
use crate::queries::QueryError;

/// What is known of a position.
#[expect(
    clippy::large_enum_variant,
    reason = "one value a request, handed on at once"
)]
pub(crate) enum Found {
    /// It lives: what serves it.
    Live(Resolution),
    /// Nothing serves it any more.
    Closed,
    /// There is none.
    Nothing,
}

const POSITION: &str = "SELECT p.symbol, p.strategy_id, p.exit_profile_id, p.status,
        told.profile_id, told.profile_version, told.profile_level
    FROM trade.positions p
    LEFT JOIN LATERAL (
        SELECT profile_id, profile_version, profile_level
        FROM trade.exit_levels WHERE position_id = p.position_id LIMIT 1
    ) told ON true
    WHERE p.position_id = $1";
const RULES: &str = "SELECT to_jsonb(r) FROM trade.exit_rules r";

/// A row of `trade.exit_rules`, and why it serves nobody on a day.
struct Stored {
    rule: Arc<ExitRule>,
    fault: Option<(&'static str, String)>,
}

/// Returns what serves the position `id` on `today`, a date in Seoul.
pub(crate) async fn of_position(db: &Postgres, id: Uuid, today: Date) -> Result<Found, QueryError> {
    let client = db.client().await?;
    let Some(row) = client.query_opt(POSITION, &[&id]).await? else {
        return Ok(Found::Nothing);
    };
    if row.try_get::<_, &str>("status")? == "CLOSED" {
        return Ok(Found::Closed);
    }
    let symbol: String = row.try_get("symbol")?;
    let exit_profile_id: Option<String> = row.try_get("exit_profile_id")?;
    let mut resolution = Resolution {
        position_id: Some(id),
        symbol,
        strategy_id: row.try_get("strategy_id")?,
        exit_profile_id,
        rule: None,
        passed_over: Vec::new(),
        told: told(&row)?,
    };
    resolve(&mut resolution, &stored(&**client, today).await?);
    Ok(Found::Live(resolution))
}

/// Returns what would serve a new position of `symbol` and `strategy` on `today`, a date in Seoul.
pub(crate) async fn of_new(
    db: &Postgres,
    symbol: Symbol,
    strategy: String,
    today: Date,
) -> Result<Resolution, QueryError> {
    let client = db.client().await?;
    let mut resolution = Resolution {
        position_id: None,
        symbol: symbol.to_string(),
        strategy_id: strategy,
        exit_profile_id: None,
        rule: None,
        passed_over: Vec::new(),
        told: None,
    };
    resolve(&mut resolution, &stored(&**client, today).await?);
    Ok(resolution)
}

async fn stored(
    client: &impl GenericClient,
    today: Date,
) -> Result<Vec<Stored>, tokio_postgres::Error> {
    let rows = client.query(RULES, &[]).await?;
    let rules = rows.iter().map(|row| rule(row, &today.to_string()));
    rules.filter_map(Result::transpose).collect()
}

/// Reads a row. None where it says of nobody whom it serves.
fn rule(row: &Row, today: &str) -> Result<Option<Stored>, tokio_postgres::Error> {
    let row: Json<Value> = row.try_get(0)?;
    let Ok(read) = StoredRule::of(&row.0, today) else {
        return Ok(None);
    };
    let fault = match read.fault {
        _ if !read.is_active => Some(("INACTIVE", "it is switched off".to_owned())),
        _ if read.is_early => {
            let from = row.0["effective_from"].as_str().unwrap_or_default();
            Some(("NOT_YET", format!("it is in force from {from} on")))
        }
        Some(faults) => Some(("UNREADABLE", faults.to_string())),
        None => None,
    };
    Ok(Some(Stored {
        rule: Arc::new(read.rule),
        fault,
    }))
}

/// Chooses among `stored` as the engine does, and says why the others are passed over.
fn resolve(resolution: &mut Resolution, stored: &[Stored]) {
    let Ok(symbol) = resolution.symbol.parse::<Symbol>() else {
        return;
    };
    let named = resolution.exit_profile_id.as_deref();
    if let Some(id) = named.filter(|id| stored.iter().all(|one| one.rule.id.as_str() != *id)) {
        resolution.passed_over.push(PassedOver {
            rule_id: id.to_owned(),
            level: RuleLevel::Position.name().to_owned(),
            version: None,
            why: "MISSING",
            detail: "the position names it, and there is none".to_owned(),
        });
    }
    let named: Option<ProfileId> = named.and_then(|id| id.parse().ok());
    let rules = stored.iter().map(|one| one.rule.clone());
    let serving = rules_serving(symbol, &resolution.strategy_id, named.as_ref(), rules);
    for (level, rule) in serving {
        let Some(one) = stored.iter().find(|one| one.rule.id == rule.id) else {
            continue;
        };
        let (rule_id, level) = (rule.id.to_string(), level.name().to_owned());
        let version = i32::try_from(rule.version).unwrap_or(i32::MAX);
        let passed_over = match (&one.fault, &resolution.rule) {
            (Some((why, detail)), _) => Some((*why, detail.clone())),
            (None, Some(chosen)) => Some((
                "OUTRANKED",
                format!("{} of level {} comes first", chosen.rule_id, chosen.level),
            )),
            (None, None) => None,
        };
        match passed_over {
            Some((why, detail)) => resolution.passed_over.push(PassedOver {
                rule_id,
                level,
                version: Some(version),
                why,
                detail,
            }),
            None => {
                resolution.rule = Some(ServingRule {
                    rule_id,
                    level,
                    version,
                });
            }
        }
    }
}

fn told(row: &Row) -> Result<Option<ServingRule>, tokio_postgres::Error> {
    let Some(rule_id) = row.try_get("profile_id")? else {
        return Ok(None);
    };
    Ok(Some(ServingRule {
        rule_id,
        level: row.try_get("profile_level")?,
        version: row.try_get("profile_version")?,
    }))
}
