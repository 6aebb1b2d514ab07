//! The tokens and sessions that are in force, as this process knows them.
//!
//! They are read again each second, so that what is revoked elsewhere ends here. While PostgreSQL is
//! away the last ones known stay: what the cache still holds is read by those who could read it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use turnstile_connectors::postgres::Postgres;

use super::principal::Principal;
use super::secret::{self, Digest};
use super::sessions::{self, Session};
use super::tokens::{self, InForce, Known, TokenError};
use crate::error::chain;
use crate::queries::QueryError;
use crate::seoul::SeoulTime;

/// How often tokens and sessions are read.
const READ_EVERY: Duration = Duration::from_secs(1);
/// Every how many readings it is noted which tokens were used.
const NOTE_EVERY: u32 = 10;

/// What a request came with, looked up.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// Who it is.
    Known(Principal),
    /// Nobody who is known.
    Unknown,
    /// There never was a token.
    NoTokens,
    /// The tokens could not be read yet.
    NotRead,
}

/// A session that has just begun.
pub(crate) struct Begun {
    /// Value of the cookie.
    pub(crate) secret: SecretString,
    /// Who signed in.
    pub(crate) principal: Principal,
}

/// Why nobody is signed in.
#[derive(Debug)]
pub(crate) enum SignInError {
    /// It is no token, or none that is in force.
    Unknown,
    /// The database does not answer, or the system gives no random bytes.
    Failed(QueryError),
    /// The system gives no random bytes.
    Random(getrandom::Error),
}

/// The tokens and sessions in force. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Keyring {
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    is_read: bool,
    /// Whether the last reading has failed.
    is_away: bool,
    /// Sessions that this process has begun or ended.
    edits: u64,
    /// Whether there was ever a token.
    has_any: bool,
    tokens: BTreeMap<String, Known>,
    sessions: Vec<Session>,
    used: BTreeSet<String>,
}

impl Keyring {
    /// Reads what is in force; a failure is told by [`Found::NotRead`] until a later reading.
    pub(crate) async fn read(db: &Postgres) -> Self {
        let keyring = Self {
            state: Arc::default(),
        };
        if let Err(error) = keyring.refresh(db).await {
            warn!(error = %chain(&error), "tokens cannot be read yet");
        }
        keyring
    }

    /// Reads again each second until `stop`.
    pub(crate) async fn follow(self, db: Postgres, stop: CancellationToken) {
        let (mut has_failed, mut count) = (false, 0_u32);
        while stop
            .run_until_cancelled(tokio::time::sleep(READ_EVERY))
            .await
            .is_some()
        {
            match self.refresh(&db).await {
                Ok(()) if std::mem::take(&mut has_failed) => info!("tokens are read again"),
                Ok(()) => {}
                Err(error) if !std::mem::replace(&mut has_failed, true) => {
                    warn!(error = %chain(&error), "tokens cannot be read; those known stay");
                }
                Err(_repeated) => {}
            }
            count = count.wrapping_add(1);
            if count.is_multiple_of(NOTE_EVERY) {
                self.note_use(&db).await;
            }
        }
    }

    async fn refresh(&self, db: &Postgres) -> Result<(), TokenError> {
        let read = self.read_once(db).await;
        self.lock().is_away = read.is_err();
        read
    }

    /// Returns whether the database did not answer when it was asked last, a second ago or so.
    pub(super) fn is_database_away(&self) -> bool {
        self.lock().is_away
    }

    async fn read_once(&self, db: &Postgres) -> Result<(), TokenError> {
        let before = self.lock().edits;
        let InForce { tokens, has_any } = tokens::in_force(db).await?;
        let sessions = sessions::open(db).await.map_err(|error| match error {
            QueryError::Connection(error) => TokenError::from(error),
            QueryError::Statement(error) => TokenError::from(error),
        })?;
        self.take(InForce { tokens, has_any }, sessions, before);
        Ok(())
    }

    /// Takes what was read. Sessions count only if this process began and ended none meanwhile: the rows
    /// may be from before that.
    fn take(&self, read: InForce, sessions: Vec<Session>, edits_before: u64) {
        let mut state = self.lock();
        let tokens = read.tokens.into_iter();
        state.tokens = tokens
            .map(|known| (known.token_id.clone(), known))
            .collect();
        if state.edits == edits_before {
            state.sessions = sessions;
        }
        (state.is_read, state.has_any) = (true, read.has_any);
    }

    async fn note_use(&self, db: &Postgres) {
        let used: Vec<String> = std::mem::take(&mut self.lock().used).into_iter().collect();
        if used.is_empty() {
            return;
        }
        if let Err(error) = tokens::note_use(db, &used).await {
            tracing::debug!(error = %chain(&error), "use of tokens not noted");
        }
    }

    /// Returns whether there was ever a token, as far as is known.
    pub(crate) fn has_any(&self) -> bool {
        self.lock().has_any
    }

    /// Returns whose token this is.
    pub(super) fn by_token(&self, text: &str) -> Found {
        let now = SeoulTime::now().timestamp();
        let given = secret::read_token(text);
        self.look_up(|state| {
            let given = given.as_ref()?;
            let known = state.tokens.get(&given.public)?;
            let is_in_force = known.expires.is_none_or(|expires| now < expires);
            (known.digest.is(&given.digest) && is_in_force).then(|| principal(known, None))
        })
    }

    /// Returns whose session this is.
    pub(super) fn by_session(&self, cookie: &str) -> Found {
        let now = SeoulTime::now().timestamp();
        let digest = Digest::of(cookie);
        self.look_up(|state| {
            let is_it = |session: &&Session| session.digest.is(&digest) && now < session.expires;
            let session = state.sessions.iter().find(is_it)?;
            let known = state.tokens.get(&session.token_id)?;
            let is_in_force = known.expires.is_none_or(|expires| now < expires);
            is_in_force.then(|| principal(known, Some(secret::csrf_of(cookie))))
        })
    }

