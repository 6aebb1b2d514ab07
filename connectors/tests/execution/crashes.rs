//! A crash between any two steps leaves exactly one effective order.

use turnstile_dataflows::model::ExitReason;

use super::broker::Script;
use super::decisions::{DECIDED, exit, item};
use super::rig::{POSITION, Rig};

/// Fills what the broker has and checks that it was everything, once.
async fn sells_everything_once(rig: &Rig, action_key: &str) {
    rig.until(Rig::is_ready, true).await;
    rig.until(|rig| rig.broker.orders().len(), 1).await;
    rig.expect(
        "SELECT status IN ('SUBMITTED', 'PARTIAL', 'FILLED') FROM trade.orders_now",
        "true",
    )
    .await;
    if !rig.broker.orders()[0].remaining.is_zero() {
        rig.broker.fill_and_tell(0, 100, 64_000).await;
    }
    rig.expect_status(action_key, "FILLED").await;
    rig.expect("SELECT sum(qty) FROM trade.executions", "100")
        .await;
    rig.expect("SELECT qty || status FROM trade.positions", "0CLOSED")
        .await;
    rig.expect("SELECT count(*) FROM trade.exit_events", "1")
        .await;
    assert_eq!(rig.broker.orders().len(), 1);
}

#[tokio::test]
async fn between_the_commit_and_the_executor() {
    let mut rig = Rig::start().await;
    rig.open_session(false);
    let decision = exit(POSITION, ExitReason::Sl2, 100);
    rig.send(item(&decision)).await;
    rig.expect_status(decision.action_key.as_str(), "NEW").await;
    rig.crash().await;
    rig.open_session(true);
    rig.resume();
    // The engine decides the same again from the same events.
    rig.send(item(&decision)).await;
    sells_everything_once(&rig, decision.action_key.as_str()).await;
}

#[tokio::test]
async fn between_sending_and_the_receipt() {
    let mut rig = Rig::start().await;
    rig.broker.script([Script::HangBeforeReceipt]);
    let decision = exit(POSITION, ExitReason::Sl2, 100);
    rig.send(item(&decision)).await;
    rig.broker.hanging.notified().await;
    rig.crash().await;
    rig.expect_status(decision.action_key.as_str(), "SENDING")
        .await;
    rig.resume();
    sells_everything_once(&rig, decision.action_key.as_str()).await;
    assert_eq!(
        rig.events().await,
        "NEW SENDING NEW SENDING SUBMITTED FILLED"
    );
}

#[tokio::test]
async fn between_the_receipt_and_the_answer() {
    let mut rig = Rig::start().await;
    rig.broker.script([Script::HangAfterReceipt]);
    let decision = exit(POSITION, ExitReason::Sl2, 100);
    rig.send(item(&decision)).await;
    rig.broker.hanging.notified().await;
    rig.crash().await;
    rig.resume();
    sells_everything_once(&rig, decision.action_key.as_str()).await;
    assert_eq!(rig.events().await, "NEW SENDING SUBMITTED FILLED");
}

#[tokio::test]
async fn while_the_outcome_is_unknown() {
    let mut rig = Rig::start().await;
    rig.until(Rig::is_ready, true).await;
    rig.broker.script([Script::LoseAnswer]);
    rig.broker.set_listing(false);
    let decision = exit(POSITION, ExitReason::Sl2, 100);
    rig.send(item(&decision)).await;
    rig.expect_status(decision.action_key.as_str(), "UNKNOWN")
        .await;
    rig.crash().await;
    rig.resume();
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    assert!(!rig.is_ready(), "new orders wait until the past is settled");
    rig.broker.set_listing(true);
    sells_everything_once(&rig, decision.action_key.as_str()).await;
}

#[tokio::test]
async fn before_the_tick_of_the_decision_is_stored() {
    let mut rig = Rig::start().await;
    rig.durable.send_replace(DECIDED.micros() - 1);
    let decision = exit(POSITION, ExitReason::Sl2, 100);
    rig.send(item(&decision)).await;
    rig.expect_status(decision.action_key.as_str(), "SENDING")
        .await;
    rig.crash().await;
    rig.begun_us = decision.time.micros();
    rig.resume();
    sells_everything_once(&rig, decision.action_key.as_str()).await;
    let stored = "SELECT logical_us || ' ' || source || ' ' || last_price FROM market.prices";
    rig.expect(stored, &format!("{} DECISION 70000.0000", DECIDED.micros()))
        .await;
}

#[tokio::test]
async fn between_the_number_and_the_fill() {
    let mut rig = Rig::start().await;
    let decision = exit(POSITION, ExitReason::Sl2, 100);
    rig.send(item(&decision)).await;
    rig.expect_status(decision.action_key.as_str(), "SUBMITTED")
        .await;
    rig.crash().await;
    rig.broker.fill(0, 100, 64_000); // Nobody hears the notice.
    rig.resume();
    sells_everything_once(&rig, decision.action_key.as_str()).await;
}

#[tokio::test]
async fn between_two_fills_the_first_of_which_is_told_again() {
    let mut rig = Rig::start().await;
    let decision = exit(POSITION, ExitReason::Sl2, 100);
    rig.send(item(&decision)).await;
    rig.expect_status(decision.action_key.as_str(), "SUBMITTED")
        .await;
    let notice = rig.broker.fill_and_tell(0, 40, 64_000).await;
    rig.expect_status(decision.action_key.as_str(), "PARTIAL")
        .await;
    rig.crash().await;
    rig.broker.fill(0, 60, 64_000);
    rig.resume();
    rig.broker.tell(notice).await;
    sells_everything_once(&rig, decision.action_key.as_str()).await;
}

#[tokio::test]
async fn an_orderly_stop_lets_a_call_end_and_stores_its_answer() {
    let mut rig = Rig::start().await;
    let decision = exit(POSITION, ExitReason::Sl2, 100);
    rig.send(item(&decision)).await;
    rig.until(|rig| rig.broker.seen().len(), 1).await;
    rig.stop().await;
    rig.expect_status(decision.action_key.as_str(), "SUBMITTED")
        .await;
}
