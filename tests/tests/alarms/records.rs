//! Alarms from what the database knows: rows of `system.logs` that others write, and the course of
//! re-entries.

use turnstile_tests::{ACCOUNT, Stock, System, Webhook, eventually};

use crate::rig::{a_while, episodes, monitoring, until};

const SYMBOL: &str = "005930";

/// Re-entries that are over: so many, held so long, with this result and reason. Each has its candidate,
/// and the position that was sold before.
const REENTRIES: &str = "WITH n AS (
        SELECT gen_random_uuid() AS origin, gen_random_uuid() AS sold, gen_random_uuid() AS candidate,
            gen_random_uuid() AS again, now() - interval '2 days' AS ts
        FROM generate_series(1, $3::bigint)
    ), positions AS (
        INSERT INTO trade.positions (position_id, account_id, symbol, qty, original_qty, avg_price, entry_ts,
            status, closed_ts, candidate_id)
        SELECT origin, $1, $2, 0, 1, 100, ts, 'CLOSED', ts, NULL FROM n
        UNION ALL
        SELECT again, $1, $2, 0, 1, 100, ts, 'CLOSED', ts + $4::text::interval, candidate FROM n
        RETURNING position_id
    ), events AS (
        INSERT INTO trade.exit_events (exit_event_id, position_id, account_id, symbol, exit_ts, exit_qty,
            original_qty, exit_avg_price, exit_reason_code, source, realized_pnl, realized_pnl_pct)
        SELECT sold, origin, $1, $2, ts, 1, 1, 95, 'SL1', 'AUTO_EXIT', -5, -5 FROM n
        UNION ALL
        SELECT gen_random_uuid(), again, $1, $2, ts + $4::text::interval, 1, 1, 100, $6, 'AUTO_EXIT',
            $5::bigint, $5::bigint FROM n
        RETURNING exit_event_id
    )
    INSERT INTO trade.reentry_candidates (candidate_id, exit_event_id, symbol, origin_position_id,
        exit_reason_code, exit_ts, exit_price, original_qty, state)
    SELECT candidate, sold, $2, origin, 'SL1', ts, 95, 1, 'ENTERED' FROM n
    WHERE EXISTS (SELECT FROM positions) AND EXISTS (SELECT FROM events)";

/// Verdicts of today on one candidate.
const VERDICTS: &str = "INSERT INTO trade.reentry_history
        (candidate_id, exit_event_id, symbol, decided_us, status, gate, reason)
    SELECT c.candidate_id, c.exit_event_id, c.symbol, $4::bigint + n, $1, $2, $3
    FROM (SELECT * FROM trade.reentry_candidates LIMIT 1) c, generate_series(1, $5::bigint) n";

async fn market() -> (System, Webhook) {
    let stock = Stock {
        symbol: SYMBOL,
        close: 100_000,
        held: 0,
    };
    let system = System::start(&[stock], "").await;
    (system, Webhook::start().await)
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_the_logs_are_told_once() {
    let (system, webhook) = market().await;
    let stream = system.stream(&monitoring(&webhook, "")).await;
    let row = "INSERT INTO system.logs (level, module, event, symbol, message)
        VALUES ($1, 'test', $2, $3, 'something')";
    // Rows from before the start are none of its business, so the first has to be seen to be new.
    eventually("the logs are followed", async || {
        system.execute(row, &[&"CRITICAL", &"first", &SYMBOL]).await;
        a_while().await;
        !webhook.course("first").is_empty()
    })
    .await;
    for (level, event) in [
        ("INFO", "mild"),
        ("CRITICAL", "first"),
        ("WARNING", "second"),
    ] {
        system.execute(row, &[&level, &event, &SYMBOL]).await;
    }
    let told = webhook.wait("second", &["RAISED WARNING"]).await;
    assert_eq!(
        (told.about.as_deref(), told.text.as_str()),
        (Some(SYMBOL), "something")
    );
    webhook.wait("first", &["RAISED CRITICAL"]).await;
    assert!(webhook.about("mild").is_empty());
    assert_eq!(episodes(&system, "first").await, (1, 1));
    // After a flood of rows the next one is told all the same.
    let flood = "INSERT INTO system.logs (level, module, event, message)
        SELECT 'WARNING', 'test', 'flood', 'again' FROM generate_series(1, 1500)";
    system.execute(flood, &[]).await;
    webhook.wait("flood", &["RAISED WARNING"]).await;
    system.execute(row, &[&"WARNING", &"third", &SYMBOL]).await;
    webhook.wait("third", &["RAISED WARNING"]).await;
    stream.stop().await;
    system.stop().await;
}

/// A dozen re-entries after stops, each ended by a stop within a minute; then twenty that won. What a
/// day has had it cannot lose again, so the count of the day is only shown to be told.
#[tokio::test(flavor = "multi_thread")]
async fn reentries_that_go_wrong_raise_alarms() {
    let (system, webhook) = market().await;
    let reentries = async |count: i64, held: &str, result: i64, reason: &str| {
        system
            .execute(
                REENTRIES,
                &[&ACCOUNT, &SYMBOL, &count, &held, &result, &reason],
            )
            .await;
    };
    let verdicts =
        async |status: &str, gate: Option<&str>, reason: Option<&str>, from: i64, count: i64| {
            system
                .execute(VERDICTS, &[&status, &gate, &reason, &from, &count])
                .await;
        };
    reentries(12, "1 minute", -7, "SL1").await;
    verdicts("ENTERED", None, None, 0, 21).await;
    let regime = Some("nothing is bought under the regime PANIC");
    verdicts("BLOCKED", Some("G0"), regime, 100, 12).await;
    system
        .execute(
            "UPDATE trade.reentry_candidates SET state = 'COOLDOWN', cooldown_until = now() + interval '1 hour'
             WHERE candidate_id = (SELECT candidate_id FROM trade.reentry_candidates LIMIT 1)",
            &[],
        )
        .await;
    let snapshot = "INSERT INTO market.regime_snapshots (asof_ts, regime, source)
        VALUES (now() - $1::text::interval, 'NEUTRAL', 'test')";
    system.execute(snapshot, &[&"10 minutes"]).await;
    let stream = system.stream(&monitoring(&webhook, "")).await;
    let alarms = [
        "reentry_success",
        "reentry_whipsaw",
        "reentry_holding",
        "reentry_regime_blocked",
        "reentry_snapshot_age",
    ];
    let course = ["RAISED WARNING", "CLEARED WARNING"];
    for alarm in alarms.into_iter().chain(["reentries_per_day"]) {
        until(&webhook, alarm, &course[..1], a_while).await;
    }
    reentries(20, "1 day", 7, "TP1").await;
    let cooldown = Some("cooling down");
    verdicts("BLOCKED", Some("G1"), cooldown, 200, 12).await;
    system.execute(snapshot, &[&"0 seconds"]).await;
    for alarm in alarms {
        until(&webhook, alarm, &course, a_while).await;
    }
    stream.stop().await;
    system.stop().await;
}
