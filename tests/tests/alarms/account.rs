//! Limits of orders, fills and holdings, and of a start that takes long. What the table gives in minutes is
//! seconds here.

use std::time::Duration;

use serde_json::json;
use turnstile_tests::{Stock, System, Webhook, eventually};

use crate::rig::{a_while, episodes, monitoring, show_one, until};

const SYMBOL: &str = "005930";
const PACE: &str = "[execution]\npoll_idle = \"500ms\"\npoll_live = \"500ms\"\npoll_spacing = \"100ms\"\n\
    holdings_open = \"500ms\"\nholdings_spacing = \"100ms\"\n[kis.retry]\nquery_pause = \"10ms\"\n\
    [kis.reconnect]\npause_min = \"100ms\"\n";

async fn market() -> (System, Webhook) {
    let stock = Stock {
        symbol: SYMBOL,
        close: 100_000,
        held: 100,
    };
    let system = System::start(&[stock], "").await;
    system.exit_rules(json!({"sl2": {"pnl": -0.05}})).await;
    (system, Webhook::start().await)
}

/// The broker is away while an order is open and another one is decided: every list of the account grows
/// late, and the order grows old.
#[tokio::test(flavor = "multi_thread")]
async fn lists_that_are_late_and_orders_that_are_old_raise_alarms() {
    let (system, webhook) = market().await;
    let limits = [
        ("unfilled_sync_lag", "WARNING", 2),
        ("fills_sync_lag", "WARNING", 2),
        ("exit_intents_new", "WARNING", 3),
        ("order_open", "WARNING", 3),
    ];
    let mut settings: String = limits
        .iter()
        .map(|(name, _, limit)| format!("[monitoring.limits.{name}]\nwarning = {limit}\n"))
        .collect();
    settings.push_str("[monitoring.limits.holdings_sync_lag]\nwarning = 2\n");
    let settings = format!("{PACE}{}", monitoring(&webhook, &settings));
    let settings = settings.replace(
        "[monitoring.webhook]",
        "[monitoring.webhook]\nlevel = \"INFO\"",
    );
    let stream = system.stream(&settings).await;
    system.trade(SYMBOL, 100_000).await;
    system.counts("SELECT count(*) FROM market.prices", 1).await;
    let buy = "INSERT INTO trade.manual_entries (request_id, symbol, qty, limit_price, asked_by)
        VALUES (gen_random_uuid(), $1, 1, 90000, 'test')";
    system.execute(buy, &[&SYMBOL]).await;
    let resting =
        "SELECT count(*) FROM trade.orders_now WHERE side = 'BUY' AND status = 'SUBMITTED'";
    system.counts(resting, 1).await;

    let away = async |is_away: bool| {
        system.post("/faults", json!({"kis_down": is_away})).await;
        a_while().await;
    };
    away(true).await;
    let down = "SELECT count(*) FROM trade.exit_pauses WHERE reason = 'BROKER_DOWN'";
    system.counts(down, 1).await;
    let sell = "INSERT INTO trade.manual_exits (request_id, position_id, symbol, qty, asked_by)
        SELECT gen_random_uuid(), position_id, symbol, 1, 'test' FROM trade.positions WHERE qty = 100";
    assert_eq!(system.execute(sell, &[]).await, 1);
    for (alarm, level, _) in limits {
        let raised = format!("RAISED {level}");
        until(&webhook, alarm, &[&raised], async || away(true).await).await;
    }
    until(&webhook, "holdings_sync_lag", &["RAISED INFO"], a_while).await;

    away(false).await;
    let sold = "SELECT count(*) FROM trade.orders_now WHERE side = 'SELL' AND status = 'FILLED'";
    system.counts(sold, 1).await;
    let cancel = "INSERT INTO trade.order_requests (request_id, order_id, kind, asked_by)
        SELECT gen_random_uuid(), order_id, 'CANCEL', 'test' FROM trade.orders WHERE side = 'BUY'";
    system.execute(cancel, &[]).await;
    for (alarm, level, _) in limits {
        let (raised, cleared) = (format!("RAISED {level}"), format!("CLEARED {level}"));
        until(&webhook, alarm, &[&raised, &cleared], a_while).await;
    }
    let holdings = ["RAISED INFO", "CLEARED INFO"];
    until(&webhook, "holdings_sync_lag", &holdings, a_while).await;

    // To and fro: kept, and told nobody. A broker that is back may be late once more by itself.
    let lists = ["fills_sync_lag", "holdings_sync_lag"];
    let mut before = [0; 2];
    for (alarm, before) in lists.into_iter().zip(&mut before) {
        eventually(alarm, async || {
            away(false).await;
            let (count, standing) = episodes(&system, alarm).await;
            *before = count;
            standing == 0
        })
        .await;
    }
    for (is_away, stands) in [(true, 1), (false, 0)] {
        for (alarm, before) in lists.into_iter().zip(before) {
            eventually(alarm, async || {
                away(is_away).await;
                let (count, standing) = episodes(&system, alarm).await;
                count > before && standing == stands
            })
            .await;
        }
    }
    webhook
        .wait("fills_sync_lag", &["RAISED WARNING", "CLEARED WARNING"])
        .await;
    webhook.wait("holdings_sync_lag", &holdings).await;
    stream.stop().await;
    system.stop().await;
}

