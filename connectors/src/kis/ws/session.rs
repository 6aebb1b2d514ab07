//! One WebSocket session: registers, keeps alive, reads.

mod answers;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::{FutureExt, SinkExt, StreamExt};
use metrics::{Counter, counter};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::tungstenite::{self, Message, Utf8Bytes};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};
use tracing::debug;
use turnstile_dataflows::model::Symbol;

use super::KisEvent;
use super::control::{self, Control};
use super::outbox::{BATCH_MAX, Gone};
use super::registrations::{Key, Registrations};
use super::task::Shared;
use crate::kis::config::{Environment, KisSettings, StreamTuning};
use crate::kis::error::Malformed;
use crate::kis::metrics::{FOREIGN_NOTICES, TRADES};
use crate::kis::notices::{StreamKey, notices};
use crate::kis::{parse, tr};

/// Frames that are read in one go before the loop looks around again.
const FRAMES_AT_ONCE: usize = 256;
/// An issue that is listed for good: the oldest index fund.
const CANARY: &str = "069500";
/// How long saying goodbye may take.
const CLOSE_DEADLINE: Duration = Duration::from_secs(1);

/// A connected socket.
pub(super) type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Why a session ended.
#[derive(Debug)]
pub(super) enum End {
    /// Nobody wants events any more.
    Gone,
    /// The app key is in use by another session.
    InUse(String),
    /// Anything else; try again.
    Lost(String),
}

impl From<Gone> for End {
    fn from(_: Gone) -> Self {
        Self::Gone
    }
}

/// One session.
pub(super) struct Session<'a> {
    shared: &'a mut Shared,
    socket: Socket,
    approval_key: String,
    registrations: Registrations,
    /// Asked for where there is nothing else to ask for; its trades are not handed on.
    canary: Option<Symbol>,
    /// What is wanted of the session.
    symbols: BTreeSet<Symbol>,
    /// Whether the broker has answered a request.
    is_open: bool,
    keys: BTreeMap<String, StreamKey>,
    /// Whether the notices were registered anew for want of a key; once a session.
    renewed: bool,
    next_request: Instant,
    next_ping: Instant,
    last_read: Instant,
    /// When the broker last said something; pongs are answers of its machine only.
    last_message: Instant,
    /// Whether it has said something since.
    has_heard: bool,
    trades_read: Counter,
}

/// What the loop woke up for.
enum Wake {
    Gone,
    Wanted(bool),
    Timer,
    Read(Option<Result<Message, tungstenite::Error>>),
}

impl<'a> Session<'a> {
    pub(super) fn new(shared: &'a mut Shared, socket: Socket, approval_key: String) -> Self {
        let settings = shared.client.settings();
        let now = Instant::now();
        let (canary, base) = match shared.report.session {
            0 => (None, Some(Key::Notices)),
            _ => {
                let canary = CANARY.parse().ok();
                (canary, canary.map(Key::Trades))
            }
        };
        Self {
            registrations: Registrations::new(
                base,
                settings.registrations_max,
                settings.stream.answer_timeout,
                settings.stream.refused_pause,
            ),
            canary,
            symbols: BTreeSet::new(),
            is_open: false,
            keys: BTreeMap::new(),
            renewed: false,
            next_request: now,
            next_ping: now + settings.stream.ping_every,
            last_read: now,
            last_message: now,
            has_heard: false,
            trades_read: counter!(TRADES),
            shared,
            socket,
            approval_key,
        }
    }

    /// Serves the session until it ends. Never returns before that.
    pub(super) async fn serve(mut self) -> End {
        self.want();
        let end = loop {
            if let Err(end) = self.step().await {
                break end;
            }
        };
        self.gauge_registrations(0);
        // Saying goodbye frees the session at the broker at once.
        drop(timeout(CLOSE_DEADLINE, self.socket.close(None)).await);
        end
    }

