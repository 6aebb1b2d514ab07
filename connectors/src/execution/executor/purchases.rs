//! Purchases that the operator asks for: each becomes one order, or is refused with a reason.

use serde_json::json;
use tracing::info;
use turnstile_dataflows::model::ActionKey;
use uuid::Uuid;

use super::super::error::StoreError;
use super::super::sink::order_id;
use super::super::store::GivenUp;
use super::Desk;

const ASKED: &str = "SELECT request_id, asked_by, reason FROM trade.manual_entries
    WHERE state = 'ASKED' ORDER BY created_ts LIMIT 100";

/// One statement: the order with its first event, and the end of the request. It is judged on its
/// limit, else on the best offer known; a symbol without either is refused. Whoever comes second,
/// also after a lost answer, finds the request ended.
const PLACE: &str = "WITH asked AS (
        SELECT * FROM trade.manual_entries WHERE request_id = $1 AND state = 'ASKED'
        FOR NO KEY UPDATE
    ), priced AS (
        SELECT a.*, coalesce(a.limit_price, (
            SELECT coalesce(p.ask, p.last_price) FROM market.prices p
            WHERE p.symbol = a.symbol ORDER BY p.logical_us DESC LIMIT 1)) AS price
        FROM asked a
    ), placed AS (
        INSERT INTO trade.orders (order_id, action_key, account_id, symbol, side, intent_type, qty,
            order_type, limit_price, reason_code, price, level, decided_us, explanation)
        SELECT $2, $3, $4, symbol, 'BUY', 'ENTRY', qty,
            CASE WHEN limit_price IS NULL THEN 'MKT' ELSE 'LMT' END, limit_price, 'MANUAL', price,
            price, $5, $6
        FROM priced WHERE price IS NOT NULL
        RETURNING order_id
    ), told AS (
        INSERT INTO trade.order_events (order_id, status) SELECT order_id, 'NEW' FROM placed
    )
    UPDATE trade.manual_entries e
    SET state = CASE WHEN p.price IS NULL THEN 'REFUSED' ELSE 'ORDERED' END,
        order_id = (SELECT order_id FROM placed),
        message = CASE WHEN p.price IS NULL
            THEN 'no price of the symbol is known: watch it first, or give a limit' END,
        updated_ts = clock_timestamp()
    FROM priced p WHERE p.request_id = e.request_id
    RETURNING e.state";

const REFUSE: &str = "UPDATE trade.manual_entries
    SET state = 'REFUSED', message = $2, updated_ts = clock_timestamp()
    WHERE request_id = $1 AND state = 'ASKED'";

/// Someone who asks.
struct Request {
    id: Uuid,
    by: String,
    reason: Option<String>,
}

impl Desk {
    /// Makes orders of what is asked for. The search for new orders finds them.
    pub(super) async fn place_purchases(&self) {
        let Ok(requests) = self.load_purchases().await else {
            return;
        };
        for request in requests {
            match self.place(&request).await {
                Ok(Some(state)) => {
                    info!(request = %request.id, by = request.by, state, "purchase by hand");
                }
                Ok(None) | Err(GivenUp::Stopped) => {}
                Err(GivenUp::Refused(error)) => self.refuse_purchase(&request, &error).await,
            }
        }
    }

    async fn load_purchases(&self) -> Result<Vec<Request>, GivenUp> {
        let work = |client: deadpool_postgres::Object| async move {
            let statement = client.prepare_cached(ASKED).await?;
            let rows = client.query(&statement, &[]).await?;
            let read = |row: &tokio_postgres::Row| {
                Ok::<_, StoreError>(Request {
                    id: row.try_get("request_id")?,
                    by: row.try_get("asked_by")?,
                    reason: row.try_get("reason")?,
                })
            };
            rows.iter().map(read).collect()
        };
        let store = &self.parts.store;
        self.report(store.persist("purchases by hand", &self.stop, work).await)
    }

    /// Ends a request that the database takes no order of: asked again, it would be refused again.
    async fn refuse_purchase(&self, request: &Request, error: &StoreError) {
        self.refused("a purchase by hand cannot be stored", None, error);
        let (id, message) = (&request.id, &error.to_string());
        let work = |client: deadpool_postgres::Object| async move {
            let statement = client.prepare_cached(REFUSE).await?;
            Ok(client.execute(&statement, &[id, message]).await?)
        };
        let store = &self.parts.store;
        let ended = store.persist("end of a purchase by hand", &self.stop, work);
        if let Err(GivenUp::Refused(error)) = ended.await {
            self.refused("a purchase by hand cannot be ended", None, &error);
        }
    }

    async fn place(&self, request: &Request) -> Result<Option<String>, GivenUp> {
        let action_key = ActionKey::purchase(request.id);
        let order = order_id(action_key.as_str());
        let decided_us = i64::try_from((self.parts.now_us)()).unwrap_or(i64::MAX);
        let explanation = json!({"manual": {
            "request_id": request.id, "asked_by": request.by, "reason": request.reason}});
        let (action_key, explanation) = (&action_key, &explanation);
        let account = &self.parts.account;
        let work = |client: deadpool_postgres::Object| async move {
            let statement = client.prepare_cached(PLACE).await?;
            let row = client
                .query_opt(
                    &statement,
                    &[
                        &request.id,
                        &order,
                        &action_key.as_str(),
                        account,
                        &decided_us,
                        explanation,
                    ],
                )
                .await?;
            Ok(row.map(|row| row.try_get("state")).transpose()?)
        };
        self.parts
            .store
            .persist("a purchase by hand", &self.stop, work)
            .await
    }
}
