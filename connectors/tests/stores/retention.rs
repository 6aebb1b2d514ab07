//! Old days of prices leave for their archive, what is needed stays, and everything comes back.

use std::time::Duration;

use tokio_postgres::Client;
use turnstile_connectors::execution::wall_clock_us;
use turnstile_connectors::postgres::{PriceSink, PriceSinkConfig};
use turnstile_connectors::retention::{HoldKind, RetentionError};
use turnstile_connectors::task;

use crate::old_days::{DAY_US, MONDAY_US, PRICES, World, digest, sha256sum};
use crate::prices::no_cache;
use crate::ticks::{count, flushed, tick};

/// Digest of every table of schema trade.
async fn trade(client: &Client) -> String {
    let tables =
        "SELECT string_agg(format('SELECT %L || t::text AS row FROM trade.%I t', relname, relname),
            ' UNION ALL ')
        FROM pg_class WHERE relnamespace = 'trade'::regnamespace AND relkind IN ('r', 'p')";
    let rows: String = client.query_one(tables, &[]).await.unwrap().get(0);
    let all = format!("SELECT count(*) || md5(string_agg(row, ',' ORDER BY row)) FROM ({rows}) t");
    client.query_one(&all, &[]).await.unwrap().get(0)
}

/// Holds 10 shares since `entry`; `number` is part of the ids.
fn position(number: u32, symbol: &str, entry: &str) -> String {
    format!(
        "INSERT INTO market.stocks (symbol, name, market) VALUES ('{symbol}', 'x', 'KOSPI')
         ON CONFLICT DO NOTHING;
         INSERT INTO trade.positions (position_id, account_id, symbol, qty, original_qty, avg_price,
             entry_ts, strategy_id)
         VALUES ('{number:08}-1111-4111-8111-111111111111', 'A', '{symbol}', 10, 10, 70000,
             '{entry}', 'S{number}')"
    )
}

