//! A scripted server in place of the source, and the sample.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use tokio::net::TcpListener;
use tokio::time::Instant;
use turnstile_dataflows::model::Symbol;

use crate::naver::{NaverClient, NaverConfig};
use crate::task::spawn;

/// 2026-11-16 09:34 in Seoul.
pub(super) const NOW_US: u64 = 1_794_789_240_000_000;

/// The reference sample, byte for byte.
pub(super) const SAMPLE: &str = include_str!("../test_data/naver-polling.json");

/// Returns the body in the sample.
pub(super) fn sample_body() -> &'static str {
    let start = SAMPLE.find("\"body\": ").unwrap() + "\"body\": ".len();
    let end = SAMPLE.rfind('}').unwrap();
    SAMPLE[start..end].trim_end()
}

pub(super) fn symbol(code: &str) -> Symbol {
    code.parse().unwrap()
}

pub(super) fn both() -> [Symbol; 2] {
    [symbol("005930"), symbol("247540")]
}

/// What the server does with a call.
pub(super) enum Reply {
    Text(u16, String),
    /// Sends this many bytes.
    Bytes(usize),
    /// Sends the head of an answer and half a body, and then nothing.
    Stall,
    Hang,
}

/// A call as the server saw it.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) path: String,
    pub(super) headers: HeaderMap,
    pub(super) at: Instant,
}

type Script = Arc<dyn Fn(usize) -> Reply + Send + Sync>;

#[derive(Clone)]
pub(super) struct Server {
    pub(super) url: String,
    script: Script,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Server {
    /// Starts a server whose `script` gets how many calls came before.
    pub(super) async fn start(script: impl Fn(usize) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Self {
            url: format!("http://{}", listener.local_addr().unwrap()),
            script: Arc::new(script),
            seen: Arc::default(),
        };
        let router = Router::new().fallback(serve).with_state(server.clone());
        drop(spawn("scripted naver", async move {
            axum::serve(listener, router).await.unwrap();
        }));
        server
    }

    pub(super) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    pub(super) fn client(&self, adjust: impl FnOnce(&mut NaverConfig)) -> NaverClient {
        let mut config = NaverConfig {
            url: self.url.clone(),
            spacing: Duration::ZERO,
            ..NaverConfig::default()
        };
        adjust(&mut config);
        assert_eq!(config.validate(), Vec::<String>::new());
        NaverClient::new(config, Arc::new(|| NOW_US)).unwrap()
    }
}

async fn serve(State(server): State<Server>, request: Request) -> Response {
    let before = {
        let mut seen = server.seen.lock().unwrap();
        seen.push(Seen {
            path: request.uri().to_string(),
            headers: request.headers().clone(),
            at: Instant::now(),
        });
        seen.len() - 1
    };
    match (server.script)(before) {
        Reply::Text(status, text) => (StatusCode::from_u16(status).unwrap(), text).into_response(),
        Reply::Bytes(count) => "x".repeat(count).into_response(),
        Reply::Stall => {
            let half = futures_util::stream::iter([Ok::<_, std::io::Error>("{\"datas\":")]);
            let rest = futures_util::stream::pending();
            Body::from_stream(futures_util::StreamExt::chain(half, rest)).into_response()
        }
        Reply::Hang => std::future::pending().await,
    }
}
