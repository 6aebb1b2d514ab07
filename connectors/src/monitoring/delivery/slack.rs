//! Slack's incoming webhooks, which other services take as well.
//!
//! Format: <https://api.slack.com/messaging/webhooks>, attachments:
//! <https://api.slack.com/reference/messaging/attachments>.

use reqwest::{Client, RequestBuilder};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use super::Channel;
use crate::monitoring::config::WebhookConfig;
use crate::monitoring::notice::{Notice, Turn};
use crate::postgres::LogLevel;

/// A webhook.
pub(super) struct Slack {
    url: SecretString,
    level: LogLevel,
}

impl Slack {
    /// Returns the webhook that is configured, if one is.
    pub(super) fn of(config: &WebhookConfig) -> Option<Self> {
        Some(Self {
            url: config.url.clone()?,
            level: config.level,
        })
    }
}

impl Channel for Slack {
    fn name(&self) -> &'static str {
        "webhook"
    }

    fn level(&self) -> LogLevel {
        self.level
    }

    fn request(&self, http: &Client, notice: &Notice) -> RequestBuilder {
        http.post(self.url.expose_secret()).json(&message(notice))
    }
}

/// Returns the message: one line of text, and what it is about beside a bar of the level's colour.
fn message(notice: &Notice) -> Value {
    let colour = match (notice.turn, notice.level) {
        (Turn::Cleared, _) => "good",
        (_, LogLevel::Info) => "#439FE0",
        (_, LogLevel::Warning) => "warning",
        (_, LogLevel::Critical | LogLevel::P0) => "danger",
    };
    let field =
        |title: &str, value: &str| json!({"title": title, "value": escaped(value), "short": true});
    let mut fields = vec![
        field("level", notice.level.name()),
        field("state", notice.turn.name()),
        field("alarm", &notice.name),
        field("instance", &notice.instance),
    ];
    fields.extend(
        notice
            .subject
            .as_deref()
            .map(|subject| field("about", subject)),
    );
    json!({
        "text": escaped(&notice.headline()),
        "attachments": [{
            "color": colour,
            "fallback": escaped(&format!("{}: {}", notice.headline(), notice.message)),
            "text": escaped(&notice.message),
            "fields": fields,
            "footer": notice.alarm,
            "ts": notice.at_us / 1_000_000,
        }],
    })
}

/// Escapes the three letters that mean something in Slack's texts.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_has_text_colour_and_fields() {
        let notice = Notice {
            alarm: uuid::Uuid::nil(),
            turn: Turn::Escalated,
            level: LogLevel::Critical,
            name: "db_query_time".to_owned(),
            instance: "bff".to_owned(),
            subject: Some("<x>".to_owned()),
            message: "it is > 500 ms".to_owned(),
            at_us: 1_795_500_000_000_000,
        };
        let message = message(&notice);
        assert_eq!(
            message["text"],
            "[CRITICAL] (worse) db_query_time &lt;x&gt; (bff)"
        );
        let about = &message["attachments"][0];
        assert_eq!(about["color"], "danger");
        assert_eq!(about["text"], "it is &gt; 500 ms");
        assert_eq!(about["fields"][1]["value"], "ESCALATED");
        assert_eq!(about["ts"], 1_795_500_000);
    }
}
