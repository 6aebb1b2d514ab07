//! What fills do to orders and positions.

use turnstile_dataflows::model::ExitReason;

use super::decisions::{exit, item};
use super::rig::{POSITION, Rig};

const QTY: &str = "SELECT qty || ' ' || status FROM trade.positions";
const STATE: &str = "SELECT phase || ' ' || coalesce(stop_floor_price::text, '-')
    FROM trade.position_state";
/// What each sale brought, the smaller first.
const RESULTS: &str = "SELECT string_agg(r.qty || ' ' || r.realized_pnl, ', ' ORDER BY r.qty)
    FROM trade.sale_results r JOIN trade.executions x ON x.fill_id = r.sale_id AND x.ts = r.sold_ts
        AND x.qty = r.qty";
const EXECUTED: &str = "SELECT coalesce(sum(qty), 0) || ' in ' || count(*) FROM trade.executions";

async fn submitted(rig: &Rig, reason: ExitReason, qty: i64) -> String {
    let decision = exit(POSITION, reason, qty);
    rig.send(item(&decision)).await;
    rig.expect_status(decision.action_key.as_str(), "SUBMITTED")
        .await;
    decision.action_key.to_string()
}

#[tokio::test]
async fn partial_fills_move_the_quantity_and_the_end_moves_the_phase() {
    let rig = Rig::start_without_poll().await;
    let order = submitted(&rig, ExitReason::Tp1, 10).await;
    rig.broker.fill_and_tell(0, 4, 70_000).await;
    rig.expect_status(&order, "PARTIAL").await;
    rig.expect(QTY, "96 CLOSING").await;
    rig.expect(STATE, "OPEN -").await;
    rig.broker.fill_and_tell(0, 6, 70_100).await;
    rig.expect_status(&order, "FILLED").await;
    rig.expect(QTY, "90 OPEN").await;
    rig.expect(STATE, "TP1_DONE 65390.0000").await;
    // 0.1 % and 0.2 % of the running amount, cut to the won: 280 + 420, 560 + 841.
    let costs = "SELECT string_agg(trunc(fee) || '/' || trunc(tax), ' ' ORDER BY created_ts)
        FROM trade.executions";
    rig.expect(costs, "280/560 420/841").await;
    // Of 280,000 and 420,600, less what they cost and 65,000 a share.
    rig.expect(RESULTS, "4 19160.0000, 6 29339.0000").await;
    rig.expect("SELECT version FROM trade.positions", "3").await;
}

#[tokio::test]
async fn a_repeated_notice_sells_nothing_twice() {
    let rig = Rig::start_without_poll().await;
    let order = submitted(&rig, ExitReason::Sl1, 50).await;
    let notice = rig.broker.fill_and_tell(0, 20, 70_000).await;
    rig.expect_status(&order, "PARTIAL").await;
    rig.broker.tell(notice.clone()).await;
    rig.until(|rig| rig.broker.lists() >= 1, true).await;
    rig.expect(EXECUTED, "20 in 1").await;
    rig.expect("SELECT count(*) FROM trade.sale_results", "1")
        .await;
    rig.expect(QTY, "80 CLOSING").await;
    // Two equal fills in one second give equal notices: the list tells them from a repeat.
    rig.broker.fill(0, 20, 70_000);
    rig.broker.tell(notice).await;
    rig.expect(EXECUTED, "40 in 2").await;
    rig.expect(QTY, "60 CLOSING").await;
}

#[tokio::test]
async fn a_notice_before_the_answer_is_kept_until_the_number_is_known() {
    let rig = Rig::start_without_poll().await;
    rig.broker
        .script([super::broker::Script::FillBeforeAnswer(70_000)]);
    let decision = exit(POSITION, ExitReason::Sl1, 50);
    rig.send(item(&decision)).await;
    rig.expect_status(decision.action_key.as_str(), "FILLED")
        .await;
    rig.expect(QTY, "50 OPEN").await;
    rig.expect(
        "SELECT string_agg(source, ' ') FROM trade.executions",
        "NOTICE",
    )
    .await;
}

#[tokio::test]
async fn lost_notices_are_made_up_for_by_the_list() {
    let rig = Rig::start().await;
    let order = submitted(&rig, ExitReason::Sl1, 50).await;
    rig.broker.fill(0, 20, 70_000);
    rig.broker.fill_and_tell(0, 10, 70_300).await;
    rig.expect(EXECUTED.replace("count(*)", "'any'").as_str(), "30 in any")
        .await;
    rig.broker.fill(0, 20, 70_000);
    rig.broker.reconnect().await;
    rig.expect_status(&order, "FILLED").await;
    rig.expect(QTY, "50 OPEN").await;
    rig.expect(
        "SELECT sum(qty * price)::bigint FROM trade.executions",
        "3503000",
    )
    .await;
}

