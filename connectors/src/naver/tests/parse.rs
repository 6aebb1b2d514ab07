//! The sample, field by field, and what single changes of it make of a row.

use std::time::Duration;

use rstest::rstest;
use serde_json::{Value, json};
use turnstile_dataflows::model::{Price, Quantity};

use super::server::{NOW_US, both, sample_body, symbol};
use crate::naver::parse::answer;
use crate::naver::{FaultReason, NaverAnswer, NaverQuote, QuoteSession, RowFault};

/// 2026-11-16 09:33:55 in Seoul.
const TRADED_US: u64 = 1_794_789_235_000_000;

fn read(body: &Value) -> NaverAnswer {
    answer(body.to_string().as_bytes(), &both(), NOW_US).unwrap()
}

/// Reads the sample after a change of its first row; the second must come through unharmed.
fn changed(change: impl FnOnce(&mut Value)) -> Result<NaverQuote, RowFault> {
    let mut body: Value = serde_json::from_str(sample_body()).unwrap();
    change(&mut body["datas"][0]);
    let mut answer = read(&body);
    let other = answer.quotes.pop().unwrap();
    assert_eq!(other.symbol, symbol("247540"));
    match (answer.quotes.pop(), answer.faults.pop()) {
        (Some(quote), None) => Ok(quote),
        (None, Some(fault)) => Err(fault),
        both => panic!("{both:?}"),
    }
}

/// Returns the field and the label of a change that makes a fault of the first row.
fn fault(change: impl FnOnce(&mut Value)) -> (String, &'static str) {
    let fault = changed(change).unwrap_err();
    assert_eq!(fault.symbol, Some(symbol("005930")));
    (fault.field, fault.reason.label())
}

fn without_twins(row: &mut Value) {
    row.as_object_mut()
        .unwrap()
        .retain(|name, _| !name.ends_with("Raw"));
}

#[test]
fn the_sample_is_read_in_full() {
    let answer = answer(sample_body().as_bytes(), &both(), NOW_US).unwrap();
    let samsung = NaverQuote {
        symbol: symbol("005930"),
        price: Price::from_won(191_200).unwrap(),
        change_units: 11_000_000,
        change_rate_units: 5_800,
        volume_of_day: Quantity::new(4_812_484).unwrap(),
        value_of_day_won: 918_438_372_200,
        traded_us: TRADED_US,
        received_us: NOW_US,
        session: QuoteSession::Regular,
    };
    let ecopro = NaverQuote {
        symbol: symbol("247540"),
        price: Price::from_won(162_300).unwrap(),
        change_units: -17_000_000,
        change_rate_units: -10_400,
        volume_of_day: Quantity::new(402_118).unwrap(),
        value_of_day_won: 65_611_900_000,
        traded_us: TRADED_US,
        received_us: NOW_US,
        session: QuoteSession::Regular,
    };
    let expected = NaverAnswer {
        quotes: vec![samsung, ecopro],
        faults: Vec::new(),
        polling_interval: Some(Duration::from_secs(7)),
        received_us: NOW_US,
    };
    assert_eq!(answer, expected);
}

#[test]
fn texts_with_commas_say_the_same_as_their_twins() {
    let with = changed(|_| ()).unwrap();
    let without = changed(without_twins).unwrap();
    assert_eq!(without.value_of_day_won, 918_438_000_000, "to the million");
    let value_of_day_won = with.value_of_day_won;
    let rest = NaverQuote {
        value_of_day_won,
        ..without
    };
    assert_eq!(rest, with);
}

#[test]
fn a_twin_wins_also_as_a_number_and_a_missing_one_is_no_fault() {
    let quote = changed(|row| {
        row["closePriceRaw"] = json!(191_300);
        row["fluctuationsRatioRaw"] = json!(0.63);
        row["accumulatedTradingVolumeRaw"] = json!("-");
    })
    .unwrap();
    assert_eq!(quote.price, Price::from_won(191_300).unwrap());
    assert_eq!(quote.change_rate_units, 6_300);
    assert_eq!(quote.volume_of_day.shares(), 4_812_484);
}

