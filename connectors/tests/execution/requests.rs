//! What is asked of orders that stand.

use std::time::Duration;

use jiff::civil::time;
use turnstile_connectors::execution::{Approval, ExecutionConfig, TakeProfit};
use turnstile_dataflows::model::ExitReason;

use super::decisions::{exit, item};
use super::rig::{POSITION, Rig, config};

const POSITION_STATUS: &str = "SELECT status FROM trade.positions";

async fn ask(rig: &Rig, kind: &str) {
    let client = rig.postgres.client().await.unwrap();
    let statement =
        "INSERT INTO trade.order_requests (request_id, order_id, kind, asked_by, reason)
        SELECT gen_random_uuid(), order_id, $1, 'kim', 'because' FROM trade.orders";
    client.execute(statement, &[&kind]).await.unwrap();
}

async fn waiting_for_approval(approval: Approval, reason: ExitReason) -> (Rig, String) {
    let rig = Rig::start_with(ExecutionConfig {
        approval,
        ..config()
    })
    .await;
    let decision = exit(POSITION, reason, 10);
    rig.send(item(&decision)).await;
    let key = decision.action_key.as_str().to_owned();
    rig.expect_status(&key, "PENDING_APPROVAL").await;
    (rig, key)
}

#[tokio::test]
async fn a_take_profit_waits_for_the_operator_and_leaves_once_approved() {
    let (rig, key) = waiting_for_approval(Approval::ProfitOnly, ExitReason::Tp1).await;
    tokio::time::sleep(Duration::from_millis(400)).await;
    assert!(rig.broker.orders().is_empty());
    ask(&rig, "APPROVE").await;
    rig.expect_status(&key, "SUBMITTED").await;
    assert_eq!(rig.events().await, "PENDING_APPROVAL NEW SENDING SUBMITTED");
}

#[tokio::test]
async fn what_is_not_approved_ends_and_the_position_is_open_again() {
    let (rig, key) = waiting_for_approval(Approval::All, ExitReason::Time).await;
    rig.expect(POSITION_STATUS, "CLOSING").await;
    ask(&rig, "REJECT").await;
    rig.expect_status(&key, "CANCELLED").await;
    rig.expect(POSITION_STATUS, "OPEN").await;
    let told = "SELECT code || ': ' || message FROM trade.order_events WHERE status = 'CANCELLED'";
    rig.expect(told, "NOT_APPROVED: refused by kim: because")
        .await;
    ask(&rig, "APPROVE").await;
    tokio::time::sleep(Duration::from_millis(400)).await;
    assert!(rig.broker.orders().is_empty(), "too late");
}

#[tokio::test]
async fn an_approval_that_nobody_gives_expires() {
    let rig = Rig::start_with(ExecutionConfig {
        approval: Approval::ProfitOnly,
        approval_max: Duration::from_millis(600),
        ..config()
    })
    .await;
    let decision = exit(POSITION, ExitReason::Tp2, 10);
    rig.send(item(&decision)).await;
    rig.expect_status(decision.action_key.as_str(), "CANCELLED")
        .await;
    assert!(rig.broker.orders().is_empty());
}

#[tokio::test]
async fn what_protects_never_waits_for_the_operator() {
    let rig = Rig::start_with(ExecutionConfig {
        approval: Approval::All,
        ..config()
    })
    .await;
    let decision = exit(POSITION, ExitReason::Sl1, 10);
    rig.send(item(&decision)).await;
    rig.expect_status(decision.action_key.as_str(), "SUBMITTED")
        .await;
}

#[tokio::test]
async fn a_cancel_of_the_operator_withdraws_what_was_not_sent() {
    let rig = Rig::start().await;
    rig.open_session(false);
    let decision = exit(POSITION, ExitReason::Sl1, 10);
    rig.send(item(&decision)).await;
    rig.expect_status(decision.action_key.as_str(), "NEW").await;
    ask(&rig, "CANCEL").await;
    rig.expect_status(decision.action_key.as_str(), "CANCELLED")
        .await;
    rig.open_session(true);
    tokio::time::sleep(Duration::from_millis(400)).await;
    assert!(rig.broker.orders().is_empty());
}

#[tokio::test]
async fn a_cancel_of_the_operator_goes_to_the_broker_until_it_says_so() {
    let rig = Rig::start().await;
    let decision = exit(POSITION, ExitReason::Sl1, 10);
    rig.broker.set_cancelling(false);
    rig.send(item(&decision)).await;
    rig.expect_status(decision.action_key.as_str(), "SUBMITTED")
        .await;
    ask(&rig, "CANCEL").await;
    tokio::time::sleep(Duration::from_millis(400)).await;
    rig.expect_status(decision.action_key.as_str(), "SUBMITTED")
        .await;
    rig.broker.set_cancelling(true);
    rig.expect_status(decision.action_key.as_str(), "CANCELLED")
        .await;
}

#[tokio::test]
async fn a_take_profit_whose_price_has_run_away_is_taken_back() {
    let rig = Rig::start_with(ExecutionConfig {
        take_profit: TakeProfit::Limit,
        take_profit_patience: Duration::from_millis(500),
        ..config()
    })
    .await;
    let price = |bid: i64, us: i64| {
        format!(
            "SELECT market.ensure_prices_partition('2026-11-24');
             INSERT INTO market.prices (trade_date, logical_us, symbol, ts, recv_ts, source,
                 last_price, bid, volume, session)
             VALUES ('2026-11-24', {us}, '005930', now(), now(), 'KIS_WS', {bid}, {bid}, 1, 'REGULAR')"
        )
    };
    let client = rig.postgres.client().await.unwrap();
    client.batch_execute(&price(70_000, 1)).await.unwrap();
    let decision = exit(POSITION, ExitReason::Tp1, 10);
    rig.send(item(&decision)).await;
    let key = decision.action_key.as_str();
    rig.expect_status(key, "SUBMITTED").await;
    rig.expect(
        "SELECT order_type || limit_price FROM trade.orders",
        "LMT70000.0000",
    )
    .await;
    tokio::time::sleep(Duration::from_millis(900)).await;
    rig.expect_status(key, "SUBMITTED").await; // The bid still reaches it.
    client.batch_execute(&price(69_900, 2)).await.unwrap();
    rig.expect_status(key, "CANCELLED").await;
}

#[tokio::test]
async fn what_is_open_when_the_day_is_over_has_lapsed() {
    let rig = Rig::start_with(ExecutionConfig {
        lapse_at: time(10, 0, 0, 0), // It is ten in this market.
        ..config()
    })
    .await;
    let decision = exit(POSITION, ExitReason::Sl1, 10);
    rig.send(item(&decision)).await;
    rig.expect_status(decision.action_key.as_str(), "SUBMITTED")
        .await;
    rig.broker.fill_and_tell(0, 4, 69_000).await;
    rig.expect_status(decision.action_key.as_str(), "PARTIAL")
        .await;
    rig.open_session(false);
    rig.expect_status(decision.action_key.as_str(), "CANCELLED_PARTIAL")
        .await;
    rig.expect("SELECT qty FROM trade.positions", "96").await;
}
