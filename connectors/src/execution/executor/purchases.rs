//! Purchases that the operator or a strategy asks for: each becomes one order, or is refused with a
//! reason.

use rust_decimal::Decimal;
use serde_json::json;
use tracing::info;
use turnstile_dataflows::model::{ActionKey, OrderStatus, Price, Quantity, Symbol};
use turnstile_dataflows::risk::Intent;
use uuid::Uuid;

use super::super::error::StoreError;
use super::super::risk::{Ruling, record};
use super::super::sink::{Policy, order_id};
use super::super::store::GivenUp;
use super::Desk;

/// Each with the price that it is judged on, and whether what a strategy or a producer of picks computed it
/// from is no longer so: that of another day, of a pick that of more than a minute ago.
const ASKED: &str = "SELECT e.request_id, e.asked_by, e.reason, e.symbol, e.qty, e.action_key,
        e.strategy_id, e.reason_code = 'MANUAL' AS is_by_hand,
        e.reason_code <> 'MANUAL' AND (e.created_ts AT TIME ZONE 'Asia/Seoul')::date
            <> (now() AT TIME ZONE 'Asia/Seoul')::date
        OR e.reason_code = 'PICK' AND e.created_ts < now() - interval '1 minute' AS is_outdated,
        trade.price_asked(e.symbol, e.limit_price) AS price
    FROM trade.manual_entries e
    WHERE e.state = 'ASKED' ORDER BY e.created_ts LIMIT 100";

/// One statement: the order with its first event, and the end of the request. Whoever comes second,
/// also after a lost answer, finds the request ended.
const PLACE: &str = "WITH asked AS (
        SELECT * FROM trade.manual_entries WHERE request_id = $1 AND state = 'ASKED'
        FOR NO KEY UPDATE
    ), placed AS (
        INSERT INTO trade.orders (order_id, action_key, account_id, symbol, side, intent_type, qty,
            order_type, limit_price, reason_code, price, level, decided_us, explanation)
        SELECT $2, $3, $4, symbol, 'BUY', 'ENTRY', qty,
            CASE WHEN limit_price IS NULL THEN 'MKT' ELSE 'LMT' END, limit_price, reason_code, $7,
            $7, $5, $6
        FROM asked
        RETURNING order_id
    ), told AS (
        INSERT INTO trade.order_events (order_id, status) SELECT order_id, $8 FROM placed
    )
    UPDATE trade.manual_entries e
    SET state = 'ORDERED', order_id = placed.order_id, updated_ts = clock_timestamp()
    FROM placed WHERE e.request_id = $1
    RETURNING e.state";

const REFUSE: &str = "UPDATE trade.manual_entries
    SET state = 'REFUSED', message = $2, updated_ts = clock_timestamp()
    WHERE request_id = $1 AND state = 'ASKED'";

/// Whether something may become of an order still.
const IS_LIVE: &str = "SELECT EXISTS (SELECT FROM trade.orders_now WHERE action_key = $1
    AND status NOT IN ('FILLED', 'CANCELLED', 'CANCELLED_PARTIAL', 'REJECTED', 'ERROR'))";

const OUTDATED: &str = "it was asked for too long ago";
const NO_PRICE: &str = "no price of the symbol is known: watch it first, or give a limit";

/// Someone who asks.
struct Request {
    id: Uuid,
    by: String,
    strategy: String,
    reason: Option<String>,
    is_by_hand: bool,
    is_outdated: bool,
    action_key: ActionKey,
    /// What is asked for; none where no price is known.
    intent: Option<Intent>,
}

impl Request {
    fn read(row: &tokio_postgres::Row) -> Result<Self, StoreError> {
        let symbol: &str = row.try_get("symbol")?;
        let symbol = symbol.parse::<Symbol>().map_err(StoreError::inconsistent)?;
        let qty = Quantity::new(row.try_get("qty")?).map_err(StoreError::inconsistent)?;
        let price: Option<Decimal> = row.try_get("price")?;
        let price = price.map(Price::try_from).transpose();
        let price = price.map_err(StoreError::inconsistent)?;
        let id: Uuid = row.try_get("request_id")?;
        let action_key: Option<&str> = row.try_get("action_key")?;
        Ok(Self {
            id,
            action_key: action_key.map_or_else(|| ActionKey::purchase(id), ActionKey::stored),
            by: row.try_get("asked_by")?,
            strategy: row.try_get("strategy_id")?,
            reason: row.try_get("reason")?,
            is_by_hand: row.try_get("is_by_hand")?,
            is_outdated: row.try_get("is_outdated")?,
            intent: price.map(|price| Intent { symbol, qty, price }),
        })
    }
}

