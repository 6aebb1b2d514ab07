use serde_json::json;
use turnstile_dataflows::model::{LogicalTime, OrderStatus};

use super::*;

const TODAY: &str = "2026-11-24";

fn position(status: &str) -> Value {
    json!({
        "position_id": "7b0c1c9e-6f0f-4a39-8f0e-0a53c2f3f001", "symbol": "005930", "qty": 100,
        "original_qty": 100, "avg_price": 71666.6700, "entry_ts": "2026-11-24T00:00:00.000001+00:00",
        "status": status, "exit_mode": "ENABLED", "exit_profile_id": null, "strategy_id": "MANUAL",
        "cycle": 1, "version": 1,
    })
}

fn order() -> Value {
    json!({
        "order_id": "o1", "action_key": "p:1:OPEN:SL1:1", "side": "SELL", "symbol": "005930",
        "position_id": "7b0c1c9e-6f0f-4a39-8f0e-0a53c2f3f001", "reason_code": "SL1", "rule_id": null,
        "phase": "OPEN", "cycle": 1, "attempt": 1, "qty": 50, "decided_us": 5, "candidate_id": null,
        "created_ts": "2026-11-24T10:00:00+09:00",
    })
}

fn event(status: &str, filled: i64) -> Value {
    json!({
        "event_id": 1, "order_id": "o1", "status": status, "send_attempt": 1, "sent_qty": null,
        "filled_qty": filled,
    })
}

#[test]
fn a_position_keeps_its_exact_average() {
    let read = RowReader::default().read([("trade.positions", false, &position("OPEN"))], TODAY);
    let [Change::Position(row)] = &read.changes[..] else {
        panic!("{read:?}")
    };
    assert_eq!(row.avg_price.unwrap().to_string(), "71666.67");
    assert_eq!(row.entry.micros(), 1_795_478_400_000_001);
}

#[test]
fn the_facts_of_one_transaction_make_one_change_of_the_order() {
    let mut reader = RowReader::default();
    let (order, new, sent) = (order(), event("NEW", 0), event("SUBMITTED", 0));
    let rows = [
        ("trade.orders", false, &order),
        ("trade.order_events", false, &new),
        ("trade.order_events", false, &sent),
    ];
    let read = reader.read(rows, TODAY);
    let [Change::ExitOrder(row)] = &read.changes[..] else {
        panic!("{read:?}")
    };
    assert_eq!(row.status, OrderStatus::Submitted);
    let read = reader.read([("trade.order_events", false, &event("FILLED", 50))], TODAY);
    let [Change::ExitOrder(row)] = &read.changes[..] else {
        panic!("{read:?}")
    };
    assert_eq!((row.status, row.filled.shares()), (OrderStatus::Filled, 50));
    reader.read([("trade.positions", false, &position("CLOSED"))], TODAY);
    let late = reader.read([("trade.order_events", false, &event("FILLED", 50))], TODAY);
    assert!(late.changes.is_empty(), "{late:?}");
}

#[test]
fn the_invariants_are_told_which_order_sold_what_left_a_position() {
    let mut sale = json!({"sale_id": "s1", "position_id": "7b0c1c9e-6f0f-4a39-8f0e-0a53c2f3f001",
        "sold_ts": "2026-11-24T10:00:01+09:00", "qty": 5, "realized_pnl": -1, "order_id": "o1"});
    for by in [Some("o1"), None] {
        sale["order_id"] = json!(by);
        let rows = [
            ("trade.orders", false, &order()),
            ("trade.sale_results", false, &sale),
        ];
        let read = RowReader::default().read(rows, TODAY);
        let [InvariantChange::Order(order), InvariantChange::Taken(taken)] = &read.invariants[..]
        else {
            panic!("{read:?}")
        };
        assert_eq!(taken.order.as_deref(), by);
        let times = [order.stored, taken.time].map(LogicalTime::micros);
        assert_eq!(times, [1_795_482_000_000_000, 1_795_482_001_000_000]);
    }
}

