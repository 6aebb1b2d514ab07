//! The ranking in force: what the call that puts one there writes, and how it reaches the engine.

use std::collections::BTreeMap;

use tokio::time::timeout;
use tokio_postgres::{Client, Error};
use turnstile_connectors::postgres::ChangeFeed;
use turnstile_connectors::rows::{ReadRows, RowReader, load};
use turnstile_connectors::task;
use turnstile_dataflows::engine::Change;
use turnstile_dataflows::model::LogicalTime;

use crate::servers::{PATIENCE, PostgresServer};

const TODAY: &str = "2026-11-24";
const A: &str = "005930";
const B: &str = "000660";
const C: &str = "035720";

async fn listed() -> (PostgresServer, Client) {
    let server = PostgresServer::start().await;
    let client = server.client().await;
    client
        .execute(
            "INSERT INTO market.stocks (symbol, name, market)
             SELECT symbol, symbol, 'KOSPI' FROM unnest($1::text[]) AS symbol",
            &[&[A, B, C].as_slice()],
        )
        .await
        .unwrap();
    (server, client)
}

/// Puts the ranking of the day so many days from today in force. Returns whether it is.
async fn try_replace(client: &Client, days: i32, symbols: &[&str]) -> Result<bool, Error> {
    let call =
        "SELECT strategy.replace_ranked((now() AT TIME ZONE 'Asia/Seoul')::date + $1::integer, $2)";
    Ok(client.query_one(call, &[&days, &symbols]).await?.get(0))
}

async fn replace(client: &Client, days: i32, symbols: &[&str]) -> bool {
    try_replace(client, days, symbols).await.unwrap()
}

/// What stands, as `symbol rank days from today`, and how many changes were told so far.
async fn standing(client: &Client) -> (String, i64) {
    let row = client
        .query_one(
            "SELECT coalesce(string_agg(concat_ws(' ', symbol, rank,
                     as_of - (now() AT TIME ZONE 'Asia/Seoul')::date), ', ' ORDER BY rank), ''),
                 (SELECT count(*) FROM system.change_log WHERE table_name = 'strategy.ranked')
             FROM strategy.ranked",
            &[],
        )
        .await
        .unwrap();
    (row.get(0), row.get(1))
}

fn ranked(read: ReadRows) -> BTreeMap<String, Option<u64>> {
    assert_eq!(read.faults, []);
    let ranked = read.changes.into_iter().filter_map(|change| match change {
        Change::Ranked(symbol, day) => Some((symbol.to_string(), day)),
        _ => None,
    });
    ranked.collect()
}

#[tokio::test]
async fn a_ranking_reaches_the_engine_from_the_load_and_from_the_feed() {
    let (server, client) = listed().await;
    let put = async |day: &str, symbols: &[&str]| {
        let call = "SELECT strategy.replace_ranked($1::text::date, $2)";
        client.execute(call, &[&day, &symbols]).await.unwrap();
    };
    // 2026-11-24 in Seoul.
    let day = LogicalTime::from_micros(1_795_482_000_000_000).seoul_day();
    put("2026-11-23", &[A, B]).await;
    let postgres = server.connect().await;
    let (mut feed, snapshot) = ChangeFeed::open(&postgres).await.unwrap();
    let loaded = load(snapshot.client()).await.unwrap();
    drop(snapshot);
    let mut reader = RowReader::default();
    let mut portions: Vec<_> = loaded.portions(&mut reader, TODAY).collect();
    assert_eq!(portions.len(), 1);
    let portion = portions.remove(0);
    let source = portion.source.to_json().to_string();
    assert_eq!(source.matches("strategy.ranked").count(), 2, "{source}");
    let yesterday = Some(day - 1);
    let expected = [(B, yesterday), (A, yesterday)];
    assert_eq!(
        ranked(portion.read),
        expected.map(|(s, d)| (s.to_owned(), d)).into()
    );

    // One goes, one comes, one stays; then all are of another day.
    put("2026-11-23", &[A, C]).await;
    put("2026-11-24", &[A, C]).await;
    let mut told = Vec::new();
    while told.len() < 2 {
        let page = timeout(PATIENCE, feed.next()).await.unwrap().unwrap();
        for transaction in page {
            let rows = transaction.changes.iter();
            let rows = rows.map(|row| (&*row.table, row.is_deleted, &row.content));
            told.push(ranked(reader.read(rows, TODAY)));
        }
    }
    let of = |rows: [(&str, Option<u64>); 2]| BTreeMap::from(rows.map(|(s, d)| (s.to_owned(), d)));
    assert_eq!(told[0], of([(B, None), (C, yesterday)]));
    assert_eq!(told[1], of([(A, Some(day)), (C, Some(day))]));
}

