//! What a change of quantity and average cost does to a position, whoever writes it.

use tokio_postgres::Client;
use turnstile_connectors::rows;
use turnstile_dataflows::model::LogicalTime;

use crate::servers::PostgresServer;

/// A position of 100 shares at 70,000 after its first take-profit, floor 0.6 %.
const FIXTURE: &str = "
    INSERT INTO market.stocks (symbol, name, market) VALUES ('005930', 'Samsung', 'KOSPI');
    INSERT INTO trade.positions (position_id, account_id, symbol, qty, original_qty, avg_price, entry_ts)
    VALUES ('11111111-1111-4111-8111-111111111111', 'A', '005930', 90, 100, 70000, '2026-11-24 09:00+09');
    UPDATE trade.position_state SET phase = 'TP1_DONE', stop_floor = '70420', stop_floor_price = 70420";

/// Cycle, phase, original quantity, exact floor, floor, mark, reference, version.
const STATE: &str = "SELECT concat_ws(' ', cycle, phase, original_qty, coalesce(stop_floor, '-'),
        coalesce(stop_floor_price::text, '-'), coalesce(hwm_price::text, '-'), last_avg_price, version)
    FROM trade.positions JOIN trade.position_state USING (position_id)";

async fn held() -> (PostgresServer, Client) {
    let server = PostgresServer::start().await;
    let client = server.client().await;
    client.batch_execute(FIXTURE).await.unwrap();
    (server, client)
}

async fn after(client: &Client, assignments: &str) -> String {
    client
        .batch_execute(&format!("UPDATE trade.positions SET {assignments}"))
        .await
        .unwrap();
    state(client).await
}

async fn state(client: &Client) -> String {
    client.query_one(STATE, &[]).await.unwrap().get(0)
}

/// Stores evaluation prices, a microsecond apart from `first_us` on.
async fn prices(client: &Client, first_us: i64, prices: &[i64]) {
    client
        .execute("SELECT market.ensure_prices_partition('2026-11-24')", &[])
        .await
        .unwrap();
    client
        .execute(
            "INSERT INTO market.prices (trade_date, logical_us, symbol, ts, recv_ts, source,
                 last_price, volume, session)
             SELECT '2026-11-24', $1 + n, '005930', now(), now(), 'KIS_WS', price, 1, 'REGULAR'
             FROM unnest($2::bigint[]) WITH ORDINALITY AS p(price, n)",
            &[&first_us, &prices],
        )
        .await
        .unwrap();
}

/// 2026-11-24 10:00 in Seoul.
const TEN_US: i64 = 1_795_482_000_000_000;

#[tokio::test]
async fn noise_of_the_average_changes_nothing_until_it_adds_up() {
    let (_server, client) = held().await;
    assert_eq!(
        after(&client, "avg_price = 70200").await,
        "1 TP1_DONE 100 70420 70420.0000 - 70000.0000 2",
        "0.29 %"
    );
    assert_eq!(
        after(&client, "avg_price = 70349.9999").await,
        "1 TP1_DONE 100 70420 70420.0000 - 70000.0000 3",
        "just below 0.5 %"
    );
    assert_eq!(
        after(&client, "avg_price = 70350").await,
        "1 TP1_DONE 100 70772.1 70772.1000 - 70350.0000 4",
        "0.5 % of the reference, not of the average before"
    );
}

#[tokio::test]
async fn a_small_change_keeps_the_phase_and_only_raises_the_floor() {
    let (_server, client) = held().await;
    assert_eq!(
        after(&client, "avg_price = 70666.6667").await,
        "1 TP1_DONE 100 71090.6667002 71090.6667 - 70666.6667 2",
        "exact: 70420 × 70666.6667 ÷ 70000"
    );
    assert_eq!(
        after(&client, "avg_price = 69300, qty = 95").await,
        "1 TP1_DONE 100 71090.6667002 71090.6667 - 69300.0000 3",
        "a lower average does not lower the floor, and more shares alone are no add-on buy"
    );
    assert_eq!(
        after(&client, "avg_price = 70686").await,
        "1 TP1_DONE 100 72512.480034204 72512.4800 - 70686.0000 4",
        "exactly 2 %"
    );
}

#[tokio::test]
async fn the_floor_that_follows_is_cut_to_sixteen_decimals() {
    let (_server, client) = held().await;
    client
        .batch_execute("UPDATE trade.position_state SET stop_floor = '70000.0000000001'")
        .await
        .unwrap();
    // 70000.0000000001 × 70700.01 ÷ 70000 = 70700.01000000010100001428…
    assert_eq!(
        after(&client, "avg_price = 70700.01").await,
        "1 TP1_DONE 100 70700.010000000101 70700.0100 - 70700.0100 2"
    );
}