#[test]
fn a_malformed_rule_is_reported_with_its_place_and_changes_nothing() {
    let rule = json!({
        "rule_id": "default", "scope": "DEFAULT", "scope_key": null, "version": 1, "is_active": true,
        "effective_from": null, "rules": {"sl1": {"pnl": 0.03}},
    });
    let read = RowReader::default().read([("trade.exit_rules", false, &rule)], TODAY);
    assert!(read.changes.is_empty());
    let text = read.faults[0].to_string();
    assert!(
        text.starts_with("trade.exit_rules: row default: rules: sl1.pnl: -0.5 < x <= 0"),
        "{text}"
    );
}

#[test]
fn a_rule_of_tomorrow_is_in_force_tomorrow() {
    let rule = |from: &str| {
        json!({
            "rule_id": "d", "scope": "DEFAULT", "version": 1, "is_active": true, "rules": {},
            "effective_from": from,
        })
    };
    let mut reader = RowReader::default();
    let read = reader.read([("trade.exit_rules", false, &rule("2026-11-25"))], TODAY);
    assert!(
        matches!(&read.changes[..], [Change::ExitRule(_, None)]),
        "{read:?}"
    );
    assert!(reader.due_rules(TODAY).is_empty());
    let due = reader.due_rules("2026-11-25");
    let rows = due.iter().map(|row| ("trade.exit_rules", false, row));
    let read = reader.read(rows, "2026-11-25");
    assert!(
        matches!(&read.changes[..], [Change::ExitRule(_, Some(_))]),
        "{read:?}"
    );
    assert!(reader.due_rules("2026-11-26").is_empty(), "told once");

    // What was changed or deleted meanwhile does not come.
    reader.read([("trade.exit_rules", false, &rule("2026-11-26"))], TODAY);
    reader.read([("trade.exit_rules", true, &rule("2026-11-26"))], TODAY);
    assert!(reader.due_rules("2026-11-27").is_empty());
}

#[test]
fn context_has_exact_millionths_and_ends_with_its_row() {
    let read = |atr: Value, is_deleted| {
        let row = json!({"symbol": "005930", "trade_date": "2026-11-24", "atr_pct": atr, "prev_close": 71000.5});
        let read = RowReader::default().read([("market.symbol_context", is_deleted, &row)], TODAY);
        match &read.changes[..] {
            [Change::Context(_, context)] => Ok(*context),
            _ => Err(read.faults[0].to_string()),
        }
    };
    let context = read(json!(0.023_456), false).unwrap();
    assert_eq!(context.atr_pct_millionths, Some(23_456));
    assert_eq!(context.prev_close.unwrap().to_string(), "71000.5");
    let smallest = read(json!(0.000_001), false).unwrap();
    assert_eq!(smallest.atr_pct_millionths, Some(1));
    assert_eq!(read(Value::Null, false).unwrap().atr_pct_millionths, None);
    assert_eq!(read(json!(0.02), true).unwrap().prev_close, None);
    let fault = read(json!(-0.01), false).unwrap_err();
    assert!(
        fault.starts_with("market.symbol_context: row 005930: atr_pct: ratio of zero or more"),
        "{fault}"
    );
}

#[test]
fn a_manual_sale_stands_while_it_is_asked() {
    let row = |state: &str| {
        json!({
            "request_id": "r1", "position_id": "p1", "symbol": "005930", "qty": 7, "state": state,
        })
    };
    let read = RowReader::default().read([("trade.manual_exits", false, &row("ASKED"))], TODAY);
    let [Change::ManualSale(request, Some(sale))] = &read.changes[..] else {
        panic!("{read:?}")
    };
    assert_eq!(
        (&**request, &*sale.request, sale.qty.shares()),
        ("r1", "r1", 7)
    );
    for state in ["ORDERED", "WITHDRAWN", "REFUSED"] {
        let read = RowReader::default().read([("trade.manual_exits", false, &row(state))], TODAY);
        assert!(
            matches!(&read.changes[..], [Change::ManualSale(_, None)]),
            "{state}: {read:?}"
        );
    }
}

