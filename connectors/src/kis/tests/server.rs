//! Scripted peers: an HTTP server that answers by a function, a WebSocket server that the test
//! plays by hand. And the fixture of both.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{WebSocketStream, accept_async};

use crate::kis::{Clock, Environment, KisClient, KisConfig, KisSettings};
use crate::task::spawn;

/// Patience of a test with a peer.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);
/// 2026-11-16 09:34 in Seoul.
pub(super) const NOW_US: u64 = 1_794_789_240_000_000;

/// A request as the server saw it.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) path: String,
    pub(super) query: BTreeMap<String, String>,
    pub(super) headers: BTreeMap<String, String>,
    pub(super) body: Value,
}

/// What the server does with a request.
pub(super) enum Reply {
    Json(u16, Value),
    /// With `tr_cont: M`.
    More(Value),
    Raw(u16, &'static str),
    /// Reads the request and closes the connection without a word.
    Drop,
    /// Reads the request and says nothing.
    Hang,
}

type Script = Arc<dyn Fn(&Seen, usize) -> Reply + Send + Sync>;

/// The HTTP server. Token and key requests are answered by itself unless the script is asked to.
#[derive(Clone)]
pub(super) struct Rest {
    pub(super) url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
    accepting: Arc<JoinHandle<()>>,
}

impl Rest {
    /// Starts a server whose `script` gets each request and how many of its path came before.
    pub(super) async fn start(
        script: impl Fn(&Seen, usize) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let script: Script = Arc::new(script);
        let all = Arc::clone(&seen);
        let accepting = spawn("scripted rest", async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (all, script) = (Arc::clone(&all), Arc::clone(&script));
                drop(spawn("scripted call", serve(stream, all, script)));
            }
        });
        Self {
            url,
            seen,
            accepting: Arc::new(accepting),
        }
    }

    /// Closes the port.
    pub(super) async fn close(&self) {
        self.accepting.abort();
        let closed = async {
            while !self.accepting.is_finished() {
                tokio::task::yield_now().await;
            }
        };
        timeout(PATIENCE, closed).await.unwrap();
    }

    /// Returns the requests whose path ends with `end`.
    pub(super) fn seen(&self, end: &str) -> Vec<Seen> {
        let seen = self.seen.lock().unwrap();
        seen.iter()
            .filter(|it| it.path.ends_with(end))
            .cloned()
            .collect()
    }
}

/// Answers token and key requests the usual way.
pub(super) fn token_or(seen: &Seen, other: impl FnOnce() -> Reply) -> Reply {
    if seen.path.ends_with("/tokenP") {
        return Reply::Json(200, json!({"access_token": "t1", "expires_in": 86400}));
    }
    if seen.path.ends_with("/Approval") {
        return Reply::Json(200, json!({"approval_key": "key-1"}));
    }
    other()
}

async fn serve(mut stream: TcpStream, all: Arc<Mutex<Vec<Seen>>>, script: Script) {
    let Some(seen) = read_request(&mut stream).await else {
        return;
    };
    let before = {
        let mut all = all.lock().unwrap();
        let before = all.iter().filter(|it| it.path == seen.path).count();
        all.push(seen.clone());
        before
    };
    let (status, more, body) = match script(&seen, before) {
        Reply::Json(status, body) => (status, "", body.to_string()),
        Reply::More(body) => (200, "M", body.to_string()),
        Reply::Raw(status, body) => (status, "", body.to_owned()),
        Reply::Drop => return,
        Reply::Hang => return std::future::pending().await,
    };
    let head = format!(
        "HTTP/1.1 {status} X\r\ntr_cont: {more}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    drop(stream.write_all(format!("{head}{body}").as_bytes()).await);
    drop(stream.shutdown().await);
}

async fn read_request(stream: &mut TcpStream) -> Option<Seen> {
    let mut bytes = Vec::new();
    let (head, rest) = loop {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
        if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let rest = bytes.split_off(at + 4);
            break (String::from_utf8(bytes).unwrap(), rest);
        }
    };
    let mut lines = head.lines();
    let target = lines.next()?.split(' ').nth(1)?.to_owned();
    let headers: BTreeMap<String, String> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
        .collect();
    let len: usize = headers
        .get("content-length")
        .map_or(0, |it| it.parse().unwrap());
    let mut body = rest;
    while body.len() < len {
        stream.read_buf(&mut body).await.ok()?;
    }
    let url = reqwest::Url::parse(&format!("http://x{target}")).unwrap();
    Some(Seen {
        path: url.path().to_owned(),
        query: url.query_pairs().into_owned().collect(),
        headers,
        body: serde_json::from_slice(&body).unwrap_or_default(),
    })
}

/// The WebSocket server: each connection is given to the test.
pub(super) struct Ws {
    listener: TcpListener,
    pub(super) url: String,
}

/// One connection, played by the test.
pub(super) struct Peer {
    pub(super) socket: WebSocketStream<TcpStream>,
}

impl Ws {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("ws://{}", listener.local_addr().unwrap());
        Self { listener, url }
    }

    pub(super) async fn accept(&self) -> Peer {
        let (stream, _) = timeout(PATIENCE, self.listener.accept())
            .await
            .unwrap()
            .unwrap();
        Peer {
            socket: accept_async(stream).await.unwrap(),
        }
    }
}

impl Peer {
    pub(super) async fn say(&mut self, text: impl Into<String>) {
        self.socket.send(Message::text(text.into())).await.unwrap();
    }

