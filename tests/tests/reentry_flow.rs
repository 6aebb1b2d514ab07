//! Re-entries through the real processes, and the policy table that the database comes with.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use turnstile_connectors::rows::RowReader;
use turnstile_dataflows::engine::{Change, Event, Timed};
use turnstile_dataflows::exit::SymbolContext;
use turnstile_dataflows::model::{
    LogicalTime, Price, Quantity, ReentryMode, Regime, RegimeOverride, Tick,
};
use turnstile_dataflows::reentry::{ExitEvent, ReentryLimits, ReentryVerdict, Verdict};
use turnstile_tests::histories::Shape;
use turnstile_tests::reentries::verdicts;
use turnstile_tests::{Stock, System, eventually};

const SYMBOL: &str = "005930";

fn stock(symbol: &str, held: i64) -> Stock<'_> {
    Stock {
        symbol,
        close: 100_000,
        held,
    }
}

async fn regime(system: &System, regime: Option<&str>) {
    let set = "UPDATE market.regime_override SET regime = $1, updated_by = 'test'";
    system.execute(set, &[&regime]).await;
}

/// History as `STATUS/gate/regime`, in the order in which it was stored.
async fn history(system: &System) -> Vec<String> {
    let rows = system
        .query(
            "SELECT concat_ws('/', status, gate, regime) FROM trade.reentry_history ORDER BY id",
            &[],
        )
        .await;
    rows.iter().map(|row| row.get(0)).collect()
}

async fn has_history(system: &System, expected: &[&str]) {
    let mut was = Vec::new();
    eventually(&format!("history {expected:?}"), async || {
        was = history(system).await;
        was.len() >= expected.len()
    })
    .await;
    assert_eq!(was, expected);
}

/// A system with a stop at 5 % and a rebound of 1 % after it, under a regime.
async fn begin(stocks: &[Stock<'_>], cooldown_s: i32, per_day: i32, said: Option<&str>) -> System {
    let system = System::start(stocks, "").await;
    system.exit_rules(json!({"sl2": {"pnl": -0.05}})).await;
    system.reentry_rule("SL", cooldown_s, "0.01", per_day).await;
    if said.is_some() {
        regime(&system, said).await;
    }
    system
}

/// Stops the held stock out and waits until its candidate watches.
async fn stopped_out(system: &System, regime: &str) {
    system.trade(SYMBOL, 94_900).await;
    let [cooldown, watch] = ["COOLDOWN", "WATCH"].map(|status| format!("{status}/{regime}"));
    has_history(system, &[&cooldown, &watch]).await;
}

#[tokio::test]
async fn a_stop_a_rebound_a_second_stop_and_the_limit_of_the_day() {
    let system = begin(&[stock(SYMBOL, 100)], 2, 1, Some("NEUTRAL")).await;
    let stream = system.stream("").await;

    // Out at 94,900; in again one percent above, after two seconds.
    stopped_out(&system, "NEUTRAL").await;
    let cooldowns = "SELECT extract(epoch FROM cooldown_until - exit_ts)::integer, state,
            extract(epoch FROM watch_until - cooldown_until)::integer
        FROM trade.reentry_candidates ORDER BY exit_ts";
    let first = &system.query(cooldowns, &[]).await[0];
    assert_eq!(
        (first.get::<_, i32>(0), first.get::<_, &str>(1)),
        (2, "WATCH")
    );
    assert_eq!(first.get::<_, i32>(2), 120 * 60);
    system.trade(SYMBOL, 95_000).await;
    system.trade(SYMBOL, 96_500).await;
    let entered = "SELECT count(*) FROM trade.reentry_history WHERE status = 'ENTERED'";
    system.counts(entered, 1).await;
    let order = &system
        .query(
            "SELECT action_key = candidate_id || ':ENTRY:1', side, qty, reason_code, status,
                 (SELECT explanation->>'regime' FROM trade.orders x WHERE x.order_id = o.order_id)
             FROM trade.orders_now o WHERE intent_type = 'ENTRY'",
            &[],
        )
        .await[0];
    assert!(order.get::<_, bool>(0));
    let said: (&str, i64, &str) = (order.get(1), order.get(2), order.get(3));
    assert_eq!(said, ("BUY", 60, "REENTRY_REBOUND"));
    assert_eq!(
        (order.get::<_, &str>(4), order.get::<_, &str>(5)),
        ("FILLED", "NEUTRAL")
    );
    let live = &system
        .query(
            "SELECT qty, original_qty, cycle, candidate_id = (SELECT candidate_id
                 FROM trade.reentry_candidates) FROM trade.positions WHERE status = 'OPEN'",
            &[],
        )
        .await[0];
    let said: (i64, i64, i32, bool) = (live.get(0), live.get(1), live.get(2), live.get(3));
    assert_eq!(said, (60, 60, 1, true));

    // Stopped out again: twice the cooldown, and then the day has had its one re-entry.
    system.trade(SYMBOL, 91_000).await;
    system
        .counts("SELECT count(*) FROM trade.exit_events", 2)
        .await;
    system
        .counts(
            "SELECT count(*) FROM trade.reentry_candidates WHERE state = 'BLOCKED'",
            1,
        )
        .await;
    let rows = system.query(cooldowns, &[]).await;
    let said: Vec<(i32, String)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    assert_eq!(said, [(2, "ENTERED".to_owned()), (4, "BLOCKED".to_owned())]);
    let all = [
        "COOLDOWN/NEUTRAL",
        "WATCH/NEUTRAL",
        "SUBMITTED/NEUTRAL",
        "ENTERED",
        "COOLDOWN/NEUTRAL",
        "BLOCKED/G2/NEUTRAL",
    ];
    has_history(&system, &all).await;

    // Another engine reads all exit events from the beginning, and has nothing to say.
    stream.stop().await;
    let stream = system.stream("").await;
    system.trade(SYMBOL, 99_000).await;
    system
        .counts(
            "SELECT count(*) FROM market.prices WHERE last_price = 99000",
            1,
        )
        .await;
    // What the load leads to was said before what a later row leads to.
    system
        .execute(
            "UPDATE market.regime_override SET reason = 'a mark', updated_by = 'test'",
            &[],
        )
        .await;
    let rows = "SELECT count(*) FROM system.engine_events WHERE payload::text LIKE '%a mark%'";
    system.counts(rows, 1).await;
    system.trade(SYMBOL, 99_500).await;
    system
        .counts(
            "SELECT count(*) FROM market.prices WHERE last_price = 99500",
            1,
        )
        .await;
    stream.stop().await;
    assert_eq!(history(&system).await, all);
    assert_eq!(
        system
            .one::<i64>("SELECT count(*) FROM trade.orders WHERE side = 'BUY'", &[])
            .await,
        1
    );
    system.stop().await;
}