impl Desk {
    /// Makes orders of what is asked for. The search for new orders finds them. What is asked before
    /// the risk gate knows the account waits, as does what no person asks for while no order may leave.
    pub(super) async fn place_purchases(&self) {
        if !self.parts.gate.is_ready() {
            return;
        }
        let Ok(requests) = self.load_purchases().await else {
            return;
        };
        let is_closed = self.parts.why_closed().is_some();
        for request in requests {
            if is_closed && !request.is_by_hand && !request.is_outdated {
                continue;
            }
            match self.place(&request).await {
                Ok(Some(state)) => {
                    info!(request = %request.id, by = request.by, state, "purchase by hand");
                }
                Ok(None) | Err(GivenUp::Stopped) => {}
                Err(GivenUp::Refused(error)) => {
                    self.refused("a purchase by hand cannot be stored", None, &error);
                    self.refuse_purchase(&request, None, &error.to_string())
                        .await;
                }
            }
        }
    }

    async fn load_purchases(&self) -> Result<Vec<Request>, GivenUp> {
        let work = |client: crate::postgres::PostgresClient| async move {
            let statement = client.prepare_cached(ASKED).await?;
            let rows = client.query(&statement, &[]).await?;
            rows.iter().map(Request::read).collect()
        };
        let store = &self.parts.store;
        self.report(store.persist("purchases by hand", &self.stop, work).await)
    }

    /// Ends a request of which there will be no order: asked again, it would be refused again.
    async fn refuse_purchase(&self, request: &Request, ruling: Option<&Ruling>, message: &str) {
        let id = &request.id;
        let work = |mut client: crate::postgres::PostgresClient| async move {
            let tx = client.transaction().await?;
            if let Some(ruling) = ruling {
                record(&tx, ruling).await?;
            }
            let statement = tx.prepare_cached(REFUSE).await?;
            tx.execute(&statement, &[id, &message]).await?;
            Ok(tx.commit().await?)
        };
        let store = &self.parts.store;
        let ended = store.persist("end of a purchase by hand", &self.stop, work);
        if let Err(GivenUp::Refused(error)) = ended.await {
            self.refused("a purchase by hand cannot be ended", None, &error);
        }
    }

    /// Places the order of a request, if the risk gate lets it. Returns what became of it; none where
    /// it was ended by somebody else.
    async fn place(&self, request: &Request) -> Result<Option<String>, GivenUp> {
        let refused = Ok(Some("REFUSED".to_owned()));
        if request.is_outdated {
            self.refuse_purchase(request, None, OUTDATED).await;
            return refused;
        }
        let Some(intent) = request.intent else {
            self.refuse_purchase(request, None, NO_PRICE).await;
            return refused;
        };
        let action_key = request.action_key.as_str();
        let ruling = self.parts.gate.judge(&intent, action_key);
        if let Some(why) = ruling.refusal() {
            let message = format!("refused by the risk gate: {why}");
            self.refuse_purchase(request, Some(&ruling), &message).await;
            return refused;
        }
        let placed = self.store_purchase(request, &intent, &ruling).await;
        let is_live = match placed {
            Ok(Some(_)) => true,
            // A commit whose answer was lost: what becomes of its order gives the room back.
            Ok(None) => self.is_live(action_key).await?,
            Err(_) => false,
        };
        if !is_live {
            self.parts.gate.release(action_key);
        }
        placed
    }

    async fn is_live(&self, action_key: &str) -> Result<bool, GivenUp> {
        let work = |client: crate::postgres::PostgresClient| async move {
            let statement = client.prepare_cached(IS_LIVE).await?;
            let row = client.query_one(&statement, &[&action_key]).await?;
            Ok(row.try_get(0)?)
        };
        let store = &self.parts.store;
        let read = store.persist("order of a purchase", &self.stop, work).await;
        self.report(read)
    }

    async fn store_purchase(
        &self,
        request: &Request,
        intent: &Intent,
        ruling: &Ruling,
    ) -> Result<Option<String>, GivenUp> {
        let order = order_id(&ruling.action_key);
        let decided_us = i64::try_from((self.parts.now_us)()).unwrap_or(i64::MAX);
        let explanation = json!({"manual": {
            "request_id": request.id, "asked_by": request.by, "reason": request.reason,
            "strategy": request.strategy}});
        let price = intent.price.to_decimal();
        // Whoever asks by hand has approved of it.
        let status = match request.is_by_hand {
            true => OrderStatus::New,
            false => Policy::of(&self.parts.config).of_entry(),
        };
        let (explanation, price, status) = (&explanation, &price, status.name());
        let account = &self.parts.account;
        let work = |mut client: crate::postgres::PostgresClient| async move {
            let tx = client.transaction().await?;
            let statement = tx.prepare_cached(PLACE).await?;
            let row = tx
                .query_opt(
                    &statement,
                    &[
                        &request.id,
                        &order,
                        &&*ruling.action_key,
                        account,
                        &decided_us,
                        explanation,
                        price,
                        &status,
                    ],
                )
                .await?;
            let state = row.map(|row| row.try_get("state")).transpose()?;
            record(&tx, ruling).await?;
            tx.commit().await?;
            Ok(state)
        };
        self.parts
            .store
            .persist("a purchase by hand", &self.stop, work)
            .await
    }
}
