//! One WebSocket client.

use std::time::Duration;

use axum::extract::State;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code};
use axum::http::HeaderMap;
use axum::response::Response;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tracing::{debug, info};

use super::hub::{Live, Seat};
use super::listener::{End, Item, Listener, Outlet, say};
use super::messages::{ServerMessage, Wish, prices_text};
use super::{LOOK, seat};
use crate::access::{self, Principal};
use crate::error::{ApiError, Code};
use crate::extract::NoParams;
use crate::metrics;
use crate::state::AppState;

/// How often the server gives a sign of life.
const PING: Duration = Duration::from_secs(15);
/// Largest message of a client; a subscription of 500 symbols is about 6 kB.
const MESSAGE_MAX: usize = 16 * 1024;
/// What is read of a client at once. It is cleared before each reading, for clients that say little.
const READ_BUFFER: usize = 2 * 1024;
/// How long a client may take to accept the end.
const FAREWELL: Duration = Duration::from_millis(100);

/// Accepts a WebSocket of a page of this server.
pub(crate) async fn upgrade(
    State(state): State<AppState>,
    _: NoParams,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, ApiError> {
    state.guard.check_origin(&headers)?;
    let upgrade = upgrade.map_err(|rejection| {
        ApiError::new(Code::UpgradeRequired, rejection.body_text().to_lowercase())
    })?;
    let seat = seat(&state)?;
    let principal = access::current();
    let running = state.live.tasks.token();
    let upgrade = upgrade
        .max_message_size(MESSAGE_MAX)
        .max_frame_size(MESSAGE_MAX)
        .read_buffer_size(READ_BUFFER);
    Ok(upgrade.on_upgrade(async move |socket| {
        Box::pin(serve(socket, seat, &state, principal.as_ref())).await;
        drop(running);
    }))
}

async fn serve(socket: WebSocket, seat: Seat, state: &AppState, who: Option<&Principal>) {
    let mut wire = Wire {
        socket,
        live: &state.live,
    };
    let end = talk(&mut wire, state, who).await;
    drop(seat);
    let (code, reason) = match end {
        End::Client => return debug!("client has gone"),
        End::Stop => (close_code::AWAY, "server stops"),
        End::Over => (close_code::POLICY, "the token is revoked or over"),
        End::Slow => {
            metrics::ws_slow_client();
            info!("client disconnected: it did not read");
            return;
        }
    };
    let frame = Message::Close(Some(CloseFrame {
        code,
        reason: reason.into(),
    }));
    // Best effort: the client may be gone, and a stop does not wait for it.
    if timeout(FAREWELL, wire.socket.send(frame)).await.is_err() {
        debug!("close frame not sent");
    }
}

async fn talk(wire: &mut Wire<'_>, state: &AppState, who: Option<&Principal>) -> End {
    let live = &state.live;
    let mut listener = Listener::new(state);
    let mut head = live.head.subscribe();
    let mut mode = live.mode.subscribe();
    mode.mark_changed(); // So that the first message is a hello.
    let mut ping = interval(PING);
    ping.reset();
    let mut look = interval(LOOK);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        // Nothing here loses data when it is dropped half-way.
        let outcome = tokio::select! {
            biased;
            () = live.stop.cancelled() => return End::Stop,
            Ok(()) = mode.changed() => listener.greet(wire).await,
            _ = look.tick() => match who {
                Some(who) if !state.keys.is_still(who) => Err(End::Over),
                // Also when nothing changes: a snapshot may be due.
                Some(_) | None => listener.step(wire).await,
            },
            _ = ping.tick() => say(wire, "ping", &ServerMessage::Ping).await,
            // Before what is new: where that comes quicker than it can be sent, the client is heard still.
            message = wire.socket.recv() => match message {
                Some(Ok(Message::Text(text))) => hear(wire, &mut listener, &text).await,
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => Ok(()),
                Some(Ok(Message::Binary(_))) => refuse(wire, "expected a text").await,
                Some(Ok(Message::Close(_)) | Err(_)) | None => Err(End::Client),
            },
            Ok(()) = head.changed() => listener.step(wire).await,
        };
        if let Err(end) = outcome {
            return end;
        }
    }
}

async fn hear(wire: &mut Wire<'_>, listener: &mut Listener, text: &str) -> Result<(), End> {
    match Wish::read(text) {
        Ok(wish) => {
            listener.take(wish, wire).await?;
            listener.step(wire).await
        }
        Err(fault) => refuse(wire, &fault).await,
    }
}

async fn refuse(wire: &mut Wire<'_>, message: &str) -> Result<(), End> {
    let code = "INVALID_MESSAGE";
    say(wire, "error", &ServerMessage::Error { code, message }).await
}

/// The socket. Until a message is accepted no other is made, so a slow client costs one message.
struct Wire<'a> {
    socket: WebSocket,
    live: &'a Live,
}

impl Outlet for Wire<'_> {
    async fn put(&mut self, item: Item) -> Result<(), End> {
        let text = match item {
            Item::Message { text, .. } => text,
            Item::Prices {
                rows,
                is_snapshot,
                seq,
                ..
            } => prices_text(seq, &rows, is_snapshot).into(),
        };
        let sent = timeout(
            self.live.send_timeout,
            self.socket.send(Message::Text(text)),
        );
        match self.live.stop.run_until_cancelled(sent).await {
            None => Err(End::Stop),
            Some(Err(_elapsed)) => Err(End::Slow),
            Some(Ok(Err(_gone))) => Err(End::Client),
            Some(Ok(Ok(()))) => Ok(()),
        }
    }
}
