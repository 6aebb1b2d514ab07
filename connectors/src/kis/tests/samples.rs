//! The reference samples, field by field, and what parsers do with anything else.

use jiff::civil::{Date, Time};
use proptest::prelude::*;
use serde_json::Value;
use turnstile_dataflows::model::{Price, Quantity};

use super::server::{IV, KEY, sample, samples};
use crate::kis::error::Malformed;
use crate::kis::notices::{StreamKey, notices};
use crate::kis::order::Account;
use crate::kis::ws::control::{Control, Wish, read, request};
use crate::kis::{HourClass, MarketClass, Notice, NoticeClass, NoticeEvent, Side, Trade, parse};

fn won(won: i64) -> Price {
    Price::from_won(won).unwrap()
}

fn shares(shares: i64) -> Quantity {
    Quantity::new(shares).unwrap()
}

fn trades(text: &str) -> (Vec<Trade>, Vec<Malformed>) {
    let (mut trades, mut faults) = (Vec::new(), Vec::new());
    match parse::frame(text) {
        Ok(frame) => parse::trades(
            frame.payload.as_bytes(),
            frame.count,
            7,
            &mut trades,
            &mut faults,
        ),
        Err(fault) => faults.push(fault),
    }
    (trades, faults)
}

fn frames(name: &str) -> Option<Vec<String>> {
    let text = std::fs::read_to_string(samples()?.join(name)).unwrap();
    let lines = text
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    Some(lines.map(str::to_owned).collect())
}

#[test]
fn every_trade_of_every_sample_frame_is_read() {
    let Some(frames) = frames("h0stcnt0-frames.txt") else {
        return;
    };
    let read: Vec<Vec<Trade>> = frames
        .iter()
        .map(|frame| {
            let (trades, faults) = trades(frame);
            assert_eq!(faults, []);
            trades
        })
        .collect();
    let counts: Vec<usize> = read.iter().map(Vec::len).collect();
    assert_eq!(counts, [1, 1, 3, 1]);

    let first = Trade {
        received_us: 7,
        symbol: "005930".parse().unwrap(),
        time: Time::constant(9, 33, 54, 0),
        business_date: Some(Date::constant(2026, 11, 16)),
        last: won(191_200),
        bid: Some(won(191_100)),
        ask: Some(won(191_200)),
        bid_quantity: shares(22_107),
        ask_quantity: shares(18_342),
        volume: shares(25),
        cumulative_volume: shares(4_812_377),
        cumulative_value_won: 918_417_920_400,
        change_units: 11_000_000,
        change_rate_units: 5_800,
        halted: false,
        hour_class: HourClass::InSession,
        market_class: Some(MarketClass::Regular),
    };
    assert_eq!(read[0], std::slice::from_ref(&first));
    // 2026-11-16 09:33:54 in Seoul.
    assert_eq!(first.exchange_us(), Some(1_794_789_234_000_000));

    // The same tick of an earlier day, without the new field.
    let old = Trade {
        market_class: None,
        business_date: Some(Date::constant(2026, 9, 11)),
        ..first
    };
    assert_eq!(read[1], [old]);

    let burst = &read[2];
    let volumes: Vec<i64> = burst.iter().map(|it| it.volume.shares()).collect();
    assert_eq!(volumes, [100, 7, 310]);
    let prices: Vec<Price> = burst.iter().map(|it| it.last).collect();
    assert_eq!(prices, [won(191_100), won(191_200), won(189_900)]);
    for pair in burst.windows(2) {
        let grown = pair[0].cumulative_volume.saturating_add(pair[1].volume);
        assert_eq!(pair[1].cumulative_volume, grown);
    }
    assert_eq!(burst[2].change_units, -2_000_000); // Sign 5 and text -200.
    assert_eq!(burst[2].change_rate_units, -1_100);
    assert_eq!(burst[2].ask, Some(won(190_000)));
    assert_eq!(read[3][0].market_class, Some(MarketClass::AfterMarket));
}

#[test]
fn an_order_book_frame_is_told_apart_by_its_stream() {
    let Some(frames) = frames("h0stasp0-frames.txt") else {
        return;
    };
    assert!(!frames.is_empty());
    for text in frames {
        let frame = parse::frame(&text).unwrap();
        assert_eq!((frame.tr_id, frame.encrypted), ("H0STASP0", false));
        assert_eq!(frame.payload.split('^').next(), Some("005930"));
    }
}

