//! Which days are old enough to leave, and what still needs them.

use std::fmt;

use jiff::civil::Date;
use tokio_postgres::{GenericClient, Row};

use super::error::RetentionError;

/// Attached partitions of one day before `$1` days ago, the oldest first. Of two clocks, that of the
/// server and that of this process (`$2`), the slower one counts: a wrong clock archives nothing early.
const OLD: &str = "SELECT day::text, NOT EXISTS (SELECT FROM system.archive_restores r
            WHERE r.day = p.day AND r.kept_until >= clock.today) AS is_free
    FROM market.prices_partitions p, (
        SELECT least((now() AT TIME ZONE 'Asia/Seoul')::date,
            (to_timestamp($2::bigint / 1000000) AT TIME ZONE 'Asia/Seoul')::date) AS today) clock
    WHERE p.until = p.day + 1 AND p.day < clock.today - $1::integer
    ORDER BY p.day";

/// What is alive and reads prices of the past: `rows::load` the high-water mark of a position since its
/// entry or the last reset (as `trade.high_water_marks` does), re-entries what came after their exit, an
/// order the tick that it was judged on, and whoever asks for the last price of what is held or may be
/// bought back. Of positions and candidates the earliest holds as long as all of them.
const HOLDS: &str = "(SELECT 'POSITION', p.position_id::text, p.symbol, seoul.day::text, NULL
        FROM trade.positions p LEFT JOIN trade.position_state s USING (position_id),
            LATERAL (SELECT (to_timestamp(coalesce(s.hwm_since_us + 1, trade.micros(p.entry_ts)) / 1000000)
                AT TIME ZONE 'Asia/Seoul')::date AS day) seoul
        WHERE p.status <> 'CLOSED' ORDER BY seoul.day, p.position_id LIMIT 1)
    UNION ALL
    (SELECT 'CANDIDATE', candidate_id::text, symbol, (exit_ts AT TIME ZONE 'Asia/Seoul')::date::text, NULL
        FROM trade.reentry_candidates WHERE state NOT IN ('ENTERED', 'EXPIRED', 'BLOCKED')
        ORDER BY exit_ts, candidate_id LIMIT 1)
    UNION ALL
    SELECT 'ORDER', o.order_id::text, o.symbol, seoul.day::text, seoul.day::text
        FROM trade.orders o, LATERAL (SELECT
            (to_timestamp(o.tick_us / 1000000) AT TIME ZONE 'Asia/Seoul')::date AS day) seoul
        WHERE o.tick_us IS NOT NULL AND NOT EXISTS (SELECT FROM trade.order_events e
            WHERE e.order_id = o.order_id AND e.status IN
                ('FILLED', 'REJECTED', 'CANCELLED', 'CANCELLED_PARTIAL', 'ERROR'))
    UNION ALL
    SELECT 'LAST_PRICE', wanted.symbol, wanted.symbol, last.trade_date::text, last.trade_date::text
        FROM (SELECT symbol FROM trade.positions WHERE status <> 'CLOSED' UNION
            SELECT symbol FROM trade.reentry_candidates
            WHERE state NOT IN ('ENTERED', 'EXPIRED', 'BLOCKED')) wanted
        CROSS JOIN LATERAL (SELECT trade_date FROM market.prices p
            WHERE p.symbol = wanted.symbol ORDER BY logical_us DESC LIMIT 1) last";

/// Up to which logical time the bars of one minute have taken prices in, once they have begun.
const BARS: &str = "SELECT durable_us FROM system.sink_progress WHERE sink = 'minute_bars'";

/// Why a day stays attached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum HoldKind {
    /// The high-water mark of a live position is computed from it.
    Position,
    /// A live candidate for a re-entry exited on it or before.
    Candidate,
    /// An order that has not ended was judged on a price of it.
    Order,
    /// It has the last price of a symbol that is held or may be bought back.
    LastPrice,
    /// Bars of one minute have not taken it in yet.
    MinuteBars,
}

/// What keeps a day attached, or all from a day on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// Why.
    pub kind: HoldKind,
    /// Id of the position, candidate or order, else the symbol; empty for bars.
    pub id: String,
    /// Symbol concerned; empty for bars.
    pub symbol: String,
    from: Date,
    through: Option<Date>,
}

