//! Cash flows.

use tokio_postgres::Row;
use turnstile_connectors::postgres::Postgres;
use uuid::Uuid;

use crate::api::cash_flows::{CashFlow, EnterFlow};
use crate::cursor::TimeCursor;
use crate::envelope::Listed;
use crate::extract::Page;
use crate::queries::{QueryError, acting, listed, time_key};

/// The namespace of the identities of flows, which come from their idempotency keys.
const NAMESPACE: Uuid = Uuid::from_u128(0x91d3_47e0_6c5a_4f1e_b2a8_0d9f_c473_5e16);

const FLOW: &str = "flow_id, account_id, day::text AS day, amount, note, asked_by, created_ts";

/// What became of a flow.
pub(crate) enum Entered {
    /// Entered now.
    Stored(CashFlow),
    /// Entered before, under the same key.
    Known(CashFlow),
    /// Nothing is known of the account.
    NoAccount,
}

/// Returns a page of the flows of `account`, last entered first.
pub(crate) async fn list(
    db: &Postgres,
    account: Option<&str>,
    page: Page<TimeCursor>,
) -> Result<Listed<CashFlow, TimeCursor>, QueryError> {
    let client = db.client().await?;
    let query = format!(
        "SELECT {FLOW} FROM trade.cash_flows
         WHERE account_id = $1 AND (created_ts, flow_id) < ($2, $3)
         ORDER BY created_ts DESC, flow_id DESC LIMIT $4"
    );
    let (ts, id) = (&page.below.ts, &page.below.id);
    let rows = client
        .query(&query, &[&account, ts, id, &(page.limit + 1)])
        .await?;
    let key = time_key("created_ts", "flow_id");
    listed(&rows, &page, key, flow)
}

/// Enters a flow of `account`, of which an equity or a position is known, on `day`. Of two equal requests
/// the second finds the first.
pub(crate) async fn enter(
    db: &Postgres,
    account: &str,
    day: &str,
    asked: &EnterFlow,
) -> Result<Entered, QueryError> {
    let mut client = db.client().await?;
    let client = acting(&mut client).await?;
    let id = Uuid::new_v5(&NAMESPACE, asked.idempotency_key.as_bytes());
    let insert = format!(
        "INSERT INTO trade.cash_flows (flow_id, account_id, day, amount, note, asked_by)
         SELECT $1, $2, $3::text::date, $4, $5, $6
         WHERE EXISTS (SELECT FROM trade.account_equity WHERE account_id = $2)
            OR EXISTS (SELECT FROM trade.positions WHERE account_id = $2)
         ON CONFLICT (flow_id) DO NOTHING RETURNING {FLOW}"
    );
    let stored = client
        .query_opt(
            &insert,
            &[
                &id,
                &account,
                &day,
                &asked.amount,
                &asked.note,
                &asked.asked_by,
            ],
        )
        .await?;
    if let Some(row) = stored {
        let entered = flow(&row)?;
        client.commit().await?;
        return Ok(Entered::Stored(entered));
    }
    let known = format!("SELECT {FLOW} FROM trade.cash_flows WHERE flow_id = $1");
    Ok(match client.query_opt(&known, &[&id]).await? {
        Some(row) => Entered::Known(flow(&row)?),
        None => Entered::NoAccount,
    })
}

fn flow(row: &Row) -> Result<CashFlow, tokio_postgres::Error> {
    Ok(CashFlow {
        flow_id: row.try_get("flow_id")?,
        account_id: row.try_get("account_id")?,
        day: row.try_get("day")?,
        amount: row.try_get("amount")?,
        note: row.try_get("note")?,
        asked_by: row.try_get("asked_by")?,
        created_ts: row.try_get("created_ts")?,
    })
}
