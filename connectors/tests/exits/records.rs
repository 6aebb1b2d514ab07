//! Withheld hits, answers to previews, requests of the operator.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use turnstile_connectors::exits::{Answer, Answers, WithheldHits};
use turnstile_connectors::task;
use turnstile_dataflows::exit::{
    ExitDecision, Explanation, Orders, RuleLevel, Runs, Withheld, Withholding,
};
use turnstile_dataflows::model::{
    ActionKey, ExitMode, ExitReason, Phase, PositionId, PositionMode, Quantity,
};

use crate::world::{FIRST, SECOND, TEN, World, won};

const REQUEST: &str = "44444444-4444-4444-8444-444444444444";

fn withheld(why: Withholding) -> Withheld {
    Withheld {
        time: TEN,
        position: FIRST.parse().unwrap(),
        symbol: "005930".parse().unwrap(),
        reason: ExitReason::Sl1,
        rule_id: None,
        why,
        price: won(67_000),
        level: won(67_900),
    }
}

fn decision(position: &str, qty: i64) -> ExitDecision {
    let id: PositionId = position.parse().unwrap();
    let qty = Quantity::new(qty).unwrap();
    ExitDecision {
        time: TEN,
        symbol: "005930".parse().unwrap(),
        reason: ExitReason::Sl1,
        rule_id: None,
        phase: Phase::Open,
        cycle: 1,
        attempt: 1,
        qty,
        price: won(67_000),
        level: won(67_900),
        action_key: ActionKey::exit(&id, 1, Phase::Open, ExitReason::Sl1, None, 1),
        cancels: Vec::new(),
        explanation: Explanation {
            time: TEN,
            tick: TEN,
            last: won(67_000),
            bid: None,
            position: id.clone(),
            symbol: "005930".parse().unwrap(),
            position_version: 1,
            position_mode: PositionMode::Enabled,
            entry: TEN,
            cycle: 1,
            phase: Phase::Open,
            remaining: qty,
            available: qty,
            original_qty: qty,
            avg_price: Some(won(70_000)),
            profile: "default".parse().unwrap(),
            profile_version: 1,
            profile_level: RuleLevel::Default,
            rules: Arc::default(),
            atr_pct_millionths: None,
            prev_close: None,
            high_water_mark: None,
            high_water_tick: None,
            floor: None,
            runs: Runs::default(),
            mode: ExitMode::Running,
            mode_since: TEN,
            orders: Orders::default(),
            manual: Vec::new(),
        },
        position: id,
    }
}

#[tokio::test]
async fn withheld_hits_are_stored_once_also_behind_a_lost_database() {
    let mut world = World::start().await;
    let (told, hits) = WithheldHits::new(&world.postgres, 10);
    let stop = CancellationToken::new();
    let task = task::spawn("withheld", hits.run(stop.clone()));
    told.tell(withheld(Withholding::Mode));
    let rows =
        "SELECT string_agg(concat_ws(' ', position_id, symbol, reason, why, price, level), ', '
        ORDER BY why) FROM trade.exit_withheld WHERE logical_us = 1795482000000000";
    let first = format!("{FIRST} 005930 SL1 MODE 67000.0000 67900.0000");
    world.expect(rows, &first).await;
    world.server.crash();
    told.tell(withheld(Withholding::Mode)); // Told again.
    told.tell(withheld(Withholding::Severity));
    drop(told);
    world.server.resume().await;
    task.await.unwrap();
    world.client = world.server.client().await;
    let second = format!("{FIRST} 005930 SL1 SEVERITY 67000.0000 67900.0000");
    assert_eq!(world.value(rows).await, format!("{first}, {second}"));
}

#[tokio::test]
async fn an_answer_and_its_hits_are_seen_together() {
    let world = World::start().await;
    world
        .sql(&format!(
            "INSERT INTO trade.rule_previews (request_id, rule_id, scope, rules, asked_by)
             VALUES ('{REQUEST}', 'default', 'DEFAULT', '{{}}', 'test')"
        ))
        .await;
    let (told, answers) = Answers::new(&world.postgres);
    let stop = CancellationToken::new();
    let task = task::spawn("previews", answers.run(stop.clone()));
    let answer = |request: &str| Answer {
        request: request.into(),
        time: TEN,
        hits: vec![decision(FIRST, 50), decision(SECOND, 100)],
    };
    // Nobody asked, nobody waits any more; and the same answer twice.
    for request in [
        "x",
        "55555555-5555-4555-8555-555555555555",
        REQUEST,
        REQUEST,
    ] {
        told.tell(answer(request));
    }
    drop(told);
    task.await.unwrap();
    let hits = "SELECT string_agg(concat_ws(' ', position_id, reason, qty, price, level), ', '
        ORDER BY position_id) FROM trade.rule_preview_hits JOIN trade.rule_previews USING (request_id)
        WHERE answered_us = 1795482000000000 AND answered_ts IS NOT NULL";
    assert_eq!(
        world.value(hits).await,
        format!("{FIRST} SL1 50 67000.0000 67900.0000, {SECOND} SL1 100 67000.0000 67900.0000")
    );
}