#[test]
fn every_sample_notice_is_decrypted_and_read() {
    let Some(sample) = sample("h0stcni0-notices.json") else {
        return;
    };
    let text = |value: &Value, key: &str| value[key].as_str().unwrap().to_owned();
    let key = StreamKey::new(&text(&sample, "key"), &text(&sample, "iv")).unwrap();
    assert_eq!(key, StreamKey::new(KEY, IV).unwrap());
    let account: Account = "50123456-01".parse().unwrap();
    let mut heard: Vec<Notice> = Vec::new();
    for notice in sample["notices"].as_array().unwrap() {
        for (frame, tr_id) in [
            ("frame_production", "H0STCNI0"),
            ("frame_paper", "H0STCNI9"),
        ] {
            let frame = text(notice, frame);
            let frame = parse::frame(&frame).unwrap();
            assert_eq!((frame.encrypted, frame.tr_id), (true, tr_id));
            let plain = key.decrypt(frame.payload).unwrap();
            assert_eq!(plain, text(notice, "plaintext").as_bytes());
            if tr_id == "H0STCNI9" {
                continue;
            }
            let mut faults = Vec::new();
            let foreign = notices(&plain, frame.count, &account, 7, &mut heard, &mut faults);
            assert_eq!((foreign, faults), (0, Vec::new()));
            let other: Account = "50123456-02".parse().unwrap();
            assert_eq!(
                notices(&plain, 1, &other, 7, &mut Vec::new(), &mut Vec::new()),
                1
            );
        }
    }
    let fill = |quantity, price| NoticeEvent::Fill {
        quantity: shares(quantity),
        price: won(price),
    };
    let events: Vec<NoticeEvent> = heard.iter().map(|it| it.event).collect();
    assert_eq!(
        events,
        [
            NoticeEvent::Received {
                quantity: shares(10)
            },
            fill(4, 191_100),
            fill(3, 191_200),
            NoticeEvent::Confirmed {
                quantity: shares(3)
            },
            NoticeEvent::Rejected {
                quantity: shares(5)
            },
        ]
    );
    let cancel = Notice {
        received_us: 7,
        number: "0000117102".parse().unwrap(),
        original: Some("0000117057".parse().unwrap()),
        side: Side::Buy,
        class: NoticeClass::Cancel,
        event: events[3],
        symbol: "005930".parse().unwrap(),
        order_quantity: shares(10),
        order_price: Some(won(191_200)),
        order_type: "00".to_owned(),
        time: Time::constant(9, 35, 12, 0),
        branch: "00950".to_owned(),
    };
    assert_eq!(heard[3], cancel);
    assert_eq!(heard[1].order_price, Some(won(191_200))); // Of the order, not of the fill.
    assert_eq!(heard[1].number, heard[0].number);
    assert_eq!(heard[1].original, None);
    assert_eq!(
        (heard[4].side, heard[4].class),
        (Side::Sell, NoticeClass::New)
    );
}

#[test]
fn every_sample_control_message_is_read_and_our_requests_equal_the_samples() {
    let Some(sample) = sample("ws-control-messages.json") else {
        return;
    };
    let mut codes = Vec::new();
    let mut pings = 0;
    for message in sample["messages"].as_array().unwrap() {
        let text = message["text"].as_str().unwrap();
        if message["from"] == "client" {
            let wire: Value = serde_json::from_str(text).unwrap();
            let field = |pointer: &str| wire.pointer(pointer).and_then(Value::as_str).unwrap();
            if wire["header"]["tr_id"] == "PINGPONG" {
                continue; // An echo of the server's text.
            }
            let wish = match field("/header/tr_type") {
                "1" => Wish::Subscribe,
                _ => Wish::Unsubscribe,
            };
            let ours = request(
                field("/header/approval_key"),
                wish,
                field("/body/input/tr_id"),
                field("/body/input/tr_key"),
            );
            assert_eq!(serde_json::from_str::<Value>(&ours).unwrap(), wire);
            continue;
        }
        match read(text).unwrap() {
            Control::PingPong => pings += 1,
            Control::Answer(answer) => {
                assert_eq!(answer.is_success, answer.key.is_some());
                codes.push(answer.code);
            }
        }
    }
    assert_eq!(pings, 1);
    assert_eq!(
        codes,
        [
            "OPSP0000", "OPSP0000", "OPSP0001", "OPSP0002", "OPSP0003", "OPSP0008", "OPSP0011",
            "OPSP8996",
        ]
    );
}

/// A record of 47 fields with `changes` applied.
fn record(changes: &[(usize, &str)]) -> String {
    let mut fields = vec!["0"; 47];
    for (index, text) in [
        (0, "005930"),
        (1, "093354"),
        (2, "191200"),
        (33, "20261116"),
    ] {
        fields[index] = text;
    }
    for (index, text) in changes {
        fields[*index] = text;
    }
    fields.join("^")
}

