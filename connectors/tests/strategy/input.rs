//! Input that is missing or wrong.

use turnstile_connectors::strategy::{Days, RunState};

use crate::world::{LAST, World};

#[tokio::test(flavor = "multi_thread")]
async fn without_figures_flows_and_disclosures_there_are_factors_of_bars_and_no_signal() {
    let world = World::start().await;
    world
        .sql("TRUNCATE market.investor_flows, market.fundamentals, market.disclosures, market.stock_rankings")
        .await;
    let run = world.day(LAST, false).await;
    assert_eq!((run.state, run.portfolio), (RunState::Done, None));
    assert_eq!((run.counts["evaluated"], run.counts["buy"]), (60, 0));
    let factors =
        "SELECT count(momentum) || ' ' || count(technical) || ' ' || count(value) || ' ' ||
        count(flow) || ' ' || count(total_score) FROM strategy.factor_scores";
    assert_eq!(world.text(factors).await, "60 60 0 0 0");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_of_the_disclosure_is_that_of_seoul() {
    let world = World::start().await;
    world.day(LAST, false).await;
    let events = "SELECT string_agg(symbol || ' ' || sign(event), ', ' ORDER BY symbol)
        FROM strategy.factor_scores WHERE event IS NOT NULL";
    // The third one was told at midnight after the day.
    assert_eq!(world.text(events).await, "100001 1, 100002 -1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_cannot_be_used_is_named_and_the_run_has_failed() {
    let world = World::start().await;
    for (change, expected) in [
        (
            "UPDATE market.daily_bars SET high = 9999999999999999 WHERE symbol = '100007'
                AND trade_date = '2026-07-30'",
            "market.daily_bars, 100007 2026-07-30, high: is no number, or too large",
        ),
        (
            "UPDATE market.daily_bars SET high = 'NaN' WHERE symbol = '100007'
                AND trade_date = '2026-07-30'",
            "market.daily_bars, 100007 2026-07-30, high: is no number, or too large",
        ),
    ] {
        world.sql(change).await;
        let error = world.run(Days::Last, false).await.unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
        let noted = "SELECT state || ' ' || stage || ' ' || reason FROM strategy.runs
            ORDER BY created_ts DESC LIMIT 1";
        assert_eq!(world.text(noted).await, format!("FAILED LOAD {error}"));
    }
    world
        .sql("DELETE FROM market.daily_bars WHERE symbol = '100007' AND trade_date = '2026-07-30'")
        .await;
    assert_eq!(world.day(LAST, false).await.state, RunState::Done);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bar_of_tomorrow_is_no_session() {
    let world = World::start().await;
    world
        .sql("INSERT INTO market.daily_bars
                 (symbol, trade_date, open, high, low, close, volume, value, source)
              VALUES ('100001', (now() AT TIME ZONE 'Asia/Seoul')::date + 1, 1, 1, 1, 1, 1, 1, 'IMPORT')")
        .await;
    let run = world.run(Days::Last, false).await.unwrap();
    assert_eq!(run[0].as_of.to_string(), LAST);
}
