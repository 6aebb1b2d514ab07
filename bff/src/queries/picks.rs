//! Picks.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;
use serde_json::{Value, json};
use tokio_postgres::{Row, Transaction};
use turnstile_connectors::postgres::Postgres;

use crate::api::picks::{NewPick, Pick, PickConstraints, PickRun, SendPicks};
use crate::cursor::NumberCursor;
use crate::envelope::Listed;
use crate::extract::Page;
use crate::queries::{QueryError, acting, listed};
use crate::seoul::SeoulTime;

const PRODUCER: &str = "SELECT name, is_enabled FROM trade.pick_producers WHERE producer_id = $1";
/// The digest is of a text that equal runs have in common.
const RUN: &str = "INSERT INTO trade.pick_runs (producer_id, run_id, asof_ts, sent_by, body_digest)
    VALUES ($1, $2, $3, $4, encode(sha256(convert_to($5::text, 'UTF8')), 'hex'))
    ON CONFLICT (producer_id, run_id) DO NOTHING RETURNING id";
const PICKS: &str =
    "INSERT INTO trade.picks (pick_run_id, symbol, side, score, confidence, rank, reasons,
        price_max, valid_until)
    SELECT $1, symbol, side, score, confidence, rank, reasons, price_max, valid_until
    FROM jsonb_to_recordset($2) AS pick (symbol text, side text, score numeric, confidence text, rank integer,
        reasons text[], price_max numeric, valid_until timestamptz)";
const UNKNOWN: &str = "SELECT pick->>'symbol' AS symbol FROM jsonb_array_elements($1) AS pick
    WHERE NOT EXISTS (SELECT FROM market.stocks WHERE stocks.symbol = pick->>'symbol')";
const KNOWN: &str = "SELECT r.*, p.name AS producer,
        r.body_digest = encode(sha256(convert_to($3::text, 'UTF8')), 'hex') AS is_same
    FROM trade.pick_runs r JOIN trade.pick_producers p USING (producer_id)
    WHERE r.producer_id = $1 AND r.run_id = $2";
const PAGE: &str = "SELECT r.*, p.name AS producer
    FROM trade.pick_runs r JOIN trade.pick_producers p USING (producer_id)
    WHERE r.id < $1 ORDER BY r.id DESC LIMIT $2";
const PICKS_OF: &str = "SELECT k.*, s.name FROM trade.picks k JOIN market.stocks s USING (symbol)
    WHERE k.pick_run_id = ANY ($1) ORDER BY k.pick_run_id, k.rank, k.symbol";

/// What became of picks that were sent.
pub(crate) enum Sent {
    /// Stored now.
    Stored(PickRun),
    /// Stored before, the same.
    Known(PickRun),
    /// The run id belongs to other picks: these.
    Other(PickRun),
    /// The producer may not send.
    Disabled,
    /// There is no such producer.
    NoProducer,
    /// There are no such stocks.
    NoStocks(BTreeSet<String>),
}

/// Stores a run. Of two equal ones the second finds the first.
pub(crate) async fn send(db: &Postgres, given: &SendPicks) -> Result<Sent, QueryError> {
    let mut client = db.client().await?;
    let tx = acting(&mut client).await?;
    let SendPicks {
        producer_id,
        run_id,
        ..
    } = given;
    let Some(producer) = tx.query_opt(PRODUCER, &[producer_id]).await? else {
        return Ok(Sent::NoProducer);
    };
    let name: String = producer.try_get("name")?;
    let sent_by = given.sent_by.as_ref().unwrap_or(&name);
    let picks = rows(&given.picks);
    let text = canonical(given, picks.clone());
    let picks = Value::Array(picks);
    let stored = tx
        .query_opt(RUN, &[producer_id, run_id, &given.asof, sent_by, &text])
        .await?;
    let Some(stored) = stored else {
        let row = tx.query_one(KNOWN, &[producer_id, run_id, &text]).await?;
        let run = whole(&tx, &row).await?;
        let is_same = row.try_get("is_same")?;
        return Ok(if is_same {
            Sent::Known(run)
        } else {
            Sent::Other(run)
        });
    };
    // Without a commit the run is not stored.
    if !producer.try_get::<_, bool>("is_enabled")? {
        return Ok(Sent::Disabled);
    }
    let unknown = tx.query(UNKNOWN, &[&picks]).await?;
    if !unknown.is_empty() {
        let unknown = unknown.iter().map(|row| row.try_get("symbol"));
        return Ok(Sent::NoStocks(unknown.collect::<Result<_, _>>()?));
    }
    let id: i64 = stored.try_get("id")?;
    tx.execute(PICKS, &[&id, &picks]).await?;
    let row = tx.query_one(KNOWN, &[producer_id, run_id, &text]).await?;
    let run = whole(&tx, &row).await?;
    tx.commit().await?;
    Ok(Sent::Stored(run))
}

