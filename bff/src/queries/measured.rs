//! Metrics as they were kept last.

use tokio_postgres::Row;
use tokio_postgres::types::Json;
use turnstile_connectors::postgres::Postgres;

use crate::api::measured::Measured;
use crate::queries::QueryError;

/// Names are found one by one in the index, which has many rows of each. Whatever is shown at all is kept
/// every five minutes.
const LATEST: &str = "
    WITH RECURSIVE names AS (
        (SELECT name FROM system.metrics ORDER BY name LIMIT 1)
        UNION ALL
        SELECT (SELECT m.name FROM system.metrics AS m WHERE m.name > names.name ORDER BY m.name LIMIT 1)
        FROM names WHERE names.name IS NOT NULL
    )
    SELECT DISTINCT ON (names.name, kept.labels, kept.instance)
        names.name, kept.instance, kept.labels, kept.value, kept.ts
    FROM names CROSS JOIN LATERAL (
        SELECT instance, labels, value, ts FROM system.metrics
        WHERE name = names.name AND ts > now() - interval '10 minutes'
    ) AS kept
    WHERE starts_with(names.name, $1)
    ORDER BY names.name, kept.labels, kept.instance, kept.ts DESC LIMIT $2";
/// Most series of an answer: more than the processes have.
const SERIES_MAX: i64 = 1_000;

/// Returns the newest value of each series whose name begins with `beginning`.
pub(crate) async fn latest(db: &Postgres, beginning: &str) -> Result<Vec<Measured>, QueryError> {
    let client = db.client().await?;
    let rows = client.query(LATEST, &[&beginning, &SERIES_MAX]).await?;
    let measured = |row: &Row| {
        Ok(Measured {
            name: row.try_get("name")?,
            instance: row.try_get("instance")?,
            labels: row.try_get::<_, Json<_>>("labels")?.0,
            value: row.try_get("value")?,
            ts: row.try_get("ts")?,
        })
    };
    rows.iter().map(measured).collect()
}
