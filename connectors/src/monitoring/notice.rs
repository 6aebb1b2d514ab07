//! What a channel is told of an alarm.

use uuid::Uuid;

use crate::postgres::LogLevel;

/// What has happened to an alarm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// It was raised.
    Raised,
    /// It has become worse.
    Escalated,
    /// It is over.
    Cleared,
}

impl Turn {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Raised => "RAISED",
            Self::Escalated => "ESCALATED",
            Self::Cleared => "CLEARED",
        }
    }
}

/// One message about one alarm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Notice {
    /// The episode.
    pub(crate) alarm: Uuid,
    pub(crate) turn: Turn,
    /// Level of the alarm; of one that is over, the worst that it had.
    pub(crate) level: LogLevel,
    /// Name of the alarm.
    pub(crate) name: String,
    /// Which process says it.
    pub(crate) instance: String,
    /// What it is about, such as a symbol.
    pub(crate) subject: Option<String>,
    /// What has happened, in words.
    pub(crate) message: String,
    /// When, microseconds UTC.
    pub(crate) at_us: i64,
}

impl Notice {
    /// Returns the first line of the message.
    pub(crate) fn headline(&self) -> String {
        let turn = match self.turn {
            Turn::Raised => "",
            Turn::Escalated => " (worse)",
            Turn::Cleared => " cleared",
        };
        let subject = self.subject.as_deref().map(|subject| format!(" {subject}"));
        format!(
            "[{}]{turn} {}{} ({})",
            self.level.name(),
            self.name,
            subject.unwrap_or_default(),
            self.instance
        )
    }
}
