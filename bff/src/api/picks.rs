//! Picks: what other programs propose to buy.

use std::collections::{BTreeMap, BTreeSet};

use axum::extract::State;
use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::json;
use tracing::info;
use turnstile_dataflows::model::Symbol;
use turnstile_dataflows::picks::{Confidence, Score};
use utoipa::ToSchema;

use crate::api::exit_rules::NAME_LENGTH_MAX;
use crate::envelope::Success;
use crate::error::{ApiError, Code, Failure};
use crate::extract::{Body, NoParams, Params};
use crate::number::Number;
use crate::queries;
use crate::queries::picks::Sent;
use crate::seoul::SeoulTime;
use crate::state::AppState;

/// Picks of a run at most.
const PICKS_MAX: usize = 100;
const REASONS_MAX: usize = 10;
const REASON_LENGTH_MAX: usize = 200;
/// Highest price that is named, KRW.
const PRICE_MAX: i64 = 100_000_000_000;
/// Longest body of a run, bytes: a hundred picks with all their reasons.
pub(crate) const BODY_MAX: usize = 1024 * 1024;
/// How far the clock of a producer may be ahead, microseconds.
const AHEAD_US_MAX: i64 = 60_000_000;

/// What a producer said at once.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PickRun {
    /// In the order of arrival.
    pub(crate) id: i64,
    pub(crate) producer_id: i32,
    /// Name of the producer.
    pub(crate) producer: String,
    pub(crate) run_id: String,
    /// What it was computed from.
    pub(crate) asof: SeoulTime,
    pub(crate) received_ts: SeoulTime,
    pub(crate) sent_by: String,
    /// SHA-256 of what was sent.
    pub(crate) body_digest: String,
    /// By rank.
    pub(crate) picks: Vec<Pick>,
}

/// A symbol that a producer would buy.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Pick {
    pub(crate) symbol: String,
    /// Name of the stock.
    pub(crate) name: String,
    /// LONG.
    pub(crate) side: String,
    /// 0 to 1.
    pub(crate) score: Number,
    /// LOW, MEDIUM or HIGH.
    pub(crate) confidence: String,
    pub(crate) rank: i32,
    pub(crate) reasons: Vec<String>,
    pub(crate) constraints: PickConstraints,
}

/// What a purchase is bound to.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PickConstraints {
    /// KRW; not bought above it.
    pub(crate) price_max: Option<Number>,
    /// From then on it does not count.
    pub(crate) valid_until: Option<SeoulTime>,
}

/// What to propose.
#[derive(Debug, ToSchema)]
pub(crate) struct SendPicks {
    /// Who proposes: a row of `trade.pick_producers`.
    pub(crate) producer_id: i32,
    /// Makes the run known again: sent twice, it is one run. 1 to 64 letters, digits, `.`, `-` or `_`.
    pub(crate) run_id: String,
    /// RFC 3339: what it was computed from. At most a minute ahead.
    #[schema(value_type = String)]
    pub(crate) asof: SeoulTime,
    /// Who sends, at most 64 characters; without it the producer.
    pub(crate) sent_by: Option<String>,
    /// At most 100, each symbol once. None takes back what the run before said.
    pub(crate) picks: Vec<NewPick>,
}

/// A symbol to buy.
#[derive(Debug, ToSchema)]
pub(crate) struct NewPick {
    /// Symbol, 1 to 9 letters or digits.
    #[schema(value_type = String)]
    pub(crate) symbol: Option<Symbol>,
    /// LONG.
    pub(crate) side: &'static str,
    /// 0 to 1, at most 6 decimals.
    #[schema(value_type = f64)]
    pub(crate) score: Score,
    /// LOW, MEDIUM or HIGH.
    pub(crate) confidence: &'static str,
    /// At least 1.
    pub(crate) rank: i32,
    /// At most 10 of at most 200 characters.
    pub(crate) reasons: Vec<String>,
    pub(crate) constraints: Option<NewPickConstraints>,
}

/// What the purchase is bound to.
#[derive(Debug, ToSchema)]
pub(crate) struct NewPickConstraints {
    /// KRW, whole; not bought above it.
    pub(crate) price_max: Option<i64>,
    /// RFC 3339; from then on it does not count.
    #[schema(value_type = Option<String>)]
    pub(crate) valid_until: Option<Timestamp>,
}

/// Runs, newest first.
#[utoipa::path(
    get, path = "/api/v1/picks", tag = "picks",
    params(
        ("limit" = Option<i64>, Query, description = "1 to 100, default 20"),
        ("cursor" = Option<String>, Query, description = "next_cursor of the page before"),
    ),
    responses(
        (status = 200, body = Success<Vec<PickRun>>),
        (status = "4XX", body = Failure),
        (status = "5XX", body = Failure),
    ),
)]
pub(crate) async fn list(
    State(state): State<AppState>,
    mut params: Params,
) -> Result<Success<Vec<PickRun>>, ApiError> {
    let page = params.page();
    params.finish()?;
    Ok(Success::page(queries::picks::list(&state.db, page).await?))
}

