//! What is asked of PostgreSQL, one file per resource.

pub(crate) mod alarms;
pub(crate) mod audit;
pub(crate) mod bars;
pub(crate) mod best_prices;
pub(crate) mod calendar;
pub(crate) mod cash_flows;
pub(crate) mod control;
pub(crate) mod coverage;
pub(crate) mod emergency_stop;
pub(crate) mod executions;
pub(crate) mod exit_events;
pub(crate) mod exit_pauses;
pub(crate) mod exit_rules;
pub(crate) mod exit_signals;
pub(crate) mod feed;
pub(crate) mod health;
pub(crate) mod invariants;
pub(crate) mod jobs;
pub(crate) mod levels;
pub(crate) mod logs;
pub(crate) mod manual_entries;
pub(crate) mod manual_exits;
pub(crate) mod market_rankings;
pub(crate) mod measured;
pub(crate) mod order_requests;
pub(crate) mod orders;
pub(crate) mod performance;
pub(crate) mod pick_decisions;
pub(crate) mod picks;
pub(crate) mod portfolios;
pub(crate) mod positions;
pub(crate) mod previews;
pub(crate) mod prices;
pub(crate) mod rankings;
pub(crate) mod rebalances;
pub(crate) mod reentry;
pub(crate) mod reentry_blacklist;
pub(crate) mod reentry_expiries;
pub(crate) mod reentry_limits;
pub(crate) mod reentry_windows;
pub(crate) mod regime;
pub(crate) mod risk;
pub(crate) mod risk_limits;
pub(crate) mod rule_resolution;
pub(crate) mod settings;
pub(crate) mod signals;
pub(crate) mod stocks;
pub(crate) mod strategy_runs;
pub(crate) mod trades;
pub(crate) mod universe;
pub(crate) mod watchlist;
pub(crate) mod withheld;

use std::error::Error;
use std::io;

use tokio_postgres::Row;
use tokio_postgres::error::SqlState;
use turnstile_connectors::postgres::{PostgresClient, PostgresError, Transaction, begin_as};

use crate::access;
use crate::cursor::TimeCursor;
use crate::envelope::Listed;
use crate::error::ApiError;
use crate::extract::Page;

/// PostgreSQL did not answer as expected.
#[derive(Debug, thiserror::Error)]
pub(crate) enum QueryError {
    /// No connection could be had.
    #[error("no connection to PostgreSQL")]
    Connection(#[from] PostgresError),
    /// The statement failed, or a row is not what the statement promises.
    #[error("statement failed")]
    Statement(#[from] tokio_postgres::Error),
}

impl QueryError {
    /// Returns whether PostgreSQL is away or overloaded, rather than the request wrong.
    pub(crate) fn is_unavailable(&self) -> bool {
        let Self::Statement(error) = self else {
            return true;
        };
        let by_server = error.code().is_some_and(|code| {
            [
                SqlState::ADMIN_SHUTDOWN,
                SqlState::CRASH_SHUTDOWN,
                SqlState::CANNOT_CONNECT_NOW,
                SqlState::TOO_MANY_CONNECTIONS,
                SqlState::QUERY_CANCELED,
                SqlState::READ_ONLY_SQL_TRANSACTION,
            ]
            .contains(code)
        });
        let by_socket = error.source().is_some_and(|cause| cause.is::<io::Error>());
        by_server || by_socket || error.is_closed()
    }
}

/// What became of a change that was made from a version.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Saved<T> {
    /// Saved; what stands now.
    Done(T),
    /// There is nothing to change.
    Missing,
    /// Another version stands.
    Changed {
        /// That version.
        version: i32,
    },
}

impl<T> Saved<T> {
    /// Returns what became of a change that was not saved, by the version that stands.
    fn unsaved(standing: Option<i32>) -> Self {
        standing.map_or(Self::Missing, |version| Self::Changed { version })
    }

    /// Returns what stands now, or what the client is told of `what` instead.
    ///
    /// # Errors
    /// `missing` where there is nothing to change, a conflict where another version stands.
    pub(crate) fn or_refuse(
        self,
        what: &str,
        missing: impl FnOnce() -> ApiError,
    ) -> Result<T, ApiError> {
        match self {
            Self::Done(saved) => Ok(saved),
            Self::Missing => Err(missing()),
            Self::Changed { version } => Err(ApiError::stands_at(what, version)),
        }
    }
}

/// Begins a transaction that says who acts in which request, for the triggers that audit it. Every change
/// of this crate is made in one.
pub(crate) async fn acting(client: &mut PostgresClient) -> Result<Transaction<'_>, QueryError> {
    Ok(begin_as(client, &access::actor()).await?)
}

/// Returns what reads the place of a row of a list that is ordered by the time `ts` and then by `id`.
fn time_key(
    ts: &'static str,
    id: &'static str,
) -> impl Fn(&Row) -> Result<TimeCursor, tokio_postgres::Error> {
    move |row| {
        Ok(TimeCursor {
            ts: row.try_get(ts)?,
            id: row.try_get(id)?,
        })
    }
}

/// Makes a page of `rows`, of which there is one more than wanted if the list goes on.
fn listed<T, C>(
    rows: &[Row],
    page: &Page<C>,
    key: impl Fn(&Row) -> Result<C, tokio_postgres::Error>,
    item: impl Fn(&Row) -> Result<T, tokio_postgres::Error>,
) -> Result<Listed<T, C>, QueryError> {
    let wanted = usize::try_from(page.limit).unwrap_or(usize::MAX);
    let shown = &rows[..rows.len().min(wanted)];
    let next = match shown.last() {
        Some(last) if rows.len() > wanted => Some(key(last)?),
        Some(_) | None => None,
    };
    let items = shown.iter().map(item).collect::<Result<_, _>>()?;
    Ok(Listed {
        items,
        next,
        limit: page.limit,
    })
}
