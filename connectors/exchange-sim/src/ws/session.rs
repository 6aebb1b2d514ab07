//! One WebSocket session: reads requests, writes what its outbox holds, keeps the line alive.

use std::{
    num::NonZeroUsize,
    sync::{Arc, Mutex, PoisonError},
};

use axum::extract::ws::{Message, Utf8Bytes, WebSocket};
use futures_util::{
    SinkExt, StreamExt,
    stream::{SplitSink, SplitStream},
};
use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until, timeout},
};

use super::{
    hub::{Line, Opened, Wanted},
    messages::{PINGPONG, Registration, Request, Stream, Verdict, ack, bare_ack, parse, ping},
};
use crate::{
    issue::{hhmmss, yyyymmdd},
    shared::Shared,
};

/// Messages written before the line is flushed.
const WRITE_BATCH: usize = 64;

/// Since when an answer to a keep-alive message is owed.
type Owed = Mutex<Option<Instant>>;

/// Serves one session until the client leaves, does not answer, or the line is cut. The connection
/// ends without a close frame, as the broker's does.
pub(super) async fn run(socket: WebSocket, shared: Arc<Shared>) {
    let Opened {
        id,
        mut inbox,
        outbox,
        cipher,
        line,
    } = shared.hub.open();
    if shared.faults().kis_down {
        line.cut.cancel(); // The fault came between the handshake and the entry into the hub.
    }
    tracing::debug!(session = id, "session opened");
    let (mut sink, mut stream) = socket.split();
    let owed = Owed::default();
    let reader = Reader {
        id,
        shared: &shared,
        outbox,
        cipher,
        owed: &owed,
    };
    tokio::select! {
        biased;
        () = line.cut.cancelled() => {}
        () = line.frozen.cancelled() => {}
        () = shared.stop.cancelled() => {}
        () = reader.run(&mut stream) => {}
        () = write(&mut sink, &mut inbox, &owed, &line, &shared) => {}
    }
    forget(id, &shared);
    tracing::debug!(session = id, "session closed");
    if line.frozen.is_cancelled() && !line.cut.is_cancelled() {
        shared.stop.cancelled().await; // The connection stays, and nobody looks at it.
    }
}

fn forget(id: u64, shared: &Shared) {
    let left = shared.hub.close(id);
    let mut exchange = shared.exchange();
    for issue in left {
        exchange.unwatch(issue);
    }
}

struct Reader<'a> {
    id: u64,
    shared: &'a Shared,
    outbox: mpsc::Sender<Utf8Bytes>,
    cipher: super::cipher::Cipher,
    owed: &'a Owed,
}

