//! One client of server-sent events: what the WebSocket says, for clients that only listen.
//!
//! A task writes and the answer's body reads, through a channel of one place: so the task sees when the
//! client does not read, which the body alone would not.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tracing::{debug, info};
use turnstile_connectors::task;
use turnstile_dataflows::model::Symbol;

use super::hub::Live;
use super::listener::{End, Item, Listener, Outlet};
use super::messages::{SYMBOLS_MAX, Subscription, Wish};
use super::topic::Topic;
use super::{LOOK, seat};
use crate::access::{self, Principal};
use crate::error::{ApiError, Failure};
use crate::extract::Params;
use crate::metrics;
use crate::state::AppState;

/// How often a comment shows that the connection lives.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// Tells a proxy in front to pass each event on at once.
const BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");
/// What a browser sends when it connects again by itself.
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// Live data as server-sent events: snapshots, then changes. The event's name is the type of the message
/// of the WebSocket `/ws`, its data that message; prices come as one event `price` each. Its id is
/// `epoch.seq`; with `last-event-id` or `since` the stream goes on there, if it still can.
#[utoipa::path(
    get, path = "/api/v1/stream", tag = "live",
    params(
        ("topics" = Option<String>, Query, description = "of prices, health, positions, levels, orders, exits, candidates, alarms and tables, with commas between; all but tables by default"),
        ("symbols" = Option<String>, Query, description = "symbols of prices, at most 500, with commas between; all by default"),
        ("since" = Option<String>, Query, description = "id of the last event seen; the header last-event-id goes before it"),
    ),
    responses(
        (status = 200, body = String, content_type = "text/event-stream"),
        (status = "4XX", body = Failure),
        (status = "5XX", body = Failure),
    ),
)]
pub(crate) async fn stream(
    State(state): State<AppState>,
    headers: HeaderMap,
    params: Params,
) -> Result<Response, ApiError> {
    state.guard.check_origin(&headers)?;
    let wish = Wish::Topics(subscription(&headers, params)?);
    let seat = seat(&state)?;
    let principal = access::current();
    let (events_tx, events_rx) = mpsc::channel(1);
    let running = state.live.tasks.token();
    // Who awaits it waits for `running`.
    drop(task::spawn("bff stream", async move {
        let mut wire = Wire {
            live: &state.live,
            events_tx,
        };
        match talk(&mut wire, &state, wish, principal.as_ref()).await {
            End::Slow => {
                metrics::ws_slow_client();
                info!("stream ended: its client did not read");
            }
            end => debug!(?end, "stream ended"),
        }
        drop((seat, running));
    }));
    let events = stream::unfold(events_rx, async |mut events_rx| {
        let event: Event = events_rx.recv().await?;
        Some((Ok::<_, Infallible>(event), events_rx))
    });
    let events = Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE));
    let mut response = events.into_response();
    let unbuffered = HeaderValue::from_static("no");
    response.headers_mut().insert(BUFFERING, unbuffered);
    Ok(response)
}

async fn talk(wire: &mut Wire<'_>, state: &AppState, wish: Wish, who: Option<&Principal>) -> End {
    let live = &state.live;
    let mut listener = Listener::new(state);
    let mut head = live.head.subscribe();
    let mut mode = live.mode.subscribe();
    let mut look = interval(LOOK);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let begin = async {
        listener.greet(wire).await?;
        listener.take(wish, wire).await
    };
    if let Err(end) = begin.await {
        return end;
    }
    loop {
        let outcome = tokio::select! {
            biased;
            () = live.stop.cancelled() => return End::Stop,
            () = wire.events_tx.closed() => return End::Client,
            Ok(()) = mode.changed() => listener.greet(wire).await,
            _ = look.tick() => match who {
                Some(who) if !state.keys.is_still(who) => Err(End::Over),
                // Also when nothing changes: a snapshot may be due.
                Some(_) | None => listener.step(wire).await,
            },
            Ok(()) = head.changed() => listener.step(wire).await,
        };
        if let Err(end) = outcome {
            return end;
        }
    }
}

/// Reads what the client wants to follow.
fn subscription(headers: &HeaderMap, mut params: Params) -> Result<Subscription, ApiError> {
    let topics = params.list::<Topic>("topics", Topic::ALL.len());
    let symbols = params.list::<Symbol>("symbols", SYMBOLS_MAX);
    let mut since = params.parsed::<EventId>("since");
    params.finish()?;
    // What a browser repeats by itself is no fault of anybody: of another server it begins anew.
    if let Some(last) = headers.get(LAST_EVENT_ID) {
        since = last.to_str().ok().and_then(|last| last.parse().ok());
    }
    let topics: BTreeSet<Topic> = if topics.is_empty() {
        let named = |topic: &Topic| *topic != Topic::Tables;
        Topic::ALL.into_iter().filter(named).collect()
    } else {
        topics.into_iter().collect()
    };
    let since = since.map(|id| {
        let known = topics.iter().map(|topic| (*topic, id.seq));
        (id.epoch, BTreeMap::from_iter(known))
    });
    Ok(Subscription {
        symbols: symbols.iter().map(Symbol::to_string).collect(),
        since,
        topics,
    })
}

/// Id of an event.
#[derive(Debug, PartialEq, Eq)]
struct EventId {
    /// The run of the server.
    epoch: String,
    /// Its last number.
    seq: u64,
}

/// The text is no id of an event.
#[derive(Debug, thiserror::Error)]
#[error("expected the id of an event, epoch.seq")]
struct EventIdError;

impl std::str::FromStr for EventId {
    type Err = EventIdError;

    fn from_str(text: &str) -> Result<Self, EventIdError> {
        let (epoch, seq) = text.split_once('.').ok_or(EventIdError)?;
        Ok(Self {
            epoch: epoch.to_owned(),
            seq: seq.parse().map_err(|_| EventIdError)?,
        })
    }
}

/// The way into the body of the answer.
struct Wire<'a> {
    live: &'a Live,
    events_tx: mpsc::Sender<Event>,
}

impl Wire<'_> {
    async fn send(&self, event: Event, resume: Option<u64>) -> Result<(), End> {
        let event = match resume {
            Some(seq) => event.id(format!("{}.{seq}", self.live.epoch)),
            None => event,
        };
        let sent = timeout(self.live.send_timeout, self.events_tx.send(event));
        match self.live.stop.run_until_cancelled(sent).await {
            None => Err(End::Stop),
            Some(Err(_elapsed)) => Err(End::Slow),
            Some(Ok(Err(_gone))) => Err(End::Client),
            Some(Ok(Ok(()))) => Ok(()),
        }
    }
}

impl Outlet for Wire<'_> {
    async fn put(&mut self, item: Item) -> Result<(), End> {
        match item {
            Item::Message { kind, text, resume } => {
                let event = Event::default().event(kind).data(text.as_str());
                self.send(event, resume).await
            }
            Item::Prices { rows, resume, .. } => {
                let count = rows.len();
                for (place, row) in rows.into_iter().enumerate() {
                    let event = Event::default().event("price").data(row.as_str());
                    // With the last one the client has them all.
                    let resume = resume.filter(|_| place + 1 == count);
                    self.send(event, resume).await?;
                }
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_id_reads_back_and_other_texts_are_none() {
        let read = |text: &str| text.parse::<EventId>().ok().map(|id| (id.epoch, id.seq));
        assert_eq!(read("ab.7"), Some(("ab".to_owned(), 7)));
        for text in ["", "7", "ab.", "ab.-1", "ab.7.8"] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