const CLOSE: &str = "UPDATE trade.positions SET status = 'CLOSED', qty = 0, closed_ts = now()";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn old_days_leave_for_an_archive_and_come_back_byte_for_byte() {
    let world = World::start().await;
    world
        .run(&position(1, "000001", "2026-01-01 10:00+09"))
        .await;
    let yesterday = "SELECT market.ensure_prices_partition(
        ((now() AT TIME ZONE 'Asia/Seoul')::date - 7))";
    world.run(yesterday).await;
    world.run(CLOSE).await;
    let (before, trades) = (world.digest("2025-01-07").await, trade(&world.client).await);
    assert!(before.starts_with("2000 "), "{before}");

    let looked = world.look().await;
    assert_eq!(looked.archived.len(), 3, "{looked:?}");
    assert!(
        looked.held.is_empty() && looked.busy.is_none(),
        "{looked:?}"
    );
    assert_eq!(world.digest("2025-01-07").await, "0 ");
    assert_eq!(
        digest(&world.client, "archive.prices_20250107").await,
        before
    );
    let attached = count(
        &world.client,
        "SELECT count(*) FROM market.prices_partitions",
    )
    .await;
    assert_eq!(attached, 1, "the seventh day before today stays");
    assert!(sha256sum(
        world.folder.path(),
        "prices_20250107.csv.gz.sha256"
    ));
    assert_eq!(world.copied_by_psql("prices_20250107.csv.gz").await, before);
    for statement in ["DELETE FROM", "TRUNCATE"] {
        let refused = format!("{statement} archive.prices_20250107");
        assert!(
            world.client.batch_execute(&refused).await.is_err(),
            "{refused}"
        );
    }

    let restored = world.restore("2025-01-07").await.unwrap();
    assert_eq!((restored.rows, restored.added), (PRICES, PRICES));
    assert_eq!(world.digest("2025-01-07").await, before);
    let restored = world.restore("2025-01-07").await.unwrap();
    assert_eq!((restored.rows, restored.added), (PRICES, 0));
    assert_eq!(world.digest("2025-01-07").await, before);
    // It is kept for the operator.
    assert!(world.look().await.archived.is_empty());
    assert_eq!(world.digest("2025-01-07").await, before);
    let unknown = world.restore("2025-01-09").await.unwrap_err();
    assert!(matches!(unknown, RetentionError::NoArchive(_)), "{unknown}");
    assert_eq!(trade(&world.client).await, trades);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_day_that_came_back_unchanged_leaves_without_a_second_file() {
    let world = World::start().await;
    world.look().await;
    let before = digest(&world.client, "archive.prices_20250106").await;
    world
        .run(
            "SELECT market.ensure_prices_partition('2025-01-06');
             INSERT INTO market.prices TABLE archive.prices_20250106",
        )
        .await;
    assert_eq!(world.look().await.archived.len(), 1);
    let recorded = world.recorded().await;
    assert_eq!(recorded[0], "prices_20250106 prices_20250106.csv.gz");
    assert_eq!(recorded[1], "prices_20250106_2 prices_20250106.csv.gz");
    assert!(!world.file("prices_20250106_2.csv.gz").exists());
    // The operator drops both; the archive is enough.
    world
        .run("DROP TABLE archive.prices_20250106; DROP TABLE archive.prices_20250106_2")
        .await;
    let restored = world.restore("2025-01-06").await.unwrap();
    assert_eq!((restored.rows, restored.added), (PRICES, PRICES));
    assert_eq!(world.digest("2025-01-06").await, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_alive_keeps_its_days() {
    let world = World::start().await;
    let held = async || -> Vec<(String, HoldKind)> {
        let held = world.look().await.held;
        let told = held
            .into_iter()
            .map(|(day, hold)| (day.to_string(), hold.kind));
        told.collect()
    };
    let days = |days: &[&str], kind| -> Vec<(String, HoldKind)> {
        days.iter().map(|day| ((*day).to_owned(), kind)).collect()
    };
    // The mark of a position counts from its entry on, or from the last reset.
    world
        .run(&position(1, "000001", "2024-12-01 10:00+09"))
        .await;
    let all = ["2025-01-06", "2025-01-07", "2025-01-08"];
    assert_eq!(held().await, days(&all, HoldKind::Position));
    world
        .run(
            "UPDATE trade.position_state SET hwm_since_us =
                 trade.micros('2025-01-07 23:59:59.999999+09') - 1",
        )
        .await;
    assert_eq!(held().await, days(&all[1..], HoldKind::Position));
    assert_eq!(world.recorded().await.len(), 1);
    // A later entry: only the last price of its symbol is needed.
    world
        .run("UPDATE trade.position_state SET hwm_since_us = trade.micros('2025-02-01')")
        .await;
    assert_eq!(held().await, days(&all[2..], HoldKind::LastPrice));
    assert_eq!(world.recorded().await.len(), 2);
    world.run(CLOSE).await;
    // A candidate that exited the day before, and one that is over.
    world
        .run(
            "INSERT INTO trade.exit_events (exit_event_id, position_id, account_id, symbol, exit_ts,
                 exit_qty, original_qty, exit_avg_price, exit_reason_code, source, realized_pnl,
                 realized_pnl_pct)
             SELECT position_id, position_id, 'A', 'SOLD', '2025-01-07 10:00+09', 10, 10, 1, 'SL1',
                 'AUTO_EXIT', 0, 0 FROM trade.positions;
             INSERT INTO trade.reentry_candidates (candidate_id, exit_event_id, symbol,
                 origin_position_id, exit_reason_code, exit_ts, exit_price, original_qty, state)
             SELECT position_id, position_id, 'SOLD', position_id, 'SL1', '2025-01-07 10:00+09', 1, 10,
                 'WATCH' FROM trade.positions",
        )
        .await;
    assert_eq!(held().await, days(&all[2..], HoldKind::Candidate));
    world
        .run("UPDATE trade.reentry_candidates SET state = 'EXPIRED'")
        .await;
    // An order that was judged on a price of the day, until it has ended.
    world
        .run(
            "INSERT INTO trade.orders (order_id, action_key, account_id, symbol, side, intent_type, qty,
                 order_type, reason_code, price, level, decided_us, tick_us, explanation)
             SELECT gen_random_uuid(), 'key', 'A', '000001', 'SELL', 'EXIT_FULL', 10, 'MKT', 'SL1', 1, 1,
                 us, us, '{}' FROM (SELECT trade.micros('2025-01-08 10:00+09') AS us) tick;
             INSERT INTO trade.order_events (order_id, status) SELECT order_id, 'NEW' FROM trade.orders",
        )
        .await;
    assert_eq!(held().await, days(&all[2..], HoldKind::Order));
    world
        .run(
            "INSERT INTO trade.order_events (order_id, status) SELECT order_id, 'CANCELLED'
             FROM trade.orders",
        )
        .await;
    // Bars of one minute that have not taken the last price in.
    let begun = "INSERT INTO system.sink_progress (sink, durable_us)
        SELECT 'minute_bars', max(logical_us) - 1 FROM market.prices";
    world.run(begun).await;
    assert_eq!(held().await, days(&all[2..], HoldKind::MinuteBars));
    assert_eq!(world.recorded().await.len(), 2);
    world
        .run("UPDATE system.sink_progress SET durable_us = durable_us + 1 WHERE sink = 'minute_bars'")
        .await;
    assert_eq!(held().await, vec![]);
    assert_eq!(world.recorded().await.len(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bars_that_have_not_begun_keep_every_day_and_an_early_clock_archives_nothing() {
    let world = World::start().await;
    let looked = world.retention(true).look(wall_clock_us(), &|| true).await;
    assert_eq!(looked.unwrap().held.len(), 3);
    // Of two clocks the slower one counts.
    let early = world
        .retention(false)
        .look(MONDAY_US + DAY_US, &|| true)
        .await;
    assert!(early.unwrap().archived.is_empty());
    let closed = world
        .retention(false)
        .look(wall_clock_us(), &|| false)
        .await;
    assert!(closed.unwrap().archived.is_empty());
    assert!(world.recorded().await.is_empty());
    assert_eq!(world.look().await.archived.len(), 3);
}

/// Returns a tick of 2025-01-06 after the stored ones.
fn late_tick(number: u64) -> turnstile_connectors::postgres::PriceRow {
    let mut row = tick(number, 7);
    row.logical_us = MONDAY_US + 5 * 3_600 * 1_000_000 + number;
    row
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_late_price_of_a_detached_day_is_kept_as_a_second_part() {
    let world = World::start().await;
    let begin = PriceSink::start(
        PriceSinkConfig::default(),
        &world.postgres,
        no_cache(),
        None,
    );
    let (sink, prices) = begin.await.unwrap();
    // The sink knows the partition, and does not see it go.
    assert!(prices.send(late_tick(1)).await);
    flushed(&prices, late_tick(1).logical_us).await;
    let first = world.digest("2025-01-06").await;
    assert!(first.starts_with("2001 "), "{first}");
    world.look().await;
    for number in 2..12 {
        assert!(prices.send(late_tick(number)).await);
    }
    flushed(&prices, late_tick(11).logical_us).await;
    drop(prices);
    sink.join().await;
    assert!(world.digest("2025-01-06").await.starts_with("10 "));
    let refused = "SELECT count(*) FROM system.logs WHERE event = 'tick_refused'";
    assert_eq!(count(&world.client, refused).await, 0);

    // The sink has made the partition of the next day, too: it leaves empty.
    let archived = world.look().await.archived;
    let told = archived
        .iter()
        .map(|archive| (archive.part, archive.rows()));
    assert_eq!(told.collect::<Vec<_>>(), [(2, 10), (2, 0)]);
    assert_eq!(archived[0].file, "prices_20250106_2.csv.gz");
    assert!(sha256sum(
        world.folder.path(),
        "prices_20250106.csv.gz.sha256"
    ));
    assert!(sha256sum(
        world.folder.path(),
        "prices_20250106_2.csv.gz.sha256"
    ));
    let restored = world.restore("2025-01-06").await.unwrap();
    assert_eq!((restored.rows, restored.added), (PRICES + 11, PRICES + 11));
    assert!(world.digest("2025-01-06").await.starts_with("2011 "));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_partition_that_was_detached_by_hand_leaves_its_day_writable() {
    let world = World::start().await;
    world
        .run("ALTER TABLE market.prices DETACH PARTITION market.prices_20250106")
        .await;
    let again = "SELECT count(*) FROM (SELECT market.ensure_prices_partition('2025-01-06')) made";
    assert_eq!(count(&world.client, again).await, 1);
    world
        .run("INSERT INTO market.prices SELECT * FROM market.prices_20250106 LIMIT 3")
        .await;
    let archived = world.look().await.archived;
    assert_eq!(archived.len(), 3);
    // The name of the table that stands by itself is not taken.
    assert_eq!(
        (archived[0].rows(), archived[0].table.as_str()),
        (3, "prices_20250106_2")
    );
    let left = "SELECT count(*) FROM market.prices_20250106";
    assert_eq!(count(&world.client, left).await, PRICES);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn prices_are_written_while_days_leave() {
    const TICKS: u64 = 10_000;
    let world = World::start().await;
    let begin = PriceSink::start(
        PriceSinkConfig::default(),
        &world.postgres,
        no_cache(),
        None,
    );
    let (sink, prices) = begin.await.unwrap();
    let (begun, writes) = tokio::sync::oneshot::channel();
    let first_us = wall_clock_us();
    let sending = task::spawn("sending", async move {
        let mut begun = Some(begun);
        for number in 0..TICKS {
            let mut row = tick(number, 50);
            row.logical_us = first_us + number;
            assert!(prices.send(row).await);
            if number % 50 == 0 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            if number == 500 {
                flushed(&prices, first_us).await;
                begun.take().unwrap().send(()).unwrap();
            }
        }
    });
    writes.await.unwrap();
    let mut archived = 0;
    crate::servers::eventually("all old days have left", async || {
        archived += world.look().await.archived.len();
        archived >= 3
    })
    .await;
    sending.await.unwrap();
    sink.join().await;
    let new = "SELECT count(*) FROM market.prices";
    assert_eq!(
        count(&world.client, new).await,
        i64::try_from(TICKS).unwrap()
    );
    let refused = "SELECT count(*) FROM system.logs WHERE event = 'tick_refused'";
    assert_eq!(count(&world.client, refused).await, 0);
}
