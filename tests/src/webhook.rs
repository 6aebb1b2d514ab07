//! A webhook that alarms are sent to, in Slack's format.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::routing::post;
use serde_json::Value;
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// How long a message may take: longer than any test waits for its cause.
const WAIT_MAX: Duration = Duration::from_secs(20);

/// One message, as it arrived.
#[derive(Clone, Debug)]
pub struct Message {
    /// When.
    pub at: Instant,
    /// Name of the alarm.
    pub alarm: String,
    /// RAISED, ESCALATED or CLEARED.
    pub state: String,
    /// Level.
    pub level: String,
    /// What it is about.
    pub about: Option<String>,
    /// Which process says it.
    pub instance: String,
    /// What it says.
    pub text: String,
}

/// A server that takes messages and answers that it has.
pub struct Webhook {
    /// Its address.
    pub url: String,
    messages: Arc<Mutex<Vec<Message>>>,
    server: JoinHandle<()>,
}

impl Webhook {
    /// Starts one on a free port.
    ///
    /// # Panics
    /// If there is none.
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
        let listener = listener.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let messages = Arc::new(Mutex::new(Vec::new()));
        let router = Router::new()
            .route("/hook/secret", post(take))
            .with_state(messages.clone());
        let server = turnstile_connectors::task::spawn("webhook", async move {
            axum::serve(listener, router).await.expect("it serves");
        });
        Self {
            url: format!("http://{address}/hook/secret"),
            messages,
            server,
        }
    }

    /// Returns the messages so far about an alarm.
    pub fn about(&self, alarm: &str) -> Vec<Message> {
        let messages = self.messages.lock();
        let messages = messages.unwrap_or_else(PoisonError::into_inner);
        let about = messages.iter().filter(|message| message.alarm == alarm);
        about.cloned().collect()
    }

    /// Returns states and levels of the messages so far about an alarm, such as `RAISED WARNING`.
    pub fn course(&self, alarm: &str) -> Vec<String> {
        let state = |message: &Message| format!("{} {}", message.state, message.level);
        self.about(alarm).iter().map(state).collect()
    }

    /// Waits until the course of an alarm is `course`, as from [`Webhook::course`], and returns the last
    /// message.
    ///
    /// # Panics
    /// If it becomes another one, or not this one in time.
    pub async fn wait(&self, alarm: &str, course: &[&str]) -> Message {
        let began = Instant::now();
        loop {
            let now = self.course(alarm);
            assert!(
                now.len() <= course.len()
                    && now.iter().zip(course).all(|(one, other)| one == other),
                "{alarm}: {now:?} where {course:?} was to come: {:?}",
                self.about(alarm)
            );
            if now.len() == course.len() {
                return self.about(alarm).pop().expect("a message");
            }
            assert!(
                began.elapsed() < WAIT_MAX,
                "{alarm}: {course:?} not in time, was {now:?}; others: {:?}",
                self.others()
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    fn others(&self) -> Vec<String> {
        let messages = self.messages.lock();
        let messages = messages.unwrap_or_else(PoisonError::into_inner);
        let line = |message: &Message| format!("{} {}", message.alarm, message.state);
        messages.iter().map(line).collect()
    }
}

impl Drop for Webhook {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn take(State(messages): State<Arc<Mutex<Vec<Message>>>>, body: String) {
    let body: Value = serde_json::from_str(&body).expect("JSON");
    let about = &body["attachments"][0];
    let fields = about["fields"].as_array().cloned().unwrap_or_default();
    let field = |title: &str| {
        let field = fields.iter().find(|field| field["title"] == title);
        field.and_then(|field| field["value"].as_str().map(str::to_owned))
    };
    let message = Message {
        at: Instant::now(),
        alarm: field("alarm").expect("an alarm"),
        state: field("state").expect("a state"),
        level: field("level").expect("a level"),
        about: field("about"),
        instance: field("instance").expect("an instance"),
        text: about["text"].as_str().unwrap_or_default().to_owned(),
    };
    messages
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(message);
}
