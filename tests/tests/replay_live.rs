//! Replay equals live: a day of the running system comes out again, also after a restart and a kill; what
//! does not is told, by the program and by the job of the night.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use nix::sys::signal::Signal;
use serde_json::json;
use turnstile_tests::{Program, Replay, Stock, System, clear_of_midnight, eventually};

const CLOSE: i64 = 100_000;
const STOCKS: usize = 24;
/// What waits waits shorter, so that a restart is over in a second or two.
const SETTINGS: &str = "\
[execution]
settle_delay = \"700ms\"
poll_live = \"1s\"
resend_pause = \"200ms\"
[kis.reconnect]
pause_min = \"200ms\"
in_use_pause = \"300ms\"
[kis.stream]
request_spacing = \"1ms\"
";
const ORDERS: &str = "SELECT count(*) FROM trade.orders WHERE tick_us IS NOT NULL";
const OPEN_ORDERS: &str = "SELECT count(*) FROM trade.orders_now
    WHERE status NOT IN ('FILLED', 'REJECTED', 'CANCELLED', 'CANCELLED_PARTIAL', 'ERROR')";

fn symbols() -> Vec<String> {
    (0..STOCKS)
        .map(|number| format!("{:06}", 300_010 + 10 * number))
        .collect()
}

/// A system that holds a hundred shares of each symbol.
async fn begin(symbols: &[String]) -> System {
    clear_of_midnight().await;
    let stocks: Vec<Stock<'_>> = symbols
        .iter()
        .map(|symbol| Stock {
            symbol,
            close: CLOSE,
            held: 100,
        })
        .collect();
    let system = System::start(&stocks, "").await;
    system
        .exit_rules(json!({"sl2": {"pnl": -0.05}, "sl1": {"pnl": -0.03, "qty": 0.5}}))
        .await;
    system.reentry_rule("SL", 1, "0.01", 9).await;
    let regime = "UPDATE market.regime_override SET regime = 'NEUTRAL', updated_by = 'test'";
    system.execute(regime, &[]).await;
    system
}

async fn trade_all(system: &System, symbols: &[String], won: i64) {
    for symbol in symbols {
        system.trade(symbol, won).await;
    }
}

async fn orders(system: &System) -> i64 {
    system.one(ORDERS, &[]).await
}

/// Stops out some positions by halves, and lets what was sold be bought back.
async fn stops_and_purchases(system: &System, symbols: &[String]) {
    let few = i64::try_from(symbols.len()).expect("few");
    let before = orders(system).await;
    trade_all(system, symbols, 97_000).await;
    system.counts(ORDERS, before + few).await;
    let closed = "SELECT count(*) FROM trade.exit_events";
    let closed_before: i64 = system.one(closed, &[]).await;
    trade_all(system, symbols, 94_900).await;
    system.counts(closed, closed_before + few).await;
    let watching = "SELECT count(*) FROM trade.reentry_history WHERE status = 'WATCH'";
    system.counts(watching, few).await;
    let bought = "SELECT count(*) FROM trade.orders WHERE candidate_id IS NOT NULL";
    // The first half may have been sold at 97,000 still: the rebound is of what both were sold at.
    eventually("purchases", async || {
        for won in [95_000, 98_500] {
            trade_all(system, symbols, won).await;
        }
        system.one::<i64>(bought, &[]).await > 0
    })
    .await;
}

/// Lets positions trail, under another rule, until they sell.
async fn trailing(system: &System, symbols: &[String]) {
    let rules = json!({"sl2": {"pnl": -0.05}, "trail": {"pct": 0.03, "qty": 0.5}});
    system.exit_rules(rules).await;
    let trail = "UPDATE trade.position_state SET phase = 'TRAILING_ACTIVE' WHERE position_id IN (
        SELECT position_id FROM trade.positions WHERE symbol = ANY($1) AND status = 'OPEN')";
    system.execute(trail, &[&symbols]).await;
    trade_all(system, symbols, 104_000).await;
    let sold = "SELECT count(DISTINCT symbol) FROM trade.orders
        WHERE reason_code = 'TRAIL' AND symbol = ANY($1)";
    eventually("trailing stops", async || {
        trade_all(system, symbols, 100_500).await;
        let sold: i64 = system.one(sold, &[&symbols]).await;
        usize::try_from(sold).is_ok_and(|sold| sold == symbols.len())
    })
    .await;
}