/// The broker holds other shares than the positions say, until they are made so: 10 s and 300 s in the
/// table.
#[tokio::test(flavor = "multi_thread")]
async fn holdings_that_differ_raise_an_alarm() {
    let (system, webhook) = market().await;
    let limits = "[monitoring.limits.holdings_mismatch]\nwarning = 2\ndanger = 4\n";
    let settings = PACE.replace("[execution]", "[execution]\nsettle_delay = \"7s\"")
        + &monitoring(&webhook, limits);
    let stream = system.stream(&settings).await;
    let mut held = 100_i64;
    let mut differ = async || {
        let query = "SELECT count(*) FROM trade.positions WHERE qty = $1::bigint";
        if system.one::<i64>(query, &[&held]).await > 0 {
            held += 10;
            system
                .post("/holdings", json!({"symbol": SYMBOL, "qty": held}))
                .await;
        }
        a_while().await;
    };
    let alarm = "holdings_mismatch";
    let course = ["RAISED WARNING", "ESCALATED CRITICAL", "CLEARED CRITICAL"];
    differ().await;
    until(&webhook, alarm, &course, a_while).await;
    differ().await;
    for standing in [1, 0] {
        eventually(alarm, async || {
            episodes(&system, alarm).await == (2, standing)
        })
        .await;
    }
    webhook.wait(alarm, &course).await;
    stream.stop().await;
    system.stop().await;
}

/// A start that finds no broker goes on asking: 60 s in the table.
#[tokio::test(flavor = "multi_thread")]
async fn a_slow_start_raises_an_alarm_and_a_failed_one_as_well() {
    let (system, webhook) = market().await;
    let limits = "[monitoring.limits.bootstrap_slow]\nwarning = 2\n";
    let settings = format!("{PACE}{}", monitoring(&webhook, limits));
    system.post("/faults", json!({"kis_down": true})).await;
    let stream = system.start_stream(&settings);
    let course = ["RAISED WARNING", "CLEARED WARNING"];
    until(&webhook, "bootstrap_slow", &course[..1], a_while).await;
    system.post("/faults", json!({"kis_down": false})).await;
    until(&webhook, "bootstrap_slow", &course, a_while).await;
    stream.stop().await;

    let hide = "ALTER TABLE trade.exit_rules RENAME TO hidden";
    system.execute(hide, &[]).await;
    let stream = system.start_stream(&settings);
    webhook.wait("BOOTSTRAP_FAILED", &["RAISED CRITICAL"]).await;
    assert!(!stream.ended().await);
    system.stop().await;
}

/// Fills that wait for a lock of the database.
#[tokio::test(flavor = "multi_thread")]
async fn fills_that_take_long_raise_an_alarm() {
    let (system, webhook) = market().await;
    // One fill is enough here, ten in the table.
    let limits = "[monitoring.limits.fill_processing]\nleast = 1\n";
    let settings = format!("{PACE}{}", monitoring(&webhook, limits));
    let stream = system.stream(&settings).await;
    system.trade(SYMBOL, 100_000).await;
    let sell = "INSERT INTO trade.manual_exits (request_id, position_id, symbol, qty, asked_by)
        SELECT gen_random_uuid(), position_id, symbol, 1, 'test' FROM trade.positions WHERE qty > 1";
    let slow = async || {
        let lock = "BEGIN; LOCK TABLE trade.executions IN SHARE ROW EXCLUSIVE MODE";
        system.execute(sell, &[]).await;
        system.db.batch_execute(lock).await.unwrap();
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        system.db.batch_execute("ROLLBACK").await.unwrap();
        tokio::time::sleep(Duration::from_millis(300)).await;
    };
    show_one(
        (&system, &webhook, "fill_processing"),
        "WARNING",
        slow,
        a_while,
    )
    .await;
    stream.stop().await;
    system.stop().await;
}

/// Every level of a position goes by its average cost: one percent is not told, more is.
#[tokio::test(flavor = "multi_thread")]
async fn an_average_cost_that_jumps_is_told() {
    let (system, webhook) = market().await;
    let stream = system.stream(&monitoring(&webhook, "")).await;
    system.trade(SYMBOL, 100_000).await;
    system.counts("SELECT count(*) FROM market.prices", 1).await;
    for average in [101_000_i64, 102_011] {
        let set = "UPDATE trade.positions SET avg_price = $1::bigint";
        assert_eq!(system.execute(set, &[&average]).await, 1);
    }
    let told = webhook.wait("AVERAGE_CHANGED", &["RAISED WARNING"]).await;
    assert!(told.text.contains("from 101000 to 102011"), "{}", told.text);
    stream.stop().await;
    system.stop().await;
}
