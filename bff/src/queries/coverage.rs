//! Coverage: what is stored of the market, told from indexes and the database's own estimates.

use tokio_postgres::Row;
use turnstile_connectors::postgres::Postgres;

use crate::api::coverage::{Collection, Gap};
use crate::queries::QueryError;

/// Fewer rows than these are counted.
const COUNTED: i64 = 10_000;

/// Returns the common table `names` of the symbols of a table with an index that begins with them: one look
/// into the index for each, whatever the number of rows.
fn names(table: &str) -> String {
    format!(
        "WITH RECURSIVE names AS (
             (SELECT symbol FROM {table} ORDER BY symbol LIMIT 1)
             UNION ALL
             SELECT (SELECT t.symbol FROM {table} AS t WHERE t.symbol > names.symbol
                 ORDER BY t.symbol LIMIT 1)
             FROM names WHERE names.symbol IS NOT NULL
         )"
    )
}

/// Returns the columns of the rows of a table. One that was never looked at by the database is counted.
fn rows(table: &str) -> String {
    let estimate =
        format!("(SELECT reltuples::bigint FROM pg_class WHERE oid = '{table}'::regclass)");
    format!(
        "CASE WHEN {estimate} < {COUNTED} THEN (SELECT count(*) FROM {table}) ELSE {estimate} END AS rows,
         {estimate} >= {COUNTED} AS is_estimate"
    )
}

/// Returns the statement of a table that is keyed by symbol and day, and has an index of the day.
fn by_day(table: &str, day: &str) -> String {
    let (names, rows) = (names(table), rows(table));
    format!(
        "{names}
         SELECT {rows}, (SELECT count(symbol) FROM names) AS symbols, first_day::text, last_day::text,
             (SELECT max(updated_ts) FROM {table} WHERE {day} = last_day) AS updated_ts
         FROM (SELECT (SELECT min({day}) FROM {table}) AS first_day,
             (SELECT max({day}) FROM {table}) AS last_day) AS days"
    )
}

/// Returns the statement of a table that is read by symbol and time.
fn by_time(table: &str, time: &str, updated: &str) -> String {
    let (names, rows) = (names(table), rows(table));
    format!(
        "{names}
         SELECT {rows}, count(names.symbol) AS symbols,
             (min(span.first) AT TIME ZONE 'Asia/Seoul')::date::text AS first_day,
             (max(span.last) AT TIME ZONE 'Asia/Seoul')::date::text AS last_day,
             ({updated}) AS updated_ts
         FROM names LEFT JOIN LATERAL (
             SELECT (SELECT min({time}) FROM {table} WHERE symbol = names.symbol) AS first,
                 (SELECT max({time}) FROM {table} WHERE symbol = names.symbol) AS last
         ) AS span ON true"
    )
}

/// Prices are by days, and their symbols are those of the last one.
fn prices() -> String {
    format!(
        "WITH RECURSIVE days AS MATERIALIZED (
             SELECT (SELECT trade_date FROM market.prices ORDER BY trade_date, logical_us LIMIT 1) AS first_day,
                 (SELECT trade_date FROM market.prices ORDER BY trade_date DESC, logical_us DESC LIMIT 1)
                     AS last_day
         ), names AS (
             (SELECT symbol FROM market.prices WHERE trade_date = (SELECT last_day FROM days)
                 ORDER BY symbol LIMIT 1)
             UNION ALL
             SELECT (SELECT t.symbol FROM market.prices AS t
                 WHERE t.trade_date = (SELECT last_day FROM days) AND t.symbol > names.symbol
                 ORDER BY t.symbol LIMIT 1)
             FROM names WHERE names.symbol IS NOT NULL
         ), estimate AS (
             SELECT coalesce(sum(greatest(c.reltuples, 0)), 0)::bigint AS rows
             FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
             WHERE i.inhparent = 'market.prices'::regclass
         )
         SELECT CASE WHEN estimate.rows < {COUNTED} THEN (SELECT count(*) FROM market.prices)
                 ELSE estimate.rows END AS rows,
             estimate.rows >= {COUNTED} AS is_estimate, (SELECT count(symbol) FROM names) AS symbols,
             first_day::text, last_day::text,
             (SELECT recv_ts FROM market.prices ORDER BY trade_date DESC, logical_us DESC LIMIT 1)
                 AS updated_ts
         FROM days CROSS JOIN estimate"
    )
}