#[tokio::test]
async fn an_add_on_buy_begins_a_new_cycle() {
    let (_server, client) = held().await;
    client
        .batch_execute("UPDATE trade.position_state SET hwm_price = 75000")
        .await
        .unwrap();
    assert_eq!(
        after(&client, "qty = 140, avg_price = 71666.67").await,
        "2 OPEN 140 - - - 71666.6700 2"
    );
    // Prices before the reset count no more, those after it do.
    prices(&client, TEN_US, &[90_000]).await;
    let mark = "SELECT mark::text FROM trade.high_water_marks";
    let row = client.query_one(mark, &[]).await.unwrap();
    assert_eq!(row.get::<_, Option<&str>>(0), None);
}

#[tokio::test]
async fn a_large_change_without_a_purchase_keeps_the_phase() {
    let (_server, client) = held().await;
    assert_eq!(
        after(&client, "avg_price = 77000").await,
        "1 TP1_DONE 100 77462 77462.0000 - 77000.0000 2"
    );
    assert_eq!(
        after(&client, "avg_price = 60000, qty = 80").await,
        "1 TP1_DONE 100 77462 77462.0000 - 60000.0000 3"
    );
}

#[tokio::test]
async fn a_split_rescales_and_keeps_phase_and_cycle() {
    let (_server, client) = held().await;
    prices(&client, TEN_US, &[74_000, 75_001, 73_000]).await;
    assert_eq!(
        after(&client, "qty = 180, avg_price = 35000").await,
        "1 TP1_DONE 200 35210 35210.0000 37500.5000 35000.0000 2"
    );
    // Prices of before the split count no more for the mark.
    let mark = "SELECT mark::text FROM trade.high_water_marks";
    let row = client.query_one(mark, &[]).await.unwrap();
    assert_eq!(row.get::<_, &str>(0), "37500.5000");
    assert_eq!(
        after(&client, "qty = 60, avg_price = 105300").await,
        "1 TP1_DONE 67 105630 105630.0000 112501.5000 105000.0000 3",
        "a merger of shares, the average cost within one percent"
    );
}

#[tokio::test]
async fn halving_by_a_sale_or_doubling_by_a_purchase_is_no_split() {
    let (_server, client) = held().await;
    assert_eq!(
        after(&client, "qty = 45").await,
        "1 TP1_DONE 100 70420 70420.0000 - 70000.0000 2",
        "a sale"
    );
    assert_eq!(
        after(&client, "qty = 90, avg_price = 68000").await,
        "2 OPEN 90 - - - 68000.0000 3",
        "a purchase far below"
    );
}

#[tokio::test]
async fn whoever_raises_the_cycle_has_reset_the_state() {
    let (_server, client) = held().await;
    assert_eq!(
        after(
            &client,
            "qty = 140, original_qty = 140, avg_price = 71666.67, cycle = 2"
        )
        .await,
        "2 TP1_DONE 140 70420 70420.0000 - 71666.6700 2"
    );
}

#[tokio::test]
async fn a_first_average_becomes_the_reference() {
    let (_server, client) = held().await;
    client
        .batch_execute(
            "INSERT INTO trade.positions (position_id, account_id, symbol, qty, original_qty,
                 avg_price, entry_ts, strategy_id)
             VALUES (gen_random_uuid(), 'A', '005930', 10, 10, 0, now(), 'other')",
        )
        .await
        .unwrap();
    let references =
        "SELECT string_agg(coalesce(last_avg_price::text, '-'), ' ' ORDER BY avg_price)
        FROM trade.positions JOIN trade.position_state USING (position_id)";
    let read = async || -> String { client.query_one(references, &[]).await.unwrap().get(0) };
    assert_eq!(read().await, "- 70000.0000");
    client
        .batch_execute("UPDATE trade.positions SET avg_price = 50 WHERE avg_price = 0")
        .await
        .unwrap();
    assert_eq!(read().await, "50.0000 70000.0000");
}

#[tokio::test]
async fn the_load_takes_the_mark_of_the_cycle() {
    let (_server, client) = held().await;
    prices(&client, TEN_US, &[74_000, 75_000]).await;
    let loaded = rows::load(&client).await.unwrap();
    let mark = loaded.positions[0].state.mark.unwrap();
    assert_eq!(mark.price, "75000".parse().unwrap());
    let tick = u64::try_from(TEN_US + 2).unwrap();
    assert_eq!(mark.tick, Some(LogicalTime::from_micros(tick)));
}
