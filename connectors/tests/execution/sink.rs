//! What the order sink does with repeats, refusals and a database that is away.

use turnstile_dataflows::model::ExitReason;

use super::decisions::{exit, item};
use super::rig::{POSITION, Rig};

#[tokio::test]
async fn a_decision_told_twice_is_one_order() {
    let rig = Rig::start().await;
    let decision = exit(POSITION, ExitReason::Sl1, 50);
    rig.send(item(&decision)).await;
    rig.send(item(&decision)).await;
    let other = exit(POSITION, ExitReason::Sl2, 50);
    rig.send(item(&other)).await;
    // The more severe one may overtake the other.
    for action_key in [&decision.action_key, &other.action_key] {
        rig.expect_status(action_key.as_str(), "SUBMITTED").await;
    }
    rig.expect("SELECT count(*) FROM trade.orders", "2").await;
    assert_eq!(rig.broker.orders().len(), 2);
}

#[tokio::test]
async fn a_decision_that_the_database_refuses_is_set_aside_alone() {
    let rig = Rig::start().await;
    let nobody = "22222222-2222-4222-8222-222222222222";
    rig.send(item(&exit(nobody, ExitReason::Sl1, 50))).await;
    rig.send(item(&exit("not-a-uuid", ExitReason::Sl1, 50)))
        .await;
    let decision = exit(POSITION, ExitReason::Sl1, 50);
    rig.send(item(&decision)).await;
    rig.expect_status(decision.action_key.as_str(), "SUBMITTED")
        .await;
    rig.expect(
        "SELECT count(*) FROM system.logs WHERE event = 'DECISION_REFUSED'",
        "2",
    )
    .await;
    rig.expect("SELECT count(*) FROM trade.orders", "1").await;
}

#[tokio::test]
async fn decisions_wait_while_the_database_is_away() {
    let mut rig = Rig::at_rest().await;
    rig.resume();
    rig.until(Rig::is_ready, true).await;
    rig.server.halt();
    let decision = exit(POSITION, ExitReason::Sl2, 100);
    rig.send(item(&decision)).await;
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    assert!(rig.broker.orders().is_empty());
    rig.server.resume();
    rig.until(|rig| rig.broker.orders().len(), 1).await;
    rig.expect_status(decision.action_key.as_str(), "SUBMITTED")
        .await;
}
