//! The price sink: every tick once, whatever breaks.

use std::time::{Duration, UNIX_EPOCH};

use rust_decimal::Decimal;
use tokio_postgres::Client;
use turnstile_connectors::postgres::{Postgres, PriceSink, PriceSinkConfig, PriceSinkHandle};
use turnstile_connectors::redis::{Cache, RedisConfig};
use turnstile_connectors::task;

use crate::proxy::Proxy;
use crate::servers::PostgresServer;
use crate::ticks::{START_US, count, flushed, stored, tick};

const TICKS: u64 = 20_000;
const SYMBOLS: u64 = 50;

pub(crate) fn no_cache() -> Cache {
    Cache::new(&RedisConfig::default()).unwrap()
}

async fn start(postgres: &Postgres) -> (PriceSink, PriceSinkHandle) {
    let config = PriceSinkConfig::default();
    PriceSink::start(config, postgres, no_cache(), None)
        .await
        .unwrap()
}

/// Ends the connections of the sink, in whatever they are doing. Returns how many.
async fn cut_sink(client: &Client) -> u64 {
    let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE pid <> pg_backend_pid() AND application_name = 'turnstile'";
    client.execute(cut, &[]).await.unwrap()
}

fn all() -> Vec<u64> {
    (0..TICKS).map(|number| START_US + number).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_tick_is_lost_or_doubled_when_connections_are_cut() {
    let server = PostgresServer::start().await;
    let (sink, prices) = start(&server.connect().await).await;
    let outside = server.client().await;
    let sending = task::spawn("sending", {
        let prices = prices.clone();
        async move {
            for number in 0..TICKS {
                assert!(prices.send(tick(number, SYMBOLS)).await);
                if number % 100 == 0 {
                    tokio::time::sleep(Duration::from_millis(2)).await;
                }
            }
        }
    });
    let (mut cuts, mut before) = (0, 0);
    let durable = prices.durable();
    while !sending.is_finished() {
        cuts += cut_sink(&outside).await;
        // What is durable only grows, and is in the database.
        let now = *durable.borrow();
        assert!(now >= before);
        before = now;
        let query = "SELECT count(*) FROM market.prices WHERE logical_us <= $1";
        let through = i64::try_from(now).unwrap();
        let there = outside.query_one(query, &[&through]).await.unwrap();
        let there = u64::try_from(there.get::<_, i64>(0)).unwrap();
        assert!(
            there >= (now + 1).saturating_sub(START_US),
            "{there} of {now}"
        );
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    sending.await.unwrap();
    drop(prices);
    sink.join().await;
    assert!(cuts > 3, "{cuts} connections were cut");
    assert_eq!(stored(&outside).await, all());
    let days = count(
        &outside,
        "SELECT count(DISTINCT trade_date) FROM market.prices",
    )
    .await;
    assert_eq!(days, 2, "the day turns at midnight in Seoul");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_tick_is_lost_or_doubled_when_the_server_crashes() {
    let mut server = PostgresServer::start().await;
    let (sink, prices) = start(&server.connect().await).await;
    for number in 0..TICKS {
        if number == TICKS / 3 {
            flushed(&prices, START_US + 100).await;
            server.crash();
        }
        assert!(prices.send(tick(number, SYMBOLS)).await);
        if number == TICKS / 2 {
            server.resume().await;
        }
    }
    drop(prices);
    sink.join().await;
    assert_eq!(stored(&server.client().await).await, all());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_without_an_answer_is_not_repeated() {
    let server = PostgresServer::start().await;
    let proxy = Proxy::start(server.dir(), 2);
    let config = PostgresServer::config_at(proxy.dir());
    let postgres = Postgres::connect(&config).await.unwrap();
    let (sink, prices) = start(&postgres).await;
    for number in 0..TICKS {
        assert!(prices.send(tick(number, SYMBOLS)).await);
    }
    drop(prices);
    sink.join().await;
    assert_eq!(proxy.lost(), 2);
    assert_eq!(stored(&server.client().await).await, all());
}

#[tokio::test]
async fn a_restart_leaves_out_what_is_sent_again() {
    let server = PostgresServer::start().await;
    let postgres = server.connect().await;
    for through in [100, 250] {
        let (sink, prices) = start(&postgres).await;
        for number in 0..through {
            assert!(prices.send(tick(number, SYMBOLS)).await);
        }
        drop(prices);
        sink.join().await;
    }
    let times = stored(&server.client().await).await;
    assert_eq!(
        times,
        (0..250).map(|number| START_US + number).collect::<Vec<_>>()
    );
}

#[tokio::test]
async fn somebody_who_waits_ends_the_linger() {
    let server = PostgresServer::start().await;
    let config = PriceSinkConfig {
        linger: Duration::from_secs(3_600),
        ..PriceSinkConfig::default()
    };
    let postgres = server.connect().await;
    let (_sink, prices) = PriceSink::start(config, &postgres, no_cache(), None)
        .await
        .unwrap();
    assert!(prices.send(tick(1, SYMBOLS)).await);
    flushed(&prices, START_US + 1).await;
    // Asked for before the tick comes.
    prices.want(START_US + 2);
    assert!(prices.send(tick(2, SYMBOLS)).await);
    flushed(&prices, START_US + 2).await;
    assert_eq!(
        stored(&server.client().await).await,
        [START_US + 1, START_US + 2]
    );
}

#[tokio::test]
async fn every_column_of_a_tick_is_stored() {
    let server = PostgresServer::start().await;
    let (sink, prices) = start(&server.connect().await).await;
    assert!(prices.send(tick(7, SYMBOLS)).await);
    drop(prices);
    sink.join().await;
    let client = server.client().await;
    let row = client
        .query_one(
            "SELECT trade_date::text, symbol, ts, recv_ts, source, last_price, bid, ask, volume,
                acml_volume, trade_value, change_price, change_rate, bid_volume, ask_volume, session
             FROM market.prices",
            &[],
        )
        .await
        .unwrap();
    let decimal = |text: &str| Some(text.parse::<Decimal>().unwrap());
    assert_eq!(row.get::<_, &str>(0), "2026-11-24");
    assert_eq!(row.get::<_, &str>(1), "000007");
    let exchange = UNIX_EPOCH + Duration::from_secs(START_US / 1_000_000);
    assert_eq!(row.get::<_, std::time::SystemTime>(2), exchange);
    let received = UNIX_EPOCH + Duration::from_micros(START_US + 7);
    assert_eq!(row.get::<_, std::time::SystemTime>(3), received);
    assert_eq!(row.get::<_, &str>(4), "KIS_WS");
    assert_eq!(row.get::<_, Option<Decimal>>(5), decimal("1.0007"));
    assert_eq!(row.get::<_, Option<Decimal>>(6), decimal("1.0006"));
    assert_eq!(row.get::<_, Option<Decimal>>(7), None);
    assert_eq!(row.get::<_, i64>(8), 3);
    assert_eq!(row.get::<_, Option<i64>>(9), Some(10));
    assert_eq!(row.get::<_, Option<Decimal>>(10), decimal("123456.5"));
    assert_eq!(row.get::<_, Option<Decimal>>(11), decimal("-100"));
    assert_eq!(row.get::<_, Option<Decimal>>(12), decimal("-1.25"));
    assert_eq!(row.get::<_, Option<i64>>(13), None);
    assert_eq!(row.get::<_, Option<i64>>(14), Some(7));
    assert_eq!(row.get::<_, &str>(15), "REGULAR");
}

#[tokio::test]
async fn an_unknown_symbol_is_told_once_and_rejects_nothing() {
    let server = PostgresServer::start().await;
    let client = server.client().await;
    let known =
        "INSERT INTO market.stocks (symbol, name, market) VALUES ('000000', '삼성', 'KOSPI')";
    client.execute(known, &[]).await.unwrap();
    let postgres = server.connect().await;
    for start_number in [0, 100] {
        let (sink, prices) = start(&postgres).await;
        for number in start_number..start_number + 100 {
            assert!(prices.send(tick(number, 3)).await);
        }
        drop(prices);
        sink.join().await;
    }
    assert_eq!(stored(&client).await.len(), 200);
    let unknown = "SELECT count(*) FROM market.stocks WHERE market = 'UNKNOWN'";
    assert_eq!(count(&client, unknown).await, 2);
    let told =
        "SELECT count(*) FROM system.logs WHERE level = 'WARNING' AND event = 'unknown_symbol'";
    assert_eq!(count(&client, told).await, 2);
}

#[tokio::test]
async fn a_refused_tick_is_kept_in_the_log_and_stops_no_other() {
    let server = PostgresServer::start().await;
    let (sink, prices) = start(&server.connect().await).await;
    for number in 0..1_000 {
        let mut row = tick(number, SYMBOLS);
        if number == 333 || number == 999 {
            row.day_value = Some(Decimal::MAX); // Beyond numeric(24,4).
        }
        assert!(prices.send(row).await);
    }
    flushed(&prices, START_US + 999).await;
    drop(prices);
    sink.join().await;
    let client = server.client().await;
    let expected = (0..1_000).filter(|number| ![333, 999].contains(number));
    let expected: Vec<u64> = expected.map(|number| START_US + number).collect();
    assert_eq!(stored(&client).await, expected);
    let kept = "SELECT count(*) FROM system.logs WHERE event = 'tick_refused' AND symbol = '000033'
        AND context->>'row' LIKE '%79228162514264337593543950335%'";
    assert_eq!(count(&client, kept).await, 1);
    let kept = "SELECT count(*) FROM system.logs WHERE event = 'tick_refused'";
    assert_eq!(count(&client, kept).await, 2);
}

#[tokio::test]
async fn a_second_writer_stops_the_sink_rather_than_mixing_with_it() {
    let server = PostgresServer::start().await;
    let (_sink, prices) = start(&server.connect().await).await;
    assert!(prices.send(tick(1, SYMBOLS)).await);
    flushed(&prices, START_US + 1).await;
    let client = server.client().await;
    let foreign = "UPDATE system.sink_progress SET durable_us = durable_us + 50";
    client.execute(foreign, &[]).await.unwrap();
    assert!(prices.send(tick(100, SYMBOLS)).await);
    prices.want(START_US + 100);
    let mut durable = prices.durable();
    let written = durable.wait_for(|durable| *durable >= START_US + 100);
    assert!(
        tokio::time::timeout(Duration::from_millis(500), written)
            .await
            .is_err()
    );
    assert_eq!(stored(&client).await, [START_US + 1]);
}