#[test]
fn a_bad_record_is_named_and_its_neighbours_are_read() {
    let bad = record(&[(2, "x1")]);
    let text = format!(
        "0|H0STCNT0|003|{}^{bad}^{}",
        record(&[]),
        record(&[(2, "1")])
    );
    let (trades, faults) = trades(&text);
    assert_eq!(trades.len(), 2);
    assert_eq!(faults.len(), 1);
    assert!(
        faults[0].reason.contains("field 2 STCK_PRPR"),
        "{}",
        faults[0].reason
    );
    assert_eq!(faults[0].excerpt, "005930");
}

#[test]
fn a_wider_record_is_read_by_its_known_fields() {
    let wide = format!("{}^new^fields", record(&[(46, "3")]));
    let (trades, faults) = trades(&format!("0|H0STCNT0|002|{wide}^{wide}"));
    assert_eq!((trades.len(), faults), (2, Vec::new()));
    assert_eq!(trades[1].market_class, Some(MarketClass::AfterMarket));
}

#[test]
fn decimals_and_letters_are_read_where_a_tick_file_has_them() {
    let (trades, faults) = trades(&format!(
        "0|H0STCNT0|001|{}",
        record(&[(0, "ABC"), (2, "123.4567"), (10, "123.5"), (14, "99.99")])
    ));
    assert_eq!(faults, []);
    assert_eq!(trades[0].last.units(), 1_234_567);
    assert_eq!(trades[0].cumulative_value_won, 99);
}

#[test]
fn the_change_is_signed_by_its_code_and_by_the_rate_where_they_disagree() {
    let change = |code: &str, change: &str, rate: &str| {
        let (trades, _) = trades(&format!(
            "0|H0STCNT0|001|{}",
            record(&[(3, code), (4, change), (5, rate)])
        ));
        trades[0].change_units / 10_000
    };
    assert_eq!(change("1", "100", ""), 100);
    assert_eq!(change("2", "100", "0.5"), 100);
    assert_eq!(change("3", "0", "0.00"), 0);
    assert_eq!(change("4", "100", ""), -100);
    assert_eq!(change("5", "-100", "-0.5"), -100);
    assert_eq!(change("5", "100", "0.00"), -100);
    assert_eq!(change("2", "100", "-0.5"), -100);
    assert_eq!(change("4", "100", "-29.9"), -100);
}

#[test]
fn bad_frames_are_refused_with_a_reason() {
    for text in [
        "0|H0STCNT0|001",
        "2|H0STCNT0|001|x",
        "0|H0STCNT0|000|x",
        "0|H0STCNT0|1000|x",
        "0|H0STCNT0|abc|x",
        "0|H0STCNT0|001|a^b",
        "0|H0STCNT0|002|a^b^c",
        "",
    ] {
        let (trades, faults) = trades(text);
        assert_eq!((trades.len(), faults.len()), (0, 1), "{text}");
    }
}

#[test]
fn an_old_notice_layout_and_a_wrong_key_are_refused() {
    let account: Account = "50123456-01".parse().unwrap();
    let (mut heard, mut faults) = (Vec::new(), Vec::new());
    let old = vec!["5012345601"; 23].join("^");
    notices(old.as_bytes(), 1, &account, 7, &mut heard, &mut faults);
    assert_eq!((heard.len(), faults.len()), (0, 1));
    assert!(faults[0].reason.contains("26"), "{}", faults[0].reason);
    assert!(StreamKey::new("short", IV).is_err());
    let key = StreamKey::new(KEY, IV).unwrap();
    assert!(key.decrypt("not base64 !").is_err());
    assert!(key.decrypt("AAAA").is_err());
}

proptest! {
    #[test]
    fn no_text_panics(text in ".{0,300}") {
        drop(trades(&text));
        drop(trades(&format!("0|H0STCNT0|001|{text}")));
        drop(read(&text));
        drop(StreamKey::new(KEY, IV).unwrap().decrypt(&text));
    }

    #[test]
    fn no_field_panics_and_a_record_is_a_trade_or_a_fault(
        fields in prop::collection::vec("[0-9A-Z.^ -]{0,12}", 40..60), count in 1_usize..4,
    ) {
        let text = format!("0|H0STCNT0|{count:03}|{}", fields.join("^"));
        let (trades, faults) = trades(&text);
        prop_assert!(trades.len() + faults.len() == count || faults.len() == 1);
        let account: Account = "50123456-01".parse().unwrap();
        let plain = format!("id^5012345601^{}", fields[..24].join("^"));
        notices(plain.as_bytes(), 1, &account, 7, &mut Vec::new(), &mut Vec::new());
    }
}
