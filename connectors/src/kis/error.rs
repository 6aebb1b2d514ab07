//! Errors of the broker connection, classed where the protocol is known.

use thiserror::Error;

use super::limiter::Lane;

/// What became of a call to the broker that did not succeed.
///
/// The class says what the caller may do; the text says what happened. Nothing in here holds a
/// secret, a token or an account number.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum KisError {
    /// Not executed, or only a query: asking again later is safe.
    #[error("{place}: {cause}")]
    Transient {
        /// The operation, such as `order-cash`.
        place: &'static str,
        /// What stood in the way.
        cause: TransientCause,
    },
    /// The broker understood and refused: the same request will be refused again.
    #[error("{place}: refused by the broker with {code}: {message}")]
    Rejected {
        /// The operation.
        place: &'static str,
        /// `msg_cd` of the broker, such as `APBK0919`.
        code: String,
        /// `msg1` of the broker, without padding.
        message: String,
    },
    /// An order may or may not have reached the market: ask the order list before sending again.
    #[error("{place}: outcome unknown: {reason}")]
    UnknownOutcome {
        /// The operation.
        place: &'static str,
        /// What made it unknown.
        reason: String,
    },
    /// Keys, account, rights or our own request are wrong: a human has to act. Not executed.
    #[error("{place}: configuration or request is wrong, code {code}: {message}")]
    Configuration {
        /// The operation.
        place: &'static str,
        /// Code of the gateway, or `LOCAL` for what this side found.
        code: String,
        /// What the gateway says.
        message: String,
    },
}

/// Why a call may simply be repeated.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TransientCause {
    /// The broker counted too many calls in the second and executed nothing.
    #[error("throttled with {0}")]
    Throttled(String),
    /// No connection was made, so nothing was sent.
    #[error("nothing was sent: {0}")]
    NotSent(String),
    /// A query was sent and its answer did not come, or was unreadable.
    #[error("no usable answer: {0}")]
    NoAnswer(String),
    /// The broker reports a temporary fault of its own.
    #[error("the broker reports {code}: {message}")]
    Server {
        /// Code of the gateway.
        code: String,
        /// What the gateway says.
        message: String,
    },
    /// Too many calls of this lane wait already; this one was not queued.
    #[error("{waiting} calls wait in lane {lane:?} already")]
    QueueFull {
        /// The lane.
        lane: Lane,
        /// Calls waiting in it.
        waiting: usize,
    },
    /// There is no valid access token at the moment and the next may not be asked for yet.
    #[error("no access token: {0}")]
    NoToken(String),
}

impl KisError {
    /// Returns whether asking again later is safe and may help.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Transient { .. })
    }

    /// Returns whether the broker is there: it understood the call and said no.
    pub fn is_answer(&self) -> bool {
        self.is_throttled() || matches!(self, Self::Rejected { .. } | Self::Configuration { .. })
    }

    /// Returns whether the broker does not offer the operation on paper (EGW00213).
    pub fn is_not_on_paper(&self) -> bool {
        matches!(self, Self::Configuration { code, .. } if code == "EGW00213")
    }

    /// Returns whether the broker refused for its per-second limit, having executed nothing.
    pub fn is_throttled(&self) -> bool {
        matches!(
            self,
            Self::Transient {
                cause: TransientCause::Throttled(_),
                ..
            }
        )
    }

    /// Returns the class as a bounded metric label.
    pub fn class(&self) -> &'static str {
        match self {
            Self::Transient { cause, .. } => match cause {
                TransientCause::Throttled(_) => "throttled",
                TransientCause::NotSent(_) => "not_sent",
                TransientCause::NoAnswer(_) => "no_answer",
                TransientCause::Server { .. } => "server",
                TransientCause::QueueFull { .. } => "queue_full",
                TransientCause::NoToken(_) => "no_token",
            },
            Self::Rejected { .. } => "rejected",
            Self::UnknownOutcome { .. } => "unknown_outcome",
            Self::Configuration { .. } => "configuration",
        }
    }
}

/// A piece of the broker's text that does not read as documented.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{place}: {reason}")]
pub struct Malformed {
    /// What was being read, such as `H0STCNT0 record`.
    pub place: &'static str,
    /// What was expected and what was there.
    pub reason: String,
    /// The first characters of market data; empty where the text may hold personal data or keys.
    pub excerpt: String,
}

impl Malformed {
    /// Longest excerpt of a bad text that goes to a log.
    const EXCERPT_CHARS: usize = 80;

    /// Returns a report without excerpt.
    pub(super) fn new(place: &'static str, reason: impl Into<String>) -> Self {
        Self {
            place,
            reason: reason.into(),
            excerpt: String::new(),
        }
    }

    /// Adds the beginning of `text`, which must be market data.
    pub(super) fn with_excerpt(mut self, text: &[u8]) -> Self {
        let head = &text[..text.len().min(4 * Self::EXCERPT_CHARS)];
        self.excerpt = String::from_utf8_lossy(head)
            .chars()
            .take(Self::EXCERPT_CHARS)
            .collect();
        self
    }
}
