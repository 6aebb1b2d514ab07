//! The change feed: every commit once, whatever order transactions end in.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_postgres::Client;
use turnstile_connectors::postgres::{
    ChangeFeed, PostgresError, TransactionChanges, prune_change_log,
};
use turnstile_connectors::task;

use crate::dice::Dice;
use crate::servers::{PATIENCE, PostgresServer};

const WRITERS: u64 = 6;
const ROUNDS: u64 = 60;
const KEYS: u64 = 5;
const SEED: u64 = 20_261_124;

/// Writes rows of `system.config`, each with a number of its own, in transactions that overlap,
/// linger and sometimes roll back. Returns the numbers that were committed.
fn write(client: Client, writer: u64) -> JoinHandle<BTreeSet<u64>> {
    task::spawn("writer", async move {
        let mut random = Dice::new(SEED + writer);
        let (mut client, mut committed) = (client, BTreeSet::new());
        for round in 0..ROUNDS {
            let transaction = client.transaction().await.unwrap();
            let mut numbers = Vec::new();
            // Ascending keys, so that no two writers wait for each other.
            let mut keys: Vec<u64> = (0..KEYS).filter(|_| random.is_below(50)).collect();
            keys.push(KEYS + writer);
            for key in keys {
                let number = writer * 1_000_000 + round * 1_000 + key;
                transaction
                    .execute(
                        "INSERT INTO system.config (key, value, updated_by)
                         VALUES ($1::bigint::text, to_jsonb($2::bigint), 'test')
                         ON CONFLICT (key) DO UPDATE
                         SET value = excluded.value, version = config.version + 1",
                        &[
                            &i64::try_from(key).unwrap(),
                            &i64::try_from(number).unwrap(),
                        ],
                    )
                    .await
                    .unwrap();
                numbers.push(number);
                if random.is_below(30) {
                    tokio::time::sleep(Duration::from_millis(random.between(0, 8))).await;
                }
            }
            if random.is_below(20) {
                transaction.rollback().await.unwrap();
            } else {
                transaction.commit().await.unwrap();
                committed.extend(numbers);
            }
        }
        committed
    })
}

fn numbers(transactions: &[TransactionChanges]) -> Vec<u64> {
    let changes = transactions.iter().flat_map(|one| &one.changes);
    changes
        .map(|change| change.content["value"].as_u64().unwrap())
        .collect()
}

