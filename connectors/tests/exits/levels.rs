//! The view of levels.

use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use turnstile_connectors::exits::{ExitsConfig, LevelsBoard, LevelsWriter};
use turnstile_connectors::postgres::Postgres;
use turnstile_connectors::task;
use turnstile_dataflows::exit::Side::{Above, Below};
use turnstile_dataflows::model::ExitReason;

use crate::world::{FIRST, SECOND, TEN, World, levels};

const ROWS: &str = "SELECT string_agg(concat_ws(' ', reason, rule_id, side, level,
        profile_id || '@' || profile_version, profile_level, hwm_price,
        trade.micros(since) - 1795482000000000), ', ' ORDER BY reason, rule_id)
    FROM trade.exit_levels WHERE position_id = '11111111-1111-4111-8111-111111111111'";

fn start(postgres: &Postgres) -> (LevelsBoard, JoinHandle<()>, CancellationToken) {
    let config = ExitsConfig {
        levels_every: Duration::from_millis(10),
        ..ExitsConfig::default()
    };
    let (board, writer) = LevelsWriter::new(postgres, &config);
    let stop = CancellationToken::new();
    let task = task::spawn("levels", writer.run(stop.clone()));
    (board, task, stop)
}

#[tokio::test]
async fn levels_appear_move_and_vanish() {
    let world = World::start().await;
    let (board, task, stop) = start(&world.postgres);
    let stop_loss = (ExitReason::Sl1, None, Below, 67_900);
    let custom = |price| (ExitReason::CustomProfit, Some("lock-in"), Above, price);
    board.tell(TEN, levels(FIRST, "005930", &[stop_loss, custom(72_800)]));
    board.tell(TEN, levels(SECOND, "000660", &[stop_loss]));
    let custom_row = "CUSTOM_PROFIT lock-in ABOVE 72800.0000 default@3 DEFAULT 71000.0000 0";
    let stop_row = "SL1 BELOW 67900.0000 default@3 DEFAULT 71000.0000 0";
    world
        .expect(ROWS, &format!("{custom_row}, {stop_row}"))
        .await;

    // One level moves, the other keeps its time.
    board.tell(
        TEN.plus_micros(5),
        levels(FIRST, "005930", &[stop_loss, custom(73_000)]),
    );
    let moved = "CUSTOM_PROFIT lock-in ABOVE 73000.0000 default@3 DEFAULT 71000.0000 5";
    world.expect(ROWS, &format!("{moved}, {stop_row}")).await;

    // A rule that is off takes its row along, and only that.
    board.tell(TEN.plus_micros(6), levels(FIRST, "005930", &[stop_loss]));
    world.expect(ROWS, stop_row).await;
    board.tell(TEN.plus_micros(7), levels(FIRST, "005930", &[]));
    world.expect(ROWS, "").await;
    let others = "SELECT count(*) FROM trade.exit_levels";
    assert_eq!(world.value(others).await, "1", "of the other position");
    board.forget(TEN.plus_micros(8), SECOND.parse().unwrap());
    world.expect(others, "0").await;
    stop.cancel();
    task.await.unwrap();
}

#[tokio::test]
async fn what_waits_at_the_stop_is_written() {
    let world = World::start().await;
    let (board, task, stop) = start(&world.postgres);
    stop.cancel();
    board.tell(
        TEN,
        levels(FIRST, "005930", &[(ExitReason::Sl1, None, Below, 67_900)]),
    );
    task.await.unwrap();
    assert!(world.value(ROWS).await.starts_with("SL1 BELOW"));
}

#[tokio::test]
async fn behind_a_lost_database_the_newest_is_written() {
    let mut world = World::start().await;
    let (board, task, stop) = start(&world.postgres);
    let at = |price| levels(FIRST, "005930", &[(ExitReason::Sl1, None, Below, price)]);
    board.tell(TEN, at(1));
    world
        .expect("SELECT level FROM trade.exit_levels", "1.0000")
        .await;
    world.server.crash();
    for price in 2..1_000 {
        board.tell(TEN.plus_micros(price), at(i64::try_from(price).unwrap()));
    }
    world.server.resume().await;
    world.client = world.server.client().await;
    world
        .expect("SELECT level FROM trade.exit_levels", "999.0000")
        .await;
    stop.cancel();
    task.await.unwrap();
}

#[tokio::test]
async fn a_start_clears_what_is_no_longer_held_or_judged() {
    let world = World::start().await;
    let row = |position: &str| {
        format!(
            "INSERT INTO trade.exit_levels (position_id, symbol, reason, side, level, profile_id,
                 profile_version, profile_level, since)
             VALUES ('{position}', '005930', 'SL1', 'BELOW', 1, 'default', 1, 'DEFAULT', now())"
        )
    };
    let gone = "33333333-3333-4333-8333-333333333333";
    for position in [FIRST, SECOND, gone] {
        world.sql(&row(position)).await;
    }
    world
        .sql(&format!(
            "UPDATE trade.positions SET exit_mode = 'MANUAL_ONLY' WHERE position_id = '{SECOND}'"
        ))
        .await;
    let (_board, task, stop) = start(&world.postgres);
    let left = "SELECT string_agg(position_id::text, ' ') FROM trade.exit_levels";
    world.expect(left, FIRST).await;
    stop.cancel();
    task.await.unwrap();
}
