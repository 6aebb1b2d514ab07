//! Levels of a position, with the distance of the newest price and the profile in force.

use tokio_postgres::Row;
use tokio_postgres::types::Json;
use turnstile_connectors::postgres::Postgres;
use uuid::Uuid;

use crate::api::levels::{EffectiveProfile, LiveLevels, PositionLevels, RuleLevel, StandingLevel};
use crate::queries::QueryError;

/// What the engine has said of a profile comes before what the stored rules come to.
const POSITION: &str = "
    SELECT p.position_id, p.symbol, p.exit_mode, price.price, price.ts AS price_ts, told.hwm_price,
        told.profile_id IS NOT NULL AS is_in_force,
        coalesce(told.profile_id, stored.profile_id) AS profile_id,
        coalesce(told.profile_version, stored.profile_version) AS profile_version,
        coalesce(told.profile_level, stored.profile_level) AS profile_level,
        rule.version AS stored_version, rule.name, rule.rules
    FROM trade.positions p
    LEFT JOIN LATERAL (
        SELECT profile_id, profile_version, profile_level, hwm_price
        FROM trade.exit_levels WHERE position_id = p.position_id LIMIT 1
    ) told ON true
    LEFT JOIN trade.position_rules stored ON stored.position_id = p.position_id
    LEFT JOIN trade.exit_rules rule ON rule.rule_id = coalesce(told.profile_id, stored.profile_id)
    LEFT JOIN LATERAL (
        SELECT CASE WHEN bid > 0 THEN bid ELSE last_price END AS price, ts FROM market.prices
        WHERE symbol = p.symbol AND session <> 'EXPECTED' ORDER BY logical_us DESC LIMIT 1
    ) price ON true
    WHERE p.position_id = $1";

const LEVELS: &str = "
    SELECT reason, rule_id, side, level, since, round(
        CASE side WHEN 'BELOW' THEN $2::numeric - level ELSE level - $2::numeric END / $2::numeric,
        12) AS distance
    FROM trade.exit_levels WHERE position_id = $1 ORDER BY distance, reason, rule_id";

/// Each level of the live positions, those of a position side by side.
const LIVE: &str = "
    SELECT l.position_id, l.symbol, l.reason, l.rule_id, l.side, l.level, l.profile_id,
        l.profile_version, l.profile_level, l.hwm_price, l.since
    FROM (
        SELECT position_id FROM trade.positions WHERE status IN ('OPEN', 'CLOSING')
        ORDER BY entry_ts DESC, position_id DESC LIMIT $1
    ) AS p
    JOIN trade.exit_levels AS l USING (position_id)
    ORDER BY l.position_id, l.level DESC, l.reason, l.rule_id";
/// Most positions whose levels are shown: more than there ever are.
const LIVE_MAX: i64 = 1_000;

/// Returns the levels of the live positions, by position.
pub(crate) async fn live(db: &Postgres) -> Result<Vec<LiveLevels>, QueryError> {
    let client = db.client().await?;
    let statement = client.prepare_cached(LIVE).await?;
    let rows = client.query(&statement, &[&LIVE_MAX]).await?;
    let mut positions: Vec<LiveLevels> = Vec::new();
    for row in &rows {
        let position_id = row.try_get("position_id")?;
        if positions.last().map(|last| last.position_id) != Some(position_id) {
            positions.push(LiveLevels {
                position_id,
                symbol: row.try_get("symbol")?,
                profile_id: row.try_get("profile_id")?,
                profile_version: row.try_get("profile_version")?,
                profile_level: row.try_get("profile_level")?,
                hwm: row.try_get("hwm_price")?,
                levels: Vec::new(),
            });
        }
        if let Some(last) = positions.last_mut() {
            last.levels.push(StandingLevel {
                reason: row.try_get("reason")?,
                rule_id: row.try_get("rule_id")?,
                side: row.try_get("side")?,
                level: row.try_get("level")?,
                since: row.try_get("since")?,
            });
        }
    }
    Ok(positions)
}

/// Returns the levels of the position `id`, the nearest first.
pub(crate) async fn of_position(
    db: &Postgres,
    id: Uuid,
) -> Result<Option<PositionLevels>, QueryError> {
    let client = db.client().await?;
    let Some(row) = client.query_opt(POSITION, &[&id]).await? else {
        return Ok(None);
    };
    let price: Option<rust_decimal::Decimal> = row.try_get("price")?;
    let levels = client.query(LEVELS, &[&id, &price]).await?;
    Ok(Some(PositionLevels {
        position_id: row.try_get("position_id")?,
        symbol: row.try_get("symbol")?,
        exit_mode: row.try_get("exit_mode")?,
        price: price.map(Into::into),
        price_ts: row.try_get("price_ts")?,
        hwm: row.try_get("hwm_price")?,
        profile: profile(&row)?,
        levels: levels.iter().map(level).collect::<Result<_, _>>()?,
    }))
}

fn profile(row: &Row) -> Result<Option<EffectiveProfile>, tokio_postgres::Error> {
    let Some(rule_id) = row.try_get("profile_id")? else {
        return Ok(None);
    };
    Ok(Some(EffectiveProfile {
        rule_id,
        version: row.try_get("profile_version")?,
        level: row.try_get("profile_level")?,
        is_in_force: row.try_get("is_in_force")?,
        stored_version: row.try_get("stored_version")?,
        name: row.try_get("name")?,
        rules: row
            .try_get::<_, Option<Json<_>>>("rules")?
            .map(|json| json.0),
    }))
}

fn level(row: &Row) -> Result<RuleLevel, tokio_postgres::Error> {
    Ok(RuleLevel {
        reason: row.try_get("reason")?,
        rule_id: row.try_get("rule_id")?,
        side: row.try_get("side")?,
        level: row.try_get("level")?,
        distance: row.try_get("distance")?,
        since: row.try_get("since")?,
    })
}
