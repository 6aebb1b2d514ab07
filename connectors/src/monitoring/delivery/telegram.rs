//! Telegram's bots: <https://core.telegram.org/bots/api#sendmessage>.

use reqwest::{Client, RequestBuilder};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

use super::Channel;
use crate::monitoring::config::TelegramConfig;
use crate::monitoring::notice::Notice;
use crate::postgres::LogLevel;

/// Longest text that is taken.
const TEXT_MAX: usize = 4_096;

/// A chat of a bot.
pub(super) struct Telegram {
    base_url: String,
    token: SecretString,
    chat_id: String,
    level: LogLevel,
}

impl Telegram {
    /// Returns the chat that is configured, if one is.
    pub(super) fn of(config: &TelegramConfig) -> Option<Self> {
        Some(Self {
            base_url: config.base_url.trim_end_matches('/').to_owned(),
            token: config.token.clone()?,
            chat_id: config.chat_id.clone(),
            level: config.level,
        })
    }
}

impl Channel for Telegram {
    fn name(&self) -> &'static str {
        "telegram"
    }

    fn level(&self) -> LogLevel {
        self.level
    }

    fn request(&self, http: &Client, notice: &Notice) -> RequestBuilder {
        let (base, token) = (&self.base_url, self.token.expose_secret());
        let text = format!("{}\n{}", notice.headline(), notice.message);
        let text: String = text.chars().take(TEXT_MAX).collect();
        // Plain text: nothing in it is markup.
        let message = json!({
            "chat_id": self.chat_id,
            "text": text,
            "disable_web_page_preview": true,
        });
        http.post(format!("{base}/bot{token}/sendMessage"))
            .json(&message)
    }
}
