//! A client of one connection: hyper's, which adds nothing to a request.

use anyhow::{Context, ensure};
use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Request, StatusCode, header};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// One connection to a server.
#[derive(Debug)]
pub(super) struct Http {
    sender: SendRequest<Empty<Bytes>>,
    host: String,
}

impl Http {
    /// Connects to `host`, an address with its port.
    ///
    /// # Errors
    /// If nobody listens there.
    pub(super) async fn connect(host: &str) -> anyhow::Result<Self> {
        let socket = TcpStream::connect(host).await.context("no server")?;
        socket.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(socket)).await?;
        // It ends with its sender.
        drop(turnstile_connectors::task::spawn("http client", connection));
        Ok(Self {
            sender,
            host: host.to_owned(),
        })
    }

    /// Asks for `path` and returns the body.
    ///
    /// # Errors
    /// If the answer is anything but 200.
    pub(super) async fn get(&mut self, path: &str) -> anyhow::Result<Bytes> {
        let request = Request::get(path)
            .header(header::HOST, &self.host)
            .body(Empty::new())?;
        self.sender.ready().await?;
        let response = self.sender.send_request(request).await?;
        let status = response.status();
        let body = response.into_body().collect().await?.to_bytes();
        ensure!(
            status == StatusCode::OK,
            "{path} was answered {status}: {}",
            String::from_utf8_lossy(&body)
        );
        Ok(body)
    }
}
