//! Exit signals: the last evaluation of a position.

use tokio_postgres::Row;
use turnstile_connectors::postgres::Postgres;
use uuid::Uuid;

use crate::api::exit_signals::{PositionSignals, RuleSignal};
use crate::queries::QueryError;

/// The rules of the last evaluation, the nearest first; one row without a rule where there is none.
const LAST: &str = "
    SELECT p.position_id, p.symbol, s.evaluated_ts, s.price, s.pnl_pct, s.hwm, s.stop_floor, s.rule_name,
        s.rule_id, s.side, s.level, s.distance, s.is_triggered
    FROM trade.positions AS p
    LEFT JOIN LATERAL (
        SELECT trade_date, evaluated_ts FROM trade.exit_signals
        WHERE position_id = p.position_id ORDER BY evaluated_ts DESC LIMIT 1
    ) AS last ON true
    LEFT JOIN trade.exit_signals AS s ON s.trade_date = last.trade_date
        AND s.evaluated_ts = last.evaluated_ts AND s.position_id = p.position_id
    WHERE p.position_id = $1
    ORDER BY s.distance, s.rule_name, s.rule_id";

/// Returns the last evaluation of the position `id`; none if there is no such position.
pub(crate) async fn of_position(
    db: &Postgres,
    id: Uuid,
) -> Result<Option<PositionSignals>, QueryError> {
    let client = db.client().await?;
    let rows = client.query(LAST, &[&id]).await?;
    let Some(first) = rows.first() else {
        return Ok(None);
    };
    let is_rule = |row: &&Row| matches!(row.try_get("rule_name"), Ok(Some::<&str>(_)));
    let rules = rows.iter().filter(is_rule).map(rule);
    Ok(Some(PositionSignals {
        position_id: first.try_get("position_id")?,
        symbol: first.try_get("symbol")?,
        evaluated_ts: first.try_get("evaluated_ts")?,
        price: first.try_get("price")?,
        pnl_pct: first.try_get("pnl_pct")?,
        hwm: first.try_get("hwm")?,
        stop_floor: first.try_get("stop_floor")?,
        rules: rules.collect::<Result<_, _>>()?,
    }))
}

fn rule(row: &Row) -> Result<RuleSignal, tokio_postgres::Error> {
    Ok(RuleSignal {
        reason: row.try_get("rule_name")?,
        rule_id: row.try_get("rule_id")?,
        side: row.try_get("side")?,
        level: row.try_get("level")?,
        distance: row.try_get("distance")?,
        is_triggered: row.try_get("is_triggered")?,
    })
}