#[tokio::test]
async fn a_panic_holds_a_candidate_and_its_end_lets_it_buy_while_exits_are_paused() {
    let system = begin(&[stock(SYMBOL, 100)], 1, 9, Some("RISK_ON")).await;
    let stream = system.stream("").await;
    stopped_out(&system, "RISK_ON").await;
    regime(&system, Some("PANIC")).await;
    let held = ["COOLDOWN/RISK_ON", "WATCH/RISK_ON", "BLOCKED/G0/PANIC"];
    has_history(&system, &held).await;
    system.trade(SYMBOL, 97_000).await;
    system.mode("exit", "PAUSE_ALL").await;
    system.mode("reentry", "PAUSE_ENTRY").await;
    regime(&system, Some("NEUTRAL")).await;
    system
        .counts(
            "SELECT count(*) FROM trade.reentry_history WHERE regime = 'NEUTRAL'",
            1,
        )
        .await;
    assert_eq!(history(&system).await[3], "WATCH/NEUTRAL");
    system.trade(SYMBOL, 97_100).await;
    system
        .counts(
            "SELECT count(*) FROM trade.reentry_history WHERE gate = 'CONTROL'",
            1,
        )
        .await;
    system.mode("reentry", "RUNNING").await;
    system.trade(SYMBOL, 97_200).await;
    system
        .counts(
            "SELECT count(*) FROM trade.reentry_history WHERE status = 'ENTERED'",
            1,
        )
        .await;
    stream.stop().await;
    system.stop().await;
}

