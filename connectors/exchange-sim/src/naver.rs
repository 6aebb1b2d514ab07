//! Prices in the shape of Naver Finance's polling service, from the same market as the broker's.
//!
//! Another counterpart at the broker's address: it knows no keys and no limits, its calls are not
//! in the call log, and the broker's faults do not touch it.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::get,
};
use jiff::civil::{Date, DateTime, time};
use serde_json::{Value, json};

use crate::{
    clock::Session,
    config::Market,
    issue::{Issue, hhmmss, yyyymmdd},
    price::Price,
    shared::Shared,
};

/// Most codes that one call may name.
const CODES_MAX: usize = 200;
/// Milliseconds until the next call, as the service asks its pages, in session and out of it.
const INTERVAL_OPEN_MS: u32 = 7_000;
const INTERVAL_CLOSED_MS: u32 = 70_000;
/// Parts of a million KRW in an amount.
const MILLION_UNITS: i128 = 1_000_000 * 10_000;

/// Returns the path of the service.
pub(crate) fn router() -> Router<Arc<Shared>> {
    Router::new().route("/api/realtime/domestic/stock/{codes}", get(quotes))
}

async fn quotes(State(shared): State<Arc<Shared>>, Path(codes): Path<String>) -> Response {
    let (is_down, is_blocked, delay_ms) = {
        let faults = shared.faults();
        (
            faults.naver_down,
            faults.naver_blocked,
            faults.naver_delay_ms,
        )
    };
    tokio::time::sleep(Duration::from_millis(delay_ms)).await;
    if is_down {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    if is_blocked {
        return StatusCode::FORBIDDEN.into_response();
    }
    let codes: BTreeSet<&str> = codes.split(',').collect();
    if codes.len() > CODES_MAX {
        return StatusCode::BAD_REQUEST.into_response();
    }
    let moment = shared.clock.now();
    let status = market_status(moment.session);
    let never = last_close(moment.at.date(), |day| shared.clock.is_trading_day(day));
    let rows: Vec<Value> = {
        let exchange = shared.exchange();
        let found = codes.into_iter().filter_map(|code| exchange.find(code));
        found
            .map(|issue| row(&exchange.issues[issue], status, never))
            .collect()
    };
    let interval = match status {
        "OPEN" => INTERVAL_OPEN_MS,
        _ => INTERVAL_CLOSED_MS,
    };
    let stamp = format!("{:08}{:06}", yyyymmdd(moment.at.date()), hhmmss(moment.at));
    Json(json!({ "pollingInterval": interval, "datas": rows, "time": stamp })).into_response()
}

const fn market_status(session: Session) -> &'static str {
    match session {
        Session::Regular | Session::ClosingAuction => "OPEN",
        Session::PreOpen => "PREOPEN",
        Session::Closed | Session::PostClose | Session::AfterMarket => "CLOSE",
    }
}

/// Returns the end of the last trading day before `today`.
fn last_close(today: Date, is_trading_day: impl Fn(Date) -> bool) -> DateTime {
    // No holidays are longer than this; a calendar without trading days must not hang.
    let mut days = std::iter::successors(today.yesterday().ok(), |day| day.yesterday().ok());
    let day = days.by_ref().take(30).find(|day| is_trading_day(*day));
    day.unwrap_or(today).to_datetime(time(15, 30, 0, 0))
}

fn row(issue: &Issue, market_status: &str, never_traded: DateTime) -> Value {
    let (day, last) = (&issue.day, issue.last());
    let change = issue.change(last).to_string();
    let change_pct = issue.change_pct(last);
    let traded_at = day.last_at.unwrap_or(never_traded);
    let value = day.value.to_string();
    let value_text = format!(
        "{}백만",
        with_commas(&(day.value.units() / MILLION_UNITS).to_string())
    );
    let (stop_code, stop_text, stop_name) = if issue.is_stopped() {
        ("2", "중단.Halted", "HALTED")
    } else {
        ("1", "운영.Trading", "TRADING")
    };
    let code = issue.symbol.as_str();
    json!({
        "itemCode": code,
        "symbolCode": code,
        "stockName": issue.name,
        "stockExchangeType": exchange_type(issue.market),
        "closePrice": with_commas(&last.to_string()),
        "closePriceRaw": last.to_string(),
        "compareToPreviousClosePrice": with_commas(&change),
        "compareToPreviousClosePriceRaw": change,
        "compareToPreviousPrice": direction(issue.sign(last)),
        "fluctuationsRatio": change_pct,
        "fluctuationsRatioRaw": change_pct,
        "tradeStopType": { "code": stop_code, "text": stop_text, "name": stop_name },
        "openPrice": price_text(day.open),
        "openPriceRaw": day.open.to_string(),
        "highPrice": price_text(day.high),
        "highPriceRaw": day.high.to_string(),
        "lowPrice": price_text(day.low),
        "lowPriceRaw": day.low.to_string(),
        "accumulatedTradingVolume": with_commas(&day.volume.to_string()),
        "accumulatedTradingVolumeRaw": day.volume.to_string(),
        "accumulatedTradingValue": value_text,
        "accumulatedTradingValueRaw": value,
        "marketStatus": market_status,
        "localTradedAt": format!("{}+09:00", traded_at.strftime("%Y-%m-%dT%H:%M:%S")),
        "overMarketPriceInfo": null,
        "isinCode": isin(code),
        "currencyType": { "code": "KRW", "text": "원", "name": "KRW" },
        "stockEndUrl": format!("https://m.stock.naver.com/domestic/stock/{code}"),
    })
}

