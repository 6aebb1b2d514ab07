//! Subscriptions: messages of one channel, with reconnects told in band.

use std::time::Duration;

use futures_util::StreamExt;
use redis::Value;
use redis::aio::PubSub;
use tokio::time::timeout;

use super::Cache;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
const RETRY: Duration = Duration::from_secs(1);
/// Silence after which the connection has to prove itself: a night without trades looks like a
/// server that vanished.
const SILENCE_MAX: Duration = Duration::from_secs(15);

/// What a subscription yields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// The subscription stands; whatever was published before is missed.
    Connected,
    /// One message.
    Payload(String),
    /// Redis is away; messages are missed from here on.
    Disconnected,
}

/// Follows one channel, through losses of the connection.
pub struct Subscription {
    cache: Cache,
    channel: String,
    link: Option<PubSub>,
    was_connected: bool,
}

impl Subscription {
    /// Returns a subscription to `channel`, not connected yet.
    pub fn new(cache: &Cache, channel: &str) -> Self {
        Self {
            cache: cache.clone(),
            channel: channel.to_owned(),
            link: None,
            was_connected: true,
        }
    }

    /// Waits for what happens next. While Redis is away it says so once, and then waits.
    ///
    /// Cancel-safe between messages.
    pub async fn next(&mut self) -> Message {
        loop {
            if let Some(link) = &mut self.link {
                let received = timeout(SILENCE_MAX, link.on_message().next()).await;
                match received {
                    Ok(Some(message)) => {
                        return Message::Payload(message.get_payload().unwrap_or_default());
                    }
                    Err(_silence) if answers(link).await => continue,
                    Ok(None) | Err(_) => self.link = None,
                }
            } else if let Some(link) = self.connect().await {
                self.link = Some(link);
                self.was_connected = true;
                return Message::Connected;
            } else if !self.was_connected {
                tokio::time::sleep(RETRY).await;
                continue;
            }
            self.was_connected = false;
            return Message::Disconnected;
        }
    }

    async fn connect(&self) -> Option<PubSub> {
        let client = self.cache.client()?;
        let mut link = timeout(CONNECT_TIMEOUT, client.get_async_pubsub())
            .await
            .ok()?
            .ok()?;
        timeout(CONNECT_TIMEOUT, link.subscribe(&self.channel))
            .await
            .ok()?
            .ok()?;
        Some(link)
    }
}

async fn answers(link: &mut PubSub) -> bool {
    let ping = timeout(CONNECT_TIMEOUT, link.ping::<Value>()).await;
    matches!(ping, Ok(Ok(_)))
}
