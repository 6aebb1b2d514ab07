//! New connections: the hosts are asked, and the first that will do is taken.
//!
//! 1. The host that served last is asked first, then the others in the order of the address.
//! 2. One that fails, or is silent for [`HEAD_START`], does not hold up the next. Each has its own
//!    patience, from the name to the answer: a frozen server takes connections and says nothing.
//! 3. Once another host serves than before, or a server was found to take no writes, no connection made
//!    before is lent again.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use deadpool_postgres::Connect;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{Client, Config, Error, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;
use tracing::info;

use super::PostgresError;
use super::address::{Address, place};
use super::lifeline::Lifeline;
use super::pool::chain;

/// How long a silent host keeps the next one waiting.
const HEAD_START: Duration = Duration::from_millis(250);

/// A connection, which does nothing unless it is polled.
pub(super) type Connection =
    tokio_postgres::Connection<Socket, <MakeRustlsConnect as MakeTlsConnect<Socket>>::Stream>;

/// What makes connections to one database. Clones share what they know of the hosts.
#[derive(Clone)]
pub(super) struct Connector {
    hosts: Vec<Config>,
    tls: MakeRustlsConnect,
    /// Longest wait for one host.
    patience: Duration,
    /// All hosts and the database, for people.
    place: String,
    known: Arc<Mutex<Known>>,
    lifeline: Lifeline,
}

/// What is known of the hosts.
struct Known {
    /// The one that served last.
    host: usize,
    /// Connections made before are not lent again.
    renewed: Instant,
    /// Why the last attempt failed.
    failure: String,
}

/// Why no host would do.
struct Failed {
    reasons: Vec<String>,
    /// The driver's last error; none where no host answered.
    error: Option<Error>,
}

impl Connector {
    /// Returns what makes connections to `address`.
    ///
    /// # Errors
    /// If a file of its encryption cannot be used.
    pub(super) fn new(address: Address, patience: Duration) -> Result<Self, PostgresError> {
        let tls = address.tls.connector().map_err(PostgresError::Config)?;
        let known = Known {
            host: 0,
            renewed: Instant::now(),
            failure: String::new(),
        };
        Ok(Self {
            place: address.to_string(),
            hosts: address.hosts,
            tls,
            patience,
            known: Arc::new(Mutex::new(known)),
            lifeline: Lifeline::default(),
        })
    }

    /// Returns one whose sessions have these options, too.
    pub(super) fn with_options(&self, options: &str) -> Self {
        let mut other = self.clone();
        for host in &mut other.hosts {
            let given = host.get_options().unwrap_or_default().to_owned();
            host.options(format!("{given} {options}"));
        }
        other
    }

    /// Returns what the connections live by.
    pub(super) fn lifeline(&self) -> &Lifeline {
        &self.lifeline
    }

    /// Returns where the database is, without the password.
    pub(super) fn place(&self) -> &str {
        &self.place
    }

    /// Returns the longest that [`Self::open`] takes, and a little more.
    pub(super) fn patience(&self) -> Duration {
        let hosts = u32::try_from(self.hosts.len()).unwrap_or(u32::MAX);
        self.patience
            .saturating_add(HEAD_START.saturating_mul(hosts))
    }

    /// Opens a connection.
    ///
    /// # Errors
    /// [`PostgresError::Unreachable`], with what each host said.
    pub(super) async fn open(&self) -> Result<(Client, Connection), PostgresError> {
        let opened = self.first().await;
        opened.map_err(|failed| self.unreachable(failed.reasons.join("; ")))
    }

    /// Returns the error of a pool that made no connection.
    pub(super) fn last_failure(&self) -> PostgresError {
        let reason = self.known().failure.clone();
        self.unreachable(reason)
    }

    /// Lets no connection that was made before be lent again.
    pub(super) fn renew(&self) {
        self.known().renewed = Instant::now();
    }

    /// Returns whether a connection that was made `at` may still be lent.
    pub(super) fn is_current(&self, at: std::time::Instant) -> bool {
        at >= self.known().renewed.into_std()
    }

    fn unreachable(&self, reason: String) -> PostgresError {
        PostgresError::Unreachable {
            place: self.place.clone(),
            reason,
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn first(&self) -> Result<(Client, Connection), Failed> {
        let served = self.known().host;
        let others = (0..self.hosts.len()).filter(|host| *host != served);
        let mut waiting = std::iter::once(served).chain(others);
        let mut asked = FuturesUnordered::new();
        let mut failed = Failed {
            reasons: Vec::new(),
            error: None,
        };
        loop {
            asked.extend(waiting.next().map(|host| Box::pin(self.ask(host))));
            match timeout(HEAD_START, asked.next()).await {
                Ok(Some((host, Ok(opened)))) => {
                    self.note(host);
                    return Ok(opened);
                }
                Ok(Some((_, Err((reason, error))))) => {
                    failed.reasons.push(reason);
                    failed.error = error.or(failed.error);
                }
                Ok(None) => break,
                Err(_silence) => {}
            }
        }
        self.known().failure = failed.reasons.join("; ");
        Err(failed)
    }

    /// Asks one host. An error comes with its reason, and is absent where the host was silent.
    async fn ask(
        &self,
        host: usize,
    ) -> (usize, Result<(Client, Connection), (String, Option<Error>)>) {
        let config = &self.hosts[host];
        let told = |reason: String| match self.hosts.len() {
            1 => reason,
            _ => format!("{}: {reason}", place(config)),
        };
        let opened = match timeout(self.patience, config.connect(self.tls.clone())).await {
            Ok(Ok(opened)) => Ok(opened),
            Ok(Err(error)) => Err((told(chain(&error)), Some(error))),
            Err(_) => Err((told(format!("no answer within {:?}", self.patience)), None)),
        };
        (host, opened)
    }

    fn note(&self, host: usize) {
        let mut known = self.known();
        if known.host != host {
            known.host = host;
            known.renewed = Instant::now();
            drop(known);
            info!(host = %place(&self.hosts[host]), "another host serves the database");
        }
    }
}

impl Connect for Connector {
    fn connect(
        &self,
        _config: &Config,
    ) -> Pin<Box<dyn Future<Output = Result<(Client, JoinHandle<()>), Error>> + Send + '_>> {
        Box::pin(async move {
            match self.first().await {
                Ok((client, connection)) => Ok((client, self.lifeline.drive(connection))),
                Err(Failed {
                    error: Some(error), ..
                }) => Err(error),
                // The driver has no error of its own for silence. The pool ends the wait right away.
                Err(Failed { error: None, .. }) => std::future::pending().await,
            }
        })
    }
}
