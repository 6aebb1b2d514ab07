//! Channels against a server that answers as it is told.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{OriginalUri, State};
use axum::http::StatusCode;
use serde_json::Value;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::*;

#[derive(Clone, Default)]
struct Receiver {
    answers: Arc<Mutex<VecDeque<u16>>>,
    got: Arc<Mutex<Vec<(String, Value)>>>,
}

impl Receiver {
    async fn start(answers: &[u16]) -> (Self, String) {
        let receiver = Self::default();
        receiver.answers.lock().unwrap().extend(answers);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let take = |State(receiver): State<Self>, uri: OriginalUri, body: String| async move {
            let body = serde_json::from_str(&body).unwrap();
            receiver
                .got
                .lock()
                .unwrap()
                .push((uri.path().to_owned(), body));
            let answer = receiver.answers.lock().unwrap().pop_front();
            let status = StatusCode::from_u16(answer.unwrap_or(200)).unwrap();
            (status, [("retry-after", "0")], "")
        };
        let router = Router::new().fallback(take).with_state(receiver.clone());
        drop(crate::task::spawn("receiver", async move {
            axum::serve(listener, router).await.unwrap();
        }));
        (receiver, address)
    }
}

fn notice(level: LogLevel) -> Notice {
    Notice {
        alarm: Uuid::new_v4(),
        turn: Turn::Raised,
        level,
        name: "n".to_owned(),
        instance: "i".to_owned(),
        subject: None,
        message: "m".to_owned(),
        at_us: 0,
    }
}

async fn delivered(toml: String, notices: &[Notice]) -> Vec<Delivered> {
    let config: MonitoringConfig = toml::from_str(&toml).unwrap();
    let (results, mut told) = mpsc::channel(16);
    let stop = CancellationToken::new();
    let deliveries = Deliveries::start(&config, &results, &stop).unwrap();
    for notice in notices {
        deliveries.tell(notice);
    }
    drop(results);
    deliveries.finish().await;
    let mut all = Vec::new();
    while let Some(delivered) = told.recv().await {
        all.push(delivered);
    }
    all
}

#[tokio::test]
async fn a_server_in_trouble_is_asked_again_and_one_that_refuses_is_not() {
    let (receiver, address) = Receiver::start(&[503, 429, 200, 404]).await;
    let toml = format!("webhook = {{ url = \"{address}/hook\" }}");
    let notices = [
        notice(LogLevel::Info),
        notice(LogLevel::Warning),
        notice(LogLevel::Warning),
    ];
    let told = delivered(toml, &notices).await;
    let results: Vec<_> = told
        .iter()
        .map(|told| (told.alarm, told.attempts, told.fault.as_deref()))
        .collect();
    let expected = [
        (notices[1].alarm, 3, None),
        (notices[2].alarm, 1, Some("answered 404 Not Found")),
    ];
    assert_eq!(results, expected, "below the level nothing is sent");
    assert_eq!(receiver.got.lock().unwrap().len(), 4);
}

#[tokio::test]
async fn a_chat_gets_text_and_the_token_stays_in_the_address() {
    let (receiver, address) = Receiver::start(&[]).await;
    let toml = format!(
        "telegram = {{ base_url = \"{address}/\", token = \"1:secret\", chat_id = \"-7\", level = \"P0\" }}"
    );
    let told = delivered(toml, &[notice(LogLevel::Critical), notice(LogLevel::P0)]).await;
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].fault, None);
    let got = receiver.got.lock().unwrap();
    assert_eq!(got[0].0, "/bot1:secret/sendMessage");
    assert_eq!(got[0].1["chat_id"], "-7");
    assert_eq!(got[0].1["text"], "[P0] n (i)\nm");
}

#[tokio::test]
async fn no_fault_names_the_address() {
    let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = closed.local_addr().unwrap();
    drop(closed);
    let toml = format!("webhook = {{ url = \"http://{address}/secret\" }}");
    let config: MonitoringConfig = toml::from_str(&toml).unwrap();
    let (results, mut told) = mpsc::channel(16);
    let stop = CancellationToken::new();
    let deliveries = Deliveries::start(&config, &results, &stop).unwrap();
    deliveries.tell(&notice(LogLevel::P0));
    stop.cancel();
    deliveries.finish().await;
    let fault = told.recv().await.unwrap().fault.unwrap();
    assert!(!fault.contains("secret"), "{fault}");
}
