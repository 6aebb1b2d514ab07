//! Exit rules in the running system: what they are made from, and what changes them.

use serde_json::{Value, json};
use turnstile_tests::{Api, Stock, System, eventually};

const FIRST: &str = "005930";
const SECOND: &str = "000660";

async fn start() -> System {
    let stock = |symbol| Stock {
        symbol,
        close: 100_000,
        held: 100,
    };
    System::start(&[stock(FIRST), stock(SECOND)], "").await
}

async fn api(system: &System) -> Api {
    let (program, url) = system.bff().await;
    Api::new(program, url)
}

/// Waits until the level of a rule of a symbol stands at `level`.
async fn level_stands(system: &System, symbol: &str, reason: &str, level: &str) {
    let what = format!("{symbol} {reason} {level}");
    eventually(&what, async || {
        let query = "SELECT level::text FROM trade.exit_levels WHERE symbol = $1 AND reason = $2";
        let rows = system.query(query, &[&symbol, &reason]).await;
        rows.iter().any(|row| row.get::<_, &str>(0) == level)
    })
    .await;
}

/// Returns reason, quantity, level and action key of the orders of a symbol, the earliest first.
async fn orders(system: &System, symbol: &str) -> Vec<(String, i64, String, String)> {
    let query = "SELECT reason_code, qty, level::text, action_key FROM trade.orders
        WHERE symbol = $1 ORDER BY decided_us";
    let rows = system.query(query, &[&symbol]).await;
    rows.iter()
        .map(|row| (row.get(0), row.get(1), row.get(2), row.get(3)))
        .collect()
}

async fn filled(system: &System, reason: &str, count: i64) {
    let query = format!(
        "SELECT count(*) FROM trade.orders_now WHERE reason_code = '{reason}' AND status = 'FILLED'"
    );
    system.counts(&query, count).await;
}

async fn position(system: &System, symbol: &str) -> String {
    let query = "SELECT position_id::text FROM trade.positions WHERE symbol = $1";
    system.one(query, &[&symbol]).await
}

#[tokio::test]
async fn volatility_and_previous_close_come_from_their_table() {
    let system = start().await;
    let rules = json!({
        "atr": {"ref": 0.02, "factor_min": 1, "factor_max": 2},
        "gap_down": {"change": -0.05, "window_s": 86_400},
        "sl1": {"pnl": -0.03, "qty": 0.5},
    });
    system.exit_rules(rules).await;
    let context = "INSERT INTO market.symbol_context (symbol, trade_date, atr_pct, prev_close)
        VALUES ($1, (now() AT TIME ZONE 'Asia/Seoul')::date, $2::text::numeric, $3::bigint::numeric)
        ON CONFLICT (symbol) DO UPDATE SET atr_pct = excluded.atr_pct,
            prev_close = excluded.prev_close";
    let none = None::<&str>;
    system
        .execute(context, &[&FIRST, &Some("0.03"), &None::<i64>])
        .await;
    let stream = system.stream("").await;
    // 3 % times 1.5; without a row neither volatility nor a gap.
    level_stands(&system, FIRST, "SL1", "95500.0000").await;
    level_stands(&system, SECOND, "SL1", "97000.0000").await;
    system
        .execute(context, &[&SECOND, &none, &Some(90_000_i64)])
        .await;
    level_stands(&system, SECOND, "GAP_DOWN", "85500.0000").await;

    // The price between both levels sells once the wider one is gone, not before.
    system.trade(FIRST, 96_000).await;
    system
        .counts(
            "SELECT count(*) FROM market.prices WHERE last_price = 96000",
            1,
        )
        .await;
    assert!(orders(&system, FIRST).await.is_empty());
    system
        .execute("UPDATE market.symbol_context SET atr_pct = 0.01", &[])
        .await;
    filled(&system, "SL1", 1).await;
    let sold = orders(&system, FIRST).await;
    assert_eq!(sold.len(), 1, "{sold:?}");
    assert_eq!((sold[0].1, sold[0].2.as_str()), (50, "97000.0000"));

    // A gap is one after 09:00 in Seoul only; before, the stop below it sells.
    let is_open = "SELECT extract(hour FROM now() AT TIME ZONE 'Asia/Seoul') >= 9";
    let expected = if system.one::<bool>(is_open, &[]).await {
        "GAP_DOWN"
    } else {
        "SL1"
    };
    system.trade(SECOND, 85_000).await;
    eventually("a sale", async || !orders(&system, SECOND).await.is_empty()).await;
    assert_eq!(orders(&system, SECOND).await[0].0, expected);
    stream.stop().await;
    system.stop().await;
}

