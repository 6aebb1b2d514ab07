//! Sections of the configuration and their defaults.

use std::num::NonZeroU32;
use std::time::Duration;

use serde::Deserialize;

/// Speed of REST calls, all together.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RateConfig {
    /// Calls per second; absent means 15 in production and 1 on paper; 0 lifts the limit (load
    /// tests only).
    pub per_second: Option<u32>,
    /// Calls that may go at once after a quiet time; absent means 3 in production and 1 on paper.
    pub burst: Option<NonZeroU32>,
    /// Calls that may wait in one lane; more are turned away.
    pub queue_max: usize,
}

/// How long to wait for what.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Timeouts {
    /// Making a connection, REST or WebSocket.
    #[serde(with = "humantime_serde")]
    pub connect: Duration,
    /// A query from sending to the whole answer.
    #[serde(with = "humantime_serde")]
    pub query: Duration,
    /// An order, cancel or replace from sending to the whole answer; then its outcome is unknown.
    #[serde(with = "humantime_serde")]
    pub order: Duration,
    /// Issue of an access token or WebSocket key.
    #[serde(with = "humantime_serde")]
    pub token: Duration,
}

/// Repetition of REST calls.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Retry {
    /// Repetitions of a query after the first attempt.
    pub queries_max: usize,
    /// Pause before the first repetition of a query; it doubles, with jitter.
    #[serde(with = "humantime_serde")]
    pub query_pause: Duration,
    /// Repetitions of an order that was refused for the per-second limit, unexecuted.
    pub throttled_orders_max: usize,
    /// Pause before the first repetition of such an order; it doubles, with jitter.
    #[serde(with = "humantime_serde")]
    pub throttled_order_pause: Duration,
    /// Longest pause of either kind, before jitter.
    #[serde(with = "humantime_serde")]
    pub pause_max: Duration,
}

/// Return to the WebSocket after a loss. It never gives up.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Reconnect {
    /// Pause before the first attempt; it doubles, with jitter.
    #[serde(with = "humantime_serde")]
    pub pause_min: Duration,
    /// Longest pause.
    #[serde(with = "humantime_serde")]
    pub pause_max: Duration,
    /// A session that lived this long resets the pause.
    #[serde(with = "humantime_serde")]
    pub healthy_after: Duration,
    /// Pause when the app key is in use: the broker may hold a lost session for a while.
    #[serde(with = "humantime_serde")]
    pub in_use_pause: Duration,
}

/// The running WebSocket session.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StreamTuning {
    /// Pause between subscription requests.
    #[serde(with = "humantime_serde")]
    pub request_spacing: Duration,
    /// A request without an answer for this long is sent again.
    #[serde(with = "humantime_serde")]
    pub answer_timeout: Duration,
    /// A refused subscription is tried again after this.
    #[serde(with = "humantime_serde")]
    pub refused_pause: Duration,
    /// Interval of our own pings.
    #[serde(with = "humantime_serde")]
    pub ping_every: Duration,
    /// A connection that is silent for this long is lost.
    #[serde(with = "humantime_serde")]
    pub read_deadline: Duration,
    /// While trades are wanted, a connection without a message for this long is lost, although
    /// pings are answered: the broker keeps a session alive with messages of its own.
    #[serde(with = "humantime_serde")]
    pub message_deadline: Duration,
    /// A write that takes this long means that the connection is lost.
    #[serde(with = "humantime_serde")]
    pub write_deadline: Duration,
    /// Events that may wait for the consumer; at the limit the reader waits.
    pub events_max: usize,
}

impl Default for RateConfig {
    fn default() -> Self {
        Self {
            per_second: None,
            burst: None,
            queue_max: 256, // 17 s of calls in production: older prices are not worth asking for.
        }
    }
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(3),
            query: Duration::from_secs(5),
            order: Duration::from_secs(5),
            token: Duration::from_secs(10),
        }
    }
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            queries_max: 3,
            query_pause: Duration::from_millis(500),
            throttled_orders_max: 3,
            throttled_order_pause: Duration::from_secs(1),
            pause_max: Duration::from_secs(8),
        }
    }
}

impl Default for Reconnect {
    fn default() -> Self {
        Self {
            pause_min: Duration::from_secs(2),
            pause_max: Duration::from_secs(60),
            healthy_after: Duration::from_secs(60),
            in_use_pause: Duration::from_secs(30),
        }
    }
}

impl Default for StreamTuning {
    fn default() -> Self {
        Self {
            request_spacing: Duration::from_millis(100),
            answer_timeout: Duration::from_secs(10),
            refused_pause: Duration::from_secs(60),
            ping_every: Duration::from_secs(30),
            read_deadline: Duration::from_secs(60),
            message_deadline: Duration::from_secs(60), // Domain 2.4.
            write_deadline: Duration::from_secs(10),
            events_max: 4_096,
        }
    }
}
