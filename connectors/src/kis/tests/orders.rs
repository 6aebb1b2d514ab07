//! Orders: what is sent, and what each outcome becomes.

use std::time::Duration;

use rstest::rstest;
use serde_json::{Value, json};
use turnstile_dataflows::model::{Price, Quantity};

use super::server::{Reply, Rest, fixture, sample, token_or};
use crate::kis::{
    Environment, Extent, KisError, NewOrder, OrderPrice, OrderRef, Side, TransientCause,
};

fn order() -> NewOrder {
    NewOrder {
        symbol: "005930".parse().unwrap(),
        side: Side::Buy,
        quantity: Quantity::new(10).unwrap(),
        price: OrderPrice::Limit(Price::from_won(191_200).unwrap()),
    }
}

fn original() -> OrderRef {
    OrderRef {
        branch: "91252".to_owned(),
        number: "117057".parse().unwrap(),
    }
}

fn accepted() -> Value {
    json!({"rt_cd": "0", "msg_cd": "APBK0013", "msg1": "sent   ", "output":
        {"KRX_FWDG_ORD_ORGNO": "91252", "ODNO": "0000117057", "ORD_TMD": "093402"}})
}

fn refused(code: &str) -> Value {
    json!({"rt_cd": "1", "msg_cd": code, "msg1": "text   "})
}

#[tokio::test]
async fn an_order_is_sent_as_documented_and_its_receipt_read() {
    let rest = Rest::start(|seen, _| token_or(seen, || Reply::Json(200, accepted()))).await;
    let fixture = fixture(&rest, |_| {});
    let receipt = fixture.client.order_cash(&order()).await.unwrap();
    assert_eq!(receipt.order, original());
    assert_eq!(receipt.time, Some(jiff::civil::Time::constant(9, 34, 2, 0)));
    let sell = NewOrder {
        side: Side::Sell,
        price: OrderPrice::Market,
        ..order()
    };
    fixture.client.order_cash(&sell).await.unwrap();
    let seen = rest.seen("/order-cash");
    let header = |name: &str| seen[0].headers[name].as_str();
    assert_eq!(header("tr_id"), "VTTC0012U");
    assert_eq!(header("authorization"), "Bearer t1");
    assert_eq!(header("appkey"), "app-key");
    assert_eq!(header("appsecret"), "app-secret");
    assert_eq!(header("custtype"), "P");
    assert_eq!(header("content-type"), "application/json; charset=utf-8");
    if let Some(sample) = sample("order-cash.json") {
        assert_eq!(seen[0].body, sample["request_buy_limit"]["body"]);
    }
    assert_eq!(seen[1].headers["tr_id"], "VTTC0011U");
    assert_eq!(seen[1].body["ORD_DVSN"], "01");
    assert_eq!(seen[1].body["ORD_UNPR"], "0");
    assert_eq!(seen[1].body["SLL_TYPE"], "01");
}

#[tokio::test]
async fn cancel_and_replace_name_the_original() {
    let rest = Rest::start(|seen, _| {
        token_or(seen, || {
            let output = json!({"krx_fwdg_ord_orgno": "91252", "odno": "117102", "ord_tmd": ""});
            Reply::Json(200, json!({"rt_cd": "0", "msg_cd": "x", "output": output}))
        })
    })
    .await;
    let fixture = fixture(&rest, |_| {});
    let receipt = fixture
        .client
        .cancel(&original(), Extent::Remainder)
        .await
        .unwrap();
    assert_eq!(receipt.order.number.as_str(), "0000117102");
    let price = OrderPrice::Limit(Price::from_won(190_000).unwrap());
    let extent = Extent::Shares(Quantity::new(3).unwrap());
    fixture
        .client
        .replace(&original(), price, extent)
        .await
        .unwrap();
    let seen = rest.seen("/order-rvsecncl");
    if let Some(sample) = sample("order-cash.json") {
        assert_eq!(seen[0].body, sample["request_cancel_all"]["body"]);
    }
    assert_eq!(seen[1].headers["tr_id"], "VTTC0013U");
    for (key, value) in [
        ("RVSE_CNCL_DVSN_CD", "01"),
        ("ORGN_ODNO", "0000117057"),
        ("ORD_QTY", "3"),
        ("ORD_UNPR", "190000"),
        ("QTY_ALL_ORD_YN", "N"),
    ] {
        assert_eq!(seen[1].body[key], value, "{key}");
    }
}

