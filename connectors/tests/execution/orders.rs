//! From a decision to the broker's number.

use turnstile_dataflows::model::{ExitReason, Phase};

use super::broker::Script;
use super::decisions::{DECIDED, exit, exit_in, item};
use super::rig::{POSITION, Rig};

const POSITION_STATUS: &str = "SELECT status FROM trade.positions";
const LOGS: &str = "SELECT count(*) FROM trade.orders, system.logs WHERE event = ";

#[tokio::test]
async fn sending_is_committed_before_the_call_and_the_number_after_it() {
    let rig = Rig::start().await;
    let decision = exit(POSITION, ExitReason::Sl1, 50);
    rig.send(item(&decision)).await;
    rig.expect_status(decision.action_key.as_str(), "SUBMITTED")
        .await;
    assert_eq!(rig.broker.seen(), ["SENDING"]);
    assert_eq!(rig.events().await, "NEW SENDING SUBMITTED");
    let number = "SELECT broker_order_no || '/' || broker_org_no || '/' || broker_date
        FROM trade.orders_now";
    rig.expect(number, "0000001000/00950/2026-11-24").await;
    rig.expect(POSITION_STATUS, "CLOSING").await;
    assert!(!rig.forgotten.0.lock().unwrap().is_empty());
    let explained =
        "SELECT explanation->>'last' || ' ' || (explanation->>'tick') FROM trade.orders";
    rig.expect(explained, &format!("70000 {DECIDED}")).await;
}

#[tokio::test]
async fn an_order_waits_for_its_price_to_be_durable() {
    let rig = Rig::start().await;
    rig.durable.send_replace(DECIDED.micros() - 1);
    let decision = exit(POSITION, ExitReason::Sl1, 50);
    rig.send(item(&decision)).await;
    // SENDING is committed meanwhile.
    rig.expect_status(decision.action_key.as_str(), "SENDING")
        .await;
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    assert!(rig.broker.orders().is_empty());
    rig.durable.send_replace(DECIDED.micros());
    rig.expect_status(decision.action_key.as_str(), "SUBMITTED")
        .await;
}

#[tokio::test]
async fn a_session_that_closes_while_the_price_is_stored_is_not_called() {
    let rig = Rig::start().await;
    rig.durable.send_replace(DECIDED.micros() - 1);
    let decision = exit(POSITION, ExitReason::Sl1, 50);
    rig.send(item(&decision)).await;
    rig.expect_status(decision.action_key.as_str(), "SENDING")
        .await;
    rig.open_session(false);
    rig.durable.send_replace(DECIDED.micros());
    rig.expect_status(decision.action_key.as_str(), "NEW").await;
    assert!(rig.broker.orders().is_empty());
    rig.open_session(true);
    rig.expect_status(decision.action_key.as_str(), "SUBMITTED")
        .await;
    assert_eq!(rig.broker.orders().len(), 1);
}

#[tokio::test]
async fn a_closed_session_holds_the_order_and_says_so_once() {
    let rig = Rig::start().await;
    rig.open_session(false);
    let decision = exit(POSITION, ExitReason::Sl1, 50);
    rig.send(item(&decision)).await;
    rig.expect(&format!("{LOGS}'ORDER_HELD'"), "1").await;
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    assert!(rig.broker.orders().is_empty());
    rig.expect(&format!("{LOGS}'ORDER_HELD'"), "1").await;
    rig.open_session(true);
    rig.expect_status(decision.action_key.as_str(), "SUBMITTED")
        .await;
}

#[tokio::test]
async fn an_order_of_another_account_is_never_sent() {
    let rig = Rig::start().await;
    let client = rig.postgres.client().await.unwrap();
    client
        .batch_execute("UPDATE trade.positions SET account_id = '99999999-01'")
        .await
        .unwrap();
    rig.send(item(&exit(POSITION, ExitReason::Sl1, 50))).await;
    rig.expect(&format!("{LOGS}'ORDER_HELD'"), "1").await;
    assert!(rig.broker.orders().is_empty());
}

#[tokio::test]
async fn an_order_written_by_somebody_else_is_found_and_sent() {
    let rig = Rig::start().await;
    let manual = format!(
        "WITH o AS (INSERT INTO trade.orders (order_id, action_key, account_id, position_id, symbol,
            side, intent_type, qty, order_type, limit_price, reason_code, price, level, decided_us,
            explanation)
         SELECT gen_random_uuid(), 'manual', account_id, position_id, symbol, 'SELL',
            'EXIT_PARTIAL', 5, 'LMT', 70050, 'MANUAL', 70000, 70000, 1, '{{}}'
         FROM trade.positions WHERE position_id = '{POSITION}' RETURNING order_id)
         INSERT INTO trade.order_events (order_id, status) SELECT order_id, 'NEW' FROM o"
    );
    rig.postgres
        .client()
        .await
        .unwrap()
        .batch_execute(&manual)
        .await
        .unwrap();
    rig.expect_status("manual", "SUBMITTED").await;
}

