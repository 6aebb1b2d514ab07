//! The sessions of all app keys as one stream: symbols are given to sessions, their standing is told.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};
use tracing::{error, info};
use turnstile_dataflows::model::Symbol;

use super::assignment::{Assignment, Room};
use super::task::Status;

/// Absence after which the symbols of a session are given to others.
const AWAY_MAX: Duration = Duration::from_secs(10);

/// What the sessions are good for together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Sessions: as many as app keys.
    pub sessions: usize,
    /// Those that are open.
    pub open: usize,
    /// Symbols that can be streamed; where every session is away, those of before.
    pub slots: usize,
}

impl Standing {
    /// Returns whether every session is open.
    pub fn is_whole(&self) -> bool {
        self.open == self.sessions
    }

    /// Returns whether no session is open.
    pub fn is_away(&self) -> bool {
        self.open == 0
    }
}

/// A session's way in, and what was last known of it.
pub(super) struct Member {
    wanted: watch::Sender<BTreeSet<Symbol>>,
    /// Room that the notices take.
    taken: usize,
    /// Since when it has been away.
    away_since: Option<Instant>,
}

impl Member {
    /// Returns a member without symbols, and the end on which its session finds them.
    pub(super) fn new(has_notices: bool) -> (Self, watch::Receiver<BTreeSet<Symbol>>) {
        let (wanted, given) = watch::channel(BTreeSet::new());
        let member = Self {
            wanted,
            taken: usize::from(has_notices),
            away_since: None,
        };
        (member, given)
    }
}

/// Gives symbols to sessions.
pub(super) struct Pool {
    pub(super) members: Vec<Member>,
    pub(super) wanted: watch::Receiver<BTreeSet<Symbol>>,
    pub(super) statuses: watch::Receiver<Vec<Status>>,
    pub(super) standing: watch::Sender<Standing>,
    pub(super) assignment: Assignment,
}

impl Pool {
    /// Serves until the handle is dropped or every session's task has ended.
    pub(super) async fn run(mut self, tasks: Vec<JoinHandle<()>>) {
        let ended = join_all(tasks);
        tokio::pin!(ended);
        loop {
            let again = self.settle(Instant::now());
            let due = async {
                match again {
                    Some(instant) => sleep_until(instant).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                ended = &mut ended => return report(ended),
                changed = self.wanted.changed() => if changed.is_err() {
                    break; // The handle is gone.
                },
                // Their tasks hold the other end.
                Ok(()) = self.statuses.changed() => {}
                () = due => {}
            }
        }
        drop(self.members); // The sessions end with it.
        report(ended.await);
    }

    /// Gives every symbol its session. Returns when to look again although nothing has changed.
    pub(super) fn settle(&mut self, now: Instant) -> Option<Instant> {
        let statuses = self.statuses.borrow_and_update().clone();
        for (member, status) in self.members.iter_mut().zip(&statuses) {
            member.away_since = match (status.is_open, member.away_since) {
                (true, _) => None,
                (false, since) => since.or(Some(now)),
            };
        }
        let is_lost = |member: &Member| {
            let away_since = member.away_since;
            away_since.is_some_and(|since| since + AWAY_MAX <= now)
        };
        // Nowhere is better than where they are: they stay.
        let is_all_lost = self.members.iter().all(is_lost);
        let members = self.members.iter().zip(statuses);
        let rooms: Vec<Room> = members
            .map(|(member, status)| Room {
                symbols: status.limit.saturating_sub(member.taken),
                is_fit: is_all_lost || !is_lost(member),
                held: status.held,
            })
            .collect();
        let slots = rooms.iter().filter(|room| room.is_fit);
        let slots = slots.fold(0_usize, |sum, room| sum.saturating_add(room.symbols));
        let away = self.members.iter().filter_map(|member| member.away_since);
        let standing = Standing {
            sessions: self.members.len(),
            open: self.members.len() - away.clone().count(),
            slots,
        };
        self.standing.send_if_modified(|told| {
            let is_new = *told != standing;
            *told = standing;
            is_new
        });
        let wanted = self.wanted.borrow_and_update().clone();
        self.assignment.settle(&wanted, &rooms);
        for (session, member) in self.members.iter().enumerate() {
            let symbols = self.assignment.of(session);
            let is_new = member.wanted.send_if_modified(|wanted| {
                let is_new = *wanted != symbols;
                *wanted = symbols.clone();
                is_new
            });
            if is_new && self.members.len() > 1 {
                info!(
                    session = session + 1,
                    symbols = symbols.len(),
                    "symbols of the session changed"
                );
            }
        }
        away.map(|since| since + AWAY_MAX)
            .filter(|at| *at > now)
            .min()
    }
}

fn report(ended: Vec<Result<(), tokio::task::JoinError>>) {
    for error in ended.into_iter().filter_map(Result::err) {
        error!(%error, "a session's task failed");
    }
}
