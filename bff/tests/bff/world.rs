//! A BFF with its stores, and a client.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use metrics_exporter_prometheus::PrometheusBuilder;
use reqwest::{Client, RequestBuilder, StatusCode};
use serde_json::Value;
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::{HeaderValue, Request};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};
use tokio_util::sync::CancellationToken;
use turnstile_bff::{Bff, BffConfig};
use turnstile_connectors::postgres::Postgres;
use turnstile_connectors::redis::Cache;
use turnstile_connectors::strategy::StrategyId;

use crate::servers::{PostgresServer, RedisServer, eventually};

/// Everything a test needs. Fields are dropped in order: the BFF before its stores.
pub(crate) struct World {
    pub(crate) bff: Bff,
    pub(crate) db: Postgres,
    pub(crate) cache: Cache,
    pub(crate) http: Client,
    pub(crate) postgres: PostgresServer,
    pub(crate) redis: RedisServer,
    _folder: TempDir,
}

impl World {
    /// Starts everything with default settings on a free port.
    pub(crate) async fn start() -> Self {
        Self::start_with(BffConfig::default()).await
    }

    /// Starts everything with `config` on a free port.
    pub(crate) async fn start_with(config: BffConfig) -> Self {
        Self::start_for(StrategyId::default(), config).await
    }

    /// Starts everything with `config` on a free port, where `strategy` is the configured one.
    pub(crate) async fn start_for(strategy: StrategyId, config: BffConfig) -> Self {
        let folder = tempfile::Builder::new()
            .prefix("bff")
            .tempdir_in("/tmp")
            .unwrap();
        open_to_all(&folder);
        let postgres = PostgresServer::start(&folder).await;
        let redis = RedisServer::start(&folder).await;
        let db = Postgres::connect(&postgres.config()).await.unwrap();
        let cache = redis.cache();
        let metrics = PrometheusBuilder::new().build_recorder().handle();
        let config = BffConfig {
            listen: "127.0.0.1:0".parse().unwrap(),
            ..config
        };
        let stop = CancellationToken::new();
        let bff = Bff::start(config, strategy, db.clone(), cache.clone(), metrics, stop)
            .await
            .unwrap();
        // The client wants a provider even for plain HTTP; a second test of the process finds it.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = Client::new();
        let world = Self {
            bff,
            db,
            cache,
            http,
            postgres,
            redis,
            _folder: folder,
        };
        // The start of the feed empties part of the cache.
        eventually("the feed is open", async || {
            world.data("/api/health/detailed").await["feed"]["lag_ms"].as_i64()
        })
        .await;
        world
    }

    /// Runs SQL statements.
    pub(crate) async fn sql(&self, statements: &str) {
        self.db
            .client()
            .await
            .unwrap()
            .batch_execute(statements)
            .await
            .unwrap();
    }

    /// Inserts the rows of the fixture, and returns once clients were told of them.
    pub(crate) async fn fill(&self) {
        self.sql(crate::fixture::ROWS).await;
        eventually("the rows are told", async || {
            let health = self.data("/api/health/detailed").await;
            (health["feed"]["lag_ms"] == 0).then_some(())
        })
        .await;
    }

    /// Returns the one value of a query as text.
    pub(crate) async fn value(&self, query: &str) -> Option<String> {
        self.db
            .client()
            .await
            .unwrap()
            .query_one(query, &[])
            .await
            .unwrap()
            .get(0)
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.bff.local_addr())
    }

    /// Returns status and body of a GET.
    pub(crate) async fn get(&self, path: &str) -> (StatusCode, Value) {
        answer(self.http.get(self.url(path))).await
    }

    /// Returns `data` of a GET that must succeed.
    pub(crate) async fn data(&self, path: &str) -> Value {
        let (status, mut body) = self.get(path).await;
        assert_eq!(status, 200, "{path}: {body}");
        body["data"].take()
    }

    /// Returns status and body of a POST of JSON.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> (StatusCode, Value) {
        answer(self.http.post(self.url(path)).json(body)).await
    }

    /// Opens the WebSocket, without an Origin as programs do.
    pub(crate) async fn socket(&self) -> Socket {
        let (stream, _) = connect_async(self.socket_request(None)).await.unwrap();
        Socket(stream)
    }

    /// Returns the handshake of the WebSocket.
    pub(crate) fn socket_request(&self, origin: Option<&str>) -> Request<()> {
        let url = format!("ws://{}/ws", self.bff.local_addr());
        let mut request = url.into_client_request().unwrap();
        if let Some(origin) = origin {
            request
                .headers_mut()
                .insert("origin", HeaderValue::from_str(origin).unwrap());
        }
        request
    }
}

/// Sends a request; the body of its answer must be JSON.
pub(crate) async fn answer(request: RequestBuilder) -> (StatusCode, Value) {
    let response = request.send().await.unwrap();
    let status = response.status();
    let text = response.text().await.unwrap();
    (
        status,
        serde_json::from_str(&text).unwrap_or_else(|_| panic!("no JSON: {text}")),
    )
}

/// A WebSocket client.
pub(crate) struct Socket(pub(crate) WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Socket {
    pub(crate) async fn say(&mut self, message: &Value) {
        self.0
            .send(Message::text(message.to_string()))
            .await
            .unwrap();
    }

    /// Returns the next message as it was sent.
    pub(crate) async fn text(&mut self) -> String {
        let message = self.0.next().await.expect("connection is open").unwrap();
        message.to_text().unwrap().to_owned()
    }

    /// Returns the next message of type `kind`, passing over others.
    pub(crate) async fn hear(&mut self, kind: &str) -> Value {
        self.hear_where(kind, |message| message["type"] == kind)
            .await
    }

    /// Returns the next message that `is_it`, passing over others.
    pub(crate) async fn hear_where(&mut self, what: &str, is_it: impl Fn(&Value) -> bool) -> Value {
        let hearing = async {
            loop {
                let value: Value = serde_json::from_str(&self.text().await).unwrap();
                if is_it(&value) {
                    return value;
                }
            }
        };
        let heard = tokio::time::timeout(Duration::from_secs(20), hearing).await;
        heard.unwrap_or_else(|_| panic!("no message {what}"))
    }

    /// Returns the snapshot of `topic`, passing over others.
    pub(crate) async fn snapshot(&mut self, topic: &str) -> Value {
        let is_it = |message: &Value| message["type"] == "snapshot" && message["topic"] == topic;
        self.hear_where(topic, is_it).await
    }

    /// Returns code and reason with which the server ends the connection.
    pub(crate) async fn hear_end(&mut self) -> (u16, String) {
        let hearing = async {
            loop {
                let message = self.0.next().await.expect("a close frame").unwrap();
                if let Message::Close(Some(frame)) = message {
                    return (frame.code.into(), frame.reason.to_string());
                }
            }
        };
        let heard = tokio::time::timeout(Duration::from_secs(20), hearing).await;
        heard.expect("the server ends the connection")
    }

    /// Waits for a hello with `mode`.
    pub(crate) async fn hear_mode(&mut self, mode: &str) {
        while self.hear("hello").await["mode"] != mode {}
    }
}

/// PostgreSQL runs under another account and has to pass through.
fn open_to_all(folder: &TempDir) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755)).unwrap();
}