/// Each outcome, the class of its error, and how often the order was sent.
#[rstest]
#[case(|| Reply::Json(200, refused("APBK0919")), "rejected", 1)]
#[case(|| Reply::Json(500, refused("EGW00301")), "unknown_outcome", 1)]
#[case(|| Reply::Json(500, refused("EGW00302")), "unknown_outcome", 1)]
#[case(|| Reply::Json(200, refused("EGW00303")), "unknown_outcome", 1)]
#[case(|| Reply::Json(500, refused("EGW00304")), "unknown_outcome", 1)]
#[case(|| Reply::Raw(502, "<html>bad gateway</html>"), "unknown_outcome", 1)]
#[case(|| Reply::Raw(200, "{\"rt_cd\":\"0\""), "unknown_outcome", 1)]
#[case(|| Reply::Json(200, json!({"rt_cd": "0", "output": {}})), "unknown_outcome", 1)]
#[case(|| Reply::Json(200, json!({"rt_cd": "0"})), "unknown_outcome", 1)]
#[case(|| Reply::Drop, "unknown_outcome", 1)]
#[case(|| Reply::Hang, "unknown_outcome", 1)]
#[case(|| Reply::Json(403, refused("EGW00103")), "configuration", 1)]
#[case(|| Reply::Json(500, refused("EGW00201")), "throttled", 4)]
#[case(|| Reply::Json(401, refused("EGW00123")), "no_token", 2)]
#[tokio::test]
async fn an_outcome_is_classed_and_only_a_proven_refusal_is_sent_again(
    #[case] reply: fn() -> Reply,
    #[case] class: &str,
    #[case] sent: usize,
) {
    let rest = Rest::start(move |seen, before| {
        if seen.path.ends_with("/tokenP") && before > 0 {
            return Reply::Json(200, json!({"access_token": "t2", "expires_in": 86400}));
        }
        token_or(seen, reply)
    })
    .await;
    let fixture = fixture(&rest, |config| {
        config.timeouts.order = Duration::from_millis(300)
    });
    let error = fixture.client.order_cash(&order()).await.unwrap_err();
    assert_eq!(error.class(), class, "{error}");
    assert_eq!(rest.seen("/order-cash").len(), sent);
    assert!(!error.to_string().contains("50123456"), "{error}");
}

#[tokio::test]
async fn every_sample_answer_has_its_class() {
    let Some(sample) = sample("order-cash.json") else {
        return;
    };
    let mut classes = Vec::new();
    for answer in sample["responses"].as_array().unwrap() {
        let status = u16::try_from(answer["http_status"].as_u64().unwrap()).unwrap();
        let body = answer["body"].clone();
        let rest = Rest::start(move |seen, before| match seen.path.ends_with("/tokenP") {
            true => {
                let token = json!({"access_token": format!("t{before}"), "expires_in": 86400});
                Reply::Json(200, token)
            }
            false => Reply::Json(status, body.clone()),
        })
        .await;
        let fixture = fixture(&rest, |_| {});
        let sent = fixture.client.order_cash(&order()).await;
        classes.push(sent.map_or_else(|error| error.class(), |_| "ok"));
    }
    assert_eq!(
        classes,
        [
            "ok",
            "rejected",
            "rejected",
            "rejected",
            "throttled",
            "no_token",
            "unknown_outcome"
        ]
    );
}

#[tokio::test]
async fn a_throttled_order_goes_through_at_the_second_attempt() {
    let rest = Rest::start(|seen, before| {
        token_or(seen, || match before {
            0 => Reply::Json(500, refused("EGW00201")),
            _ => Reply::Json(200, accepted()),
        })
    })
    .await;
    let fixture = fixture(&rest, |_| {});
    fixture.client.order_cash(&order()).await.unwrap();
    assert_eq!(rest.seen("/order-cash").len(), 2);
}

#[tokio::test]
async fn without_a_connection_nothing_was_sent() {
    let rest = Rest::start(|seen, _| token_or(seen, || Reply::Json(200, accepted()))).await;
    let fixture = fixture(&rest, |_| {});
    fixture.client.order_cash(&order()).await.unwrap(); // From here on there is a token.
    rest.close().await;
    let error = fixture.client.order_cash(&order()).await.unwrap_err();
    let KisError::Transient { place, cause } = &error else {
        panic!("{error}");
    };
    assert_eq!(*place, "order-cash");
    assert!(matches!(cause, TransientCause::NotSent(_)), "{error}");
}

#[tokio::test]
async fn an_order_for_nothing_is_refused_before_it_is_sent() {
    let rest = Rest::start(|seen, _| token_or(seen, || Reply::Json(200, accepted()))).await;
    let fixture = fixture(&rest, |_| {});
    let nothing = NewOrder {
        quantity: Quantity::ZERO,
        ..order()
    };
    let error = fixture.client.order_cash(&nothing).await.unwrap_err();
    assert_eq!(error.class(), "rejected");
    let none = Extent::Shares(Quantity::ZERO);
    assert!(fixture.client.cancel(&original(), none).await.is_err());
    assert!(rest.seen("/order-cash").is_empty() && rest.seen("/order-rvsecncl").is_empty());
}

#[test]
fn ids_are_those_of_the_environment() {
    use crate::kis::tr::{Tr, notices};
    assert_eq!(Tr::Buy.id(Environment::Production), "TTTC0012U");
    assert_eq!(Tr::Buy.id(Environment::Paper), "VTTC0012U");
    assert_eq!(Tr::Price.id(Environment::Paper), "FHKST01010100");
    assert_eq!(notices(Environment::Production), "H0STCNI0");
    assert_eq!(notices(Environment::Paper), "H0STCNI9");
}
