//! Health: whether PostgreSQL answers, how old prices are, how far the feed is.

use turnstile_connectors::postgres::Postgres;

use crate::queries::QueryError;
use crate::seoul::SeoulTime;

/// What PostgreSQL tells about the system.
#[derive(Clone, Debug, Default)]
pub(crate) struct Facts {
    /// When the newest price was received, if there is one.
    pub(crate) newest_price: Option<SeoulTime>,
    /// When the oldest change was made that the feed has not delivered, if there is one.
    pub(crate) feed_waits_since: Option<SeoulTime>,
}

/// Returns once PostgreSQL has answered.
pub(crate) async fn ping(db: &Postgres) -> Result<(), QueryError> {
    db.client().await?.query_one("SELECT 1", &[]).await?;
    Ok(())
}

/// Returns the facts, given the last transaction that the feed has delivered.
pub(crate) async fn facts(db: &Postgres, feed_xid: Option<u64>) -> Result<Facts, QueryError> {
    let client = db.client().await?;
    let row = client
        .query_one(
            "SELECT (SELECT recv_ts FROM market.prices
                     ORDER BY trade_date DESC, logical_us DESC LIMIT 1) AS newest_price,
                    (SELECT min(created_ts) FROM system.change_log
                     WHERE xid > $1::text::xid8) AS feed_waits_since",
            &[&feed_xid.map(|xid| xid.to_string())],
        )
        .await?;
    Ok(Facts {
        newest_price: row.try_get("newest_price")?,
        feed_waits_since: row.try_get("feed_waits_since")?,
    })
}