async fn cut_feed(client: &Client) -> u64 {
    let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE query LIKE '%system.change_log%' AND pid <> pg_backend_pid()";
    client.execute(cut, &[]).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_commit_comes_once_and_whole_across_lost_connections() {
    let server = PostgresServer::start().await;
    let postgres = server.connect().await;
    let outside = server.client().await;
    let (mut feed, snapshot) = ChangeFeed::open(&postgres).await.unwrap();
    drop(snapshot);
    let mut writers = Vec::new();
    for writer in 0..WRITERS {
        writers.push(write(server.client().await, writer));
    }
    let all = task::spawn("all", futures_util::future::try_join_all(writers));

    let mut random = Dice::new(SEED);
    let (mut seen, mut cuts) = (Vec::new(), 0);
    while !all.is_finished() {
        // Most calls are dropped half-way; some last until a new connection is made.
        let patience = match random.is_below(5) {
            true => Duration::from_millis(200),
            false => Duration::from_micros(random.between(100, 5_000)),
        };
        if let Ok(changes) = timeout(patience, feed.next()).await {
            seen.extend(changes.unwrap());
        }
        if random.is_below(2) {
            cuts += cut_feed(&outside).await;
        }
    }
    let committed: BTreeSet<u64> = all.await.unwrap().unwrap().into_iter().flatten().collect();
    while seen.iter().map(|one| one.changes.len()).sum::<usize>() < committed.len() {
        let changes = timeout(PATIENCE, feed.next()).await;
        seen.extend(changes.expect("a change is missing").unwrap());
    }
    assert!(
        timeout(Duration::from_millis(1_500), feed.next())
            .await
            .is_err(),
        "more changes than commits"
    );

    assert!(cuts > 2, "the feed was cut {cuts} times");
    assert!(committed.len() > 500, "{} changes", committed.len());
    let delivered = numbers(&seen);
    assert_eq!(delivered.len(), committed.len(), "no change comes twice");
    assert_eq!(delivered.into_iter().collect::<BTreeSet<_>>(), committed);
    let xids: BTreeSet<u64> = seen.iter().map(|one| one.xid).collect();
    assert_eq!(xids.len(), seen.len(), "a transaction comes whole");
    let mut versions: BTreeMap<String, u64> = BTreeMap::new();
    for change in seen.iter().flat_map(|one| &one.changes) {
        let key = change.content["key"].as_str().unwrap().to_owned();
        let version = change.content["version"].as_u64().unwrap();
        let before = versions.insert(key, version);
        assert!(
            before < Some(version),
            "changes of one row keep their order"
        );
    }
}

async fn put(client: &Client, key: &str, number: i64) {
    client
        .execute(
            "INSERT INTO system.config (key, value, updated_by)
             VALUES ($1, to_jsonb($2::bigint), 'test')",
            &[&key, &number],
        )
        .await
        .unwrap();
}

#[tokio::test]
async fn the_feed_begins_where_the_snapshot_ends() {
    let server = PostgresServer::start().await;
    let postgres = server.connect().await;
    let (early, late) = (server.client().await, server.client().await);
    late.batch_execute("BEGIN").await.unwrap();
    put(&late, "late", 1).await; // The lower number, committed last.
    put(&early, "early", 2).await;
    let (mut feed, snapshot) = ChangeFeed::open(&postgres).await.unwrap();
    late.batch_execute("COMMIT").await.unwrap();
    put(&early, "after", 3).await;

    let loaded = snapshot
        .client()
        .query("SELECT key FROM system.config", &[]);
    let loaded: Vec<String> = loaded.await.unwrap().iter().map(|row| row.get(0)).collect();
    assert_eq!(loaded, ["early"]);
    let changes = timeout(PATIENCE, feed.next()).await.unwrap().unwrap();
    assert_eq!(numbers(&changes), [1, 3]);
}

#[tokio::test]
async fn it_says_when_everything_so_far_was_told() {
    let server = PostgresServer::start().await;
    let postgres = server.connect().await;
    let (mut feed, snapshot) = ChangeFeed::open(&postgres).await.unwrap();
    drop(snapshot);
    assert_eq!(feed.so_far().await.unwrap(), (Vec::new(), true));
    let client = server.client().await;
    let rows = "INSERT INTO system.config (key, value, updated_by)
        SELECT $1::bigint || ':' || n, to_jsonb($1::bigint), 'test' FROM generate_series(1, 7000) n";
    for transaction in 0..2_i64 {
        client.execute(rows, &[&transaction]).await.unwrap();
    }
    let (page, is_all) = feed.so_far().await.unwrap();
    assert_eq!((page.len(), is_all), (1, false), "a page is left");
    let mut told = page.len();
    loop {
        let (page, is_all) = timeout(PATIENCE, feed.so_far()).await.unwrap().unwrap();
        told += page.len();
        if is_all {
            break;
        }
    }
    assert_eq!(told, 2);
}

#[tokio::test]
async fn a_large_backlog_comes_in_pages_of_whole_transactions() {
    let server = PostgresServer::start().await;
    let postgres = server.connect().await;
    let (mut feed, snapshot) = ChangeFeed::open(&postgres).await.unwrap();
    drop(snapshot);
    let client = server.client().await;
    let sizes = [100, 7_000, 3_000, 2_500, 1];
    for (transaction, rows) in (0_i64..).zip(sizes) {
        client
            .execute(
                "INSERT INTO system.config (key, value, updated_by)
                 SELECT $1::bigint || ':' || n, to_jsonb($1::bigint), 'test'
                 FROM generate_series(1, $2::bigint) n",
                &[&transaction, &rows],
            )
            .await
            .unwrap();
    }
    let (mut pages, mut received) = (0, Vec::new());
    while received.len() < sizes.len() {
        let page = timeout(PATIENCE, feed.next()).await.unwrap().unwrap();
        received.extend(page.iter().map(|one| one.changes.len()));
        pages += 1;
        cut_feed(&client).await;
    }
    assert_eq!(
        received
            .iter()
            .map(|len| i64::try_from(*len).unwrap())
            .collect::<Vec<_>>(),
        sizes
    );
    assert!(pages > 1);
}

#[tokio::test]
async fn the_feed_goes_on_after_a_crash_of_the_server() {
    let mut server = PostgresServer::start().await;
    let postgres = server.connect().await;
    let (mut feed, snapshot) = ChangeFeed::open(&postgres).await.unwrap();
    drop(snapshot);
    put(&server.client().await, "before", 1).await;
    server.crash();
    server.resume().await;
    put(&server.client().await, "after", 2).await;
    let mut seen = Vec::new();
    while seen.len() < 2 {
        let changes = timeout(PATIENCE, feed.next()).await.unwrap().unwrap();
        seen.extend(numbers(&changes));
    }
    assert_eq!(seen, [1, 2]);
}

#[tokio::test]
async fn pruning_spares_the_reader_that_kept_up_and_tells_the_one_that_did_not() {
    let server = PostgresServer::start().await;
    let postgres = server.connect().await;
    // What the migrations put into followed tables.
    prune_change_log(&postgres, Duration::ZERO).await.unwrap();
    let (mut prompt, first) = ChangeFeed::open(&postgres).await.unwrap();
    let (mut late, second) = ChangeFeed::open(&postgres).await.unwrap();
    drop((first, second));
    let client = server.client().await;
    put(&client, "a", 1).await;
    assert_eq!(numbers(&prompt.next().await.unwrap()), [1]);
    // A poll with nothing new brings the reader past the transaction.
    assert!(
        timeout(Duration::from_millis(100), prompt.next())
            .await
            .is_err()
    );

    assert_eq!(
        prune_change_log(&postgres, Duration::ZERO).await.unwrap(),
        1
    );
    assert_eq!(
        prune_change_log(&postgres, Duration::ZERO).await.unwrap(),
        0
    );
    put(&client, "b", 2).await;
    assert_eq!(numbers(&prompt.next().await.unwrap()), [2]);
    let lost = late.next().await.unwrap_err();
    assert!(matches!(lost, PostgresError::ChangesLost(_)), "{lost}");
    assert_eq!(
        prune_change_log(&postgres, Duration::from_secs(3_600))
            .await
            .unwrap(),
        0
    );
}