#[tokio::test]
async fn only_what_changes_is_written_and_told() {
    let (_server, client) = listed().await;
    assert!(replace(&client, -3, &[A, B]).await);
    let first = (format!("{A} 1 -3, {B} 2 -3"), 2);
    assert_eq!(standing(&client).await, first);
    assert!(replace(&client, -3, &[A, B]).await);
    assert_eq!(standing(&client).await, first);
    assert!(replace(&client, -3, &[A, C, B]).await);
    let moved = (format!("{A} 1 -3, {C} 2 -3, {B} 3 -3"), 4);
    assert_eq!(standing(&client).await, moved);
    assert!(replace(&client, -2, &[C]).await);
    assert_eq!(standing(&client).await, (format!("{C} 1 -2"), 7));
}

#[tokio::test]
async fn an_older_ranking_changes_nothing_also_where_the_newest_selects_nobody() {
    let (_server, client) = listed().await;
    assert!(replace(&client, -3, &[A]).await);
    assert!(!replace(&client, -4, &[B]).await);
    assert_eq!(standing(&client).await, (format!("{A} 1 -3"), 1));
    assert!(replace(&client, -2, &[]).await);
    assert!(!replace(&client, -3, &[B]).await);
    assert_eq!(standing(&client).await, (String::new(), 2));
    // One of a day that has not come, which the engine does not count, keeps none out.
    assert!(replace(&client, 5, &[A]).await);
    assert!(replace(&client, 0, &[C]).await);
    assert_eq!(standing(&client).await.0, format!("{C} 1 0"));
}

#[tokio::test]
async fn of_two_at_once_the_older_one_waits_and_changes_nothing() {
    let (server, client) = listed().await;
    let other = server.client().await;
    client.batch_execute("BEGIN").await.unwrap();
    assert!(replace(&client, -1, &[A]).await);
    let older = task::spawn("older", async move { replace(&other, -2, &[B]).await });
    client.batch_execute("COMMIT").await.unwrap();
    assert!(!older.await.unwrap());
    assert_eq!(standing(&client).await, (format!("{A} 1 -1"), 1));
}

#[tokio::test]
async fn a_ranking_that_cannot_be_is_refused_and_the_one_before_stands() {
    let (_server, client) = listed().await;
    assert!(replace(&client, -3, &[A]).await);
    let null = client.execute("SELECT strategy.replace_ranked(current_date, NULL)", &[]);
    let faults = [
        (
            try_replace(&client, -2, &[B, B]).await.unwrap_err(),
            "each symbol once",
        ),
        (
            try_replace(&client, -2, &[B, "999999"]).await.unwrap_err(),
            "ranked_symbol_fkey",
        ),
        (null.await.unwrap_err(), "a day and symbols expected"),
    ];
    for (error, expected) in faults {
        let text = error.as_db_error().unwrap().message();
        assert!(text.contains(expected), "{text}");
    }
    assert_eq!(standing(&client).await, (format!("{A} 1 -3"), 1));
    assert!(replace(&client, -3, &[B]).await, "no fault left its day");
}
