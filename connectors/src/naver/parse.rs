//! The body of an answer to quotes. Pure: bytes in, no clock.
//!
//! Which price (2.1 of the domain, 1 of the reference): `closePrice` while the Korea Exchange is
//! open; else that of the alternative market while it is in its own pre-market or after-market;
//! else `closePrice`, tagged as the close.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value;
use turnstile_dataflows::model::Symbol;

use super::error::NaverError;
use super::quote::{FaultReason, NaverAnswer, NaverQuote, QuoteSession, RowFault};
use super::row::{Row, Wrong, shown};

/// Reads the answer to a call that asked for `asked`.
///
/// # Errors
/// [`NaverError::Malformed`] if the body is not JSON or has no list of rows.
pub(super) fn answer(
    body: &[u8],
    asked: &[Symbol],
    received_us: u64,
) -> Result<NaverAnswer, NaverError> {
    let malformed = |place, reason: &str| NaverError::Malformed {
        place,
        reason: reason.to_owned(),
    };
    let body: Value = serde_json::from_slice(body)
        .map_err(|error| malformed("body", &format!("JSON expected: {error}")))?;
    let Value::Object(body) = body else {
        return Err(malformed("body", "object expected"));
    };
    let Some(Value::Array(rows)) = body.get("datas") else {
        return Err(malformed("datas", "list of rows expected"));
    };
    let mut answer = NaverAnswer {
        polling_interval: body
            .get("pollingInterval")
            .and_then(Value::as_u64)
            .map(Duration::from_millis),
        received_us,
        ..NaverAnswer::default()
    };
    let asked: BTreeSet<Symbol> = asked.iter().copied().collect();
    let mut seen = BTreeSet::new();
    for (index, row) in rows.iter().enumerate() {
        match read(index, row, &asked, &mut seen, received_us) {
            Ok(quote) => answer.quotes.push(quote),
            Err(fault) => answer.faults.push(fault),
        }
    }
    answer
        .faults
        .extend(asked.difference(&seen).map(|symbol| RowFault {
            symbol: Some(*symbol),
            field: "datas".to_owned(),
            reason: FaultReason::NotAnswered,
        }));
    Ok(answer)
}

/// Reads one row; its symbol joins `seen` where it was asked for.
fn read(
    index: usize,
    row: &Value,
    asked: &BTreeSet<Symbol>,
    seen: &mut BTreeSet<Symbol>,
    received_us: u64,
) -> Result<NaverQuote, RowFault> {
    let fault = |symbol, wrong: Wrong| RowFault {
        symbol,
        field: wrong.field,
        reason: wrong.reason,
    };
    let Value::Object(fields) = row else {
        return Err(RowFault {
            symbol: None,
            field: format!("datas[{index}]"),
            reason: FaultReason::Malformed("object expected".to_owned()),
        });
    };
    let row = Row::new(fields);
    let symbol = symbol(&row).map_err(|wrong| fault(None, wrong))?;
    let refused = if !asked.contains(&symbol) {
        Some(FaultReason::NotAsked)
    } else if seen.insert(symbol) {
        None
    } else {
        Some(FaultReason::Repeated)
    };
    match refused {
        Some(reason) => Err(row.wrong("itemCode", reason)),
        None => quote(&row, symbol, received_us),
    }
    .map_err(|wrong| fault(Some(symbol), wrong))
}

fn symbol(row: &Row<'_>) -> Result<Symbol, Wrong> {
    let text = row.text("itemCode")?;
    text.parse()
        .map_err(|_| row.unexpected("itemCode", "symbol", &text))
}

fn quote(row: &Row<'_>, symbol: Symbol, received_us: u64) -> Result<NaverQuote, Wrong> {
    check_trading(row)?;
    if is_open(row, "marketStatus")? {
        return market_quote(
            row,
            "closePrice",
            QuoteSession::Regular,
            symbol,
            received_us,
        );
    }
    if let Some(over) = row.object("overMarketPriceInfo")?
        && let Some(session) = over_session(&over)?
    {
        check_trading(&over)?;
        return market_quote(&over, "overPrice", session, symbol, received_us);
    }
    market_quote(row, "closePrice", QuoteSession::Close, symbol, received_us)
}

/// Returns the session of the alternative market that its price is of; `None` where it is closed,
/// or in its regular session, in which the Korea Exchange's price counts.
fn over_session(over: &Row<'_>) -> Result<Option<QuoteSession>, Wrong> {
    const TYPE: &str = "tradingSessionType";
    if !is_open(over, "overMarketStatus")? {
        return Ok(None);
    }
    match over.text(TYPE)?.as_str() {
        "PRE_MARKET" => Ok(Some(QuoteSession::PreMarket)),
        "AFTER_MARKET" => Ok(Some(QuoteSession::AfterMarket)),
        "REGULAR_MARKET" => Ok(None),
        other => Err(over.unexpected(TYPE, "PRE_MARKET, REGULAR_MARKET or AFTER_MARKET", other)),
    }
}

/// Returns whether a market is open. An unknown status is a fault: a price without its session
/// could be taken for one of the regular session.
fn is_open(row: &Row<'_>, name: &str) -> Result<bool, Wrong> {
    match row.text(name)?.as_str() {
        "OPEN" => Ok(true),
        "CLOSE" | "PREOPEN" => Ok(false),
        other => Err(row.unexpected(name, "OPEN, CLOSE or PREOPEN", other)),
    }
}

/// Checks that trading is not halted: `TRADING` is the only type that is known not to be a halt.
fn check_trading(row: &Row<'_>) -> Result<(), Wrong> {
    let stop = row.needed_object("tradeStopType")?;
    match stop.text("name")?.as_str() {
        "TRADING" => Ok(()),
        other => Err(stop.wrong("name", FaultReason::Halted(shown(other)))),
    }
}

/// Reads the quote of one market, whose price is named `price`. The other fields have the same
/// names in both.
fn market_quote(
    row: &Row<'_>,
    price: &str,
    session: QuoteSession,
    symbol: Symbol,
    received_us: u64,
) -> Result<NaverQuote, Wrong> {
    const CHANGE: &str = "compareToPreviousClosePrice";
    let direction = direction(row)?;
    let change = row.size_units(CHANGE)?;
    if direction == 0 && change != 0 {
        return Err(row.unexpected(CHANGE, "0 of an unchanged price", &change.to_string()));
    }
    Ok(NaverQuote {
        symbol,
        price: row.price(price)?,
        change_units: direction * change,
        change_rate_units: direction * row.size_units("fluctuationsRatio")?,
        volume_of_day: row.quantity("accumulatedTradingVolume")?,
        value_of_day_won: row.won("accumulatedTradingValue")?,
        traded_us: row.time_us("localTradedAt")?,
        received_us,
        session,
    })
}

/// Returns the sign of the change: 1 upper limit and 2 up, 3 flat, 4 lower limit and 5 down. The
/// numbers themselves carry a minus only sometimes.
fn direction(row: &Row<'_>) -> Result<i64, Wrong> {
    let compared = row.needed_object("compareToPreviousPrice")?;
    match compared.text("code")?.as_str() {
        "1" | "2" => Ok(1),
        "3" => Ok(0),
        "4" | "5" => Ok(-1),
        other => Err(compared.unexpected("code", "1 to 5", other)),
    }
}