/// Proposes purchases. Answers before anything is decided; GET /api/v1/pick_decisions says what became of
/// them. The newest run of a producer takes the place of the one before.
#[utoipa::path(
    post, path = "/api/v1/picks", tag = "picks",
    request_body = SendPicks,
    responses(
        (status = 200, body = Success<PickRun>),
        (status = "4XX", body = Failure),
        (status = "5XX", body = Failure),
    ),
)]
pub(crate) async fn send(
    State(state): State<AppState>,
    _: NoParams,
    mut body: Body,
) -> Result<Success<PickRun>, ApiError> {
    let given = read(&mut body);
    body.finish()?;
    match queries::picks::send(&state.db, &given).await? {
        Sent::Stored(run) => {
            let (producer, run_id, picks) = (&run.producer, &run.run_id, run.picks.len());
            info!(producer, run_id, picks, "picks received");
            Ok(Success::one(run))
        }
        Sent::Known(run) => Ok(Success::one(run)),
        Sent::Other(run) => Err(ApiError::conflict(
            "the run id belongs to another body",
            json!({ "id": run.id, "body_digest": run.body_digest }),
        )),
        Sent::Disabled => Err(ApiError::conflict(
            "the producer may not send",
            json!({ "producer_id": given.producer_id }),
        )),
        Sent::NoProducer => {
            let fault = format!("names no producer, was {}", given.producer_id);
            Err(faults([("producer_id".to_owned(), fault)]))
        }
        Sent::NoStocks(unknown) => Err(faults(given.picks.iter().zip(0..).filter_map(
            |(pick, place): (_, usize)| {
                let symbol = pick.symbol.map(|symbol| symbol.to_string())?;
                let fault = format!("names no stock, was {symbol}");
                let is_unknown = unknown.contains(&symbol);
                is_unknown.then(|| (format!("picks[{place}].symbol"), fault))
            },
        ))),
    }
}

/// Takes everything that is known of the body.
fn read(body: &mut Body) -> SendPicks {
    let given = SendPicks {
        producer_id: body.required_whole_i32("producer_id", 1),
        run_id: body.required_text("run_id", NAME_LENGTH_MAX),
        asof: asof(body),
        sent_by: body.text("sent_by", NAME_LENGTH_MAX),
        picks: body.required_objects("picks", PICKS_MAX, pick),
    };
    let is_letter = |letter: char| letter.is_ascii_alphanumeric() || "._-".contains(letter);
    if !given.run_id.chars().all(is_letter) {
        let fault = "must be of letters, digits, . - or _";
        body.fault_if_none("run_id", fault);
    }
    let mut named = BTreeSet::new();
    for (place, pick) in given.picks.iter().enumerate() {
        if pick.symbol.is_some_and(|symbol| !named.insert(symbol)) {
            body.fault(
                &format!("picks[{place}].symbol"),
                "is there twice".to_owned(),
            );
        }
    }
    given
}

/// Takes the time that the run is of. What it returns after a fault is never used.
fn asof(body: &mut Body) -> SeoulTime {
    let given = body.parsed::<Timestamp>("asof");
    if given.is_none() {
        body.fault_if_none("asof", "is required");
    }
    let now = SeoulTime::now();
    let micros = given.map_or(0, Timestamp::as_microsecond);
    if !(0..=now.micros().saturating_add(AHEAD_US_MAX)).contains(&micros) {
        body.fault_if_none("asof", "must be from 1970 to a minute from now");
    }
    SeoulTime::from_micros(micros).unwrap_or(now)
}

/// Takes everything that is known of a pick.
fn pick(item: &mut Body) -> NewPick {
    let symbol = item.parsed::<Symbol>("symbol");
    if symbol.is_none() {
        item.fault_if_none("symbol", "is required");
    }
    NewPick {
        symbol,
        side: item.required_choice("side", &["LONG"]),
        score: score(item),
        confidence: item.required_choice("confidence", &Confidence::ALL.map(Confidence::name)),
        rank: item.required_whole_i32("rank", 1),
        reasons: item.texts("reasons", REASONS_MAX, REASON_LENGTH_MAX),
        constraints: item.object("constraints", |inner| NewPickConstraints {
            price_max: inner.whole_in("price_max", 1..=PRICE_MAX),
            valid_until: valid_until(inner),
        }),
    }
}

/// Takes the end of a pick. A blank one is no time, and not none.
fn valid_until(inner: &mut Body) -> Option<Timestamp> {
    if inner.is_blank("valid_until") {
        inner.fault_if_none("valid_until", "must be a time, was blank");
    }
    let given = inner.parsed::<Timestamp>("valid_until");
    if given.is_some_and(|time| time.as_microsecond() < 0) {
        inner.fault_if_none("valid_until", "must not lie before 1970");
    }
    given
}

fn score(item: &mut Body) -> Score {
    let value = item.required_value("score");
    let number = Some(&value).filter(|value| value.is_number());
    let number = number.and_then(|number| number.to_string().parse::<Number>().ok());
    let score = number.and_then(|number| Score::try_from(Decimal::from(number)).ok());
    if score.is_none() && !value.is_null() {
        let expected = "must be a number from 0 to 1 with at most 6 decimals";
        item.fault("score", format!("{expected}, was {value}"));
    }
    score.unwrap_or_default()
}

fn faults(of: impl IntoIterator<Item = (String, String)>) -> ApiError {
    ApiError::fields(Code::InvalidBody, BTreeMap::from_iter(of))
}
