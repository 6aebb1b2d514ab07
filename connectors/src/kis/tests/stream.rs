//! The WebSocket: subscriptions, events, reconnection.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use turnstile_dataflows::model::Symbol;

use super::server::{Fixture, PATIENCE, Peer, Rest, Ws, fixture, sample, token_or};
use crate::kis::{KisConfig, KisEvent, KisStream, KisStreamParts, NoticeEvent, Trade};

/// A running stream with both of its peers.
pub(super) struct Running {
    pub(super) ws: Ws,
    pub(super) parts: KisStreamParts,
    pub(super) stop: CancellationToken,
    pub(super) rest: Rest,
    _fixture: Fixture,
}

pub(super) fn symbols(codes: &[&str]) -> BTreeSet<Symbol> {
    codes.iter().map(|code| code.parse().unwrap()).collect()
}

pub(super) async fn run(codes: &[&str], adjust: impl FnOnce(&mut KisConfig)) -> Running {
    let rest = Rest::start(|seen, _| token_or(seen, || panic!("{seen:?}"))).await;
    let ws = Ws::start().await;
    let fixture = fixture(&rest, |config| {
        config.ws_url = Some(ws.url.clone());
        adjust(config);
    });
    let stop = CancellationToken::new();
    let clock = fixture.clock.clock();
    let parts = KisStream::start(
        std::slice::from_ref(&fixture.client),
        clock,
        symbols(codes),
        stop.clone(),
    );
    Running {
        ws,
        parts,
        stop,
        rest,
        _fixture: fixture,
    }
}

impl Running {
    pub(super) async fn event(&mut self) -> KisEvent {
        let stamped = timeout(PATIENCE, self.parts.events.recv())
            .await
            .unwrap()
            .unwrap();
        assert_eq!(stamped.received_us, super::server::NOW_US);
        stamped.event
    }

    /// Returns the next event that `wanted` takes, passing over others.
    pub(super) async fn event_where(&mut self, wanted: impl Fn(&KisEvent) -> bool) -> KisEvent {
        loop {
            let event = self.event().await;
            if wanted(&event) {
                return event;
            }
        }
    }

    /// Returns `count` trades.
    pub(super) async fn trades(&mut self, count: usize) -> Vec<Trade> {
        let mut trades = Vec::new();
        while trades.len() < count {
            let is_trades = |event: &KisEvent| matches!(event, KisEvent::Trades(_));
            if let KisEvent::Trades(more) = self.event_where(is_trades).await {
                trades.extend(more);
            }
        }
        assert_eq!(trades.len(), count);
        trades
    }

    /// Opens the session and grants notices and `count` symbols.
    pub(super) async fn open(&mut self, count: usize) -> Peer {
        let mut peer = self.ws.accept().await;
        peer.grant(1 + count).await;
        assert_eq!(self.event().await, KisEvent::Connected);
        assert_eq!(self.event().await, KisEvent::NoticesSubscribed);
        for _ in 0..count {
            assert!(matches!(self.event().await, KisEvent::Subscribed(_)));
        }
        peer
    }
}

/// A frame of one trade at `price`.
pub(super) fn frame(symbol: &str, price: usize) -> String {
    let mut fields = vec!["0".to_owned(); 47];
    for (index, text) in [(0, symbol), (1, "093354"), (33, "20261116")] {
        fields[index] = text.to_owned();
    }
    fields[2] = price.to_string();
    format!("0|H0STCNT0|001|{}", fields.join("^"))
}

#[tokio::test]
async fn a_session_registers_notices_and_symbols_and_delivers_trades() {
    let mut running = run(&["000660", "005930"], |_| {}).await;
    let mut peer = running.ws.accept().await;
    assert_eq!(peer.grant(3).await, ["demo0001", "000660", "005930"]);
    assert_eq!(running.event().await, KisEvent::Connected);
    assert_eq!(running.event().await, KisEvent::NoticesSubscribed);
    let hynix = "000660".parse().unwrap();
    assert_eq!(running.event().await, KisEvent::Subscribed(hynix));
    assert!(matches!(running.event().await, KisEvent::Subscribed(_)));
    peer.say(frame("005930", 100)).await;
    peer.say(frame("000660", 200)).await;
    let trades = running.trades(2).await;
    assert_eq!(trades[0].symbol, "005930".parse().unwrap());
    assert_eq!(trades[1].last.to_string(), "200");
    // One key a connection.
    assert_eq!(running.rest.seen("/Approval").len(), 1);
    assert_eq!(
        running.rest.seen("/Approval")[0].body["secretkey"],
        "app-secret"
    );
    running.stop.cancel();
    timeout(PATIENCE, running.parts.task)
        .await
        .unwrap()
        .unwrap();
}

