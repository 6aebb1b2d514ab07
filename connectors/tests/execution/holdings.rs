//! What the broker lists and holds and nobody here ordered.

use std::time::Duration;

use jiff::civil::time;
use rust_decimal::Decimal;
use turnstile_connectors::execution::{BrokerRef, ListedOrder, Side};
use turnstile_dataflows::model::Quantity;

use super::broker::TODAY;
use super::rig::Rig;

const HELD: &str = "SELECT string_agg(symbol || ' ' || strategy_id || ' ' || qty || ' ' || status,
    ', ' ORDER BY strategy_id, symbol) FROM trade.positions";
const EXITS: &str = "SELECT string_agg(exit_qty || ' ' || exit_reason_code || ' ' || source, ', ')
    FROM trade.exit_events";

fn given(number: &str, side: Side, qty: i64, filled: i64, won: i64) -> ListedOrder {
    let shares = |shares| Quantity::new(shares).unwrap();
    ListedOrder {
        order: BrokerRef {
            date: TODAY,
            number: number.to_owned(),
            org: "00950".to_owned(),
        },
        original: None,
        symbol: "005930".parse().unwrap(),
        side,
        qty: shares(qty),
        time: Some(time(9, 30, 0, 0)),
        filled: shares(filled),
        amount: Decimal::from(filled * won),
        remaining: shares(qty - filled),
        rejected: Quantity::ZERO,
        cancelled: Quantity::ZERO,
    }
}

fn alarms(event: &str) -> String {
    format!("SELECT count(*) FROM system.logs WHERE event = '{event}'")
}

#[tokio::test]
async fn a_sale_by_hand_closes_the_position_with_an_exit_event_of_its_own() {
    let mut rig = Rig::at_rest().await;
    rig.broker
        .stranger(&given("0000000007", Side::Sell, 100, 100, 66_000));
    rig.broker.hold(&[]);
    rig.resume();
    rig.expect(EXITS, "100 MANUAL MANUAL").await;
    rig.expect(HELD, "005930 momentum 0 CLOSED").await;
    rig.expect(
        "SELECT action_key || ' ' || status FROM trade.orders_now",
        "BROKER:2026-11-24:0000000007 FILLED",
    )
    .await;
    let sold_by = "SELECT action_key FROM trade.sale_results JOIN trade.orders USING (order_id)";
    assert_eq!(rig.value(sold_by).await, "BROKER:2026-11-24:0000000007");
    rig.until(Rig::is_ready, true).await;
    rig.expect(&alarms("FOREIGN_ORDER"), "1").await;
    assert_eq!(rig.value(&alarms("HOLDING_VANISHED")).await, "0");
    rig.stop().await;
}

#[tokio::test]
async fn what_the_account_is_worth_is_stored_with_the_moment_of_the_question() {
    let mut rig = Rig::at_rest().await;
    rig.resume();
    rig.until(Rig::is_ready, true).await;
    rig.expect(
        "SELECT equity || ' ' || cash || ' ' || (asof_ts BETWEEN now() - interval '1 minute' AND now())
         FROM trade.account_equity",
        "100000000.0000 40000000.0000 true",
    )
    .await;
    rig.stop().await;
}

#[tokio::test]
async fn fills_of_the_day_that_the_positions_hold_already_are_let_be() {
    let mut rig = Rig::at_rest().await;
    rig.broker
        .stranger(&given("0000000007", Side::Buy, 100, 100, 65_000));
    rig.resume();
    rig.until(Rig::is_ready, true).await;
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    assert_eq!(rig.value(HELD).await, "005930 momentum 100 OPEN");
    assert_eq!(rig.value("SELECT count(*) FROM trade.orders").await, "0");
    rig.stop().await;
}

#[tokio::test]
async fn at_a_start_the_latest_fills_count_that_explain_what_the_account_holds() {
    let mut rig = Rig::at_rest().await;
    rig.broker
        .stranger(&given("0000000007", Side::Buy, 50, 50, 65_000)); // In the position already.
    rig.broker
        .stranger(&given("0000000008", Side::Sell, 30, 30, 66_000));
    rig.broker.hold(&[("005930", 70, 65_000)]);
    rig.resume();
    rig.until(Rig::is_ready, true).await;
    assert_eq!(rig.value(HELD).await, "005930 momentum 70 OPEN");
    let orders = "SELECT string_agg(action_key, ', ') FROM trade.orders";
    assert_eq!(rig.value(orders).await, "BROKER:2026-11-24:0000000008");
    rig.stop().await;
}

#[tokio::test]
async fn a_purchase_by_hand_becomes_a_position_and_follows_its_order() {
    let mut rig = Rig::start().await;
    rig.until(Rig::is_ready, true).await;
    rig.broker
        .stranger(&given("0000000007", Side::Buy, 30, 10, 65_000));
    rig.broker.hold(&[("005930", 110, 65_000)]);
    rig.broker.reconnect().await;
    rig.expect(HELD, "005930 MANUAL 10 OPEN, 005930 momentum 100 OPEN")
        .await;
    rig.broker.hold(&[("005930", 130, 65_000)]);
    rig.broker.fill_and_tell(0, 20, 65_100).await;
    rig.expect(HELD, "005930 MANUAL 30 OPEN, 005930 momentum 100 OPEN")
        .await;
    assert_eq!(rig.value(&alarms("HOLDING_APPEARED")).await, "0");
    rig.stop().await;
}