#[tokio::test]
async fn a_lost_answer_is_adopted_and_not_sent_again() {
    let rig = Rig::start().await;
    rig.broker.script([Script::LoseAnswer]);
    let decision = exit(POSITION, ExitReason::Sl1, 50);
    rig.send(item(&decision)).await;
    rig.expect_status(decision.action_key.as_str(), "SUBMITTED")
        .await;
    assert_eq!(rig.events().await, "NEW SENDING UNKNOWN SUBMITTED");
    assert_eq!(rig.broker.orders().len(), 1);
    rig.expect("SELECT broker_order_no FROM trade.orders_now", "0000001000")
        .await;
}

#[tokio::test]
async fn a_lost_order_is_sent_again_only_after_it_was_proved_absent() {
    let rig = Rig::start().await;
    rig.until(Rig::is_ready, true).await;
    rig.broker.script([Script::LoseOrder]);
    rig.broker.set_listing(false);
    let decision = exit(POSITION, ExitReason::Sl1, 50);
    rig.send(item(&decision)).await;
    rig.expect_status(decision.action_key.as_str(), "UNKNOWN")
        .await;
    tokio::time::sleep(std::time::Duration::from_millis(600)).await;
    assert_eq!(
        rig.broker.seen().len(),
        1,
        "without a complete list nothing is proved"
    );
    rig.broker.set_listing(true);
    rig.expect_status(decision.action_key.as_str(), "SUBMITTED")
        .await;
    assert_eq!(
        rig.events().await,
        "NEW SENDING UNKNOWN NEW SENDING SUBMITTED"
    );
    assert_eq!(rig.broker.orders().len(), 1);
}

#[tokio::test]
async fn an_order_of_somebody_else_is_not_adopted() {
    let rig = Rig::start().await;
    let first = exit(POSITION, ExitReason::Tp1, 10);
    rig.send(item(&first)).await;
    rig.expect_status(first.action_key.as_str(), "SUBMITTED")
        .await;
    // Ours already, another quantity, too early: none of these is the lost order.
    let mut other = rig.broker.orders()[0].clone();
    other.order.number = "0000007777".to_owned();
    other.qty = "11".parse::<i64>().unwrap().try_into().unwrap();
    rig.broker.stranger(&other);
    other.order.number = "0000008888".to_owned();
    other.qty = rig.broker.orders()[0].qty;
    other.time = Some(jiff::civil::time(9, 30, 0, 0));
    rig.broker.stranger(&other);
    rig.broker.script([Script::LoseOrder]);
    let second = exit(POSITION, ExitReason::Sl1, 10);
    rig.send(item(&second)).await;
    rig.expect_status(second.action_key.as_str(), "SUBMITTED")
        .await;
    assert_eq!(rig.broker.seen().len(), 3);
    assert_eq!(rig.broker.orders().len(), 4);
}

#[tokio::test]
async fn a_refusal_ends_the_order_and_frees_the_position() {
    let rig = Rig::start().await;
    rig.broker
        .script([Script::Reject("APBK0400", "more than can be sold")]);
    let decision = exit(POSITION, ExitReason::Sl1, 50);
    rig.send(item(&decision)).await;
    rig.expect_status(decision.action_key.as_str(), "REJECTED")
        .await;
    let why = "SELECT code || ' ' || message FROM trade.order_events WHERE status = 'REJECTED'";
    rig.expect(why, "APBK0400 more than can be sold").await;
    rig.expect(POSITION_STATUS, "OPEN").await;
}

#[tokio::test]
async fn a_throttled_order_goes_out_later() {
    let rig = Rig::start().await;
    rig.broker.script([Script::Throttle, Script::Throttle]);
    let decision = exit(POSITION, ExitReason::Sl1, 50);
    rig.send(item(&decision)).await;
    rig.expect_status(decision.action_key.as_str(), "SUBMITTED")
        .await;
    assert_eq!(
        rig.events().await,
        "NEW SENDING NEW SENDING NEW SENDING SUBMITTED"
    );
    rig.expect("SELECT send_attempt FROM trade.orders_now", "3")
        .await;
}