#[tokio::test]
async fn an_operator_ends_a_candidate_and_a_blacklisted_symbol_makes_none() {
    let other = "000660";
    let stocks = [stock(SYMBOL, 100), stock(other, 100)];
    let system = begin(&stocks, 1, 9, Some("RISK_ON")).await;
    system
        .execute(
            "INSERT INTO trade.reentry_blacklist (symbol, reason, created_by)
             VALUES ($1, 'test', 'test')",
            &[&other],
        )
        .await;
    let stream = system.stream("").await;
    system.trade(other, 94_900).await;
    has_history(&system, &["BLOCKED/G2/RISK_ON"]).await;
    system.trade(SYMBOL, 94_900).await;
    system
        .counts(
            "SELECT count(*) FROM trade.reentry_candidates WHERE state = 'WATCH'",
            1,
        )
        .await;
    system
        .execute(
            "INSERT INTO trade.reentry_expiries (candidate_id, asked_by)
             SELECT candidate_id, 'kim' FROM trade.reentry_candidates WHERE state = 'WATCH'",
            &[],
        )
        .await;
    system
        .counts(
            "SELECT count(*) FROM trade.reentry_candidates WHERE state = 'EXPIRED'",
            1,
        )
        .await;
    let reason: String = system
        .one(
            "SELECT reason FROM trade.reentry_history WHERE status = 'EXPIRED'",
            &[],
        )
        .await;
    assert_eq!(reason, "asked by kim");
    stream.stop().await;
    system.stop().await;
}

#[tokio::test]
async fn the_index_funds_tell_the_regime_and_entries_name_it() {
    let funds = ["069500", "229200"];
    let stocks = [stock(SYMBOL, 100), stock(funds[0], 0), stock(funds[1], 0)];
    let system = begin(&stocks, 1, 9, None).await;
    system
        .execute(
            "INSERT INTO market.daily_bars (symbol, trade_date, open, high, low, close, volume, value, source)
             SELECT symbol, current_date - day, close, close, close, close, 1, close, 'IMPORT'
             FROM unnest($1::text[]) AS symbol, generate_series(-200, 200) AS day,
                 LATERAL (SELECT 80000 - day * 10 AS close) AS closes",
            &[&funds.as_slice()],
        )
        .await;
    let stream = system.stream("").await;
    for fund in funds {
        system.trade(fund, 80_000).await;
    }
    system
        .counts(
            "SELECT count(*) FROM market.regime_snapshots WHERE source = 'INDEX_FUNDS'
             AND regime = 'RISK_ON' AND details ? '069500' AND details ? '229200'",
            1,
        )
        .await;
    stopped_out(&system, "RISK_ON").await;
    stream.stop().await;
    system.stop().await;
}

/// 2026-11-24 10:00:00 in Seoul.
const TEN: u64 = 1_795_482_000_000_000;
const MINUTE: u64 = 60_000_000;
const SHAPE: Shape = Shape {
    batch: 7,
    workers: 1,
};

fn price(won: i64) -> Price {
    Price::from_won(won).expect("above zero")
}

/// Under a regime: an exit at 10,000 of 100 shares, minutes around it, then a rise to 10,600 that
/// goes on, with volume. Every trigger of the table holds in it some time.
fn day(rules: &[Change], regime: Regime, reason: &str) -> Vec<Timed> {
    let symbol = "A".parse().expect("a symbol");
    let until = LogicalTime::MAX;
    let context = SymbolContext {
        atr_pct_millionths: Some(10_000),
        prev_close: Some(price(10_000)),
    };
    let mut rows = rules.to_vec();
    rows.extend([
        Change::ReentryMode(ReentryMode::Running),
        Change::ReentryLimits(Some(ReentryLimits::default())),
        Change::RegimeOverride(Some(RegimeOverride { regime, until })),
        Change::Context(symbol, context),
        Change::ExitEvent(ExitEvent {
            id: "e".parse().expect("an id"),
            symbol,
            reason: reason.into(),
            exit: LogicalTime::from_micros(TEN),
            exit_price: price(10_000),
            original_qty: Quantity::new(100).expect("shares"),
            prior_hwm: Some(price(10_200)),
            result: 0,
        }),
    ]);
    let mut log = vec![Timed {
        time: LogicalTime::from_micros(TEN),
        event: Event::Changes(rows),
    }];
    for minute in 1..180_u64 {
        let time = LogicalTime::from_micros(TEN + minute * MINUTE);
        let number = i64::try_from(minute).expect("small");
        let is_up = minute >= 70;
        let won = if is_up {
            10_600 + number
        } else {
            10_000 + number % 3 * 10
        };
        log.push(Timed {
            time,
            event: Event::Tick(Tick {
                time,
                symbol,
                last: price(won),
                bid: None,
                volume: if is_up { 100 } else { 10 },
            }),
        });
    }
    log
}