const ASK: &str = "INSERT INTO trade.manual_exits (request_id, position_id, symbol, qty, asked_by)
    VALUES ('44444444-4444-4444-8444-444444444444', '11111111-1111-4111-8111-111111111111', '005930',
        5, 'kim')";
const STATE: &str = "SELECT concat_ws(' ', state, order_id, message) FROM trade.manual_exits";

#[tokio::test]
async fn a_request_is_over_once_its_order_stands() {
    let world = World::start().await;
    world.sql(ASK).await;
    let order = "66666666-6666-4666-8666-666666666666";
    world
        .sql(&format!(
            "INSERT INTO trade.orders (order_id, action_key, account_id, position_id, symbol, side,
                 intent_type, qty, order_type, reason_code, price, level, decided_us, explanation)
             VALUES ('{order}', '{FIRST}:1:OPEN:MANUAL:{REQUEST}:1', 'A', '{FIRST}', '005930', 'SELL',
                 'EXIT_PARTIAL', 5, 'MKT', 'MANUAL', 1, 1, 1, '{{}}')"
        ))
        .await;
    assert_eq!(world.value(STATE).await, format!("ORDERED {order}"));
    // What ends the position changes a request no more.
    world
        .sql("UPDATE trade.positions SET status = 'CLOSED', closed_ts = now()")
        .await;
    assert_eq!(world.value(STATE).await, format!("ORDERED {order}"));
}

#[tokio::test]
async fn a_request_ends_with_its_position_or_its_permission() {
    let world = World::start().await;
    for (change, message) in [
        (
            "exit_mode = 'DISABLED'",
            "REFUSED exit_mode of the position is DISABLED",
        ),
        (
            "status = 'CLOSED', closed_ts = now()",
            "REFUSED the position is closed",
        ),
    ] {
        world.sql(ASK).await;
        world
            .sql("UPDATE trade.positions SET exit_mode = 'MANUAL_ONLY'")
            .await;
        assert_eq!(world.value(STATE).await, "ASKED");
        world
            .sql(&format!("UPDATE trade.positions SET {change}"))
            .await;
        assert_eq!(world.value(STATE).await, message);
        world.sql("DELETE FROM trade.manual_exits").await;
    }
}

#[tokio::test]
async fn the_view_of_rules_resolves_as_the_engine_does() {
    let world = World::start().await;
    world
        .sql(
            "INSERT INTO trade.exit_rules (rule_id, scope, scope_key, name, rules, created_by, version,
                 is_active, effective_from) VALUES
                 ('base', 'DEFAULT', NULL, 'base', '{}', 'test', 1, true, NULL),
                 ('strategy', 'STRATEGY', 'MANUAL', 'strategy', '{}', 'test', 2, true, NULL),
                 ('symbol', 'SYMBOL', '000660', 'symbol', '{}', 'test', 3, true, NULL),
                 ('own', 'POSITION', NULL, 'own', '{}', 'test', 4, true, NULL)",
        )
        .await;
    let view =
        "SELECT string_agg(concat_ws(' ', profile_id, profile_version, profile_level), ', ' ORDER BY symbol)
        FROM trade.position_rules JOIN trade.positions USING (position_id)";
    assert_eq!(
        world.value(view).await,
        "symbol 3 SYMBOL, strategy 2 STRATEGY"
    );
    world
        .sql(
            "UPDATE trade.positions SET exit_profile_id = 'own' WHERE symbol = '000660';
             UPDATE trade.exit_rules SET is_active = false WHERE rule_id = 'strategy'",
        )
        .await;
    assert_eq!(world.value(view).await, "own 4 POSITION, base 1 DEFAULT");
    world
        .sql(
            "UPDATE trade.exit_rules SET effective_from = '2999-01-01' WHERE rule_id = 'own';
             UPDATE trade.exit_rules SET rules = '{\"sl1\": {}}' WHERE rule_id = 'base'",
        )
        .await;
    assert_eq!(
        world.value(view).await,
        "symbol 3 SYMBOL, base 2 DEFAULT",
        "changed rules are a new version"
    );
}
