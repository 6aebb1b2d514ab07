//! Standing invariants: what does not hold is stored, orders are looked up.

#[path = "invariants_cached.rs"]
mod cached;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_postgres::Client;
use tokio_util::sync::CancellationToken;
use turnstile_connectors::execution::{Alarms, Store};
use turnstile_connectors::invariants::{
    InvariantBoard, InvariantFeed, InvariantWriter, OrderLookup,
};
use turnstile_connectors::postgres::Postgres;
use turnstile_connectors::task;
use turnstile_dataflows::invariants::{
    InvariantChange, InvariantEvent, InvariantKind, InvariantNews, Violation,
};
use turnstile_dataflows::model::{ActionKey, LogicalTime};

use crate::servers::{PostgresServer, eventually};

const POSITION: &str = "11111111-1111-4111-8111-111111111111";
/// Rows as kind, key, detail, and seconds of their times after 2026-11-24 10:00 in Seoul.
const ROWS: &str = "SELECT coalesce(string_agg(concat_ws(' ', kind, key, detail,
        (trade.micros(since) - 1795482000000000) / 1000000,
        coalesce(((trade.micros(until) - 1795482000000000) / 1000000)::text, 'on')), ', ' ORDER BY id), '')
    FROM system.invariant_violations";

struct World {
    server: PostgresServer,
    postgres: Postgres,
    client: Client,
    board: InvariantBoard,
    feed: InvariantFeed,
    told: mpsc::Receiver<InvariantEvent>,
    stop: CancellationToken,
    tasks: Vec<JoinHandle<()>>,
}

impl World {
    async fn start() -> Self {
        let server = PostgresServer::start().await;
        let (postgres, client) = (server.connect().await, server.client().await);
        let stop = CancellationToken::new();
        let (alarms, writer) = Alarms::new(Store::new(&postgres, stop.clone()));
        let tasks = vec![task::spawn("alarms", writer.run(stop.clone()))];
        let board = InvariantBoard::new(alarms);
        let (feed, told) = InvariantFeed::new();
        Self {
            server,
            postgres,
            client,
            board,
            feed,
            told,
            stop,
            tasks,
        }
    }

    fn write(&mut self) {
        let writer = InvariantWriter::new(&self.postgres, self.board.clone(), self.feed.clone());
        let task = task::spawn("violations", writer.run(self.stop.clone()));
        self.tasks.push(task);
    }

    async fn sql(&self, statements: &str) {
        self.client.batch_execute(statements).await.unwrap();
    }

    async fn text(&self, query: &str) -> String {
        let row = self.client.query_one(query, &[]).await.unwrap();
        row.get(0)
    }

    async fn expect(&self, expected: &str) {
        eventually(expected, async || self.text(ROWS).await == expected).await;
    }

    async fn end(self) {
        self.stop.cancel();
        for task in self.tasks {
            task.await.unwrap();
        }
    }
}

fn at(second: u64) -> LogicalTime {
    LogicalTime::from_micros(1_795_482_000_000_000 + second * 1_000_000)
}

fn violation(kind: InvariantKind, key: &str, detail: &str) -> Violation {
    Violation {
        kind,
        key: key.into(),
        symbol: None,
        position: None,
        detail: detail.into(),
    }
}

#[tokio::test]
async fn what_does_not_hold_is_stored_from_when_on_and_until_when() {
    let mut world = World::start().await;
    world.write();
    let first = violation(InvariantKind::Oversell, POSITION, "one");
    let again = violation(InvariantKind::Oversell, POSITION, "two");
    let other = violation(InvariantKind::Cache, POSITION, "x");
    let (broken, over) = (InvariantNews::Broken, InvariantNews::Over);
    world.board.update(at(1), vec![broken(first.clone())]);
    world.expect(&format!("OVERSELL {POSITION} one 1 on")).await;
    let reworded = vec![
        over(first.clone()),
        broken(again.clone()),
        broken(other.clone()),
    ];
    world.board.update(at(2), reworded);
    let both = format!("OVERSELL {POSITION} two 1 on, CACHE {POSITION} x 2 on");
    world.expect(&both).await;
    let view = "SELECT string_agg(kind, ' ' ORDER BY kind) FROM system.invariants_broken";
    assert_eq!(world.text(view).await, "CACHE OVERSELL");
    world.board.update(at(3), vec![over(again)]);
    let one = format!("OVERSELL {POSITION} two 1 3, CACHE {POSITION} x 2 on");
    world.expect(&one).await;
    // The same again is another row.
    world.board.update(at(4), vec![broken(first), over(other)]);
    let again = format!(
        "OVERSELL {POSITION} two 1 3, CACHE {POSITION} x 2 4, OVERSELL {POSITION} one 4 on"
    );
    world.expect(&again).await;
    let told = "SELECT string_agg(event || ' ' || level, ', ' ORDER BY id) FROM system.logs";
    let expected =
        "INVARIANT_OVERSELL CRITICAL, INVARIANT_CACHE CRITICAL, INVARIANT_OVERSELL CRITICAL";
    eventually("each is told once", async || {
        world.text(told).await == expected
    })
    .await;
    world.end().await;
}

