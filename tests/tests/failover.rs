//! A primary that is lost or frozen, and a standby that takes over: what connections make of it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use tokio::time::{Instant, timeout};
use turnstile_connectors::postgres::{
    AdvisoryLock, ChangeFeed, Listener, Postgres, PostgresConfig, PostgresError, migrate,
};
use turnstile_tests::{Replicas, connect, eventually};

/// Longest time from a promotion until the new primary is in use.
const FOUND_MAX: Duration = Duration::from_secs(10);
const PATIENCE: Duration = Duration::from_secs(60);

fn config(replicas: &Replicas) -> PostgresConfig {
    PostgresConfig {
        url: replicas.url().into(),
        pool_min: 3,
        connect_timeout: Duration::from_secs(2),
        ..PostgresConfig::default()
    }
}

/// Writes a row that the change feed tells of.
async fn put(postgres: &Postgres, key: &str) -> Result<u64, PostgresError> {
    let insert = "INSERT INTO system.config (key, value, updated_by) VALUES ($1, '1', 'test')
        ON CONFLICT (key) DO UPDATE SET value = '2'";
    Ok(postgres.client().await?.execute(insert, &[&key]).await?)
}

async fn told(feed: &mut ChangeFeed) -> Vec<String> {
    let changes = timeout(PATIENCE, feed.next()).await.unwrap().unwrap();
    let rows = changes.into_iter().flat_map(|changes| changes.changes);
    rows.map(|row| row.content["key"].as_str().unwrap_or_default().to_owned())
        .collect()
}

