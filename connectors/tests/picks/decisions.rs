//! What is decided, once.

use futures_util::future::join_all;
use turnstile_connectors::picks::Looked;
use turnstile_connectors::task;
use turnstile_dataflows::picks::Mode;

use crate::world::World;

/// `100010 PLACED 29 100500.0000 3002/r1`: by symbol.
const DECISIONS: &str = "SELECT string_agg(concat_ws(' ', symbol, decision, gate, qty, limit_price,
        (producers->0->>'producer_id') || '/' || (producers->0->>'run_id')), ', ' ORDER BY symbol)
    FROM trade.pick_decisions";
/// Everything that decisions consist of.
const ROWS: &str = "SELECT concat_ws(' ',
        (SELECT count(*) FROM trade.pick_decisions), (SELECT count(*) FROM trade.pick_holds),
        (SELECT count(*) FROM trade.manual_entries))";

fn looked(placed: usize, refused: usize, held: usize) -> Looked {
    Looked {
        placed,
        refused,
        held,
        without_price: 0,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pick_becomes_one_request_under_the_key_of_its_lead() {
    let world = World::start().await;
    world
        .send(3001, "news-7", &["('100010', 0.9, 'HIGH', 1)"])
        .await;
    world
        .send(3002, "event.1", &["('100010', 0.7, 'MEDIUM', 2)"])
        .await;
    assert_eq!(world.look().await, looked(1, 0, 0));
    // 3 % of 100 million at 0.5 % above the price.
    let asked =
        "SELECT concat_ws(' ', symbol, qty, limit_price, asked_by, strategy_id, reason_code, state,
            action_key = 'ENTRY:' || to_char(now() AT TIME ZONE 'Asia/Seoul', 'YYYYMMDD')
                || ':100010:3002:event.1')
        FROM trade.manual_entries";
    let row = "100010 29 100500.0000 picks picks PICK ASKED t";
    assert_eq!(world.text(asked).await, row);
    let decided = "SELECT concat_ws(' ', d.decision, d.mode, d.score, d.confidence, d.equity,
            d.action_key = e.action_key, d.day = (now() AT TIME ZONE 'Asia/Seoul')::date,
            jsonb_path_query_array(d.producers, '$[*].producer_id'), d.producers->1->'score')
        FROM trade.pick_decisions d JOIN trade.manual_entries e USING (request_id)";
    let row = "PLACED PRIORITY 0.700000 MEDIUM 100000000.0000 t t [3002, 3001] 0.9";
    assert_eq!(world.text(decided).await, row);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_symbol_is_decided_once_a_day_whoever_names_it_again() {
    let world = World::start().await;
    world.send(3000, "a", &["('100010', 0.8, 'HIGH', 1)"]).await;
    assert_eq!(world.look().await, looked(1, 0, 0));
    // Another producer, another run of the same one, and a router that has seen nothing.
    world.send(3002, "b", &["('100010', 1, 'HIGH', 1)"]).await;
    world.send(3000, "c", &["('100010', 1, 'HIGH', 1)"]).await;
    let mut router = world.router();
    for _ in 0..2 {
        assert_eq!(router.look().await.unwrap(), Looked::default());
    }
    assert_eq!(world.text(ROWS).await, "1 0 1");
    let first = "100010 PLACED 29 100500.0000 3000/a";
    assert_eq!(world.text(DECISIONS).await, first);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_looks_at_once_each_symbol_is_decided_by_one() {
    let world = World::start().await;
    let picks =
        ["('100010', 0.9, 'HIGH', 1), ('100020', 0.8, 'HIGH', 2), ('100030', 0.7, 'HIGH', 3)"];
    world.send(3002, "a", &picks).await;
    let looks = (0..6).map(|_| async {
        let looked = world.look().await;
        (looked.placed, looked.refused, looked.held)
    });
    let placed: usize = join_all(looks).await.iter().map(|looked| looked.0).sum();
    assert_eq!(placed, 3);
    assert_eq!(world.text(ROWS).await, "3 0 3");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_placed_counts_for_the_next_one() {
    let mut world = World::start().await;
    // 29 shares of 100,500 each: 2,914,500. Two fit into 6 %, three do not.
    world.config.limits.exposure_max = 60_000;
    let picks =
        ["('100010', 0.9, 'HIGH', 1), ('100020', 0.8, 'HIGH', 2), ('100030', 0.7, 'HIGH', 3)"];
    world.send(3002, "a", &picks).await;
    assert_eq!(world.look().await, looked(2, 1, 0));
    let expected = "100010 PLACED 29 100500.0000 3002/a, 100020 PLACED 29 100500.0000 3002/a, \
        100030 REFUSED EXPOSURE 3002/a";
    assert_eq!(world.text(DECISIONS).await, expected);
    let warned = "SELECT string_agg(concat_ws(' ', level, symbol, message), ', ') FROM system.logs
        WHERE event = 'pick_refused'";
    world
        .expect(
            "SELECT count(*)::text FROM system.logs WHERE event = 'pick_refused'",
            "1",
        )
        .await;
    let warned = world.text(warned).await;
    let why = ":100030:3002:a is refused: EXPOSURE: holdings and purchases come to 8743500 KRW, at most \
        6000000";
    assert!(
        warned.starts_with("WARNING 100030 pick ENTRY:") && warned.ends_with(why),
        "{warned}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_holds_a_pick_is_noted_once_a_change_and_then_it_passes() {
    let world = World::start().await;
    world.open(false);
    world.send(3002, "a", &["('100010', 0.9, 'HIGH', 1)"]).await;
    for _ in 0..3 {
        assert_eq!(world.look().await, looked(0, 0, 1));
    }
    world.open(true);
    world
        .sql("UPDATE market.best_prices SET logical_us = 2, received_ts = now() - interval '5 s'")
        .await;
    for _ in 0..3 {
        let stale = Looked {
            without_price: 1,
            ..looked(0, 0, 1)
        };
        assert_eq!(world.look().await, stale);
    }
    world.open(false);
    assert_eq!(world.look().await, looked(0, 0, 1));
    let holds = "SELECT string_agg(gate || ': ' || reason, ', ' ORDER BY id) FROM trade.pick_holds";
    let expected = "SESSION: closed by the test, PRICE: there is no fresh price, \
        SESSION: closed by the test";
    assert_eq!(world.text(holds).await, expected);
    assert_eq!(world.text(ROWS).await, "0 3 0");

    world.open(true);
    world
        .sql("UPDATE market.best_prices SET logical_us = 1, received_ts = now()")
        .await;
    assert_eq!(world.look().await, looked(1, 0, 0));
    assert_eq!(world.text(ROWS).await, "1 3 1");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_its_producer_takes_back_meanwhile_is_not_bought() {
    let world = World::start().await;
    world.send(3002, "a", &["('100010', 0.9, 'HIGH', 1)"]).await;
    // The look has read the run, and waits for its turn to decide.
    let mut client = world.postgres.client().await.unwrap();
    let turn = client.transaction().await.unwrap();
    let lock = "SELECT pg_advisory_xact_lock(hashtextextended('turnstile picks 50123456-01', 0))";
    turn.batch_execute(lock).await.unwrap();
    let mut router = world.router();
    let looking = task::spawn("look", async move { router.look().await.unwrap() });
    let waits = "SELECT count(*)::text FROM pg_locks WHERE locktype = 'advisory' AND NOT granted";
    world.expect(waits, "1").await;
    world
        .sql(
            "INSERT INTO trade.pick_runs (producer_id, run_id, asof_ts, sent_by, body_digest)
              VALUES (3002, 'b', clock_timestamp(), 'test', repeat('a', 64))",
        )
        .await;
    turn.commit().await.unwrap();
    assert_eq!(looking.await.unwrap(), Looked::default());
    assert_eq!(world.text(ROWS).await, "0 0 0");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_was_used_buys_nothing() {
    let world = World::start().await;
    let used = "INSERT INTO trade.manual_entries
            (request_id, symbol, qty, asked_by, action_key, state, message)
        SELECT gen_random_uuid(), '100010', 1, 'kim', 'ENTRY:'
            || to_char(now() AT TIME ZONE 'Asia/Seoul', 'YYYYMMDD') || ':100010:3002:a', 'REFUSED', 'no'";
    world.sql(used).await;
    world.send(3002, "a", &["('100010', 0.9, 'HIGH', 1)"]).await;
    assert_eq!(world.look().await, looked(0, 1, 0));
    assert_eq!(world.text(DECISIONS).await, "100010 REFUSED KEY 3002/a");
    assert_eq!(world.text(ROWS).await, "1 0 1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disabled_producer_and_an_old_run_do_not_count() {
    let world = World::start().await;
    world.send(3002, "a", &["('100010', 0.9, 'HIGH', 1)"]).await;
    world
        .sql("UPDATE trade.pick_producers SET is_enabled = false WHERE producer_id = 3002")
        .await;
    let old = "INSERT INTO trade.pick_runs (producer_id, run_id, asof_ts, sent_by, body_digest)
            VALUES (3001, 'old', now() - interval '61 minutes', 'test', repeat('a', 64));
        INSERT INTO trade.picks (pick_run_id, symbol, side, score, confidence, rank)
            SELECT id, '100020', 'LONG', 1, 'HIGH', 1 FROM trade.pick_runs WHERE run_id = 'old'";
    world.sql(old).await;
    assert_eq!(world.look().await, Looked::default());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consensus_takes_what_two_producers_name_and_the_list_has_an_end() {
    let mut world = World::start().await;
    world.config.mode = Mode::Consensus;
    world.config.top = 1;
    let both = ["('100010', 0.5, 'HIGH', 1), ('100020', 0.6, 'HIGH', 2)"];
    world.send(3002, "a", &both).await;
    world.send(3001, "b", &both).await;
    world.send(3000, "c", &["('100030', 1, 'HIGH', 1)"]).await;
    assert_eq!(world.look().await, looked(1, 0, 0));
    // What is decided keeps its place: nothing moves up.
    assert_eq!(world.look().await, Looked::default());
    assert_eq!(
        world.text(DECISIONS).await,
        "100020 PLACED 29 100500.0000 3002/a"
    );
}
