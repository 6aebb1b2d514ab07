//! All sessions with their registrations, and the way from what happened to whom it is sent.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    num::NonZeroUsize,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::extract::ws::Utf8Bytes;
use serde::Serialize;
use tokio::{
    sync::mpsc::{self, error::TrySendError},
    time::Instant,
};
use tokio_util::sync::CancellationToken;

use super::{
    cipher::Cipher,
    messages::{Stream, Verdict},
};
use crate::{
    broker::Notice,
    config::{Environment, SimConfig},
    control::Faults,
    exchange::Output,
};

/// Messages that a session may be behind before it holds up the price path.
const OUTBOX: usize = 1_024;
/// Longest time that a notice is held back so that the next can overtake it.
const HELD_MAX: Duration = Duration::from_millis(200);

/// One message on its way to one session.
pub(crate) type Delivery = (mpsc::Sender<Utf8Bytes>, Utf8Bytes);

/// The sessions.
#[derive(Debug)]
pub(crate) struct Hub {
    environment: Environment,
    registrations_max: usize,
    records_per_frame_max: usize,
    hts_ids: Vec<String>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    opened: u64,
    sessions: BTreeMap<u64, Member>,
    /// Sessions by issue.
    listeners: BTreeMap<usize, BTreeSet<u64>>,
    held_notice: Option<(Notice, Instant)>,
    /// Notices that come late, each with its time, in order.
    late_notices: VecDeque<(Notice, Instant)>,
    records_sent: u64,
    notices_sent: u64,
}

#[derive(Debug)]
struct Member {
    outbox: mpsc::Sender<Utf8Bytes>,
    cipher: Cipher,
    line: Line,
    /// Account of the application key, once an approval key was shown.
    account: Option<usize>,
    registrations: BTreeSet<(Stream, String)>,
}

/// What faults do to the connection of one session.
#[derive(Clone, Debug, Default)]
pub(super) struct Line {
    /// The connection ends.
    pub(super) cut: CancellationToken,
    /// Nothing more is said.
    pub(super) muted: CancellationToken,
    /// Nothing more is said or heard, and the session is forgotten.
    pub(super) frozen: CancellationToken,
}

impl Line {
    /// Returns whether nothing that is said arrives.
    fn is_dead(&self) -> bool {
        self.muted.is_cancelled() || self.frozen.is_cancelled() || self.cut.is_cancelled()
    }
}

/// A session as the control port shows it.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct SessionStatus {
    id: u64,
    account: Option<usize>,
    registrations: Vec<String>,
}

/// Ends of a new session.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) id: u64,
    pub(super) inbox: mpsc::Receiver<Utf8Bytes>,
    pub(super) outbox: mpsc::Sender<Utf8Bytes>,
    pub(super) cipher: Cipher,
    pub(super) line: Line,
}

/// A registration that the caller has found to be well formed.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    pub(super) account: usize,
    pub(super) stream: Stream,
    pub(super) tr_key: String,
    /// Index of the issue of a trade stream.
    pub(super) issue: Option<usize>,
    pub(super) is_added: bool,
}

impl Hub {
    pub(crate) fn new(config: &SimConfig) -> Self {
        Self {
            environment: config.environment,
            registrations_max: match config.limits.registrations {
                0 => usize::MAX,
                most => most,
            },
            records_per_frame_max: config.records_per_frame_max,
            hts_ids: config
                .accounts
                .iter()
                .map(|account| account.hts_id.clone())
                .collect(),
            state: Mutex::default(),
        }
    }

