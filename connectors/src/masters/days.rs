//! Days of the exchange in `market.calendar`.

use std::collections::BTreeMap;

use futures_util::FutureExt;
use jiff::Span;
use jiff::civil::Date;
use tokio_postgres::{GenericClient, Row};

use crate::execution::{Calendar, SharedCalendar, ToldDay};
use crate::jobs::{Counts, Job, JobError, JobFuture, Outcome, Schedule};
use crate::kis::CalendarDay;
use crate::postgres::{LogLevel, LogRow, Postgres, PostgresError, write_log};

/// Most days of the configuration that are shown, from its first on.
const LISTED_DAYS_MAX: usize = 3_700;

/// What the operator and the broker say, the operator first.
const TOLD: &str = "SELECT DISTINCT ON (day) day::text, is_open, is_settlement_day
    FROM market.calendar WHERE source IN ('OPERATOR', 'KIS')
    ORDER BY day, CASE source WHEN 'OPERATOR' THEN 0 ELSE 1 END";

/// Held by whoever writes days, so that each sees the other's when conflicts are looked for.
const LOCK: &str = "SELECT pg_advisory_xact_lock(hashtext('market.calendar'))";

/// Makes the rows of the configuration those of `$1`, `$2`. Returns how many are different now.
const STORE_LISTED: &str = "WITH listed AS (
        SELECT day::date, is_open FROM unnest($1::text[], $2::boolean[]) AS l (day, is_open)),
    gone AS (DELETE FROM market.calendar c
        WHERE source = 'CONFIG' AND NOT EXISTS (SELECT FROM listed WHERE listed.day = c.day)
        RETURNING 1),
    stored AS (INSERT INTO market.calendar AS c (day, source, is_open)
        SELECT day, 'CONFIG', is_open FROM listed
        ON CONFLICT (day, source) DO UPDATE SET is_open = excluded.is_open,
            fetched_ts = clock_timestamp(), changed_ts = clock_timestamp()
        WHERE c.is_open <> excluded.is_open
        RETURNING 1)
    SELECT (SELECT count(*) FROM gone) + (SELECT count(*) FROM stored)";

/// Stores what the broker says. Returns the days that were told otherwise before.
const STORE_TOLD: &str = "WITH told AS (
        SELECT day::date, is_open, is_trading, is_business, is_settlement
        FROM unnest($1::text[], $2::boolean[], $3::boolean[], $4::boolean[], $5::boolean[])
            AS t (day, is_open, is_trading, is_business, is_settlement)),
    before AS (SELECT c.day, c.is_open FROM market.calendar c JOIN told USING (day)
        WHERE c.source = 'KIS'),
    stored AS (INSERT INTO market.calendar AS c
            (day, source, is_open, is_trading_day, is_business_day, is_settlement_day)
        SELECT day, 'KIS', is_open, is_trading, is_business, is_settlement FROM told
        ON CONFLICT (day, source) DO UPDATE SET is_open = excluded.is_open,
            is_trading_day = coalesce(excluded.is_trading_day, c.is_trading_day),
            is_business_day = coalesce(excluded.is_business_day, c.is_business_day),
            is_settlement_day = coalesce(excluded.is_settlement_day, c.is_settlement_day),
            fetched_ts = clock_timestamp(),
            changed_ts = CASE WHEN c.is_open = excluded.is_open THEN c.changed_ts
                ELSE clock_timestamp() END
        RETURNING c.day, c.is_open)
    SELECT stored.day::text, stored.is_open, before.is_open IS NULL AS is_new
    FROM stored LEFT JOIN before USING (day)
    WHERE before.is_open IS DISTINCT FROM stored.is_open ORDER BY stored.day";

/// Marks, from day `$1` on, where the broker says other than the configuration. Returns the days where
/// that is new.
const MARK_CONFLICTS: &str = "WITH marked AS (
        SELECT k.day, k.is_open, coalesce(k.is_open <> c.is_open, false) AS is_conflict
        FROM market.calendar k LEFT JOIN market.calendar c ON c.day = k.day AND c.source = 'CONFIG'
        WHERE k.source = 'KIS' AND k.day >= $1::text::date AND extract(isodow FROM k.day) < 6)
    UPDATE market.calendar k SET is_conflict = marked.is_conflict
    FROM marked WHERE k.day = marked.day AND k.source = 'KIS' AND k.is_conflict <> marked.is_conflict
    RETURNING k.day::text, k.is_open, k.is_conflict";

/// Reads what is told of days by the broker and the operator.
///
/// # Errors
/// What the database says, or a day that it should not hold.
pub async fn read_told(postgres: &Postgres) -> Result<BTreeMap<Date, ToldDay>, JobError> {
    let client = postgres.client().await?;
    let rows = client.query(TOLD, &[]).await?;
    rows.iter()
        .map(|row| {
            let told = ToldDay {
                is_open: row.try_get(1)?,
                is_settlement_day: row.try_get(2)?,
            };
            Ok((day_of(row)?, told))
        })
        .collect()
}

fn day_of(row: &Row) -> Result<Date, JobError> {
    let text: &str = row.try_get(0)?;
    text.parse()
        .map_err(|error| JobError::Answer(format!("market.calendar: day {text}: {error}")))
}