/// Returns a page of runs, newest first.
pub(crate) async fn list(
    db: &Postgres,
    page: Page<NumberCursor>,
) -> Result<Listed<PickRun, NumberCursor>, QueryError> {
    let client = db.client().await?;
    let rows = client
        .query(PAGE, &[&page.below.0, &(page.limit + 1)])
        .await?;
    let ids: Vec<i64> = rows
        .iter()
        .map(|row| row.try_get("id"))
        .collect::<Result<_, _>>()?;
    let mut picks: BTreeMap<i64, Vec<Pick>> = BTreeMap::new();
    for row in &client.query(PICKS_OF, &[&ids]).await? {
        let of = picks.entry(row.try_get("pick_run_id")?).or_default();
        of.push(pick(row)?);
    }
    let mut listed = listed(
        &rows,
        &page,
        |row| Ok(NumberCursor(row.try_get("id")?)),
        |row| run(row, Vec::new()),
    )?;
    for run in &mut listed.items {
        run.picks = picks.remove(&run.id).unwrap_or_default();
    }
    Ok(listed)
}

/// Returns a run with its picks.
async fn whole(client: &Transaction<'_>, row: &Row) -> Result<PickRun, QueryError> {
    let ids: Vec<i64> = vec![row.try_get("id")?];
    let picks = client.query(PICKS_OF, &[&ids]).await?;
    let picks = picks.iter().map(pick).collect::<Result<_, _>>()?;
    Ok(run(row, picks)?)
}

fn run(row: &Row, picks: Vec<Pick>) -> Result<PickRun, tokio_postgres::Error> {
    Ok(PickRun {
        id: row.try_get("id")?,
        producer_id: row.try_get("producer_id")?,
        producer: row.try_get("producer")?,
        run_id: row.try_get("run_id")?,
        asof: row.try_get("asof_ts")?,
        received_ts: row.try_get("received_ts")?,
        sent_by: row.try_get("sent_by")?,
        body_digest: row.try_get("body_digest")?,
        picks,
    })
}

fn pick(row: &Row) -> Result<Pick, tokio_postgres::Error> {
    Ok(Pick {
        symbol: row.try_get("symbol")?,
        name: row.try_get("name")?,
        side: row.try_get("side")?,
        score: row.try_get("score")?,
        confidence: row.try_get("confidence")?,
        rank: row.try_get("rank")?,
        reasons: row.try_get("reasons")?,
        constraints: PickConstraints {
            price_max: row.try_get("price_max")?,
            valid_until: row.try_get("valid_until")?,
        },
    })
}

/// Returns picks as the database takes them. Numbers are texts: they keep every digit.
fn rows(picks: &[NewPick]) -> Vec<Value> {
    let rows = picks.iter().map(|pick| {
        let constraints = pick.constraints.as_ref();
        let until = constraints.and_then(|bound| bound.valid_until);
        // As exact as the database, so that what is stored is what was compared.
        let until = until.and_then(|until| SeoulTime::from_micros(until.as_microsecond()));
        json!({
            "symbol": pick.symbol.map(|symbol| symbol.to_string()),
            "score": Decimal::normalize(&pick.score.to_decimal()).to_string(),
            "side": pick.side,
            "confidence": pick.confidence,
            "rank": pick.rank,
            "reasons": pick.reasons,
            "price_max": constraints.and_then(|bound| bound.price_max),
            "valid_until": until,
        })
    });
    rows.collect()
}

/// Returns a text that equal runs have in common, whatever the order of their picks, given as rows.
fn canonical(given: &SendPicks, mut picks: Vec<Value>) -> String {
    picks.sort_by_key(|pick| pick["symbol"].to_string());
    let asof_us = given.asof.micros();
    json!([given.producer_id, given.run_id, asof_us, picks]).to_string()
}