#[tokio::test]
async fn what_was_committed_is_on_the_promoted_standby_and_on_the_next_one() {
    let mut replicas = Replicas::start().await;
    let client = connect(replicas.url()).await;
    let committed = "CREATE TABLE t (n integer); INSERT INTO t SELECT generate_series(1, 1000)";
    client.batch_execute(committed).await.unwrap();
    for round in 0..2 {
        replicas.kill_primary();
        replicas.promote().await;
        let client = connect(replicas.url()).await;
        let count = client.query_one("SELECT count(*) FROM t", &[]).await;
        let count: i64 = count.unwrap().get(0);
        assert_eq!(count, 1000 + round);
        replicas.rejoin().await;
        let more = client.execute("INSERT INTO t VALUES (0)", &[]).await;
        more.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pool_listener_and_change_feed_go_on_with_the_promoted_standby() {
    let mut replicas = Replicas::start().await;
    migrate(&config(&replicas)).await.unwrap();
    let postgres = Postgres::connect(&config(&replicas)).await.unwrap();
    let (mut feed, _snapshot) = ChangeFeed::open(&postgres).await.unwrap();
    let mut listener = Listener::new(&postgres, "test");
    listener.heard().await.unwrap();
    let lock = AdvisoryLock::try_take(&postgres, 7).await.unwrap();
    put(&postgres, "before").await.unwrap();
    assert_eq!(told(&mut feed).await, ["before"]);

    replicas.kill_primary();
    timeout(Duration::from_secs(2), lock.lost()).await.unwrap();
    let error = put(&postgres, "between").await.unwrap_err();
    assert!(error.is_transient(), "{error}");
    replicas.promote().await;
    let promoted = Instant::now();
    let mut refusals = Vec::new();
    while let Err(error) = put(&postgres, "after").await {
        assert!(error.is_transient(), "{error}");
        refusals.push(error.to_string());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    println!("found after {:?}: {refusals:?}", promoted.elapsed());
    assert!(promoted.elapsed() < FOUND_MAX);

    assert_eq!(told(&mut feed).await, ["after"]);
    let notify = "SELECT pg_notify('test', '')";
    // What the loss of its connection woke comes first, then that of the new one.
    for _ in 0..3 {
        let client = postgres.client().await.unwrap();
        client.execute(notify, &[]).await.unwrap();
        let heard = timeout(PATIENCE, listener.heard()).await;
        heard.unwrap().unwrap();
    }
    AdvisoryLock::try_take(&postgres, 7).await.unwrap();
}

/// The primary gives numbers to transactions that never commit; the standby, which knows nothing of them,
/// gives the same numbers to others.
#[tokio::test(flavor = "multi_thread")]
async fn the_change_feed_tells_of_transactions_whose_numbers_were_given_before() {
    const GIVEN: u32 = 100;
    let mut replicas = Replicas::start().await;
    migrate(&config(&replicas)).await.unwrap();
    let postgres = Postgres::connect(&config(&replicas)).await.unwrap();
    let (mut feed, _snapshot) = ChangeFeed::open(&postgres).await.unwrap();
    put(&postgres, "before").await.unwrap();
    assert_eq!(told(&mut feed).await, ["before"]);

    replicas.kill_standby();
    let primary = replicas.client().await;
    for _ in 0..GIVEN {
        let given = "BEGIN; SELECT pg_current_xact_id(); ROLLBACK";
        primary.batch_execute(given).await.unwrap();
    }
    let (changes, _is_all) = feed.so_far().await.unwrap();
    assert_eq!(changes, []);
    replicas.kill_primary();
    replicas.start_standby().await;
    replicas.promote().await;

    for round in 0..3 {
        let key = format!("after {round}");
        eventually("the new primary takes writes", async || {
            put(&postgres, &key).await.is_ok()
        })
        .await;
        assert_eq!(told(&mut feed).await, [key]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_primary_holds_up_neither_new_connections_nor_those_of_the_pool() {
    let mut replicas = Replicas::start().await;
    let postgres = Postgres::connect(&config(&replicas)).await.unwrap();
    replicas.freeze_primary();
    let began = Instant::now();
    let error = postgres.connect_alone().await.unwrap_err();
    let waited = began.elapsed();
    assert!(error.is_transient(), "{error}");
    assert!(waited < Duration::from_secs(4), "{waited:?}");
    let text = error.to_string();
    for part in [
        "no answer within 2s",
        "database does not allow writes",
        "/turnstile",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    let error = timeout(Duration::from_secs(4), async {
        // Those that lead to the frozen one are lent, and given up with their statements.
        for _ in 0..3 {
            let client = postgres.client().await.unwrap();
            let asked = client.query_one("SELECT 1", &[]);
            drop(timeout(Duration::from_millis(50), asked).await);
        }
        postgres.client().await.map(drop).unwrap_err()
    });
    let error = error.await.unwrap().to_string();
    assert!(error.contains("does not allow writes"), "{error}");

    replicas.promote().await;
    let began = Instant::now();
    let client = timeout(FOUND_MAX, postgres.connect_alone()).await;
    client.unwrap().unwrap();
    println!("found beside a frozen one after {:?}", began.elapsed());
    assert!(began.elapsed() < Duration::from_secs(2), "asked in turn");
    let client = postgres.client().await.unwrap();
    let is_standby = client.query_one("SELECT pg_is_in_recovery()", &[]).await;
    assert!(!is_standby.unwrap().get::<_, bool>(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_to_a_server_that_takes_no_writes_are_not_lent_again() {
    let replicas = Replicas::start().await;
    let postgres = Postgres::connect(&config(&replicas)).await.unwrap();
    let admin = connect(replicas.url()).await;
    admin.batch_execute("CREATE TABLE t (n int)").await.unwrap();
    // As a primary is demoted behind an address: its sessions go on, and read only.
    let all: Vec<_> = {
        let lent = (0..3).map(|_| postgres.client());
        futures_util::future::try_join_all(lent).await.unwrap()
    };
    for client in &all {
        let demote = "SET default_transaction_read_only = on";
        client.batch_execute(demote).await.unwrap();
    }
    drop(all);
    let insert = "INSERT INTO t VALUES (1)";
    let client = postgres.client().await.unwrap();
    let refused = client.execute(insert, &[]).await.unwrap_err();
    drop(client);
    assert!(PostgresError::from(refused).is_transient());
    for _ in 0..3 {
        let client = postgres.client().await.unwrap();
        client.execute(insert, &[]).await.unwrap();
    }
}