/// The operator pauses, sells by hand, and goes on.
async fn operator(system: &System, symbols: &[String]) {
    system.mode("exit", "PAUSE_ALL").await;
    let paused = "SELECT count(*) FROM system.engine_events WHERE payload::text LIKE '%PAUSE_ALL%'";
    system.counts(paused, 1).await;
    trade_all(system, symbols, 98_000).await;
    let ask = "INSERT INTO trade.manual_exits (request_id, position_id, symbol, qty, asked_by)
        SELECT gen_random_uuid(), position_id, symbol, 10, 'test' FROM trade.positions
        WHERE symbol = ANY($1) AND status = 'OPEN'";
    system.execute(ask, &[&symbols]).await;
    system.mode("exit", "RUNNING").await;
    let sold = "SELECT count(DISTINCT symbol) FROM trade.orders
        WHERE reason_code = 'MANUAL' AND symbol = ANY($1)";
    eventually("sales by hand", async || {
        trade_all(system, symbols, 98_100).await;
        let sold: i64 = system.one(sold, &[&symbols]).await;
        usize::try_from(sold).is_ok_and(|sold| sold == symbols.len())
    })
    .await;
}

/// Kills the engine while prices fall through the stops.
async fn kill_amid_ticks(system: &System, stream: Program, symbols: &[String]) -> Program {
    let is_over = Arc::new(AtomicBool::new(false));
    let before = orders(system).await;
    let falling = async {
        let mut won = 98_000;
        while !is_over.load(Ordering::Relaxed) {
            trade_all(system, symbols, won).await;
            won = (won - 100).max(94_000);
        }
    };
    let killing = async {
        // In the midst of decisions.
        let wanted = before + 2;
        eventually("decisions", async || orders(system).await >= wanted).await;
        stream.signal(Signal::SIGKILL);
        assert!(!stream.ended().await);
        let stream = system.stream(SETTINGS).await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        is_over.store(true, Ordering::Relaxed);
        stream
    };
    let ((), stream) = tokio::join!(falling, killing);
    stream
}

/// Waits until nothing is open at the broker.
async fn settled(system: &System) {
    eventually("all orders are over", async || {
        system.one::<i64>(OPEN_ORDERS, &[]).await == 0
    })
    .await;
}

/// Waits until the engine has proven everything that it has decided.
async fn proven(system: &System) {
    let runs = "SELECT count(*) FROM system.engine_runs
        WHERE through_us >= (SELECT max(decided_us) FROM trade.orders)";
    system.counts(runs, 1).await;
}

/// Takes the guards of orders away, as nobody but the owner of the table can, or puts them back.
async fn unlock(system: &System, is_unlocked: bool) {
    let word = if is_unlocked { "DISABLE" } else { "ENABLE" };
    let guards = format!("ALTER TABLE trade.orders {word} TRIGGER USER");
    system.execute(&guards, &[]).await;
}

/// Puts an order beside those that were decided, at `decided_us`.
async fn forge(system: &System, key: &str, decided_us: &str) {
    let copy = format!(
        "INSERT INTO trade.orders (order_id, action_key, account_id, position_id, symbol, side,
             intent_type, qty, order_type, reason_code, phase, cycle, attempt, price, level,
             decided_us, tick_us, explanation)
         SELECT gen_random_uuid(), $1, account_id, position_id, symbol, side, intent_type, qty,
             'MKT', reason_code, phase, cycle, attempt, price, level, {decided_us}, {decided_us},
             explanation
         FROM trade.orders WHERE side = 'SELL' AND tick_us IS NOT NULL ORDER BY decided_us LIMIT 1"
    );
    unlock(system, true).await;
    assert_eq!(system.execute(&copy, &[&key]).await, 1);
    unlock(system, false).await;
}

