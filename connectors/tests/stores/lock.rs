//! The advisory lock.

use std::time::Duration;

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