#[rstest]
#[case("1", 11_000_000)]
#[case("2", 11_000_000)]
#[case("4", -11_000_000)]
#[case("5", -11_000_000)]
fn the_code_gives_the_sign_whether_or_not_the_number_has_one(
    #[case] code: &str,
    #[case] change: i64,
) {
    for text in ["1,100", "-1,100", "+1,100"] {
        let quote = changed(|row| {
            without_twins(row);
            row["compareToPreviousClosePrice"] = json!(text);
            row["compareToPreviousPrice"]["code"] = json!(code);
        })
        .unwrap();
        assert_eq!(quote.change_units, change);
        assert_eq!(quote.change_rate_units, change.signum() * 5_800);
    }
}

#[test]
fn an_unchanged_price_has_no_change() {
    let flat = |change: &'static str| {
        changed(move |row| {
            row["compareToPreviousPrice"]["code"] = json!(3);
            row["compareToPreviousClosePriceRaw"] = json!(change);
            row["fluctuationsRatioRaw"] = json!("0.00");
        })
    };
    assert_eq!(flat("0").unwrap().change_units, 0);
    assert_eq!(
        flat("1100").unwrap_err().field,
        "compareToPreviousClosePrice"
    );
}

#[test]
fn the_alternative_market_counts_only_before_and_after_the_regular_session() {
    let quote = |market: &'static str, over: &'static str, kind: &'static str| {
        let quote = changed(move |row| {
            row["marketStatus"] = json!(market);
            row["overMarketPriceInfo"]["overMarketStatus"] = json!(over);
            row["overMarketPriceInfo"]["tradingSessionType"] = json!(kind);
        })
        .unwrap();
        (quote.price.units() / 10_000, quote.session)
    };
    use QuoteSession::{AfterMarket, Close, PreMarket, Regular};
    assert_eq!(quote("OPEN", "OPEN", "AFTER_MARKET"), (191_200, Regular));
    assert_eq!(
        quote("CLOSE", "OPEN", "AFTER_MARKET"),
        (191_150, AfterMarket)
    );
    assert_eq!(quote("PREOPEN", "OPEN", "PRE_MARKET"), (191_150, PreMarket));
    assert_eq!(quote("CLOSE", "CLOSE", "AFTER_MARKET"), (191_200, Close));
    assert_eq!(quote("PREOPEN", "PREOPEN", "PRE_MARKET"), (191_200, Close));
    assert_eq!(quote("CLOSE", "OPEN", "REGULAR_MARKET"), (191_200, Close));
}

#[test]
fn a_quote_of_the_alternative_market_is_of_it_throughout() {
    let quote = changed(|row| {
        row["marketStatus"] = json!("CLOSE");
        let over = &mut row["overMarketPriceInfo"];
        over["tradingSessionType"] = json!("AFTER_MARKET");
        over["overPriceRaw"] = json!("191160");
    })
    .unwrap();
    assert_eq!(quote.price, Price::from_won(191_160).unwrap());
    assert_eq!(quote.change_units, 10_500_000);
    assert_eq!(quote.change_rate_units, 5_500);
    assert_eq!(quote.volume_of_day.shares(), 1_204_551);
    assert_eq!(quote.value_of_day_won, 229_993_000_000);
    assert_eq!(quote.traded_us, TRADED_US - 1_000_000);
    assert_eq!(quote.session.to_string(), "AFTER_MARKET");
}

#[test]
fn an_alternative_market_that_does_not_count_may_say_anything() {
    for value in [json!("x"), json!({}), json!(null)] {
        let quote = changed(|row| row["overMarketPriceInfo"] = value).unwrap();
        assert_eq!(quote.session, QuoteSession::Regular);
    }
    let quote = changed(|row| {
        row["marketStatus"] = json!("CLOSE");
        row.as_object_mut().unwrap().remove("overMarketPriceInfo");
    });
    assert_eq!(quote.unwrap().session, QuoteSession::Close);
}