fn exchange_type(market: Market) -> Value {
    let (code, name, korean) = match market {
        Market::Kosdaq => ("KQ", "KOSDAQ", "코스닥"),
        Market::Kospi | Market::Etf | Market::Foreign => ("KS", "KOSPI", "코스피"),
    };
    json!({
        "code": code,
        "zoneId": "Asia/Seoul",
        "nationType": "KOR",
        "delayTime": 0,
        "startTime": "0900",
        "endTime": "1530",
        "closePriceSendTime": "1630",
        "nameKor": korean,
        "nameEng": name,
        "nationCode": "KOR",
        "nationName": "대한민국",
        "stockType": "domestic",
        "name": name,
    })
}

/// Returns the direction of a sign code, which is the same as the broker's.
fn direction(sign: &str) -> Value {
    let (text, name) = match sign {
        "1" => ("상한", "UPPER_LIMIT"),
        "2" => ("상승", "RISING"),
        "4" => ("하한", "LOWER_LIMIT"),
        "5" => ("하락", "FALLING"),
        _ => ("보합", "UNCHANGED"),
    };
    json!({ "code": sign, "text": text, "name": name })
}

/// Returns a price of the day; `-` before the first trade.
fn price_text(price: Price) -> String {
    if price.is_some() {
        with_commas(&price.to_string())
    } else {
        "-".to_owned()
    }
}

/// Returns a decimal number with a comma before every three digits of its whole part.
fn with_commas(number: &str) -> String {
    let (sign, size) = match number.strip_prefix('-') {
        Some(size) => ("-", size),
        None => ("", number),
    };
    let (whole, fraction) = size.split_at(size.find('.').unwrap_or(size.len()));
    let mut text = sign.to_owned();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text + fraction
}

/// Returns the ISIN of a share, with its check digit (ISO 6166).
fn isin(code: &str) -> String {
    let body = format!("KR7{code}00");
    let digits: Vec<u32> = body
        .chars()
        .filter_map(|letter| letter.to_digit(36))
        .flat_map(|value| {
            [value / 10, value % 10]
                .into_iter()
                .skip(usize::from(value < 10))
        })
        .collect();
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(at, digit)| if at % 2 == 0 { digit * 2 } else { *digit })
        .map(|value| value / 10 + value % 10)
        .sum();
    format!("{body}{}", (10 - sum % 10) % 10)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn numbers_get_commas_in_their_whole_part_only() {
        for (number, text) in [
            ("0", "0"),
            ("999", "999"),
            ("1100", "1,100"),
            ("-1700", "-1,700"),
            ("-100", "-100"),
            ("4812484", "4,812,484"),
            ("1234.5678", "1,234.5678"),
        ] {
            assert_eq!(with_commas(number), text);
        }
    }

    #[test]
    fn check_digits_are_those_of_the_sample() {
        assert_eq!(isin("005930"), "KR7005930003");
        assert_eq!(isin("247540"), "KR7247540008");
    }

    #[test]
    fn the_last_close_is_before_the_weekend() {
        let is_weekday = |day: Date| day.weekday().to_monday_one_offset() < 6;
        let friday = date(2026, 11, 13).at(15, 30, 0, 0);
        assert_eq!(last_close(date(2026, 11, 16), is_weekday), friday);
        assert_eq!(last_close(date(2026, 11, 15), is_weekday), friday);
        let today = date(2026, 11, 16);
        assert_eq!(last_close(today, |_| false).date(), today);
    }
}
