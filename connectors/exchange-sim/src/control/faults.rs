//! Faults: what goes wrong on purpose.

use std::sync::Arc;

use axum::{
    Json,
    extract::{State, rejection::JsonRejection},
    http::StatusCode,
};
use serde::{Deserialize, Serialize};

use super::{Refused, body_of};
use crate::{exchange::Pieces, shared::Shared, ws::deliver};

/// Faults in force.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Faults {
    /// Time in milliseconds by which every REST answer comes late. The call itself is executed at
    /// once.
    pub(crate) delay_ms: u64,
    /// REST calls that are answered with HTTP 503 and not executed.
    pub(crate) next_n_http_5xx: u32,
    /// REST calls behind the gateway that are refused as over the limit (EGW00201), not executed.
    pub(crate) rate_limit_next: u32,
    /// Orders, cancels and replacements that are executed and never answered.
    pub(crate) accept_then_silent: u32,
    /// Orders, cancels and replacements that are executed and answered with HTTP 500 and a code
    /// that says nothing of the outcome.
    pub(crate) accept_then_5xx: Option<CodeFault>,
    /// Orders, cancels and replacements that are executed and answered with half a body.
    pub(crate) accept_then_garbage: u32,
    /// Every notice comes twice.
    pub(crate) duplicate_notices: bool,
    /// Notices overtake each other in pairs.
    pub(crate) reorder_notices: bool,
    /// No notices.
    pub(crate) suppress_notices: bool,
    /// Notices that are lost.
    pub(crate) lose_notices: u32,
    /// Time in milliseconds by which every notice comes late; they keep their order.
    pub(crate) delay_notices_ms: u64,
    /// Fills in pieces; none: as the settings say.
    pub(crate) fill_in_pieces: Option<Pieces>,
    /// No trade records. The market goes on; what happens is lost to the sessions.
    pub(crate) stop_quotes: bool,
    /// Frames of trade records that are cut off in the middle of their last record. What they held
    /// does not count as sent.
    pub(crate) truncate_frames: u32,
    /// Registrations that a session may hold; those it has stay. Zero: as the settings say.
    pub(crate) registrations_max: usize,
    /// Orders that are refused.
    pub(crate) reject_next: Option<RejectFault>,
    /// The broker is down: every REST call is answered with HTTP 503 and not executed, and there
    /// are no sessions. The market goes on.
    pub(crate) kis_down: bool,
    /// Naver's prices are answered with HTTP 503.
    pub(crate) naver_down: bool,
    /// Naver's prices are refused with HTTP 403.
    pub(crate) naver_blocked: bool,
    /// Time in milliseconds by which Naver's prices come late.
    pub(crate) naver_delay_ms: u64,
}

/// Orders that are refused whatever they say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RejectFault {
    /// Code in `msg_cd`.
    #[serde(default = "default_code")]
    pub(crate) code: String,
    /// Orders that are left to refuse.
    #[serde(default = "one")]
    pub(crate) count: u32,
    /// Whether the broker takes the order and the exchange refuses it, by notice.
    #[serde(default)]
    pub(crate) by_notice: bool,
}

/// Orders that are executed and answered with a code of the gateway.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CodeFault {
    /// Code in `msg_cd`.
    #[serde(default = "default_timeout_code")]
    pub(crate) code: String,
    /// Orders that are left to answer so.
    #[serde(default = "one")]
    pub(crate) count: u32,
}

/// How the answer to an executed order goes wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum AnswerFault {
    /// It is never sent.
    Silence,
    /// HTTP 500 with this code.
    Code(String),
    /// HTTP 200 with half of the body.
    Garbage,
}

const fn one() -> u32 {
    1
}

fn default_code() -> String {
    "APBK0918".to_owned()
}

/// Timeout of a transaction: the client has to look whether its order was taken.
fn default_timeout_code() -> String {
    "EGW00302".to_owned()
}

