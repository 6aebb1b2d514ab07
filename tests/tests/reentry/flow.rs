//! From the exit to the next entry and its end.

use super::{SYMBOL, begin, has_history, history, regime, stock, stopped_out};

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

/// Buys of the account as `key's end, shares, status`.
const BUYS: &str = "SELECT string_agg(format('%s %s %s', right(action_key, 7), qty, status), ', '
    ORDER BY created_ts) FROM trade.orders_now WHERE side = 'BUY'";

#[tokio::test]
async fn what_was_bought_back_is_bought_once_more_below_and_above_the_level() {
    let system = begin(&[stock(SYMBOL, 100)], 1, 9, Some("NEUTRAL")).await;
    system
        .execute(
            "UPDATE trade.reentry_rules SET size_pct_entry1 = 50, size_pct_entry2 = 30",
            &[],
        )
        .await;
    let stream = system.stream("").await;
    stopped_out(&system, "NEUTRAL").await;
    let entered = "SELECT count(*) FROM trade.reentry_history WHERE status = 'ENTERED'";
    system.trade(SYMBOL, 96_500).await;
    system.counts(entered, 1).await;
    // The engine learns of it by the row, as of any other.
    let told = "SELECT count(*) FROM system.engine_events
        WHERE kind = 'changes' AND payload::text LIKE '%ENTERED%reentry_candidates%'";
    system.counts(told, 1).await;
    // Still above the level: nothing; below it and above it again: the second one, and no third.
    system.trade(SYMBOL, 96_600).await;
    system.trade(SYMBOL, 95_500).await;
    system.trade(SYMBOL, 96_700).await;
    let twice = [
        "COOLDOWN/NEUTRAL",
        "WATCH/NEUTRAL",
        "SUBMITTED/NEUTRAL",
        "ENTERED",
        "SUBMITTED/NEUTRAL",
        "ENTERED",
    ];
    has_history(&system, &twice).await;
    assert_eq!(
        system.one::<String>(BUYS, &[]).await,
        "ENTRY:1 50 FILLED, ENTRY:2 30 FILLED"
    );
    system.trade(SYMBOL, 95_500).await;
    system.trade(SYMBOL, 96_800).await;
    system
        .counts(
            "SELECT count(*) FROM market.prices WHERE last_price = 96800",
            1,
        )
        .await;
    let live = &system
        .query(
            "SELECT qty, original_qty, candidate_id = (SELECT candidate_id
                 FROM trade.reentry_candidates) FROM trade.positions WHERE status = 'OPEN'",
            &[],
        )
        .await;
    assert_eq!(live.len(), 1);
    let said: (i64, i64, bool) = (live[0].get(0), live[0].get(1), live[0].get(2));
    assert_eq!(said, (80, 80, true));
    let keys: bool = system
        .one(
            "SELECT bool_and(action_key = candidate_id || ':ENTRY:' || right(action_key, 1))
             FROM trade.orders WHERE side = 'BUY'",
            &[],
        )
        .await;
    assert!(keys);
    stream.stop().await;
    // Another engine goes on where this one was: the candidate has had its two.
    let stream = system.stream("").await;
    system.trade(SYMBOL, 95_500).await;
    system.trade(SYMBOL, 96_900).await;
    system
        .counts(
            "SELECT count(*) FROM market.prices WHERE last_price = 96900",
            1,
        )
        .await;
    stream.stop().await;
    assert_eq!(history(&system).await, twice);
    system.stop().await;
}