impl fmt::Display for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, symbol, .. } = self;
        match self.kind {
            HoldKind::Position => write!(
                f,
                "position {id} of {symbol} needs prices since {}",
                self.from
            ),
            HoldKind::Candidate => {
                write!(
                    f,
                    "re-entry candidate {id} of {symbol} needs prices since {}",
                    self.from
                )
            }
            HoldKind::Order => write!(f, "order {id} of {symbol} has not ended"),
            HoldKind::LastPrice => write!(f, "it has the last price of {symbol}"),
            HoldKind::MinuteBars => write!(f, "market.minute_bars has not taken it in"),
        }
    }
}

impl Hold {
    fn read(row: &Row) -> Result<Self, RetentionError> {
        let kind = match row.try_get::<_, &str>(0)? {
            "POSITION" => HoldKind::Position,
            "CANDIDATE" => HoldKind::Candidate,
            "ORDER" => HoldKind::Order,
            _ => HoldKind::LastPrice,
        };
        let through: Option<&str> = row.try_get(4)?;
        Ok(Self {
            kind,
            id: row.try_get(1)?,
            symbol: row.try_get(2)?,
            from: date(row.try_get(3)?),
            through: through.map(date),
        })
    }

    fn covers(&self, day: Date) -> bool {
        self.from <= day && self.through.is_none_or(|through| day <= through)
    }
}

/// A day that is old enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct OldDay {
    pub(super) day: Date,
    /// Whether no operator has put it back and keeps it.
    pub(super) is_free: bool,
}

/// Returns the attached days beyond the last `days`.
pub(super) async fn old_days(
    client: &impl GenericClient,
    days: u32,
    now_us: u64,
) -> Result<Vec<OldDay>, RetentionError> {
    let days = i32::try_from(days).unwrap_or(i32::MAX);
    let now_us = i64::try_from(now_us).unwrap_or(i64::MAX);
    let rows = client.query(OLD, &[&days, &now_us]).await?;
    let read = |row: &Row| {
        Ok(OldDay {
            day: date(row.try_get(0)?),
            is_free: row.try_get(1)?,
        })
    };
    rows.iter().map(read).collect()
}

/// Returns everything that holds days, but for bars of one minute.
pub(super) async fn holds(client: &impl GenericClient) -> Result<Vec<Hold>, RetentionError> {
    let rows = client.query(HOLDS, &[]).await?;
    rows.iter().map(Hold::read).collect()
}

/// Returns the first of `holds` that needs `day`, else the bars of one minute where they do.
pub(super) async fn hold_of(
    client: &impl GenericClient,
    holds: &[Hold],
    day: Date,
    has_bars: bool,
) -> Result<Option<Hold>, RetentionError> {
    if let Some(hold) = holds.iter().find(|hold| hold.covers(day)) {
        return Ok(Some(hold.clone()));
    }
    let bars = client.query_opt(BARS, &[]).await?;
    let bars_us: i64 = match bars {
        Some(row) => row.try_get(0)?,
        None if has_bars => 0,
        None => return Ok(None),
    };
    let row = client
        .query_one(
            "SELECT EXISTS (SELECT FROM market.prices
                 WHERE trade_date = $1::text::date AND logical_us > $2)",
            &[&day.to_string(), &bars_us],
        )
        .await?;
    let is_held: bool = row.try_get(0)?;
    Ok(is_held.then(|| Hold {
        kind: HoldKind::MinuteBars,
        id: String::new(),
        symbol: String::new(),
        from: day,
        through: Some(day),
    }))
}

/// Returns a date of the server. One before the year -9999 or after 9999 counts as the earliest: what it
/// holds is held from then on.
pub(super) fn date(text: &str) -> Date {
    text.parse().unwrap_or(Date::MIN)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_hold_covers_its_days_both_ends_included(from in 0..40_i32, len in 0..40_i32, day in 0..90_i32) {
            let at = |days: i32| Date::constant(2026, 1, 1).saturating_add(jiff::Span::new().days(days));
            let mut hold = Hold {
                kind: HoldKind::Order, id: String::new(), symbol: String::new(),
                from: at(from), through: Some(at(from + len)),
            };
            prop_assert_eq!(hold.covers(at(day)), (from..=from + len).contains(&day));
            hold.through = None;
            prop_assert_eq!(hold.covers(at(day)), day >= from);
        }
    }

    #[test]
    fn a_date_that_cannot_be_read_holds_everything() {
        assert_eq!(date("-infinity"), Date::MIN);
    }
}
