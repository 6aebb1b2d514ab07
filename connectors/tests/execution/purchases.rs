//! Purchases between the request and the broker: what they wait for, and what ends them before they leave.

use std::time::Duration;

use turnstile_connectors::execution::{Approval, ExecutionConfig};
use turnstile_dataflows::model::ExitReason;
use turnstile_dataflows::risk::ViewChange;

use super::account::stop;
use super::decisions::{DECIDED, exit, item};
use super::rig::{POSITION, Rig, config};

const DAY_US: u64 = 24 * 3_600_000_000;

/// Stores a purchase that is NEW.
async fn order(rig: &Rig, key: &str, reason: &str, decided_us: u64) {
    let rows = format!(
        "WITH o AS (INSERT INTO trade.orders (order_id, action_key, account_id, symbol, side,
            intent_type, qty, order_type, limit_price, reason_code, price, level, decided_us,
            explanation)
         SELECT gen_random_uuid(), '{key}', account_id, symbol, 'BUY', 'ENTRY', 5, 'LMT', 70000,
            '{reason}', 70000, 70000, {decided_us}, '{{}}'
         FROM trade.positions WHERE position_id = '{POSITION}' RETURNING order_id)
         INSERT INTO trade.order_events (order_id, status) SELECT order_id, 'NEW' FROM o"
    );
    let client = rig.postgres.client().await.unwrap();
    client.batch_execute(&rows).await.unwrap();
}

/// Asks to buy, so long ago.
async fn ask(rig: &Rig, key: &str, reason: &str, ago: &str) {
    let rows = format!(
        "INSERT INTO trade.manual_entries (request_id, symbol, qty, limit_price, asked_by,
            strategy_id, action_key, reason_code, created_ts)
         VALUES (gen_random_uuid(), '005930', 5, 70000, 'kim', 'daily', '{key}', '{reason}',
            now() - interval '{ago}')"
    );
    let client = rig.postgres.client().await.unwrap();
    client.batch_execute(&rows).await.unwrap();
}

fn request(key: &str) -> String {
    format!(
        "SELECT concat_ws(' ', state, message) FROM trade.manual_entries WHERE action_key = '{key}'"
    )
}

fn end(key: &str) -> String {
    format!(
        "SELECT e.code FROM trade.order_events e JOIN trade.orders o USING (order_id)
         WHERE o.action_key = '{key}' AND e.status = 'CANCELLED'"
    )
}

#[tokio::test]
async fn one_that_no_person_asked_for_does_not_leave_on_another_day() {
    let rig = Rig::start().await;
    let today = DECIDED.micros();
    order(&rig, "old", "REBALANCE", today - DAY_US).await;
    order(&rig, "asked", "MANUAL", today - DAY_US).await;
    order(&rig, "new", "REBALANCE", today).await;
    rig.expect_status("asked", "SUBMITTED").await;
    rig.expect_status("new", "SUBMITTED").await;
    rig.expect_status("old", "CANCELLED").await;
    rig.expect(&end("old"), "OUTDATED").await;
    assert_eq!(rig.broker.orders().len(), 2);
}

#[tokio::test]
async fn the_emergency_stop_ends_one_that_has_not_left_and_lets_a_sale_go() {
    let rig = Rig::start().await;
    rig.until(Rig::is_ready, true).await;
    rig.gate().update(vec![ViewChange::Stop(Some(stop(true)))]);
    order(&rig, "approved", "MANUAL", DECIDED.micros()).await;
    rig.expect_status("approved", "CANCELLED").await;
    rig.expect(&end("approved"), "EMERGENCY_STOP").await;
    let decision = exit(POSITION, ExitReason::Sl1, 50);
    rig.send(item(&decision)).await;
    rig.expect_status(decision.action_key.as_str(), "SUBMITTED")
        .await;
    assert_eq!(rig.broker.orders().len(), 1);
}

#[tokio::test]
async fn one_of_a_strategy_waits_for_approval_and_one_by_hand_has_it() {
    let rig = Rig::start_with(ExecutionConfig {
        approval: Approval::All,
        ..config()
    })
    .await;
    ask(&rig, "REBAL:p:005930:BUY", "REBALANCE", "0 s").await;
    ask(&rig, "ENTRY:20261124:005930:3002:a", "PICK", "0 s").await;
    ask(&rig, "hand", "MANUAL", "0 s").await;
    rig.expect_status("REBAL:p:005930:BUY", "PENDING_APPROVAL")
        .await;
    rig.expect_status("ENTRY:20261124:005930:3002:a", "PENDING_APPROVAL")
        .await;
    rig.expect_status("hand", "SUBMITTED").await;
    assert_eq!(rig.broker.orders().len(), 1);
}

#[tokio::test]
async fn what_a_request_was_computed_from_grows_old() {
    let rig = Rig::start().await;
    let old = "REFUSED it was asked for too long ago";
    ask(&rig, "yesterday", "REBALANCE", "24 hours").await;
    ask(&rig, "minute", "PICK", "61 s").await;
    ask(&rig, "hand", "MANUAL", "24 hours").await;
    rig.expect(&request("yesterday"), old).await;
    rig.expect(&request("minute"), old).await;
    rig.expect(&request("hand"), "ORDERED").await;
}

#[tokio::test]
async fn while_no_order_may_leave_requests_of_strategies_wait() {
    let rig = Rig::start().await;
    rig.until(Rig::is_ready, true).await;
    rig.open_session(false);
    ask(&rig, "strategy", "REBALANCE", "0 s").await;
    ask(&rig, "hand", "MANUAL", "0 s").await;
    rig.expect(&request("hand"), "ORDERED").await;
    tokio::time::sleep(Duration::from_millis(400)).await;
    assert_eq!(rig.value(&request("strategy")).await, "ASKED");
    rig.open_session(true);
    rig.expect(&request("strategy"), "ORDERED").await;
}
