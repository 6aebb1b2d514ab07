//! The server: from the settings to a listening socket, and back.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::serve::ListenerExt;
use metrics_exporter_prometheus::PrometheusHandle;
use socket2::SockRef;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};
use turnstile_connectors::postgres::Postgres;
use turnstile_connectors::redis::{Cache, widen_while_isolated};
use turnstile_connectors::strategy::StrategyId;
use turnstile_connectors::task;

use crate::access::{Guard, Keyring};
use crate::config::{BffConfig, ConfigFault};
use crate::live::{self, Live};
use crate::router::router;
use crate::shared::SharedReads;
use crate::state::{AppState, SessionSettings, Shared};

/// Why the server does not run.
#[derive(Debug, thiserror::Error)]
pub enum BffError {
    /// Settings cannot be used.
    #[error("settings cannot be used: {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Config(Vec<ConfigFault>),
    /// The address cannot be listened on.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address that was configured.
        address: SocketAddr,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// The server ended by itself.
    #[error("server failed")]
    Serve(#[source] io::Error),
    /// Requests were still running when the deadline of a stop was over.
    #[error("requests still ran {} ms after the stop", .0.as_millis())]
    StopDeadline(Duration),
}

/// Sends small messages at once, and ends a connection whose client takes nothing for twice
/// `send_timeout`: the system alone sees that where everything is written already, and where this
/// process writes still, it gives up before.
fn tune(socket: &TcpStream, send_timeout: Duration) {
    let tuned = socket.set_nodelay(true).and_then(|()| {
        SockRef::from(socket).set_tcp_user_timeout(Some(send_timeout.saturating_mul(2)))
    });
    if let Err(error) = tuned {
        debug!(%error, "connection not tuned");
    }
}

/// A running server.
#[derive(Debug)]
pub struct Bff {
    local_addr: SocketAddr,
    stop: CancellationToken,
    stop_deadline: Duration,
    server: JoinHandle<io::Result<()>>,
    sources: Vec<JoinHandle<()>>,
    clients: tokio_util::task::TaskTracker,
}

impl Bff {
    /// Starts to serve. Where a client names no strategy, `strategy` is meant. The server ends when
    /// `stop` is cancelled; [`Bff::join`] awaits it.
    ///
    /// # Errors
    /// If the settings cannot be used or the address cannot be listened on.
    pub async fn start(
        config: BffConfig,
        strategy: StrategyId,
        db: Postgres,
        cache: Cache,
        metrics: PrometheusHandle,
        stop: CancellationToken,
    ) -> Result<Self, BffError> {
        config.validate().map_err(BffError::Config)?;
        let address = config.listen;
        let listen = |source| BffError::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(listen)?;
        let local_addr = listener.local_addr().map_err(listen)?;

        let stop = stop.child_token();
        let live = Live::new(config.ws_clients_max, config.ws_send_timeout, stop.clone());
        let clients = live.tasks.clone();
        let keys = Keyring::read(&db).await;
        if !address.ip().is_loopback() && !keys.has_any() {
            warn!(%local_addr, "no token exists: only this machine is answered until \"turnstile token create\" makes one");
        }
        let guard = Guard::new(keys.clone(), &config);
        let state = AppState::from(Shared {
            strategy: Arc::new(strategy),
            db,
            cache,
            live: Arc::new(live),
            positions: SharedReads::default(),
            metrics,
            keys: keys.clone(),
            guard,
            sessions: SessionSettings {
                life: config.session_life,
                is_secure: config.is_session_secure(),
            },
            preview_timeout: config.preview_timeout,
        });
        let mut sources = live::start(&state, &stop);
        let follow = keys.follow(state.db.clone(), stop.clone());
        sources.push(task::spawn("bff tokens", follow));
        let widen = widen_while_isolated(state.cache.clone(), state.db.clone(), stop.clone());
        sources.push(task::spawn("bff pool", widen));
        let service = router(&config, state).into_make_service_with_connect_info::<SocketAddr>();
        let send_timeout = config.ws_send_timeout;
        let listener = listener.tap_io(move |socket| tune(socket, send_timeout));
        let serve =
            axum::serve(listener, service).with_graceful_shutdown(stop.clone().cancelled_owned());
        let server = task::spawn("bff server", async move { serve.await });
        info!(%local_addr, "bff listens");
        Ok(Self {
            local_addr,
            stop,
            stop_deadline: config.stop_deadline,
            server,
            sources,
            clients,
        })
    }

    /// Returns the address that the server listens on, with its real port.
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Stops the server and awaits its end.
    ///
    /// # Errors
    /// As [`Bff::join`].
    pub async fn stop(self) -> Result<(), BffError> {
        self.stop.cancel();
        self.join().await
    }

    /// Awaits the end of the server: after the stop, WebSockets are closed and requests in flight
    /// finish.
    ///
    /// # Errors
    /// If the server failed, or requests still ran at the deadline; those are cut off.
    pub async fn join(mut self) -> Result<(), BffError> {
        let early = tokio::select! {
            biased;
            () = self.stop.cancelled() => None,
            ended = &mut self.server => Some(ended),
        };
        let failed = |ended: Result<io::Result<()>, tokio::task::JoinError>| {
            ended
                .map_err(io::Error::other)
                .and_then(|served| served)
                .map_err(BffError::Serve)
        };
        let is_early = early.is_some();
        self.stop.cancel();
        let end = async {
            let served = match early {
                Some(ended) => ended,
                None => (&mut self.server).await,
            };
            self.clients.close();
            self.clients.wait().await;
            for source in &mut self.sources {
                if let Err(error) = source.await {
                    warn!(%error, "a task of the server failed");
                }
            }
            failed(served)
        };
        match tokio::time::timeout(self.stop_deadline, end).await {
            Ok(Ok(())) if is_early => Err(BffError::Serve(io::Error::other(
                "server ended before it was stopped",
            ))),
            Ok(ended) => ended.inspect(|()| info!("bff stopped")),
            Err(_elapsed) => {
                self.server.abort();
                for source in &self.sources {
                    source.abort();
                }
                Err(BffError::StopDeadline(self.stop_deadline))
            }
        }
    }
}