#[tokio::test]
async fn what_an_earlier_run_has_left_is_over_unless_it_stands_still() {
    let mut world = World::start().await;
    world
        .sql(
            "INSERT INTO system.invariant_violations (kind, key, detail, since) VALUES
                 ('ORDER', 'k1', 'old', '2026-11-24 10:00:01+09'),
                 ('ORDER', 'k2', 'old', '2026-11-24 10:00:02+09')",
        )
        .await;
    world.write();
    let stands = violation(InvariantKind::Order, "k2", "new");
    world
        .board
        .update(at(9), vec![InvariantNews::Broken(stands)]);
    world.expect("ORDER k1 old 1 9, ORDER k2 new 2 on").await;
    world.end().await;
}

#[tokio::test]
async fn behind_a_lost_database_changes_wait_in_their_order() {
    let mut world = World::start().await;
    world.board.update(at(0), Vec::new());
    world.write();
    world.server.crash();
    let of = |n: u64| violation(InvariantKind::Breach, &format!("k{n}"), "x");
    world
        .board
        .update(at(1), vec![InvariantNews::Broken(of(1))]);
    world.board.update(at(2), vec![InvariantNews::Over(of(1))]);
    world
        .board
        .update(at(3), vec![InvariantNews::Broken(of(2))]);
    world.server.resume().await;
    world.client = world.server.client().await;
    world.expect("BREACH k1 x 1 2, BREACH k2 x 3 on").await;
    // With too many of them only what stands is stored.
    world.server.crash();
    for n in 10..2_000 {
        world
            .board
            .update(at(n), vec![InvariantNews::Broken(of(n))]);
        world.board.update(at(n), vec![InvariantNews::Over(of(n))]);
    }
    world
        .board
        .update(at(2_000), vec![InvariantNews::Over(of(2))]);
    world.server.resume().await;
    world.client = world.server.client().await;
    let standing = "SELECT count(*)::text FROM system.invariants_broken";
    eventually("nothing stands", async || world.text(standing).await == "0").await;
    assert!(world.board.is_empty());
    world.end().await;
}

#[tokio::test]
async fn after_changes_that_are_refused_for_good_what_stands_is_stored_as_a_whole() {
    let mut world = World::start().await;
    world.write();
    let of = |key: &str, detail: &str| violation(InvariantKind::Breach, key, detail);
    let (broken, over) = (InvariantNews::Broken, InvariantNews::Over);
    world.board.update(at(1), vec![broken(of("k1", "x"))]);
    world.expect("BREACH k1 x 1 on").await;
    world
        .sql(
            "ALTER TABLE system.invariant_violations
                 ADD CONSTRAINT refused CHECK (detail <> 'refused')",
        )
        .await;
    // With the one that is refused the end of the other is rolled back.
    let changes = vec![over(of("k1", "x")), broken(of("k2", "refused"))];
    world.board.update(at(2), changes);
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    assert_eq!(world.text(ROWS).await, "BREACH k1 x 1 on");
    let changes = vec![over(of("k2", "refused")), broken(of("k3", "y"))];
    world.board.update(at(3), changes);
    world.expect("BREACH k1 x 1 3, BREACH k3 y 3 on").await;
    world.end().await;
}

/// Waits until a look says this of an order.
async fn found(told: &mut mpsc::Receiver<InvariantEvent>, expected: bool) {
    let reading = async {
        while let Some(event) = told.recv().await {
            for change in &event.changes {
                if let InvariantChange::Found(key, does) = change {
                    assert_eq!(key.as_str(), "k1");
                    if *does == expected {
                        return;
                    }
                }
            }
        }
    };
    let read = tokio::time::timeout(crate::servers::PATIENCE, reading).await;
    assert!(read.is_ok(), "{expected}");
}

#[tokio::test]
async fn an_order_is_looked_up_until_its_row_accounts_for_it() {
    let mut world = World::start().await;
    world
        .sql(
            "INSERT INTO market.stocks (symbol, name, market) VALUES ('005930', 'x', 'KOSPI');
             INSERT INTO trade.orders (order_id, action_key, account_id, symbol, side, intent_type, qty,
                 order_type, reason_code, price, level, decided_us, explanation)
             VALUES (gen_random_uuid(), 'k1', 'A', '005930', 'BUY', 'ENTRY', 1, 'MKT', 'MANUAL', 1, 1, 1,
                 '{}')",
        )
        .await;
    let key = ActionKey::stored("k1");
    world
        .board
        .update(at(0), vec![InvariantNews::Asked(key.clone(), true)]);
    let lookup = OrderLookup::new(&world.postgres, world.board.clone(), world.feed.clone());
    world
        .tasks
        .push(task::spawn("look-ups", lookup.run(world.stop.clone())));
    found(&mut world.told, false).await;
    let broken = violation(InvariantKind::Order, "k1", "x");
    let news = vec![
        InvariantNews::Asked(key, false),
        InvariantNews::Broken(broken),
    ];
    world.board.update(at(1), news);
    world
        .sql(
            "INSERT INTO trade.manual_entries (request_id, symbol, qty, asked_by, state, order_id)
             SELECT gen_random_uuid(), symbol, qty, 'test', 'ORDERED', order_id FROM trade.orders",
        )
        .await;
    found(&mut world.told, true).await;
    world.end().await;
}
