//! The running router: it hears of arrivals, and looks by itself.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use turnstile_connectors::task;

use crate::world::World;

const PLACED: &str = "SELECT count(*)::text FROM trade.pick_decisions WHERE decision = 'PLACED'";

#[tokio::test(flavor = "multi_thread")]
async fn an_arrival_is_heard_long_before_the_sweep() {
    let mut world = World::start().await;
    world.config.sweep = Duration::from_secs(3_600);
    let stop = CancellationToken::new();
    let running = task::spawn("picks", world.router().run(stop.clone()));
    world.send(3002, "a", &["('100010', 0.9, 'HIGH', 1)"]).await;
    world.expect(PLACED, "1").await;
    // Also after its connection was lost.
    let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query = 'LISTEN turnstile_picks'";
    world.sql(cut).await;
    world.send(3002, "b", &["('100020', 0.9, 'HIGH', 1)"]).await;
    world.expect(PLACED, "2").await;
    stop.cancel();
    running.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sweep_takes_up_what_is_held() {
    let mut world = World::start().await;
    world.config.sweep = Duration::from_secs(1);
    world.open(false);
    let stop = CancellationToken::new();
    let running = task::spawn("picks", world.router().run(stop.clone()));
    world.send(3002, "a", &["('100010', 0.9, 'HIGH', 1)"]).await;
    world
        .expect("SELECT count(*)::text FROM trade.pick_holds", "1")
        .await;
    // Nobody notifies of it.
    world.open(true);
    world.expect(PLACED, "1").await;
    stop.cancel();
    running.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_is_told_once_and_ends_with_its_cause() {
    let mut world = World::start().await;
    world.config.sweep = Duration::from_secs(1);
    world
        .sql("ALTER TABLE trade.pick_holds RENAME TO gone")
        .await;
    world.open(false);
    let stop = CancellationToken::new();
    let running = task::spawn("picks", world.router().run(stop.clone()));
    world.send(3002, "a", &["('100010', 0.9, 'HIGH', 1)"]).await;
    let told = "SELECT count(*)::text FROM system.logs WHERE event = 'picks_fail'";
    world.expect(told, "1").await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(world.text(told).await, "1");
    world
        .sql("ALTER TABLE trade.gone RENAME TO pick_holds")
        .await;
    world
        .expect("SELECT count(*)::text FROM trade.pick_holds", "1")
        .await;
    stop.cancel();
    running.await.unwrap();
}