async fn tampered(system: &System, day: &str) -> Replay {
    forge(system, "forged:1", "decided_us + 1").await;
    let raise = "UPDATE trade.orders SET qty = qty + 1 WHERE action_key = (
        SELECT action_key FROM trade.orders WHERE side = 'SELL' AND tick_us IS NOT NULL
            AND action_key <> 'forged:1' ORDER BY decided_us LIMIT 1)";
    unlock(system, true).await;
    assert_eq!(system.execute(raise, &[]).await, 1);
    unlock(system, false).await;
    system.replay(day, &[]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_of_the_running_system_comes_out_again_and_what_does_not_is_told() {
    let symbols = symbols();
    let mut system = begin(&symbols).await;
    let (stopped, others) = symbols.split_at(12);
    let (trailed, others) = others.split_at(4);
    let (by_hand, falling) = others.split_at(4);

    let stream = system.stream(SETTINGS).await;
    stops_and_purchases(&system, stopped).await;
    trailing(&system, trailed).await;
    stream.stop().await;
    let stream = system.stream(SETTINGS).await;
    operator(&system, by_hand).await;
    proven(&system).await;
    let stream = kill_amid_ticks(&system, stream, falling).await;
    trade_all(&system, &symbols, 94_000).await;
    settled(&system).await;

    // While the engine runs, up to what it has proven.
    let day = system.today().await;
    system.replay(&day, &[]).await.is_equal();
    stream.stop().await;
    let out = system.folder().join("decisions.csv");
    let out = out.display().to_string();
    let replay = system
        .replay(&day, &["--out", &out, "--workers", "2"])
        .await;
    println!("{}", replay.figures);
    replay.is_equal();
    assert!(replay.figure("decisions") >= 36, "{replay:#?}");
    let decisions = std::fs::read_to_string(&out).expect("the decisions");
    for what in [",SL1,", ",SL2,", ",TRAIL,", ",MANUAL,", ",REENTRY_REBOUND,"] {
        assert!(decisions.contains(what), "{what} in {decisions}");
    }
    // The end of a run that was stopped in order is proven.
    let killed: i64 = system
        .one(
            "SELECT count(*) FROM system.engine_runs WHERE ended_ts IS NULL",
            &[],
        )
        .await;
    assert_eq!(killed, 1);

    let replay = tampered(&system, &day).await;
    assert_eq!(
        (replay.status, replay.figure("differences")),
        (Some(3), 2),
        "{replay:#?}"
    );
    let is_told = |start: &str| replay.lines.iter().any(|line| line.starts_with(start));
    assert!(is_told("MISSING forged:1 at "), "{replay:#?}");
    assert!(is_told("DIFFERENT "), "{replay:#?}");
    let kept = "SELECT string_agg(kind || ' ' || coalesce(field, ''), ',' ORDER BY kind)
        FROM system.replay_differences";
    assert_eq!(
        system.one::<String>(kept, &[]).await,
        "DIFFERENT qty,MISSING "
    );

    at_night(&mut system).await;
    system.stop().await;
}

/// The job finds a decision of yesterday that no engine has made.
async fn at_night(system: &mut System) {
    let hours_ago = |hours: u8| {
        format!(
            "(trade.micros((now() AT TIME ZONE 'Asia/Seoul')::date::timestamp
            AT TIME ZONE 'Asia/Seoul') - {hours} * 3600000000::bigint)"
        )
    };
    let run = format!(
        "INSERT INTO system.engine_runs (run_id, account_id, begun_us, through_us)
         VALUES (gen_random_uuid(), 'test', {}, {})",
        hours_ago(3),
        hours_ago(1)
    );
    system.execute(&run, &[]).await;
    forge(system, "forged:2", &hours_ago(2)).await;
    // The day before, a run has proven nothing of what was decided.
    let run = format!(
        "INSERT INTO system.engine_runs (run_id, account_id, begun_us, through_us)
         VALUES (gen_random_uuid(), 'test', {}, {})",
        hours_ago(30),
        hours_ago(29)
    );
    system.execute(&run, &[]).await;
    forge(system, "forged:3", &hours_ago(28)).await;
    system.jobs = system
        .jobs
        .replace("replay = false", "replay = true\nreplay_at = \"00:00:00\"");
    let stream = system.stream(SETTINGS).await;
    let alarms = "SELECT count(*) FROM system.logs
        WHERE event = 'REPLAY_DIFFERS' AND level = 'CRITICAL'";
    system.counts(alarms, 1).await;
    let done = "SELECT count(*) FROM system.job_runs WHERE job = 'replay' AND status = 'DONE'";
    system.counts(done, 1).await;
    let unproven = "SELECT count(*) FROM system.logs
        WHERE event = 'REPLAY_UNPROVEN' AND level = 'WARNING' AND context ->> 'unproven' = '1'";
    system.counts(unproven, 1).await;
    let found = "SELECT count(*) FROM system.replay_runs r JOIN system.replay_differences d
        USING (replay_id) WHERE r.is_over AND r.differences = 1 AND d.action_key = 'forged:2'";
    assert_eq!(system.one::<i64>(found, &[]).await, 1);
    stream.stop().await;
}

#[tokio::test]
async fn a_day_without_an_engine_or_without_its_prices_is_refused() {
    let symbols = symbols();
    let system = begin(&symbols[..1]).await;
    let replay = system.replay("2024-01-02", &[]).await;
    assert_eq!(replay.status, Some(1));
    assert!(
        replay
            .told
            .contains("no run of an engine is recorded on 2024-01-02"),
        "{replay:#?}"
    );

    let stream = system.stream(SETTINGS).await;
    stream.stop().await;
    let today = system.today().await;
    let archive = "INSERT INTO system.archives (day, part, table_name, file, columns, rows, first_us,
            last_us, file_bytes, file_sha256, content_sha256)
        VALUES ((now() AT TIME ZONE 'Asia/Seoul')::date, 1, 't', 'prices_of_today.csv.gz', '{}', 1, 1,
            1, 1, repeat('0', 64), repeat('0', 64))";
    system.execute(archive, &[]).await;
    let replay = system.replay(&today, &[]).await;
    assert_eq!(replay.status, Some(1));
    let told = format!("archived in prices_of_today.csv.gz: `turnstile archive restore {today}`");
    assert!(replay.told.contains(&told), "{replay:#?}");

    let replay = system.replay(&today, &["--ticks", "ticks.csv"]).await;
    assert_eq!(replay.status, Some(2), "of two ways one: {replay:#?}");
    system.stop().await;
}