const STOCKS: &str = "SELECT count(*) AS rows, false AS is_estimate, count(*) AS symbols,
        NULL::text AS first_day, NULL::text AS last_day, max(updated_ts) AS updated_ts
    FROM market.stocks";
const CALENDAR: &str = "SELECT count(*) AS rows, false AS is_estimate, NULL::bigint AS symbols,
        min(day)::text AS first_day, max(day)::text AS last_day, max(fetched_ts) AS updated_ts
    FROM market.calendar";

fn stock_rankings() -> String {
    let rows = rows("market.stock_rankings");
    format!(
        "SELECT {rows}, (SELECT min(collected_on) FROM market.stock_rankings)::text AS first_day,
             last.day::text AS last_day, newest.symbols, newest.updated_ts
         FROM (SELECT max(collected_on) AS day FROM market.stock_rankings) AS last
         CROSS JOIN LATERAL (
             SELECT count(DISTINCT symbol) AS symbols, max(created_ts) AS updated_ts
             FROM market.stock_rankings WHERE collected_on = last.day
         ) AS newest"
    )
}

/// Returns what is stored of each collection.
pub(crate) async fn all(db: &Postgres) -> Result<Vec<Collection>, QueryError> {
    let minutes = "SELECT updated_ts FROM system.sink_progress WHERE sink = 'minute_bars'";
    let disclosed = "SELECT max(created_ts) FROM market.disclosures";
    let queries = [
        ("daily_bars", by_day("market.daily_bars", "trade_date")),
        (
            "minute_bars",
            by_time("market.minute_bars", "minute", minutes),
        ),
        ("prices", prices()),
        (
            "investor_flows",
            by_day("market.investor_flows", "trade_date"),
        ),
        ("fundamentals", by_day("market.fundamentals", "report_date")),
        (
            "disclosures",
            by_time("market.disclosures", "disclosed_ts", disclosed),
        ),
        ("stocks", STOCKS.to_owned()),
        ("calendar", CALENDAR.to_owned()),
        ("stock_rankings", stock_rankings()),
    ];
    let client = db.client().await?;
    let mut collections = Vec::with_capacity(queries.len());
    for (name, query) in queries {
        let row = client.query_one(&query, &[]).await?;
        collections.push(collection(name, &row)?);
    }
    Ok(collections)
}

fn collection(name: &str, row: &Row) -> Result<Collection, tokio_postgres::Error> {
    Ok(Collection {
        collection: name.to_owned(),
        rows: row.try_get("rows")?,
        is_estimate: row.try_get("is_estimate")?,
        symbols: row.try_get("symbols")?,
        first_day: row.try_get("first_day")?,
        last_day: row.try_get("last_day")?,
        updated_ts: row.try_get("updated_ts")?,
    })
}

/// Of each issue the bars of 60 days at most are read, by its key.
const GAPS: &str = "
    WITH days AS MATERIALIZED (
        SELECT day FROM market.calendar_days
        WHERE is_open AND day < (now() AT TIME ZONE 'Asia/Seoul')::date
        ORDER BY day DESC LIMIT 60
    )
    SELECT s.symbol, s.name, missing.day::text AS day
    FROM market.stocks AS s
    CROSS JOIN LATERAL (
        SELECT (SELECT min(trade_date) FROM market.daily_bars WHERE symbol = s.symbol) AS first,
            (SELECT max(trade_date) FROM market.daily_bars WHERE symbol = s.symbol) AS last
    ) AS span
    CROSS JOIN LATERAL (
        SELECT day FROM days WHERE day > span.first AND day < span.last
        EXCEPT
        SELECT trade_date FROM market.daily_bars
        WHERE symbol = s.symbol AND trade_date >= (SELECT min(day) FROM days)
    ) AS missing
    WHERE s.status = 'ACTIVE'
    ORDER BY missing.day DESC, s.symbol COLLATE \"C\" LIMIT $1";

/// Returns at most `limit` days on which an issue has no bar, the newest first.
pub(crate) async fn gaps(db: &Postgres, limit: i64) -> Result<Vec<Gap>, QueryError> {
    let client = db.client().await?;
    let rows = client.query(GAPS, &[&limit]).await?;
    let gap = |row: &Row| {
        Ok(Gap {
            symbol: row.try_get("symbol")?,
            name: row.try_get("name")?,
            day: row.try_get("day")?,
        })
    };
    rows.iter().map(gap).collect()
}
