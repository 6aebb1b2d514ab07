//! Decisions and holds as rows.

use std::collections::BTreeMap;

use crate::postgres::{PostgresClient, Transaction};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use turnstile_dataflows::model::{ActionKey, LogicalTime, Quantity, Symbol};
use turnstile_dataflows::picks::{Gate, Merged, Mode, Offer, Refusal, Score};
use uuid::Uuid;

use super::STRATEGY;
use super::error::PicksError;
use super::runs::time;

/// Whoever asks, in requests.
const WHO: &str = "picks";

const DECIDED: &str = "SELECT to_char(t.day, 'YYYYMMDD') AS day, d.symbol, d.action_key
    FROM (SELECT (clock_timestamp() AT TIME ZONE 'Asia/Seoul')::date AS day OFFSET 0) t
    LEFT JOIN trade.pick_decisions d ON d.day = t.day AND d.account_id = $1";
const LOCK: &str = "SELECT pg_advisory_xact_lock(hashtextextended('turnstile picks ' || $1, 0))";

/// The executor makes an order of it, or says why it does not. Nothing where the key was used.
const ASK: &str = "INSERT INTO trade.manual_entries
        (request_id, symbol, qty, limit_price, asked_by, reason, strategy_id, action_key, reason_code)
    SELECT $1, $2, $3, $4, $5, $6, $7, $6, 'PICK'
    WHERE NOT EXISTS (SELECT FROM trade.orders WHERE action_key = $6)
    ON CONFLICT DO NOTHING";
const DECIDE: &str = "INSERT INTO trade.pick_decisions (account_id, day, symbol, decision, gate, reason,
        mode, score, confidence, producers, action_key, qty, limit_price, equity, request_id)
    VALUES ($1, $2::text::date, $3, CASE WHEN $4::text IS NULL THEN 'PLACED' ELSE 'REFUSED' END, $4, $5,
        $6, $7, $8, $9, $10, $11, $12, $13, $14)
    RETURNING (extract(epoch FROM created_ts) * 1000000)::bigint AS at_us,
        NOT EXISTS (SELECT FROM trade.pick_holds h
            WHERE h.account_id = $1 AND h.day = $2::text::date AND h.symbol = $3) AS is_first";

/// Nothing where the last row says the same.
const HOLD: &str = "WITH last AS (
        SELECT gate, reason FROM trade.pick_holds
        WHERE account_id = $1 AND day = $2::text::date AND symbol = $3 ORDER BY id DESC LIMIT 1
    )
    INSERT INTO trade.pick_holds
        (account_id, day, symbol, gate, reason, mode, score, confidence, producers, action_key)
    SELECT $1, $2::text::date, $3, $4, $5, $6, $7, $8, $9, $10
    WHERE NOT EXISTS (SELECT FROM last WHERE gate = $4 AND reason = $5)
    RETURNING (extract(epoch FROM created_ts) * 1000000)::bigint AS at_us,
        NOT EXISTS (SELECT FROM last) AS is_first";

/// What is judged, and how it came to be.
pub(super) struct Judged<'j> {
    pub(super) account: &'j str,
    /// Day in Seoul, `yyyy-mm-dd`.
    pub(super) day: &'j str,
    pub(super) mode: Mode,
    pub(super) pick: &'j Merged,
    pub(super) key: ActionKey,
    /// What the account is worth, KRW.
    pub(super) equity: Option<Decimal>,
}

/// What is decided today.
pub(super) struct Decided {
    /// Day in Seoul, `yyyymmdd`.
    pub(super) day: String,
    /// Action keys by symbol.
    pub(super) keys: BTreeMap<Symbol, String>,
}

/// What was written of a pick. `first_at`: when, if nothing of it had been written that day.
pub(super) enum Written {
    /// Nothing: what holds it is the same as before.
    Nothing,
    Placed {
        first_at: Option<LogicalTime>,
    },
    Refused {
        refusal: Refusal,
        first_at: Option<LogicalTime>,
    },
    Held {
        refusal: Refusal,
        first_at: Option<LogicalTime>,
    },
}

impl Written {
    /// Returns when the first row of the day was written, if it was this one.
    pub(super) fn first_at(&self) -> Option<LogicalTime> {
        match self {
            Self::Nothing => None,
            Self::Placed { first_at }
            | Self::Refused { first_at, .. }
            | Self::Held { first_at, .. } => *first_at,
        }
    }
}