/// What the table says of a cell (domain 5.3).
#[derive(Clone, Copy, Debug, PartialEq)]
enum Cell {
    /// Refused by a gate; minutes of the cooldown before, where there is a candidate at all.
    No(&'static str, Option<u64>),
    /// Minutes of the cooldown, shares of a hundred, trigger.
    Yes(u64, i64, &'static str),
}

#[tokio::test]
async fn every_cell_of_the_policy_table_is_as_the_table_says() {
    let system = System::start_without_positions(&[stock(SYMBOL, 0)], "").await;
    let rows = system
        .query(
            "SELECT to_jsonb(r) || '{\"is_active\": true}' FROM trade.reentry_rules r
             WHERE created_by = 'policy'",
            &[],
        )
        .await;
    assert_eq!(rows.len(), 12);
    let rows: Vec<Value> = rows.iter().map(|row| row.get(0)).collect();
    let rules = rows.iter().map(|row| ("trade.reentry_rules", false, row));
    let read = RowReader::default().read(rules, "2026-11-24");
    assert_eq!(read.faults, []);
    system.stop().await;

    let rebound = |minutes, shares| Cell::Yes(minutes, shares, "REENTRY_REBOUND");
    let breakout = |minutes, shares| Cell::Yes(minutes, shares, "REENTRY_BREAKOUT");
    let chase = |minutes, shares| Cell::Yes(minutes, shares, "REENTRY_CHASE");
    let table = [
        (
            "SL",
            Cell::No("G0", Some(120)),
            Cell::No("G0.5", Some(120)),
            rebound(60, 40),
            rebound(45, 50),
        ),
        (
            "TRAIL",
            Cell::No("G0", Some(60)),
            rebound(60, 30),
            breakout(30, 50),
            breakout(15, 60),
        ),
        (
            "TP",
            Cell::No("G0", Some(20)),
            Cell::No("G0.5", None),
            chase(20, 40),
            chase(10, 60),
        ),
    ];
    let reasons = BTreeMap::from([
        (
            "SL",
            vec![
                "SL1",
                "SL2",
                "HARDSTOP",
                "STOP_FLOOR",
                "GAP_DOWN",
                "BREAK_EVEN",
                "CUSTOM_LOSS",
            ],
        ),
        ("TRAIL", vec!["TRAIL", "TRAIL_PARTIAL"]),
        ("TP", vec!["TP1", "TP2", "TP3", "CUSTOM_PROFIT"]),
    ]);
    for (class, panic, risk_off, neutral, risk_on) in table {
        let cells = [
            (Regime::Panic, panic),
            (Regime::RiskOff, risk_off),
            (Regime::Neutral, neutral),
            (Regime::RiskOn, risk_on),
        ];
        for (regime, expected) in cells {
            for reason in &reasons[class] {
                let log = day(&read.changes, regime, reason);
                let said = verdicts(&log, SHAPE);
                assert_eq!(found(&said), expected, "{reason} under {regime}: {said:?}");
            }
        }
    }
    for reason in ["TIME", "MANUAL", "BROKER", "FLATTEN", "UNKNOWN"] {
        for regime in Regime::ALL {
            let log = day(&read.changes, regime, reason);
            let said = verdicts(&log, SHAPE);
            assert_eq!(
                found(&said),
                Cell::No("G0.5", None),
                "{reason} under {regime}"
            );
        }
    }
}

fn found(said: &[ReentryVerdict]) -> Cell {
    let cooldown = said.iter().find_map(|said| match said.verdict {
        Verdict::Cooldown { until } => Some((until.micros() - TEN) / MINUTE),
        _ => None,
    });
    let entry = said.iter().find_map(|said| match &said.verdict {
        Verdict::Submit { qty, reason, .. } => Some((qty.shares(), &**reason)),
        _ => None,
    });
    if let (Some((shares, reason)), Some(minutes)) = (entry, cooldown) {
        let known = ["REENTRY_REBOUND", "REENTRY_BREAKOUT", "REENTRY_CHASE"];
        let reason = known.into_iter().find(|name| *name == reason);
        return Cell::Yes(minutes, shares, reason.expect("a known trigger"));
    }
    let gate = said.iter().find_map(|said| match &said.verdict {
        Verdict::Blocked { gate, .. } => Some(&**gate),
        _ => None,
    });
    let known = ["G0", "G0.5"].into_iter().find(|name| Some(*name) == gate);
    Cell::No(known.expect("a gate refuses"), cooldown)
}
