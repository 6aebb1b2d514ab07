//! One WebSocket client.

use std::time::Duration;

use axum::extract::State;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code};
use axum::http::HeaderMap;
use axum::response::Response;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tracing::{debug, info};
use turnstile_dataflows::model::Symbol;

use crate::access::{self, Principal};
use crate::error::{ApiError, Code};
use crate::extract::NoParams;
use crate::live::hub::Seat;
use crate::live::messages::{ClientMessage, ServerMessage};
use crate::metrics;
use crate::seoul::SeoulTime;
use crate::state::AppState;

/// How often a client is sent what has gathered: faster than anybody can read.
const FLUSH: Duration = Duration::from_millis(100);
/// How often it is looked whether the client may still see anything.
const LOOK: Duration = Duration::from_secs(1);
/// How often the server gives a sign of life.
const PING: Duration = Duration::from_secs(15);
/// Largest message of a client; a subscription of 100 symbols is about 1.3 kB.
const MESSAGE_MAX: usize = 16 * 1024;

/// Why a connection ends.
enum End {
    /// The client has gone or broken the protocol.
    Client,
    /// The server stops.
    Stop,
    /// The client did not take a message in time.
    Slow,
    /// The token was revoked or is over.
    Over,
}

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
    let seat = state.live.join().ok_or_else(|| {
        ApiError::new(
            Code::TooManyClients,
            "as many clients as allowed are connected",
        )
    })?;
    let principal = access::current();
    let running = state.live.tasks.token();
    let upgrade = upgrade
        .max_message_size(MESSAGE_MAX)
        .max_frame_size(MESSAGE_MAX);
    Ok(upgrade.on_upgrade(async move |socket| {
        serve(socket, seat, &state, principal.as_ref()).await;
        drop(running);
    }))
}

async fn serve(mut socket: WebSocket, seat: Seat, state: &AppState, who: Option<&Principal>) {
    let end = talk(&mut socket, &seat, state, who).await;
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
    if timeout(FLUSH, socket.send(frame)).await.is_err() {
        debug!("close frame not sent");
    }
}

async fn talk(
    socket: &mut WebSocket,
    seat: &Seat,
    state: &AppState,
    who: Option<&Principal>,
) -> End {
    let live = &state.live;
    let mut mode = live.mode.subscribe();
    mode.mark_changed(); // So that the first message is a hello.
    let mut flush = interval(FLUSH);
    flush.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut ping = interval(PING);
    ping.reset();
    let mut look = interval(LOOK);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        // Nothing here loses data when it is dropped half-way.
        let outcome = tokio::select! {
            biased;
            () = live.stop.cancelled() => return End::Stop,
            Ok(()) = mode.changed() => {
                let mode = *mode.borrow_and_update();
                let hello = ServerMessage::Hello { server_time: SeoulTime::now(), mode };
                send(socket, &hello, state).await
            }
            _ = look.tick() => match who {
                Some(who) if !state.keys.is_still(who) => Err(End::Over),
                Some(_) | None => Ok(()),
            },
            _ = ping.tick() => send(socket, &ServerMessage::Ping, state).await,
            _ = flush.tick() => send_gathered(socket, seat, state).await,
            message = socket.recv() => match message {
                Some(Ok(Message::Text(text))) => hear(socket, seat, state, &text).await,
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => Ok(()),
                Some(Ok(Message::Binary(_))) => refuse(socket, state, "expected a text").await,
                Some(Ok(Message::Close(_)) | Err(_)) | None => Err(End::Client),
            },
        };
        if let Err(end) = outcome {
            return end;
        }
    }
}

async fn send_gathered(socket: &mut WebSocket, seat: &Seat, state: &AppState) -> Result<(), End> {
    let (prices, tables) = seat.mailbox.take();
    if !prices.is_empty() {
        send(socket, &ServerMessage::Prices { data: &prices }, state).await?;
    }
    if !tables.is_empty() {
        send(socket, &ServerMessage::Changed { tables: &tables }, state).await?;
    }
    Ok(())
}

async fn hear(
    socket: &mut WebSocket,
    seat: &Seat,
    state: &AppState,
    text: &str,
) -> Result<(), End> {
    match ClientMessage::read(text) {
        Ok(ClientMessage::Subscribe { symbols }) => {
            seat.mailbox
                .subscribe(symbols.iter().map(Symbol::to_string).collect());
            Ok(())
        }
        Err(fault) => refuse(socket, state, &fault).await,
    }
}

async fn refuse(socket: &mut WebSocket, state: &AppState, message: &str) -> Result<(), End> {
    send(
        socket,
        &ServerMessage::Error {
            code: "INVALID_MESSAGE",
            message,
        },
        state,
    )
    .await
}

/// Sends one message. Until it is accepted no other is made, so a slow client costs one message
/// and what its mailbox merges.
async fn send(
    socket: &mut WebSocket,
    message: &ServerMessage<'_>,
    state: &AppState,
) -> Result<(), End> {
    let text = message.text().map_err(|_| End::Client)?;
    let sent = timeout(state.live.send_timeout, socket.send(Message::text(text)));
    match state.live.stop.run_until_cancelled(sent).await {
        None => Err(End::Stop),
        Some(Err(_elapsed)) => Err(End::Slow),
        Some(Ok(Err(_gone))) => Err(End::Client),
        Some(Ok(Ok(()))) => Ok(()),
    }
}
