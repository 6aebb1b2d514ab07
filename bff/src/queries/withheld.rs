//! Withheld hits of a position.

use tokio_postgres::Row;
use turnstile_connectors::postgres::Postgres;
use uuid::Uuid;

use crate::api::withheld::WithheldHit;
use crate::cursor::KeyedCursor;
use crate::envelope::Listed;
use crate::extract::Page;
use crate::queries::{QueryError, listed};

/// Several rules may be withheld at one logical time, so the key of a row goes with it. The bound on the
/// time alone is what the index is read by.
const HITS: &str = "
    SELECT *, timestamptz 'epoch' + logical_us * interval '1 microsecond' AS ts
    FROM (
        SELECT *, (reason || '.' || coalesce(rule_id, '') || '.' || why) COLLATE \"C\" AS key
        FROM trade.exit_withheld WHERE position_id = $1 AND logical_us <= $2
    ) AS hit
    WHERE (logical_us, key) < ($2, $3)
    ORDER BY logical_us DESC, key DESC LIMIT $4";

/// Returns a page of hits of the position `id`, newest first.
pub(crate) async fn of_position(
    db: &Postgres,
    id: Uuid,
    page: &Page<KeyedCursor>,
) -> Result<Listed<WithheldHit, KeyedCursor>, QueryError> {
    let client = db.client().await?;
    let below = &page.below;
    let rows = client
        .query(HITS, &[&id, &below.number, &below.key, &(page.limit + 1)])
        .await?;
    let key = |row: &Row| {
        Ok(KeyedCursor {
            number: row.try_get("logical_us")?,
            key: row.try_get("key")?,
        })
    };
    listed(&rows, page, key, |row| {
        Ok(WithheldHit {
            ts: row.try_get("ts")?,
            logical_us: row.try_get("logical_us")?,
            reason: row.try_get("reason")?,
            rule_id: row.try_get("rule_id")?,
            why: row.try_get("why")?,
            price: row.try_get("price")?,
            level: row.try_get("level")?,
        })
    })
}
