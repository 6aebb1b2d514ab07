//! Notifications of one channel, for those who look again when something has come.

use std::pin::Pin;
use std::sync::Arc;

use futures_util::stream::{Stream, StreamExt, poll_fn};
use tokio::sync::Notify;
use tokio_postgres::{AsyncMessage, Client};

use super::{Postgres, PostgresError};

/// Listens to a channel. What comes while its connection is away is not heard: a new connection counts as
/// a notification, and whoever listens looks from time to time anyway.
pub struct Listener {
    postgres: Postgres,
    channel: &'static str,
    link: Option<(Client, Arc<Notify>)>,
}

type Messages = Pin<Box<dyn Stream<Item = Result<AsyncMessage, tokio_postgres::Error>> + Send>>;

impl Listener {
    /// Returns a listener, which connects when it is first asked. `channel` is a plain name.
    pub fn new(postgres: &Postgres, channel: &'static str) -> Self {
        Self {
            postgres: postgres.clone(),
            channel,
            link: None,
        }
    }

    /// Waits for a notification, or makes the connection anew. Several that come at once are one.
    ///
    /// Cancel-safe: what a dropped call did not tell, the next one does.
    ///
    /// # Errors
    /// If the server cannot be reached; the next call tries again.
    pub async fn heard(&mut self) -> Result<(), PostgresError> {
        let Some((client, woken)) = &self.link else {
            let link = listen(&self.postgres, self.channel, "listener connection");
            self.link = Some(link.await?);
            return Ok(());
        };
        woken.notified().await;
        if client.is_closed() {
            self.link = None;
        }
        Ok(())
    }
}

/// Connects and listens to `channel`. What comes wakes whoever waits, as does the end of the connection,
/// which the client then finds closed. `task` names who reads the connection.
pub(super) async fn listen(
    postgres: &Postgres,
    channel: &str,
    task: &'static str,
) -> Result<(Client, Arc<Notify>), PostgresError> {
    let (client, mut connection) = postgres.connect_raw().await?;
    let woken = Arc::new(Notify::new());
    let wake = woken.clone();
    let line = postgres.lifeline().token();
    drop(crate::task::spawn(task, async move {
        let mut messages: Messages = Box::pin(poll_fn(move |cx| connection.poll_message(cx)));
        while let Some(Some(Ok(message))) = line.run_until_cancelled(messages.next()).await {
            if matches!(message, AsyncMessage::Notification(_)) {
                wake.notify_one();
            }
        }
        drop(messages);
        wake.notify_one();
    }));
    client.batch_execute(&format!("LISTEN {channel}")).await?;
    Ok((client, woken))
}
