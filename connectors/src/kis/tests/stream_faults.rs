//! The WebSocket in trouble: refusals, garbage, silence.

use std::time::Duration;

use tokio_tungstenite::tungstenite::Message;

use super::server::Reply;
use super::stream::{frame, run, symbols};
use crate::kis::KisEvent;

#[tokio::test]
async fn the_limit_is_learned_from_the_broker() {
    let mut running = run(&["000660", "005930"], |_| {}).await;
    let mut peer = running.ws.accept().await;
    peer.grant(2).await; // Notices and 000660.
    let (_, tr_id, tr_key) = peer.hear_request().await;
    peer.answer(&tr_id, &tr_key, "1", "OPSP0008").await;
    let learned = |event: &KisEvent| matches!(event, KisEvent::LimitLearned { .. });
    let event = running.event_where(learned).await;
    assert_eq!(event, KisEvent::LimitLearned { registrations: 2 });
    let event = running.event().await;
    let KisEvent::SubscriptionRefused { symbol, code, .. } = event else {
        panic!("{event:?}");
    };
    assert_eq!((&*symbol.text(), code.as_str()), ("005930", "OPSP0008"));
    // A place that becomes free goes to the one that waits.
    running.parts.stream.set_symbols(symbols(&["005930"]));
    let (kind, tr_id, tr_key) = peer.hear_request().await;
    assert_eq!((kind.as_str(), tr_key.as_str()), ("2", "000660"));
    peer.answer(&tr_id, &tr_key, "0", "OPSP0001").await;
    assert_eq!(peer.grant(1).await, ["005930"]);
}

#[tokio::test]
async fn a_symbol_the_broker_refuses_is_named_and_the_others_go_on() {
    let mut running = run(&["000001", "005930"], |_| {}).await;
    let mut peer = running.ws.accept().await;
    peer.grant(1).await;
    let (_, tr_id, tr_key) = peer.hear_request().await;
    peer.answer(&tr_id, &tr_key, "1", "OPSP8992").await;
    peer.grant(1).await;
    let refused = |event: &KisEvent| matches!(event, KisEvent::SubscriptionRefused { .. });
    let event = running.event_where(refused).await;
    let KisEvent::SubscriptionRefused { symbol, code, .. } = event else {
        unreachable!("filtered");
    };
    assert_eq!((&*symbol.text(), code.as_str()), ("000001", "OPSP8992"));
    assert_eq!(
        running.event().await,
        KisEvent::Subscribed("005930".parse().unwrap())
    );
}

#[tokio::test]
async fn a_notice_answer_without_a_key_is_asked_for_again() {
    let mut running = run(&[], |_| {}).await;
    let mut peer = running.ws.accept().await;
    let (_, tr_id, tr_key) = peer.hear_request().await;
    peer.answer(&tr_id, &tr_key, "1", "OPSP0002").await;
    let (kind, ..) = peer.hear_request().await;
    assert_eq!(kind, "2");
    peer.answer(&tr_id, &tr_key, "0", "OPSP0001").await;
    peer.grant(1).await;
    assert_eq!(running.event().await, KisEvent::Connected);
    assert_eq!(running.event().await, KisEvent::NoticesSubscribed);
}

#[tokio::test]
async fn an_app_key_in_use_and_an_unknown_key_end_the_session_and_it_comes_again() {
    let mut running = run(&[], |_| {}).await;
    for code in ["OPSP8996", "OPSP0011"] {
        let mut peer = running.ws.accept().await;
        peer.hear_request().await;
        peer.answer("(null)", "", "9", code).await;
        let down = |event: &KisEvent| matches!(event, KisEvent::Disconnected { .. });
        let KisEvent::Disconnected { reason } = running.event_where(down).await else {
            unreachable!("filtered");
        };
        assert!(reason.contains(code), "{reason}");
    }
    running.open(0).await;
}