/// A change of the faults; what is absent stays.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Change {
    delay_ms: Option<u64>,
    next_n_http_5xx: Option<u32>,
    rate_limit_next: Option<u32>,
    accept_then_silent: Option<u32>,
    accept_then_5xx: Option<CodeNext>,
    accept_then_garbage: Option<u32>,
    duplicate_notices: Option<bool>,
    reorder_notices: Option<bool>,
    suppress_notices: Option<bool>,
    lose_notices: Option<u32>,
    delay_notices_ms: Option<u64>,
    fill_in_pieces: Option<PiecesChange>,
    stop_quotes: Option<bool>,
    truncate_frames: Option<u32>,
    registrations_max: Option<usize>,
    reject_next: Option<RejectNext>,
    kis_down: Option<bool>,
    naver_down: Option<bool>,
    naver_blocked: Option<bool>,
    naver_delay_ms: Option<u64>,
    /// Once: cuts every WebSocket connection without a close frame.
    drop_connections: bool,
    /// Once: the open sessions are told nothing more, data and keep-alive alike. Pings are still
    /// answered, and the application key stays in use.
    mute_connections: bool,
    /// Once: the open sessions are forgotten while their connections stay, neither read nor written:
    /// half open.
    freeze_connections: bool,
    /// Once: lets every access token expire.
    expire_tokens: bool,
    /// Once: a text message to every session.
    send_raw: Option<String>,
    /// First takes back every fault.
    clear: bool,
}

/// A code alone refuses one order.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum RejectNext {
    Code(String),
    Fault(RejectFault),
}

/// A number alone takes the default code.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum CodeNext {
    Count(u32),
    Fault(CodeFault),
}

/// A number alone takes the default pause.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(untagged)]
enum PiecesChange {
    Shares(u32),
    Pieces(Pieces),
}

/// Longest delay that can be asked for.
const DELAY_MAX_MS: u64 = 600_000;

impl Faults {
    fn apply(&mut self, change: &Change) {
        if change.clear {
            *self = Self::default();
        }
        fn set<T: Copy>(target: &mut T, value: Option<T>) {
            if let Some(value) = value {
                *target = value;
            }
        }
        set(&mut self.delay_ms, change.delay_ms);
        set(&mut self.next_n_http_5xx, change.next_n_http_5xx);
        set(&mut self.rate_limit_next, change.rate_limit_next);
        set(&mut self.accept_then_silent, change.accept_then_silent);
        set(&mut self.accept_then_garbage, change.accept_then_garbage);
        set(&mut self.lose_notices, change.lose_notices);
        set(&mut self.delay_notices_ms, change.delay_notices_ms);
        if let Some(pieces) = change.fill_in_pieces {
            let pieces = match pieces {
                PiecesChange::Shares(shares) => Pieces::of(shares),
                PiecesChange::Pieces(pieces) => pieces,
            };
            self.fill_in_pieces = Some(pieces).filter(|pieces| pieces.shares > 0);
        }
        if let Some(next) = change.accept_then_5xx.clone() {
            let fault = match next {
                CodeNext::Fault(fault) => fault,
                CodeNext::Count(count) => CodeFault {
                    code: default_timeout_code(),
                    count,
                },
            };
            self.accept_then_5xx = Some(fault).filter(|fault| fault.count > 0);
        }
        set(&mut self.duplicate_notices, change.duplicate_notices);
        set(&mut self.reorder_notices, change.reorder_notices);
        set(&mut self.suppress_notices, change.suppress_notices);
        set(&mut self.stop_quotes, change.stop_quotes);
        set(&mut self.truncate_frames, change.truncate_frames);
        set(&mut self.registrations_max, change.registrations_max);
        set(&mut self.kis_down, change.kis_down);
        set(&mut self.naver_down, change.naver_down);
        set(&mut self.naver_blocked, change.naver_blocked);
        set(&mut self.naver_delay_ms, change.naver_delay_ms);
        match change.reject_next.clone() {
            None => {}
            Some(RejectNext::Code(code)) => {
                self.reject_next = Some(RejectFault {
                    code,
                    count: 1,
                    by_notice: false,
                });
            }
            Some(RejectNext::Fault(fault)) => {
                self.reject_next = Some(fault).filter(|fault| fault.count > 0);
            }
        }
    }