    /// Returns whether what a long connection began with is still good.
    pub(crate) fn is_still(&self, principal: &Principal) -> bool {
        let state = self.lock();
        match &principal.token_id {
            None => !state.has_any,
            Some(id) => {
                let now = SeoulTime::now().timestamp();
                let known = state.tokens.get(id);
                known.is_some_and(|known| known.expires.is_none_or(|expires| now < expires))
            }
        }
    }

    fn look_up(&self, find: impl FnOnce(&State) -> Option<Principal>) -> Found {
        let mut state = self.lock();
        if !state.is_read {
            return Found::NotRead;
        }
        if !state.has_any {
            return Found::NoTokens;
        }
        let Some(found) = find(&state) else {
            return Found::Unknown;
        };
        state.used.extend(found.token_id.clone());
        Found::Known(found)
    }

    /// Begins a session with a token.
    ///
    /// # Errors
    /// If the token is not in force, or the session cannot be stored.
    pub(crate) async fn sign_in(
        &self,
        db: &Postgres,
        token: &str,
        life: Duration,
    ) -> Result<Begun, SignInError> {
        let Found::Known(principal) = self.by_token(token) else {
            return Err(SignInError::Unknown);
        };
        let Some(id) = principal.token_id.clone() else {
            return Err(SignInError::Unknown);
        };
        let text = secret::new_session().map_err(SignInError::Random)?;
        let begun = sessions::begin(db, Digest::of(&text), &id, life);
        let session = principal
            .clone()
            .scope(begun)
            .await
            .map_err(SignInError::Failed)?;
        let mut state = self.lock();
        state.edits += 1;
        state.sessions.push(session);
        drop(state);
        let csrf = Some(secret::csrf_of(&text));
        Ok(Begun {
            secret: SecretString::from(text),
            principal: Principal { csrf, ..principal },
        })
    }

    /// Ends the session of a cookie.
    ///
    /// # Errors
    /// If the database does not answer.
    pub(crate) async fn sign_out(
        &self,
        db: &Postgres,
        cookie: &SecretString,
    ) -> Result<(), QueryError> {
        let digest = Digest::of(cookie.expose_secret());
        sessions::end(db, digest).await?;
        let mut state = self.lock();
        state.edits += 1;
        state.sessions.retain(|session| !session.digest.is(&digest));
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn principal(known: &Known, csrf: Option<String>) -> Principal {
    Principal {
        token_id: Some(known.token_id.clone()),
        name: known.name.clone(),
        role: known.role,
        csrf,
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::access::Role;

    fn keyring(expires: Option<Timestamp>) -> (Keyring, SecretString) {
        let (text, token) = secret::new_token().unwrap();
        let known = Known {
            token_id: token.public.clone(),
            name: "desk".to_owned(),
            role: Role::Trader,
            digest: token.digest,
            expires,
        };
        let state = State {
            is_read: true,
            has_any: true,
            tokens: BTreeMap::from([(token.public, known)]),
            ..State::default()
        };
        let state = Arc::new(Mutex::new(state));
        (Keyring { state }, text)
    }

    #[test]
    fn a_token_counts_until_its_end_and_with_its_whole_secret() {
        let (keys, text) = keyring(None);
        let text = text.expose_secret();
        let Found::Known(who) = keys.by_token(text) else {
            panic!("unknown")
        };
        assert_eq!((who.name.as_str(), who.role), ("desk", Role::Trader));
        assert!(keys.is_still(&who));
        assert_eq!(keys.by_token(&text[..text.len() - 1]), Found::Unknown);
        assert_eq!(keys.by_token(""), Found::Unknown);
        let (ended, text) = keyring(Some(Timestamp::from_second(1).unwrap()));
        assert_eq!(ended.by_token(text.expose_secret()), Found::Unknown);
    }

    #[test]
    fn a_session_ends_with_its_token() {
        let (keys, _) = keyring(None);
        let id = keys.lock().tokens.keys().next().unwrap().clone();
        keys.lock().sessions.push(Session {
            digest: Digest::of("cookie"),
            token_id: id,
            expires: Timestamp::MAX,
        });
        let Found::Known(who) = keys.by_session("cookie") else {
            panic!("unknown")
        };
        assert_eq!(who.csrf, Some(secret::csrf_of("cookie")));
        assert_eq!(keys.by_session("another"), Found::Unknown);
        keys.lock().tokens.clear();
        assert!(!keys.is_still(&who));
        assert_eq!(keys.by_session("cookie"), Found::Unknown);
    }

    #[test]
    fn rows_from_before_a_session_began_do_not_end_it() {
        let (keys, _) = keyring(None);
        let known = keys.lock().tokens.values().next().unwrap().clone();
        let read = || InForce {
            tokens: vec![known.clone()],
            has_any: true,
        };
        let before = keys.lock().edits;
        keys.lock().edits += 1;
        keys.lock().sessions.push(Session {
            digest: Digest::of("cookie"),
            token_id: known.token_id.clone(),
            expires: Timestamp::MAX,
        });
        keys.take(read(), Vec::new(), before);
        assert!(matches!(keys.by_session("cookie"), Found::Known(_)));
        keys.take(read(), Vec::new(), before + 1);
        assert_eq!(keys.by_session("cookie"), Found::Unknown);
    }

    #[test]
    fn nobody_is_known_before_the_first_reading() {
        let keys = Keyring {
            state: Arc::default(),
        };
        assert_eq!(keys.by_token("x"), Found::NotRead);
    }
}