#[rstest]
#[case("closePrice", "closePrice")]
#[case("compareToPreviousClosePrice", "compareToPreviousClosePrice")]
#[case("compareToPreviousPrice", "compareToPreviousPrice")]
#[case("fluctuationsRatio", "fluctuationsRatio")]
#[case("tradeStopType", "tradeStopType")]
#[case("accumulatedTradingVolume", "accumulatedTradingVolume")]
#[case("accumulatedTradingValue", "accumulatedTradingValue")]
#[case("marketStatus", "marketStatus")]
#[case("localTradedAt", "localTradedAt")]
fn a_missing_field_is_named(#[case] field: &str, #[case] named: &str) {
    let missing = fault(|row| {
        without_twins(row);
        row.as_object_mut().unwrap().remove(field);
    });
    assert_eq!(missing, (named.to_owned(), "missing"));
    if !field.ends_with("Type") && field != "compareToPreviousPrice" {
        let dashed = fault(|row| {
            without_twins(row);
            row[field] = json!("-");
        });
        assert_eq!(dashed, (named.to_owned(), "missing"));
    }
}

#[rstest]
#[case("closePriceRaw", json!("191.2.00"))]
#[case("closePriceRaw", json!("-191200"))]
#[case("closePriceRaw", json!("191_200"))]
#[case("closePriceRaw", json!(1e300))]
#[case("closePriceRaw", json!([1]))]
#[case("compareToPreviousClosePriceRaw", json!("0.00001"))]
#[case("fluctuationsRatioRaw", json!("half"))]
#[case("accumulatedTradingVolumeRaw", json!("1.5"))]
#[case("accumulatedTradingVolumeRaw", json!("-1"))]
#[case("accumulatedTradingValueRaw", json!("99999999999999999999"))]
#[case("marketStatus", json!("LUNCH"))]
#[case("localTradedAt", json!("2026-11-16T09:33:55"))]
#[case("localTradedAt", json!("1960-11-16T09:33:55+09:00"))]
#[case("tradeStopType", json!("TRADING"))]
fn a_malformed_field_is_named(#[case] field: &str, #[case] value: Value) {
    let (named, label) = fault(|row| row[field] = value);
    assert_eq!(label, "malformed");
    assert_eq!(named.trim_end_matches("Raw"), field.trim_end_matches("Raw"));
}

#[test]
fn halts_and_prices_of_zero_are_refused() {
    let halted = fault(|row| row["tradeStopType"]["name"] = json!("HALTED"));
    assert_eq!(halted, ("tradeStopType.name".to_owned(), "halted"));
    let zero = fault(|row| row["closePriceRaw"] = json!("0"));
    assert_eq!(zero, ("closePrice".to_owned(), "no_price"));
    let over = fault(|row| {
        row["marketStatus"] = json!("CLOSE");
        let over = &mut row["overMarketPriceInfo"];
        over["tradingSessionType"] = json!("AFTER_MARKET");
        over["tradeStopType"]["name"] = json!("HALTED");
    });
    let field = "overMarketPriceInfo.tradeStopType.name".to_owned();
    assert_eq!(over, (field, "halted"));
}

#[test]
fn every_symbol_is_accounted_for_and_no_other_gets_in() {
    let mut body: Value = serde_json::from_str(sample_body()).unwrap();
    let rows = body["datas"].as_array_mut().unwrap();
    let (mut other, repeated) = (rows[0].clone(), rows[0].clone());
    other["itemCode"] = json!("000660");
    rows[1]["itemCode"] = json!("00-30");
    rows.extend([other, repeated, json!(7)]);
    let answer = read(&body);
    assert_eq!(answer.quotes.len(), 1);
    let faults: Vec<_> = answer
        .faults
        .iter()
        .map(|fault| (fault.symbol, fault.field.as_str(), fault.reason.label()))
        .collect();
    assert_eq!(
        faults,
        [
            (None, "itemCode", "malformed"),
            (Some(symbol("000660")), "itemCode", "not_asked"),
            (Some(symbol("005930")), "itemCode", "repeated"),
            (None, "datas[4]", "malformed"),
            (Some(symbol("247540")), "datas", "not_answered"),
        ]
    );
}

#[test]
fn an_empty_list_is_an_answer() {
    let answer = read(&json!({ "datas": [], "pollingInterval": "soon" }));
    assert_eq!(answer.quotes, []);
    assert_eq!(answer.polling_interval, None);
    let is_unanswered = |fault: &RowFault| fault.reason == FaultReason::NotAnswered;
    assert_eq!(answer.faults.len(), 2);
    assert!(answer.faults.iter().all(is_unanswered));
}