    /// Returns whether the next REST call fails, and counts it where the broker is not down.
    pub(crate) fn take_http_5xx(&mut self) -> bool {
        self.kis_down || take_one(&mut self.next_n_http_5xx)
    }

    /// Returns whether the next REST call is refused as over the limit, and counts it.
    pub(crate) fn take_rate_limit(&mut self) -> bool {
        take_one(&mut self.rate_limit_next)
    }

    /// Returns whether the next frame of trade records is cut off, and counts it.
    pub(crate) fn take_truncation(&mut self) -> bool {
        take_one(&mut self.truncate_frames)
    }

    /// Returns whether the next notice is lost, and counts it.
    pub(crate) fn take_loss(&mut self) -> bool {
        take_one(&mut self.lose_notices)
    }

    /// Returns how the answer to an executed order goes wrong, if it does, and counts it.
    pub(crate) fn take_answer(&mut self) -> Option<AnswerFault> {
        if take_one(&mut self.accept_then_silent) {
            return Some(AnswerFault::Silence);
        }
        if let Some(fault) = &mut self.accept_then_5xx {
            let code = fault.code.clone();
            fault.count = fault.count.saturating_sub(1);
            if fault.count == 0 {
                self.accept_then_5xx = None;
            }
            return Some(AnswerFault::Code(code));
        }
        take_one(&mut self.accept_then_garbage).then_some(AnswerFault::Garbage)
    }

    /// Returns how the next order is refused, if it is, and counts it.
    pub(crate) fn take_reject(&mut self) -> Option<RejectFault> {
        let fault = self.reject_next.as_mut()?;
        let taken = fault.clone();
        fault.count = fault.count.saturating_sub(1);
        if fault.count == 0 {
            self.reject_next = None;
        }
        Some(taken)
    }
}

fn take_one(left: &mut u32) -> bool {
    let is_left = *left > 0;
    *left = left.saturating_sub(1);
    is_left
}

pub(super) async fn show(State(shared): State<Arc<Shared>>) -> Json<Faults> {
    Json(shared.faults().clone())
}

pub(super) async fn change(
    State(shared): State<Arc<Shared>>,
    body: Result<Json<Change>, JsonRejection>,
) -> Result<Json<Faults>, Refused> {
    let change = body_of(body)?;
    let delays = [
        ("delay_ms", change.delay_ms),
        ("delay_notices_ms", change.delay_notices_ms),
        ("naver_delay_ms", change.naver_delay_ms),
    ];
    for (key, delay) in delays {
        if delay.is_some_and(|delay| delay > DELAY_MAX_MS) {
            let reason = format!("{key} must be at most {DELAY_MAX_MS}");
            return Err(Refused::new(StatusCode::UNPROCESSABLE_ENTITY, reason));
        }
    }
    let faults = {
        let mut exchange = shared.exchange();
        let mut faults = shared.faults();
        faults.apply(&change);
        exchange.pieces = faults.fill_in_pieces;
        faults.clone()
    };
    tracing::info!(?change, "faults changed");
    if change.expire_tokens {
        shared.auth().expire_tokens();
    }
    if let Some(text) = &change.send_raw {
        deliver(shared.hub.to_all(text)).await;
    }
    if change.mute_connections {
        shared.hub.mute_all();
    }
    if change.freeze_connections {
        shared.hub.freeze_all();
    }
    if change.drop_connections || faults.kis_down {
        shared.hub.cut_all();
    }
    shared.wake.notify_one();
    Ok(Json(faults))
}
