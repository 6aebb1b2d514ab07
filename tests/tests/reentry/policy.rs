//! The policy table of the migrations: its figures, and every cell of it through the engine.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use turnstile_connectors::rows::RowReader;
use turnstile_dataflows::engine::{Change, Event, Timed};
use turnstile_dataflows::exit::SymbolContext;
use turnstile_dataflows::model::{
    LogicalTime, Price, Quantity, ReentryMode, Regime, RegimeOverride, Tick,
};
use turnstile_dataflows::reentry::{
    EQUITY_AGE_US_MAX, ExitEvent, REGIME_AGE_US_MAX, ReentryLimits, ReentryVerdict, Verdict,
};
use turnstile_oracle::histories::Shape;
use turnstile_oracle::reentries::verdicts;
use turnstile_tests::System;

use super::stock;

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
/// goes on, with volume. Every trigger of the table holds in it some time, those of CHASE where the
/// ranking of the day selects the symbol.
fn day(rules: &[Change], regime: Regime, reason: &str, is_ranked: bool) -> Vec<Timed> {
    let symbol = "A".parse().expect("a symbol");
    let until = LogicalTime::MAX;
    let context = SymbolContext {
        atr_pct_millionths: Some(10_000),
        prev_close: Some(price(10_000)),
    };
    let ranked = is_ranked.then(|| LogicalTime::from_micros(TEN).seoul_day());
    let mut rows = rules.to_vec();
    rows.extend([
        Change::ReentryMode(ReentryMode::Running),
        Change::ReentryLimits(Some(ReentryLimits::default())),
        Change::RegimeOverride(Some(RegimeOverride { regime, until })),
        Change::Context(symbol, context),
        Change::Ranked(symbol, ranked),
        Change::ExitEvent(ExitEvent {
            id: "e".parse().expect("an id"),
            symbol,
            reason: reason.into(),
            exit: LogicalTime::from_micros(TEN),
            exit_price: price(10_000),
            original_qty: Quantity::new(100).expect("shares"),
            prior_hwm: Some(price(10_200)),
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
    let system = System::start_without_positions(&[stock(super::SYMBOL, 0)], "").await;
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
                let log = day(&read.changes, regime, reason, true);
                let said = verdicts(&log, SHAPE);
                assert_eq!(found(&said), expected, "{reason} under {regime}: {said:?}");
            }
        }
    }
    // A CHASE needs the daily strategy; what it does not ask for changes nothing.
    for reason in ["TP1", "TRAIL"] {
        for regime in [Regime::Neutral, Regime::RiskOn] {
            let said = verdicts(&day(&read.changes, regime, reason, false), SHAPE);
            let entry = said.iter().find_map(|said| match &said.verdict {
                Verdict::Submit { reason, .. } => Some(&**reason),
                _ => None,
            });
            let expected = (reason == "TRAIL").then_some("REENTRY_BREAKOUT");
            assert_eq!(entry, expected, "{reason} under {regime}: {said:?}");
        }
    }
    for reason in ["TIME", "MANUAL", "BROKER", "FLATTEN", "UNKNOWN"] {
        for regime in Regime::ALL {
            let log = day(&read.changes, regime, reason, true);
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

/// A cell of domain 5.3 as it stands there: entries at most, minutes of the cooldown, percent of the
/// original quantity for the first and the second entry, and the trigger. None: no entry.
type Figures = Option<(i32, i64, i64, Option<i64>, Value)>;

fn figures(class: &str, regime: &str) -> Figures {
    let rebound = |percent: &str, rest: &str| {
        let text =
            format!(r#"{{"type": "REBOUND", "rebound": 0.0{percent}, "volume_ratio": 1.2{rest}}}"#);
        serde_json::from_str(&text).expect("a trigger")
    };
    let structure = r#", "structure_break": true"#;
    let structure_15 = r#", "structure_break": true, "stable_minutes": 15"#;
    match (class, regime) {
        ("SL", "NEUTRAL") => Some((1, 60, 40, None, rebound("3", structure_15))),
        ("SL", "RISK_ON") => Some((1, 45, 50, None, rebound("2", ""))),
        ("TRAIL", "RISK_OFF") => Some((1, 60, 30, None, rebound("5", structure))),
        ("TRAIL", "NEUTRAL") => Some((
            2,
            30,
            50,
            Some(50),
            json!({
                "type": "BREAKOUT", "atr_k": 0.5, "volume_ratio": 1.2, "stable_minutes": 3,
            }),
        )),
        ("TRAIL", "RISK_ON") => Some((
            2,
            15,
            60,
            Some(40),
            json!({
                "type": "BREAKOUT", "atr_k": 0.5, "stable_minutes": 3,
            }),
        )),
        ("TP", "NEUTRAL") => Some((
            1,
            20,
            40,
            None,
            json!({
                "type": "CHASE", "momentum": 0.7, "volatility_atr": 3,
            }),
        )),
        ("TP", "RISK_ON") => Some((
            2,
            10,
            60,
            Some(40),
            json!({
                "type": "CHASE", "momentum": 0.7, "volatility_atr": 0,
            }),
        )),
        _ => None,
    }
}

#[tokio::test]
async fn every_figure_in_the_database_is_that_of_the_policy() {
    let system = System::start_without_positions(&[stock(super::SYMBOL, 0)], "").await;
    for class in ["SL", "TRAIL", "TP"] {
        for regime in ["PANIC", "RISK_OFF", "NEUTRAL", "RISK_ON"] {
            let rows = system
                .query(
                    "SELECT allow_entry, max_reentries_total, cooldown_minutes::bigint,
                         size_pct_entry1::bigint, size_pct_entry2::bigint, trigger_params,
                         max_reentries_per_day, max_reentries_per_week, watch_ttl_minutes::bigint,
                         cooldown_minutes % 1 = 0 AND size_pct_entry1 % 1 = 0
                             AND coalesce(size_pct_entry2, 0) % 1 = 0 AS is_whole
                     FROM trade.reentry_rules
                     WHERE created_by = 'policy' AND exit_reason_code = $1 AND regime = $2
                         AND symbol IS NULL AND NOT is_active",
                    &[&class, &regime],
                )
                .await;
            let cell = format!("{class} under {regime}");
            assert_eq!(rows.len(), 1, "{cell}");
            let row = &rows[0];
            let (allows, total): (bool, i32) = (row.get(0), row.get(1));
            let found: Figures =
                allows.then(|| (total, row.get(2), row.get(3), row.get(4), row.get(5)));
            assert_eq!(found, figures(class, regime), "{cell}");
            assert_eq!(total == 0, !allows, "{cell}");
            // Two a day, three a week, two hours of watch.
            let most: (i32, i32, i64) = (row.get(6), row.get(7), row.get(8));
            assert_eq!(most, (2, 3, 120), "{cell}");
            assert!(row.get::<_, bool>(9), "{cell}");
        }
    }
    let cooldown = "SELECT cooldown_minutes::bigint FROM trade.reentry_rules
        WHERE rule_id = 'policy-sl-risk-off'";
    assert_eq!(system.one::<i64>(cooldown, &[]).await, 120);
    let limits = "SELECT format('%s %s %s', entry_regimes, positions_max, daily_loss_max_pct)
        FROM trade.reentry_limits";
    assert_eq!(
        system.one::<String>(limits, &[]).await,
        "{RISK_ON,NEUTRAL,RISK_OFF} 15 3.0000"
    );
    let windows =
        "SELECT string_agg(format('%s %s', from_time, until_time), ', ' ORDER BY from_time)
        FROM trade.reentry_windows";
    assert_eq!(
        system.one::<String>(windows, &[]).await,
        "09:00:00 09:30:00, 14:50:00 15:30:00"
    );
    assert_eq!(
        (REGIME_AGE_US_MAX, EQUITY_AGE_US_MAX),
        (5 * MINUTE, 5 * MINUTE)
    );
    system.stop().await;
}
