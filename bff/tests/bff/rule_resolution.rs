//! Which exit rule serves a position.

use serde_json::{Value, json};

use crate::fixture::{CLOSED, LIVE, ROWS};
use crate::world::World;

const RESOLVE: &str = "/api/v1/exit-rules/resolve";
const RULES: &str = r#"
INSERT INTO trade.exit_rules (rule_id, scope, scope_key, name, rules, created_by, version, is_active,
    effective_from) VALUES
    ('base', 'DEFAULT', NULL, 'base', '{}', 'test', 1, true, NULL),
    ('old', 'DEFAULT', NULL, 'old', '{}', 'test', 1, false, NULL),
    ('momentum', 'STRATEGY', 'MOMENTUM', 'of a strategy', '{}', 'test', 2, true, '2020-01-01'),
    ('samsung', 'SYMBOL', '005930', 'of a symbol', '{}', 'test', 3, true, NULL),
    ('hynix', 'SYMBOL', '000660', 'of another one', '{}', 'test', 4, true, NULL)"#;

/// Returns the rule that serves, such as `base 1 DEFAULT`, and those passed over, such as `old INACTIVE`.
async fn resolved(world: &World, query: &str) -> (Value, Vec<String>) {
    let data = world.data(&format!("{RESOLVE}?{query}")).await;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let passed_over = data["passed_over"].as_array().unwrap().iter();
    let passed_over = passed_over.map(|one| {
        assert!(!text(&one["detail"]).is_empty(), "{data}");
        format!("{} {}", text(&one["rule_id"]), text(&one["why"]))
    });
    let rule = match &data["rule"] {
        Value::Null => Value::Null,
        rule => json!(format!(
            "{} {} {}",
            text(&rule["rule_id"]),
            rule["version"],
            text(&rule["level"])
        )),
    };
    (rule, passed_over.collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_most_specific_rule_serves_and_the_others_are_named_with_the_reason() {
    let world = World::start().await;
    world.sql(ROWS).await;
    world.sql(RULES).await;
    let live = format!("position_id={LIVE}");
    let of = async |query: &str| resolved(&world, query).await;
    let outranked = [
        "samsung OUTRANKED",
        "momentum OUTRANKED",
        "base OUTRANKED",
        "old INACTIVE",
    ];
    assert_eq!(
        of(&live).await,
        (
            json!("tight 1 POSITION"),
            outranked.map(str::to_owned).to_vec()
        )
    );
    for (query, rule) in [
        ("symbol=005930&strategy_id=MOMENTUM", "samsung 3 SYMBOL"),
        ("symbol=0001A0&strategy_id=MOMENTUM", "momentum 2 STRATEGY"),
        ("symbol=0001A0&strategy_id=momentum", "base 1 DEFAULT"),
        ("symbol=0001A0", "base 1 DEFAULT"),
        ("symbol=000660", "hynix 4 SYMBOL"),
    ] {
        assert_eq!(of(query).await.0, rule, "{query}");
    }
    // What stands in the way of a rule lets the next one serve.
    for (change, rule, first) in [
        ("is_active = false", "samsung 3 SYMBOL", "tight INACTIVE"),
        (
            "is_active = true, effective_from = '2999-01-01'",
            "samsung 3 SYMBOL",
            "tight NOT_YET",
        ),
        (
            "effective_from = NULL, rules = '{\"sl1\": {\"pnl\": 1}}'",
            "samsung 3 SYMBOL",
            "tight UNREADABLE",
        ),
        (
            "effective_from = '2020-01-01', rules = '{}'",
            "tight 3 POSITION",
            "samsung OUTRANKED",
        ),
    ] {
        let change = format!("UPDATE trade.exit_rules SET {change} WHERE rule_id = 'tight'");
        world.sql(&change).await;
        let (now, passed_over) = of(&live).await;
        assert_eq!(
            (now, passed_over[0].as_str()),
            (json!(rule), first),
            "{change}"
        );
    }
    world
        .sql("DELETE FROM trade.exit_rules WHERE rule_id = 'tight'")
        .await;
    let (now, passed_over) = of(&live).await;
    assert_eq!(
        (now, passed_over[0].as_str()),
        (json!("samsung 3 SYMBOL"), "tight MISSING")
    );
    world
        .sql("UPDATE trade.exit_rules SET is_active = false")
        .await;
    let (now, passed_over) = of("symbol=005930&strategy_id=MOMENTUM").await;
    assert_eq!(
        (now, passed_over.len()),
        (Value::Null, 4),
        "it would not be guarded"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_engine_has_said_stands_beside_it() {
    let world = World::start().await;
    world.sql(ROWS).await;
    let path = format!("{RESOLVE}?position_id={LIVE}");
    assert_eq!(world.data(&path).await["told"], Value::Null);
    world
        .sql(&format!(
            "INSERT INTO trade.exit_levels (position_id, symbol, reason, side, level, profile_id,
                 profile_version, profile_level, since)
             VALUES ('{LIVE}', '005930', 'SL1', 'BELOW', 60000, 'before', 7, 'SYMBOL', now())"
        ))
        .await;
    let now = world.data(&path).await;
    let told = json!({ "rule_id": "before", "version": 7, "level": "SYMBOL" });
    assert_eq!(now["told"], told);
    assert_eq!(now["rule"]["rule_id"], "tight");
    let of = |key: &str| now[key].as_str().unwrap_or_default().to_owned();
    assert_eq!(
        ["position_id", "symbol", "strategy_id", "exit_profile_id"].map(of),
        [LIVE, "005930", "MOMENTUM", "tight"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_resolved_is_refused() {
    let world = World::start().await;
    world.sql(ROWS).await;
    let none = "00000000-0000-4000-8000-000000000000";
    for (query, status, field) in [
        (String::new(), 400, "symbol"),
        ("symbol=00-1".to_owned(), 400, "symbol"),
        ("position_id=1".to_owned(), 400, "position_id"),
        (format!("position_id={LIVE}&symbol=005930"), 400, "symbol"),
        (
            format!("position_id={LIVE}&strategy_id=A"),
            400,
            "strategy_id",
        ),
        ("symbol=005930&more=1".to_owned(), 400, "more"),
        (format!("position_id={none}"), 404, ""),
        (format!("position_id={CLOSED}"), 409, ""),
    ] {
        let (given, body) = world.get(&format!("{RESOLVE}?{query}")).await;
        assert_eq!(given, status, "{query}: {body}");
        if !field.is_empty() {
            assert!(
                body["error"]["fields"][field].is_string(),
                "{query}: {body}"
            );
        }
    }
}