    /// Waits for the next thing to do and does it.
    async fn step(&mut self) -> Result<(), End> {
        let deadline = self.deadline();
        let wake = tokio::select! {
            biased;
            () = self.shared.outbox.gone() => Wake::Gone,
            changed = self.shared.wanted.changed() => Wake::Wanted(changed.is_ok()),
            () = sleep_until(deadline) => Wake::Timer,
            // Cancel-safe: a frame that is half read stays in the socket's buffer.
            message = self.socket.next() => Wake::Read(message),
        };
        match wake {
            Wake::Gone | Wake::Wanted(false) => Err(End::Gone),
            Wake::Wanted(true) => {
                self.want();
                self.tell_facts().await
            }
            Wake::Timer => self.on_timer().await,
            Wake::Read(message) => self.on_messages(message).await,
        }
    }

    /// Takes over what is wanted.
    fn want(&mut self) {
        self.symbols = self.shared.wanted.borrow_and_update().clone();
        self.registrations.want(&self.symbols, Instant::now());
    }

    /// Returns whether the symbol is only asked for to be answered.
    fn is_canary(&self, symbol: Symbol) -> bool {
        self.canary == Some(symbol) && !self.symbols.contains(&symbol)
    }

    fn tuning(&self) -> &StreamTuning {
        &self.settings().stream
    }

    fn settings(&self) -> &KisSettings {
        self.shared.client.settings()
    }

    /// Returns when something is due: a request, a ping, or the end of patience.
    fn deadline(&self) -> Instant {
        let silence = self.silent_at().0;
        let request = self
            .registrations
            .due()
            .map(|due| due.max(self.next_request));
        let first = silence.min(self.next_ping);
        request.map_or(first, |request| first.min(request))
    }

    /// Returns when the connection counts as lost, and after which silence: of everything, or of
    /// messages where trades are wanted (domain 2.4).
    fn silent_at(&self) -> (Instant, Duration) {
        let (line, messages) = (self.tuning().read_deadline, self.tuning().message_deadline);
        let line = (self.last_read + line, line);
        if !self.registrations.wants_trades() {
            return line;
        }
        line.min((self.last_message + messages, messages))
    }

    async fn on_timer(&mut self) -> Result<(), End> {
        let now = Instant::now();
        let (silent_at, silence) = self.silent_at();
        if now >= silent_at {
            return Err(End::Lost(format!("silent for {silence:?}")));
        }
        if now >= self.next_ping {
            self.next_ping = now + self.tuning().ping_every;
            self.write(Message::Ping(Vec::new().into())).await?;
        }
        let is_due = self.registrations.due().is_some_and(|due| due <= now);
        if is_due && now >= self.next_request {
            self.next_request = now + self.tuning().request_spacing;
            if let Some((wish, key)) = self.registrations.next(now) {
                let (tr_id, tr_key) = self.wire_names(key);
                let text = control::request(&self.approval_key, wish, tr_id, &tr_key);
                debug!(?wish, tr_id, "registration requested");
                self.write(Message::text(text)).await?;
            }
            self.tell_facts().await?;
        }
        Ok(())
    }

    /// Writes a message; a write that hangs means that the connection is lost.
    async fn write(&mut self, message: Message) -> Result<(), End> {
        let deadline = self.tuning().write_deadline;
        match timeout(deadline, self.socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(End::Lost(format!("write failed: {error}"))),
            Err(_) => Err(End::Lost(format!("write took longer than {deadline:?}"))),
        }
    }

    /// Reads what is there, then hands over the trades.
    async fn on_messages(
        &mut self,
        first: Option<Result<Message, tungstenite::Error>>,
    ) -> Result<(), End> {
        let mut message = first;
        for frames in 1.. {
            self.on_message(message).await?;
            if frames >= FRAMES_AT_ONCE || self.shared.outbox.trades.len() >= BATCH_MAX {
                break;
            }
            match self.socket.next().now_or_never() {
                Some(next) => message = next,
                None => break,
            }
        }
        self.shared.outbox.flush().await?;
        // Waiting for the consumer is not the broker's silence.
        self.last_read = Instant::now();
        if std::mem::take(&mut self.has_heard) {
            self.last_message = self.last_read;
            let now_us = (self.shared.clock)();
            self.shared.client.note_stream_heard(now_us);
        }
        Ok(())
    }