#[tokio::test]
async fn garbage_is_reported_thinly_and_the_session_goes_on() {
    let mut running = run(&["005930"], |_| {}).await;
    let mut peer = running.open(1).await;
    for _ in 0..1_000 {
        peer.say("garbage").await;
        peer.say("{\"header\":").await;
        peer.say("0|H0STCNT0|002|005930^1").await;
        peer.say("1|H0STCNI9|001|AAAA").await;
        peer.say("0|H0STASP0|001|005930").await;
    }
    peer.socket.send_binary().await;
    peer.say(frame("005930", 7)).await;
    let mut reports = Vec::new();
    loop {
        match running.event().await {
            KisEvent::Malformed { place, .. } => reports.push(place),
            KisEvent::Trades(trades) => {
                assert_eq!(trades[0].last.to_string(), "7");
                break;
            }
            other => panic!("{other:?}"),
        }
    }
    reports.sort_unstable();
    assert_eq!(
        reports,
        [
            "H0STCNT0 record",
            "control message",
            "execution notice",
            "frame"
        ]
    );
}

/// Sends something that the protocol does not have.
trait SendBinary {
    async fn send_binary(&mut self);
}

impl SendBinary for tokio_tungstenite::WebSocketStream<tokio::net::TcpStream> {
    async fn send_binary(&mut self) {
        use futures_util::SinkExt;
        self.send(Message::Binary(vec![1, 2].into())).await.unwrap();
    }
}

#[tokio::test]
async fn a_silent_broker_is_pinged_and_then_left() {
    let mut running = run(&[], |config| {
        config.stream.ping_every = Duration::from_millis(50);
        config.stream.read_deadline = Duration::from_millis(300);
    })
    .await;
    let mut peer = running.open(0).await;
    // Pongs keep the session alive beyond the deadline.
    let pings = async {
        use futures_util::StreamExt;
        let mut pings = 0;
        while pings < 12 {
            if let Message::Ping(_) = peer.socket.next().await.unwrap().unwrap() {
                pings += 1;
            }
        }
    };
    tokio::time::timeout(super::server::PATIENCE, pings)
        .await
        .unwrap();
    assert!(running.parts.events.is_empty());
    // A peer that does not even read leaves no sign of life.
    let event = running.event().await;
    assert!(
        matches!(&event, KisEvent::Disconnected { reason } if reason.contains("silent")),
        "{event:?}"
    );
}

#[tokio::test]
async fn a_broker_that_only_answers_pings_is_left_while_trades_are_wanted() {
    let mut running = run(&["005930"], |config| {
        config.stream.ping_every = Duration::from_millis(50);
        config.stream.message_deadline = Duration::from_millis(400);
    })
    .await;
    let mut peer = running.open(1).await;
    peer.say(frame("005930", 7)).await;
    running.trades(1).await;
    let answering = async {
        use futures_util::StreamExt;
        while let Some(Ok(_)) = peer.socket.next().await {}
    };
    let (event, ()) = tokio::join!(running.event(), answering);
    assert!(
        matches!(&event, KisEvent::Disconnected { reason } if reason.contains("silent for 400ms")),
        "{event:?}"
    );
}

#[tokio::test]
async fn a_broker_that_is_away_is_said_once_and_found_when_it_is_back() {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::server::{Rest, Ws, fixture};
    use crate::kis::{KisStream, KisStreamParts};

    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let rest = Rest::start(move |seen, _| {
        assert!(seen.path.ends_with("/Approval"));
        match count.fetch_add(1, Ordering::SeqCst) {
            0..10 => Reply::Raw(503, "down"),
            _ => Reply::Json(200, serde_json::json!({"approval_key": "key-1"})),
        }
    })
    .await;
    let ws = Ws::start().await;
    let fixture = fixture(&rest, |config| config.ws_url = Some(ws.url.clone()));
    let KisStreamParts {
        stream: _stream,
        mut events,
        ..
    } = KisStream::start(
        std::slice::from_ref(&fixture.client),
        fixture.clock.clock(),
        symbols(&[]),
        tokio_util::sync::CancellationToken::new(),
    );
    let mut peer = ws.accept().await;
    peer.grant(1).await;
    assert!(matches!(
        events.recv().await.unwrap().event,
        KisEvent::Disconnected { .. }
    ));
    assert_eq!(events.recv().await.unwrap().event, KisEvent::Connected);
    assert_eq!(asked.load(Ordering::SeqCst), 11);
}