#[test]
fn a_preview_is_a_rule_until_it_is_answered() {
    let row = |answered: Value| {
        json!({
            "request_id": "r1", "rule_id": "tight", "scope": "SYMBOL", "scope_key": "005930",
            "rules": {"sl1": {"pnl": -0.02, "qty": 0.5}}, "answered_us": answered,
        })
    };
    let read =
        RowReader::default().read([("trade.rule_previews", false, &row(Value::Null))], TODAY);
    assert!(
        matches!(&read.changes[..], [Change::Preview(_, Some(rule))] if rule.id.as_str() == "tight"),
        "{read:?}"
    );
    let read = RowReader::default().read([("trade.rule_previews", false, &row(json!(5)))], TODAY);
    assert!(
        matches!(&read.changes[..], [Change::Preview(_, None)]),
        "{read:?}"
    );
}

#[test]
fn a_purchase_is_under_way_with_what_may_still_come_until_it_is_over() {
    let mut reader = RowReader::default();
    let mut bought = order();
    let of_candidate = json!({
        "side": "BUY", "action_key": "c:ENTRY:1", "position_id": null, "price": 70_000,
        "candidate_id": "7b0c1c9e-6f0f-4a39-8f0e-0a53c2f3f002",
    });
    for (column, value) in of_candidate.as_object().unwrap() {
        bought[column] = value.clone();
    }
    let left = |read: &ReadRows| {
        let Some(Change::Underway(key, row)) = read.changes.last() else {
            panic!("{read:?}")
        };
        assert_eq!(&**key, "c:ENTRY:1");
        row.as_ref()
            .map(|row| (row.left.shares(), row.price.to_string()))
    };
    let read = reader.read([("trade.orders", false, &bought)], TODAY);
    assert!(matches!(read.changes[0], Change::Purchase(..)), "{read:?}");
    assert_eq!(left(&read), Some((50, "70000".to_owned())));
    for (status, filled, expected) in [("SUBMITTED", 0, 50), ("PARTIAL", 20, 30)] {
        let event = event(status, filled);
        let read = reader.read([("trade.order_events", false, &event)], TODAY);
        assert_eq!(left(&read).map(|(left, _price)| left), Some(expected));
    }
    let end = event("CANCELLED_PARTIAL", 20);
    let read = reader.read([("trade.order_events", false, &end)], TODAY);
    assert_eq!(left(&read), None);
    let late = reader.read([("trade.order_events", false, &end)], TODAY);
    assert!(late.changes.is_empty(), "{late:?}");
}

#[test]
fn limits_are_read_exactly_and_gone_with_their_row() {
    let limits = json!({
        "id": 1, "entry_regimes": ["NEUTRAL"], "positions_max": 15, "exposure_max": null,
        "exposure_max_pct": 80.5, "daily_loss_max": 1_000_000.5, "daily_loss_max_pct": 3.0001,
    });
    let read = |is_deleted, row: &Value| {
        let rows = [("trade.reentry_limits", is_deleted, row)];
        RowReader::default().read(rows, TODAY)
    };
    let [Change::ReentryLimits(Some(row))] = &read(false, &limits).changes[..] else {
        panic!("no limits")
    };
    assert_eq!(
        (row.exposure_max, row.exposure_share),
        (None, Some(805_000))
    );
    assert_eq!(row.daily_loss_max, Some(10_000_005_000));
    assert_eq!(row.daily_loss_share, Some(30_001));
    let gone = read(true, &limits);
    assert!(matches!(gone.changes[..], [Change::ReentryLimits(None)]));
    let mut wrong = limits.clone();
    wrong["daily_loss_max_pct"] = json!(-1);
    let faults = read(false, &wrong).faults;
    assert!(
        faults[0].to_string().contains("daily_loss_max_pct"),
        "{faults:?}"
    );
}