/// The job that shows in `market.calendar` what the configuration says, at each start.
#[derive(Debug)]
pub struct ConfiguredDays {
    /// Where to.
    pub postgres: Postgres,
    /// What the configuration says, among the rest.
    pub calendar: SharedCalendar,
}

impl Job for ConfiguredDays {
    fn name(&self) -> &'static str {
        "configured days"
    }

    fn schedule(&self) -> Schedule {
        Schedule::AtStart
    }

    fn run<'j>(&'j self, day: Date, counts: &'j Counts) -> JobFuture<'j, Outcome> {
        async move {
            let (days, open) = listed(&self.calendar.now());
            let mut client = self.postgres.client().await?;
            let transaction = client.transaction().await?;
            transaction.execute(LOCK, &[]).await?;
            let row = transaction.query_one(STORE_LISTED, &[&days, &open]).await?;
            counts.fetched(days.len());
            let changed: i64 = row.try_get(0)?;
            counts.changed(usize::try_from(changed).unwrap_or_default());
            tell_conflicts(&**transaction, day).await?;
            transaction.commit().await?;
            Ok(Outcome::Done)
        }
        .boxed()
    }
}

/// Returns what the configured list says of each day that it covers.
fn listed(calendar: &Calendar) -> (Vec<String>, Vec<bool>) {
    let Some(first) = calendar.first_listed() else {
        return (Vec::new(), Vec::new());
    };
    let year = first.first_of_year();
    year.series(Span::new().days(1))
        .take(LISTED_DAYS_MAX)
        .map_while(|day| Some((day.to_string(), calendar.listed(day)?)))
        .unzip()
}

/// Stores what the broker says of days, with what is new in it, in one transaction. Returns how many
/// days are different now.
pub(super) async fn store_told(
    postgres: &Postgres,
    today: Date,
    days: &[CalendarDay],
) -> Result<usize, JobError> {
    let dates: Vec<String> = days.iter().map(|day| day.date.to_string()).collect();
    let open: Vec<bool> = days.iter().map(|day| day.is_open).collect();
    let flags = |of: fn(&CalendarDay) -> Option<bool>| days.iter().map(of).collect::<Vec<_>>();
    let mut client = postgres.client().await?;
    let transaction = client.transaction().await?;
    transaction.execute(LOCK, &[]).await?;
    let rows = transaction
        .query(
            STORE_TOLD,
            &[
                &dates,
                &open,
                &flags(|day| day.is_trading_day),
                &flags(|day| day.is_business_day),
                &flags(|day| day.is_settlement_day),
            ],
        )
        .await?;
    for row in &rows {
        let (day, is_open, is_new): (&str, bool, bool) =
            (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        if is_new {
            continue;
        }
        let what = if is_open { "open" } else { "closed" };
        let message = format!("the broker says now that the exchange is {what} on {day}");
        let level = level_of(day, today);
        tell(&**transaction, level, "CALENDAR_DAY_CHANGED", day, message).await?;
    }
    tell_conflicts(&**transaction, today).await?;
    transaction.commit().await?;
    Ok(rows.len())
}

/// Tells, once each, on which days from `today` on broker and configuration disagree.
async fn tell_conflicts(client: &impl GenericClient, today: Date) -> Result<(), JobError> {
    for row in client.query(MARK_CONFLICTS, &[&today.to_string()]).await? {
        let (day, is_open, is_conflict): (&str, bool, bool) =
            (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        if !is_conflict {
            continue;
        }
        let (broker, own) = if is_open {
            ("open", "closed")
        } else {
            ("closed", "open")
        };
        let message = format!(
            "{day} is {broker} for the broker and {own} by execution.holidays; the broker counts"
        );
        tell(
            client,
            level_of(day, today),
            "CALENDAR_CONFLICT",
            day,
            message,
        )
        .await?;
    }
    Ok(())
}

/// What is new of today decides at once whether orders leave: somebody has to look.
fn level_of(day: &str, today: Date) -> LogLevel {
    if day == today.to_string() {
        LogLevel::Critical
    } else {
        LogLevel::Warning
    }
}

async fn tell(
    client: &impl GenericClient,
    level: LogLevel,
    event: &'static str,
    day: &str,
    message: String,
) -> Result<(), PostgresError> {
    tracing::warn!(event, day, "{message}");
    let row = LogRow {
        level,
        module: "calendar",
        event,
        symbol: None,
        position_id: None,
        message,
        context: serde_json::json!({"day": day}),
    };
    write_log(client, &row).await
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn the_list_is_shown_from_its_first_year_to_its_end() {
        let calendar = Calendar::new([date(2026, 2, 16), date(2026, 12, 25)], date(2026, 12, 31));
        let (days, open) = listed(&calendar);
        assert_eq!(days.len(), 365);
        assert_eq!(
            (days[0].as_str(), days[364].as_str()),
            ("2026-01-01", "2026-12-31")
        );
        let of = |day: &str| open[days.iter().position(|it| it == day).unwrap()];
        assert!(!of("2026-02-16") && !of("2026-12-26") && of("2026-12-24"));
        assert_eq!(listed(&Calendar::new([], date(2026, 12, 31))).0.len(), 0);
    }
}