impl Reader<'_> {
    async fn run(&self, stream: &mut SplitStream<WebSocket>) {
        while let Some(Ok(message)) = stream.next().await {
            let goes_on = match message {
                Message::Text(text) => self.answer(&text).await,
                Message::Binary(bytes) => self.answer(&String::from_utf8_lossy(&bytes)).await,
                Message::Pong(payload) => {
                    if String::from_utf8_lossy(&payload).contains(PINGPONG) {
                        self.pong();
                    }
                    true
                }
                Message::Ping(_) => true,
                Message::Close(_) => false,
            };
            if !goes_on {
                return;
            }
        }
    }

    fn pong(&self) {
        *self.owed.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Answers one message and returns whether the session goes on.
    async fn answer(&self, text: &str) -> bool {
        let registration = match parse(text) {
            Ok(Request::Pong) => {
                self.pong();
                return true;
            }
            Ok(Request::Registration(registration)) => registration,
            Err(verdict) => return self.send(bare_ack(verdict, &self.cipher)).await,
        };
        let stream = Stream::by_tr_id(&registration.tr_id, self.shared.hub.environment());
        match self.check(&registration, stream) {
            Ok(wanted) => self.register(&registration, &wanted).await,
            Err(Verdict::SecondSession) => {
                let text = bare_ack(Verdict::SecondSession, &self.cipher);
                self.send(text).await;
                // Let the writer have it before the session ends.
                self.outbox
                    .reserve_many(self.outbox.max_capacity())
                    .await
                    .is_err()
            }
            Err(verdict) => {
                let Registration { tr_id, tr_key, .. } = &registration;
                self.send(ack(verdict, tr_id, tr_key, stream, &self.cipher))
                    .await
            }
        }
    }

    fn check(&self, asked: &Registration, stream: Option<Stream>) -> Result<Wanted, Verdict> {
        let account = self.shared.auth().account_of_approval(&asked.approval_key);
        let account = account.ok_or(Verdict::UnknownApproval)?;
        self.shared.hub.claim(self.id, account)?;
        let stream = stream.ok_or(Verdict::UnknownTr)?;
        let issue = match stream {
            Stream::Notices => None,
            Stream::Trades => {
                let found = self.shared.exchange().find(&asked.tr_key);
                Some(found.ok_or(Verdict::UnknownKey)?)
            }
        };
        let tr_key = asked.tr_key.clone();
        Ok(Wanted {
            account,
            stream,
            tr_key,
            issue,
            is_added: asked.is_added,
        })
    }

    async fn register(&self, asked: &Registration, wanted: &Wanted) -> bool {
        let Ok(permit) = self.outbox.reserve().await else {
            return false;
        };
        let mut exchange = self.shared.exchange();
        let most = NonZeroUsize::new(self.shared.faults().registrations_max);
        let verdict = self.shared.hub.register(self.id, wanted, most, |verdict| {
            let Registration { tr_id, tr_key, .. } = asked;
            let text = ack(verdict, tr_id, tr_key, Some(wanted.stream), &self.cipher);
            permit.send(text.into());
        });
        if let Some(issue) = wanted.issue {
            match verdict {
                Verdict::Subscribed => exchange.watch(issue),
                Verdict::Unsubscribed => exchange.unwatch(issue),
                _ => {}
            }
        }
        true
    }

    async fn send(&self, text: String) -> bool {
        self.outbox.send(text.into()).await.is_ok()
    }
}

/// Writes until the line fails, takes nothing for too long, or a keep-alive stays unanswered.
async fn write(
    sink: &mut SplitSink<WebSocket, Message>,
    inbox: &mut mpsc::Receiver<Utf8Bytes>,
    owed: &Owed,
    line: &Line,
    shared: &Shared,
) {
    let keep_alive = &shared.config.keep_alive;
    let mut next_ping = Instant::now() + keep_alive.period;
    let mut batch = Vec::with_capacity(WRITE_BATCH);
    loop {
        let is_muted = line.muted.is_cancelled();
        let is_kept = !keep_alive.period.is_zero() && !is_muted;
        let since = *owed.lock().unwrap_or_else(PoisonError::into_inner);
        let deadline = since.map_or(next_ping, |since| {
            (since + keep_alive.timeout).min(next_ping)
        });
        tokio::select! {
            biased;
            () = sleep_until(deadline), if is_kept => {
                let now = Instant::now();
                let since = *owed.lock().unwrap_or_else(PoisonError::into_inner);
                if since.is_some_and(|since| now >= since + keep_alive.timeout) {
                    tracing::debug!("session does not answer, cut");
                    return;
                }
                if now >= next_ping {
                    next_ping = now + keep_alive.period;
                    owed.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(now);
                    let at = shared.clock.now().at;
                    batch.push(ping(&format!("{:08}{:06}", yyyymmdd(at.date()), hhmmss(at))).into());
                }
            }
            count = inbox.recv_many(&mut batch, WRITE_BATCH) => if count == 0 {
                return;
            }
        }
        if line.muted.is_cancelled() {
            batch.clear();
            continue;
        }
        let write = async {
            for text in batch.drain(..) {
                sink.feed(Message::Text(text)).await?;
            }
            sink.flush().await
        };
        let written = if is_kept {
            timeout(keep_alive.timeout, write).await
        } else {
            Ok(write.await)
        };
        if !matches!(written, Ok(Ok(()))) {
            return;
        }
    }
}