#[tokio::test]
async fn a_new_set_is_applied_as_a_difference() {
    let mut running = run(&["000660", "005930"], |_| {}).await;
    let mut peer = running.open(2).await;
    running
        .parts
        .stream
        .set_symbols(symbols(&["005930", "035420"]));
    let (kind, tr_id, tr_key) = peer.hear_request().await;
    assert_eq!((kind.as_str(), tr_key.as_str()), ("2", "000660"));
    peer.answer(&tr_id, &tr_key, "0", "OPSP0001").await;
    assert_eq!(peer.grant(1).await, ["035420"]);
    assert_eq!(
        running.event().await,
        KisEvent::Unsubscribed("000660".parse().unwrap())
    );
    assert_eq!(
        running.event().await,
        KisEvent::Subscribed("035420".parse().unwrap())
    );
}

#[tokio::test]
async fn an_encrypted_notice_is_delivered_and_a_foreign_one_is_not() {
    let Some(sample) = sample("h0stcni0-notices.json") else {
        return;
    };
    let mut running = run(&[], |_| {}).await;
    let mut peer = running.open(0).await;
    let notices = sample["notices"].as_array().unwrap();
    let plain = notices[0]["plaintext"].as_str().unwrap();
    let foreign = plain.replace("5012345601", "5099999901");
    peer.say(format!("0|H0STCNI9|001|{foreign}")).await;
    peer.say(notices[1]["frame_paper"].as_str().unwrap()).await;
    let KisEvent::Notice(notice) = running.event().await else {
        panic!("a notice expected");
    };
    assert!(matches!(notice.event, NoticeEvent::Fill { .. }));
    assert_eq!(notice.number.as_str(), "0000117057");
}

#[tokio::test]
async fn a_lost_session_is_followed_by_one_with_everything_registered() {
    let mut running = run(&["005930"], |_| {}).await;
    for round in 1..=4 {
        let mut peer = running.open(1).await;
        peer.say(frame("005930", round)).await;
        assert_eq!(
            running.trades(1).await[0].last.to_string(),
            round.to_string()
        );
        drop(peer); // Without a close frame.
        assert!(matches!(
            running.event().await,
            KisEvent::Disconnected { .. }
        ));
        assert_eq!(running.rest.seen("/Approval").len(), round);
    }
}

#[tokio::test]
async fn keep_alive_is_sent_back_as_it_came() {
    let mut running = run(&[], |_| {}).await;
    let mut peer = running.open(0).await;
    let ping = r#"{"header":{"tr_id":"PINGPONG","datetime":"20261116093400"}}"#;
    peer.say(ping).await;
    assert_eq!(peer.hear().await, ping);
}

#[tokio::test]
async fn a_slow_consumer_makes_the_reader_wait_and_loses_nothing() {
    const FRAMES: usize = 100_000;
    let mut running = run(&["005930"], |config| config.stream.events_max = 4).await;
    let mut peer = running.open(1).await;
    let sent = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&sent);
    let sending = crate::task::spawn("burst", async move {
        for price in 1..=FRAMES {
            peer.say(frame("005930", price)).await;
            count.store(price, Ordering::SeqCst);
        }
        peer
    });
    // Nobody takes events, so the sender comes to a stand: channel and sockets are full.
    let mut before = 0;
    timeout(PATIENCE, async {
        loop {
            tokio::time::sleep(Duration::from_millis(200)).await;
            let now = sent.load(Ordering::SeqCst);
            if now == before && now > 0 {
                break;
            }
            before = now;
        }
    })
    .await
    .unwrap();
    assert!(before < FRAMES, "no back-pressure");
    let trades = running.trades(FRAMES).await;
    for (trade, price) in trades.iter().zip(1..) {
        assert_eq!(trade.last.units(), price * 10_000);
    }
    drop(sending.await.unwrap());
}

#[tokio::test]
async fn the_task_ends_with_its_consumer_its_handle_or_its_stop_token() {
    let running = run(&[], |_| {}).await;
    drop(running.parts.events);
    timeout(PATIENCE, running.parts.task)
        .await
        .unwrap()
        .unwrap();

    let mut running = run(&[], |_| {}).await;
    let _peer = running.open(0).await;
    drop(running.parts.stream);
    timeout(PATIENCE, running.parts.task)
        .await
        .unwrap()
        .unwrap();

    // Stopped while it waits for a consumer that does not read.
    let mut running = run(&["005930"], |config| config.stream.events_max = 4).await;
    let mut peer = running.open(1).await;
    for price in 1..5_000 {
        peer.say(frame("005930", price)).await;
    }
    running.stop.cancel();
    timeout(PATIENCE, running.parts.task)
        .await
        .unwrap()
        .unwrap();
}
