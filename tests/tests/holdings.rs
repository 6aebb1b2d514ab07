//! What happens at the broker without this system, in the running one.

use serde_json::json;
use turnstile_tests::{ACCOUNT, Stock, System, eventually};

const HELD: &str = "SELECT string_agg(symbol || ' ' || strategy_id || ' ' || qty || ' ' || status,
    ', ' ORDER BY symbol, strategy_id) FROM trade.positions";
const QUICK: &str =
    "[execution]\nsettle_delay = \"1s\"\npoll_idle = \"1s\"\nholdings_open = \"1s\"\n";

fn stock(symbol: &str, held: i64) -> Stock<'_> {
    Stock {
        symbol,
        close: 50_000,
        held,
    }
}

async fn holds(system: &System, expected: &str) {
    eventually(expected, async || {
        system.one::<Option<String>>(HELD, &[]).await.as_deref() == Some(expected)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn trades_of_another_terminal_move_positions_and_have_their_exit_event() {
    let system = System::start(&[stock("005930", 100), stock("000660", 10)], "").await;
    system.exit_rules(json!({"sl2": {"pnl": -0.05}})).await;
    let stream = system.stream(QUICK).await;
    for (symbol, side, qty) in [("005930", "sell", 100), ("000660", "buy", 5)] {
        system.trade(symbol, 51_000).await;
        let order = json!({"symbol": symbol, "side": side, "qty": qty});
        system.post("/orders", order).await;
    }
    holds(&system, "000660 MANUAL 15 OPEN, 005930 MANUAL 0 CLOSED").await;
    let exit = "SELECT exit_qty || ' ' || exit_reason_code || ' ' || source FROM trade.exit_events";
    assert_eq!(system.one::<String>(exit, &[]).await, "100 MANUAL MANUAL");
    assert_eq!(system.orders_sent().await, 0, "nothing was sold twice");
    stream.stop().await;
    system.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_decided_before_positions_are_what_the_account_holds() {
    let stocks = [stock("005930", 100), stock("000660", 10)];
    let system = System::start_without_positions(&stocks, "").await;
    system.exit_rules(json!({"sl2": {"pnl": -0.05}})).await;
    // A transfer: fewer of one, and one that nobody knew.
    system
        .execute(
            "INSERT INTO trade.positions (position_id, account_id, symbol, qty, original_qty,
                 avg_price, entry_ts)
             VALUES (gen_random_uuid(), $1, '005930', 130, 130, 50000, now())",
            &[&ACCOUNT],
        )
        .await;
    system.trade("005930", 40_000).await;
    let stream = system.stream(QUICK).await;
    holds(&system, "000660 MANUAL 10 OPEN, 005930 MANUAL 100 OPEN").await;
    system.trade("005930", 40_000).await;
    let sold = "SELECT count(*) FROM trade.exit_events WHERE exit_qty = 100";
    system.counts(sold, 1).await;
    stream.stop().await;
    system.stop().await;
}