/// Returns what is decided today.
pub(super) async fn decided(client: &PostgresClient, account: &str) -> Result<Decided, PicksError> {
    let mut decided = Decided {
        day: String::new(),
        keys: BTreeMap::new(),
    };
    for row in &client.query(DECIDED, &[&account]).await? {
        decided.day = row.try_get("day")?;
        let symbol: Option<&str> = row.try_get("symbol")?;
        let symbol = symbol.map(str::parse).transpose();
        let symbol = symbol.map_err(|error| PicksError::Row {
            table: "trade.pick_decisions",
            key: decided.day.clone(),
            reason: format!("symbol: {error}"),
        })?;
        if let Some(symbol) = symbol {
            decided.keys.insert(symbol, row.try_get("action_key")?);
        }
    }
    Ok(decided)
}

/// Waits until nobody else decides on picks of the account, until the end of the transaction.
pub(super) async fn lock(tx: &Transaction<'_>, account: &str) -> Result<(), PicksError> {
    tx.execute(LOCK, &[&account]).await?;
    Ok(())
}

/// Asks to buy `shares`, and stores the decision. Where the action key was used, it is refused.
pub(super) async fn place(
    tx: &Transaction<'_>,
    judged: &Judged<'_>,
    shares: Quantity,
    offer: Option<Offer>,
) -> Result<Written, PicksError> {
    let (key, symbol) = (judged.key.as_str(), judged.pick.symbol.to_string());
    let request = Uuid::new_v5(&Uuid::NAMESPACE_OID, key.as_bytes());
    let (shares, limit) = (shares.shares(), offer.map(|offer| offer.limit.to_decimal()));
    let asked = tx
        .execute(
            ASK,
            &[&request, &symbol, &shares, &limit, &WHO, &key, &STRATEGY],
        )
        .await?;
    if asked == 0 {
        let refusal = Refusal {
            gate: Gate::Key,
            reason: "the action key was used already".to_owned(),
        };
        return refuse(tx, judged, refusal).await;
    }
    let order = (Some(shares), limit, Some(request));
    let first_at = decide(tx, judged, None, order).await?;
    Ok(Written::Placed { first_at })
}

/// Stores that a pick is not bought today.
pub(super) async fn refuse(
    tx: &Transaction<'_>,
    judged: &Judged<'_>,
    refusal: Refusal,
) -> Result<Written, PicksError> {
    let first_at = decide(tx, judged, Some(&refusal), (None, None, None)).await?;
    Ok(Written::Refused { refusal, first_at })
}

async fn decide(
    tx: &Transaction<'_>,
    judged: &Judged<'_>,
    refusal: Option<&Refusal>,
    (shares, limit, request): (Option<i64>, Option<Decimal>, Option<Uuid>),
) -> Result<Option<LogicalTime>, PicksError> {
    let gate = refusal.map(|refusal| refusal.gate.name());
    let reason = refusal.map(|refusal| refusal.reason.as_str());
    let pick = judged.pick;
    let row = tx
        .query_one(
            DECIDE,
            &[
                &judged.account,
                &judged.day,
                &pick.symbol.to_string(),
                &gate,
                &reason,
                &judged.mode.name(),
                &pick.score.to_decimal(),
                &pick.confidence.name(),
                &sources(pick),
                &judged.key.as_str(),
                &shares,
                &limit,
                &judged.equity,
                &request,
            ],
        )
        .await?;
    let is_first: bool = row.try_get("is_first")?;
    let at = time(row.try_get("at_us")?);
    Ok(is_first.then_some(at))
}

/// Notes what holds a pick, where that is new.
pub(super) async fn hold(
    tx: &Transaction<'_>,
    judged: &Judged<'_>,
    refusal: &Refusal,
) -> Result<Written, PicksError> {
    let pick = judged.pick;
    let row = tx
        .query_opt(
            HOLD,
            &[
                &judged.account,
                &judged.day,
                &pick.symbol.to_string(),
                &refusal.gate.name(),
                &refusal.reason,
                &judged.mode.name(),
                &pick.score.to_decimal(),
                &pick.confidence.name(),
                &sources(pick),
                &judged.key.as_str(),
            ],
        )
        .await?;
    let Some(row) = row else {
        return Ok(Written::Nothing);
    };
    let is_first: bool = row.try_get("is_first")?;
    let at = time(row.try_get("at_us")?);
    Ok(Written::Held {
        refusal: refusal.clone(),
        first_at: is_first.then_some(at),
    })
}

/// Everybody who names the pick, the lead first.
pub(super) fn sources(pick: &Merged) -> Value {
    let sources = pick.sources().iter();
    sources
        .map(|source| {
            json!({
                "producer_id": source.producer.id.0,
                "run_id": &*source.run_id,
                "score": number(source.pick.score),
                "confidence": source.pick.confidence.name(),
                "rank": source.pick.rank,
            })
        })
        .collect()
}

/// Returns a score as a number of JSON with every digit.
fn number(score: Score) -> Value {
    let digits = score.to_decimal().normalize().to_string();
    digits.parse().map_or(Value::Null, Value::Number)
}
