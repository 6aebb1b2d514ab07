//! What the stream job tells a human, and what it makes the cache forget.

use std::future::Future;
use std::pin::Pin;

use serde_json::{Value, json};
use turnstile_connectors::execution::{Alarm, Level, PositionCache};
use turnstile_connectors::redis::Cache;
use turnstile_connectors::rows::{AverageMove, RowFault};
use turnstile_connectors::spill::Restored;
use turnstile_dataflows::exit::Freshness;
use turnstile_dataflows::model::{LogicalTime, PositionId};
use turnstile_dataflows::price::Stale;
use uuid::Uuid;

/// Deletes `position:{id}` after a commit.
pub(super) struct PositionKeys(pub(super) Cache);

impl PositionCache for PositionKeys {
    fn forget<'p>(
        &'p self,
        positions: &'p [Uuid],
    ) -> Pin<Box<dyn Future<Output = ()> + Send + 'p>> {
        let key = |position| format!("position:{position}");
        let keys: Vec<String> = positions.iter().map(key).collect();
        Box::pin(async move { self.0.delete(&keys).await })
    }
}

/// What was kept while there was no engine, and stored now. None where nothing was.
pub(super) fn restored(restored: &Restored) -> Option<Alarm> {
    let Restored {
        ticks,
        new_ticks,
        notices,
        unjudged,
        decisions,
        last_us: _,
        damaged,
    } = restored;
    let notices = notices.len();
    if *ticks == 0 && notices == 0 && *decisions == 0 && *damaged == 0 {
        return None;
    }
    let level = match damaged {
        0 => Level::Warning,
        _ => Level::Critical,
    };
    Some(Alarm {
        level,
        event: "PRICES_RESTORED",
        symbol: None,
        position: None,
        message: format!(
            "{ticks} prices and {notices} notices that were kept on disk are stored, {unjudged} of them \
             judged by nobody; {decisions} decisions were not stored in time, and what still holds is \
             decided anew; {damaged} lines could not be read"
        ),
        context: json!({"ticks": ticks, "new": new_ticks, "notices": notices,
            "unjudged": unjudged, "decisions": decisions, "damaged": damaged}),
    })
}

/// A position that is held and not judged.
pub(super) fn not_judged(position: &PositionId, message: &str) -> Alarm {
    Alarm {
        level: Level::Critical,
        event: "position_not_judged",
        symbol: None,
        position: position.as_str().parse().ok(),
        message: format!("position {position} is held but not judged: {message}"),
        context: json!({}),
    }
}

/// The price of a held symbol became stale, or fresh again. `reason` says which sources are silent.
pub(super) fn freshness(change: &Freshness, reason: Option<Stale>) -> Alarm {
    let symbol = change.symbol;
    let (level, event, message) = if change.is_stale {
        let what = if change.seen.is_some() {
            "the price is stale"
        } else {
            "there is no price since the start"
        };
        let message = format!("{symbol}: {what}; its positions are not judged");
        (Level::Warning, "price_stale", message)
    } else {
        let message = format!("{symbol}: the price is fresh again");
        (Level::Info, "price_fresh", message)
    };
    Alarm {
        level,
        event,
        symbol: Some(symbol.to_string()),
        position: None,
        message,
        context: json!({
            "seen_us": change.seen.map(LogicalTime::micros),
            "reason": reason.map(Stale::name),
        }),
    }
}

/// Something about a source as a whole: it went away, or came back.
pub(super) fn source(level: Level, event: &'static str, message: String, context: Value) -> Alarm {
    Alarm {
        level,
        event,
        symbol: None,
        position: None,
        message,
        context,
    }
}

/// The average cost of a position jumped, and every level with it.
pub(super) fn average_changed(moved: &AverageMove) -> Alarm {
    let AverageMove {
        position,
        symbol,
        from,
        to,
    } = moved;
    Alarm {
        level: Level::Warning,
        event: "AVERAGE_CHANGED",
        symbol: Some(symbol.to_string()),
        position: position.as_str().parse().ok(),
        message: format!(
            "{symbol}: the average cost went from {from} to {to}; the levels of its position go by the new one"
        ),
        context: json!({"from": from.to_string(), "to": to.to_string()}),
    }
}

/// A row that the engine cannot take.
pub(super) fn row_fault(fault: &RowFault) -> Alarm {
    Alarm {
        level: Level::Critical,
        event: "row_not_readable",
        symbol: None,
        position: None,
        message: format!("{fault}; what stood before stays in force"),
        context: json!({"table": fault.table, "key": fault.key, "column": fault.column}),
    }
}