    /// Returns the next text.
    pub(super) async fn hear(&mut self) -> String {
        loop {
            match timeout(PATIENCE, self.socket.next())
                .await
                .unwrap()
                .unwrap()
                .unwrap()
            {
                Message::Text(text) => return text.to_string(),
                Message::Ping(_) | Message::Pong(_) => {}
                other => panic!("text expected, was {other:?}"),
            }
        }
    }

    /// Returns type, TR id and key of the next request.
    pub(super) async fn hear_request(&mut self) -> (String, String, String) {
        let text = self.hear().await;
        let request: Value = serde_json::from_str(&text).unwrap();
        let field = |pointer: &str| {
            request
                .pointer(pointer)
                .unwrap()
                .as_str()
                .unwrap()
                .to_owned()
        };
        assert_eq!(field("/header/approval_key"), "key-1");
        assert_eq!(field("/header/custtype"), "P");
        (
            field("/header/tr_type"),
            field("/body/input/tr_id"),
            field("/body/input/tr_key"),
        )
    }

    /// Answers a request.
    pub(super) async fn answer(&mut self, tr_id: &str, tr_key: &str, rt_cd: &str, code: &str) {
        let mut body = json!({"rt_cd": rt_cd, "msg_cd": code, "msg1": "text"});
        if rt_cd == "0" {
            body["output"] = json!({"iv": IV, "key": KEY});
        }
        let header = json!({"tr_id": tr_id, "tr_key": tr_key, "encrypt": "N"});
        self.say(json!({"header": header, "body": body}).to_string())
            .await;
    }

    /// Hears `count` subscriptions and grants them; returns their keys.
    pub(super) async fn grant(&mut self, count: usize) -> Vec<String> {
        let mut keys = Vec::new();
        for _ in 0..count {
            let (kind, tr_id, tr_key) = self.hear_request().await;
            assert_eq!(kind, "1");
            self.answer(&tr_id, &tr_key, "0", "OPSP0000").await;
            keys.push(tr_key);
        }
        keys
    }
}

/// Key and iv of the samples.
pub(super) const KEY: &str = "k7Qm2xWv9TbR4cLs8ZyHn3JpU6fGdEaX";
/// See [`KEY`].
pub(super) const IV: &str = "5tRw8yUq2aSd4fGh";

/// A valid configuration against `rest_url`, with short pauses and no limit.
pub(super) fn config(rest_url: &str, folder: &tempfile::TempDir) -> KisConfig {
    let mut config = KisConfig {
        environment: Some(Environment::Paper),
        rest_url: Some(rest_url.to_owned()),
        ws_url: Some("ws://127.0.0.1:1".to_owned()),
        app_key: "app-key".into(),
        app_secret: "app-secret".into(),
        account: "50123456-01".into(),
        hts_id: "demo0001".to_owned(),
        token_cache: folder.path().join("token.json"),
        ..KisConfig::default()
    };
    config.rate.per_second = Some(0);
    config.retry.query_pause = Duration::from_millis(1);
    config.retry.throttled_order_pause = Duration::from_millis(1);
    config.retry.pause_max = Duration::from_millis(4);
    config.reconnect.pause_min = Duration::from_millis(5);
    config.reconnect.pause_max = Duration::from_millis(20);
    config.reconnect.in_use_pause = Duration::from_millis(20);
    config.stream.request_spacing = Duration::ZERO;
    config
}

/// A clock that only the test moves.
#[derive(Clone)]
pub(super) struct TestClock(Arc<AtomicU64>);

impl TestClock {
    pub(super) fn new() -> Self {
        Self(Arc::new(AtomicU64::new(NOW_US)))
    }

    pub(super) fn advance(&self, by: Duration) {
        let micros = u64::try_from(by.as_micros()).unwrap();
        self.0.fetch_add(micros, Ordering::SeqCst);
    }

    pub(super) fn clock(&self) -> Clock {
        let now = Arc::clone(&self.0);
        Arc::new(move || now.load(Ordering::SeqCst))
    }
}

/// A client with its folder, which must outlive it.
pub(super) struct Fixture {
    pub(super) client: KisClient,
    pub(super) clock: TestClock,
    pub(super) folder: tempfile::TempDir,
}

/// Returns a client of `rest` with `adjust`ed configuration.
pub(super) fn fixture(rest: &Rest, adjust: impl FnOnce(&mut KisConfig)) -> Fixture {
    let folder = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let settings = settings(rest, &folder, adjust);
    Fixture {
        client: KisClient::new(settings, clock.clock()).unwrap(),
        clock,
        folder,
    }
}

/// Returns checked settings of `rest`.
pub(super) fn settings(
    rest: &Rest,
    folder: &tempfile::TempDir,
    adjust: impl FnOnce(&mut KisConfig),
) -> KisSettings {
    let mut config = config(&rest.url, folder);
    adjust(&mut config);
    config.validate().unwrap()
}

/// Returns the folder of samples, or says that it is absent.
pub(super) fn samples() -> Option<PathBuf> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/reference/samples");
    if folder.is_dir() {
        return Some(folder);
    }
    println!("skipped: no samples at {}", folder.display());
    None
}

/// Returns a sample file as JSON.
pub(super) fn sample(name: &str) -> Option<Value> {
    let text = std::fs::read_to_string(samples()?.join(name)).unwrap();
    Some(serde_json::from_str(&text).unwrap())
}