    async fn on_message(
        &mut self,
        message: Option<Result<Message, tungstenite::Error>>,
    ) -> Result<(), End> {
        let received_us = (self.shared.clock)();
        match message {
            Some(Ok(Message::Text(text))) => self.on_text(&text, received_us).await,
            Some(Ok(Message::Binary(bytes))) => {
                let reason = format!(
                    "text expected, was a binary message of {} bytes",
                    bytes.len()
                );
                self.fault(received_us, Malformed::new("frame", reason))
                    .await
            }
            // The library answers pings itself, with the next read.
            Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => Ok(()),
            Some(Ok(Message::Close(_))) => Err(End::Lost("closed by the broker".to_owned())),
            Some(Err(error)) => Err(End::Lost(format!("read failed: {error}"))),
            None => Err(End::Lost("connection ended".to_owned())),
        }
    }

    async fn on_text(&mut self, text: &Utf8Bytes, received_us: u64) -> Result<(), End> {
        self.has_heard = true;
        match text.as_bytes().first() {
            Some(b'0' | b'1') => self.on_frame(text, received_us).await,
            Some(b'{') => match control::read(text) {
                Ok(Control::PingPong) => self.write(Message::Text(text.clone())).await,
                Ok(Control::Answer(answer)) => self.on_answer(answer, received_us).await,
                Err(fault) => self.fault(received_us, fault).await,
            },
            _ => {
                let fault = Malformed::new("frame", "0, 1 or { expected as first character");
                self.fault(received_us, fault).await
            }
        }
    }

    async fn on_frame(&mut self, text: &str, received_us: u64) -> Result<(), End> {
        let frame = match parse::frame(text) {
            Ok(frame) => frame,
            Err(fault) => return self.fault(received_us, fault).await,
        };
        let plain; // Lives as long as the payload is read.
        let payload = if frame.encrypted {
            match self.decrypt(frame) {
                Ok(bytes) => {
                    plain = bytes;
                    plain.as_slice()
                }
                Err(fault) => return self.fault(received_us, fault).await,
            }
        } else {
            frame.payload.as_bytes()
        };
        let mut faults = Vec::new();
        let mut heard = Vec::new();
        if frame.tr_id == tr::TRADES {
            let trades = &mut self.shared.outbox.trades;
            let before = trades.len();
            parse::trades(payload, frame.count, received_us, trades, &mut faults);
            let read = trades.len() - before;
            self.trades_read.increment(u64::try_from(read).unwrap_or(0));
            if let Some(canary) = self.canary
                && !self.symbols.contains(&canary)
            {
                trades.retain(|trade| trade.symbol != canary);
            }
        } else if frame.tr_id == tr::notices(self.environment()) {
            let account = &self.settings().account;
            let foreign = notices(
                payload,
                frame.count,
                account,
                received_us,
                &mut heard,
                &mut faults,
            );
            if foreign > 0 {
                counter!(FOREIGN_NOTICES).increment(u64::try_from(foreign).unwrap_or(0));
            }
        } else {
            let tr_id: String = frame.tr_id.chars().take(16).collect();
            let reason = format!("a stream that was asked for expected, was {tr_id:?}");
            faults.push(Malformed::new("frame", reason));
        }
        for notice in heard {
            let event = KisEvent::Notice(notice);
            self.shared.outbox.push(received_us, event).await?;
        }
        for fault in faults {
            self.fault(received_us, fault).await?;
        }
        Ok(())
    }

    fn decrypt(&self, frame: parse::Frame<'_>) -> Result<Vec<u8>, Malformed> {
        self.keys
            .get(frame.tr_id)
            .ok_or_else(|| Malformed::new("encrypted frame", "its stream has no key yet"))?
            .decrypt(frame.payload)
    }

    async fn fault(&mut self, received_us: u64, fault: Malformed) -> Result<(), End> {
        Ok(self.shared.outbox.fault(received_us, fault).await?)
    }

    fn environment(&self) -> Environment {
        self.settings().environment
    }

    /// Returns TR id and key of a registration. Notices go by the login id, not the account.
    fn wire_names(&self, key: Key) -> (&'static str, String) {
        match key {
            Key::Notices => (
                tr::notices(self.environment()),
                self.settings().hts_id.clone(),
            ),
            Key::Trades(symbol) => (tr::TRADES, symbol.to_string()),
        }
    }
}
