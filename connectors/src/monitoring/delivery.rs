//! Delivery: from a notice to the people who have to know.
//!
//! ```text
//! notices ─┬─> urgent (P0) ───────┬─ each channel: in order, spaced, repeated ─> result
//!          ├─> severe (CRITICAL) ─┤
//!          └─> the others ────────┘
//! ```
//!
//! Nothing here needs a database. A channel has a queue for each of these, so that a burst of the one (a
//! hundred prices that were waited for are there at once) holds up nothing of the other. A full queue
//! drops what is new; that is counted, and the alarm is in the database all the same.

mod slack;
mod telegram;

use std::time::Duration;

use metrics::counter;
use reqwest::{Client, RequestBuilder};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::warn;
use uuid::Uuid;

use super::config::MonitoringConfig;
use super::metrics as names;
use super::notice::{Notice, Turn};
use crate::postgres::LogLevel;
use slack::Slack;
use telegram::Telegram;

/// Notices that may wait in one queue.
const QUEUE: usize = 256;
/// Time of one attempt.
const ATTEMPT_MAX: Duration = Duration::from_secs(5);
/// Attempts for one notice: about two minutes with their pauses.
const ATTEMPTS_MAX: u32 = 7;
const PAUSE_MIN: Duration = Duration::from_secs(1);
const PAUSE_MAX: Duration = Duration::from_secs(60);
/// Both services take one message a second.
const SPACING: Duration = Duration::from_secs(1);

/// Somewhere to send notices to.
trait Channel: Send + Sync + 'static {
    /// Name in metrics and in the database.
    fn name(&self) -> &'static str;
    /// Least level that is sent.
    fn level(&self) -> LogLevel;
    /// Returns the request that sends a notice.
    fn request(&self, http: &Client, notice: &Notice) -> RequestBuilder;
}

/// What became of one notice in one channel.
#[derive(Clone, Debug)]
pub(crate) struct Delivered {
    pub(crate) alarm: Uuid,
    pub(crate) turn: Turn,
    pub(crate) channel: &'static str,
    pub(crate) attempts: u32,
    /// None: it was sent. Otherwise why not, without addresses.
    pub(crate) fault: Option<String>,
}

/// The way to all channels.
#[derive(Debug, Default)]
pub(crate) struct Deliveries {
    channels: Vec<Queues>,
    tasks: Vec<JoinHandle<()>>,
}

#[derive(Debug)]
struct Queues {
    name: &'static str,
    level: LogLevel,
    urgent: mpsc::Sender<Notice>,
    severe: mpsc::Sender<Notice>,
    others: mpsc::Sender<Notice>,
}

impl Deliveries {
    /// Opens the channels that are configured. What becomes of notices is told to `results`. After `stop`
    /// what waits is tried once more.
    ///
    /// # Errors
    /// If the HTTP client cannot be built.
    pub(crate) fn start(
        config: &MonitoringConfig,
        results: &mpsc::Sender<Delivered>,
        stop: &CancellationToken,
    ) -> Result<Self, reqwest::Error> {
        let mut all = Self::default();
        let slack = Slack::of(&config.webhook);
        let telegram = Telegram::of(&config.telegram);
        if slack.is_none() && telegram.is_none() {
            return Ok(all);
        }
        crate::tls::install_provider();
        let http = Client::builder()
            .timeout(ATTEMPT_MAX)
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        if let Some(slack) = slack {
            all.open(std::sync::Arc::new(slack), &http, results, stop);
        }
        if let Some(telegram) = telegram {
            all.open(std::sync::Arc::new(telegram), &http, results, stop);
        }
        Ok(all)
    }

    fn open<C: Channel>(
        &mut self,
        channel: std::sync::Arc<C>,
        http: &Client,
        results: &mpsc::Sender<Delivered>,
        stop: &CancellationToken,
    ) {
        let mut queue = |task, spacing| {
            let (sender, receiver) = mpsc::channel(QUEUE);
            let sending = Sending {
                channel: channel.clone(),
                http: http.clone(),
                results: results.clone(),
                stop: stop.clone(),
                spacing,
            };
            self.tasks
                .push(crate::task::spawn(task, sending.run(receiver)));
            sender
        };
        let urgent = queue("urgent deliveries", Duration::ZERO);
        let severe = queue("severe deliveries", SPACING);
        let others = queue("deliveries", SPACING);
        self.channels.push(Queues {
            name: channel.name(),
            level: channel.level(),
            urgent,
            severe,
            others,
        });
    }