#[tokio::test]
async fn an_order_by_hand_that_fills_after_positions_were_made_good_counts() {
    let mut rig = Rig::start().await;
    rig.until(Rig::is_ready, true).await;
    rig.broker
        .stranger(&given("0000000007", Side::Buy, 30, 0, 65_000));
    rig.broker.reconnect().await;
    rig.broker.hold(&[("005930", 90, 65_000)]);
    rig.expect(HELD, "005930 momentum 90 OPEN").await;
    // The list shows it without fills for longer than it may lag.
    tokio::time::sleep(2 * super::rig::config().settle_delay).await;
    rig.broker.reconnect().await;
    tokio::time::sleep(2 * super::rig::config().poll_spacing).await;
    rig.broker.hold(&[("005930", 120, 65_000)]);
    rig.broker.fill_and_tell(0, 30, 65_100).await;
    rig.expect(HELD, "005930 MANUAL 30 OPEN, 005930 momentum 90 OPEN")
        .await;
    rig.expect(&alarms("FOREIGN_ORDER"), "1").await;
    assert_eq!(rig.value(&alarms("HOLDING_APPEARED")).await, "0");
    rig.stop().await;
}

#[tokio::test]
async fn shares_that_nobody_ordered_become_a_position_after_two_complete_answers() {
    let mut rig = Rig::at_rest().await;
    rig.broker
        .hold(&[("005930", 100, 65_000), ("000660", 40, 180_000)]);
    rig.resume();
    rig.expect(HELD, "000660 MANUAL 40 OPEN, 005930 momentum 100 OPEN")
        .await;
    rig.until(Rig::is_ready, true).await;
    rig.expect(&alarms("HOLDING_APPEARED"), "1").await;
    rig.stop().await;
}

#[tokio::test]
async fn shares_that_are_gone_without_a_fill_end_the_position_and_not_at_once() {
    let mut rig = Rig::start().await;
    rig.until(Rig::is_ready, true).await;
    rig.broker.hold(&[("005930", 60, 65_000)]);
    rig.expect(HELD, "005930 momentum 60 OPEN").await;
    assert_eq!(rig.value(EXITS).await, "");
    rig.broker.hold(&[]);
    rig.expect(EXITS, "60 BROKER BROKER").await;
    rig.expect(HELD, "005930 momentum 0 CLOSED").await;
    rig.expect("SELECT phase FROM trade.position_state", "EXITED")
        .await;
    rig.expect(&alarms("HOLDING_VANISHED"), "2").await;
    // Each time they count like a sale without costs, of no order; of the last ones the exit event says the same.
    let results = "SELECT string_agg(concat_ws(' ', r.qty, r.costs,
            r.realized_pnl = r.qty * (r.price - r.avg_price), r.order_id IS NULL,
            e.realized_pnl = r.realized_pnl),
            ', ' ORDER BY r.qty)
        FROM trade.sale_results r LEFT JOIN trade.exit_events e ON e.exit_qty = r.qty";
    let counted = "40 0.0000 t t, 60 0.0000 t t t";
    assert_eq!(rig.value(results).await, counted);
    rig.stop().await;
}

#[tokio::test]
async fn shares_that_are_gone_count_at_a_loss_and_never_at_a_gain() {
    let mut rig = Rig::start().await;
    rig.until(Rig::is_ready, true).await;
    for (us, won, left) in [(1, 70_000, 80), (2, 60_000, 70)] {
        let price = format!(
            "SELECT market.ensure_prices_partition('2026-11-24');
             INSERT INTO market.prices (trade_date, logical_us, symbol, ts, recv_ts, source,
                 last_price, bid, volume, session)
             VALUES ('2026-11-24', {us}, '005930', now(), now(), 'KIS_WS', {won}, {won}, 1, 'REGULAR')"
        );
        let client = rig.postgres.client().await.unwrap();
        client.batch_execute(&price).await.unwrap();
        drop(client);
        rig.broker.hold(&[("005930", left, 65_000)]);
        rig.expect(HELD, &format!("005930 momentum {left} OPEN"))
            .await;
    }
    let results = "SELECT string_agg(qty || ' ' || realized_pnl, ', ' ORDER BY qty DESC)
        FROM trade.sale_results";
    rig.expect(results, "20 0.0000, 10 -50000.0000").await;
    rig.stop().await;
}

#[tokio::test]
async fn nothing_begins_on_an_empty_answer_that_is_not_believed() {
    let mut rig = Rig::at_rest().await;
    let other = "22222222-2222-4222-8222-222222222222";
    rig.add_position(other, "000660").await;
    rig.broker.hold(&[]);
    rig.resume();
    rig.expect(&alarms("HOLDINGS_EMPTY"), "1").await;
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    assert!(!rig.is_ready());
    rig.broker
        .hold(&[("005930", 100, 65_000), ("000660", 100, 65_000)]);
    rig.until(Rig::is_ready, true).await;
    rig.stop().await;
}

#[tokio::test]
async fn an_empty_answer_while_several_issues_are_held_is_not_believed() {
    let mut rig = Rig::start().await;
    let other = "22222222-2222-4222-8222-222222222222";
    rig.add_position(other, "000660").await;
    rig.until(Rig::is_ready, true).await;
    rig.broker.hold(&[]);
    rig.expect(&alarms("HOLDINGS_EMPTY"), "1").await;
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    assert_eq!(
        rig.value(HELD).await,
        "000660 MANUAL 100 OPEN, 005930 momentum 100 OPEN"
    );
    rig.stop().await;
}

#[tokio::test]
async fn the_pause_of_a_closed_exchange_ends_where_it_opens() {
    let mut rig = Rig::start().await;
    rig.until(Rig::is_ready, true).await;
    rig.open_session(false);
    // Longer than the pause of an open one: the next is that of a closed one, two minutes.
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    rig.broker
        .hold(&[("005930", 100, 65_000), ("000660", 40, 180_000)]);
    rig.open_session(true);
    rig.expect(HELD, "000660 MANUAL 40 OPEN, 005930 momentum 100 OPEN")
        .await;
    rig.stop().await;
}