    pub(super) const fn environment(&self) -> Environment {
        self.environment
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn open(&self) -> Opened {
        let (outbox, inbox) = mpsc::channel(OUTBOX);
        let (cipher, line) = (Cipher::random(), Line::default());
        let mut state = self.state();
        state.opened += 1;
        let id = state.opened;
        let member = Member {
            outbox: outbox.clone(),
            cipher: cipher.clone(),
            line: line.clone(),
            account: None,
            registrations: BTreeSet::new(),
        };
        state.sessions.insert(id, member);
        Opened {
            id,
            inbox,
            outbox,
            cipher,
            line,
        }
    }

    /// Forgets a session and returns the issues that it listened to.
    pub(super) fn close(&self, id: u64) -> Vec<usize> {
        let mut state = self.state();
        state.sessions.remove(&id);
        let mut left = Vec::new();
        for (issue, sessions) in &mut state.listeners {
            if sessions.remove(&id) {
                left.push(*issue);
            }
        }
        state.listeners.retain(|_, sessions| !sessions.is_empty());
        left
    }

    /// Ties a session to the account of the application key that it showed. A key has one session.
    pub(super) fn claim(&self, id: u64, account: usize) -> Result<(), Verdict> {
        let mut state = self.state();
        let is_taken = state
            .sessions
            .iter()
            .any(|(other, member)| *other != id && member.account == Some(account));
        if is_taken {
            return Err(Verdict::SecondSession);
        }
        if let Some(member) = state.sessions.get_mut(&id) {
            member.account = Some(account);
        }
        Ok(())
    }

    /// Adds or removes a registration; `registrations_max` of a fault goes before that of the
    /// settings. `acknowledge` is called before any data of it can be sent.
    pub(super) fn register(
        &self,
        id: u64,
        wanted: &Wanted,
        registrations_max: Option<NonZeroUsize>,
        acknowledge: impl FnOnce(Verdict),
    ) -> Verdict {
        let most = registrations_max.map_or(self.registrations_max, NonZeroUsize::get);
        let mut state = self.state();
        let Some(member) = state.sessions.get_mut(&id) else {
            return Verdict::NotSubscribed;
        };
        let entry = (wanted.stream, wanted.tr_key.clone());
        let is_known = member.registrations.contains(&entry);
        let verdict = match (wanted.is_added, is_known) {
            (true, true) => Verdict::AlreadySubscribed,
            (true, false) if member.registrations.len() >= most => Verdict::TooMany,
            (true, false)
                if wanted.stream == Stream::Notices
                    && self.hts_ids.get(wanted.account) != Some(&wanted.tr_key) =>
            {
                Verdict::UnknownKey
            }
            (true, false) => {
                member.registrations.insert(entry);
                Verdict::Subscribed
            }
            (false, true) => {
                member.registrations.remove(&entry);
                Verdict::Unsubscribed
            }
            (false, false) => Verdict::NotSubscribed,
        };
        match (verdict, wanted.issue) {
            (Verdict::Subscribed, Some(issue)) => {
                state.listeners.entry(issue).or_default().insert(id);
            }
            (Verdict::Unsubscribed, Some(issue)) => {
                if let Some(sessions) = state.listeners.get_mut(&issue) {
                    sessions.remove(&id);
                }
            }
            _ => {}
        }
        acknowledge(verdict);
        verdict
    }

    /// Cuts every connection, without a word.
    pub(crate) fn cut_all(&self) {
        for member in self.state().sessions.values() {
            member.line.cut.cancel();
        }
    }

    /// Lets every open session fall silent.
    pub(crate) fn mute_all(&self) {
        for member in self.state().sessions.values() {
            member.line.muted.cancel();
        }
    }

    /// Leaves every connection half open.
    pub(crate) fn freeze_all(&self) {
        for member in self.state().sessions.values() {
            member.line.frozen.cancel();
        }
    }

    /// Returns one text on its way to every session.
    pub(crate) fn to_all(&self, text: &str) -> Vec<Delivery> {
        let text = Utf8Bytes::from(text);
        self.state()
            .sessions
            .values()
            .map(|member| (member.outbox.clone(), text.clone()))
            .collect()
    }

    /// Returns the sessions, and the counts of trade records and notices sent.
    pub(crate) fn status(&self) -> (Vec<SessionStatus>, u64, u64) {
        let state = self.state();
        let sessions = state
            .sessions
            .iter()
            .map(|(id, member)| SessionStatus {
                id: *id,
                account: member.account,
                registrations: member
                    .registrations
                    .iter()
                    .map(|(stream, key)| format!("{} {key}", stream.tr_id(self.environment)))
                    .collect(),
            })
            .collect();
        (sessions, state.records_sent, state.notices_sent)
    }

    /// Returns the frames that `outputs` become, in order. Consecutive records of one issue share
    /// a frame.
    pub(crate) fn route(
        &self,
        outputs: Vec<Output>,
        faults: &mut Faults,
        now: Instant,
    ) -> Vec<Delivery> {
        let mut state = self.state();
        let mut deliveries = Vec::new();
        let mut frame = Frame::default();
        let send_at = now + Duration::from_millis(faults.delay_notices_ms);
        for output in outputs {
            match output {
                Output::Trade { .. } if faults.stop_quotes => {}
                Output::Trade { issue, record } => {
                    if frame.issue != issue || frame.count >= self.records_per_frame_max {
                        let full = std::mem::take(&mut frame);
                        state.deliver_frame(full, faults, &mut deliveries);
                    }
                    frame.add(issue, &record);
                }
                Output::Notice(notice) => {
                    let before = std::mem::take(&mut frame);
                    state.deliver_frame(before, faults, &mut deliveries);
                    for notice in state.disturb(notice, faults, now) {
                        state.put_off(notice, send_at);
                    }
                    self.deliver_due(&mut state, now, &mut deliveries);
                }
            }
        }
        state.deliver_frame(frame, faults, &mut deliveries);
        let is_late = state
            .held_notice
            .as_ref()
            .is_some_and(|(_, until)| *until <= now);
        if is_late && let Some((notice, _)) = state.held_notice.take() {
            state.put_off(notice, send_at);
        }
        self.deliver_due(&mut state, now, &mut deliveries);
        deliveries
    }

    fn deliver_due(&self, state: &mut State, now: Instant, out: &mut Vec<Delivery>) {
        while let Some(notice) = state.take_due(now) {
            self.deliver_notice(state, &notice, out);
        }
    }

    fn deliver_notice(&self, state: &mut State, notice: &Notice, out: &mut Vec<Delivery>) {
        let Some(hts_id) = self.hts_ids.get(notice.account) else {
            return;
        };
        let tr_id = Stream::Notices.tr_id(self.environment);
        let key = (Stream::Notices, hts_id.clone());
        let mut sent = 0;
        for member in state.sessions.values() {
            if member.registrations.contains(&key) {
                let text = format!("1|{tr_id}|001|{}", member.cipher.encrypt(&notice.text));
                out.push((member.outbox.clone(), Utf8Bytes::from(text)));
                sent += 1;
            }
        }
        state.notices_sent += sent;
    }
}

/// Records of one issue that share a frame.
#[derive(Debug, Default)]
struct Frame {
    issue: usize,
    count: usize,
    payload: String,
}

impl Frame {
    fn add(&mut self, issue: usize, record: &str) {
        self.issue = issue;
        self.count += 1;
        if !self.payload.is_empty() {
            self.payload.push('^');
        }
        self.payload.push_str(record);
    }
}

impl State {
    fn deliver_frame(&mut self, frame: Frame, faults: &mut Faults, out: &mut Vec<Delivery>) {
        if frame.count == 0 {
            return;
        }
        let Some(sessions) = self.listeners.get(&frame.issue) else {
            return;
        };
        let mut text = format!("0|H0STCNT0|{:03}|{}", frame.count, frame.payload);
        let is_whole = !faults.take_truncation();
        if !is_whole {
            let last = frame.payload.len() / frame.count;
            text.truncate(text.floor_char_boundary(text.len().saturating_sub(last / 2)));
        }
        let text = Utf8Bytes::from(text);
        let listening = sessions.iter().filter_map(|id| self.sessions.get(id));
        for member in listening.filter(|member| !member.line.is_dead()) {
            out.push((member.outbox.clone(), text.clone()));
            let whole = if is_whole { frame.count } else { 0 };
            self.records_sent += u64::try_from(whole).unwrap_or(0);
        }
    }

