//! Server-sent events.

use std::collections::BTreeMap;
use std::time::Duration;

use reqwest::{Response, StatusCode};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use turnstile_bff::BffConfig;
use turnstile_bff::access::{Role, revoke};
use turnstile_connectors::task::spawn;

use crate::access::{guarded, token};
use crate::live::publish;
use crate::servers::eventually;
use crate::world::World;

const STREAM: &str = "/api/v1/stream";

/// One event.
#[derive(Clone, Debug, Default, PartialEq)]
struct Event {
    name: String,
    id: Option<String>,
    data: String,
}

impl Event {
    fn json(&self) -> Value {
        serde_json::from_str(&self.data).unwrap()
    }
}

/// A client of the stream.
struct Events {
    response: Response,
    rest: String,
}

impl Events {
    async fn open(world: &World, query: &str, last: Option<&str>) -> Self {
        let mut request = world.http.get(world.url(&format!("{STREAM}{query}")));
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        Self::of(request.send().await.unwrap())
    }

    fn of(response: Response) -> Self {
        assert_eq!(response.status(), 200);
        let rest = String::new();
        Self { response, rest }
    }

    /// Returns the next event, or none if the stream ends.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some((block, rest)) = self.rest.split_once("\n\n") {
                let mut event = Event::default();
                for line in block.lines() {
                    match line.split_once(": ") {
                        Some(("event", name)) => event.name = name.to_owned(),
                        Some(("id", id)) => event.id = Some(id.to_owned()),
                        Some(("data", data)) => event.data.push_str(data),
                        _ => {}
                    }
                }
                self.rest = rest.to_owned();
                return Some(event);
            }
            let chunk = self.response.chunk().await.unwrap()?;
            self.rest.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }

    /// Returns the next event `name`, passing over others.
    async fn hear(&mut self, name: &str) -> Event {
        let hearing = async {
            loop {
                let event = self.next().await.expect("the stream goes on");
                if event.name == name {
                    return event;
                }
            }
        };
        let heard = tokio::time::timeout(Duration::from_secs(20), hearing).await;
        heard.unwrap_or_else(|_| panic!("no event {name}"))
    }

    /// Waits for the end.
    async fn end(&mut self) {
        let ending = async { while self.next().await.is_some() {} };
        let ended = tokio::time::timeout(Duration::from_secs(5), ending).await;
        ended.expect("the stream ends");
    }
}