#[test]
fn what_risk_asks_for_is_told_beside_the_engine() {
    let mut reader = RowReader::default();
    let limits = json!({
        "id": 7, "profile": "CONSERVATIVE", "positions_max": 10, "single_max_pct": 7.5,
        "sector_max_pct": 30, "market_max_pct": 100, "daily_loss_max_pct": 2, "total_loss_max_pct": 6,
        "active_from": "2026-11-24T00:00:00+09:00", "active_to": null,
    });
    let read = reader.read([("system.risk_limits", false, &limits)], TODAY);
    assert!(
        matches!(&read.changes[..], [Change::RiskLimits(7, Some(row))] if row.daily_loss_max == 20_000),
        "{read:?}"
    );
    let [RiskChange::Limits(7, Some(row))] = &read.risk[..] else {
        panic!("{read:?}")
    };
    assert_eq!((row.single_max, row.market_max), (75_000, 1_000_000));
    let mut wrong = limits.clone();
    wrong["single_max_pct"] = json!("15");
    let read = reader.read([("system.risk_limits", false, &wrong)], TODAY);
    assert!(read.risk.is_empty() && read.changes.is_empty(), "{read:?}");
    let fault = read.faults[0].to_string();
    assert!(fault.contains("risk_limits") && fault.contains("single_max_pct"));

    let issue = json!({"symbol": "005930", "market": "KOSPI", "sector": " "});
    let read = reader.read([("market.stocks", false, &issue)], TODAY);
    let [RiskChange::Issue(_, Some(issue))] = &read.risk[..] else {
        panic!("{read:?}")
    };
    assert_eq!(issue.sector, None, "a blank sector is none");
    let stop = json!({"id": 1, "is_enabled": true, "updated_by": "kim", "reason": "news"});
    let read = reader.read([("system.emergency_stop", true, &stop)], TODAY);
    assert!(matches!(read.risk[..], [RiskChange::Stop(None)]));
    let sale = json!({"sale_id": "s1", "sold_ts": "2026-11-24T10:00:00+09:00", "qty": 5,
        "realized_pnl": -1234.5});
    let read = reader.read([("trade.sale_results", false, &sale)], TODAY);
    let [RiskChange::Sale(row)] = &read.risk[..] else {
        panic!("{read:?}")
    };
    assert!(matches!(&read.changes[..], [Change::Sale(same)] if same == row));
    let sold = LogicalTime::from_micros(1_795_482_000_000_000);
    assert_eq!(
        (row.id.as_str(), row.sold, row.units),
        ("s1", sold, -12_345_000)
    );
    let wrong =
        json!({"sale_id": "s1", "sold_ts": "2026-11-24T10:00:00+09:00", "realized_pnl": null});
    let read = reader.read([("trade.sale_results", false, &wrong)], TODAY);
    assert!(read.risk.is_empty() && read.changes.is_empty(), "{read:?}");
    assert_eq!(read.faults.len(), 1, "it is told once: {read:?}");
    // A position is told to both.
    let read = reader.read([("trade.positions", false, &position("OPEN"))], TODAY);
    assert!(matches!(read.risk[..], [RiskChange::Position(_)]));
}

#[test]
fn a_symbol_is_ranked_as_of_a_day_until_its_row_goes() {
    let read = |is_deleted, day: Value| {
        let row = json!({
            "symbol": "005930", "rank": 1, "as_of": day, "updated_ts": "2026-11-24T00:00:00+00:00",
        });
        RowReader::default().read([("strategy.ranked", is_deleted, &row)], TODAY)
    };
    let of = |read: &ReadRows| match &read.changes[..] {
        [Change::Ranked(symbol, day)] => (symbol.to_string(), *day),
        other => panic!("{other:?}"),
    };
    let symbol = || "005930".to_owned();
    // 2026-11-24 as the engine counts it.
    let day = LogicalTime::from_micros(1_795_482_000_000_000).seoul_day();
    assert_eq!(of(&read(false, json!(TODAY))), (symbol(), Some(day)));
    assert_eq!(of(&read(false, json!("1970-01-01"))), (symbol(), Some(0)));
    assert_eq!(of(&read(true, json!(TODAY))), (symbol(), None));
    for (day, said) in [
        (json!("1969-12-31"), "date from 1970 on expected"),
        (json!("24.11.2026"), ""),
        (Value::Null, "value expected"),
    ] {
        let read = read(false, day);
        assert!(read.changes.is_empty());
        let text = read.faults[0].to_string();
        let place = "strategy.ranked: row 005930: as_of: ";
        assert!(text.starts_with(&format!("{place}{said}")), "{text}");
    }
}