    /// Returns the notices that are sent in place of `notice`.
    fn disturb(&mut self, notice: Notice, faults: &mut Faults, now: Instant) -> Vec<Notice> {
        if faults.suppress_notices || faults.take_loss() {
            return Vec::new();
        }
        let copies = if faults.duplicate_notices { 2 } else { 1 };
        if let Some((held, _)) = self.held_notice.take() {
            let mut sent = vec![notice; copies];
            sent.push(held);
            return sent;
        }
        if faults.reorder_notices {
            self.held_notice = Some((notice, now + HELD_MAX));
            return Vec::new();
        }
        vec![notice; copies]
    }

    /// Keeps a notice until `send_at`, and until those before it are sent.
    fn put_off(&mut self, notice: Notice, send_at: Instant) {
        let before = self.late_notices.back().map(|(_, at)| *at);
        let at = before.map_or(send_at, |before| before.max(send_at));
        self.late_notices.push_back((notice, at));
    }

    fn take_due(&mut self, now: Instant) -> Option<Notice> {
        if self.late_notices.front()?.1 > now {
            return None;
        }
        self.late_notices.pop_front().map(|(notice, _)| notice)
    }
}

/// Puts messages into the outboxes, in order. Waits where one is full: a slow client holds up the
/// path, nothing is dropped. A session that ended is passed over.
pub(crate) async fn deliver(deliveries: Vec<Delivery>) {
    for (outbox, text) in deliveries {
        match outbox.try_send(text) {
            Ok(()) | Err(TrySendError::Closed(_)) => {}
            Err(TrySendError::Full(text)) => {
                // An error means that the session ended while it was behind.
                drop(outbox.send(text).await);
            }
        }
    }
}