#[tokio::test]
async fn a_full_stop_cancels_what_is_weaker_and_sells_what_that_frees() {
    let rig = Rig::start().await;
    let weak = exit(POSITION, ExitReason::Tp1, 10);
    rig.send(item(&weak)).await;
    rig.expect_status(weak.action_key.as_str(), "SUBMITTED")
        .await;
    rig.broker.fill_and_tell(0, 4, 70_000).await;
    rig.expect_status(weak.action_key.as_str(), "PARTIAL").await;
    let mut stop = exit(POSITION, ExitReason::Sl2, 100);
    stop.cancels = vec![weak.action_key.clone()];
    rig.send(item(&stop)).await;
    rig.expect_status(stop.action_key.as_str(), "SUBMITTED")
        .await;
    rig.expect_status(weak.action_key.as_str(), "CANCELLED_PARTIAL")
        .await;
    // Four are sold, so no more than 96 may be asked for.
    assert_eq!(rig.broker.orders()[1].qty.shares(), 96);
    let sent = format!(
        "SELECT sent_qty FROM trade.orders_now WHERE action_key = '{}'",
        stop.action_key
    );
    rig.expect(&sent, "96").await;
    // Who follows hears of that, since it makes the order whole; not of marks that say nothing new.
    let told = "SELECT string_agg(content->>'sent_qty', ' ') FROM system.change_log
        WHERE table_name = 'trade.order_events' AND content->>'status' IN ('NEW', 'SENDING')";
    rig.expect(told, "96").await;
}

#[tokio::test]
async fn a_full_stop_waits_while_a_weaker_order_still_stands() {
    let rig = Rig::start().await;
    let weak = exit(POSITION, ExitReason::Tp1, 10);
    rig.send(item(&weak)).await;
    rig.expect_status(weak.action_key.as_str(), "SUBMITTED")
        .await;
    rig.broker.set_cancelling(false);
    let mut stop = exit(POSITION, ExitReason::Sl2, 100);
    stop.cancels = vec![weak.action_key.clone()];
    rig.send(item(&stop)).await;
    rig.expect(&format!("{LOGS}'CANCEL_NOT_CONFIRMED' LIMIT 1"), "2")
        .await;
    assert_eq!(rig.broker.orders().len(), 1);
    // The fill wins the race against the cancellation.
    rig.broker.fill_and_tell(0, 10, 70_000).await;
    rig.expect_status(stop.action_key.as_str(), "SUBMITTED")
        .await;
    assert_eq!(rig.broker.orders()[1].qty.shares(), 90);
}

#[tokio::test]
async fn a_weaker_order_that_was_not_sent_is_cancelled_here() {
    let rig = Rig::start().await;
    rig.open_session(false);
    let weak = exit(POSITION, ExitReason::Tp1, 10);
    let mut stop = exit(POSITION, ExitReason::Sl2, 100);
    stop.cancels = vec![weak.action_key.clone()];
    rig.send(item(&weak)).await;
    rig.send(item(&stop)).await;
    rig.expect(&format!("{LOGS}'ORDER_HELD'"), "4").await; // Two orders, two rows.
    rig.open_session(true);
    rig.expect_status(stop.action_key.as_str(), "SUBMITTED")
        .await;
    rig.expect_status(weak.action_key.as_str(), "CANCELLED")
        .await;
    assert_eq!(rig.broker.orders().len(), 1);
    assert_eq!(rig.broker.orders()[0].qty.shares(), 100);
}

#[tokio::test]
async fn an_order_for_which_nothing_is_left_is_cancelled_here() {
    let rig = Rig::start().await;
    let first = exit(POSITION, ExitReason::Sl2, 100);
    rig.send(item(&first)).await;
    rig.expect_status(first.action_key.as_str(), "SUBMITTED")
        .await;
    let late = exit_in(POSITION, ExitReason::HardStop, 100, Phase::Open, 1);
    rig.send(item(&late)).await;
    rig.expect_status(late.action_key.as_str(), "CANCELLED")
        .await;
    assert_eq!(rig.broker.orders().len(), 1);
    rig.expect(POSITION_STATUS, "CLOSING").await;
}

#[tokio::test]
async fn orders_of_one_position_are_never_sent_side_by_side() {
    let rig = Rig::start().await;
    rig.broker.script([Script::HangBeforeReceipt]);
    rig.send(item(&exit(POSITION, ExitReason::Sl1, 50))).await;
    rig.broker.hanging.notified().await;
    let second = exit(POSITION, ExitReason::BreakEven, 50);
    rig.send(item(&second)).await;
    rig.expect_status(second.action_key.as_str(), "NEW").await;
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    assert_eq!(rig.broker.seen().len(), 1);
}
