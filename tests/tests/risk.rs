//! The risk gate through the real processes: from the API and the price to the order or the refusal.

use serde_json::{Value, json};
use turnstile_tests::{Api, Stock, System};

const HELD: &str = "005930";
const OTHER: &str = "000660";
const REPORTS: &str = "[risk]\nreport_every = \"1s\"\n";
/// What sales have brought, KRW.
const RESULT: &str = "SELECT sum(realized_pnl)::bigint FROM trade.sale_results";
const VIOLATIONS: &str = "SELECT count(*) FROM system.risk_violations";
const FILLED: &str =
    "SELECT count(*) FROM trade.orders_now WHERE side = 'BUY' AND status = 'FILLED'";

fn stock(symbol: &str, held: i64) -> Stock<'_> {
    Stock {
        symbol,
        close: 100_000,
        held,
    }
}

async fn api(system: &System) -> Api {
    let (program, url) = system.bff().await;
    Api::new(program, url)
}

async fn buy(api: &Api, symbol: &str, key: &str, qty: i64) -> u16 {
    let asked = json!({"symbol": symbol, "side": "BUY", "qty": qty, "limit_price": 100_000,
        "reason": "test", "asked_by": "kim", "idempotency_key": key});
    api.post("/orders", &asked).await.0
}

/// Waits until the report that the API shows is of this level and profile.
async fn reported(api: &Api, is_it: impl Fn(&Value) -> bool) -> Value {
    for _ in 0..600 {
        let (status, body) = api.get("/risk/report").await;
        if status == 200 && is_it(&body["data"]) {
            return body["data"].clone();
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("no such report, last: {:?}", api.get("/risk/report").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_emergency_stop_refuses_entries_and_lets_exits_go() {
    let system = System::start(&[stock(HELD, 100), stock(OTHER, 0)], "").await;
    system.exit_rules(json!({"sl2": {"pnl": -0.05}})).await;
    let stream = system.stream(REPORTS).await;
    let api = api(&system).await;
    reported(&api, |report| report["unknown"].is_null()).await;

    let stop = json!({"is_enabled": true, "reason": "news", "updated_by": "kim"});
    let (status, body) = api.put("/risk/emergency-stop", &stop).await;
    assert_eq!(status, 200, "{body}");
    let told = "SELECT count(*) FROM system.logs
        WHERE event = 'emergency_stop' AND level = 'CRITICAL'";
    system.counts(told, 1).await;
    assert_eq!(buy(&api, OTHER, "stopped", 1).await, 200);
    let refused = "SELECT count(*) FROM trade.manual_entries
        WHERE state = 'REFUSED' AND message = 'refused by the risk gate: EMERGENCY_STOP: emergency stop by kim: news'";
    system.counts(refused, 1).await;
    let (status, body) = api.get("/risk/violations").await;
    assert_eq!(status, 200, "{body}");
    let violation = &body["data"][0];
    assert_eq!(
        (&violation["check_type"], &violation["symbol"]),
        (&json!("EMERGENCY_STOP"), &json!(OTHER))
    );
    let warned = "SELECT count(*) FROM system.logs
        WHERE event = 'risk_rejected' AND level = 'WARNING'";
    system.counts(warned, 1).await;

    // What is held falls through its stop-loss and is sold.
    system.trade(HELD, 94_900).await;
    system
        .counts("SELECT count(*) FROM trade.exit_events", 1)
        .await;
    assert_eq!(system.one::<i64>(FILLED, &[]).await, 0);
    assert_eq!(system.one::<i64>(VIOLATIONS, &[]).await, 1);

    let lift = json!({"is_enabled": false, "version": 2, "reason": "calm", "updated_by": "kim"});
    let (status, body) = api.put("/risk/emergency-stop", &lift).await;
    assert_eq!(status, 200, "{body}");
    reported(&api, |report| report["is_stopped"] == false).await;
    system.trade(OTHER, 100_000).await;
    assert_eq!(buy(&api, OTHER, "lifted", 1).await, 200);
    system.counts(FILLED, 1).await;
    api.stop().await;
    stream.stop().await;
    system.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purchase_passes_at_the_limit_of_a_name_and_breaks_it_by_one_share() {
    // The account has 100,000,000 KRW and nothing else: 15 % are 150 shares.
    let system = System::start(&[stock(HELD, 0)], "").await;
    let stream = system.stream(REPORTS).await;
    let api = api(&system).await;
    let report = reported(&api, |report| report["unknown"].is_null()).await;
    assert_eq!(
        (&report["level"], &report["equity"], &report["positions"]),
        (&json!("GREEN"), &json!(100_000_000), &json!(0))
    );

    assert_eq!(buy(&api, HELD, "one too many", 151).await, 200);
    system.counts(VIOLATIONS, 1).await;
    let violation = &system
        .query(
            "SELECT v.check_type, v.current_value::bigint, v.limit_value::bigint,
                 jsonb_array_length(c.results), v.message
             FROM system.risk_violations v JOIN system.risk_checks c ON c.id = v.check_id",
            &[],
        )
        .await[0];
    let said: (&str, i64, i64, i32) = (
        violation.get(0),
        violation.get(1),
        violation.get(2),
        violation.get(3),
    );
    assert_eq!(said, ("SINGLE_WEIGHT", 15_100_000, 15_000_000, 4));

    system.trade(HELD, 100_000).await;
    assert_eq!(buy(&api, HELD, "at the limit", 150).await, 200);
    system.counts(FILLED, 1).await;
    let approved = "SELECT jsonb_array_length(results) FROM system.risk_checks WHERE is_approved";
    assert_eq!(system.one::<i32>(approved, &[]).await, 8);
    // Of a name that is held there is no room for one share more.
    let full = reported(&api, |report| report["largest_symbol"] == json!(HELD)).await;
    assert_eq!(full["level"], "RED", "{full}");
    assert_eq!(buy(&api, HELD, "one more", 1).await, 200);
    system.counts(VIOLATIONS, 2).await;

    // Limits by the API count at once, and so does that there are none.
    let wider = json!({"profile": "AGGRESSIVE", "positions_max": 20, "single_max_pct": 20,
        "sector_max_pct": 50, "market_max_pct": 100, "daily_loss_max_pct": 5,
        "total_loss_max_pct": 15, "version": 1, "reason": "room", "updated_by": "kim"});
    let (status, body) = api.put("/risk/limits", &wider).await;
    assert_eq!(status, 200, "{body}");
    reported(&api, |report| report["profile"] == "AGGRESSIVE").await;
    assert_eq!(buy(&api, HELD, "wider", 1).await, 200);
    system.counts(FILLED, 2).await;
    system.execute("DELETE FROM system.risk_limits", &[]).await;
    reported(&api, |report| {
        report["level"] == "RED" && !report["unknown"].is_null()
    })
    .await;
    assert_eq!(buy(&api, HELD, "no limits", 1).await, 200);
    let missing = "SELECT count(*) FROM system.risk_violations WHERE check_type = 'LIMITS'";
    system.counts(missing, 1).await;
    api.stop().await;
    stream.stop().await;
    system.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reentry_that_is_refused_is_decided_on_again_once_there_is_room() {
    let system = System::start(&[stock(HELD, 100)], "").await;
    system.exit_rules(json!({"sl2": {"pnl": -0.05}})).await;
    system.reentry_rule("SL", 1, "0.01", 9).await;
    let set = "UPDATE market.regime_override SET regime = 'NEUTRAL', updated_by = 'test'";
    system.execute(set, &[]).await;
    // Sixty shares are more than five percent.
    let single = "UPDATE system.risk_limits SET single_max_pct = 5, updated_by = 'test'";
    system.execute(single, &[]).await;
    let stream = system.stream(REPORTS).await;
    system.trade(HELD, 94_900).await;
    let watching = "SELECT count(*) FROM trade.reentry_candidates WHERE state = 'WATCH'";
    system.counts(watching, 1).await;
    system.trade(HELD, 97_000).await;
    system.counts(VIOLATIONS, 1).await;
    let blocked = "SELECT count(*) FROM trade.reentry_history h JOIN trade.reentry_candidates c
            USING (candidate_id)
        WHERE h.status = 'BLOCKED' AND h.gate = 'G3' AND h.reason LIKE 'SINGLE_WEIGHT: %'
            AND h.order_id IS NULL AND c.state = 'WATCH' AND c.blocked_gate = 'G3'
            AND c.refused_us = h.decided_us";
    system.counts(blocked, 1).await;

    // With room it buys, after a minute of rest.
    let single = "UPDATE system.risk_limits SET single_max_pct = 15, updated_by = 'test'";
    system.execute(single, &[]).await;
    let mut price = 97_000;
    for _ in 0..90 {
        if system.one::<i64>(FILLED, &[]).await == 1 {
            break;
        }
        price += 100 * i64::from(price < 99_000);
        system.trade(HELD, price).await;
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    }
    let entered = "SELECT count(*) FROM trade.orders
        WHERE side = 'BUY' AND action_key = candidate_id || ':ENTRY:1'";
    assert_eq!(system.one::<i64>(entered, &[]).await, 1);
    stream.stop().await;
    system.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_that_is_sold_at_a_loss_counts_at_once_and_after_a_restart() {
    let system = System::start(&[stock(HELD, 100), stock(OTHER, 0)], "").await;
    system
        .exit_rules(json!({"sl1": {"pnl": -0.03, "qty": 0.5}, "sl2": {"pnl": -0.05}}))
        .await;
    let stream = system.stream(REPORTS).await;
    let api = api(&system).await;
    reported(&api, |report| report["unknown"].is_null()).await;
    system.trade(HELD, 96_900).await;
    let half = "SELECT count(*) FROM trade.positions WHERE qty = 50 AND status = 'OPEN'";
    system.counts(half, 1).await;
    let lost: i64 = system.one(RESULT, &[]).await;
    assert!(lost < 0, "{lost}");
    let on_paper = |report: &Value| report["unrealized_result"].as_i64();
    let report = reported(&api, |report| {
        report["day_result"] == json!(lost) && on_paper(report).is_some_and(|paper| paper < 0)
    })
    .await;
    assert_eq!(report["month_result"], json!(lost));
    let total = on_paper(&report).map(|paper| paper + lost);
    assert_eq!(report["total_result"].as_i64(), total);
    let events = "SELECT count(*) FROM trade.exit_events";
    assert_eq!(system.one::<i64>(events, &[]).await, 0, "it is still held");

    // The day allows less than that.
    let tight = "UPDATE system.risk_limits SET daily_loss_max_pct = 0.1, updated_by = 'test'";
    system.execute(tight, &[]).await;
    reported(&api, |report| report["level"] == "RED").await;
    assert_eq!(buy(&api, OTHER, "lost", 1).await, 200);
    let refused = "SELECT count(*) FROM system.risk_violations WHERE check_type = 'DAILY_LOSS'";
    system.counts(refused, 1).await;

    // Whoever starts again finds the same.
    stream.stop().await;
    let last = reported(&api, |_report| true).await;
    let (last_ts, paper) = (last["ts"].as_str().unwrap_or_default(), on_paper(&last));
    let stream = system.stream(REPORTS).await;
    let again = reported(&api, |report| {
        report["ts"].as_str().is_some_and(|ts| ts > last_ts)
            && report["unknown"].is_null()
            && report["day_result"] == json!(lost)
    })
    .await;
    assert_eq!(on_paper(&again), paper);
    assert_eq!(buy(&api, OTHER, "still lost", 1).await, 200);
    system.counts(refused, 2).await;

    // The rest is sold: what was lost on paper is realised, and nothing counts twice.
    system.trade(HELD, 94_900).await;
    system.counts(events, 1).await;
    let lost: i64 = system.one(RESULT, &[]).await;
    let told = "SELECT realized_pnl::bigint FROM trade.exit_events";
    assert_eq!(system.one::<i64>(told, &[]).await, lost);
    reported(&api, |report| {
        report["day_result"] == json!(lost) && on_paper(report) == Some(0)
    })
    .await;
    api.stop().await;
    stream.stop().await;
    system.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_count_until_their_end_and_the_next_ones_from_it_on() {
    let system = System::start(&[stock(HELD, 0)], "").await;
    let stream = system.stream(REPORTS).await;
    let api = api(&system).await;
    reported(&api, |report| report["unknown"].is_null()).await;
    // One percent is ten shares; the next limits allow five, and end in their turn.
    let first = "UPDATE system.risk_limits SET single_max_pct = 1, updated_by = 'test',
            active_to = clock_timestamp() + interval '20 s'
        WHERE profile = 'DEFAULT' RETURNING id";
    let first: i64 = system.one(first, &[]).await;
    let second = "INSERT INTO system.risk_limits (profile, positions_max, single_max_pct, sector_max_pct,
            market_max_pct, daily_loss_max_pct, total_loss_max_pct, active_from, active_to, updated_by)
        SELECT profile, positions_max, 0.5, sector_max_pct, market_max_pct, daily_loss_max_pct,
            total_loss_max_pct, active_to, active_to + interval '20 s', 'test'
        FROM system.risk_limits WHERE id = $1 RETURNING id";
    let second: i64 = system.one(second, &[&first]).await;
    system.trade(HELD, 100_000).await;
    assert_eq!(buy(&api, HELD, "first", 5).await, 200);
    system.counts(FILLED, 1).await;

    // What is held is all that the next ones allow.
    let is_full = |report: &Value| report["usages"]["SINGLE_WEIGHT"].as_f64() > Some(95.0);
    reported(&api, is_full).await;
    assert_eq!(buy(&api, HELD, "second", 1).await, 200);
    system.counts(VIOLATIONS, 1).await;

    let none = "the risk profile in force has no limits at this time";
    reported(&api, |report| report["unknown"] == none).await;
    assert_eq!(buy(&api, HELD, "none", 1).await, 200);
    system.counts(VIOLATIONS, 2).await;
    let judged = system
        .query(
            "SELECT c.limits_id, v.check_type, l.id IS NULL OR (
                 c.judged_us >= extract(epoch FROM l.active_from) * 1000000
                 AND c.judged_us < extract(epoch FROM l.active_to) * 1000000)
             FROM system.risk_checks c LEFT JOIN system.risk_violations v ON v.check_id = c.id
             LEFT JOIN system.risk_limits l ON l.id = c.limits_id ORDER BY c.id",
            &[],
        )
        .await;
    let judged: Vec<(Option<i64>, Option<&str>, bool)> = judged
        .iter()
        .map(|row| (row.get(0), row.get(1), row.get(2)))
        .collect();
    let expected = [
        (Some(first), None, true),
        (Some(second), Some("SINGLE_WEIGHT"), true),
        (None, Some("LIMITS"), true),
    ];
    assert_eq!(judged, expected);
    api.stop().await;
    stream.stop().await;
    system.stop().await;
}
