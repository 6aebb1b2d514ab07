//! A CHASE and the ranking of the daily strategy, in the running engine.

use serde_json::json;
use turnstile_tests::System;

use super::{SYMBOL, begin, has_history, history, stock, stopped_out};

/// Puts a ranking of so many days ago in force, and waits until the engine has it.
async fn rank(system: &System, symbols: &[&str], days: i32) {
    let told = "SELECT count(*) FROM system.engine_events
        WHERE kind = 'changes' AND payload::text LIKE '%strategy.ranked%'";
    let before: i64 = system.one(told, &[]).await;
    let is_in_force: bool = system
        .one(
            "SELECT strategy.replace_ranked((now() AT TIME ZONE 'Asia/Seoul')::date - $1::integer, $2)",
            &[&days, &symbols],
        )
        .await;
    assert!(is_in_force);
    system.counts(told, before + 1).await;
}

/// A price above the level and one below it, so that nothing is left to judge.
async fn rise_and_fall(system: &System, won: i64) {
    for won in [won, won - 1_600] {
        system.trade(SYMBOL, won).await;
        let stored = format!("SELECT count(*) FROM market.prices WHERE last_price = {won}");
        system.counts(&stored, 1).await;
    }
}

#[tokio::test]
async fn a_chase_buys_what_the_newest_ranking_selects_and_not_before() {
    let other = "000660";
    let stocks = [stock(SYMBOL, 100), stock(other, 0)];
    let system = begin(&stocks, 1, 9, Some("NEUTRAL")).await;
    let chase = json!({"type": "CHASE", "chase": 0.01, "momentum": 0, "volatility_atr": 0});
    system
        .execute(
            "UPDATE trade.reentry_rules SET trigger_params = $1",
            &[&chase],
        )
        .await;
    let stream = system.stream("").await;
    stopped_out(&system, "NEUTRAL").await;
    let watching = ["COOLDOWN/NEUTRAL", "WATCH/NEUTRAL"];

    rise_and_fall(&system, 96_500).await; // Nothing is ranked,
    rank(&system, &[SYMBOL], 8).await;
    rise_and_fall(&system, 96_600).await; // it is, too long ago,
    rank(&system, &[other], 1).await;
    rise_and_fall(&system, 96_700).await; // and another one is.
    assert_eq!(history(&system).await, watching);

    rank(&system, &[other, SYMBOL], 0).await;
    system.trade(SYMBOL, 96_800).await;
    let bought = ["SUBMITTED/NEUTRAL", "ENTERED"];
    has_history(&system, &[watching, bought].concat()).await;
    let order = &system
        .query(
            "SELECT o.reason_code, o.price::bigint, r.rank,
                 (o.explanation->>'ranked_as_of')::integer = r.as_of - '1970-01-01'::date,
                 o.decided_us > trade.micros(r.updated_ts)
             FROM trade.orders o JOIN strategy.ranked r USING (symbol) WHERE o.side = 'BUY'",
            &[],
        )
        .await;
    assert_eq!(order.len(), 1);
    let said: (&str, i64, i32) = (order[0].get(0), order[0].get(1), order[0].get(2));
    // Judged at the bid, a tick below the trade.
    assert_eq!(said, ("REENTRY_CHASE", 96_700, 2));
    assert!(order[0].get::<_, bool>(3), "the entry names the ranking");
    assert!(order[0].get::<_, bool>(4), "it came after the ranking");
    stream.stop().await;
    system.stop().await;
}