    /// Hands a notice to every channel that takes its level. Never waits.
    pub(crate) fn tell(&self, notice: &Notice) {
        for queues in &self.channels {
            if notice.level < queues.level {
                continue;
            }
            let queue = match notice.level {
                LogLevel::P0 => &queues.urgent,
                LogLevel::Critical => &queues.severe,
                LogLevel::Info | LogLevel::Warning => &queues.others,
            };
            if queue.try_send(notice.clone()).is_err() {
                count(queues.name, "dropped");
            }
        }
    }

    /// Lets what waits go out, and returns.
    pub(crate) async fn finish(self) {
        drop(self.channels);
        for task in self.tasks {
            if let Err(error) = task.await {
                tracing::error!(%error, "deliveries failed");
            }
        }
    }
}

/// One queue of one channel.
struct Sending<C> {
    channel: std::sync::Arc<C>,
    http: Client,
    results: mpsc::Sender<Delivered>,
    stop: CancellationToken,
    spacing: Duration,
}

impl<C: Channel> Sending<C> {
    async fn run(self, mut notices: mpsc::Receiver<Notice>) {
        while let Some(notice) = notices.recv().await {
            let (attempts, fault) = self.send(&notice).await;
            let channel = self.channel.name();
            match &fault {
                None => count(channel, "sent"),
                Some(fault) => {
                    count(channel, "failed");
                    warn!(channel, attempts, %fault, "alarm not delivered");
                }
            }
            let delivered = Delivered {
                alarm: notice.alarm,
                turn: notice.turn,
                channel,
                attempts,
                fault,
            };
            // Where nobody takes results any more, the process ends.
            drop(self.results.try_send(delivered));
            let pause = tokio::time::sleep(self.spacing);
            self.stop.run_until_cancelled(pause).await;
        }
    }

    /// Sends a notice, again and again where it may help. Returns the attempts, and why it was given up.
    async fn send(&self, notice: &Notice) -> (u32, Option<String>) {
        let mut pause = PAUSE_MIN;
        let mut attempts = 0;
        loop {
            attempts += 1;
            let (fault, wait) = match self.attempt(notice).await {
                Ok(()) => return (attempts, None),
                Err(Fault::Refused(fault)) => return (attempts, Some(fault)),
                Err(Fault::Passing(fault, wait)) => (fault, wait),
            };
            let wait = wait.unwrap_or(pause).min(PAUSE_MAX);
            let wait = self
                .stop
                .run_until_cancelled(tokio::time::sleep(wait))
                .await;
            if attempts >= ATTEMPTS_MAX || wait.is_none() {
                return (attempts, Some(fault));
            }
            pause = (pause * 2).min(PAUSE_MAX);
        }
    }

    async fn attempt(&self, notice: &Notice) -> Result<(), Fault> {
        let request = self.channel.request(&self.http, notice);
        let answer = request.send().await;
        // Addresses hold the secret of the channel.
        let answer = answer.map_err(|error| {
            let reason = crate::postgres::chain(&error.without_url());
            Fault::Passing(reason, None)
        })?;
        let status = answer.status();
        if status.is_success() {
            return Ok(());
        }
        let fault = format!("answered {status}");
        if status.is_server_error() || status.as_u16() == 429 {
            let wait = answer.headers().get("retry-after");
            let wait = wait.and_then(|wait| wait.to_str().ok()?.parse().ok());
            return Err(Fault::Passing(fault, wait.map(Duration::from_secs)));
        }
        Err(Fault::Refused(fault))
    }
}

/// Why an attempt failed.
enum Fault {
    /// The same message would be refused again.
    Refused(String),
    /// Later it may be taken; perhaps the other side says when.
    Passing(String, Option<Duration>),
}

fn count(channel: &'static str, result: &'static str) {
    counter!(names::DELIVERIES, "channel" => channel, "result" => result).increment(1);
}

#[cfg(test)]
mod tests;