#[tokio::test]
async fn an_edited_rule_sells_exactly_what_its_preview_named() {
    let system = start().await;
    system
        .exit_rules(json!({"sl1": {"pnl": -0.03, "qty": 0.5}}))
        .await;
    let wide = json!({"sl1": {"pnl": -0.1, "qty": 0.5}});
    system
        .execute(
            "INSERT INTO trade.exit_rules (rule_id, scope, scope_key, name, rules, created_by)
             VALUES ('wide', 'SYMBOL', $1, 'wide', $2, 'test')",
            &[&FIRST, &wide],
        )
        .await;
    let stream = system.stream("").await;
    let api = api(&system).await;
    let trade = async || {
        system.trade(FIRST, 96_000).await; // Bid 95,900: a loss of 4.1 %.
        system.trade(SECOND, 98_000).await; // Bid 97,900: a loss of 2.1 %.
    };
    trade().await;
    level_stands(&system, FIRST, "SL1", "90000.0000").await;
    let (first, second) = (
        position(&system, FIRST).await,
        position(&system, SECOND).await,
    );

    let named = async |question: Value| {
        trade().await;
        let (status, body) = api.post("/exit-rules/preview", &question).await;
        assert_eq!(status, 200, "{body}");
        body["data"]["positions"].clone()
    };
    let tight = json!({"sl1": {"pnl": -0.04, "qty": 0.5}});
    let hits = named(json!({"rule_id": "wide", "rules": tight, "asked_by": "test"})).await;
    let expected = json!([{
        "position_id": first, "symbol": FIRST, "reason": "SL1", "rule_id": null, "qty": 50,
        "price": 95_900, "level": 96_000,
    }]);
    assert_eq!(hits, expected);
    // A rule for every position concerns those alone that no closer one serves.
    let rules = json!({"sl1": {"pnl": -0.02, "qty": 1}});
    let others = named(json!({"scope": "DEFAULT", "rules": rules, "asked_by": "test"})).await;
    assert_eq!(others[0]["position_id"], second);
    assert_eq!(others.as_array().map(Vec::len), Some(1), "{others}");
    let nobody = named(json!({"scope": "DEFAULT", "rules": {}, "asked_by": "test"})).await;
    assert_eq!(nobody, json!([]));
    let none: i64 = system.one("SELECT count(*) FROM trade.orders", &[]).await;
    assert_eq!(none, 0, "a preview sells nothing");

    let change = json!({"scope": "SYMBOL", "scope_key": FIRST, "rules": tight, "version": 1,
        "updated_by": "test"});
    trade().await;
    let (status, body) = api.put("/exit-rules/wide", &change).await;
    assert_eq!(status, 200, "{body}");
    filled(&system, "SL1", 1).await;
    let sold = orders(&system, FIRST).await;
    assert_eq!(
        (sold[0].1, sold[0].2.as_str()),
        (50, "96000.0000"),
        "{sold:?}"
    );
    assert!(orders(&system, SECOND).await.is_empty());

    let path = |id: &str| format!("/positions/{id}/levels");
    eventually("the version in force", async || {
        let profile = api.get(&path(&second)).await.1["data"]["profile"].clone();
        profile["rule_id"] == "default" && profile["is_in_force"] == true
    })
    .await;
    let versions =
        "SELECT string_agg(DISTINCT profile_id || ' ' || (explanation->>'profile_version'), ' ')
        FROM trade.orders, LATERAL (SELECT explanation->>'profile' AS profile_id) p";
    assert_eq!(system.one::<String>(versions, &[]).await, "wide 2");
    api.stop().await;
    stream.stop().await;
    system.stop().await;
}

#[tokio::test]
async fn an_add_on_buy_takes_its_first_profit_again_in_the_next_cycle() {
    let system = start().await;
    system
        .exit_rules(json!({"tp1": {"pnl": 0.07, "qty": 0.1, "floor": 0.006}}))
        .await;
    let stream = system.stream("").await;
    system.trade(FIRST, 107_200).await;
    system
        .counts(
            "SELECT count(*) FROM trade.position_state WHERE phase = 'TP1_DONE'",
            1,
        )
        .await;
    system
        .execute(
            "UPDATE trade.positions SET qty = qty + 50, avg_price = 104000 WHERE symbol = $1",
            &[&FIRST],
        )
        .await;
    level_stands(&system, FIRST, "TP1", "111280.0000").await;
    system.trade(FIRST, 111_500).await;
    filled(&system, "TP1", 2).await;
    let sold = orders(&system, FIRST).await;
    assert_eq!((sold[0].1, sold[1].1), (10, 14), "of 100, then of 140");
    assert!(sold[0].3.ends_with(":1:OPEN:TP1:1"), "{sold:?}");
    assert!(sold[1].3.ends_with(":2:OPEN:TP1:1"), "{sold:?}");
    system
        .counts(
            "SELECT count(*) FROM trade.position_state WHERE phase = 'TP1_DONE' AND stop_floor = '104624'",
            1,
        )
        .await;
    stream.stop().await;
    system.stop().await;
}

#[tokio::test]
async fn a_split_rescales_what_trails_and_sells_nothing() {
    let system = start().await;
    system
        .exit_rules(json!({"trail": {"pct": 0.03, "qty": 0.5}}))
        .await;
    system
        .execute(
            "UPDATE trade.position_state SET phase = 'TRAILING_ACTIVE', hwm_price = 110000",
            &[],
        )
        .await;
    let stream = system.stream("").await;
    level_stands(&system, FIRST, "TRAIL", "106700.0000").await;
    system
        .execute(
            "UPDATE trade.positions SET qty = 200, avg_price = 50000 WHERE symbol = $1",
            &[&FIRST],
        )
        .await;
    level_stands(&system, FIRST, "TRAIL", "53350.0000").await;
    level_stands(&system, SECOND, "TRAIL", "106700.0000").await;
    system.trade(FIRST, 54_500).await;
    // Below the new level for more than one slot of three seconds it sells.
    eventually("a sale", async || {
        system.trade(FIRST, 53_000).await;
        !orders(&system, FIRST).await.is_empty()
    })
    .await;
    let sold = orders(&system, FIRST).await;
    assert_eq!(
        (sold[0].0.as_str(), sold[0].1, sold[0].2.as_str()),
        ("TRAIL", 100, "53350.0000")
    );
    assert!(sold[0].3.contains(":1:TRAILING_ACTIVE:"), "{sold:?}");
    stream.stop().await;
    system.stop().await;
}