async fn write(world: &World, count: usize) {
    for _ in 0..count {
        world
            .sql("UPDATE trade.positions SET qty = qty - 1 WHERE status = 'OPEN'")
            .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_says_what_the_socket_says_and_goes_on_after_a_break() {
    let world = World::start().await;
    world.fill().await;
    let mut socket = world.socket().await;
    socket
        .say(&json!({ "type": "subscribe", "topics": ["positions", "orders"] }))
        .await;
    let mut texts = BTreeMap::new();
    for topic in ["positions", "orders"] {
        let snapshot = socket.snapshot(topic).await;
        texts.insert(topic, snapshot);
    }
    let mut events = Events::open(&world, "?topics=positions,orders", None).await;
    let headers = events.response.headers();
    assert_eq!(headers["content-type"], "text/event-stream");
    assert_eq!(headers["x-accel-buffering"], "no");
    assert_eq!(headers["cache-control"], "no-store");
    let hello = events.hear("hello").await.json();
    let first = events.hear("snapshot").await;
    let last = events.hear("snapshot").await;
    assert_eq!(
        (first.id, last.json()["topic"].as_str()),
        (None, Some("orders"))
    );
    let id = last.id.clone().unwrap();
    let seq = last.json()["seq"].clone();
    assert_eq!(id, format!("{}.{seq}", hello["epoch"].as_str().unwrap()));
    assert_eq!(last.json()["rows"], texts["orders"]["rows"]);

    write(&world, 3).await;
    let mut heard = Vec::new();
    while heard
        .last()
        .is_none_or(|event: &Event| event.json()["upsert"][0]["qty"] != 87)
    {
        heard.push(events.hear("change").await);
    }
    for event in &heard {
        let text = loop {
            let text = socket.text().await;
            if text.contains(r#""type":"change""#) {
                break text;
            }
        };
        assert_eq!(event.data, text, "the same bytes");
    }
    drop(events);
    write(&world, 2).await;
    let mut missed = Vec::new();
    while missed
        .last()
        .is_none_or(|text: &String| !text.contains(r#""qty":85"#))
    {
        let text = socket.text().await;
        if text.contains(r#""type":"change""#) {
            missed.push(text);
        }
    }
    let last = heard.last().unwrap().id.clone().unwrap();
    for (query, header) in [
        ("?topics=positions,orders".to_owned(), Some(last.as_str())),
        (format!("?topics=positions,orders&since={last}"), None),
    ] {
        let mut back = Events::open(&world, &query, header).await;
        for text in &missed {
            let event = loop {
                let event = back.next().await.unwrap();
                assert_ne!(event.name, "snapshot");
                if event.name == "change" {
                    break event;
                }
            };
            assert_eq!(event.data, *text);
        }
    }
    let mut anew = Events::open(&world, "?topics=positions", Some("of another server")).await;
    anew.hear("snapshot").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn prices_come_one_by_one_and_no_timeout_of_requests_ends_the_stream() {
    let config = BffConfig {
        request_timeout: Duration::from_millis(500),
        preview_timeout: Duration::from_millis(100),
        ..BffConfig::default()
    };
    let world = World::start_with(config).await;
    world.fill().await;
    eventually("prices come by Redis", async || {
        (world.data("/api/health/detailed").await["prices"]["mode"] == "redis").then_some(())
    })
    .await;
    let mut events = Events::open(&world, "?topics=prices&symbols=005930,000660", None).await;
    let known = [events.hear("price").await, events.hear("price").await];
    assert_eq!(known[0].json()["symbol"], "000660");
    assert_eq!(known[0].id, None, "with the last one all are there");
    assert!(known[1].id.is_some());
    let keys: Vec<_> = known[1]
        .json()
        .as_object()
        .unwrap()
        .keys()
        .cloned()
        .collect();
    for key in [
        "symbol",
        "price",
        "change_price",
        "change_rate",
        "volume",
        "bid",
        "ask",
        "source",
        "ts",
        "is_stale",
    ] {
        assert!(keys.contains(&key.to_owned()), "{key}");
    }
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    publish(
        &world,
        &[("005930", 70_900, 1_795_500_000_000_009), ("0001A0", 1, 1)],
    )
    .await;
    let price = events.hear("price").await.json();
    assert_eq!(
        (&price["symbol"], &price["price"]),
        (&json!("005930"), &json!(70_900))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_wrongly_is_named() {
    let world = World::start().await;
    let many = (0..501)
        .map(|n| format!("{n:06}"))
        .collect::<Vec<_>>()
        .join(",");
    for (query, field, fault) in [
        ("topics=trades", "topics", "one of prices, health"),
        ("topics=", "topics", "was \"\""),
        ("symbols=../x", "symbols", "cannot be used"),
        (
            &*format!("symbols={many}"),
            "symbols",
            "at most 500, were 501",
        ),
        ("since=12", "since", "epoch.seq"),
        ("limit=1", "limit", "is not a parameter"),
    ] {
        let (status, body) = world.get(&format!("{STREAM}?{query}")).await;
        assert_eq!(
            (status, &body["error"]["code"]),
            (StatusCode::BAD_REQUEST, &json!("INVALID_PARAMETER"))
        );
        let said = body["error"]["fields"][field].as_str().unwrap_or_default();
        assert!(said.contains(fault), "{query}: {body}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_takes_a_place_and_gives_it_back() {
    let config = BffConfig {
        ws_clients_max: 1,
        ..BffConfig::default()
    };
    let world = World::start_with(config).await;
    let mut events = Events::open(&world, "", None).await;
    events.hear("hello").await;
    let (status, body) = world.get(STREAM).await;
    assert_eq!(
        (status.as_u16(), &body["error"]["code"]),
        (503, &json!("TOO_MANY_CLIENTS"))
    );
    drop(events);
    eventually("the place is free", async || {
        let response = world.http.get(world.url(STREAM)).send().await.unwrap();
        (response.status() == 200).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_ends_with_its_token() {
    let (world, _) = guarded().await;
    let text = token(&world, "stream", Role::Viewer).await;
    let refused = world.http.get(world.url(STREAM)).send().await.unwrap();
    assert_eq!(refused.status(), 401);
    let request = world.http.get(world.url(STREAM)).bearer_auth(&text);
    let mut events = Events::of(request.send().await.unwrap());
    events.hear("hello").await;
    revoke(&world.db, "stream", "kim", None).await.unwrap();
    events.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_ends_streams() {
    let world = World::start().await;
    let mut events = Events::open(&world, "", None).await;
    events.hear("hello").await;
    let World { bff, postgres, .. } = world;
    let stopped = spawn("stop", bff.stop());
    events.end().await;
    stopped.await.unwrap().unwrap();
    drop(postgres);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_nobody_reads_is_ended_and_does_not_hold_up_a_stop() {
    let config = BffConfig {
        ws_send_timeout: Duration::from_millis(300),
        ..BffConfig::default()
    };
    let world = World::start_with(config).await;
    eventually("prices come by Redis", async || {
        (world.data("/api/health/detailed").await["prices"]["mode"] == "redis").then_some(())
    })
    .await;
    let mut slow = TcpStream::connect(world.bff.local_addr()).await.unwrap();
    let request = format!("GET {STREAM}?topics=prices HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n");
    slow.write_all(request.as_bytes()).await.unwrap();
    let mut quick = Events::open(&world, "?topics=prices&symbols=000001", None).await;
    let symbols: Vec<String> = (1..=2_000).map(|n| format!("{n:06}")).collect();
    let mut us = 0;
    eventually("the slow stream is gone", async || {
        us += 1;
        let ticks: Vec<_> = symbols
            .iter()
            .map(|symbol| (symbol.as_str(), us, us))
            .collect();
        publish(&world, &ticks).await;
        while quick.hear("price").await.json()["price"].as_i64().unwrap() < us {}
        (us > 1 && world.data("/api/health/detailed").await["ws_clients"] == 1).then_some(())
    })
    .await;
    let World { bff, postgres, .. } = world;
    tokio::time::timeout(Duration::from_secs(5), bff.stop())
        .await
        .expect("the stop is not held up")
        .unwrap();
    drop(postgres);
}
