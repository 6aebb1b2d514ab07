//! The advisory lock.

use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::time::timeout;
use turnstile_connectors::postgres::{AdvisoryLock, PostgresError};

use crate::servers::{PATIENCE, PostgresServer};

const KEY: i64 = 7;

#[tokio::test]
async fn a_second_engine_waits_and_takes_over_when_the_first_is_cut_off() {
    let server = PostgresServer::start_empty().await;
    let postgres = server.connect().await;
    let first = AdvisoryLock::try_take(&postgres, KEY).await.unwrap();
    let refused = AdvisoryLock::try_take(&postgres, KEY).await.unwrap_err();
    assert!(matches!(refused, PostgresError::Locked(KEY)));

    let standby = AdvisoryLock::wait(&postgres, KEY);
    tokio::pin!(standby);
    let early = timeout(Duration::from_millis(200), &mut standby).await;
    assert!(early.is_err(), "the lock is held");
    let lost = timeout(Duration::from_millis(200), first.lost()).await;
    assert!(lost.is_err(), "a healthy lock is not lost");

    let cut =
        "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted";
    server.client().await.execute(cut, &[]).await.unwrap();
    // At once, not at the next heartbeat.
    timeout(Duration::from_secs(2), first.lost()).await.unwrap();
    let second = timeout(PATIENCE, standby).await.unwrap().unwrap();

    second.release().await;
    AdvisoryLock::try_take(&postgres, KEY).await.unwrap();
}

#[tokio::test]
async fn a_standby_that_gave_up_never_blocks_the_next() {
    let server = PostgresServer::start_empty().await;
    let postgres = server.connect().await;
    let first = AdvisoryLock::try_take(&postgres, KEY).await.unwrap();
    let given_up = timeout(
        Duration::from_millis(200),
        AdvisoryLock::wait(&postgres, KEY),
    )
    .await;
    assert!(given_up.is_err());
    first.release().await;
    let next = timeout(PATIENCE, AdvisoryLock::wait(&postgres, KEY)).await;
    next.expect("the lock is free again").unwrap();
}

/// As after a cut of the network that only one side has noticed.
#[tokio::test]
async fn a_session_of_before_is_ended_and_no_other() {
    let server = PostgresServer::start_empty().await;
    let postgres = server.connect().await;
    let before = AdvisoryLock::try_take(&postgres, KEY).await.unwrap();
    let session = before.session().clone();
    assert!(session.end(&postgres).await.unwrap());
    timeout(PATIENCE, before.lost()).await.unwrap();
    let next = timeout(PATIENCE, AdvisoryLock::wait(&postgres, KEY)).await;
    let next = next.unwrap().unwrap();
    // That of another engine is not ours to end.
    assert!(!session.end(&postgres).await.unwrap());
    let lost = timeout(Duration::from_millis(200), next.lost()).await;
    assert!(lost.is_err(), "it is held");
}

#[tokio::test]
async fn a_standby_does_not_wait_for_a_server_that_stands_still() {
    let server = PostgresServer::start_empty().await;
    let postgres = server.connect().await;
    let _first = AdvisoryLock::try_take(&postgres, KEY).await.unwrap();
    let standby = AdvisoryLock::wait(&postgres, KEY);
    tokio::pin!(standby);
    assert!(
        timeout(Duration::from_millis(300), &mut standby)
            .await
            .is_err()
    );
    let asking = "SELECT pid FROM pg_stat_activity
        WHERE query LIKE 'SELECT pg_try_advisory_lock%' AND pid <> pg_backend_pid()";
    let row = server.client().await.query_one(asking, &[]).await.unwrap();
    let session = Pid::from_raw(row.get(0));
    kill(session, Signal::SIGSTOP).unwrap();
    let ended = timeout(PATIENCE, standby).await.unwrap();
    kill(session, Signal::SIGCONT).unwrap();
    let error = ended.err().unwrap();
    assert!(error.is_transient(), "{error}");
}