#[tokio::test]
async fn the_last_share_closes_the_position_with_one_exit_event() {
    let rig = Rig::start_without_poll().await;
    submitted(&rig, ExitReason::Sl1, 50).await;
    rig.broker.fill_and_tell(0, 50, 64_000).await;
    rig.expect(QTY, "50 OPEN").await;
    let order = submitted(&rig, ExitReason::Sl2, 50).await;
    rig.broker.fill_and_tell(1, 30, 62_000).await;
    rig.broker.fill_and_tell(1, 20, 61_000).await;
    rig.expect_status(&order, "FILLED").await;
    rig.expect(QTY, "0 CLOSED").await;
    rig.expect(STATE, "EXITED -").await;
    let event = "SELECT concat_ws(' ', exit_reason_code, source, exit_qty, original_qty,
        exit_avg_price, prior_hwm, exit_profile_id, account_id) FROM trade.exit_events";
    rig.expect(
        event,
        "SL2 AUTO_EXIT 100 100 62800.0000 71000.0000 default 50123456-01",
    )
    .await;
    // Sold for 6,280,000; costs 3200 + 6400, 1860 + 3720, 1220 + 2440; bought for 6,500,000.
    let result = "SELECT realized_pnl || ' ' || realized_pnl_pct FROM trade.exit_events";
    rig.expect(result, "-238840.0000 -3.674462").await;
    rig.expect(
        "SELECT count(*) || ' ' || sum(realized_pnl) FROM trade.sale_results",
        "3 -238840.0000",
    )
    .await;
    let closed =
        "SELECT (p.closed_ts IS NOT NULL) AND e.exit_ts = (SELECT max(ts) FROM trade.executions)
        FROM trade.positions p JOIN trade.exit_events e USING (position_id)";
    rig.expect(closed, "true").await;
}

#[tokio::test]
async fn each_sale_counts_against_the_average_cost_of_its_time() {
    let rig = Rig::start_without_poll().await;
    submitted(&rig, ExitReason::Sl1, 50).await;
    rig.broker.fill_and_tell(0, 50, 64_000).await;
    rig.expect(QTY, "50 OPEN").await;
    let dearer = "UPDATE trade.positions SET avg_price = 66000";
    let client = rig.postgres.client().await.unwrap();
    client.batch_execute(dearer).await.unwrap();
    drop(client);
    let order = submitted(&rig, ExitReason::Sl2, 40).await;
    rig.broker.fill_and_tell(1, 40, 64_000).await;
    rig.expect_status(&order, "FILLED").await;
    // 3,200,000 less 9600 and 3,250,000; 2,560,000 less 7680 and 2,640,000.
    rig.expect(RESULTS, "40 -87680.0000, 50 -59600.0000").await;
    let events = "SELECT count(*) FROM trade.exit_events";
    assert_eq!(rig.value(events).await, "0", "it is still held");
}

#[tokio::test]
async fn a_cancellation_with_fills_that_nobody_heard_of_waits_for_the_list() {
    let rig = Rig::start_without_poll().await;
    let order = submitted(&rig, ExitReason::Tp1, 10).await;
    rig.broker.fill(0, 7, 70_000); // Its notice is lost.
    rig.broker.end(0, false, true).await;
    rig.expect_status(&order, "CANCELLED_PARTIAL").await;
    rig.expect(EXECUTED, "7 in 1").await;
    rig.expect(QTY, "93 OPEN").await;
    rig.expect(STATE, "TP1_DONE 65390.0000").await;
}

#[tokio::test]
async fn a_fill_after_the_end_still_counts() {
    let rig = Rig::start_without_poll().await;
    let order = submitted(&rig, ExitReason::Tp1, 10).await;
    rig.broker.end(0, false, true).await;
    rig.expect_status(&order, "CANCELLED").await;
    rig.expect(STATE, "OPEN -").await;
    rig.broker.fill_and_tell(0, 3, 70_000).await;
    rig.expect_status(&order, "CANCELLED_PARTIAL").await;
    rig.expect(QTY, "97 OPEN").await;
    rig.expect(STATE, "TP1_DONE 65390.0000").await;
}

#[tokio::test]
async fn a_rejection_after_receipt_is_heard_by_notice_or_list() {
    let rig = Rig::start().await;
    let order = submitted(&rig, ExitReason::Sl1, 50).await;
    rig.broker.end(0, true, true).await;
    rig.expect_status(&order, "REJECTED").await;
    rig.expect(QTY, "100 OPEN").await;
    let order = submitted(&rig, ExitReason::Sl2, 100).await;
    rig.broker.end(1, true, false).await;
    rig.expect_status(&order, "REJECTED").await;
    rig.expect(QTY, "100 OPEN").await;
}

#[tokio::test]
async fn a_notice_of_an_order_that_is_not_ours_is_reported_once() {
    let rig = Rig::start().await;
    submitted(&rig, ExitReason::Sl1, 50).await;
    let mut notice = rig.broker.fill(0, 10, 70_000);
    notice.number = "0000007777".to_owned(); // No list has it.
    rig.broker.tell(notice).await;
    rig.expect(
        "SELECT count(*) FROM system.logs WHERE event = 'NOTICE_UNMATCHED'",
        "1",
    )
    .await;
    rig.expect(QTY, "90 CLOSING").await; // By the list, for our own.
}

#[tokio::test]
async fn shares_that_a_position_does_not_hold_are_not_counted_again() {
    let rig = Rig::start_without_poll().await;
    let order = submitted(&rig, ExitReason::Sl1, 100).await;
    // The others are gone, and were counted then.
    let gone = "UPDATE trade.positions SET qty = 60";
    let client = rig.postgres.client().await.unwrap();
    client.batch_execute(gone).await.unwrap();
    drop(client);
    rig.broker.fill_and_tell(0, 100, 64_000).await;
    rig.expect_status(&order, "FILLED").await;
    rig.expect(QTY, "0 CLOSED").await;
    // Of 3,840,000, less 19,200 and 3,900,000.
    let counted = "SELECT string_agg(qty || ' ' || realized_pnl, ', ') FROM trade.sale_results";
    rig.expect(counted, "60 -79200.0000").await;
}
