//! The access token: how often it is asked for, and what happens to the old one.

use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;
use turnstile_dataflows::model::{Quantity, Symbol};

use super::server::{Reply, Rest, fixture, settings, token_or};
use crate::kis::{KisClient, Lane, NewOrder, OrderPrice, Side};

fn samsung() -> Symbol {
    "005930".parse().unwrap()
}

fn price() -> Reply {
    Reply::Json(200, json!({"rt_cd": "0", "output": {"stck_prpr": "100"}}))
}

/// A server whose tokens are numbered from 0, each for a day.
async fn numbered() -> Rest {
    Rest::start(|seen, before| match seen.path.ends_with("/tokenP") {
        true => Reply::Json(
            200,
            json!({"access_token": format!("t{before}"), "expires_in": 86400}),
        ),
        false => token_or(seen, price),
    })
    .await
}

const HOUR: Duration = Duration::from_secs(3_600);

#[tokio::test]
async fn many_calls_at_once_ask_for_one_token() {
    let rest = numbered().await;
    let fixture = fixture(&rest, |_| {});
    let calls = join_all((0..20).map(|_| fixture.client.price(samsung(), Lane::Tier0))).await;
    assert!(calls.iter().all(Result::is_ok));
    assert_eq!(rest.seen("/tokenP").len(), 1);
}

#[tokio::test]
async fn a_token_is_renewed_before_six_hours_but_not_by_an_order() {
    let rest = numbered().await;
    let fixture = fixture(&rest, |_| {});
    let used = || rest.seen("/inquire-price").last().unwrap().headers["authorization"].clone();
    fixture.client.price(samsung(), Lane::Tier0).await.unwrap();
    fixture.clock.advance(5 * HOUR);
    fixture.client.price(samsung(), Lane::Tier0).await.unwrap();
    assert_eq!(
        (used(), rest.seen("/tokenP").len()),
        ("Bearer t0".to_owned(), 1)
    );
    fixture.clock.advance(HOUR);
    let order = NewOrder {
        symbol: samsung(),
        side: Side::Buy,
        quantity: Quantity::new(1).unwrap(),
        price: OrderPrice::Market,
    };
    drop(fixture.client.order_cash(&order).await);
    assert_eq!(rest.seen("/tokenP").len(), 1);
    fixture.client.price(samsung(), Lane::Tier0).await.unwrap();
    assert_eq!(
        (used(), rest.seen("/tokenP").len()),
        ("Bearer t1".to_owned(), 2)
    );
}

#[tokio::test]
async fn once_a_minute_means_a_hold_with_the_old_token() {
    let too_often = Arc::new(AtomicBool::new(false));
    let refuse = Arc::clone(&too_often);
    let rest = Rest::start(move |seen, before| {
        if !seen.path.ends_with("/tokenP") {
            return price();
        }
        match refuse.load(Ordering::SeqCst) {
            true => Reply::Json(
                403,
                json!({"error_code": "EGW00133", "error_description": "x"}),
            ),
            false => Reply::Json(
                200,
                json!({"access_token": format!("t{before}"), "expires_in": 86400}),
            ),
        }
    })
    .await;
    let fixture = fixture(&rest, |_| {});
    let call = || fixture.client.price(samsung(), Lane::Tier0);
    call().await.unwrap();
    fixture.clock.advance(6 * HOUR);
    too_often.store(true, Ordering::SeqCst);
    for _ in 0..5 {
        call().await.unwrap(); // With the old token.
    }
    assert_eq!(rest.seen("/tokenP").len(), 2);
    too_often.store(false, Ordering::SeqCst);
    fixture.clock.advance(Duration::from_secs(64));
    call().await.unwrap();
    assert_eq!(rest.seen("/tokenP").len(), 2);
    fixture.clock.advance(Duration::from_secs(2));
    call().await.unwrap();
    assert_eq!(rest.seen("/tokenP").len(), 3);
    // A day later nothing is valid: during a hold the call fails without asking.
    fixture.clock.advance(25 * HOUR);
    too_often.store(true, Ordering::SeqCst);
    let error = call().await.unwrap_err();
    assert_eq!(error.class(), "no_token", "{error}");
    assert_eq!(rest.seen("/tokenP").len(), 4);
}

#[tokio::test]
async fn a_refused_token_is_renewed_once_and_the_call_repeated() {
    for code in ["EGW00121", "EGW00122", "EGW00123"] {
        let rest = Rest::start(move |seen, before| {
            if seen.path.ends_with("/tokenP") {
                return Reply::Json(
                    200,
                    json!({"access_token": format!("t{before}"), "expires_in": 86400}),
                );
            }
            match seen.headers["authorization"].as_str() {
                "Bearer t0" => Reply::Json(500, json!({"rt_cd": "1", "msg_cd": code, "msg1": ""})),
                _ => price(),
            }
        })
        .await;
        let fixture = fixture(&rest, |_| {});
        fixture.client.price(samsung(), Lane::Tier0).await.unwrap();
        assert_eq!(
            (
                rest.seen("/tokenP").len(),
                rest.seen("/inquire-price").len()
            ),
            (2, 2)
        );
    }
}

#[tokio::test]
async fn the_file_serves_the_next_process_and_nobody_else() {
    let rest = numbered().await;
    let first = fixture(&rest, |_| {});
    first.client.price(samsung(), Lane::Tier0).await.unwrap();
    let path = first.folder.path().join("token.json");
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(std::fs::read_dir(first.folder.path()).unwrap().count(), 1);

    let again = |key: &'static str| {
        let settings = settings(&rest, &first.folder, |config| config.app_key = key.into());
        KisClient::new(settings, first.clock.clock()).unwrap()
    };
    again("app-key")
        .price(samsung(), Lane::Tier0)
        .await
        .unwrap();
    assert_eq!(rest.seen("/tokenP").len(), 1);
    again("other-key")
        .price(samsung(), Lane::Tier0)
        .await
        .unwrap();
    assert_eq!(rest.seen("/tokenP").len(), 2);
    std::fs::write(&path, "{").unwrap();
    again("app-key")
        .price(samsung(), Lane::Tier0)
        .await
        .unwrap();
    assert_eq!(rest.seen("/tokenP").len(), 3);
}

#[tokio::test]
async fn the_stated_end_of_a_token_is_believed_where_it_is_possible() {
    // 2026-11-16 10:34 in Seoul is an hour from now; the year 2013 is not possible.
    for (stated, asked) in [
        ("2026-11-16 10:34:00", 2),
        ("2013-10-07 09:00:00", 1),
        ("soon", 1),
    ] {
        let rest = Rest::start(move |seen, before| {
            if seen.path.ends_with("/tokenP") {
                return Reply::Json(
                    200,
                    json!({"access_token": format!("t{before}"),
                    "expires_in": 86400, "access_token_token_expired": stated}),
                );
            }
            price()
        })
        .await;
        let fixture = fixture(&rest, |_| {});
        fixture.client.price(samsung(), Lane::Order).await.unwrap();
        fixture.clock.advance(2 * HOUR);
        fixture.client.price(samsung(), Lane::Order).await.unwrap();
        assert_eq!(rest.seen("/tokenP").len(), asked, "{stated}");
    }
}
